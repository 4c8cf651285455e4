package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
	"backtester/backtest/strategy"
	"backtester/server/account"
)

// Problem is an error as RFC 9457 wants it, the one shape of every error. It says nothing about the
// inside of the server: what is unknown is told by its request id alone.
type Problem struct {
	Type      string             `json:"type" doc:"urn:backtester:problem: and the code"`
	Title     string             `json:"title" doc:"what kind of problem it is"`
	Status    int                `json:"status" doc:"the HTTP status"`
	Detail    string             `json:"detail,omitempty" doc:"what is wrong this time"`
	Instance  string             `json:"instance,omitempty" doc:"urn:request: and the request id"`
	Code      string             `json:"code" doc:"a stable word for programs"`
	RequestID string             `json:"request_id,omitempty" doc:"to be found in the log of the server"`
	Errors    []Fault            `json:"errors,omitempty" doc:"every fault, with its place"`
	Missing   []backtest.Missing `json:"missing,omitempty" doc:"symbols without data"`
	Cure      *FetchRequest      `json:"cure,omitempty" doc:"the body of POST /api/data/fetch that would bring the missing data"`

	cause   error         // for the log alone
	after   time.Duration // Retry-After
	headers http.Header
}

// Fault is one mistake in what was sent. Line and column count from 1 within the strategy's text; they
// are absent where there is no such place.
type Fault struct {
	Pointer string `json:"pointer,omitempty" doc:"JSON pointer into the body, or the name of a parameter"`
	Code    string `json:"code" doc:"a stable word"`
	Detail  string `json:"detail"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Length  int    `json:"length,omitempty" doc:"in characters"`
	Hint    string `json:"hint,omitempty"`
}

var (
	_ huma.StatusError  = (*Problem)(nil)
	_ huma.HeadersError = (*Problem)(nil)
)

func (p *Problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type of problems, whatever the client likes best.
func (p *Problem) ContentType(string) string { return problemType }

const problemType = "application/problem+json"

// GetHeaders are what goes with the status: how to log in, when to come again.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	for k, v := range p.headers {
		h[k] = v
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if p.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int((p.after+time.Second-1)/time.Second)))
	}
	return h
}

// problem makes one of the table of problems; detail may be empty.
func problem(code, detail string) *Problem {
	for _, row := range problemTable() {
		if row.code == code {
			return &Problem{Type: "urn:backtester:problem:" + code, Title: row.title, Status: row.status, Detail: detail, Code: code}
		}
	}
	panic("BUG: there is no problem " + code)
}

type problemRow struct {
	code   string
	status int
	title  string
}

// problemTable is every problem that there is.
func problemTable() []problemRow {
	return []problemRow{
		{"bad-request", 400, "The request cannot be understood"},
		{"bad-json", 400, "The body is not the JSON that is wanted"},
		{"bad-cursor", 400, "The cursor is not one of this server"},
		{"unauthenticated", 401, "Log in first"},
		{"wrong-credentials", 401, "Name or password is wrong"},
		{"forbidden", 403, "The token may not do this"},
		{"cross-origin", 403, "The request comes from a page of another origin"},
		{"https-required", 403, "Passwords are taken over HTTPS only"},
		{"registration-closed", 403, "Registration is closed"},
		{"not-found", 404, "There is no such thing"},
		{"method", 405, "The method is not possible here"},
		{"not-acceptable", 406, "None of the types that are accepted can be had"},
		{"timeout", 408, "The request took too long to arrive"},
		{"conflict", 409, "It contradicts what is there"},
		{"run-finished", 409, "The run has ended already"},
		{"not-finished", 409, "The run has not ended yet"},
		{"changed", 412, "It was changed meanwhile"},
		{"too-large", 413, "The request is too large"},
		{"uri-too-long", 414, "The address is too long"},
		{"media-type", 415, "The body has a type that is not taken"},
		{"range", 416, "The file has no such range"},
		{"misdirected", 421, "This server does not answer to that name"},
		{"validation", 422, "The request is not valid"},
		{"invalid-strategy", 422, "The strategy has faults"},
		{"idempotency-mismatch", 422, "The idempotency key was used for another request"},
		{"limit-exceeded", 422, "It is beyond a limit of this server"},
		{"weak-password", 422, "The name or the password cannot be taken"},
		{"data-missing", 424, "There are no bars for what was asked"},
		{"if-match-required", 428, "Say which version is changed: If-Match"},
		{"rate-limited", 429, "Too many requests"},
		{"queue-full", 429, "Too many runs wait already"},
		{"internal", 500, "The server made a mistake"},
		{"artifact-damaged", 500, "A stored file is missing or was changed"},
		{"not-possible-here", 501, "This server has not been set up for that"},
		{"upstream", 502, "The data vendor does not answer as it should"},
		{"draining", 503, "The server is going down"},
		{"overloaded", 503, "The server has too much to do"},
		{"disk-full", 503, "The server's disk is full"},
		{"disk-failing", 503, "The server's disk is read-only or fails"},
		{"interrupted", 503, "The request was interrupted"},
		{"deadline", 504, "It took longer than it may"},
	}
}

// problemOf translates an error. The first line that matches decides; what is not known is internal,
// and its text stays in the log.
func problemOf(err error) *Problem {
	var (
		known     *Problem
		faults    strategy.Diagnostics
		gap       *backtest.NoDataError
		large     *http.MaxBytesError
		throttled *account.ThrottledError
		weak      *account.WeakError
		network   net.Error
	)
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &large):
		return problem("too-large", "the body has more than "+strconv.FormatInt(large.Limit, 10)+" bytes")
	case errors.As(err, &faults):
		return strategyProblem(faults)
	case errors.As(err, &gap):
		return missingData(gap)
	case errors.Is(err, bar.ErrNoData):
		return problem("data-missing", "")
	case errors.As(err, &throttled):
		p := problem("rate-limited", throttled.Error())
		p.after = throttled.After
		return p
	case errors.As(err, &weak):
		return weakProblem(err)
	case errors.Is(err, account.ErrCredentials):
		return problem("wrong-credentials", "")
	case errors.Is(err, account.ErrToken):
		return problem("unauthenticated", "")
	case errors.Is(err, account.ErrClosed):
		return problem("registration-closed", "")
	case errors.Is(err, account.ErrTaken):
		return problem("conflict", "the name is taken")
	case errors.Is(err, account.ErrBusy):
		return retry(problem("overloaded", "too many passwords are being checked"), time.Second)
	case errors.Is(err, history.ErrNotFound):
		return problem("not-found", "")
	case errors.Is(err, history.ErrFinished):
		return problem("run-finished", "")
	case errors.Is(err, history.ErrChanged):
		return problem("changed", "")
	case job.IsFull(err):
		return retry(problem("disk-full", "nothing of the request was kept: repeat it when there is room again, and remove runs that are no longer needed"), time.Minute)
	case job.IsFailing(err):
		p := retry(problem("disk-failing", "what was stored before is not touched: whoever runs the server finds the file system in its log, repairs it, mounts it anew and restarts the server; then repeat the request"), time.Minute)
		p.cause = err
		return p
	case errors.Is(err, context.DeadlineExceeded):
		return problem("deadline", "")
	case errors.Is(err, context.Canceled):
		return retry(problem("interrupted", ""), time.Second)
	case errors.As(err, &network) && network.Timeout():
		return problem("timeout", "")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http.ErrBodyReadAfterClose):
		return problem("bad-request", "the body ends too early")
	}
	return problem("internal", "")
}

func retry(p *Problem, after time.Duration) *Problem {
	p.after = after
	return p
}

// strategyProblem lists every fault of a strategy.
func strategyProblem(faults strategy.Diagnostics) *Problem {
	p := problem("invalid-strategy", plural(len(faults), "fault"))
	p.Errors = faultsOf(faults)
	return p
}

// faultsOf gives the faults of a strategy the shape of all others.
func faultsOf(faults strategy.Diagnostics) (list []Fault) {
	for _, d := range faults {
		list = append(list, Fault{Pointer: "/strategy", Code: d.Code, Detail: d.Message, Line: d.Line, Column: d.Column, Length: d.Length, Hint: d.Hint})
	}
	return list
}

// noneStored is the problem of a run for which there is no data at all, with the request that would fetch
// what it asks for. Other errors stay what they are.
func noneStored(err error, cfg *strategy.File) error {
	if _, told := errors.AsType[*backtest.NoDataError](err); told || !errors.Is(err, bar.ErrNoData) || cfg == nil {
		return err
	}
	gap := &backtest.NoDataError{Frame: cfg.Data.Bars.String(), From: cfg.Data.From.String(), Err: bar.ErrNoData}
	if cfg.Data.To != instrument.Forever {
		gap.To = cfg.Data.To.String()
	}
	return missingData(gap)
}

// missingData names what is missing and how to get it.
func missingData(gap *backtest.NoDataError) *Problem {
	p := problem("data-missing", "")
	p.Missing = gap.Rows
	p.Cure = &FetchRequest{Dataset: "day", From: gap.From, To: gap.To}
	if strings.HasSuffix(gap.Frame, "m") || strings.HasSuffix(gap.Frame, "h") {
		p.Cure.Dataset = "minute"
	}
	var names []string
	for _, row := range gap.Rows {
		names = append(names, row.Symbol+" ("+row.Reason+")")
	}
	if len(names) > 10 {
		names = append(names[:10], "and "+strconv.Itoa(len(names)-10)+" more")
	}
	p.Detail = "no " + gap.Frame + " bars of " + strings.Join(names, ", ")
	if len(names) == 0 {
		p.Detail = "there are no " + gap.Frame + " bars at all"
	}
	return p
}

// weakProblem lists what is wrong with a name and a password, or with a token that is asked for.
func weakProblem(err error) *Problem {
	p := problem("validation", "")
	var walk func(error)
	walk = func(err error) {
		if list, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range list.Unwrap() {
				walk(e)
			}
		} else if weak, ok := errors.AsType[*account.WeakError](err); ok {
			fault := Fault{Pointer: "/" + weak.Field, Code: "invalid", Detail: weak.Reason}
			if weak.Field == "username" || weak.Field == "password" {
				fault.Code = "weak"
			}
			p.Errors = append(p.Errors, fault)
		}
	}
	walk(err)
	if slices.ContainsFunc(p.Errors, func(f Fault) bool { return f.Code == "weak" }) {
		row := problem("weak-password", "")
		row.Errors, p = p.Errors, row
	}
	if len(p.Errors) == 1 {
		p.Detail = strings.TrimPrefix(p.Errors[0].Pointer, "/") + ": " + p.Errors[0].Detail
	}
	return p
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// sent is a problem as it goes out: with the id of its request.
func (p *Problem) sent(ctx context.Context) *Problem {
	q := *p
	if q.RequestID = requestID(ctx); q.RequestID != "" {
		q.Instance = "urn:request:" + q.RequestID
	}
	return &q
}

// fail translates an error for the client and logs what is the server's own fault.
func (s *Server) fail(ctx context.Context, err error) *Problem {
	p := problemOf(err).sent(ctx)
	expected := p.Status == http.StatusServiceUnavailable && p.Code != "disk-failing" || p.Status == http.StatusNotImplemented
	if p.Status >= http.StatusInternalServerError && !expected {
		s.Log.ErrorContext(ctx, "request failed", "request_id", p.RequestID, "code", p.Code, "error", cmp.Or(p.cause, err))
	}
	return p
}

// write answers with an error outside of operations.
func (s *Server) write(w http.ResponseWriter, r *http.Request, err error) {
	p := s.fail(r.Context(), err)
	h := w.Header()
	for k, v := range p.GetHeaders() {
		h[k] = v
	}
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone if this does not work
}

// useProblems makes Problem the shape of the errors that the HTTP library makes. The library keeps
// that in two variables of its own, for the whole process.
var useProblems = sync.OnceFunc(func() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return libraryProblem(status, message, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		return libraryProblem(status, message, errs).sent(ctx.Context())
	}
})

// libraryProblem gives what the library found the shape of a Problem.
func libraryProblem(status int, message string, errs []error) *Problem {
	code := ""
	for _, row := range problemTable() {
		if row.status == status && code == "" {
			code = row.code
		}
	}
	if code == "" {
		code = "internal"
	}
	p := problem(code, "")
	for _, err := range errs {
		d, ok := err.(huma.ErrorDetailer)
		if !ok {
			continue
		}
		at := d.ErrorDetail()
		fault := Fault{Pointer: pointer(at.Location), Code: "invalid", Detail: at.Message}
		switch at.Value.(type) { // texts may be secrets
		case int, int64, uint64, float64, json.Number:
			fault.Detail += fmt.Sprintf(", got %v", at.Value)
		}
		p.Errors = append(p.Errors, fault)
		if at.Message == "unexpected property" {
			p.Status, p.Code, p.Title, p.Type = 400, "bad-json", "The body is not the JSON that is wanted", "urn:backtester:problem:bad-json"
		}
	}
	switch n := len(p.Errors); {
	case n == 1:
		p.Detail = strings.TrimPrefix(p.Errors[0].Pointer, "/") + ": " + p.Errors[0].Detail
	case n > 1:
		p.Detail = plural(n, "fault")
	case p.Status < 500:
		p.Detail = message
	}
	return p
}

// pointer turns body.a[0].b into /a/0/b, and query.limit into limit.
func pointer(location string) string {
	rest, ok := strings.CutPrefix(location, "body")
	if !ok {
		_, name, _ := strings.Cut(location, ".")
		return name
	}
	return strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(rest)
}
