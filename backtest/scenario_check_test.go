package backtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest"
)

// check compares everything the scenario states.
func (sc *scenario) check(t *testing.T, r *backtest.Result) {
	t.Helper()
	var got, want bytes.Buffer
	for _, f := range r.Fills {
		fmt.Fprintln(&got, fillLine(f))
	}
	for _, f := range sc.lines("fills") {
		fmt.Fprintln(&want, strings.Join(f, " "))
	}
	if !sameNumbers(got.String(), want.String()) {
		t.Errorf("fills:\n%swant:\n%s", got.String(), want.String())
	}
	for _, f := range sc.lines("trades") {
		if !hasLine(tradeLines(r), strings.Join(f, " ")) {
			t.Errorf("no trade %q in:\n%s", strings.Join(f, " "), strings.Join(tradeLines(r), "\n"))
		}
	}
	for _, f := range sc.lines("counts") {
		n, err := strconv.ParseInt(f[1], 10, 64)
		if got, ok := count(r, f[0]); !ok || err != nil || got != n {
			t.Errorf("count %s is %d, want %s", f[0], got, f[1])
		}
	}
	sc.checkDecided(t, r)
	sc.checkAmbiguity(t, r)
	sc.checkRebalances(t, r)
	sc.checkHeld(t, r)
	sc.checkSleeves(t, r)
	sc.checkCurve(t, "equity", r.Equity)
	sc.checkCurve(t, "benchmark", benchmarkOf(r))
	sc.checkBooks(t, r)
	sc.checkMetrics(t, r)
	sc.checkData(t, r)
	sc.checkWarnings(t, r)
}

// checkAmbiguity compares the extra runs: stop_first|target_first METRIC VALUE, or SESSION EQUITY.
func (sc *scenario) checkAmbiguity(t *testing.T, r *backtest.Result) {
	t.Helper()
	for _, f := range sc.lines("ambiguity") {
		if r.Ambiguity == nil {
			t.Errorf("no extra runs, want %s", strings.Join(f, " "))
			continue
		}
		o, ok := map[string]backtest.Outcome{"stop_first": r.Ambiguity.StopFirst, "target_first": r.Ambiguity.TargetFirst}[f[0]]
		got, there := o.Metrics.Get(f[1])
		for k, equity := range o.Equity {
			if r.Ambiguity.Sessions.At(k) == f[1] {
				got, there = equity, true
			}
		}
		if !ok || !there || !sameNumbers(num(got), f[2]) {
			t.Errorf("%s has %s %.12g, want %s", f[0], f[1], got, f[2])
		}
	}
}

// checkRebalances compares all rebalances: DATE TURNOVER SYMBOLS-WITH-A-TARGET.
func (sc *scenario) checkRebalances(t *testing.T, r *backtest.Result) {
	t.Helper()
	if sc.section("rebalances") == "" {
		return
	}
	var got, want bytes.Buffer
	if b := r.Rebalance; b != nil {
		for k := range b.Turnover {
			fmt.Fprintln(&got, b.Time.At(k), num(b.Turnover[k]), b.Held[k])
		}
	}
	for _, f := range sc.lines("rebalances") {
		fmt.Fprintln(&want, strings.Join(f, " "))
	}
	if !sameNumbers(got.String(), want.String()) {
		t.Errorf("rebalances:\n%swant:\n%s", got.String(), want.String())
	}
}

// checkHeld compares buy and hold: METRIC VALUE, or DATE EQUITY.
func (sc *scenario) checkHeld(t *testing.T, r *backtest.Result) {
	t.Helper()
	for _, f := range sc.lines("held") {
		if r.BuyAndHold == nil {
			t.Errorf("no buy and hold, want %s", strings.Join(f, " "))
			continue
		}
		got, ok := r.BuyAndHold.Metrics.Get(f[0])
		for k := range r.BuyAndHold.Equity.Value {
			if r.BuyAndHold.Equity.Time.At(k) == f[0] {
				got, ok = r.BuyAndHold.Equity.Value[k], true
			}
		}
		if !ok || !sameNumbers(num(got), f[1]) {
			t.Errorf("buy and hold: %s is %.12g, want %s", f[0], got, f[1])
		}
	}
}

// checkSleeves compares what is said of strategies that share the account: STRATEGY pnl|orders|fills|METRIC
// VALUE. Their profits, interest and borrow fees are all that changes equity.
func (sc *scenario) checkSleeves(t *testing.T, r *backtest.Result) {
	t.Helper()
	for _, f := range sc.lines("sleeves") {
		k := slices.IndexFunc(r.Strategies, func(x backtest.Sleeve) bool { return x.Name == f[0] })
		if k < 0 {
			t.Errorf("no strategy %s", f[0])
			continue
		}
		x := &r.Strategies[k]
		got, ok := map[string]float64{"pnl": x.PnL, "orders": float64(x.Orders), "fills": float64(x.Fills)}[f[1]]
		if !ok {
			got, ok = x.Metrics.Get(f[1])
		}
		if !ok || !sameNumbers(num(got), f[2]) {
			t.Errorf("strategy %s has %s %.12g, want %s", f[0], f[1], got, f[2])
		}
	}
	if len(r.Strategies) == 0 {
		return
	}
	for at, equity := range r.Equity.Value {
		sum := r.Config.Account.Cash
		for k := range r.Strategies {
			sum += r.Strategies[k].Profit[at]
		}
		if carries := r.Config.Account.DebitRate + r.Config.Account.CreditRate + r.Config.Costs.Borrow.Annual; carries == 0 && math.Abs(sum-equity) > 1e-9*equity {
			t.Errorf("at %s strategies have made %.12g, equity is %.12g", r.Equity.Time.At(at), sum, equity)
		}
	}
}

// checkRepeats plays the scenario again, symbols handed over backwards: not a byte may change.
func (sc *scenario) checkRepeats(t *testing.T, r *backtest.Result) {
	t.Helper()
	again, err := sc.run(true)
	if err != nil {
		t.Fatal(err)
	}
	a, err1 := r.EncodeJSON()
	b, err2 := again.EncodeJSON()
	if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("a second run differs (%v, %v):\n%s%s", err1, err2, a, b)
	}
	var read backtest.Result // what is written is read again by reports and from the history
	if err := json.Unmarshal(a, &read); err != nil {
		t.Errorf("the result cannot be read back: %v\n%s", err, a)
	} else if b, err := read.EncodeJSON(); err != nil || !bytes.Equal(a, b) {
		t.Errorf("what was read back differs (%v):\n%s%s", err, a, b)
	}
}

// checkDecided compares the bars that decided the fills, one word a fill.
func (sc *scenario) checkDecided(t *testing.T, r *backtest.Result) {
	t.Helper()
	if sc.section("decided") == "" {
		return
	}
	var got, want []string
	for _, f := range r.Fills {
		got = append(got, f.Decided)
	}
	for _, f := range sc.lines("decided") {
		want = append(want, f...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("fills decided on %v, want %v", got, want)
	}
}

func benchmarkOf(r *backtest.Result) backtest.Curve {
	if r.Benchmark == nil {
		return backtest.Curve{}
	}
	return *r.Benchmark
}

// checkMetrics compares statistics by key; absent is the value of one that is undefined.
func (sc *scenario) checkMetrics(t *testing.T, r *backtest.Result) {
	t.Helper()
	for _, f := range sc.lines("metrics") {
		got, ok := r.Metrics.Get(f[0])
		switch {
		case !slices.Contains(r.Metrics.Keys(), f[0]):
			t.Errorf("there is no metric %s", f[0])
		case f[1] == "absent" && ok, f[1] != "absent" && (!ok || !sameNumbers(num(got), f[1])):
			t.Errorf("metric %s is %.12g (defined: %t), want %s", f[0], got, ok, f[1])
		}
	}
}

// checkData compares what the result says of the data: from, to, first_decision, warmup_bars and
// SYMBOL.warm, SYMBOL.missing, SYMBOL.ended of its coverage, universe.candidates, universe.members,
// universe.dead and universe.DATE, the members of that day.
func (sc *scenario) checkData(t *testing.T, r *backtest.Result) {
	t.Helper()
	d := r.Data
	got := map[string]string{"from": d.From, "to": d.To, "first_decision": string(d.Decision), "warmup_bars": strconv.Itoa(d.Warmup)}
	for _, c := range d.Coverage {
		got[c.Symbol+".warm"], got[c.Symbol+".missing"] = strconv.Itoa(c.Warm), strconv.Itoa(c.Missing)
		got[c.Symbol+".ended"] = strings.ReplaceAll(c.Ended, " ", "_")
	}
	if u := d.Universe; u != nil {
		got["universe.candidates"], got["universe.members"], got["universe.dead"] = strconv.Itoa(u.Candidates), strconv.Itoa(u.Members), strconv.Itoa(u.Dead)
		for t, n := range u.Count {
			got["universe."+u.Time.At(t)] = strconv.Itoa(int(n))
		}
	}
	for _, f := range sc.lines("data") {
		if got, ok := got[f[0]]; !ok || got != f[1] {
			t.Errorf("data %s is %q, want %s", f[0], got, f[1])
		}
	}
}

// checkCurve compares the stated points of a curve.
func (sc *scenario) checkCurve(t *testing.T, section string, c backtest.Curve) {
	t.Helper()
	at := map[string]float64{}
	for i := range c.Value {
		at[c.Time.At(i)] = c.Value[i]
	}
	for _, f := range sc.lines(section) {
		want, err := strconv.ParseFloat(f[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := at[f[0]]; !ok || math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
			t.Errorf("%s on %s is %.12g (there: %t), want %.12g", section, f[0], got, ok, want)
		}
	}
}

// checkWarnings: CODE must be there, and CODE WORDS with these words in its message; !CODE must not.
func (sc *scenario) checkWarnings(t *testing.T, r *backtest.Result) {
	t.Helper()
	said := map[string]string{}
	for _, w := range r.Warnings {
		said[w.Code] = w.Message
	}
	for _, f := range sc.lines("warnings") {
		code, absent := strings.CutPrefix(f[0], "!")
		message, there := said[code]
		if there == absent || !strings.Contains(message, strings.Join(f[1:], " ")) {
			t.Errorf("warnings %v: want %s", r.Warnings, strings.Join(f, " "))
		}
	}
}

// fillLine is: DATE SIDE QTY SYMBOL @ PRICE [ref R] [fee F] RULE REASON [STRATEGY].
func fillLine(f backtest.Fill) string {
	s := fmt.Sprintf("%s %s %s %s @ %s", f.Time, f.Side, num(f.Quantity), f.Symbol, num(f.Price))
	if f.Price != f.Reference {
		s += " ref " + num(f.Reference)
	}
	if f.Commission != 0 {
		s += " fee " + num(f.Commission)
	}
	return strings.TrimSpace(s + " " + f.Rule + " " + f.Reason + " " + f.Strategy)
}

// tradeLines are: SYMBOL SIDE QTY ENTRY-DATE ENTRY-PRICE EXIT-DATE EXIT-PRICE PNL REASON|open [STRATEGY].
func tradeLines(r *backtest.Result) []string {
	var out []string
	for _, x := range r.Trades {
		reason := x.ExitReason
		if x.Open {
			reason = "open"
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s %s %s %s %s %s", x.Symbol, x.Side, num(x.Quantity), x.EntryTime, num(x.EntryPrice),
			x.ExitTime, num(x.ExitPrice), num(x.PnL), reason, x.Strategy)))
	}
	return out
}

func num(x float64) string { return strconv.FormatFloat(x, 'g', 12, 64) }

func hasLine(lines []string, want string) bool {
	for _, l := range lines {
		if sameNumbers(l, want) {
			return true
		}
	}
	return false
}

// sameNumbers compares texts word by word, numbers to 1e-9.
func sameNumbers(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if x[i] == y[i] {
			continue
		}
		p, err1 := strconv.ParseFloat(x[i], 64)
		q, err2 := strconv.ParseFloat(y[i], 64)
		if err1 != nil || err2 != nil || math.Abs(p-q) > 1e-9*max(1, math.Abs(q)) {
			return false
		}
	}
	return true
}

// count finds a figure of Counts by name: orders, expired, refused.no_cash, signals.entry.when, ...
func count(r *backtest.Result, name string) (int64, bool) {
	c := r.Counts
	if why, ok := strings.CutPrefix(name, "refused."); ok {
		return c.Refused[why], true
	}
	if sig, ok := strings.CutPrefix(name, "signals."); ok {
		n, ok := c.Signals[sig]
		return n, ok
	}
	n, ok := map[string]int64{"orders": c.Orders, "expired": c.Expired, "cancelled": c.Cancelled, "waiting": c.Waiting, "absent_exits": c.AbsentExits, "ambiguous_bars": c.AmbiguousBars, "settled_bars": c.SettledBars, "unsettled_bars": c.UnsettledBars,
		"ex_date_stops": c.ExDateStops, "large_fills": c.LargeFills, "same_bar_fills": c.SameBarFills, "bars": c.Bars, "warming": c.Warming, "last_bar": c.LastBar, "short.orders": c.Short.Orders, "short.most": int64(c.Short.Most)}[name]
	return n, ok
}
