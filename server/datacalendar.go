package server

import (
	"context"
	"slices"

	"backtester/backtest/audit"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
)

// mostHoles is how many missing sessions one answer names.
const mostHoles = 500

// SymbolCalendar says which sessions of a symbol are there, and what is odd about its bars.
type SymbolCalendar struct {
	Symbol   string         `json:"symbol"`
	Frame    string         `json:"timeframe"`
	First    string         `json:"first" doc:"first and last session with a bar"`
	Last     string         `json:"last"`
	Sessions int            `json:"sessions" doc:"of the market from the first to the last"`
	Held     int            `json:"held" doc:"those of them with a bar"`
	Months   []Month        `json:"months" doc:"every month from the first to the last, in order"`
	Missing  []string       `json:"missing" doc:"sessions without a bar, the first 500"`
	Verdict  string         `json:"verdict" enum:"OK,WARN,FAIL" doc:"the worst finding"`
	Findings []AuditFinding `json:"findings"`
}

// Month is what there is of one month.
type Month struct {
	Month    string `json:"month" doc:"YYYY-MM"`
	Sessions int    `json:"sessions" doc:"of the market while the symbol was there"`
	Held     int    `json:"held"`
	Bars     int    `json:"bars"`
}

// AuditFinding is what one check found.
type AuditFinding struct {
	Check    string `json:"check"`
	Severity string `json:"severity" enum:"info,warn,fail"`
	Count    int    `json:"count" doc:"places at which it holds"`
	First    string `json:"first" doc:"the first and the last of them; empty where no date applies"`
	Last     string `json:"last"`
	Message  string `json:"message"`
	About    string `json:"about" doc:"what the check looks for"`
}

func (s *Server) calendar(ctx context.Context, in *struct {
	Symbol string `path:"symbol" maxLength:"100"`
	Frame  string `query:"timeframe" enum:"1d,1m" default:"1d"`
}) (*struct{ Body SymbolCalendar }, error) {
	if !symbolPattern().MatchString(in.Symbol) {
		return nil, problem("not-found", "a symbol has letters, digits, dots, colons and dashes only")
	}
	frame, err := bar.ParseFrame(in.Frame)
	if err != nil {
		return nil, err
	}
	d, err := s.heldData()
	if err != nil {
		return nil, err
	}
	defer release(d)
	r := bar.Request{Symbol: in.Symbol, Frame: frame, From: instrument.None, To: instrument.Forever, Session: bar.Extended}
	b, err := d.Load(ctx, r)
	if err != nil {
		return nil, noBars(ctx, d, r, err)
	}
	market := marketOf(d, frame, b)
	out := SymbolCalendar{Symbol: b.Symbol, Frame: in.Frame, Missing: []string{}, Months: []Month{}, Findings: []AuditFinding{}}
	out.fill(b, market, frame)
	subject := audit.Subject{Days: b, Instrument: instrumentOf(ctx, d, r)}
	if frame.Intraday() {
		subject.Days, subject.Minutes = nil, b
	}
	report := market.Check(subject)
	out.Verdict = report.Verdict
	about := map[string]string{}
	for _, c := range audit.Checks() {
		about[c.ID] = c.Doc
	}
	for _, f := range report.Findings {
		out.Findings = append(out.Findings, AuditFinding{f.Check, f.Severity.String(), f.Count, f.First.String(), f.Last.String(), f.Message, about[f.Check]})
	}
	return &struct{ Body SymbolCalendar }{out}, nil
}

// sessioned is implemented by sources that know which sessions they have any bar of.
type sessioned interface {
	Sessions(f bar.Frame) []instrument.Date
}

// marketOf is what a symbol can be blamed for: the sessions that the source has, or those of the calendar.
func marketOf(d *job.Data, f bar.Frame, b *bar.Series) audit.Market {
	m := audit.Market{Calendar: d.Calendar()}
	var days []instrument.Date
	if x, ok := d.Source.(sessioned); ok {
		days = x.Sessions(f)
	} else if n := b.Len(); n > 0 {
		days = m.Calendar.Sessions(m.Calendar.DateOf(b.Time[0]), m.Calendar.DateOf(b.Time[n-1]))
	}
	if f.Intraday() {
		m.Minutes = days
	} else {
		m.Days = days
	}
	return m
}

// instrumentOf is the company that a request reads: the last one that had the ticker.
func instrumentOf(ctx context.Context, d *job.Data, r bar.Request) instrument.Instrument {
	held, err := d.Coverage(ctx, r.Frame)
	if err != nil {
		return instrument.Instrument{Ticker: r.Symbol}
	}
	found := instrument.Instrument{Ticker: r.Symbol}
	last := instrument.None
	for _, c := range held {
		if c.Instrument.Ticker == r.Symbol && c.Last >= last {
			found, last = c.Instrument, c.Last
		}
	}
	return found
}

// fill counts sessions and bars by month.
func (c *SymbolCalendar) fill(b *bar.Series, m audit.Market, f bar.Frame) {
	bars := map[instrument.Date]int{}
	held := []instrument.Date{}
	for i := range b.Len() {
		day := b.Date(i)
		if f.Intraday() {
			day = m.Calendar.DateOf(b.Time[i])
		}
		if bars[day]++; bars[day] == 1 {
			held = append(held, day)
		}
	}
	if len(held) == 0 {
		return
	}
	first, last := held[0], held[len(held)-1]
	c.First, c.Last = first.String(), last.String()
	days := slices.Concat(held, m.Days, m.Minutes)
	slices.Sort(days)
	for _, day := range slices.Compact(days) {
		if day < first || day > last {
			continue
		}
		name := day.String()
		if n := len(c.Months); n == 0 || c.Months[n-1].Month != name[:7] {
			c.Months = append(c.Months, Month{Month: name[:7]})
		}
		month := &c.Months[len(c.Months)-1]
		c.Sessions++
		month.Sessions++
		if n := bars[day]; n > 0 {
			c.Held++
			month.Held++
			month.Bars += n
		} else if len(c.Missing) < mostHoles {
			c.Missing = append(c.Missing, name)
		}
	}
}
