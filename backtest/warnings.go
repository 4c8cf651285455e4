package backtest

import (
	"fmt"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
)

// Noter is implemented by sources that have something to say about the bars they gave.
type Noter interface {
	// Notes are stable words and sentences.
	Notes() []bar.Note
}

// warnings lists what a careful reader must know, in a fixed order.
func (e *engine) warnings(src bar.Source, bench []float64) []Warning {
	w := []Warning{}
	add := func(code, format string, args ...any) { w = append(w, Warning{code, fmt.Sprintf(format, args...)}) }
	if src.Synthetic() {
		add("synthetic_data", "the prices are made up by the demo market: results mean nothing about real ones")
	}
	if n, ok := src.(Noter); ok {
		for _, note := range n.Notes() {
			add(note.Code, "%s", note.Message)
		}
	}
	for _, note := range e.m.notes {
		add(note.Code, "%s", note.Message)
	}
	if len(e.m.missing) > 0 {
		names := make([]string, len(e.m.missing))
		for i, x := range e.m.missing {
			names[i] = x.Symbol
		}
		add("missing_symbols", "no bars in range for %s: the run is without them", list(names))
	}
	if c := e.plays[0].code; c != nil && c.script == nil && c.rule == nil {
		add("go_strategy", "decisions were made by the Go type %s: the settings alone do not repeat this run", c.facts.Name)
	}
	e.playWarnings(add)
	e.rangeWarnings(add)
	for k := range e.plays {
		p := &e.plays[k]
		if p.code != nil && p.code.rule != nil && p.code.rule.info.Count == 0 {
			add("never_rebalanced", "%s", p.named("at no close of the run was there a target: nobody took part, no weight was known (see the counts), or without rebalance.start no period ended within the run"))
		}
		e.kellyWarning(int32(k), add)
		p.bounds.warn(add)
		p.crowdWarning(add)
	}
	if e.overall != nil {
		e.overall.warn(add)
	}
	if e.stopped {
		add("bankrupt", "equity fell to %.2f on %s: the run ends there", e.equity, e.m.date[len(e.m.date)-1])
	}
	e.costWarnings(add)
	if notes := e.cfg.ProfileNotes(); len(notes) > 0 {
		add("profile_partial", "profile %s: %s", e.cfg.Profile, strings.Join(notes, " "))
	}
	e.historyWarnings(add)
	e.levelWarning(add)
	if e.limited {
		add("order_by_symbol", "cash or slots did not suffice for every entry and no rank says which come first: symbols in alphabetical order did (set entry.rank)")
	}
	if n := e.counts.SameBarFills; n > 0 {
		add("same_bar_fills", "%s at the close of the bar that decided them: nobody can trade at a price he waits for", fills(n))
	}
	if n := e.counts.LargeFills; n > 0 {
		add("large_fills", "%s took more than 10 %% of the bar's volume (set costs.volume_cap)", fills(n))
	}
	if e.cfg.Benchmark != "" && bench == nil {
		add("no_benchmark", "no daily bars of the benchmark %s from the start of the run", e.cfg.Benchmark)
	}
	if end := e.m.date[len(e.m.date)-1]; bench != nil && e.m.cal.Count(e.benchTo+1, end) > slack {
		add("benchmark_ended", "the bars of the benchmark %s end on %s: from then to the end of the run on %s it stands still", e.cfg.Benchmark, e.benchTo, end)
	}
	e.symbolWarnings(add)
	e.classWarnings(add)
	return w
}

// historyWarnings say from when a run could decide, where that is not from its first bar on.
func (e *engine) historyWarnings(add func(code, format string, args ...any)) {
	warmup, ruled := 0, false
	for k := range e.plays {
		rules := e.plays[k].rules
		warmup, ruled = max(warmup, rules.Warmup), ruled || rules.Long != nil || rules.Short != nil
	}
	switch first := e.firstDecision(); {
	case first < 0 && ruled && warmup == 0:
		add("short_history", "no bar could decide: at each some value was absent, although no history is needed")
	case first < 0 && ruled:
		add("short_history", "warm-up takes %s of history and there are fewer: no bar could decide", several(int64(warmup), "bar"))
	case first > e.m.first && warmup == 0:
		add("short_history", "no history is needed, but some value was absent before: the first decision could be made on %s", e.m.date[first])
	case first > e.m.first:
		add("short_history", "warm-up takes %s of history: the first decision could be made on %s", several(int64(warmup), "bar"), e.m.date[first])
	}
	for k := range e.plays {
		if p := &e.plays[k]; p.code != nil && p.code.script != nil {
			if first := e.firstReady(p); first > e.m.first && first < len(e.m.date) {
				add("short_history", "%s", p.named(fmt.Sprintf("the script is asked from the first bar on, but no symbol had a value of every signal before %s", e.m.date[first])))
			} else if first >= len(e.m.date) {
				add("short_history", "%s", p.named("no symbol ever had a value of every signal that the script reads"))
			}
		}
	}
}

// symbolWarnings are those that name symbols.
func (e *engine) symbolWarnings(add func(code, format string, args ...any)) {
	var noVolume, adjusted, ended, jumps, skipped []string
	for i := range e.m.syms {
		s := &e.m.syms[i]
		if e.books.Pos[i].Qty != 0 && !s.bars.Later && int(e.st[i].row) == s.bars.Len()-1 && int(s.at(e.st[i].row)) < e.m.last && !slices.Contains(ended, s.name) {
			ended = append(ended, s.name)
		}
		if e.m.twin(int32(i)) != int32(i) {
			continue
		}
		if s.bars.NoVolume {
			noVolume = append(noVolume, s.name)
		}
		if s.bars.Adjusted {
			adjusted = append(adjusted, s.name)
		}
		if len(s.skipped) > 0 {
			skipped = append(skipped, s.name)
		}
		if d := e.m.jump(s); d != instrument.None {
			jumps = append(jumps, s.name+" "+d.String())
		}
	}
	if len(noVolume) > 0 {
		add("no_volume", "no volume for %s: no volume cap applies and bars without trade cannot be told", list(noVolume))
	}
	if len(adjusted) > 0 {
		add("adjusted_prices", "prices of %s are adjusted already: no split or dividend is applied, and price levels are not those that traded", list(adjusted))
	}
	if len(skipped) > 0 {
		add("dividend_skipped", "a dividend not smaller than the price does not restate prices of %s", list(skipped))
	}
	if len(ended) > 0 {
		add("data_ended", "the bars of %s end before the run does while a position is held: the symbol did not trade since, or its data ended, and nothing says that it was delisted. It stays marked at the last close", list(ended))
	}
	e.delistWarning(add)
	if len(jumps) > 0 {
		add("suspected_action", "overnight moves of more than 40 %% without a corporate action, possibly a missing split or a spin-off: %s", list(jumps))
	}
}

// jump is the first date in range on which a symbol opened more than 40 % away from the close before
// without a split or dividend that day. None for what is no stock.
func (m *market) jump(s *symbol) instrument.Date {
	b := s.bars
	if instrument.ClassOf(s.ticker) != instrument.Stock {
		return instrument.None // nothing else has actions
	}
	for r := max(1, int(s.rowsBefore(0))); r < b.Len(); r++ {
		if open, before := b.Open[r], b.Close[r-1]; open <= 1.4*before && open >= 0.6*before {
			continue
		}
		from, to := m.dateOf(b.Time[r-1]), m.dateOf(b.Time[r])
		if !actionIn(&b.Actions, from, to) {
			return to
		}
	}
	return instrument.None
}

// actionIn reports whether an action has its ex-date in (from, to].
func actionIn(a *instrument.Actions, from, to instrument.Date) bool {
	for _, x := range a.Splits {
		if x.Ex > from && x.Ex <= to {
			return true
		}
	}
	for _, x := range a.Dividends {
		if x.Ex > from && x.Ex <= to {
			return true
		}
	}
	return false
}

func fills(n int64) string { return several(n, "fill") }

// several names so many things: 1 bar, 2 bars.
func several(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// list names up to eight things.
func list(names []string) string {
	if len(names) > 8 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:8], ", "), len(names)-8)
	}
	return strings.Join(names, ", ")
}

// costWarnings are about what the account pays, and what it could not.
func (e *engine) costWarnings(add func(code, format string, args ...any)) {
	if c := e.calls; c.closes > 0 {
		add("margin_call", "equity was under the maintenance margin at %d of the closes, first at that of %s: %.2f USD where %.2f were asked for. Positions were closed at the next open, each whole, the largest requirement first, until the rest was covered",
			c.closes, e.m.date[c.first], c.equity, c.equity+c.short)
	}
	c := e.cfg.Costs
	if c.Commission.None() && c.Slippage == (fill.Slippage{}) {
		add("zero_costs", "no commission and no slippage: real fills cost both (set costs.commission and costs.slippage)")
	}
	if e.cheap > 0 {
		add("impact_unknown", "%s paid no impact: the volume of the bar, or for costs.slippage.impact the %d returns before it, are not known", fills(e.cheap), fill.ImpactBars)
	}
	if from, to := e.m.date[0], e.m.date[len(e.m.date)-1]; c.Regulatory != "" && (from < fill.FeesFrom || to > fill.FeesTo) {
		add("fees_unknown", "rates of regulatory fees are known from %s to %s: sales outside of that paid none", fill.FeesFrom, fill.FeesTo)
	}
	if quoted := e.quotedRates(); len(quoted) > 0 {
		add("fees_quoted", "regulatory fees that are known only as others quote their source, which was not at hand itself: %s", strings.Join(quoted, "; "))
	}
}

// countBeyond counts an entry with levels, and whether one of them lies beyond what was paid, or nowhere near.
func (e *engine) countBeyond(i int32) {
	s, long := &e.st[i], e.books.Pos[i].Qty > 0
	if len(s.ways) == 0 {
		return
	}
	e.levelled++
	beyond, far := false, false
	for k := range s.ways {
		w := &s.ways[k]
		beyond = beyond || w.target != long && w.price >= s.ref || w.target == long && w.price <= s.ref
		far = far || w.price < 0.1*s.ref
	}
	switch {
	case beyond:
		e.beyond++
	case far:
		e.far++
	}
}

// levelWarning speaks where most entries had a level that is reached at once: its sign is likely to be wrong; or one
// that is never reached: a fraction is likely to stand in the place of a price.
func (e *engine) levelWarning(add func(code, format string, args ...any)) {
	if 2*e.beyond > e.levelled {
		add("level_beyond", "at %d of %d entries a stop or target was reached by the price paid already, as a stop above a long position is: such a position is closed at once (look at the sign of exit.stop, target and trail)", e.beyond, e.levelled)
	}
	if 2*e.far > e.levelled {
		add("level_far", "at %d of %d entries a stop or target lay under a tenth of the price paid: levels are prices in USD, and a stop 5 %% under the entry is entry_price * 0.95", e.far, e.levelled)
	}
}
