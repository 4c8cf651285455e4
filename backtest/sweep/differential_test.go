package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// The fast paths against the event engine, on random strategies and markets: the same fills, and metrics
// equal to Tolerance.

// market is a random walk of whole cents with what a path may stumble over.
func market(r *rand.Rand) *bar.Series {
	n := 30 + r.IntN(600)
	s := &bar.Series{Symbol: "A", ID: "A", Frame: bar.Daily, Delisted: instrument.None}
	coarse := []float64{100, 100, 10, 2}[r.IntN(4)]
	grid := func(x float64) float64 { return math.Max(1, math.Round(x*coarse)) / coarse }
	gaps, splits, pays := r.IntN(4) == 0, r.IntN(4) == 0, r.IntN(3) == 0
	price, vol := 5+60*r.Float64(), 0.003+0.03*r.Float64()
	for i := range n {
		d := instrument.Date(14000 + i)
		if splits && i > 5 && r.IntN(90) == 0 {
			x := [][2]float64{{1, 2}, {2, 3}, {10, 1}}[r.IntN(3)]
			s.Actions.Splits = append(s.Actions.Splits, instrument.Split{Ex: d, From: x[0], To: x[1]})
			price *= x[0] / x[1]
		}
		if pays && i > 5 && r.IntN(60) == 0 {
			s.Actions.Dividends = append(s.Actions.Dividends, instrument.Dividend{Ex: d, Pay: d + 10, Cash: grid(price * 0.01)})
		}
		if gaps && r.IntN(12) == 0 { // what happens meanwhile comes with the next bar
			continue
		}
		price = math.Max(0.6, price*(1+vol*r.NormFloat64()))
		open, closing := grid(price*(1+vol*r.NormFloat64()/2)), grid(price)
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.Close = append(s.Open, open), append(s.Close, closing)
		s.High = append(s.High, math.Max(math.Max(open, closing), grid(math.Max(open, closing)*(1+vol*r.Float64()))))
		s.Low = append(s.Low, math.Min(math.Min(open, closing), grid(math.Min(open, closing)*(1-vol*r.Float64()))))
		v := float64(1000 + r.IntN(100_000))
		if gaps && r.IntN(50) == 0 {
			v = 0
		}
		s.Volume = append(s.Volume, v)
	}
	return s
}

// hours cuts the days of a market into bars of an hour, seven a session.
func hours(r *rand.Rand) *bar.Series {
	s := market(r)
	s.Frame = bar.Frame{Unit: bar.Hour, N: 1}
	for i := range s.Time {
		day := instrument.Date(14000 + i/7)
		_, _, _, ok := bar.Always().Hours(day)
		if !ok {
			panic(day)
		}
		start, _, _, _ := bar.Always().Hours(day)
		s.Time[i] = start + int64(i%7)*3600e9
	}
	s.Actions = instrument.Actions{}
	for k := range 3 {
		if d := instrument.Date(14000 + 5 + 7*k); r.IntN(2) == 0 {
			s.Actions.Dividends = append(s.Actions.Dividends, instrument.Dividend{Ex: d, Pay: d + 10, Cash: 0.05})
		} else if r.IntN(3) == 0 {
			s.Actions.Splits = append(s.Actions.Splits, instrument.Split{Ex: d, From: 1, To: 2})
		}
	}
	return s
}

func pick(r *rand.Rand, words ...string) string { return words[r.IntN(len(words))] }

// candidate is a random strategy that some fast path should be able to play.
func candidate(r *rand.Rand) string {
	type rule struct{ params, entry, exit string }
	rules := []rule{
		{"a: [2, 3, 5, 8], b: [4, 9, 13]", "crosses_above(sma(close, a), sma(close, b))", "sma(close, a) < sma(close, b)"},
		{"a: 2..7, b: 3..9", "sma(close, a) > sma(close, b)", "crosses_below(sma(close, a), sma(close, b))"},
		{"a: 2..7, b: 3..9", "ema(close, a) >= ema(close, b)", "ema(close, b) > ema(close, a)"},
		{"a: 2..7, b: 3..9", "sma(close, a) < sma(close, b)", "not (sma(close, a) < sma(close, b))"},
		{"a: 2..7, b: 3..9", "crosses_below(sma(close, a), wma(close, b))", "crosses_above(sma(close, a), wma(close, b))"},
		{"a: [3, 5], b: [20, 30, 45]", "rsi(close, a) < b", "rsi(close, a) > 60"},
		{"a: [3, 5], b: [10, 15]", "close > highest(high, b)[1]", "close < lowest(low, a)[1]"},
		{"a: [5, 9], b: [1, 2]", "close < bbands(close, a, b).lower", "close > sma(close, a)"},
		{"a: [4, 8], b: [1, 2]", "close > sma(close, a) and close > open", "close < sma(close, a) - b * atr(5)"},
		{"a: [4, 8], b: [3, 6]", "sma(close, a) > sma(close, a + b)", "bars_held >= b"},
		{"a: [4, 8], b: [3, 6]", "close > sma(close, a) + 0 * b", ""},
	}
	x := rules[r.IntN(len(rules))]
	var exits []string
	plain := r.IntN(3) == 0 // nothing but the rule, for the fastest paths
	if x.exit != "" && r.IntN(12) > 0 {
		exits = append(exits, fmt.Sprintf("when: %q", x.exit))
	}
	if !plain && r.IntN(3) == 0 {
		exits = append(exits, pick(r, "stop: entry_price * 0.97", "stop: entry_price * (1 - 0.01 * a)", "stop: entry_price - 2 * atr(5)", "ratchet: true, stop: close - 2 * atr(5)"))
	}
	if !plain && r.IntN(3) == 0 {
		exits = append(exits, pick(r, "target: entry_price * 1.04", "target: entry_price * (1 + 0.01 * b)", "target: entry_price + 3 * atr(5)"))
	}
	if !plain && r.IntN(5) == 0 {
		exits = append(exits, pick(r, "max_bars: 3", "max_bars: 10"))
	}
	if !plain && r.IntN(6) == 0 {
		exits = append(exits, pick(r, "trail: {fraction: 0.05}", "trail: {amount: 2 * atr(5)}"))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "params: {%s}\n", x.params)
	if r.IntN(2) == 0 {
		b.WriteString("constraint: a < b\n")
	}
	fmt.Fprintf(&b, "entry: {when: %q%s}\n", x.entry, pick(r, "", "", "", ", max_wait: 2"))
	if len(exits) > 0 {
		fmt.Fprintf(&b, "exit: {%s}\n", strings.Join(exits, ", "))
	}
	if plain {
		return b.String() + "size: {weight: 1, fractional: true}\ncosts: {" + pick(r, "commission: {bps: 10}", "commission: none, slippage: {bps: 5}", "commission: none") + "}\nsearch: {min_trades: 0}\n"
	}
	fmt.Fprintf(&b, "size: {%s}\n", pick(r, "weight: 1, fractional: true", "weight: 1, fractional: true", "weight: 1, fractional: true", "weight: 0.5, fractional: true", "weight: 1", "shares: 50", "value: 20000", "weight: 0.9, lot: 10"))
	fmt.Fprintf(&b, "costs: {%s}\n", pick(r, "commission: {bps: 10}", "commission: {bps: 10}, slippage: {bps: 3}", "commission: none, slippage: none", "commission: {per_share: 0.005, min: 1}", "slippage: {ticks: 1}, commission: {bps: 5}", "commission: {bps: 10}, volume_cap: 0.1", "commission: {bps: 2}, slippage: {spread: 0.02}, volume_cap: {bar: 0.5, open: 0.5, close: 0.5}"))
	if f := pick(r, "", "", "", "ambiguity: best", "ambiguity: nearest", "limit_touch: true", "slippage_clip: true"); f != "" {
		fmt.Fprintf(&b, "fills: {%s}\n", f)
	}
	fmt.Fprintf(&b, "data: {adjust: %s%s}\n", pick(r, "split", "split", "raw", "total"), pick(r, "", "", ", from: 2008-06-20"))
	if r.IntN(8) == 0 {
		b.WriteString("dividends: pay_date\n")
	}
	return b.String() + "search: {min_trades: 0}\n"
}

// compare plays a strategy by the fast paths and every row of it by Run.
func compare(t *testing.T, text string, s *bar.Series, count map[Path]int) {
	t.Helper()
	cfg, faults := strategy.Parse("candidate", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	src, err := bar.NewMemory(bar.Always(), s)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	p, err := NewPlan(ctx, cfg, src, Options{})
	if err != nil {
		if strings.Contains(err.Error(), "no combination") || errors.Is(err, bar.ErrNoData) {
			return
		}
		t.Fatalf("%v in\n%s", err, text)
	}
	var list [][]float64
	for i := range p.Len() {
		list = append(list, p.Combination(i, nil))
	}
	trades := map[int][]trade{}
	lanes := map[int]*lane{}
	w := &worker{plan: p, returns: true, watch: func(k int, l *lane, x []trade) { trades[k], lanes[k] = append([]trade(nil), x...), l }}
	w.sorted.cut = len(text) % 8 // stretches, whatever the length; 0 is one
	var out block
	if err := w.play(ctx, p.Symbols[0], list, &out); err != nil {
		if errors.Is(err, bar.ErrNoData) {
			return
		}
		t.Fatalf("%v in\n%s", err, text)
	}
	for k, params := range list {
		count[out.path[k]]++
		r, err := backtest.Run(ctx, p.ConfigOf(params, ""), src)
		if err != nil {
			t.Fatal(err)
		}
		for i, key := range p.Metrics {
			v, ok := r.Metrics.Get(key)
			if !ok {
				v = math.NaN()
			}
			if !Near(out.row(k)[i], v) {
				t.Fatalf("%s path (%s), %v: %s is %.17g, Run says %.17g\n%s", out.path[k], out.reason[k], params, key, out.row(k)[i], v, text)
			}
		}
		if out.path[k] != Event {
			sameFills(t, lanes[k], trades[k], r, out.path[k], text)
		}
		equity := closes(r)
		for i, got := range out.returnsOf(k) {
			if want := equity[i+1]/equity[i] - 1; math.Abs(got-want) > 1e-11 {
				t.Fatalf("%s path, %v: return %d is %v, Run says %v\n%s", out.path[k], params, i, got, want, text)
			}
		}
	}
}

// closes is the equity of a run at its session closes, the start first.
func closes(r *backtest.Result) []float64 {
	c := r.Equity
	if c.Time.Daily {
		return c.Value
	}
	out := c.Value[:1:1]
	for i := 1; i < len(c.Value); i++ {
		if i+1 == len(c.Value) || bar.Always().DateOf(c.Time.Nanos[i]-1) != bar.Always().DateOf(c.Time.Nanos[i+1]-1) {
			out = append(out, c.Value[i])
		}
	}
	return out
}

// sameFills compares trades with the fills of a run: bars, prices and sides.
func sameFills(t *testing.T, l *lane, trades []trade, r *backtest.Result, path Path, text string) {
	t.Helper()
	fills, n := r.Fills, 0
	next := func(side string, row int32, price float64) {
		t.Helper()
		if n >= len(fills) {
			t.Fatalf("%s path: a %s more than Run has\n%s", path, side, text)
		}
		f := fills[n]
		n++
		if date := l.date[row].String(); f.Side != side || !strings.HasPrefix(f.Time, date) || math.Abs(f.Price-price) > 1e-9*price {
			t.Fatalf("%s path: %s on %s at %v, Run: %s on %s at %v\n%s", path, side, date, price, f.Side, f.Time, f.Price, text)
		}
	}
	raw := func(price float64, row int32) float64 {
		if l.factor == nil || path == Fused {
			return price
		}
		return price / l.factor[row]
	}
	for _, x := range trades {
		bought := raw(l.buy[x.entry], x.entry)
		if path == Fused {
			bought = x.bought
		}
		next("buy", x.entry, bought)
		if int(x.exit) == l.n {
			continue
		}
		sold := x.price
		if math.IsNaN(sold) {
			sold = l.sell[x.exit]
		}
		next("sell", x.exit, raw(sold, x.exit))
	}
	if n != len(fills) {
		t.Fatalf("%s path: Run has %d fills, here are %d\n%s", path, len(fills), n, text)
	}
}

func TestFastPathsAgreeWithTheEventEngine(t *testing.T) {
	cases := 1200
	if testing.Short() {
		cases = 150
	}
	count := map[Path]int{}
	for seed := range cases {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		compare(t, candidate(r), market(r), count)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, p := range []Path{Sorted, Sparse, Fused, Event} {
		if count[p] == 0 {
			t.Errorf("no row took the %s path", p)
		}
	}
	t.Logf("rows by path: %v", count)
}

// An account that costs have eaten to less than a millionth of a dollar goes on, on every path.
func TestFastPathsWithHardlyAnyMoney(t *testing.T) {
	count, lost := map[Path]int{}, 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 16))
		text := "params: {a: 1..5, b: 2..8}\nentry: sma(close, a) > sma(close, b)\nexit: " +
			pick(r, "sma(close, a) < sma(close, b)", "{when: \"sma(close, a) < sma(close, b)\", stop: entry_price * 0.9}", "{when: \"sma(close, a) < sma(close, b)\", trail: {fraction: 0.2}}") +
			"\nsize: {weight: 1, fractional: true}\ncosts: {commission: {bps: 2500}}\nsearch: {min_trades: 0}\n"
		s := market(r)
		compare(t, text, s, count)
		cfg, _ := strategy.Parse("candidate", []byte(text))
		src, err := bar.NewMemory(bar.Always(), s)
		if err != nil {
			t.Fatal(err)
		}
		if res, err := backtest.Run(context.Background(), cfg, src); err == nil {
			if end := res.Equity.Value[len(res.Equity.Value)-1]; end > 0 && end < 1e-6 {
				lost++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if lost < 5 || count[Sorted] == 0 || count[Sparse] == 0 || count[Fused] == 0 {
		t.Errorf("%d accounts lost nearly all, rows by path: %v", lost, count)
	}
}

func TestFusedPathWithinTheDay(t *testing.T) {
	count := map[Path]int{}
	for seed := range 250 {
		r := rand.New(rand.NewPCG(uint64(seed), 13))
		text := candidate(r)
		if strings.Contains(text, "data: {") {
			text = strings.Replace(text, "data: {", "data: {bars: 1h, ", 1)
		} else {
			text += "data: {bars: 1h}\n"
		}
		compare(t, strings.Replace(text, "2008-06-20", "2008-05-10", 1), hours(r), count)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if count[Fused] == 0 {
		t.Error("no row took the fused path")
	}
	t.Logf("rows by path: %v", count)
}

func FuzzFastPaths(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Add(uint64(1535)) // a trade breaks even over a split of ten shares into one
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 12))
		compare(t, candidate(r), market(r), map[Path]int{})
	})
}
