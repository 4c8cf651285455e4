package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/instrument"
	"backtester/server/account"
)

func (s *Server) historyOperations() {
	operation(s, route{id: "history", method: "GET", path: "/api/backtest/history", tag: "runs", summary: "Page through your runs", status: 200, scope: account.Read,
		problems: []string{"bad-cursor", "validation"}}, s.history)
	operation(s, route{id: "compare", method: "GET", path: "/api/backtest/compare", tag: "runs", summary: "Put two to ten runs side by side", status: 200, scope: account.Read,
		problems: []string{"not-found", "validation", "not-finished"}}, s.compare)
	operation(s, route{id: "compare-trades", method: "GET", path: "/api/backtest/compare/trades", tag: "runs", summary: "Page through the trades in which two runs differ", status: 200, scope: account.Read,
		problems: []string{"not-found", "validation", "not-finished", "bad-cursor"}}, s.compareTrades)
}

type historyInput struct {
	PageInput
	Kind     string `query:"kind" maxLength:"60" doc:"run, sweep, validate, fetch; several with commas"`
	Status   string `query:"status" maxLength:"80" doc:"queued, running, succeeded, failed, cancelled; several with commas"`
	Symbol   string `query:"symbol" maxLength:"32"`
	Strategy string `query:"strategy" maxLength:"200"`
	Tag      string `query:"tag" maxLength:"60"`
	Q        string `query:"q" maxLength:"200" doc:"words of name, strategy, notes or tags"`
	From     string `query:"from" maxLength:"40" doc:"first day on which it was asked for, YYYY-MM-DD"`
	To       string `query:"to" maxLength:"40" doc:"last day"`
	Starred  bool   `query:"starred"`
	Sort     string `query:"sort" maxLength:"40" default:"-created" doc:"created or a metric; - before it is descending"`
}

type historyOutput struct {
	Link string `header:"Link"`
	Body struct {
		Success    bool    `json:"success"`
		Items      []Run   `json:"items"`
		NextCursor *string `json:"next_cursor"`
	}
}

func (s *Server) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	f, err := in.filter(owner(ctx))
	if err != nil {
		return nil, err
	}
	of := fmt.Sprintf("history %q", []string{f.Owner, in.Kind, in.Status, in.Symbol, in.Strategy, in.Tag, in.Q, in.From, in.To, strconv.FormatBool(in.Starred), in.Sort})
	if in.Cursor != "" {
		if err := s.readCursor(in.Cursor, of, &f.After); err != nil {
			return nil, err
		}
	}
	var p history.Page
	err = s.History.Read(ctx, func(tx *history.Tx) (err error) {
		p, err = tx.Page(f)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &historyOutput{}
	out.Body.Success, out.Body.Items = true, []Run{}
	for _, r := range p.Runs {
		out.Body.Items = append(out.Body.Items, runView(r))
	}
	if p.Next.ID != "" {
		text := s.cursor(of, p.Next)
		out.Body.NextCursor = &text
	}
	out.Link = s.nextLink("/api/backtest/history", out.Body.NextCursor, "limit", strconv.Itoa(in.Limit), "kind", in.Kind, "status", in.Status, "symbol", in.Symbol,
		"strategy", in.Strategy, "tag", in.Tag, "q", in.Q, "from", in.From, "to", in.To, "sort", in.Sort)
	return out, nil
}

// filter reads the parameters of a page; what is not one of the words known is a fault.
func (in *historyInput) filter(owner string) (history.Filter, error) {
	f := history.Filter{Owner: owner, Symbol: in.Symbol, Strategy: in.Strategy, Tag: in.Tag, Query: in.Q, Starred: in.Starred, Sort: in.Sort, Limit: in.Limit}
	bad := func(name, value string, want []string) error {
		p := problem("validation", name+": "+strconv.Quote(clip(value, 40))+" is not one of "+strings.Join(want, ", "))
		p.Errors = []Fault{{Pointer: name, Code: "enum", Detail: p.Detail}}
		return p
	}
	known := map[string]bool{}
	for _, x := range history.Sorts() {
		known[x] = true
	}
	if !known[in.Sort] {
		return f, bad("sort", in.Sort, history.Sorts())
	}
	for _, w := range words(in.Kind) {
		switch k := history.Kind(w); k {
		case history.KindRun, history.KindSweep, history.KindValidate, history.KindFetch:
			f.Kinds = append(f.Kinds, k)
		default:
			return f, bad("kind", w, []string{"run", "sweep", "validate", "fetch"})
		}
	}
	for _, w := range words(in.Status) {
		switch st := history.State(w); st {
		case history.Queued, history.Running, history.Succeeded, history.Failed, history.Cancelled:
			f.States = append(f.States, st)
		default:
			return f, bad("status", w, []string{"queued", "running", "succeeded", "failed", "cancelled"})
		}
	}
	var err error
	if f.From, err = day("from", in.From, 0); err == nil {
		f.To, err = day("to", in.To, 1)
	}
	return f, err
}

func words(list string) []string {
	var out []string
	for _, w := range strings.Split(list, ",") {
		if w = strings.TrimSpace(w); w != "" {
			out = append(out, w)
		}
	}
	return out
}

// day is midnight UTC of a date, so many days later; zero without one.
func day(name, text string, later int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	d, err := instrument.ParseDate(text)
	if err != nil {
		p := problem("validation", name+": want YYYY-MM-DD, not "+strconv.Quote(clip(text, 40)))
		p.Errors = []Fault{{Pointer: name, Code: "date", Detail: p.Detail}}
		return time.Time{}, p
	}
	return d.Time().AddDate(0, 0, later), nil
}

// Compared is a run beside others.
type Compared struct {
	Run
	AllMetrics Metrics `json:"all_metrics"`
	Config     any     `json:"config"`
	Equity     Curve   `json:"equity"`
}

type compareOutput struct {
	Body struct {
		Items []Compared `json:"items" doc:"in the order asked for"`
	}
}

// mostCompared is how many runs a reader can tell apart.
const mostCompared = 10

func (s *Server) compare(ctx context.Context, in *struct {
	IDs    string `query:"ids" required:"true" maxLength:"400" doc:"run ids, separated by commas"`
	Points int    `query:"points" minimum:"100" maximum:"20000" default:"1000"`
}) (*compareOutput, error) {
	ids := words(in.IDs)
	if n := len(ids); n < 2 || n > mostCompared {
		p := problem("validation", "ids: want 2 to 10 runs, not "+strconv.Itoa(n))
		p.Errors = []Fault{{Pointer: "ids", Code: "range", Detail: p.Detail}}
		return nil, p
	}
	out := &compareOutput{}
	gone := problem("not-found", "")
	for _, id := range ids {
		r, err := s.finished(ctx, id)
		if p := problemOf(err); err != nil && p.Code == "not-found" {
			gone.Errors = append(gone.Errors, Fault{Pointer: "ids", Code: "not-found", Detail: clip(id, 40) + " is no run with a result"})
			continue
		}
		if err != nil {
			return nil, err
		}
		x, err := s.result(ctx, r)
		if err != nil {
			return nil, err
		}
		v, err := s.view(ctx, r)
		if err != nil {
			return nil, err
		}
		curve, _ := curveOf(x, span{}, in.Points)
		out.Body.Items = append(out.Body.Items, Compared{v, x.Metrics, decoded(x.Config), curve})
	}
	if len(gone.Errors) > 0 {
		return nil, gone
	}
	return out, nil
}
