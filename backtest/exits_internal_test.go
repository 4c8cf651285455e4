package backtest

import (
	"math"
	"math/rand/v2"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/portfolio"
)

// A bar that touches no stop and no target is not matched against them. Nothing would have come of it: not at its
// open, not within it and not at its close, however the settings read a touch.
func TestUntouchedLevelsDoNotFill(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 15))
	step := func() float64 { return 10 + float64(r.IntN(12))/4 } // few prices, so that equal ones are common
	spared, filled := 0, 0
	for range 200_000 {
		open, last := step(), step()
		b := fill.Bar{Open: open, High: max(open, last, step()), Low: min(open, last, step()), Close: last, Volume: 1}
		s := state{ways: []way{{price: step()}}}
		if r.IntN(2) == 0 {
			s.ways = append(s.ways, way{price: step(), target: true})
		}
		e := &engine{st: []state{s}, books: &portfolio.Books{Pos: []portfolio.Position{{Qty: float64(r.IntN(2)*2 - 1)}}},
			m: &market{syms: []symbol{{bars: &bar.Series{High: []float64{b.High}, Low: []float64{b.Low}}}}}}
		side := closing(e.books.Pos[0].Qty > 0)
		l := fill.Levels{Stop: s.ways[0].price, Target: math.NaN()}
		if len(s.ways) == 2 {
			l.Target = s.ways[1].price
		}
		_, hit := fill.ExitAtOpen(side, l, open)
		for _, touch := range []bool{false, true} {
			within, ok := fill.ExitWithin(side, l, b, fill.Before, fill.Rules{LimitTouch: touch})
			hit = hit || ok || within.Ambiguous || fill.StopWithin(side, l.Stop, b) || fill.LimitWithin(side, l.Target, b, touch)
		}
		switch touched := e.touched(0); {
		case hit && !touched:
			t.Fatalf("levels %+v of an order to %v count as untouched by %+v", l, side, b)
		case touched:
			filled++
		default:
			spared++
		}
	}
	if spared < 20_000 || filled < 20_000 {
		t.Errorf("%d bars touch nothing and %d something: the test shows little", spared, filled)
	}
}

// The next row of a bitset is the one that is found by looking at every row.
func TestNextInABitset(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 15))
	for range 20_000 {
		set := make([]uint64, 1+r.IntN(4))
		for k := range set {
			if set[k] = r.Uint64() & r.Uint64() & r.Uint64(); r.IntN(2) == 0 {
				set[k] = 0
			}
		}
		flip := -uint64(r.IntN(2))
		to := int32(r.IntN(64*len(set) + 1))
		from := int32(r.IntN(int(to) + 1))
		want := from
		for want < to && (set[want>>6]^flip)>>(want&63)&1 == 0 {
			want++
		}
		if got := nextIn(set, flip, from, to); got != want {
			t.Fatalf("rows [%d, %d) of %x flipped by %x: %d, want %d", from, to, set, flip, got, want)
		}
	}
}
