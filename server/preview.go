package server

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"backtester/backtest"
	"backtester/backtest/strategy"
)

// Limits of previews, which are computed while the client waits.
const (
	previewTime = 10 * time.Second
	previewBars = 50_000
)

// Preview is what a strategy sees before any money moves.
type Preview struct {
	Strategy string             `json:"strategy"`
	Config   any                `json:"config" doc:"every setting, defaults included"`
	Data     any                `json:"data" doc:"what it stands on"`
	Counts   any                `json:"counts" doc:"how often each condition held, and how many bars were warming up"`
	Symbols  []PreviewSymbol    `json:"symbols"`
	Warnings []backtest.Warning `json:"warnings"`
}

// PreviewSymbol is one symbol's bars and what the strategy makes of them. Columns are as long as t; the
// first warm bars lie before the range. Where there are more bars than asked for, each t stands for
// several: columns are those of the last of them, and a signal is true where it is for any of them.
type PreviewSymbol struct {
	Symbol   string          `json:"symbol"`
	Strategy string          `json:"strategy,omitempty" doc:"whose rules these are, where several share the account"`
	Warm     int             `json:"warm"`
	Bars     Candles         `json:"bars"`
	Dates    []string        `json:"dates" doc:"YYYY-MM-DD, or RFC 3339 of bars within the day"`
	Columns  []PreviewColumn `json:"columns"`
	Entries  []bool          `json:"entries"`
	Exits    []bool          `json:"exits"`
	Shorts   []bool          `json:"shorts,omitempty"`
	Covers   []bool          `json:"covers,omitempty"`
	Members  []bool          `json:"members,omitempty" doc:"in the universe, where that changes over time"`
}

// PreviewColumn is an indicator or a signal.
type PreviewColumn struct {
	Name   string     `json:"name"`
	Kind   string     `json:"kind" enum:"number,condition"`
	Pane   string     `json:"pane" doc:"price: it belongs on the chart of prices"`
	Values []*float64 `json:"values"`
}

// LegacyPreview is the answer to a document of the former application.
type LegacyPreview struct {
	Success bool              `json:"success"`
	Data    LegacyPreviewData `json:"data"`
	Changes []string          `json:"changes,omitempty" doc:"what is done differently from the former application, and why"`
}

// LegacyPreviewData has one value a bar in every column.
type LegacyPreviewData struct {
	Dates      []string              `json:"dates"`
	OHLCV      map[string][]*float64 `json:"ohlcv"`
	Indicators map[string][]*float64 `json:"indicators"`
	Signals    map[string][]bool     `json:"signals"`
	Summary    map[string]int        `json:"summary"`
}

// previewAnswer is one of the two shapes.
type previewAnswer struct{ value any }

// MarshalJSON is the shape that was asked for.
func (a previewAnswer) MarshalJSON() ([]byte, error) { return json.Marshal(a.value) }

// Schema says that it is either.
func (a previewAnswer) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{r.Schema(typeFor[Preview](), true, "Preview"), r.Schema(typeFor[LegacyPreview](), true, "LegacyPreview")}}
}

type previewOutput struct{ Body previewAnswer }

func (s *Server) preview(ctx context.Context, in *struct{ RawBody []byte }) (*previewOutput, error) {
	q := PreviewRequest{MaxPoints: 5000}
	var cfg *strategy.File
	var notes []string
	var err error
	old := isLegacy(in.RawBody)
	if old {
		cfg, notes, err = convert(in.RawBody, true)
	} else if err = decode(in.RawBody, &q); err == nil {
		cfg, err = s.file(ctx, &q.StrategyRequest)
	}
	if err == nil && (q.MaxPoints < 100 || q.MaxPoints > 20_000) {
		p := problem("validation", "max_points: want 100 to 20000, not "+strconv.Itoa(q.MaxPoints))
		p.Errors = []Fault{{Pointer: "/max_points", Code: "range", Detail: p.Detail}}
		err = p
	}
	if err != nil {
		return nil, err
	}
	p, err := s.computePreview(ctx, cfg)
	if err != nil {
		return nil, noneStored(err, cfg)
	}
	if old {
		return &previewOutput{previewAnswer{LegacyPreview{true, legacyPreview(p), notes}}}, nil
	}
	return &previewOutput{previewAnswer{previewOf(p, q.MaxPoints)}}, nil
}

// computePreview computes within the limits, as many at a time as there are processors.
func (s *Server) computePreview(ctx context.Context, cfg *strategy.File) (*backtest.Preview, error) {
	ctx, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	select {
	case s.previews <- struct{}{}:
		defer func() { <-s.previews }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	d, err := s.Data()
	if err != nil {
		return nil, err
	}
	defer release(d)
	if err := previewFits(ctx, cfg, d); err != nil {
		return nil, err
	}
	return backtest.NewPreview(ctx, cfg, d)
}

func previewOf(p *backtest.Preview, points int) Preview {
	out := Preview{Strategy: p.Strategy, Config: p.Config, Data: p.Data, Counts: p.Counts, Symbols: []PreviewSymbol{}, Warnings: p.Warnings}
	if out.Warnings == nil {
		out.Warnings = []backtest.Warning{}
	}
	for i := range p.Symbols {
		out.Symbols = append(out.Symbols, previewSymbol(&p.Symbols[i], points))
	}
	return out
}

func previewSymbol(x *backtest.SymbolPreview, points int) PreviewSymbol {
	n := len(x.Time.Nanos)
	width := max(1, (n+points-1)/points)
	out := PreviewSymbol{Symbol: x.Symbol, Strategy: x.Strategy, Warm: x.Warm / width, Columns: []PreviewColumn{}, Dates: []string{},
		Bars:    Candles{T: []int64{}, Open: []*float64{}, High: []*float64{}, Low: []*float64{}, Close: []*float64{}, Volume: []*float64{}, Points: n},
		Entries: anyTrue(x.Entries, width), Exits: anyTrue(x.Exits, width), Shorts: anyTrue(x.Shorts, width), Covers: anyTrue(x.Covers, width), Members: anyTrue(x.Members, width)}
	for at := 0; at < n; at += width {
		stop := min(n, at+width)
		high, low, volume := math.Inf(-1), math.Inf(1), 0.0
		for i := at; i < stop; i++ {
			high, low, volume = max(high, x.High[i]), min(low, x.Low[i]), volume+x.Volume[i]
		}
		b := &out.Bars
		b.T, out.Dates = append(b.T, x.Time.Nanos[at]/1e6), append(out.Dates, x.Time.At(at))
		b.Open, b.High, b.Low = append(b.Open, finite(x.Open[at])), append(b.High, finite(high)), append(b.Low, finite(low))
		b.Close, b.Volume = append(b.Close, finite(x.Close[stop-1])), append(b.Volume, finite(volume))
	}
	for _, c := range x.Columns {
		column := PreviewColumn{c.Name, c.Kind, c.Pane, []*float64{}}
		for at := 0; at < len(c.Values); at += width {
			column.Values = append(column.Values, finite(c.Values[min(len(c.Values), at+width)-1]))
		}
		out.Columns = append(out.Columns, column)
	}
	return out
}

// anyTrue is whether anything in each stretch of bars is true.
func anyTrue(x []bool, width int) []bool {
	if x == nil {
		return nil
	}
	out := []bool{}
	for at := 0; at < len(x); at += width {
		hit := false
		for _, v := range x[at:min(len(x), at+width)] {
			hit = hit || v
		}
		out = append(out, hit)
	}
	return out
}

// legacyPreview is the first symbol in the shape of the former application, without the bars that only
// warm indicators up.
func legacyPreview(p *backtest.Preview) LegacyPreviewData {
	out := LegacyPreviewData{Dates: []string{}, OHLCV: map[string][]*float64{}, Indicators: map[string][]*float64{}, Signals: map[string][]bool{}, Summary: map[string]int{}}
	if len(p.Symbols) == 0 {
		return out
	}
	x := &p.Symbols[0]
	for i := x.Warm; i < x.Time.Len(); i++ {
		out.Dates = append(out.Dates, x.Time.At(i))
	}
	column := func(v backtest.Values) []*float64 {
		list := []*float64{}
		for _, f := range v[min(x.Warm, len(v)):] {
			list = append(list, finite(f))
		}
		return list
	}
	out.OHLCV["open"], out.OHLCV["high"], out.OHLCV["low"], out.OHLCV["close"], out.OHLCV["volume"] = column(x.Open), column(x.High), column(x.Low), column(x.Close), column(x.Volume)
	for _, c := range x.Columns {
		if c.Kind == "number" {
			out.Indicators[c.Name] = column(c.Values)
		}
	}
	signals := func(name, count string, v []bool) {
		list := append([]bool{}, v[min(x.Warm, len(v)):]...)
		for _, hit := range list {
			if hit {
				out.Summary[count]++
			}
		}
		out.Signals[name] = list
	}
	out.Summary["total_bars"], out.Summary["entry_signals"], out.Summary["exit_signals"] = len(out.Dates), 0, 0
	signals("entry", "entry_signals", x.Entries)
	signals("exit", "exit_signals", x.Exits)
	return out
}
