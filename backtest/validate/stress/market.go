package stress

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
)

const mostSymbols = 500 // whose bars are read once more

// market tests entries and timing on total returns of the run's own symbols, from close to close.
func (t *tester) market(ctx context.Context) error {
	r := t.result
	switch {
	case !r.Equity.Time.Daily:
		t.left("random entries and timing: they need daily bars, positions within a day have no close of their own")
		return nil
	case len(r.Trades) < 5:
		t.left("random entries and timing: fewer than 5 trades")
		return nil
	}
	dates := make([]instrument.Date, r.Equity.Time.Len())
	for i := range dates {
		dates[i] = r.Equity.Time.Date(i)
	}
	place, returns := map[string]int{}, [][]float64(nil)
	for i := range r.Trades {
		name := r.Trades[i].Symbol
		if _, ok := place[name]; ok {
			continue
		}
		if len(returns) == mostSymbols {
			t.left("random entries and timing: more than %d symbols", mostSymbols)
			return nil
		}
		column, err := t.returns(ctx, name, dates)
		if err != nil {
			return fmt.Errorf("read the bars of %s once more: %w", name, err)
		}
		place[name] = len(returns)
		returns = append(returns, column)
	}
	spells := spellsOf(r, dates, place)
	seed := t.seed()
	if t.report.Entries = bootstrap.RandomEntries(spells, returns, 0, seed); t.report.Entries == nil {
		t.left("random entries: fewer than 5 positions over a close, or 30 sessions")
	}
	t.timing(spells, returns, seed)
	return nil
}

// returns of a symbol over the sessions after dates[0], dividends included, NaN where it had no bar.
func (t *tester) returns(ctx context.Context, symbol string, dates []instrument.Date) ([]float64, error) {
	days, level, err := backtest.Levels(ctx, t.src, symbol, dates[0], dates[len(dates)-1])
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(dates)-1)
	row := -1
	for i, d := range dates {
		before := row
		for row+1 < len(days) && days[row+1] <= d {
			row++
		}
		if i == 0 {
			continue
		}
		out[i-1] = math.NaN()
		if row > before && before >= 0 && days[row] == d {
			out[i-1] = level[row]/level[before] - 1
		}
	}
	return out, nil
}

// spellsOf are the trades that lasted over a close, open ones to the end, in the order of their entry.
func spellsOf(r *backtest.Result, dates []instrument.Date, place map[string]int) []bootstrap.Spell {
	var out []bootstrap.Spell
	for i := range r.Trades {
		t := &r.Trades[i]
		entry, err := instrument.ParseDate(t.EntryTime)
		if err != nil {
			continue
		}
		from, _ := slices.BinarySearch(dates, entry)
		to := len(dates)
		if exit, err := instrument.ParseDate(t.ExitTime); err == nil && !t.Open {
			to, _ = slices.BinarySearch(dates, exit)
		}
		if from < 1 || to <= from || !(r.Equity.Value[from-1] > 0) {
			continue
		}
		// Session k has the return of dates[k] to dates[k+1]. An entry at the open of dates[from] and an exit at
		// the open of dates[to] span as many sessions as their closes before.
		equity := r.Equity.Value[from-1]
		s := bootstrap.Spell{Symbol: place[t.Symbol], From: from - 1, Hold: to - from, Weight: t.Quantity * t.EntryPrice / equity, Cost: t.Commission / equity}
		if t.Side == "short" {
			s.Weight = -s.Weight
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b bootstrap.Spell) int { return a.From - b.From })
	return out
}

// timing moves the positions of all symbols along the sessions together.
func (t *tester) timing(spells []bootstrap.Spell, returns [][]float64, seed uint64) {
	if len(spells) == 0 {
		return
	}
	n := len(returns[0])
	if float64(n)*float64(len(returns)) > 400_000 {
		t.left("the same positions at other times: too many symbols and sessions to try enough shifts")
		return
	}
	held, earned := make([][]float64, len(returns)), make([][]float64, len(returns))
	for s := range returns {
		held[s], earned[s] = make([]float64, n), slices.Clone(returns[s])
		for i, v := range earned[s] {
			if math.IsNaN(v) {
				earned[s][i] = 0
			}
		}
	}
	traded, paid := 0.0, 0.0
	for i := range spells {
		s := &spells[i]
		for k := s.From; k < min(s.From+s.Hold, n); k++ {
			held[s.Symbol][k] += s.Weight
		}
		traded += 2 * math.Abs(s.Weight)
		paid += s.Cost
	}
	t.report.Timing = bootstrap.TestTiming(held, earned, paid/traded, min(1000, max(200, 400_000_000/(n*len(returns)))), seed)
}

// seed comes from the result, so that its report is the same whenever it is made.
func (t *tester) seed() uint64 {
	x, err := strconv.ParseUint(t.result.Fingerprint[:min(13, len(t.result.Fingerprint))], 16, 64)
	if err != nil {
		return 1
	}
	return x
}

// Caveats are what the report says about how far to trust the run, by thresholds that nil leaves at their defaults.
func (r *Report) Caveats(l stats.Limits) []stats.Caveat {
	var out []stats.Caveat
	add := func(code, rule, format string, a ...any) {
		out = append(out, stats.Caveat{Code: code, Severity: stats.Caution, Rule: rule, Message: fmt.Sprintf(format, a...)})
	}
	if len(r.Delay) > 1 {
		if a, b := float64(r.Delay[0].Sharpe), float64(r.Delay[1].Sharpe); a > 0 && b < a*(1-l.Of("delay_fragile")) {
			add("delay_fragile", "one bar later loses more than "+l.Text("delay_fragile")+" of the Sharpe ratio", "Acting one bar later takes the Sharpe ratio from %.2f to %.2f.", a, b)
		}
	}
	if p := r.dearest(1e4 * l.Of("cost_fragile")); p != nil && r.Costs[0].TotalReturn > 0 && p.TotalReturn < 0 {
		add("cost_fragile", fmt.Sprintf("the profit turns into a loss at %g bps more", p.At), "%g bps more for every trade turn the total return from %.1f%% to %.1f%%.",
			p.At, 100*r.Costs[0].TotalReturn, 100*p.TotalReturn)
	}
	for _, q := range r.Params {
		if label, worst, base, isolated := q.fragile(l.Of("parameter_fragile")); label != "" {
			text := "With %s = %s instead the Sharpe ratio falls from %.2f to %.2f."
			if isolated {
				text += " The run sits on a lone peak."
			}
			add("parameter_fragile", "a neighbour of a parameter loses more than "+l.Text("parameter_fragile")+" of the Sharpe ratio", text, q.Name, label, base, worst)
		}
	}
	if e := r.Entries; e != nil && e.P > l.Of("significance") {
		add("random_entries", "p > "+l.Text("significance")+" against entries at random", "Entries at random do as well in %.0f%% of draws: when it entered is no skill that these numbers show.", 100*e.P)
	}
	return out
}

// dearest is the last step of the costs that is no dearer than so many bps; nil where there is none.
func (r *Report) dearest(bps float64) (out *Point) {
	for i := range r.Costs {
		if p := &r.Costs[i]; p.At > 0 && p.At <= bps+1e-9 { // 1e4 * 0.0005 need not be 5
			out = p
		}
	}
	return out
}

// fragile is the nearest neighbour that loses more than so large a part of a positive Sharpe ratio, and whether the
// value has the best ratio between two neighbours that both do so.
func (q *Parameter) fragile(part float64) (label string, worst, base float64, isolated bool) {
	at := slices.IndexFunc(q.Points, func(p Point) bool { return p.Base })
	if at < 0 || !(q.Points[at].Sharpe > 0) {
		return "", 0, 0, false
	}
	base = float64(q.Points[at].Sharpe)
	lost := 0
	for _, k := range []int{at - 1, at + 1} {
		if k < 0 || k >= len(q.Points) {
			continue
		}
		if x := float64(q.Points[k].Sharpe); x < base*(1-part) {
			lost++
			if label == "" || x < worst {
				label, worst = q.Points[k].Label, x
			}
		}
	}
	return label, worst, base, lost == 2
}
