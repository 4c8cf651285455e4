package stats_test

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"

	"pgregory.net/rapid"
)

// basisPoints are session returns between a fall of 20 % and a rise of 25 % in whole basis points, so
// that none is all rounding.
func basisPoints() *rapid.Generator[float64] {
	return rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-2000, 2500).Draw(t, "bps")) / 1e4 })
}

func drawReturns(t *rapid.T) []float64 {
	return rapid.SliceOfN(basisPoints(), 3, 400).Draw(t, "returns")
}

func drawInput(t *rapid.T) stats.Input {
	r := drawReturns(t)
	n := len(r)
	in := stats.Input{Dates: weekdays(n), Equity: curve(r), PeriodsPerYear: 252, TotalBars: int64(n), InMarketBars: int64(n / 2),
		Traded: 1000, Commission: 3, Slippage: 2, RiskFreeAnnual: rapid.Float64Range(0, .1).Draw(t, "rf")}
	if rapid.Bool().Draw(t, "with benchmark") {
		in.Benchmark = curve(rapid.SliceOfN(basisPoints(), n, n).Draw(t, "benchmark"))
	}
	in.Trades = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stats.Trade {
		p := float64(rapid.IntRange(-50000, 50000).Draw(t, "cents")) / 100
		return stats.Trade{PnL: p, Return: p / 1000, EntryValue: 1000, Bars: rapid.IntRange(1, 50).Draw(t, "bars"),
			Long: rapid.Bool().Draw(t, "long"), Open: rapid.IntRange(0, 9).Draw(t, "open") == 0,
			MAE: -rapid.Float64Range(0, .3).Draw(t, "mae"), MFE: rapid.Float64Range(0, .3).Draw(t, "mfe"),
			Symbol: rapid.SampledFrom([]string{"AAPL", "MSFT", "NA"}).Draw(t, "symbol")}
	}), 0, 60).Draw(t, "trades")
	return in
}

func same(t *rapid.T, name string, a, b, tol float64) {
	if !(math.Abs(a-b) <= tol*math.Max(1, math.Abs(b))) {
		t.Fatalf("%s: %.15g and %.15g", name, a, b)
	}
}

func value(m stats.Metrics, key string) float64 {
	v, ok := m.Get(key)
	if !ok {
		return math.NaN()
	}
	return v
}

// Money is a scale: every metric that is not money is the same for a hundred times the capital.
func TestScaleDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		a := stats.Compute(in)
		k := rapid.Float64Range(.01, 1000).Draw(t, "scale")
		big := in
		big.Equity = slices.Clone(in.Equity)
		for i := range big.Equity {
			big.Equity[i] *= k
		}
		big.Trades = slices.Clone(in.Trades)
		for i := range big.Trades {
			big.Trades[i].PnL *= k
			big.Trades[i].EntryValue *= k
		}
		big.Traded, big.Commission, big.Slippage = k*in.Traded, k*in.Commission, k*in.Slippage
		b := stats.Compute(big)
		for _, r := range stats.Table() {
			if r.Unit == stats.USD || r.Key == "k_ratio" {
				continue
			}
			if r.Key == "min_track_record" && math.Abs(value(a, "sharpe")) < 1e-6 {
				continue // the square of one over a rounding error
			}
			x, okA := a.Get(r.Key)
			y, okB := b.Get(r.Key)
			if okA != okB {
				t.Fatalf("%s is defined at one scale only", r.Key)
			}
			same(t, r.Key, y, x, 1e-7)
		}
	})
}

func TestOrderAndSigns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		m := stats.Compute(in)
		v := func(k string) float64 { return value(m, k) }
		ordered := func(keys ...string) {
			for i := 1; i < len(keys); i++ {
				if v(keys[i-1]) > v(keys[i])+1e-12 {
					t.Fatalf("%s = %g > %s = %g", keys[i-1], v(keys[i-1]), keys[i], v(keys[i]))
				}
			}
		}
		ordered("sharpe_low", "sharpe", "sharpe_high")
		ordered("win_rate_low", "win_rate", "win_rate_high")
		ordered("worst_day", "es_99", "es_95", "var_95")
		ordered("worst_day", "evar_95", "es_95")
		ordered("worst_day", "var_99", "var_95", "best_day")
		ordered("max_drawdown", "cdar_95", "dar_95")
		ordered("max_drawdown", "average_drawdown")
		ordered("max_drawdown", "current_drawdown")
		ordered("gross_loss", "gross_profit")
		ordered("worst_month", "best_month")
		for _, k := range []string{"win_rate", "exposure", "time_under_water", "probabilistic_sharpe", "jarque_bera_p", "ljung_box_p", "alpha_p", "r_squared", "stability", "positive_days"} {
			if x := v(k); x < 0 || x > 1+1e-12 {
				t.Fatalf("%s = %g lies outside 0 to 1", k, x)
			}
		}
		if v("max_drawdown") > 0 || v("ulcer_index")+1e-12 < v("pain_index") {
			t.Fatalf("max drawdown %g, ulcer %g, pain %g", v("max_drawdown"), v("ulcer_index"), v("pain_index"))
		}
		same(t, "trades add up", v("winning_trades")+v("losing_trades")+v("even_trades"), v("trades"), 0)
		if !math.IsNaN(v("omega")) && !math.IsNaN(v("sharpe")) && in.RiskFreeAnnual == 0 && (v("omega") > 1) != (v("sharpe") > 0) && math.Abs(v("sharpe")) > 1e-9 {
			t.Fatalf("omega %g disagrees with sharpe %g", v("omega"), v("sharpe"))
		}
	})
}

// The returns of months, and of years, compound to the total return; none is left out.
func TestPeriodsCompound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReturns(t)
		d, v := weekdays(len(r)), curve(r)
		want := v[len(v)-1] / v[0]
		for name, ps := range map[string][]stats.Period{"months": stats.Months(d, v), "years": stats.Years(d, v)} {
			got, n := 1.0, 0
			for _, p := range ps {
				got *= 1 + p.Return
				n += p.Sessions
				if p.Drawdown > 0 || p.Drawdown > p.Return+1e-12 {
					t.Fatalf("%s: drawdown %g for return %g", name, p.Drawdown, p.Return)
				}
			}
			same(t, name, got, want, 1e-9)
			if n != len(r) {
				t.Fatalf("%s cover %d sessions of %d", name, n, len(r))
			}
		}
	})
}

// Permuting returns leaves terminal wealth and every statistic without a time order.
func TestPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReturns(t)
		p := rapid.Permutation(r).Draw(t, "permuted")
		a := stats.Compute(stats.Input{Dates: weekdays(len(r)), Equity: curve(r), PeriodsPerYear: 252})
		b := stats.Compute(stats.Input{Dates: weekdays(len(r)), Equity: curve(p), PeriodsPerYear: 252})
		for _, k := range []string{"total_return", "volatility", "sharpe", "sortino", "omega", "skewness", "var_95", "es_95", "probabilistic_sharpe"} {
			if x, ok := a.Get(k); ok {
				same(t, k, value(b, k), x, 1e-8)
			}
		}
	})
}

// Trade statistics do not depend on the order of trades, streaks and the drawdowns of their running sum
// excepted.
func TestTradeOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		a := stats.Compute(in)
		in.Trades = rapid.Permutation(in.Trades).Draw(t, "permuted")
		b := stats.Compute(in)
		for _, r := range stats.Table() {
			if r.Group != stats.TradeGroup || r.Key == "max_win_streak" || r.Key == "max_loss_streak" || r.Key == "closed_trade_drawdown" || r.Key == "intra_trade_drawdown" {
				continue
			}
			if x, ok := a.Get(r.Key); ok {
				same(t, r.Key, value(b, r.Key), x, 1e-6)
			}
		}
	})
}

// Adding a constant to the returns and to the risk-free rate leaves the Sharpe ratio.
func TestSharpeIsRelativeToRiskFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReturns(t)
		c := rapid.Float64Range(0, .002).Draw(t, "constant")
		moved := make([]float64, len(r))
		for i := range r {
			moved[i] = r[i] + c
		}
		a := stats.Compute(stats.Input{Dates: weekdays(len(r)), Equity: curve(r), PeriodsPerYear: 252})
		b := stats.Compute(stats.Input{Dates: weekdays(len(r)), Equity: curve(moved), PeriodsPerYear: 252, RiskFreeAnnual: math.Pow(1+c, 252) - 1})
		if x, ok := a.Get("sharpe"); ok {
			same(t, "sharpe", value(b, "sharpe"), x, 1e-7)
		}
	})
}

// A run that is its own benchmark has beta 1, alpha 0, no tracking error and no information ratio.
func TestOwnBenchmark(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReturns(t)
		v := curve(r)
		m := stats.Compute(stats.Input{Dates: weekdays(len(r)), Equity: v, Benchmark: v, PeriodsPerYear: 252})
		if _, ok := m.Get("sharpe"); !ok {
			return
		}
		same(t, "beta", value(m, "beta"), 1, 1e-12)
		same(t, "alpha", value(m, "alpha"), 0, 1e-9)
		same(t, "correlation", value(m, "correlation"), 1, 1e-12)
		same(t, "tracking error", value(m, "tracking_error"), 0, 0)
		same(t, "excess return", value(m, "excess_return"), 0, 0)
		if _, ok := m.Get("information_ratio"); ok {
			t.Fatal("information ratio of a copy is defined")
		}
	})
}

// The basic set is the table's numbers, bit for bit.
func TestBasicIsTheSame(t *testing.T) {
	var scratch []float64
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		if rapid.Bool().Draw(t, "ruined") {
			in.Equity[len(in.Equity)/2] = -5
		}
		m := stats.Compute(in)
		var b stats.Basic
		b, scratch = stats.ComputeBasic(&in, scratch)
		for i, k := range stats.BasicKeys() {
			got, want := b.Values()[i], value(m, k)
			if math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
				t.Fatalf("%s: basic %v, table %v", k, got, want)
			}
		}
	})
}

// Whatever the input, what is written is valid JSON with every key, and reads back as it was.
func TestNeverNaNInJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 40).Draw(t, "n")
		odd := rapid.SampledFrom([]float64{0, -1, 1e-300, 1e300, math.Inf(1), math.NaN(), 100, 100, 101, 99})
		in := stats.Input{PeriodsPerYear: rapid.SampledFrom([]float64{0, 1, 252, math.NaN()}).Draw(t, "per year")}
		in.Dates = weekdays(max(n-1, 0))[:n]
		in.Equity = rapid.SliceOfN(odd, n, n).Draw(t, "equity")
		in.Benchmark = rapid.SliceOfN(odd, n, n).Draw(t, "benchmark")
		in.Trades = []stats.Trade{{PnL: odd.Draw(t, "pnl"), Return: odd.Draw(t, "ret")}}
		in.Gross = rapid.SliceOfN(odd, 0, 3).Draw(t, "gross")
		checkJSON(t, stats.Compute(in))
	})
}

func checkJSON(t *rapid.T, m stats.Metrics) {
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatalf("write: %v", err)
	}
	var any map[string]any
	if err := json.Unmarshal(b, &any); err != nil || len(any) != len(stats.Keys()) {
		t.Fatalf("%d keys, want %d; %v", len(any), len(stats.Keys()), err)
	}
	var back stats.Metrics
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatalf("read back: %v", err)
	}
	again, _ := json.Marshal(back)
	if string(b) != string(again) {
		t.Fatalf("read back as %s, was %s", again, b)
	}
	for _, k := range m.Keys() {
		if _, ok := m.Get(k); !ok && m.Reason(k) == "" {
			t.Fatalf("%s is undefined without a reason", k)
		}
	}
}

func TestSelectionIsSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOf(rapid.SampledFrom([]float64{1, 2, 2, 3, 5, -1, 0, 8, 9, 10.5})).Draw(t, "x")
		k := rapid.IntRange(0, len(x)+2).Draw(t, "k")
		want := slices.Clone(x)
		slices.Sort(want)
		stats.Select(x, k)
		k = min(k, len(x))
		if !slices.Equal(x[:k], want[:k]) {
			t.Fatalf("lowest %d are %v, want %v", k, x[:k], want[:k])
		}
		rest := slices.Clone(x)
		slices.Sort(rest)
		if !slices.Equal(rest, want) {
			t.Fatal("values were lost")
		}
	})
}

// Long samples are divided by a sample of themselves, whatever order they are in.
func TestSelectionOfLongSamples(t *testing.T) {
	r := noise(5000)
	rising := slices.Sorted(slices.Values(r))
	falling, few := slices.Clone(rising), make([]float64, 5000)
	slices.Reverse(falling)
	for i := range few {
		few[i] = float64(i * i % 7)
	}
	for name, x := range map[string][]float64{"random": r, "rising": rising, "falling": falling, "walk": curve(r), "few values": few, "constant": make([]float64, 5000)} {
		sorted := slices.Sorted(slices.Values(x))
		for _, k := range []int{1, 2, 250, 2500, 4750, 4999, 5000} {
			c := slices.Clone(x)
			stats.Select(c, k)
			if !slices.Equal(c[:k], sorted[:k]) {
				t.Errorf("%s: the lowest %d are others", name, k)
			}
		}
	}
}

func TestMonthsMarkPartsOfMonths(t *testing.T) {
	day := func(y, m, d int) instrument.Date { return instrument.NewDate(y, time.Month(m), d) }
	for _, c := range []struct {
		name        string
		start, end  instrument.Date
		first, last bool // partial
	}{
		{"whole year", day(2022, 12, 30), day(2023, 12, 29), false, false},
		{"begins in a month", day(2023, 1, 3), day(2023, 3, 31), true, false},
		{"ends in a month", day(2022, 12, 30), day(2023, 3, 30), false, true},
		{"Good Friday ends March 2024", day(2023, 12, 29), day(2024, 3, 28), false, false},
		{"Memorial Day ends May 2021", day(2020, 12, 31), day(2021, 5, 28), false, false},
	} {
		dates := []instrument.Date{c.start}
		for d := c.start + 1; d <= c.end; d++ {
			if wd := d.Weekday(); wd != 0 && wd != 6 {
				dates = append(dates, d)
			}
		}
		if dates[len(dates)-1] != c.end {
			t.Fatalf("%s: ends on %s", c.name, dates[len(dates)-1])
		}
		eq := make([]float64, len(dates))
		for i := range eq {
			eq[i] = 100 + float64(i)
		}
		ps := stats.Months(dates, eq)
		if got := ps[0].Partial; got != c.first {
			t.Errorf("%s: first month partial %v, want %v", c.name, got, c.first)
		}
		if got := ps[len(ps)-1].Partial; got != c.last {
			t.Errorf("%s: last month partial %v, want %v", c.name, got, c.last)
		}
	}
}
