package sweep

import (
	"context"
	"fmt"
	"strings"

	"backtester/backtest/bar"
)

// What lives at once is planned, so that it takes two thirds of what the sweep may have beside the program. The rest is
// for what the collector has not found yet; that it does not find less is up to the caller (see
// runtime/debug.SetMemoryLimit).

// Program is what the program takes before it sweeps anything, in bytes: its own pages. Those of stored files that are
// looked at are not counted: the system takes them back when it needs them.
const Program = 48 << 20

// What parts of a sweep take, in bytes, about.
const (
	ownBytes    = 12 << 20 // of the heap, before it sweeps anything
	seriesBytes = 56       // a bar
	engineBytes = 64       // a bar in the event engine, beside columns
	tallyBytes  = 320      // a combination of the sorted path, with what its stretches keep of it
	rulesBytes  = 4 << 10  // a compiled combination
)

// inFlight is how many pieces have rows at once: the one that is handed out, the next one and the one that is played.
const inFlight = 3

// memory is what the program may take with the sweep, in bytes.
func memory(o Options) int64 {
	if o.Memory > 0 {
		return o.Memory
	}
	return 2 << 30
}

// room is what of it may live at once, in bytes.
func room(o Options) int64 { return max(0, (memory(o)-Program)/3*2) }

// need is what lives at once, in bytes, about, when so many combinations are worked on at a time by so many workers.
func (p *Plan) need(n, workers int) int64 {
	bars, tables := int64(max(p.bars, 1000)), int64(workers)
	if p.Path < Event && len(p.Symbols) == 1 { // all workers are on each piece
		tables = 1
	}
	columns, each := p.columnBytes(n), int64(0)
	if p.Path < Event { // whatever a fast path cannot play falls to the event engine
		columns, each = 2*columns, bars*laneBytes
	}
	if p.Path == Sorted {
		each += int64(n) * tallyBytes
	}
	row := int64(len(p.Symbols)*(len(p.Metrics)*8+24) + rulesBytes)
	list := int64(len(p.picks)) * 8
	if p.drawn() {
		list += int64(p.Len()) * cellBytes
	}
	return ownBytes + list + int64(n)*row*inFlight + tables*(columns+each) + int64(workers)*bars*(seriesBytes+engineBytes)
}

// columnBytes is what the columns of n combinations take.
func (p *Plan) columnBytes(n int) int64 {
	bars := max(p.bars, 1000)
	if p.Path == Sorted {
		k := int64(2 * n)
		if k*int64(bars)*8 > p.room/8 { // counting those that differ takes time
			k = p.width(n)
		}
		return k*int64(bars)*8 + min(k, mostColumns)*min(k, mostColumns)*4
	}
	one := p.rules.Program.Bytes(bars)
	switch {
	case p.Config.Apart() || len(p.rules.Program.Frozen()) > 0: // one after another
		return one
	case int64(n)*one <= p.room/8 || p.Method == "tpe":
		return int64(n) * one
	}
	var list [][]float64
	for i := range min(n, p.Len()) {
		list = append(list, p.Combination(i, nil))
	}
	rules, faults := p.Config.CompileEach(list)
	if len(faults) > 0 {
		return one // whoever plays them will say so
	}
	return rules[0].Program.Bytes(bars)
}

// least is how many combinations are worked on at a time at the least: to read and lay out a symbol for fewer would
// take most of the time.
func (p *Plan) least() int {
	if p.Path == Event {
		return min(p.Len(), 4)
	}
	return min(p.Len(), 64)
}

// crew is how many of the workers there is room for.
func (p *Plan) crew(workers int) int {
	for workers > 1 && p.need(p.least(), workers) > p.room {
		workers--
	}
	return workers
}

// fit is n, or as many combinations as there is room for when so many are worked on at a time. Some room is left
// for what is kept to be used again.
func (p *Plan) fit(n, workers int) int {
	least := min(n, p.least())
	for n > least && p.need(n, workers) > p.room/4*3 {
		n = max((n+1)/2, least)
	}
	return max(n, 1)
}

// fits refuses a sweep that cannot be done in the memory that it may take, with the figure.
func (p *Plan) fits() error {
	if need := p.need(p.least(), 1); need > p.room {
		return &PlanError{fmt.Errorf("sweep %s: it needs at least about %d MiB and may take %d: allow more, or give parameters fewer values",
			p.Config.Name, (Program+need/2*3)>>20+1, memory(p.asked)>>20)}
	}
	return nil
}

// measure is how many bars there are to play at once, about: of the longest symbol, or of all that share the cash; 0 where
// a file of members says who these are.
func (p *Plan) measure(ctx context.Context) int {
	d, names, shared := &p.Config.Data, p.Symbols, p.Symbols[0] == ""
	if shared {
		if names = p.Config.Universe.Symbols; len(names) == 0 && p.Config.Universe.Members != "" {
			return 0
		}
	}
	held, err := p.src.Coverage(ctx, d.Bars)
	if err != nil {
		return 0 // whoever plays it will say so
	}
	asked := map[string]bool{}
	for _, name := range names {
		ticker, _, _ := strings.Cut(name, "@")
		asked[ticker] = true
	}
	from, to := bar.Request{From: d.From, To: d.To}.Bounds()
	longest, all := int64(0), int64(0)
	for _, c := range held {
		first, last := max(from, c.First), min(to, c.Last)
		if len(names) > 0 && !asked[c.Instrument.Ticker] || first > last {
			continue
		}
		n := c.Bars*int64(last-first+1)/int64(c.Last-c.First+1)*minutes(c.Frame)/minutes(d.Bars) + int64(p.rules.Warmup)
		longest, all = max(longest, n), all+n
	}
	if shared {
		return int(all)
	}
	return int(longest)
}

// minutes of the regular session that a bar spans.
func minutes(f bar.Frame) int64 {
	return int64(f.N) * map[bar.Unit]int64{bar.Minute: 1, bar.Hour: 60, bar.Day: 390, bar.Week: 5 * 390, bar.Month: 21 * 390}[f.Unit]
}
