package validate

import (
	"context"
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// mode is what becomes of the future.
type mode string

const (
	truncated mode = "truncated" // there is none
	absent    mode = "absent"    // every number in it is NaN
	random    mode = "random"    // every number in it is another one
)

func (m mode) words() string {
	switch m {
	case truncated:
		return "when the data ends there"
	case absent:
		return "when every later price is absent"
	}
	return "when every later price, volume and action is another one"
}

// fog is a source whose bars are changed from a moment on. How a series ends (delisted, data ended) is
// told as before, unless the end is cut off: it is not part of what is proved.
type fog struct {
	src     bar.Source
	cal     *bar.Calendar
	mode    mode
	from    int64 // bars that end later are changed, ns UTC
	to      int64 // but none that ends later than this; 0: all
	columns uint8 // only these, as bits in the order of a bar; 0: all
	symbol  string
	seed    uint64
	scale   float64 // every number times this, instead of at random; 0: at random
}

// Name of the source that lies in the fog.
func (f *fog) Name() string            { return f.src.Name() }
func (f *fog) Calendar() *bar.Calendar { return f.cal }
func (f *fog) Synthetic() bool         { return f.src.Synthetic() }

// Checked: absent prices are no bars that a check would let pass.
func (f *fog) Checked() {}

// Coverage is that of the source: which securities there are is known.
func (f *fog) Coverage(ctx context.Context, frame bar.Frame) ([]bar.Coverage, error) {
	return f.src.Coverage(ctx, frame)
}

// Load changes what comes after the moment.
func (f *fog) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	s, err := f.src.Load(ctx, r)
	if err != nil {
		return nil, err
	}
	n := s.Len()
	first := 0
	for first < n && bar.BarEnd(s, first, f.cal) <= f.from {
		first++
	}
	if first == n || f.symbol != "" && f.symbol != r.Symbol {
		return s, nil
	}
	if f.mode == truncated {
		for first > s.Warm && s.Volume[first-1] == 0 {
			first-- // a bar without volume is none, and where there are no others the range has not begun
		}
		if first == 0 {
			return nil, fmt.Errorf("%w: %s has no bar by then", bar.ErrNoData, r.Symbol)
		}
		c := s.Slice(0, first)
		f.forget(c)
		c.Ended = false
		return c, nil
	}
	c := *s
	for k, col := range []*[]float64{&c.Open, &c.High, &c.Low, &c.Close, &c.Volume} {
		if f.columns != 0 && f.columns>>k&1 == 0 {
			continue
		}
		*col = slices.Clone(*col)
		for i := first; i < n && (f.to == 0 || bar.BarEnd(s, i, f.cal) <= f.to); i++ {
			(*col)[i] = f.change((*col)[i], cell{r.Symbol, s.Time[i], k})
		}
	}
	if f.columns == 0 && f.to == 0 {
		f.forget(&c)
	}
	return &c, nil
}

// forget drops the actions that are executed after the moment; with a random future a split takes their
// place.
func (f *fog) forget(s *bar.Series) {
	last := f.cal.DateOf(f.from - 1)
	a := &s.Actions
	a.Splits = slices.DeleteFunc(slices.Clone(a.Splits), func(x instrument.Split) bool { return x.Ex > last })
	a.Dividends = slices.DeleteFunc(slices.Clone(a.Dividends), func(x instrument.Dividend) bool {
		return x.Ex > last && (x.Declared == 0 || x.Declared > last) // what was announced is known
	})
	if f.mode == random && !s.Adjusted {
		a.Splits = append(a.Splits, instrument.Split{Ex: last + 1, From: 1, To: 3})
	}
	if f.mode == truncated && s.Delisted > last {
		s.Delisted = instrument.None
	}
}

// cell is one number of the data.
type cell struct {
	symbol string
	time   int64
	column int
}

// change is what a number becomes: never itself, never near it.
func (f *fog) change(x float64, c cell) float64 {
	if f.mode == absent {
		return math.NaN()
	}
	if f.scale != 0 {
		return x * f.scale
	}
	h := fnv.New64a()
	fmt.Fprint(h, f.seed, c.symbol, c.time)
	u := h.Sum64()
	common := float64(u>>11) / (1 << 53) // one for the bar, so that it stays one
	fmt.Fprint(h, c.column)
	own := float64(h.Sum64()>>11) / (1 << 53)
	factor := 0.3 + 0.5*common // below, or above what it was
	if u&1 != 0 {
		factor = 1.3 + 2*common
	}
	switch c.column {
	case 1:
		factor *= 1.25
	case 2:
		factor *= 0.75
	default:
		factor *= 0.8 + 0.4*own
	}
	return float64(x * factor)
}
