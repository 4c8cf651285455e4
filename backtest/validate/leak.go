package validate

import (
	"errors"
	"math"
	"sort"

	"backtester/backtest"
	"backtester/backtest/bar"
)

// Leak is a decision that knew something later than itself.
type Leak struct {
	Time   string `json:"time"`   // of the bar that decided
	Symbol string `json:"symbol"` // that the decision is about, "" for the account
	What   string `json:"what"`   // column, decision or fill
	Was    string `json:"was"`    // on all data
	Became string `json:"became"` // with another future

	// What it knew, as far as it could be told: the last later bar that matters, the column, the symbol
	// and the value in the data.
	FromTime   string   `json:"from_time,omitempty"`
	FromColumn string   `json:"from_column,omitempty"`
	FromSymbol string   `json:"from_symbol,omitempty"`
	FromValue  *float64 `json:"from_value,omitempty"`
}

// trace finds out which later value a decision knew, once: by changing less and less of the future until
// the decision is as before.
func (p *prover) trace(d *difference, m mode, c int) error {
	if p.proof.Leak != nil {
		return nil
	}
	leak := &Leak{Time: p.moment(d.at), Symbol: d.symbol, What: d.what, Was: d.was, Became: d.became}
	p.proof.Leak = leak
	at := sort.Search(len(p.full.Time), func(k int) bool { return p.full.Time[k] >= d.at })
	until := min(at, c)
	changes := func(f fog) bool { return p.changes(f, until) }
	if !changes(fog{from: p.ends[until]}) {
		return p.ctx.Err() // it depends on how much follows, not on values
	}
	// The last step from which on the future must be changed for the decision to change.
	last := until + sort.Search(len(p.ends)-until-1, func(k int) bool { return !changes(fog{from: p.ends[until+k+1]}) })
	if last+1 >= len(p.ends) {
		return p.ctx.Err()
	}
	leak.FromTime = p.stamp(last + 1)
	only := fog{from: p.ends[last], to: p.ends[last+1]}
	if !changes(only) {
		return p.ctx.Err() // not a number of this bar alone: an action, or several together
	}
	for k, name := range []string{"close", "open", "high", "low", "volume"} {
		f := only
		f.columns = []uint8{8, 1, 2, 4, 16}[k]
		if changes(f) {
			leak.FromColumn, only = name, f
			break
		}
	}
	p.source(leak, only, last+1, changes)
	return p.ctx.Err()
}

// changes reports whether another future changes anything up to step c. One that happens to lead to the
// same decisions says little, so several are tried.
func (p *prover) changes(f fog, c int) bool {
	for k, scale := range []float64{50, 0.02, 0, 0, math.NaN()} {
		f.mode, f.seed, f.scale = random, p.plan.Seed+uint64(k), scale
		x, err := p.differs(f, c)
		if p.ctx.Err() != nil || errors.Is(err, bar.ErrNoData) {
			return false
		}
		if x != nil || err != nil { // a decision that fails on other values knew them
			return true
		}
	}
	return false
}

// maxAsked bounds how many symbols are tried one by one.
const maxAsked = 50

// source finds the symbol that a leak came from, and the value.
func (p *prover) source(leak *Leak, only fog, step int, changes func(fog) bool) {
	if leak.FromColumn == "" {
		return
	}
	order := []string{leak.Symbol}
	for _, s := range p.full.Preview.Symbols {
		if s.Symbol != leak.Symbol && s.Symbol != order[len(order)-1] {
			order = append(order, s.Symbol)
		}
	}
	for i, name := range order {
		if only.symbol = name; name == "" || i > maxAsked || !changes(only) {
			continue
		}
		leak.FromSymbol = name
		for k := range p.full.Preview.Symbols {
			if s := &p.full.Preview.Symbols[k]; s.Symbol == name && leak.FromValue == nil {
				leak.FromValue = valueAt(s, leak.FromColumn, p.full.Time[step])
			}
		}
		return
	}
}

// valueAt is a column of the bars at a moment; nil without a bar.
func valueAt(s *backtest.SymbolPreview, column string, ns int64) *float64 {
	col := map[string]backtest.Values{"open": s.Open, "high": s.High, "low": s.Low, "close": s.Close, "volume": s.Volume}[column]
	for r, at := range s.Time.Nanos {
		if at == ns {
			x := col[r]
			return &x
		}
	}
	return nil
}
