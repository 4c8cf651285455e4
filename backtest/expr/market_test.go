package expr_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

// walk is n daily bars of a random walk in cents, with whole sessions of the exchange's calendar.
func walk(n int, seed uint64) *bar.Series {
	r := rand.New(rand.NewPCG(seed, 7))
	s := &bar.Series{Symbol: "TEST", Frame: bar.Daily}
	d := instrument.NewDate(2001, 1, 1)
	cents := func(x float64) float64 { return math.Round(x*100) / 100 }
	last := 100.0
	for range n {
		if next := bar.NYSE().Next(d); next != instrument.Forever {
			d = next
		} else {
			d++ // longer than the calendar
		}
		o := cents(max(1, last*(1+0.01*(r.Float64()-0.5))))
		c := cents(max(1, o*(1+0.04*(r.Float64()-0.5))))
		h := cents(max(o, c) * (1 + 0.01*r.Float64()))
		l := cents(min(o, c) * (1 - 0.01*r.Float64()))
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.High, s.Low, s.Close = append(s.Open, o), append(s.High, h), append(s.Low, l), append(s.Close, c)
		s.Volume = append(s.Volume, float64(1000+r.IntN(100_000)))
		last = c
	}
	return s
}

// splitsEvery is a split every k bars: 2 for 1, 1 for 4, 2 for 1 ... Powers of two, so that restating
// is exact.
func splitsEvery(s *bar.Series, k int) []instrument.Split {
	var out []instrument.Split
	for i := k; i < s.Len(); i += k {
		sp := instrument.Split{Ex: s.Date(i), From: 1, To: 2}
		if len(out)%3 == 2 {
			sp.From, sp.To = 4, 1
		}
		out = append(out, sp)
	}
	return out
}

// compile compiles one text of either kind that must be right; the Ref is that of the last.
func compile(t testing.TB, s expr.Scope, texts ...string) *expr.Program {
	t.Helper()
	for i, text := range texts {
		s.Signals = append(s.Signals, expr.Named{Name: "q" + string(rune('a'+i)), Text: text, Pos: expr.Pos{Line: i + 1, Column: 1}})
	}
	p, ds := expr.NewCompiler(s).Program()
	if err := ds.Err(); err != nil {
		t.Fatal(err)
	}
	return p
}

// column evaluates one text without position variables.
func column(t testing.TB, s *bar.Series, b bar.Basis, text string) []float64 {
	t.Helper()
	p := compile(t, expr.Scope{}, text)
	r, _ := p.SignalRef("qa")
	return p.Bind(s, b, nil, &expr.Arena{}).Column(r)
}

// series is bars with the given closes; open, high and low are the close, volume is 1000.
func series(closes ...float64) *bar.Series {
	s := &bar.Series{Symbol: "TEST", Frame: bar.Daily, Close: closes, Open: closes, High: closes, Low: closes}
	d := instrument.NewDate(2024, 1, 1)
	for range closes {
		d = bar.NYSE().Next(d)
		s.Time = append(s.Time, d.Nanos())
		s.Volume = append(s.Volume, 1000)
	}
	return s
}

// same reports whether two columns have the same bits, all NaN being one.
func same(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) && !(math.IsNaN(a[i]) && math.IsNaN(b[i])) {
			return false
		}
	}
	return true
}
