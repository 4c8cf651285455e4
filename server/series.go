package server

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/server/account"
)

func (s *Server) seriesOperations() {
	const in = "/api/backtest/results/{run_id}/"
	problems := []string{"not-found", "not-finished"}
	operation(s, route{id: "equity", method: "GET", path: in + "equity", tag: "runs", summary: "Get the equity curve, its drawdown and the benchmark; zoom with from and to", status: 200, scope: account.Read, problems: problems}, s.equity)
	operation(s, route{id: "trades", method: "GET", path: in + "trades", tag: "runs", summary: "Page through the round trips", status: 200, scope: account.Read, problems: append(problems, "bad-cursor")}, s.trades)
	operation(s, route{id: "journal", method: "GET", path: in + "journal", tag: "runs", summary: "Page through the fills", status: 200, scope: account.Read, problems: append(problems, "bad-cursor")}, s.journal)
	operation(s, route{id: "run-bars", method: "GET", path: in + "bars", tag: "runs", summary: "Get the bars of a symbol that the run traded, and its fills", status: 200, scope: account.Read, problems: problems}, s.runBars)
}

// Curve is the equity of a run, drawn so that extremes stay.
type Curve struct {
	T           []int64    `json:"t" doc:"milliseconds since 1970; of daily bars midnight UTC of the session"`
	Equity      []float64  `json:"equity" doc:"USD"`
	Drawdown    []float64  `json:"drawdown" doc:"fraction below the highest equity before, 0 or negative"`
	Long        []float64  `json:"long,omitempty" doc:"long positions at their value at entry as a fraction of equity, at the close of the last session that has ended at t; trades within one session do not show"`
	Short       []float64  `json:"short,omitempty" doc:"short ones likewise, positive; absent where the run never was short"`
	Benchmark   []*float64 `json:"benchmark,omitempty" doc:"total return, scaled to the starting equity"`
	StopFirst   []*float64 `json:"stop_first,omitempty" doc:"where bars leave open whether stop or target came first: equity of the run again with the stop first in each of them, at the end of the last session at or before t, USD"`
	TargetFirst []*float64 `json:"target_first,omitempty" doc:"the same with the target first"`
	Points      int        `json:"points_total" doc:"how many there are in the range before sampling"`
}

// span is a range of time, both ends included; zero ends are open.
type span struct{ from, to int64 }

func (s span) holds(ns int64) bool {
	return (s.from == 0 || ns >= s.from) && (s.to == 0 || ns <= s.to)
}

type SpanInput struct {
	From   string `query:"from" maxLength:"40" doc:"YYYY-MM-DD or RFC 3339"`
	To     string `query:"to" maxLength:"40"`
	Points int    `query:"points" minimum:"100" maximum:"20000" default:"2000"`
}

func (in SpanInput) span() (span, error) {
	var out span
	for _, x := range []struct {
		name, text string
		into       *int64
		end        bool
	}{{"from", in.From, &out.from, false}, {"to", in.To, &out.to, true}} {
		if x.text == "" {
			continue
		}
		if d, err := instrument.ParseDate(x.text); err == nil {
			t := d.Time()
			if x.end {
				t = t.AddDate(0, 0, 1).Add(-1)
			}
			*x.into = t.UnixNano()
		} else if t, err := time.Parse(time.RFC3339, x.text); err == nil {
			*x.into = t.UnixNano()
		} else {
			p := problem("validation", x.name+": want YYYY-MM-DD or RFC 3339, not "+strconv.Quote(clip(x.text, 40)))
			p.Errors = []Fault{{Pointer: x.name, Code: "date", Detail: p.Detail}}
			return out, p
		}
	}
	return out, nil
}

// within is the part of rising times that lies in a span.
func within(times []int64, in span) (first, end int) {
	for first < len(times) && !in.holds(times[first]) {
		first++
	}
	for end = first; end < len(times) && in.holds(times[end]); end++ {
	}
	return first, end
}

// sample chooses at most points of n values so that the highest and the lowest of every stretch stay,
// and the first and the last one.
func sample(value func(int) float64, first, end, points int) []int {
	n := end - first
	if n <= points {
		all := make([]int, n)
		for i := range all {
			all[i] = first + i
		}
		return all
	}
	buckets := (points - 2) / 2
	out := append(make([]int, 0, points), first)
	for b := range buckets {
		lo, hi := first+1+b*(n-2)/buckets, first+1+(b+1)*(n-2)/buckets
		if lo >= hi {
			continue
		}
		least, most := lo, lo
		for i := lo + 1; i < hi; i++ {
			if value(i) < value(least) {
				least = i
			}
			if value(i) > value(most) {
				most = i
			}
		}
		out = append(out, min(least, most))
		if least != most {
			out = append(out, max(least, most))
		}
	}
	return append(out, end-1)
}

// curveOf draws the equity of a run at some places of its curve.
func curveOf(x *storedResult, in span, points int) (c Curve, places []int) {
	times, equity := x.Equity.Time.Nanos, x.Equity.Value
	drawdown, peak := make([]float64, len(equity)), math.Inf(-1)
	for i, v := range equity {
		peak = max(peak, v)
		if peak > 0 {
			drawdown[i] = v/peak - 1
		}
	}
	bench := map[int64]float64{}
	if x.Benchmark != nil {
		for i, t := range x.Benchmark.Time.Nanos {
			bench[t] = x.Benchmark.Value[i]
		}
	}
	first, end := within(times, in)
	c = Curve{T: []int64{}, Equity: []float64{}, Drawdown: []float64{}, Points: end - first}
	places = sample(func(i int) float64 { return equity[i] }, first, end, points)
	for _, i := range places {
		c.T = append(c.T, times[i]/1e6)
		c.Equity = append(c.Equity, equity[i])
		c.Drawdown = append(c.Drawdown, drawdown[i])
		if x.Benchmark != nil {
			var v *float64
			if b, ok := bench[times[i]]; ok {
				v = &b
			}
			c.Benchmark = append(c.Benchmark, v)
		}
		if a := x.Ambiguity; a != nil && a.Sessions.Len() > 0 {
			k := lastSession(x.Equity.Time, i, a.Sessions)
			c.StopFirst, c.TargetFirst = append(c.StopFirst, atOrLast(a.StopFirst.Equity, k)), append(c.TargetFirst, atOrLast(a.TargetFirst.Equity, k))
		}
	}
	return c, places
}

// atOrLast is values[k], the last one for places beyond: an account with nothing left stays as it is.
func atOrLast(values []float64, k int) *float64 {
	if k = min(k, len(values)-1); k < 0 {
		return nil
	}
	return &values[k]
}

type equityOutput struct{ Body Curve }

func (s *Server) equity(ctx context.Context, in *struct {
	RunInput
	SpanInput
}) (*equityOutput, error) {
	within, err := in.span()
	if err != nil {
		return nil, err
	}
	x, err := s.finishedResult(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	return &equityOutput{exposedCurve(x, within, in.Points)}, nil
}

func (s *Server) finishedResult(ctx context.Context, id string) (*storedResult, error) {
	r, err := s.finished(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.result(ctx, r)
}

type PageInput struct {
	Cursor string `query:"cursor" maxLength:"1000" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// RowsInput is PageInput for rows that are small and many.
type RowsInput struct {
	Cursor string `query:"cursor" maxLength:"1000" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"5000" default:"50"`
}

type tradesOutput struct {
	Link string `header:"Link"`
	Body struct {
		Items      []backtest.Trade `json:"items"`
		Total      int              `json:"total"`
		NextCursor *string          `json:"next_cursor"`
	}
}

func (s *Server) trades(ctx context.Context, in *struct {
	RunInput
	RowsInput
	Symbol string `query:"symbol" maxLength:"32"`
}) (*tradesOutput, error) {
	x, err := s.finishedResult(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	out := &tradesOutput{}
	list := x.Trades
	if in.Symbol != "" {
		list = nil
		for _, t := range x.Trades {
			if t.Symbol == in.Symbol {
				list = append(list, t)
			}
		}
	}
	out.Body.Total = len(list)
	out.Body.Items, out.Body.NextCursor, err = part(s, list, "trades "+in.RunID+" "+in.Symbol, PageInput(in.RowsInput))
	out.Link = s.nextLink("/api/backtest/results/"+in.RunID+"/trades", out.Body.NextCursor, "limit", strconv.Itoa(in.Limit), "symbol", in.Symbol)
	return out, err
}

type journalOutput struct {
	Link string `header:"Link"`
	Body struct {
		Items      []backtest.Fill `json:"items"`
		Total      int             `json:"total"`
		NextCursor *string         `json:"next_cursor"`
	}
}

func (s *Server) journal(ctx context.Context, in *struct {
	RunInput
	RowsInput
	Symbol string `query:"symbol" maxLength:"32"`
}) (*journalOutput, error) {
	x, err := s.finishedResult(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	out := &journalOutput{}
	list := fillsOf(x, in.Symbol)
	out.Body.Total = len(list)
	out.Body.Items, out.Body.NextCursor, err = part(s, list, "journal "+in.RunID+" "+in.Symbol, PageInput(in.RowsInput))
	out.Link = s.nextLink("/api/backtest/results/"+in.RunID+"/journal", out.Body.NextCursor, "limit", strconv.Itoa(in.Limit), "symbol", in.Symbol)
	return out, err
}

func fillsOf(x *storedResult, symbol string) []backtest.Fill {
	if symbol == "" {
		return x.Fills
	}
	list := []backtest.Fill{}
	for _, f := range x.Fills {
		if f.Symbol == symbol {
			list = append(list, f)
		}
	}
	return list
}

// part is one page of a list that does not change, whose cursor is the place in it.
func part[T any](s *Server, list []T, of string, in PageInput) (items []T, next *string, err error) {
	at := 0
	if in.Cursor != "" {
		var c placeCursor
		if err := s.readCursor(in.Cursor, of, &c); err != nil {
			return nil, nil, err
		}
		at = c.At
	}
	if at < 0 || at > len(list) {
		return nil, nil, problem("bad-cursor", "")
	}
	end := min(len(list), at+in.Limit)
	items = append([]T{}, list[at:end]...)
	if end < len(list) {
		text := s.cursor(of, placeCursor{end})
		next = &text
	}
	return items, next, nil
}

type placeCursor struct {
	At int `json:"at"`
}

// RunBars are the bars of one symbol of a run, and what the run did there.
type RunBars struct {
	Symbol string          `json:"symbol"`
	Frame  string          `json:"frame"`
	Bars   Candles         `json:"bars"`
	Fills  []backtest.Fill `json:"fills" doc:"in the range; the first 5000"`
}

// Candles are bars as columns. Where there are more than points, several are drawn together: the first
// open, the highest high, the lowest low, the last close, all of the volume.
type Candles struct {
	T      []int64    `json:"t" doc:"milliseconds since 1970: the start of the bar; of daily bars midnight UTC of the session"`
	Open   []*float64 `json:"open" doc:"USD as traded"`
	High   []*float64 `json:"high"`
	Low    []*float64 `json:"low"`
	Close  []*float64 `json:"close"`
	Volume []*float64 `json:"volume" doc:"shares"`
	Points int        `json:"points_total" doc:"how many there are in the range before sampling"`
}

func (s *Server) runBars(ctx context.Context, in *struct {
	RunInput
	SpanInput
	Symbol string `query:"symbol" maxLength:"32" doc:"the first of the run when absent"`
}) (*struct{ Body RunBars }, error) {
	r, err := s.finished(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	x, err := s.result(ctx, r)
	if err != nil {
		return nil, err
	}
	range_, err := in.span()
	if err != nil {
		return nil, err
	}
	if in.Symbol == "" && len(r.Symbols) > 0 {
		in.Symbol = r.Symbols[0]
	}
	if !symbolPattern().MatchString(in.Symbol) {
		return nil, problem("not-found", "the run has no such symbol")
	}
	frame, first, last := runRange(x)
	b, err := s.load(ctx, bar.Request{Symbol: in.Symbol, Frame: frame, From: first, To: last, Session: bar.Regular})
	if errors.Is(err, bar.ErrNoData) {
		err = &backtest.NoDataError{Frame: frame.String(), From: first.String(), To: last.String(), Err: err,
			Rows: []backtest.Missing{{Symbol: in.Symbol, Reason: "no bars over the time of the run"}}}
	}
	if err != nil {
		return nil, err
	}
	out := RunBars{Symbol: in.Symbol, Frame: frame.String(), Bars: candles(b, range_, in.Points), Fills: []backtest.Fill{}}
	for _, f := range fillsOf(x, in.Symbol) {
		if len(out.Fills) < 5000 {
			out.Fills = append(out.Fills, f)
		}
	}
	return &struct{ Body RunBars }{out}, nil
}

// candles draws bars in at most points.
func candles(b *bar.Series, in span, points int) Candles {
	first, end := within(b.Time, in)
	c := Candles{T: []int64{}, Open: []*float64{}, High: []*float64{}, Low: []*float64{}, Close: []*float64{}, Volume: []*float64{}, Points: end - first}
	n := end - first
	width := max(1, (n+points-1)/points)
	for at := first; at < end; at += width {
		stop := min(end, at+width)
		high, low, volume := math.Inf(-1), math.Inf(1), 0.0
		for i := at; i < stop; i++ {
			high, low, volume = max(high, b.High[i]), min(low, b.Low[i]), volume+b.Volume[i]
		}
		c.T = append(c.T, b.Time[at]/1e6)
		c.Open = append(c.Open, finite(b.Open[at]))
		c.High = append(c.High, finite(high))
		c.Low = append(c.Low, finite(low))
		c.Close = append(c.Close, finite(b.Close[stop-1]))
		c.Volume = append(c.Volume, finite(volume))
	}
	return c
}

// finite is a number, or nil where there is none: JSON knows no other.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
