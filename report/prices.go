package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/validate/stress"
)

const (
	mostPrices    = 6       // symbols with a price chart
	mostPriceText = 340_000 // bytes of all price charts
)

// prices draws the symbols that were traded most: bars, the indicators as the strategy sees them, and
// every fill. The bars come with p; they are not part of a result.
func (v *view) prices(p *backtest.Preview) (out []previewSymbol, note string) {
	if p == nil {
		return nil, ""
	}
	fills := map[[2]string][]backtest.Fill{}
	for _, f := range v.Fills {
		by := [2]string{f.Symbol, f.Strategy}
		fills[by] = append(fills[by], f)
	}
	of := func(s *backtest.SymbolPreview) []backtest.Fill { return fills[[2]string{s.Symbol, s.Strategy}] }
	var order []*backtest.SymbolPreview
	for i := range p.Symbols {
		if s := &p.Symbols[i]; len(of(s)) > 0 && s.Time.Len() > 1 {
			order = append(order, s)
		}
	}
	slices.SortStableFunc(order, func(a, b *backtest.SymbolPreview) int { return cmp.Compare(len(of(b)), len(of(a))) })
	size := 0
	for _, s := range order[:min(mostPrices, len(order))] {
		c := priceCharts(s, of(s), v.Result.Trades)
		for _, d := range c.Charts {
			size += len(d.Drawing)
		}
		if size > mostPriceText && len(out) > 0 {
			break
		}
		out = append(out, c)
	}
	if n := len(order) - len(out); n > 0 {
		note = fmt.Sprintf("%d more symbols were traded and are not drawn.", n)
	}
	return out, note
}

// priceCharts are all bars of a symbol and its last ones, with the panes of its indicators.
func priceCharts(s *backtest.SymbolPreview, fills []backtest.Fill, trades []backtest.Trade) previewSymbol {
	n := s.Time.Len()
	out := previewSymbol{Name: titleOf(s), Note: count(int64(len(fills)), "fill") + "; prices as traded, so that a split is a jump"}
	chart := func(title string, from, to int) cutout {
		c := cutOut(s, from, to)
		c.chart.marks, c.chart.warm = nil, 0
		c.chart.label = "Bars of " + out.Name + " with fills"
		c.chart.fills = placed(s, fills, from, to)
		c.chart.trips = trips(s, trades, from, to)
		title += ". Triangles: bought from below, sold from above; lines: from entry to exit"
		out.Charts = append(out.Charts, previewChart{title, c.overlays, c.chart.both()})
		return c
	}
	from := max(0, s.Warm-1)
	shown := chart("All bars", from, n)
	last := min(n-1, lastFill(s, fills)+closeUp/6)
	if first := max(from, last-closeUp); last-first >= 30 && n-from > 2*closeUp {
		shown = chart(fmt.Sprintf("The %d bars up to the last fill", last-first+1), first, last+1)
	}
	for _, col := range shown.panes[:min(3, len(shown.panes))] {
		c := curveChart{label: col.Name, dates: shown.dates, lines: []curveLine{{"c2", col.Values}}, unit: compact, h: 120}
		out.Charts = append(out.Charts, previewChart{col.Name, nil, c.both()})
	}
	return out
}

// lastFill is the bar of the last fill.
func lastFill(s *backtest.SymbolPreview, fills []backtest.Fill) int {
	last := s.Time.Len() - 1
	for i := len(fills) - 1; i >= 0; i-- {
		if at := barAt(s, fills[i].Time); at >= 0 {
			return at
		}
	}
	return last
}

// barAt is the bar of a stamp, or the last one before it; -1 before the first.
func barAt(s *backtest.SymbolPreview, stamp string) int {
	var ns int64
	if t, err := time.Parse(time.RFC3339, stamp); err == nil {
		ns = t.UnixNano()
	} else if d := dateOf(stamp); d != instrument.None {
		ns = d.Nanos()
	} else {
		return -1
	}
	at, found := slices.BinarySearch(s.Time.Nanos, ns)
	if !found {
		at--
	}
	return at
}

// placedFill is a fill at its bar and price.
type placedFill struct {
	bar   int
	price float64
	buy   bool
}

func placed(s *backtest.SymbolPreview, fills []backtest.Fill, from, to int) []placedFill {
	var out []placedFill
	for _, f := range fills {
		if at := barAt(s, f.Time); at >= from && at < to {
			out = append(out, placedFill{at - from, f.Price, f.Side == "buy" || f.Side == "cover"})
		}
	}
	return out
}

// trip is a round trip from bar to bar; the entry is restated where a split lies between, so those are
// left out.
type trip struct {
	from, to   int
	entry, out float64
	won        bool
}

func trips(s *backtest.SymbolPreview, trades []backtest.Trade, from, to int) []trip {
	var out []trip
	for i := range trades {
		t := &trades[i]
		if t.Symbol != s.Symbol || t.Strategy != s.Strategy {
			continue
		}
		a, b := barAt(s, t.EntryTime), barAt(s, t.ExitTime)
		if a < from || b >= to || a >= b || !near(s, a, t.EntryPrice) {
			continue
		}
		out = append(out, trip{a - from, b - from, t.EntryPrice, t.ExitPrice, t.PnL >= 0})
	}
	return out
}

// near reports whether a price can have been one of bar i, slippage allowed for.
func near(s *backtest.SymbolPreview, i int, price float64) bool {
	return price > s.Low[i]*0.9 && price < s.High[i]*1.1
}

// drawFills marks fills at their price, triangles pointing at it.
func (f *frame) drawFills(fills []placedFill, n int) {
	var d [2]strings.Builder
	for _, x := range fills {
		if math.IsNaN(x.price) {
			continue
		}
		at, dir := f.y(x.price), 1.0
		if !x.buy {
			dir = -1
		}
		fmt.Fprintf(&d[b2i(x.buy)], "M%s %sl4 %sh-8z", coord(f.x(float64(x.bar), n)), coord(at+dir), coord(8*dir))
	}
	for i, class := range []string{"leave", "enter"} {
		if d[i].Len() > 0 {
			f.el("path", "class", class, "d", d[i].String())
		}
	}
}

// drawTrips joins entries and exits.
func (f *frame) drawTrips(trips []trip, n int) {
	var d [2]strings.Builder
	for _, t := range trips {
		fmt.Fprintf(&d[b2i(t.won)], "M%s %sL%s %s", coord(f.x(float64(t.from), n)), coord(f.y(t.entry)), coord(f.x(float64(t.to), n)), coord(f.y(t.out)))
	}
	for i, class := range []string{"trip lost", "trip won"} {
		if d[i].Len() > 0 {
			f.el("path", "class", class, "d", d[i].String())
		}
	}
}

// Extras are what a tearsheet can show besides the result, where the data is at hand.
type Extras struct {
	// Bars are the bars and indicators of the run, as backtest.NewPreview gives them for its config; nil
	// leaves the price charts out.
	Bars *backtest.Preview
	// Draws is how many paths are simulated; 0 = 5,000, fewer where the run is long.
	Draws int
	// Stress is what other assumptions gave, as stress.Test finds it; nil leaves those chapters out.
	Stress *stress.Report
	// Selection is what the history knows of how often the data was searched; nil where it knows nothing.
	Selection *overfit.Selection
	// Factors are what Attribute finds; nil leaves that chapter out.
	Factors *stats.Attribution
	// Limits are thresholds of warnings that are not the defaults.
	Limits stats.Limits
}
