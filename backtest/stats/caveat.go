package stats

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

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

// Caveats judges the metrics of a run by fixed rules, gravest first, then in the order of the rules, and
// says last which thresholds were changed. A rule is silent where a metric of it is undefined.
func Caveats(m Metrics, l Limits) []Caveat {
	var out []Caveat
	rules := caveatsBy(l)
	for _, s := range []Severity{Grave, Caution, Note} {
		for i, r := range caveatTable {
			if r.Severity != s {
				continue
			}
			if hit, undefined := rules[i].Eval(m); !hit || undefined != nil {
				continue
			}
			if message, ok := filledIn(r.Sentence, l, m); ok {
				out = append(out, Caveat{r.Code, s, message, r.Condition(l)})
			}
		}
	}
	return append(out, l.changed()...)
}

// CaveatRule is a row of the table of caveats.
type CaveatRule struct {
	Code     string
	Severity Severity
	// When is a Condition in which {key} stands for a threshold.
	When string
	// Sentence says it to people: {key} is a metric or a threshold, {key.2} a metric in so many digits.
	Sentence string
}

// CaveatRules lists every rule in its fixed order. The slice is the caller's.
func CaveatRules() []CaveatRule { return slices.Clone(caveatTable) }

// Condition is when the rule speaks, for people.
func (r CaveatRule) Condition(l Limits) string { return filled(r.When, l.Text) }

// defaultRules are the conditions with the thresholds of the table: most callers change none.
var defaultRules = sync.OnceValue(func() []Condition { return parsedCaveats(nil) })

func caveatsBy(l Limits) []Condition {
	if len(l) == 0 {
		return defaultRules()
	}
	return parsedCaveats(l)
}

func parsedCaveats(l Limits) []Condition {
	out := make([]Condition, len(caveatTable))
	for i, r := range caveatTable {
		c, err := ParseCondition(filled(r.When, func(key string) string { return strconv.FormatFloat(l.Of(key), 'g', -1, 64) }))
		if err != nil {
			panic("BUG: the rule of the caveat " + r.Code + " is no condition: " + err.Error())
		}
		out[i] = c
	}
	return out
}

// filled has every {key} of s replaced.
func filled(s string, with func(key string) string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		key, after, _ := strings.Cut(rest, "}")
		b.WriteString(with(key))
		s = after
	}
}

// filledIn is a sentence with its figures; false when one of them is undefined.
func filledIn(sentence string, l Limits, m Metrics) (string, bool) {
	ok := true
	text := filled(sentence, func(name string) string {
		key, digits, given := strings.Cut(name, ".")
		row, known := Lookup(key)
		if !known {
			return l.Text(key)
		}
		x, defined := m.Get(key)
		ok = ok && defined
		n, _ := strconv.Atoi(digits)
		switch {
		case row.Unit == Fraction || row.Unit == Probability:
			if !given {
				n = 1
			}
			return fmt.Sprintf("%.*f%%", n, 100*x)
		case row.Unit == Ratio && !given:
			n = 2
		}
		return fmt.Sprintf("%.*f", n, x)
	})
	return text, ok
}

// caveatTable are the rules. 0 is a bound of the figure itself, 365 days that of figures by the calendar, and 1.01 all
// of equity and what rounding adds: none is a threshold to be chosen.
var caveatTable = []CaveatRule{
	{"equity_exhausted", Grave, "final_equity <= 0",
		"Equity ran out ({final_equity.2} USD at the end): statistics stop at that session."},
	{"sharpe_too_high", Grave, "sharpe > {sharpe_too_high}",
		"A Sharpe ratio of {sharpe} is rarer than a fault: look for look-ahead, stale prices and missing costs."},
	{"drawdown_too_small", Grave, "max_drawdown > -{drawdown_too_small} and cagr > {growth_too_high}",
		"A deepest fall of {max_drawdown.2} with a growth of {cagr} a year is rarer than a fault: look for look-ahead and stale prices."},
	{"sharpe_of_few_trades", Caution, "sharpe > {sharpe_of_few_trades} and sharpe <= {sharpe_too_high} and trades > 0 and trades < {trades_for_sharpe}",
		"A Sharpe ratio of {sharpe} from {trades} trades is unusual: look for look-ahead, stale prices and missing costs."},
	{"no_losing_month", Caution, "worst_month >= 0 and total_return > 0 and calendar_days > {days_without_loss}",
		"No month lost (the worst: {worst_month.2}): look for stale marks, or for losses that are kept open."},
	{"win_rate_too_high", Caution, "win_rate > {win_rate_too_high} and trades >= {few_trades}",
		"{win_rate} of {trades} trades won: look for look-ahead, or for losses that are kept open."},
	{"profit_factor_too_high", Caution, "profit_factor > {profit_factor_too_high} and trades >= {few_trades}",
		"A profit factor of {profit_factor} over {trades} trades is unusual: look for look-ahead and missing costs."},
	{"too_smooth", Caution, "stability > {too_smooth} and sessions >= {enough_sessions}",
		"Log equity is almost a straight line (R squared {stability.4}): look for stale marks."},
	{"few_trades", Caution, "trades > 0 and trades < {few_trades}",
		"Only {trades} closed trades: too few to judge. The true win rate lies between {win_rate_low.0} and {win_rate_high.0}."},
	{"moderate_trades", Note, "trades >= {few_trades} and trades < {moderate_trades}",
		"{trades} closed trades: the true win rate lies between {win_rate_low.0} and {win_rate_high.0}."},
	{"short_run", Caution, "calendar_days < 365",
		"The run covers {calendar_days} days: nothing is annualised by the calendar."},
	{"sharpe_indistinct", Caution, "min_track_record > sessions",
		"A Sharpe ratio like this needs {min_track_record} sessions to differ from 0 at 95%; the run has {sessions}."},
	{"zero_costs", Caution, "total_commission == 0 and total_slippage == 0 and traded_value > 0",
		"No commission and no slippage were charged on {traded_value} USD traded."},
	{"free_borrow", Caution, "max_short > 0 and total_borrow == 0",
		"Shares sold short were up to {max_short.0} of equity over night, and nothing was paid to borrow them (costs.borrow)."},
	{"free_margin", Caution, "max_long > 1.01 and total_interest == 0",
		"Longs were up to {max_long.0} of equity over night, and no interest was paid on the borrowed money (debit_rate)."},
	{"low_costs", Caution, "total_costs > 0 and total_costs < {low_costs} * traded_value and turnover > {low_costs_turnover}",
		"Commission, slippage and borrow fees were {total_costs} USD on {traded_value} USD traded: less than brokers and spreads take."},
	{"cost_fragile", Caution, "break_even_cost > 0 and break_even_cost < {cost_fragile}",
		"An extra {break_even_cost.3} on every traded dollar takes the whole profit."},
	{"concentrated_trades", Caution, "top_5_trades_share > {concentrated_trades} and trades >= {trades_to_concentrate}",
		"The best 5 of {trades} trades made {top_5_trades_share.0} of the closed profit."},
	{"concentrated_sessions", Caution, "best_5_days_share > {concentrated_sessions} and sessions >= {enough_sessions}",
		"The best 5 of {sessions} sessions made {best_5_days_share.0} of the growth."},
	{"without_best", Caution, "without_best_days < 0 and total_return > 0",
		"Without the best 1% of sessions the total return is {without_best_days} instead of {total_return}."},
	{"concentrated_year", Caution, "best_year_share > {concentrated_year} and calendar_days >= {days_to_concentrate}",
		"The best calendar year made {best_year_share.0} of the growth."},
	{"concentrated_symbol", Caution, "top_symbol_share > {concentrated_symbol}",
		"One symbol made {top_symbol_share.0} of the closed profit."},
	{"autocorrelated", Caution, "autocorrelation > {autocorrelated} and ljung_box_p < {significance}",
		"Returns follow their predecessors (lag 1: {autocorrelation}): the adjusted Sharpe ratio is {sharpe_lo}, not {sharpe}."},
	{"open_result", Caution, "final_equity > 0 and (open_pnl > {open_result} * final_equity or open_pnl < -{open_result} * final_equity)",
		"{open_pnl} USD of the final equity of {final_equity} USD is open profit: the result depends on the last marks."},
	{"leveraged", Caution, "max_gross > {leveraged}", "Gross exposure reached {max_gross.0} of equity."},
	{"large_fills", Caution, "max_volume_share > {large_fills}",
		"One fill was {max_volume_share} of its bar's volume: the market would have moved."},
	{"fat_tails", Note, "skewness < {skewed} or excess_kurtosis > {fat_tails}",
		"Returns are far from normal (skewness {skewness}, excess kurtosis {excess_kurtosis.1}): read the probabilistic Sharpe ratio, not the plain one."},
	{"mostly_market", Note, "beta > {mostly_market} and alpha_t < {uncertain_alpha}",
		"Beta is {beta} and alpha is not distinguishable from 0 (t {alpha_t}): mostly the market."},
	{"below_benchmark", Note, "excess_return < 0",
		"The benchmark returned {benchmark_total_return}, the run {total_return}."},
	{"no_bear_market", Note, "benchmark_max_drawdown > -{no_bear_market}",
		"The benchmark never fell by {no_bear_market} (deepest {benchmark_max_drawdown}): the run has not seen a bear market."},
}
