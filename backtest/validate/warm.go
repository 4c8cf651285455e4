package validate

import (
	"errors"
	"fmt"
	"math"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Warmup says what more history than the rules need changes.
type Warmup struct {
	Bars    int         `json:"bars"`              // of history that the rules need
	Extra   int         `json:"extra"`             // most further bars that were loaded for a symbol
	From    string      `json:"from,omitempty"`    // first session of the runs that were compared
	Columns []WarmError `json:"columns,omitempty"` // indicators that more history changes at all
}

// WarmError is the measured error of an indicator's warm-up.
type WarmError struct {
	Name  string  `json:"name"`
	Error float64 `json:"error"` // largest change by more history, as a fraction of the column's largest value
}

// What more history may change: a fraction of a price or a quantity.
const warmTolerance = 1e-6

// warmup compares the run with runs on more history than the rules need. Decisions must be the same,
// prices and quantities within warmTolerance.
func (p *prover) warmup() error {
	w := &p.proof.Warmup
	w.Bars = p.full.Preview.Data.Warmup
	base := p.subject
	cfg := *base.Config
	defer func() { p.subject = base }()
	p.subject.Config = &cfg
	if cfg.Data.From == instrument.None {
		cfg.Data.From = p.later()
	}
	if cfg.Data.From == instrument.None {
		p.add("warmup", Skipped, "the data has no more than the history that the rules need")
		return nil
	}
	w.From = cfg.Data.From.String()
	plain, err := p.play(p.src, backtest.Following{})
	if errors.Is(err, bar.ErrNoData) {
		p.add("warmup", Skipped, "no bars from %s on", w.From)
		return nil
	}
	if err != nil {
		return err
	}
	for _, extra := range []int{1, 60, 1000} {
		more, err := p.play(p.src, backtest.Following{Extra: extra})
		if err != nil {
			return err
		}
		w.measure(plain.Preview, more.Preview)
		if d := near(plain, more); d != nil {
			p.add("warmup", Fails, "with %d more bars of history, at %s: %s", extra, p.moment(d.at), d.words())
			return nil
		}
	}
	if w.Extra == 0 {
		p.add("warmup", Skipped, "the data has no more than the history that the rules need")
		return nil
	}
	largest := 0.0
	for _, c := range w.Columns {
		largest = max(largest, c.Error)
	}
	indicators := "nor any indicator"
	if largest > 0 {
		indicators = fmt.Sprintf("and no indicator by more than %.1e of its range", largest)
	}
	p.add("warmup", Holds, "the rules need %d bars of history: up to %d more change no decision, %s", w.Bars, w.Extra, indicators)
	return nil
}

// later is a session by which the history is there that the rules need, and a third of the rest behind it.
func (p *prover) later() instrument.Date {
	best := instrument.None
	for i := range p.full.Preview.Symbols {
		t := &p.full.Preview.Symbols[i].Time
		k := p.full.Preview.Data.Warmup + 1
		if k += (t.Len() - k) / 3; k > 0 && k < t.Len()-1 && t.Len() > p.full.Preview.Data.Warmup+3 {
			if d := p.src.Calendar().DateOf(t.Nanos[k]); t.Daily {
				best = max(best, t.Date(k))
			} else {
				best = max(best, d)
			}
		}
	}
	return best
}

// measure notes how much more history changes columns.
func (w *Warmup) measure(plain, more *backtest.Preview) {
	for i := range plain.Symbols {
		if i >= len(more.Symbols) || more.Symbols[i].Symbol != plain.Symbols[i].Symbol || more.Symbols[i].Strategy != plain.Symbols[i].Strategy {
			continue
		}
		a, b := &plain.Symbols[i], &more.Symbols[i]
		shift := b.Time.Len() - a.Time.Len()
		w.Extra = max(w.Extra, shift)
		for k := range a.Columns {
			x, y := a.Columns[k].Values, b.Columns[k].Values
			off, size := 0.0, 0.0
			for r := max(0, a.Warm-1); r < len(x); r++ {
				if d := math.Abs(x[r] - y[r+shift]); d == d {
					off, size = max(off, d), max(size, math.Abs(y[r+shift]))
				}
			}
			if off > 0 {
				w.note(a.Columns[k].Name, off/size)
			}
		}
	}
}

// note keeps the largest error of a column.
func (w *Warmup) note(name string, x float64) {
	for k := range w.Columns {
		if w.Columns[k].Name == name {
			w.Columns[k].Error = max(w.Columns[k].Error, x)
			return
		}
	}
	w.Columns = append(w.Columns, WarmError{name, x})
}

// near is the first decision in which two runs differ by more than the tolerance.
func near(plain, more *backtest.Trace) *difference {
	for k := range max(len(plain.Events), len(more.Events)) {
		switch {
		case k >= len(plain.Events):
			e := &more.Events[k]
			return &difference{e.At, e.Symbol, e.What, "not there", shown(e)}
		case k >= len(more.Events):
			e := &plain.Events[k]
			return &difference{e.At, e.Symbol, e.What, shown(e), "not there"}
		}
		a, b := &plain.Events[k], &more.Events[k]
		if a.At != b.At || a.Symbol != b.Symbol || a.What != b.What {
			return &difference{a.At, a.Symbol, a.What, shown(a), "another decision: " + b.Symbol + " " + b.What + " " + shown(b)}
		}
		for i, x := range a.Numbers {
			if y := b.Numbers[i]; !same(x, y) && !(math.Abs(x-y) <= warmTolerance*math.Abs(x)) {
				return &difference{a.At, a.Symbol, a.What, shown(a), shown(b)}
			}
		}
	}
	return nil
}
