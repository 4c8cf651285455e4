package validate

import (
	"fmt"
	"math"
	"strconv"

	"backtester/backtest"
)

// difference is the first thing in which a run differs from the one on all data.
type difference struct {
	at          int64 // start of the bar at whose close it stands
	symbol      string
	what        string
	was, became string
}

func (d *difference) words() string {
	name := d.what
	if d.symbol != "" {
		name = d.symbol + " " + d.what
	}
	return fmt.Sprintf("%s is %s on all data, and %s", name, d.was, d.became)
}

// compare finds the earliest difference at or before a bar; nil when there is none.
func compare(full, other *backtest.Trace, until int64) *difference {
	best := columns(full.Preview, other.Preview, until)
	earlier := func(d *difference) {
		if d != nil && (best == nil || d.at < best.at) {
			best = d
		}
	}
	earlier(events(full.Events, other.Events, until))
	earlier(equity(full, other, until))
	return best
}

// same reports equal bits, and that both are absent.
func same(a, b float64) bool {
	return a == b && math.Signbit(a) == math.Signbit(b) || a != a && b != b
}

// columns compares everything that was computed from bars. Symbols without a bar by then may be missing.
func columns(full, other *backtest.Preview, until int64) *difference {
	var best *difference
	there := make(map[[2]string]*backtest.SymbolPreview, len(other.Symbols))
	for i := range other.Symbols {
		b := &other.Symbols[i]
		there[[2]string{b.Symbol, b.Strategy}] = b
	}
	for i := range full.Symbols {
		a := &full.Symbols[i]
		if a.Time.Len() == 0 || a.Time.Nanos[0] > until {
			continue
		}
		b := there[[2]string{a.Symbol, a.Strategy}]
		if b == nil {
			if at := firstMember(a); at <= until && (best == nil || at < best.at) {
				best = &difference{at, a.Symbol, whose(a.Strategy, "symbol"), "in the run", "not in it"}
			}
			continue
		}
		each(a, b, func(name string, x, y func(r int) float64) {
			for r := range min(a.Time.Len(), b.Time.Len()) {
				at := a.Time.Nanos[r]
				if at > until || best != nil && at >= best.at {
					return
				}
				if !same(x(r), y(r)) {
					best = &difference{at, a.Symbol, whose(a.Strategy, name), number(x(r)), number(y(r))}
					return
				}
			}
		})
	}
	return best
}

// firstMember is the first bar at which a symbol could be traded.
func firstMember(s *backtest.SymbolPreview) int64 {
	for r := range s.Time.Len() {
		if s.Members == nil || s.Members[r] {
			return s.Time.Nanos[r]
		}
	}
	return math.MaxInt64
}

// each visits the columns that two symbols have in common.
func each(a, b *backtest.SymbolPreview, visit func(name string, x, y func(r int) float64)) {
	for k := range min(len(a.Columns), len(b.Columns)) {
		visit(a.Columns[k].Name, func(r int) float64 { return a.Columns[k].Values[r] }, func(r int) float64 { return b.Columns[k].Values[r] })
	}
	for _, x := range []struct {
		name string
		a, b []bool
	}{{"universe", a.Members, b.Members}, {"entry", a.Entries, b.Entries}, {"exit", a.Exits, b.Exits},
		{"short entry", a.Shorts, b.Shorts}, {"short exit", a.Covers, b.Covers}} {
		if x.a != nil && x.b != nil {
			visit(x.name, func(r int) float64 { return truth(x.a[r]) }, func(r int) float64 { return truth(x.b[r]) })
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// number as people write it; NaN is absent.
func number(x float64) string {
	if x != x {
		return "absent"
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

// events compares decisions and fills.
func events(full, other []backtest.Event, until int64) *difference {
	for k := 0; ; k++ {
		var a, b *backtest.Event
		if k < len(full) && full[k].At <= until {
			a = &full[k]
		}
		if k < len(other) && other[k].At <= until {
			b = &other[k]
		}
		switch {
		case a == nil && b == nil:
			return nil
		case a == nil:
			return &difference{b.At, b.Symbol, b.What, "not there", shown(b)}
		case b == nil:
			return &difference{a.At, a.Symbol, a.What, shown(a), "not there"}
		case a.At != b.At && a.At < b.At, a.At == b.At && (a.Symbol != b.Symbol || a.What != b.What):
			return &difference{a.At, a.Symbol, a.What, shown(a), "another decision: " + b.Symbol + " " + b.What + " " + shown(b)}
		case a.At != b.At:
			return &difference{b.At, b.Symbol, b.What, "not there", shown(b)}
		}
		for i := range a.Numbers {
			if !same(a.Numbers[i], b.Numbers[i]) {
				return &difference{a.At, a.Symbol, a.What, shown(a), shown(b)}
			}
		}
	}
}

// shown are the numbers of an event.
func shown(e *backtest.Event) string {
	s := ""
	for i, x := range e.Numbers {
		if x == x {
			s += []string{" of ", " at ", " limit "}[i] + number(x)
		}
	}
	if s == "" {
		return "there"
	}
	return s[1:]
}

// equity compares the curves.
func equity(full, other *backtest.Trace, until int64) *difference {
	for t := range min(len(full.Equity), len(other.Equity)) {
		if full.Time[t] > until {
			return nil
		}
		if full.Time[t] != other.Time[t] {
			return &difference{min(full.Time[t], other.Time[t]), "", "time step", "there", "not there"}
		}
		if !same(full.Equity[t], other.Equity[t]) {
			return &difference{full.Time[t], "", "equity", number(full.Equity[t]), number(other.Equity[t])}
		}
	}
	return nil
}
