package stats

import "fmt"

// Severity of a caveat.
type Severity string

// Severities, the gravest first.
const (
	Grave   Severity = "grave"   // do not act on this result before it is explained
	Caution Severity = "caution" // read the result with this in mind
	Note    Severity = "note"
)

// Caveat is something that the numbers themselves say about how far to trust them.
type Caveat struct {
	Code     string   `json:"code"` // stable word
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
	Rule     string   `json:"rule"` // the condition with its threshold
}

// Caveats judges the metrics of a run by fixed rules, gravest first, then in the order of the rules.
// Rules whose metrics are undefined are silent, but for the ones that say so.
func Caveats(m Metrics) []Caveat {
	var out []Caveat
	for _, s := range []Severity{Grave, Caution, Note} {
		for _, r := range caveatRules {
			if r.severity != s {
				continue
			}
			if msg := r.judge(m); msg != "" {
				out = append(out, Caveat{r.code, s, msg, r.rule})
			}
		}
	}
	return out
}

type caveatRule struct {
	code     string
	severity Severity
	rule     string
	judge    func(Metrics) string // "" when it does not apply
}

// when says message, formatted with the values of keys, if all are defined and test holds for them.
func when(test func([]float64) bool, message string, keys ...string) func(Metrics) string {
	return func(m Metrics) string {
		v := make([]float64, len(keys))
		args := make([]any, len(keys))
		for i, k := range keys {
			x, ok := m.Get(k)
			if !ok {
				return ""
			}
			v[i], args[i] = x, x
			if row, _ := Lookup(k); row.Unit == Fraction || row.Unit == Probability {
				args[i] = 100 * x
			}
		}
		if !test(v) {
			return ""
		}
		return fmt.Sprintf(message, args...)
	}
}

// caveatRules are the rules with their thresholds. The limits of what is too good follow practice; the
// numbers behind trades and track record are the standard errors of the table.
var caveatRules = []caveatRule{
	{"equity_exhausted", Grave, "final_equity <= 0",
		when(func(v []float64) bool { return v[0] <= 0 },
			"Equity ran out (%.2f USD at the end): statistics stop at that session.", "final_equity")},
	{"sharpe_too_high", Grave, "sharpe > 3",
		when(func(v []float64) bool { return v[0] > 3 },
			"A Sharpe ratio of %.2f is rarer than a fault: look for look-ahead, stale prices and missing costs.", "sharpe")},
	{"drawdown_too_small", Grave, "max_drawdown > -2% and cagr > 20%",
		when(func(v []float64) bool { return v[0] > -0.02 && v[1] > 0.2 },
			"A deepest fall of %.2f%% with a growth of %.1f%% a year is rarer than a fault: look for look-ahead and stale prices.", "max_drawdown", "cagr")},
	{"sharpe_of_few_trades", Caution, "sharpe from 2 to 3 with fewer than 250 trades",
		when(func(v []float64) bool { return v[0] > 2 && v[0] <= 3 && v[1] > 0 && v[1] < 250 },
			"A Sharpe ratio of %.2f from %.0f trades is unusual: look for look-ahead, stale prices and missing costs.", "sharpe", "trades")},
	{"no_losing_month", Caution, "no losing month in more than 24",
		when(func(v []float64) bool { return v[0] >= 0 && v[1] > 0 && v[2] > 790 },
			"No month lost (the worst: %.2[1]f%%): look for stale marks, or for losses that are kept open.", "worst_month", "total_return", "calendar_days")},
	{"win_rate_too_high", Caution, "win_rate > 80% with 30 trades or more",
		when(func(v []float64) bool { return v[0] > 0.8 && v[1] >= 30 },
			"%.1f%% of %.0f trades won: look for look-ahead, or for losses that are kept open.", "win_rate", "trades")},
	{"profit_factor_too_high", Caution, "profit_factor > 4 with 30 trades or more",
		when(func(v []float64) bool { return v[0] > 4 && v[1] >= 30 },
			"A profit factor of %.2f over %.0f trades is unusual: look for look-ahead and missing costs.", "profit_factor", "trades")},
	{"too_smooth", Caution, "stability > 0.99 over 252 sessions or more",
		when(func(v []float64) bool { return v[0] > 0.99 && v[1] >= 252 },
			"Log equity is almost a straight line (R squared %.4[1]f): look for stale marks.", "stability", "sessions")},
	{"few_trades", Caution, "fewer than 30 closed trades",
		when(func(v []float64) bool { return v[0] > 0 && v[0] < 30 },
			"Only %.0f closed trades: too few to judge. The true win rate lies between %.0f%% and %.0f%%.", "trades", "win_rate_low", "win_rate_high")},
	{"moderate_trades", Note, "fewer than 100 closed trades",
		when(func(v []float64) bool { return v[0] >= 30 && v[0] < 100 },
			"%.0f closed trades: the true win rate lies between %.0f%% and %.0f%%.", "trades", "win_rate_low", "win_rate_high")},
	{"short_run", Caution, "under 365 calendar days",
		when(func(v []float64) bool { return v[0] < 365 },
			"The run covers %.0f days: nothing is annualised by the calendar.", "calendar_days")},
	{"sharpe_indistinct", Caution, "min_track_record > sessions",
		when(func(v []float64) bool { return v[0] > v[1] },
			"A Sharpe ratio like this needs %.0f sessions to differ from 0 at 95%%; the run has %.0f.", "min_track_record", "sessions")},
	{"zero_costs", Caution, "traded without commission and slippage",
		when(func(v []float64) bool { return v[0] == 0 && v[1] == 0 && v[2] > 0 },
			"No commission and no slippage were charged on %.0[3]f USD traded.", "total_commission", "total_slippage", "traded_value")},
	{"low_costs", Caution, "costs under 1 bp of what was traded, at a turnover above 10 a year",
		when(func(v []float64) bool { return v[0] > 0 && v[0] < 1e-4*v[1] && v[2] > 10 },
			"Commission, slippage and borrow fees were %.0[1]f USD on %.0[2]f USD traded: less than brokers and spreads take.", "total_costs", "traded_value", "turnover")},
	{"cost_fragile", Caution, "break_even_cost under 5 bps",
		when(func(v []float64) bool { return v[0] > 0 && v[0] < 0.0005 },
			"An extra %.3f%% on every traded dollar takes the whole profit.", "break_even_cost")},
	{"concentrated_trades", Caution, "best 5 trades above half of the profit, 10 trades or more",
		when(func(v []float64) bool { return v[0] > 0.5 && v[1] >= 10 },
			"The best 5 of %.0[2]f trades made %.0[1]f%% of the closed profit.", "top_5_trades_share", "trades")},
	{"concentrated_sessions", Caution, "best 5 sessions above half of the growth, 252 sessions or more",
		when(func(v []float64) bool { return v[0] > 0.5 && v[1] >= 252 },
			"The best 5 of %.0[2]f sessions made %.0[1]f%% of the growth.", "best_5_days_share", "sessions")},
	{"without_best", Caution, "a gain that is a loss without the best 1% of sessions",
		when(func(v []float64) bool { return v[0] < 0 && v[1] > 0 },
			"Without the best 1%% of sessions the total return is %.1f%% instead of %.1f%%.", "without_best_days", "total_return")},
	{"concentrated_year", Caution, "best year above 70% of the growth, three years or more",
		when(func(v []float64) bool { return v[0] > 0.7 && v[1] >= 1095 },
			"The best calendar year made %.0[1]f%% of the growth.", "best_year_share", "calendar_days")},
	{"concentrated_symbol", Caution, "best symbol above half of the profit",
		when(func(v []float64) bool { return v[0] > 0.5 },
			"One symbol made %.0f%% of the closed profit.", "top_symbol_share")},
	{"autocorrelated", Caution, "autocorrelation > 0.1 and ljung_box_p < 5%",
		when(func(v []float64) bool { return v[0] > 0.1 && v[1] < 0.05 },
			"Returns follow their predecessors (lag 1: %.2[1]f): the adjusted Sharpe ratio is %.2[3]f, not %.2[4]f.", "autocorrelation", "ljung_box_p", "sharpe_lo", "sharpe")},
	{"open_result", Caution, "open profit above 10% of final equity",
		when(func(v []float64) bool { return v[1] > 0 && (v[0] > 0.1*v[1] || v[0] < -0.1*v[1]) },
			"%.0f USD of the final equity of %.0f USD is open profit: the result depends on the last marks.", "open_pnl", "final_equity")},
	{"leveraged", Caution, "max_gross > 200%",
		when(func(v []float64) bool { return v[0] > 2 },
			"Gross exposure reached %.0f%% of equity.", "max_gross")},
	{"fat_tails", Note, "skewness < -1 or excess_kurtosis > 6",
		when(func(v []float64) bool { return v[0] < -1 || v[1] > 6 },
			"Returns are far from normal (skewness %.2f, excess kurtosis %.1f): read the probabilistic Sharpe ratio, not the plain one.", "skewness", "excess_kurtosis")},
	{"mostly_market", Note, "beta > 0.8 and alpha_t < 2",
		when(func(v []float64) bool { return v[0] > 0.8 && v[1] < 2 },
			"Beta is %.2f and alpha is not distinguishable from 0 (t %.2f): mostly the market.", "beta", "alpha_t")},
	{"below_benchmark", Note, "excess_return < 0",
		when(func(v []float64) bool { return v[0] < 0 },
			"The benchmark returned %.1[2]f%%, the run %.1[3]f%%.", "excess_return", "benchmark_total_return", "total_return")},
	{"no_bear_market", Note, "benchmark_max_drawdown > -20%",
		when(func(v []float64) bool { return v[0] > -0.2 },
			"The benchmark never fell by 20%% (deepest %.1f%%): the run has not seen a bear market.", "benchmark_max_drawdown")},
}
