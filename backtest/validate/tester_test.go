package validate_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/validate"
)

// closes is one symbol whose bars open where the last one closed, from 2015-01-02 on.
func closes(t testing.TB, price func(i int) float64, sessions int) bar.Source {
	t.Helper()
	days := bar.NYSE().Sessions(instrument.NewDate(2015, 1, 1), instrument.NewDate(2030, 1, 1))[:sessions]
	s := &bar.Series{Symbol: "X", ID: "X", Frame: bar.Daily, Delisted: instrument.None}
	last := price(0)
	for i, d := range days {
		c := price(i)
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.Close = append(s.Open, last), append(s.Close, c)
		s.High, s.Low = append(s.High, max(last, c)), append(s.Low, min(last, c))
		s.Volume = append(s.Volume, 1e6)
		last = c
	}
	src, err := bar.NewMemory(bar.NYSE(), s)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// noise is a market without memory; with an edge, a fall of more than 1 % is followed by a rise.
func noise(t testing.TB, seed uint64, sessions int, edge float64) bar.Source {
	r := rand.New(rand.NewPCG(seed, 11))
	path := []float64{100}
	fell := false
	for range sessions {
		m := 0.01 * r.NormFloat64()
		if fell {
			m += edge
		}
		fell = m < -.01
		path = append(path, path[len(path)-1]*(1+m))
	}
	return closes(t, func(i int) float64 { return path[i] }, sessions)
}

const dip = `
params: {fall: [0.01, 0.012, 0.008, 0.014, 0.016, 0.006], hold: [1, 2, 3]}
entry: close / close[1] - 1 < -fall
exit: bars_held >= hold
size: {weight: 1, fractional: true}
costs: {slippage: {bps: 1}}
data: {from: 2015-06-01}
search: {min_trades: 5}
validate: {walk_forward: {train: 2y, test: 6m}, pbo: 8, draws: 199, noise: 3}
`

func tested(t testing.TB, text string, src bar.Source, o validate.Options) *validate.Report {
	t.Helper()
	r, err := validate.Test(t.Context(), parse(t, text), src, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func question(t testing.TB, r *validate.Report, key string) validate.Question {
	t.Helper()
	for _, q := range r.Questions {
		if q.Key == key {
			return q
		}
	}
	t.Fatalf("there is no question %s", key)
	return validate.Question{}
}

// What was planted in the market is found, and every test says so.
func TestTrueEdgePasses(t *testing.T) {
	r := tested(t, dip, noise(t, 4, 1500, .012), validate.Options{})
	for _, key := range []string{"walk_forward", "cpcv", "kfold", "spa_cash", "spa_holding", "trials", "monte_carlo", "random_entry", "causality", "warmup", "costs"} {
		if q := question(t, r, key); q.Verdict != validate.Passes {
			t.Errorf("%s %s: %s %s %v", key, q.Verdict, q.Answer, q.Reason, q.Value)
		}
	}
	// No cost that is tried takes the profit: the figure is the dearest one and no gap, which --fail-if would call a failure.
	costs := r.Stress.Costs
	if v, ok := r.Figures.Get("break_even_bps"); !ok || v != costs[len(costs)-1].At {
		t.Errorf("break_even_bps is %v, %v", v, ok)
	}
}

// The best of many rules on a market without memory is called out.
func TestFitToNoiseIsCalledOut(t *testing.T) {
	r := tested(t, dip, noise(t, 9, 1500, 0), validate.Options{})
	if r.Verdict != validate.Failing {
		t.Errorf("the verdict is %s", r.Verdict)
	}
	for _, key := range []string{"spa_cash", "spa_holding", "trials", "random_entry"} {
		if q := question(t, r, key); q.Verdict == validate.Passes || q.Verdict == validate.Undefined {
			t.Errorf("%s %s: %s %s %v", key, q.Verdict, q.Answer, q.Reason, q.Value)
		}
	}
	if q := question(t, r, "causality"); q.Verdict != validate.Passes {
		t.Errorf("causality %s: %s", q.Verdict, q.Answer)
	}
}

// Equal input gives equal bytes at any number of processors.
func TestReportIsTheSameAtAnyNumberOfProcessors(t *testing.T) {
	src := noise(t, 4, 1000, .01)
	var first []byte
	for _, n := range []int{1, 4} {
		before := runtime.GOMAXPROCS(n)
		r := tested(t, dip, src, validate.Options{})
		runtime.GOMAXPROCS(before)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, b) {
			t.Error("the report depends on the number of processors")
		}
		first = b
	}
	if bytes.Contains(first, []byte("NaN")) {
		t.Error("the report holds NaN")
	}
}

// pencil is a market that rises by 1 % a session in even months and falls by 1 % in odd ones, so that what is
// best in training is known beforehand: side 1 is long in even months, side 2 in odd ones.
func pencil(t testing.TB) bar.Source {
	days := bar.NYSE().Sessions(instrument.NewDate(2015, 1, 1), instrument.NewDate(2030, 1, 1))
	path, p := []float64{}, 100.0
	for _, d := range days[:600] {
		_, m, _ := d.Civil()
		if int(m)%2 == 0 {
			p *= 1.01
		} else {
			p /= 1.01
		}
		path = append(path, p)
	}
	return closes(t, func(i int) float64 { return path[i] }, 600)
}

const always = `
params: {n: [1, 2]}
entry: {when: n == 1 and close > 0}
size: {weight: 1, fractional: true}
costs: {commission: {bps: 10}}
data: {from: 2015-02-01, to: 2015-06-30}
search: {objective: total_return, min_trades: 0}
validate: {walk_forward: {train: 1m, test: 1m}, pbo: 4, draws: 99, noise: 1}
`

// Train and test of a month each, in a market that rises in even months and falls in odd ones. n = 1 is always
// long, n = 2 never. February rises: long is chosen and loses all of March. March falls: cash is chosen and April,
// which rises, is missed. April rises, May is lost; May falls, June is missed.
func TestWalkForwardByHand(t *testing.T) {
	src := pencil(t)
	r := tested(t, always, src, validate.Options{})
	f := r.WalkForward
	if f == nil || len(f.Windows) != 4 {
		t.Fatalf("%+v", f)
	}
	equity := 100_000.0
	for k, w := range f.Windows {
		month := k + 3
		from, to := instrument.NewDate(2015, time.Month(month), 1), instrument.NewDate(2015, time.Month(month+1), 1)
		n := 0
		for d := from; d < to; d++ {
			if bar.NYSE().IsSession(d) {
				n++
			}
		}
		if w.TestFrom != from.String() || w.TestTo != (to-1).String() || w.Sessions != n {
			t.Errorf("window %d tests %s..%s, %d sessions, want %s..%s, %d", k, w.TestFrom, w.TestTo, w.Sessions, from, to-1, n)
		}
		long := k%2 == 0
		if got := w.Chosen[0].Value; long != (got == 1) {
			t.Errorf("window %d, month %d, chose %v", k, month, got)
		}
		want := equity
		if long { // bought at the first open with a commission in the price, sold at the last close
			want = equity / (1 + .001) * math.Pow(1.01, -float64(n)) * (1 - .001)
		}
		if math.Abs(w.EquityTo-want) > 1e-6*want || w.EquityFrom != equity {
			t.Errorf("window %d goes from %v to %v, want %v to %v", k, w.EquityFrom, w.EquityTo, equity, want)
		}
		equity = w.EquityTo
		if long {
			// In sample the run is marked at its last close: one commission, one decision before its first open.
			if !(w.InSample > 0) || math.Abs(float64(w.Efficiency)-float64(w.OutOfSample)/float64(w.InSample)) > 1e-12 {
				t.Errorf("window %d: %v in sample, %v out of it, efficiency %v", k, w.InSample, w.OutOfSample, w.Efficiency)
			}
			if out := math.Log(want/w.EquityFrom) / float64(n); math.Abs(out-float64(w.OutOfSample)) > 1e-9 {
				t.Errorf("window %d makes %v a session, want %v", k, w.OutOfSample, out)
			}
		} else if w.Efficiency == w.Efficiency {
			t.Errorf("window %d: efficiency %v of nothing made in sample", k, w.Efficiency)
		}
	}
	if got := float64(f.TotalReturn); math.Abs(got-(equity/100_000-1)) > 1e-12 {
		t.Errorf("the walk returns %v, want %v", got, equity/100_000-1)
	}
	if q := question(t, r, "walk_forward"); q.Verdict != validate.Failing {
		t.Errorf("%s: %s", q.Verdict, q.Answer)
	}
}

// The same market and file, with one account for all tests. Long is chosen for March and May, cash for April and June. What is bought at
// the first open of March has no way out but the end: it is held through all four months and sold once. With an
// exit after 30 bars it is held to the open of the 31st after the first close, in April, under the parameters of March; April
// enters nothing, and May buys again and carries over into June.
func TestWalkForwardCarriesPositionsByHand(t *testing.T) {
	for _, c := range []struct {
		exit            string
		trades, carried []int
	}{
		{"", []int{1, 0, 0, 0}, []int{0, 1, 1, 1}},
		{"exit: {max_bars: 30}\n", []int{1, 0, 1, 0}, []int{0, 1, 0, 1}},
	} {
		r := tested(t, c.exit+strings.Replace(always, "test: 1m", "test: 1m, carry: true", 1), pencil(t), validate.Options{})
		f := r.WalkForward
		if f == nil || len(f.Windows) != 4 || !f.Carry {
			t.Fatalf("%+v", f)
		}
		equity, shares, bars := 100_000.0, 0.0, 0 // the price of a share begins at 1
		price := 1.0
		for k, w := range f.Windows {
			month := time.Month(k + 3)
			for d := instrument.NewDate(2015, month, 1); d < instrument.NewDate(2015, month+1, 1); d++ {
				if !bar.NYSE().IsSession(d) {
					continue
				}
				if shares > 0 && c.exit != "" && bars == 30 { // at the open, which is the close before
					equity, shares = shares*price*(1-.001), 0
				}
				if shares == 0 && k%2 == 0 && (bars == 0 || k == 2) {
					shares, bars = equity/price/(1+.001), 0
				}
				price *= []float64{1 / 1.01, 1.01}[k%2]
				if shares > 0 {
					bars++
					equity = shares * price
				}
			}
			if k == 3 && shares > 0 { // the end of all
				equity *= 1 - .001
			}
			if w.Trades != c.trades[k] || w.Carried != c.carried[k] || math.Abs(w.EquityTo-equity) > 1e-6*equity {
				t.Errorf("%q, %s: %d trades, %d carried, %v at the end, want %d, %d, %v", c.exit, month, w.Trades, w.Carried, w.EquityTo, c.trades[k], c.carried[k], equity)
			}
		}
	}
}

// Anchored windows see everything from the start.
func TestAnchored(t *testing.T) {
	r := tested(t, strings.Replace(always, "test: 1m", "test: 1m, anchored: true", 1), pencil(t), validate.Options{})
	for _, w := range r.WalkForward.Windows {
		if w.TrainFrom != "2015-02-01" {
			t.Errorf("a window trains from %s", w.TrainFrom)
		}
	}
}

// Tests that cannot be made say why, and what is undefined is null.
func TestUndefined(t *testing.T) {
	r := tested(t, `
entry: close > close[1]
exit: {max_bars: 2}
data: {from: 2015-06-01}
validate: {draws: 99, noise: 1}
`, noise(t, 2, 400, 0), validate.Options{})
	for key, why := range map[string]string{"pbo": "one combination", "cpcv": "one combination", "kfold": "one combination", "walk_forward": "nothing left to test", "parameters": "no parameters"} {
		if q := question(t, r, key); q.Verdict != validate.Undefined || !strings.Contains(q.Reason, why) {
			t.Errorf("%s is %s because %q, want %q", key, q.Verdict, q.Reason, why)
		}
		if q := question(t, r, key); !math.IsNaN(float64(q.Value)) {
			t.Errorf("%s has the value %v", key, q.Value)
		}
	}
	b, err := json.Marshal(r)
	if err != nil || !bytes.Contains(b, []byte(`"pbo":null`)) {
		t.Errorf("%v, the report lacks a null: %.200s", err, b)
	}
	learned := tested(t, strings.Replace(dip, "search: {", "search: {method: tpe, samples: 8, ", 1), noise(t, 2, 900, 0), validate.Options{})
	if q := question(t, learned, "pbo"); q.Verdict != validate.Undefined || !strings.Contains(q.Reason, "tpe") {
		t.Errorf("%s: %s", q.Verdict, q.Reason)
	}
}

// A walk in which nothing was eligible stayed in cash, and is told in words that can be read.
func TestWalkInCashIsTold(t *testing.T) {
	r := tested(t, strings.Replace(dip, "min_trades: 5", "min_trades: 5000", 1), noise(t, 2, 1500, 0), validate.Options{})
	q := question(t, r, "walk_forward")
	if want := "Out of sample it returned 0.0%, with an undefined Sharpe ratio."; q.Answer != want || q.Verdict == validate.Passes {
		t.Errorf("%s: %q, want %q", q.Verdict, q.Answer, want)
	}
}

// More returns than memory may hold are refused with the figure.
func TestMemoryIsBounded(t *testing.T) {
	_, err := validate.Test(t.Context(), parse(t, dip), noise(t, 2, 900, 0), validate.Options{Memory: 100_000})
	if err == nil || !strings.Contains(err.Error(), "MiB") && !strings.Contains(err.Error(), "memory") {
		t.Errorf("error %v", err)
	}
}

// Every verdict stands on figures that --fail-if knows.
func TestFiguresAreListed(t *testing.T) {
	r := tested(t, dip, noise(t, 9, 1000, 0), validate.Options{})
	known := map[string]bool{}
	for _, key := range validate.FigureKeys() {
		if known[key] || validate.FigureDoc(key) == "" {
			t.Errorf("figure %s is there twice or says nothing", key)
		}
		known[key] = true
		_, ok := r.Figures.Get(key)
		if why := r.Figures.Reason(key); ok != (why == "") || why == "not computed" {
			t.Errorf("figure %s: %t, %q", key, ok, why)
		}
	}
	for _, q := range r.Questions {
		if !known[q.Figure] || q.Rule == "" || q.Question == "" || q.Verdict != validate.Undefined && (q.Answer == "" || q.On == "") {
			t.Errorf("question %+v", q)
		}
	}
}

// Where nothing could be chosen the walk-forward is no answer, however it went.
func TestWalkWithoutChoice(t *testing.T) {
	one := strings.Replace(dip, "fall: [0.01, 0.012, 0.008, 0.014, 0.016, 0.006], hold: [1, 2, 3]", "fall: 0.01, hold: 2", 1)
	r := tested(t, one, noise(t, 2, 1500, 0), validate.Options{})
	q := question(t, r, "walk_forward")
	if q.Verdict != validate.Undefined || !strings.Contains(q.Reason, "one combination") || r.WalkForward == nil {
		t.Errorf("%s: %s %q", q.Verdict, q.Reason, q.Answer)
	}
}
