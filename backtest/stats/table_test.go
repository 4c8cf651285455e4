package stats_test

import (
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/stats"
)

// contractKeys are promised to scripts: they never go away.
const contractKeys = `total_return cagr volatility sharpe sortino max_drawdown trades win_rate profit_factor exposure final_equity omega
tail_ratio ulcer_index probabilistic_sharpe beta alpha tracking_error information_ratio calmar skewness excess_kurtosis var_95 es_95
max_drawdown_days longest_drawdown_days expectancy payoff average_win average_loss largest_win largest_loss max_win_streak
max_loss_streak turnover total_commission total_slippage sharpe_se sharpe_low sharpe_high win_rate_low win_rate_high
benchmark_total_return benchmark_cagr benchmark_sharpe best_day worst_day best_month worst_month best_year worst_year
positive_months time_under_water buy_and_hold_return`

func TestTable(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	seen := map[string]bool{}
	lastGroup, groups := stats.Group(""), map[stats.Group]bool{}
	for _, m := range stats.Table() {
		if !snake.MatchString(m.Key) || seen[m.Key] {
			t.Errorf("key %q is not snake case or not unique", m.Key)
		}
		seen[m.Key] = true
		if m.Name == "" || m.Unit == "" || m.Formula == "" || m.Source == "" || !strings.HasSuffix(m.Doc, ".") {
			t.Errorf("%s lacks a name, unit, formula, source or a sentence of documentation", m.Key)
		}
		switch m.Sense {
		case stats.Higher, stats.Lower, stats.None:
		default:
			t.Errorf("%s has sense %q", m.Key, m.Sense)
		}
		if m.Group != lastGroup && groups[m.Group] {
			t.Errorf("%s: group %s is torn apart", m.Key, m.Group)
		}
		lastGroup, groups[m.Group] = m.Group, true
	}
	for _, k := range strings.Fields(contractKeys) {
		if !seen[k] {
			t.Errorf("promised key %s is gone", k)
		}
	}
	// A twin of the benchmark belongs to a metric of the run, with the same unit.
	for _, m := range stats.Table() {
		if own, ok := strings.CutPrefix(m.Key, "benchmark_"); ok {
			if row, ok := stats.Lookup(own); !ok || row.Unit != m.Unit {
				t.Errorf("%s has no equal without the prefix", m.Key)
			}
		}
	}
}

func TestJSONIsInTableOrder(t *testing.T) {
	b, err := json.Marshal(sample())
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	var keys []string
	for depth := 0; ; {
		tok, err := dec.Token()
		if err != nil {
			break
		}
		if d, ok := tok.(json.Delim); ok {
			depth += map[json.Delim]int{'{': 1, '}': -1}[d]
			continue
		}
		keys = append(keys, tok.(string))
		if _, err := dec.Token(); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := strings.Join(keys, " "), strings.Join(stats.Keys(), " "); got != want {
		t.Errorf("keys are\n%s\nwant\n%s", got, want)
	}
	for _, want := range []string{`"cagr":null`, `"start":"2019-12-27"`, `"max_drawdown":-0.1`, `"trades":1`, `"beta":null`, `"profit_factor":null`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("%s is missing in %s", want, b)
		}
	}
}

func TestReadingForeignMetrics(t *testing.T) {
	var m stats.Metrics
	if err := json.Unmarshal([]byte(`{"sharpe": 1.5, "cagr": null, "not_ours": {"a": 1}, "start": "2024-01-02"}`), &m); err != nil {
		t.Fatal(err)
	}
	if v, ok := m.Get("sharpe"); !ok || v != 1.5 {
		t.Errorf("sharpe is %v %v", v, ok)
	}
	if _, ok := m.Get("sortino"); ok {
		t.Error("an absent key is defined")
	}
	if got := m.Reason("cagr"); !strings.HasPrefix(got, "needs at least 365 calendar days") {
		t.Errorf("cagr is undefined because it %s", got)
	}
	if got := m.Reason("nope"); got != "there is no metric nope" {
		t.Errorf("reason of an unknown key is %q", got)
	}
	if got := (stats.Metrics{}).Reason("sharpe"); got != "not computed" {
		t.Errorf("reason of the zero value is %q", got)
	}
	for _, bad := range []string{`{"sharpe": "1.5"}`, `{"start": 5}`, `{"start": "02.01.2024"}`, `[]`, `{"sharpe": true}`} {
		if err := json.Unmarshal([]byte(bad), &m); err == nil {
			t.Errorf("%s is read without an error", bad)
		}
	}
}

func TestWhatIsUndefined(t *testing.T) {
	flat := stats.Compute(stats.Input{Dates: weekdays(300), Equity: curve(make([]float64, 300)), PeriodsPerYear: 252, TotalBars: 300})
	for _, k := range []string{"sharpe", "sortino", "omega", "win_rate", "profit_factor", "skewness", "calmar", "beta", "tail_ratio", "max_drawdown_peak", "payoff", "gain_to_pain"} {
		if v, ok := flat.Get(k); ok {
			t.Errorf("%s of a run that never moved is %g", k, v)
		}
	}
	for k, want := range map[string]float64{"total_return": 0, "cagr": 0, "volatility": 0, "max_drawdown": 0, "trades": 0, "exposure": 0, "drawdowns": 0, "time_under_water": 0, "ulcer_index": 0} {
		if v, ok := flat.Get(k); !ok || v != want {
			t.Errorf("%s of a run that never moved is %g %v, want %g", k, v, ok, want)
		}
	}
	// Interest alone: constant growth is not a Sharpe ratio of a million.
	r := make([]float64, 400)
	for i := range r {
		r[i] = 0.0001
	}
	if v, ok := stats.Compute(stats.Input{Dates: weekdays(400), Equity: curve(r), PeriodsPerYear: 252}).Get("sharpe"); ok {
		t.Errorf("sharpe of constant growth is %g", v)
	}
	// Ruin: statistics stop at the session at which equity is gone.
	ruin := stats.Compute(stats.Input{Dates: weekdays(5), Equity: []float64{100, 50, 0, 60, 70, 80}, PeriodsPerYear: 252})
	if v, _ := ruin.Get("sessions"); v != 2 {
		t.Errorf("ruined after 2 sessions, statistics use %g", v)
	}
	if v, _ := ruin.Get("max_drawdown"); v != -1 {
		t.Errorf("max drawdown of ruin is %g", v)
	}
}

func TestCAGR(t *testing.T) {
	d := weekdays(600)
	v := make([]float64, len(d))
	for i := range v {
		v[i] = 1000 + float64(i)
	}
	for n, defined := range map[int]bool{600: true, 262: true, 200: false} {
		m := stats.Compute(stats.Input{Dates: d[:n+1], Equity: v[:n+1], PeriodsPerYear: 252})
		got, ok := m.Get("cagr")
		days := float64(d[n] - d[0])
		if ok != defined || ok != (days >= 365) {
			t.Errorf("cagr over %g days: defined %v", days, ok)
		}
		if ok {
			near(t, "cagr", got, math.Pow(v[n]/v[0], 365.25/days)-1)
		}
	}
}

func TestPeriodsPerYearIsFound(t *testing.T) {
	if got := stats.PeriodsPerYear(weekdays(600)); got != 252 {
		t.Errorf("weekdays: %g", got)
	}
	if got := stats.PeriodsPerYear(weekdays(6)); got != 252 {
		t.Errorf("six weekdays: %g", got)
	}
	if got := stats.PeriodsPerYear(monthEnds(24)); got != 12 {
		t.Errorf("month ends: %g", got)
	}
	every := weekdays(1)
	for len(every) < 400 {
		every = append(every, every[len(every)-1]+1)
	}
	if got := stats.PeriodsPerYear(every); got != 365 {
		t.Errorf("every day: %g", got)
	}
	if got := stats.PeriodsPerYear(every[:1]); !math.IsNaN(got) {
		t.Errorf("one date: %g", got)
	}
}

// On bars within sessions, drawdown sees what the closes hide.
func TestDrawdownOnBars(t *testing.T) {
	d := weekdays(2)
	m := stats.Compute(stats.Input{
		Dates: d, Equity: []float64{100, 101, 102}, PeriodsPerYear: 252,
		BarEquity: []float64{100, 90, 101, 95, 102},
	})
	near(t, "max_drawdown", get(t, m, "max_drawdown"), -.1)
	near(t, "bars", get(t, m, "max_drawdown_bars"), 2)
	near(t, "drawdowns", get(t, m, "drawdowns"), 2)
	if _, ok := m.Get("max_drawdown_days"); ok {
		t.Error("bars without dates have a length in days")
	}
	m = stats.Compute(stats.Input{
		Dates: d, Equity: []float64{100, 101, 102}, PeriodsPerYear: 252,
		BarEquity: []float64{100, 90, 101, 95, 102}, BarDates: append(d[:1:1], d[1], d[1], d[2], d[2]),
	})
	near(t, "days", get(t, m, "max_drawdown_days"), float64(d[1]-d[0]))
}

func TestHistogram(t *testing.T) {
	h := stats.HistogramOf([]float64{-.03, -.01, 0, .005, .01, .1, math.NaN(), math.Inf(1)})
	n := 0
	for _, c := range h.Count {
		n += c
	}
	if n != 6 || len(h.Count) > 61 {
		t.Errorf("%d values in %d bins", n, len(h.Count))
	}
	if e := h.From / h.Width; math.Abs(e-math.Round(e)) > 1e-9 {
		t.Errorf("0 is not an edge of bins of %g from %g", h.Width, h.From)
	}
	if one := stats.HistogramOf([]float64{.5}); len(one.Count) != 1 || one.Count[0] != 1 {
		t.Errorf("one value: %+v", one)
	}
	if none := stats.HistogramOf(nil); len(none.Count) != 0 {
		t.Errorf("no value: %+v", none)
	}
}

func TestRolling(t *testing.T) {
	v := curve([]float64{.01, -.02, .03, .01, -.01, .02})
	w := stats.Rolling(v, v, 3, 252, 0)
	for i := range v {
		if i < 3 && !(math.IsNaN(w.Return[i]) && math.IsNaN(w.Sharpe[i]) && math.IsNaN(w.Volatility[i])) {
			t.Errorf("window %d is not full and has a value", i)
		}
		if i >= 3 {
			near(t, "return", w.Return[i], v[i]/v[i-3]-1)
			near(t, "beta to itself", w.Beta[i], 1)
			m := stats.Compute(stats.Input{Dates: weekdays(3), Equity: v[i-3 : i+1], PeriodsPerYear: 252})
			near(t, "sharpe", w.Sharpe[i], get(t, m, "sharpe"))
			near(t, "volatility", w.Volatility[i], get(t, m, "volatility"))
		}
	}
}

func TestGroups(t *testing.T) {
	ts := []stats.Trade{
		{Symbol: "MSFT", PnL: 10, Return: .1, Bars: 2}, {Symbol: "AAPL", PnL: -5, Return: -.05, Bars: 4},
		{Symbol: "MSFT", PnL: 20, Return: .2, Bars: 6}, {Symbol: "MSFT", PnL: -5, Return: -.05, Bars: 1}, {Symbol: "ZZ", PnL: 9, Open: true},
	}
	rows := stats.GroupBy(ts, func(t *stats.Trade) string { return t.Symbol })
	if len(rows) != 2 || rows[0].Label != "AAPL" || rows[1].Label != "MSFT" {
		t.Fatalf("groups are %+v", rows)
	}
	m := rows[1]
	if m.Trades != 3 || m.Wins != 2 || m.PnL != 25 || m.ProfitFactor != 6 || m.Best != 20 || m.Worst != -5 || m.AvgBars != 3 || m.Share != 1.25 {
		t.Errorf("MSFT is %+v", m)
	}
	if !math.IsNaN(stats.GroupBy(ts[:1], func(*stats.Trade) string { return "" })[0].ProfitFactor) {
		t.Error("profit factor without a loss is a number")
	}
}

// Every rule speaks just beyond its threshold and is silent at it.
func TestCaveatThresholds(t *testing.T) {
	type figures map[string]float64
	for code, c := range map[string]struct{ beyond, at figures }{
		"equity_exhausted":       {figures{"final_equity": 0}, figures{"final_equity": 1}},
		"sharpe_too_high":        {figures{"sharpe": 3.01}, figures{"sharpe": 3}},
		"sharpe_of_few_trades":   {figures{"sharpe": 2.01, "trades": 249}, figures{"sharpe": 2.01, "trades": 250}},
		"drawdown_too_small":     {figures{"max_drawdown": -.019, "cagr": .21}, figures{"max_drawdown": -.02, "cagr": .21}},
		"no_losing_month":        {figures{"worst_month": 0, "total_return": .1, "calendar_days": 800}, figures{"worst_month": -.001, "total_return": .1, "calendar_days": 800}},
		"win_rate_too_high":      {figures{"win_rate": .81, "trades": 30}, figures{"win_rate": .81, "trades": 29}},
		"profit_factor_too_high": {figures{"profit_factor": 4.1, "trades": 30}, figures{"profit_factor": 4, "trades": 30}},
		"too_smooth":             {figures{"stability": .991, "sessions": 252}, figures{"stability": .99, "sessions": 252}},
		"few_trades":             {figures{"trades": 29, "win_rate_low": .1, "win_rate_high": .9}, figures{"trades": 30, "win_rate_low": .1, "win_rate_high": .9}},
		"moderate_trades":        {figures{"trades": 99, "win_rate_low": .1, "win_rate_high": .9}, figures{"trades": 100, "win_rate_low": .1, "win_rate_high": .9}},
		"short_run":              {figures{"calendar_days": 364}, figures{"calendar_days": 365}},
		"sharpe_indistinct":      {figures{"min_track_record": 101, "sessions": 100}, figures{"min_track_record": 100, "sessions": 100}},
		"zero_costs":             {figures{"total_commission": 0, "total_slippage": 0, "traded_value": 1}, figures{"total_commission": 1, "total_slippage": 0, "traded_value": 1}},
		"free_borrow":            {figures{"max_short": .1, "total_borrow": 0}, figures{"max_short": .1, "total_borrow": 1}},
		"free_margin":            {figures{"max_long": 1.02, "total_interest": 0}, figures{"max_long": 1.01, "total_interest": 0}},
		"low_costs":              {figures{"total_costs": 99, "traded_value": 1e6, "turnover": 11}, figures{"total_costs": 100, "traded_value": 1e6, "turnover": 11}},
		"cost_fragile":           {figures{"break_even_cost": .0004}, figures{"break_even_cost": .0005}},
		"concentrated_trades":    {figures{"top_5_trades_share": .51, "trades": 10}, figures{"top_5_trades_share": .51, "trades": 9}},
		"concentrated_sessions":  {figures{"best_5_days_share": .51, "sessions": 252}, figures{"best_5_days_share": .5, "sessions": 252}},
		"without_best":           {figures{"without_best_days": -.01, "total_return": .1}, figures{"without_best_days": -.2, "total_return": -.1}},
		"concentrated_year":      {figures{"best_year_share": .71, "calendar_days": 1095}, figures{"best_year_share": .7, "calendar_days": 1095}},
		"concentrated_symbol":    {figures{"top_symbol_share": .51}, figures{"top_symbol_share": .5}},
		"autocorrelated":         {figures{"autocorrelation": .11, "ljung_box_p": .04, "sharpe_lo": 1, "sharpe": 2}, figures{"autocorrelation": .11, "ljung_box_p": .05, "sharpe_lo": 1, "sharpe": 2}},
		"open_result":            {figures{"open_pnl": 11, "final_equity": 100}, figures{"open_pnl": 10, "final_equity": 100}},
		"leveraged":              {figures{"max_gross": 2.1}, figures{"max_gross": 2}},
		"large_fills":            {figures{"max_volume_share": .11}, figures{"max_volume_share": .1}},
		"fat_tails":              {figures{"skewness": -1.1, "excess_kurtosis": 0}, figures{"skewness": -1, "excess_kurtosis": 6}},
		"mostly_market":          {figures{"beta": .81, "alpha_t": 1.9}, figures{"beta": .81, "alpha_t": 2}},
		"below_benchmark":        {figures{"excess_return": -.01, "benchmark_total_return": .1, "total_return": .09}, figures{"excess_return": 0, "benchmark_total_return": .1, "total_return": .1}},
		"no_bear_market":         {figures{"benchmark_max_drawdown": -.19}, figures{"benchmark_max_drawdown": -.2}},
	} {
		speaks := func(f figures) bool {
			var m stats.Metrics
			var values []float64
			keys := slices.Collect(maps.Keys(f))
			for _, k := range keys {
				values = append(values, f[k])
			}
			m.Fill(keys, values)
			for _, x := range stats.Caveats(m, nil) {
				if x.Code == code {
					return !strings.ContainsAny(x.Message+x.Rule, "{}") && x.Rule != ""
				}
			}
			return false
		}
		if !speaks(c.beyond) || speaks(c.at) {
			t.Errorf("%s: beyond its threshold %v, at it %v", code, speaks(c.beyond), speaks(c.at))
		}
	}
}

func TestCaveats(t *testing.T) {
	codes := func(in stats.Input) string {
		var s []string
		for _, c := range stats.Caveats(stats.Compute(in), nil) {
			if c.Message == "" || strings.ContainsAny(c.Message, "{}") {
				t.Errorf("%s says %q", c.Code, c.Message)
			}
			s = append(s, c.Code)
		}
		return strings.Join(s, " ")
	}
	r := make([]float64, 300)
	for i := range r {
		r[i] = .002 + .001*float64(i%3-1)
	}
	in := stats.Input{Dates: weekdays(300), Equity: curve(r), PeriodsPerYear: 252, Traded: 1e9,
		Trades: []stats.Trade{{PnL: 5}, {PnL: 1}, {PnL: -1}}, Benchmark: curve(r)}
	got := codes(in)
	for _, want := range []string{"sharpe_too_high", "drawdown_too_small", "too_smooth", "few_trades", "zero_costs", "cost_fragile", "mostly_market", "no_bear_market"} {
		if want != "mostly_market" && !strings.Contains(got, want) {
			t.Errorf("%s is missing in %s", want, got)
		}
	}
	if !strings.HasPrefix(got, "sharpe_too_high") {
		t.Errorf("gravest is not first: %s", got)
	}
	if got := codes(stats.Input{Dates: weekdays(2), Equity: []float64{100, 40, -1}, PeriodsPerYear: 252, Commission: 1, Traded: 10}); !strings.Contains(got, "equity_exhausted") {
		t.Errorf("ruin: %s", got)
	}
}
