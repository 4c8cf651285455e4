package stats_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"
	"time"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// vectors are published numbers with their origin.
type vectors struct {
	Bacon struct {
		Portfolio, Benchmark []float64
		Expected             map[string]float64
	}
	Sharpe50 struct {
		Returns []float64
		SR, SE  float64
		PSR     float64 `json:"psr_005"`
	}
	PSR struct {
		Cases []struct {
			SR     float64 `json:"sr"`
			T      int
			G3, G4 float64
			SR0    float64
			PSR    float64
			PSR3dp float64 `json:"psr_3dp"`
		}
	}
	SE struct {
		Cases []struct {
			N          int `json:"n"`
			SR, G3, G4 float64
			SE4dp      float64 `json:"se_4dp"`
		}
	}
	MinTRL struct {
		Cases []struct {
			SR     float64 `json:"sr_ann"`
			SR0    float64 `json:"sr0_ann"`
			N      float64
			G3, G4 float64
			P      float64
			Years  float64
		}
	} `json:"min_trl"`
	DSR struct {
		Cases []struct {
			SR     float64 `json:"sr_ann"`
			Year   float64 `json:"N_year"`
			V      float64 `json:"V_ann"`
			Trials float64
			T      int
			G3, G4 float64
			SR0    float64 `json:"sr0_daily"`
			DSR    float64
		}
	}
	ExpectedMax struct{ Values, Exact map[string]float64 } `json:"expected_max"`
	MinBTL      struct{ Trials, SR, Years float64 }        `json:"min_btl"`
	FirstLoss   struct {
		R     []float64
		MaxDD float64
	} `json:"first_bar_loss"`
	Recovery struct {
		Cases []struct {
			Equity []float64
			Steps  *int
		}
	}
	Trades struct {
		PnL                                         []float64
		Equity0                                     float64
		Net, GP, GL, PF, Win, Payoff, Mean, SD, SQN float64
		Decisive                                    float64 `json:"win_decisive"`
		AvgWin                                      float64 `json:"avg_win"`
		AvgLoss                                     float64 `json:"avg_loss"`
		ClosedDD                                    float64 `json:"closed_dd"`
	}
	LoEta struct {
		Q   []float64
		Rho map[string][]float64
	} `json:"lo_eta"`
}

func load(t *testing.T) vectors {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// near fails unless got is within 1e-9 of want, relative to the larger of 1 and |want|.
func near(t *testing.T, name string, got, want float64) {
	t.Helper()
	within(t, name, got, want, 1e-9)
}

func within(t *testing.T, name string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Max(1, math.Abs(want))) {
		t.Errorf("%s = %.12g, want %.12g", name, got, want)
	}
}

// curve compounds returns from 100.
func curve(r []float64) []float64 {
	v := []float64{100}
	for _, x := range r {
		v = append(v, v[len(v)-1]*(1+x))
	}
	return v
}

// monthEnds are n+1 ends of months from the one before January 2000 on.
func monthEnds(n int) []instrument.Date {
	var d []instrument.Date
	for i := range n + 1 {
		d = append(d, instrument.NewDate(2000, time.Month(1+i), 0))
	}
	return d
}

// weekdays are n+1 days from Friday 2019-12-27 on without weekends.
func weekdays(n int) []instrument.Date {
	d := []instrument.Date{instrument.NewDate(2019, 12, 27)}
	for len(d) <= n {
		next := d[len(d)-1] + 1
		for next.Weekday() == time.Saturday || next.Weekday() == time.Sunday {
			next++
		}
		d = append(d, next)
	}
	return d
}

func get(t *testing.T, m stats.Metrics, key string) float64 {
	t.Helper()
	v, ok := m.Get(key)
	if !ok {
		t.Fatalf("%s is undefined: %s", key, m.Reason(key))
	}
	return v
}

func TestBacon(t *testing.T) {
	v := load(t).Bacon
	e := v.Expected
	in := stats.Input{Dates: monthEnds(24), Equity: curve(v.Portfolio), Benchmark: curve(v.Benchmark), PeriodsPerYear: 12, Complete: true}
	m := stats.Compute(in)
	for _, c := range []struct{ key, want string }{
		{"total_return", "total"}, {"annual_return", "ann_return"}, {"volatility", "sd_ann"}, {"monthly_volatility", "sd_ann"},
		{"sharpe", "sharpe_ann"}, {"sharpe_monthly", "sharpe_ann"}, {"skewness", "skew_adj"}, {"excess_kurtosis", "exkurt_adj"},
		{"max_drawdown", "maxdd"}, {"sortino", "sortino0_ann"}, {"omega", "omega0"}, {"ulcer_index", "ulcer"}, {"pain_index", "pain_index"},
		{"var_95", "var95_hist"}, {"es_95", "es95_exact"}, {"var_95_normal", "var95_normal"}, {"var_95_cornish_fisher", "var95_cf"},
		{"var_99_cornish_fisher", "var99_cf"}, {"tail_ratio", "tail_ratio"}, {"stability", "stability"}, {"probabilistic_sharpe", "psr0"},
		{"min_track_record", "mintrl0_95"}, {"beta", "beta"}, {"alpha", "alpha_x12"}, {"correlation", "corr"}, {"tracking_error", "te_ann"},
		{"information_ratio", "ir_arith_ann"}, {"bull_beta", "beta_bull"}, {"bear_beta", "beta_bear"}, {"batting_average", "active_batting"},
		{"adjusted_sharpe", "adjusted_sharpe"}, {"mean_absolute_deviation", "mad"},
	} {
		near(t, c.key, get(t, m, c.key), e[c.want])
	}
	near(t, "average_drawdown", get(t, m, "average_drawdown"), -e["average_drawdown"])
	near(t, "downside_deviation", get(t, m, "downside_deviation")/math.Sqrt(12), e["downside0"])
	near(t, "r_squared", get(t, m, "r_squared"), .9397088581)
	near(t, "hurst", get(t, m, "hurst"), .5052384432)
	near(t, "d_ratio", get(t, m, "d_ratio"), .4013329470)
	near(t, "up batting", get(t, m, "up_batting"), .6875)
	near(t, "down batting", get(t, m, "down_batting"), .75)
	near(t, "rachev", get(t, m, "rachev"), (.081+.2*.070)/(.065+.2*.061)) // exact tails of 1.2 months
	near(t, "win share of months", get(t, m, "positive_months"), .5833333333)

	// These are published with the growth of 12/n; ours is by the calendar, the rest is the same.
	scale := e["ann_return"] / get(t, m, "cagr")
	for _, c := range []struct{ key, want string }{
		{"calmar", "calmar"}, {"martin", "martin"}, {"pain_ratio", "pain_ratio"}, {"sterling", "sterling_10"}, {"treynor", "treynor"},
	} {
		near(t, c.key, get(t, m, c.key)*scale, e[c.want])
	}
	near(t, "m2", get(t, m, "m2")*(e["ann_return"]/e["sd_ann"])/get(t, m, "sharpe"), e["m2"])

	near(t, "systematic risk", get(t, m, "systematic_risk"), .1328060105)
	specific := get(t, m, "specific_risk") * math.Sqrt(23.0/24) // published with n
	near(t, "specific risk", specific, .0329310912)
	// Variants of others, made of our figures: alpha with the growth of 12/n, and over the risk of its own.
	growth := func(key string) float64 { return math.Pow(1+get(t, m, key), .5) - 1 }
	jensen := growth("total_return") - get(t, m, "beta")*growth("benchmark_total_return")
	near(t, "Jensen's alpha", jensen, -.0141694447)
	near(t, "appraisal", jensen/specific, -.4302755883)
	within(t, "alpha compounded", math.Pow(1+get(t, m, "alpha")/12, 12)-1, -.01229165, 5e-9)
	near(t, "active premium", growth("total_return")-growth("benchmark_total_return"), -.0143051009)
	near(t, "information ratio of growth", (growth("total_return")-growth("benchmark_total_return"))/e["te_ann"], -.4252444136)
	near(t, "market return", get(t, m, "market_return")+get(t, m, "alpha"), get(t, m, "annual_mean"))
	// PerformanceAnalytics compounds the losing months of a run as if 0.01 were 0.01 %: next to their sum.
	burke := e["ann_return"] / math.Sqrt(stats.SquaredRuns(v.Portfolio, .01))
	near(t, "Burke, runs", burke, .7447308728)
	near(t, "Burke, modified", burke*math.Sqrt(24), 3.6484212680)
	near(t, "burke_runs", get(t, m, "burke_runs"), e["ann_return"]/math.Sqrt(.01*.01+.014*.014+.005*.005+.095743*.095743+.069922*.069922+.065*.065+.013955*.013955))

	downside, kappa3, upside, omega := stats.WithThreshold(v.Portfolio, .005)
	near(t, "downside .005", downside, e["downside_005"])
	near(t, "kappa 3 .005", kappa3, e["kappa3_005"])
	// Published with each mean over its own side: 13 months above the threshold, 11 below. Ours
	// divides both by all 24, as Sortino, van der Meer and Plantinga do.
	near(t, "upside potential .005", upside*(24.0/13)/math.Sqrt(24.0/11), e["upside_potential_005"])
	near(t, "omega .005", omega, e["omega_005"])
	in.RiskFreeAnnual = math.Pow(1.005, 12) - 1
	sortino := get(t, stats.Compute(in), "sortino") / math.Sqrt(12)
	near(t, "sortino .005", sortino, e["sortino_005_monthly"])
	market, _, _, _ := stats.WithThreshold(v.Benchmark, .005)
	near(t, "M2 of Sortino .005", growth("total_return")+sortino*(market-downside)*math.Sqrt(12), .1034798818)

	// PerformanceAnalytics divides what the months of a rising benchmark, or of one that does not rise, compound to;
	// ours divides geometric means, so that the number of months does not count, and leaves months of 0 out.
	compound := func(of func(b float64) bool) (ours, base, months float64) {
		ours, base = 1, 1
		for i, b := range v.Benchmark {
			if of(b) {
				ours, base, months = ours*(1+v.Portfolio[i]), base*(1+b), months+1
			}
		}
		return ours, base, months
	}
	up, upBase, rising := compound(func(b float64) bool { return b > 0 })
	near(t, "up capture, compounded", (up-1)/(upBase-1), .9456188947)
	near(t, "up_capture", get(t, m, "up_capture"), (math.Pow(up, 1/rising)-1)/(math.Pow(upBase, 1/rising)-1))
	down, downBase, _ := compound(func(b float64) bool { return b <= 0 })
	near(t, "down capture, compounded", (down-1)/(downBase-1), 1.0164563278)
	down, downBase, falling := compound(func(b float64) bool { return b < 0 })
	near(t, "down_capture", get(t, m, "down_capture"), (math.Pow(down, 1/falling)-1)/(math.Pow(downBase, 1/falling)-1))
}

func TestInferenceVectors(t *testing.T) {
	v := load(t)
	for _, c := range v.PSR.Cases {
		got := stats.Sharpe{SR: c.SR, N: c.T, Skew: c.G3, Kurtosis: c.G4}.PSR(c.SR0)
		if c.PSR != 0 {
			near(t, "PSR", got, c.PSR)
		} else {
			within(t, "PSR", got, c.PSR3dp, .0005)
		}
	}
	for _, c := range v.SE.Cases {
		within(t, "SE", stats.Sharpe{SR: c.SR, N: c.N, Skew: c.G3, Kurtosis: c.G4}.SE(), c.SE4dp, .00005)
	}
	for _, c := range v.MinTRL.Cases {
		root := math.Sqrt(c.N)
		got := stats.Sharpe{SR: c.SR / root, Skew: c.G3, Kurtosis: c.G4}.MinTRL(c.SR0/root, c.P) / c.N
		near(t, "MinTRL", got, c.Years)
	}
	for _, c := range v.DSR.Cases {
		s := stats.Sharpe{SR: c.SR / math.Sqrt(c.Year), N: c.T, Skew: c.G3, Kurtosis: c.G4}
		dsr, target := s.DSR(c.V/c.Year, c.Trials)
		near(t, "DSR", dsr, c.DSR)
		if c.SR0 != 0 {
			near(t, "DSR target", target, c.SR0)
		}
	}
	near(t, "MinBTL", stats.MinBTL(v.MinBTL.Trials, v.MinBTL.SR), v.MinBTL.Years)
	for i, q := range v.LoEta.Q {
		for name, want := range v.LoEta.Rho {
			var rho float64
			if err := json.Unmarshal([]byte(name), &rho); err != nil {
				t.Fatal(err)
			}
			within(t, "eta "+name, stats.LoEta(q, rho), want[i], .0051/math.Max(1, want[i]))
		}
		near(t, "eta 0", stats.LoEta(q, 0), math.Sqrt(q))
	}
}

func TestExpectedMaxVectors(t *testing.T) {
	v := load(t).ExpectedMax
	for name, want := range v.Values {
		var n float64
		if err := json.Unmarshal([]byte(name), &n); err != nil {
			t.Fatal(err)
		}
		near(t, "E max of "+name, stats.ExpectedMax(n), want)
		if exact, ok := v.Exact[name]; ok {
			within(t, "exact E max of "+name, stats.ExpectedMax(n), exact, .03)
		}
	}
	if got := stats.ExpectedMax(1); got != 0 {
		t.Errorf("one trial is expected at %g, want 0", got)
	}
}

func TestSharpe50(t *testing.T) {
	v := load(t).Sharpe50
	m := stats.Compute(stats.Input{Dates: weekdays(50), Equity: curve(v.Returns), PeriodsPerYear: 1})
	near(t, "sharpe", get(t, m, "sharpe"), v.SR)
	near(t, "sharpe_se", get(t, m, "sharpe_se"), v.SE)
	near(t, "sharpe_low", get(t, m, "sharpe_low"), v.SR-1.959963984540054*v.SE)
	near(t, "sharpe_high", get(t, m, "sharpe_high"), v.SR+1.959963984540054*v.SE)
	skew, kurt := population(v.Returns)
	s := stats.Sharpe{SR: v.SR, N: 50, Skew: skew, Kurtosis: kurt}
	near(t, "PSR .05", s.PSR(.05), v.PSR)
	near(t, "PSR of its own ratio", s.PSR(v.SR), .5)
}

// population is skewness and raw kurtosis by the textbook formula, plain sums.
func population(x []float64) (skew, kurt float64) {
	n, mean := float64(len(x)), 0.0
	for _, v := range x {
		mean += v / n
	}
	var m2, m3, m4 float64
	for _, v := range x {
		d := v - mean
		m2, m3, m4 = m2+d*d/n, m3+d*d*d/n, m4+d*d*d*d/n
	}
	return m3 / math.Pow(m2, 1.5), m4 / (m2 * m2)
}

func TestDrawdownVectors(t *testing.T) {
	v := load(t)
	equity := curve(v.FirstLoss.R)
	m := stats.Compute(stats.Input{Dates: weekdays(9), Equity: equity, PeriodsPerYear: 252})
	near(t, "max_drawdown with a first-bar loss", get(t, m, "max_drawdown"), v.FirstLoss.MaxDD)
	for _, c := range v.Recovery.Cases {
		longest, open := 0, false
		for _, e := range stats.Episodes(nil, c.Equity) {
			if e.Open {
				open = true
			} else {
				longest = max(longest, e.Bars())
			}
		}
		switch {
		case c.Steps == nil && (longest != 0 || !open):
			t.Errorf("%v: recovered in %d, want an open drawdown", c.Equity, longest)
		case c.Steps != nil && longest != *c.Steps:
			t.Errorf("%v: recovered in %d, want %d", c.Equity, longest, *c.Steps)
		}
	}
}

func TestTradeVectors(t *testing.T) {
	v := load(t).Trades
	var ts []stats.Trade
	for i, p := range v.PnL {
		d := instrument.NewDate(2020, 1, 2) + instrument.Date(i)
		ts = append(ts, stats.Trade{PnL: p, EntryValue: 1000, Return: p / 1000, Bars: i + 1, Entry: d, Exit: d + 2, Long: true})
	}
	ts = append(ts, stats.Trade{PnL: 7, Open: true})
	m := stats.Compute(stats.Input{Dates: weekdays(2), Equity: []float64{10000, 10100, 10360}, Trades: ts})
	for key, want := range map[string]float64{
		"trades": 10, "winning_trades": 5, "losing_trades": 4, "even_trades": 1, "open_trades": 1, "open_pnl": 7, "trades_long": 10, "trades_short": 0,
		"gross_profit": v.GP, "gross_loss": v.GL, "profit_factor": v.PF, "win_rate": v.Win, "win_rate_decisive": v.Decisive,
		"average_win": v.AvgWin, "average_loss": v.AvgLoss, "payoff": v.Payoff, "expectancy": v.Mean, "trade_sd": v.SD, "sqn": v.SQN,
		"closed_trade_drawdown": v.ClosedDD, "expectancy_r": .6857142857142857, "max_win_streak": 1, "max_loss_streak": 1,
		"largest_win": 200, "largest_loss": -80, "median_trade": 15, "best_trade": .2, "worst_trade": -.08, "median_bars": 5.5,
		"max_bars": 10, "average_bars": 5.5, "average_days": 2, "top_trade_share": 200.0 / 360, "top_5_trades_share": 570.0 / 360,
		"average_win_return": .114, "average_loss_return": -.0525, "expectancy_return": .036, "net_profit": 360,
		"average_win_bars": 5.2, "average_loss_bars": 5, "kelly": .5/.0525 - .4/.114,
	} {
		near(t, key, get(t, m, key), want)
	}
}

func TestKellyOfRepeatedBets(t *testing.T) {
	// Six wins of 2 % and four losses of 1 %: p/b - q/a = 0.6/0.01 - 0.4/0.02.
	var ts []stats.Trade
	for i := range 10 {
		r := .02
		if i >= 6 {
			r = -.01
		}
		ts = append(ts, stats.Trade{PnL: r * 100, Return: r, EntryValue: 100})
	}
	near(t, "kelly", get(t, stats.Compute(stats.Input{Trades: ts}), "kelly"), 40)
}
