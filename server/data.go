package server

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
	"backtester/server/account"
)

func (s *Server) dataOperations() {
	operation(s, route{id: "tickers", method: "GET", path: "/api/data/tickers", tag: "data", summary: "List the symbols that there is data of", status: 200, scope: account.Read,
		problems: []string{"bad-cursor", "validation"}}, s.tickers)
	operation(s, route{id: "bars", method: "GET", path: "/api/data/bars/{symbol}", tag: "data", summary: "Get a symbol's bars as they traded", status: 200, scope: account.Read,
		problems: []string{"not-found", "validation", "data-missing"}}, s.bars)
	operation(s, route{id: "calendar", method: "GET", path: "/api/data/calendar/{symbol}", tag: "data", summary: "Say which sessions of a symbol are there, and what is odd about its bars", status: 200, scope: account.Read,
		problems: []string{"not-found", "data-missing"}}, s.calendar)
	operation(s, route{id: "coverage", method: "GET", path: "/api/data/coverage", tag: "data", summary: "Say what data there is", status: 200, scope: account.Read}, s.coverage)
	operation(s, route{id: "fetch", method: "POST", path: "/api/data/fetch", tag: "data", summary: "Queue a download of data from the vendor", status: 202, scope: account.Data,
		problems: []string{"validation", "not-possible-here"}}, s.fetch)
	operation(s, route{id: "job", method: "GET", path: "/api/jobs/{run_id}", tag: "data", summary: "Get a job; the same as a run", status: 200, scope: account.Read,
		problems: []string{"not-found"}}, s.getJob)
}

// symbolPattern is what a ticker can be.
var symbolPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.:-]{0,31}$`) })

// load reads bars from the data that is open.
func (s *Server) load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	d, err := s.Data()
	if err != nil {
		return nil, err
	}
	defer release(d)
	return d.Load(ctx, r)
}

// heldData is the data for those who ask what there is: nothing stored yet is an answer, too.
func (s *Server) heldData() (*job.Data, error) {
	d, err := s.Data()
	if errors.Is(err, bar.ErrNoData) {
		none, err := bar.NewMemory(bar.NYSE())
		return &job.Data{Source: none}, err
	}
	return d, err
}

func release(d *job.Data) {
	if d.Release != nil {
		d.Release()
	}
}

// Ticker is a symbol that there is data of.
type Ticker struct {
	Ticker   string `json:"ticker"`
	Name     string `json:"name,omitempty"`
	Type     string `json:"type,omitempty"`
	First    string `json:"first" doc:"first and last session"`
	Last     string `json:"last"`
	Bars     int64  `json:"bars"`
	Holes    int64  `json:"holes" doc:"of daily bars: sessions that the market has between the first and the last, and the symbol has not"`
	Delisted string `json:"delisted,omitempty"`
}

type tickersOutput struct {
	Link string `header:"Link"`
	Body struct {
		Success    bool     `json:"success"`
		Synthetic  bool     `json:"synthetic" doc:"the prices are made up"`
		Tickers    []string `json:"tickers"`
		Items      []Ticker `json:"items"`
		Total      int      `json:"total"`
		NextCursor *string  `json:"next_cursor"`
	}
}

type FrameInput struct {
	Frame string `query:"timeframe" maxLength:"8" default:"1d" doc:"1m, 5m, 15m, 1h, 1d, 1w, 1M"`
}

func (in FrameInput) frame() (bar.Frame, error) {
	f, err := bar.ParseFrame(in.Frame)
	if err != nil {
		p := problem("validation", "timeframe: "+err.Error())
		p.Errors = []Fault{{Pointer: "timeframe", Code: "frame", Detail: p.Detail}}
		return f, p
	}
	return f, nil
}

func (s *Server) tickers(ctx context.Context, in *struct {
	FrameInput
	Q      string `query:"q" maxLength:"60" doc:"part of a ticker or name"`
	Type   string `query:"type" maxLength:"12" doc:"kind of security, such as CS or ETF"`
	Cursor string `query:"cursor" maxLength:"1000"`
	Limit  int    `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
}) (*tickersOutput, error) {
	frame, err := in.frame()
	if err != nil {
		return nil, err
	}
	d, err := s.heldData()
	if err != nil {
		return nil, err
	}
	defer release(d)
	held, err := d.Coverage(ctx, frame)
	if err != nil {
		return nil, err
	}
	list := []Ticker{}
	var days []instrument.Date
	if x, ok := d.Source.(sessioned); ok && frame == bar.Daily {
		days = x.Sessions(frame)
	}
	q := strings.ToLower(in.Q)
	for _, c := range held {
		x := c.Instrument
		if in.Type != "" && x.Type != in.Type || !strings.Contains(strings.ToLower(x.Ticker), q) && !strings.Contains(strings.ToLower(x.Name), q) {
			continue
		}
		list = append(list, tickerOf(c, days))
	}
	out := &tickersOutput{}
	out.Body.Success, out.Body.Synthetic, out.Body.Total, out.Body.Tickers = true, d.Synthetic(), len(list), []string{}
	of := "tickers " + in.Frame + " " + in.Q + "\x00" + in.Type + "\x00" + d.Snapshot
	if out.Body.Items, out.Body.NextCursor, err = part(s, list, of, PageInput{in.Cursor, in.Limit}); err != nil {
		return nil, err
	}
	for _, t := range out.Body.Items {
		out.Body.Tickers = append(out.Body.Tickers, t.Ticker)
	}
	out.Link = s.nextLink("/api/data/tickers", out.Body.NextCursor, "limit", strconv.Itoa(in.Limit), "q", in.Q, "type", in.Type, "timeframe", in.Frame)
	return out, nil
}

// tickerOf says what is held; days are the sessions that the source has any bar of, nil when it cannot tell.
func tickerOf(c bar.Coverage, days []instrument.Date) Ticker {
	x := c.Instrument
	from, _ := slices.BinarySearch(days, c.First)
	to, _ := slices.BinarySearch(days, c.Last+1)
	return Ticker{x.Ticker, x.Name, x.Type, c.First.String(), c.Last.String(), c.Bars, max(0, int64(to-from)-c.Bars), x.Delisted.String()}
}

// BarsAnswer is bars in the shape of the former application, and the actions that adjust them.
type BarsAnswer struct {
	Success   bool       `json:"success"`
	Symbol    string     `json:"symbol"`
	Frame     string     `json:"timeframe"`
	Synthetic bool       `json:"synthetic"`
	Data      BarColumns `json:"data"`
	Points    int        `json:"points_total" doc:"bars in the range before sampling"`
	Splits    []Split    `json:"splits"`
	Dividends []Dividend `json:"dividends"`
}

// BarColumns are bars as columns; USD as traded, shares.
type BarColumns struct {
	Dates  []string   `json:"dates" doc:"YYYY-MM-DD, or RFC 3339 of bars within the day"`
	T      []int64    `json:"t" doc:"milliseconds since 1970"`
	Open   []*float64 `json:"open"`
	High   []*float64 `json:"high"`
	Low    []*float64 `json:"low"`
	Close  []*float64 `json:"close"`
	Volume []*float64 `json:"volume"`
}

// Split and Dividend are corporate actions over the symbol's whole life.
type Split struct {
	Ex   string  `json:"ex" doc:"first session in new shares"`
	From float64 `json:"from" doc:"this many old shares"`
	To   float64 `json:"to" doc:"became this many new ones"`
}

// Dividend is cash paid on a share.
type Dividend struct {
	Ex   string  `json:"ex"`
	Pay  string  `json:"pay" doc:"empty when unknown"`
	Cash float64 `json:"cash" doc:"USD a share"`
}

type barsInput struct {
	Symbol string `path:"symbol" maxLength:"100"`
	FrameInput
	From   string `query:"from" maxLength:"10" doc:"YYYY-MM-DD"`
	To     string `query:"to" maxLength:"10"`
	Start  string `query:"start_date" maxLength:"10" doc:"the same as from"`
	End    string `query:"end_date" maxLength:"10" doc:"the same as to"`
	Points int    `query:"points" minimum:"100" maximum:"20000" default:"20000" doc:"more bars are drawn together"`
}

func (s *Server) bars(ctx context.Context, in *barsInput) (*struct{ Body BarsAnswer }, error) {
	if !symbolPattern().MatchString(in.Symbol) {
		return nil, problem("not-found", "a symbol has letters, digits, dots, colons and dashes only")
	}
	r := bar.Request{Symbol: in.Symbol, From: instrument.None, To: instrument.Forever, Session: bar.Regular}
	var err error
	if r.Frame, err = in.frame(); err != nil {
		return nil, err
	}
	for _, x := range []struct {
		name, text string
		into       *instrument.Date
	}{{"from", in.From, &r.From}, {"start_date", in.Start, &r.From}, {"to", in.To, &r.To}, {"end_date", in.End, &r.To}} {
		if x.text == "" {
			continue
		}
		if *x.into, err = instrument.ParseDate(x.text); err != nil {
			p := problem("validation", x.name+": want YYYY-MM-DD, not "+strconv.Quote(x.text))
			p.Errors = []Fault{{Pointer: x.name, Code: "date", Detail: p.Detail}}
			return nil, p
		}
	}
	if r.From > r.To {
		p := problem("validation", "from: "+r.From.String()+" is after to "+r.To.String()+": exchange them")
		p.Errors = []Fault{{Pointer: "from", Code: "conflict", Detail: p.Detail}}
		return nil, p
	}
	d, err := s.Data()
	if errors.Is(err, bar.ErrNoData) {
		gap := &backtest.NoDataError{Frame: r.Frame.String(), From: r.From.String(), Rows: []backtest.Missing{{Symbol: r.Symbol, Reason: "nothing is stored yet"}}, Err: err}
		if r.To != instrument.Forever {
			gap.To = r.To.String()
		}
		return nil, gap
	}
	if err != nil {
		return nil, err
	}
	defer release(d)
	b, err := d.Load(ctx, r)
	if err != nil {
		return nil, noBars(ctx, d, r, err)
	}
	c := candles(b, span{}, in.Points)
	a := BarsAnswer{Success: true, Symbol: b.Symbol, Frame: b.Frame.String(), Synthetic: d.Synthetic(), Points: c.Points,
		Data: BarColumns{[]string{}, c.T, c.Open, c.High, c.Low, c.Close, c.Volume}, Splits: []Split{}, Dividends: []Dividend{}}
	for _, ms := range c.T {
		a.Data.Dates = append(a.Data.Dates, stamp(ms, b.Frame))
	}
	for _, x := range b.Actions.Splits {
		a.Splits = append(a.Splits, Split{x.Ex.String(), x.From, x.To})
	}
	for _, x := range b.Actions.Dividends {
		a.Dividends = append(a.Dividends, Dividend{x.Ex.String(), x.Pay.String(), x.Cash})
	}
	return &struct{ Body BarsAnswer }{a}, nil
}

// Coverage says what data there is.
type Coverage struct {
	Synthetic bool    `json:"synthetic" doc:"the prices are made up"`
	Snapshot  string  `json:"snapshot" doc:"names the state of the data"`
	CanFetch  bool    `json:"can_fetch" doc:"more can be fetched from the vendor"`
	Frames    []Frame `json:"frames"`
}

// Frame is what there is of one length of bars.
type Frame struct {
	Timeframe string `json:"timeframe"`
	Symbols   int    `json:"symbols"`
	Bars      int64  `json:"bars"`
	First     string `json:"first" doc:"first and last session, empty without data"`
	Last      string `json:"last"`
}

func (s *Server) coverage(ctx context.Context, _ *empty) (*struct{ Body Coverage }, error) {
	d, err := s.heldData()
	if err != nil {
		return nil, err
	}
	defer release(d)
	out := Coverage{Synthetic: d.Synthetic(), Snapshot: d.Snapshot, CanFetch: s.CanFetch, Frames: []Frame{}}
	for _, name := range []string{"1d", "1m"} {
		f, err := bar.ParseFrame(name)
		if err != nil {
			return nil, err
		}
		held, err := d.Coverage(ctx, f)
		if err != nil {
			return nil, err
		}
		row := Frame{Timeframe: name, Symbols: len(held)}
		for i, c := range held {
			row.Bars += c.Bars
			if first := c.First.String(); i == 0 || first < row.First {
				row.First = first
			}
			if last := c.Last.String(); last > row.Last {
				row.Last = last
			}
		}
		if row.Symbols > 0 {
			out.Frames = append(out.Frames, row)
		}
	}
	return &struct{ Body Coverage }{out}, nil
}

// FetchRequest asks for data from the vendor.
type FetchRequest struct {
	Dataset string `json:"dataset" enum:"day,minute,actions,tickers,calendar,all" doc:"what to bring up to date"`
	From    string `json:"from,omitempty" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" doc:"YYYY-MM-DD"`
	To      string `json:"to,omitempty" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"`
}

var datasets = map[string]string{"day": "Daily bars", "minute": "Minute bars", "actions": "Splits and dividends", "tickers": "Names and listings", "calendar": "Exchange calendar", "all": "All data"}

// name says in the list of runs what is fetched.
func (q FetchRequest) name() string {
	out := datasets[q.Dataset]
	if q.From != "" {
		out += " from " + q.From
	}
	if q.To != "" {
		out += " to " + q.To
	}
	return out
}

func (s *Server) fetch(ctx context.Context, in *struct {
	Key  string `header:"Idempotency-Key" maxLength:"128"`
	Body FetchRequest
}) (*submitOutput, error) {
	if s.Jobs.Execute[history.KindFetch] == nil {
		return nil, problem("not-possible-here", "this server has no credentials for the vendor's data: see POLYGON_API_KEY and AWS_ACCESS_KEY_ID in the guide")
	}
	if err := checkIdempotencyKey(in.Key); err != nil {
		return nil, err
	}
	options, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	name := in.Body.name()
	t, err := s.Jobs.Submit(ctx, job.Request{Owner: owner(ctx), Spec: job.Spec{Kind: history.KindFetch, Options: options}, Label: history.Label{Name: &name}, Key: in.Key})
	if err != nil {
		return nil, jobProblem(err)
	}
	out := &submitOutput{Status: 202, Location: "/api/jobs/" + t.Run.ID, Body: Submitted{Run: runView(t.Run)}}
	out.Body.Position = t.Position
	if t.Replayed {
		out.Replayed = "true"
	}
	return out, nil
}

func (s *Server) getJob(ctx context.Context, in *RunInput) (*struct{ Body Run }, error) {
	r, err := s.run(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	v, err := s.view(ctx, r)
	return &struct{ Body Run }{v}, err
}
