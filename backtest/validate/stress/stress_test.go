package stress_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
	"backtester/backtest/validate/stress"
)

// market is n symbols of daily bars; those of a jumpy market rise on the session after a fall.
func market(t testing.TB, n, sessions int, jumpy bool) bar.Source {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 9))
	days := bar.NYSE().Sessions(instrument.NewDate(2015, 1, 1), instrument.NewDate(2030, 1, 1))[:sessions]
	var all []*bar.Series
	for k := range n {
		s := &bar.Series{Symbol: fmt.Sprintf("S%02d", k), ID: instrument.ID(fmt.Sprint(k)), Frame: bar.Daily, Delisted: instrument.None}
		price, before := 40+60*r.Float64(), 0.0
		for _, d := range days {
			move := .012 * r.NormFloat64()
			if jumpy && before < -.01 {
				move += .02
			}
			open := price
			price = max(1, price*(1+move))
			before = move
			s.Time = append(s.Time, d.Nanos())
			s.Open, s.Close = append(s.Open, open), append(s.Close, price)
			s.High, s.Low = append(s.High, max(open, price)*1.002), append(s.Low, min(open, price)*0.998)
			s.Volume = append(s.Volume, 1e7)
		}
		all = append(all, s)
	}
	src, err := bar.NewMemory(bar.NYSE(), all...)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func run(t testing.TB, text string, src bar.Source) *backtest.Result {
	t.Helper()
	cfg, faults := strategy.Parse("stress", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	r, err := backtest.Run(t.Context(), cfg, src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const dip = `
universe: {symbols: [S00, S01, S02]}
data: {from: 2015-03-02}
params: {fall: [0.01, 0.005, 0.008, 0.012, 0.02]}
entry: close < close[1] * (1 - fall)
exit: {max_bars: 1}
size: {weight: 0.33, max_positions: 3}
costs: {slippage: {bps: 1}}
`

// A rule that lives on the very next session dies when it acts one later, pays its way only so far, and
// beats entries at random.
func TestAnEdgeOfOneSession(t *testing.T) {
	src := market(t, 3, 900, true)
	r := run(t, dip, src)
	p, err := stress.Test(t.Context(), r, src)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Delay) != 4 || !p.Delay[0].Base || !(p.Delay[0].Sharpe > 2) || !(p.Delay[1].Sharpe < p.Delay[0].Sharpe/2) {
		t.Errorf("delay %+v", p.Delay)
	}
	for i := 1; i < len(p.Costs); i++ {
		if !(p.Costs[i].TotalReturn < p.Costs[i-1].TotalReturn) {
			t.Errorf("dearer trading earns more: %+v", p.Costs)
		}
	}
	if even := p.BreakEven(); !math.IsNaN(even) || !(p.Costs[6].TotalReturn > 0) {
		t.Errorf("break-even at %g bps, %+v", even, p.Costs[6])
	}
	if p.Entries == nil || p.Entries.P > .01 || p.Timing == nil || p.Timing.P > .01 {
		t.Errorf("entries %+v", p.Entries)
	}
	if len(p.Symbols) != 3 || len(p.Starts) != 7 || len(p.Params) != 1 || p.Runs != 1+3+6+6+3+4 {
		t.Errorf("%d without a symbol, %d starts, %d parameters, %d runs", len(p.Symbols), len(p.Starts), len(p.Params), p.Runs)
	}
	codes := ""
	for _, c := range p.Caveats(nil) {
		codes += c.Code + " "
	}
	if codes != "delay_fragile " {
		t.Errorf("caveats %s", codes)
	}
	// What was changed is what a file that says so from the start would give.
	want := run(t, strings.Replace(dip, "bps: 1", "bps: 6", 1), src)
	if x, _ := want.Metrics.Get("total_return"); x != float64(p.Costs[3].TotalReturn) {
		t.Errorf("5 bps more give %g, the file says %g", p.Costs[3].TotalReturn, x)
	}
	want = run(t, strings.Replace(dip, "close < close[1] * (1 - fall)", "close[2] < close[3] * (1 - fall)", 1), src)
	if x, _ := want.Metrics.Get("total_return"); x != float64(p.Delay[2].TotalReturn) {
		t.Errorf("two bars later give %g, the file says %g", p.Delay[2].TotalReturn, x)
	}
	want = run(t, strings.Replace(dip, "fall: [0.01, 0.005, 0.008, 0.012, 0.02]", "fall: 0.02", 1), src)
	for _, q := range p.Params[0].Points {
		if x, _ := want.Metrics.Get("sharpe"); q.At == .02 && x != float64(q.Sharpe) {
			t.Errorf("fall = 0.02 gives %g, the file says %g", q.Sharpe, x)
		}
	}
}

// In a market without memory the same rule is no better than chance, and the report says so.
func TestNoEdge(t *testing.T) {
	src := market(t, 3, 900, false)
	p, err := stress.Test(t.Context(), run(t, dip, src), src)
	if err != nil {
		t.Fatal(err)
	}
	if even := p.BreakEven(); even < 50 && !(even > 0) {
		t.Errorf("break-even at %g bps", even)
	}
	if p.Entries == nil || p.Entries.P < .05 || p.Timing.P < .05 {
		t.Errorf("entries p %v, timing p %v", p.Entries.P, p.Timing.P)
	}
}

func TestEqualAtAnyNumberOfProcessors(t *testing.T) {
	src := market(t, 3, 700, true)
	r := run(t, dip, src)
	var first []byte
	for _, n := range []int{1, 4} {
		before := runtime.GOMAXPROCS(n)
		p, err := stress.Test(t.Context(), r, src)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, b) {
			t.Error("the report depends on the number of processors")
		}
		first = b
	}
}

// A result of other data must not be compared with runs on this data.
func TestOtherDataIsRefused(t *testing.T) {
	r := run(t, dip, market(t, 3, 700, true))
	if _, err := stress.Test(t.Context(), r, market(t, 3, 700, false)); err == nil || !strings.Contains(err.Error(), "not that of the result") {
		t.Errorf("error %v", err)
	}
	r.Config = nil
	if _, err := stress.Test(t.Context(), r, market(t, 3, 700, true)); err == nil {
		t.Error("a result without settings was run again")
	}
}

// What cannot be tried is named, and exits that read the position stay in time.
func TestWhatIsLeftOut(t *testing.T) {
	src := market(t, 1, 400, true)
	p, err := stress.Test(t.Context(), run(t, `
universe: {symbols: [S00]}
entry: close < close[1]
exit: {when: close > entry_price}
`, src), src)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(p.Left, "\n")
	if len(p.Delay) != 4 || !strings.Contains(all, "delay of exits") || !strings.Contains(all, "later starts") || len(p.Symbols) != 0 {
		t.Errorf("delay %d, left %q", len(p.Delay), all)
	}
	for _, q := range append(p.Delay, p.Costs...) {
		if q.Fault != "" || math.IsNaN(float64(q.TotalReturn)) {
			t.Errorf("%s: %s", q.Label, q.Fault)
		}
	}
}
