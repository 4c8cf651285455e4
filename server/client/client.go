// Package client asks a server what the command line would otherwise compute itself.
//
// In: the address of a server and a personal token, then strategies and run ids. Out: results as the
// very bytes that the server keeps, previews and pages of the history. It refuses addresses that would
// send the token in the clear over a network, follows no redirect to another host, and gives every
// refusal of the server as a *Problem with its code and its faults.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// New makes a client. token may be empty for a server without accounts.
func New(address, token string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("use server %q: want an address such as https://api.yourdomain.com", address)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && token != "" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("use server %s: the token would go over the network unencrypted: use https", address)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	return &Client{u, token, &http.Client{Timeout: 2 * time.Minute, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host != u.Host || r.URL.Scheme != u.Scheme {
			return fmt.Errorf("the server sends elsewhere, to %s", r.URL.Host)
		}
		return nil
	}}}, nil
}

// Problem is a refusal of the server.
type Problem struct {
	Status    int     `json:"status"`
	Code      string  `json:"code"`
	Title     string  `json:"title"`
	Detail    string  `json:"detail"`
	RequestID string  `json:"request_id"`
	Errors    []Fault `json:"errors"`
}

// Fault is one mistake in what was sent.
type Fault struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

func (p *Problem) Error() string {
	text := p.Title
	if p.Detail != "" {
		text += ": " + p.Detail
	}
	for _, f := range p.Errors {
		if f.Detail != p.Detail {
			text += "; " + f.Detail
		}
	}
	if p.Status >= 500 && p.RequestID != "" {
		text += " (request " + p.RequestID + ")"
	}
	return fmt.Sprintf("the server refuses with %d: %s", p.Status, text)
}

// Strategy is what to run or preview.
type Strategy struct {
	Document json.RawMessage   `json:"strategy"`
	Files    map[string]string `json:"files,omitempty"`
}

// Run is a run of a server that has ended well.
type Run struct {
	ID       string    `json:"run_id"`
	Recalled bool      `json:"recalled"` // it had been there before it was asked for
	Finished time.Time `json:"finished_at"`
	Result   []byte    `json:"-"` // the very bytes that the server keeps
}

// Run submits a strategy and waits for its end. Unless again is set, an earlier run of the same work on the
// same data is taken instead of a new one.
func (c *Client) Run(ctx context.Context, s Strategy, again bool) (Run, error) {
	var run struct {
		Run
		Status string `json:"status"`
		Error  *struct {
			Code   string `json:"code"`
			Title  string `json:"title"`
			Detail string `json:"detail"`
		} `json:"error"`
	}
	path := "/api/backtest/run?dedupe=true"
	if again {
		path = "/api/backtest/run"
	}
	// The key makes a request that is repeated after a broken connection the same one.
	if err := c.call(ctx, "POST", path, s, &run, "Prefer", "wait=30", "Idempotency-Key", rand.Text()); err != nil {
		return Run{}, err
	}
	for run.Status == "queued" || run.Status == "running" {
		if err := c.call(ctx, "GET", "/api/backtest/results/"+url.PathEscape(run.ID)+"?wait=30", nil, &run); err != nil {
			return run.Run, err
		}
	}
	var err error
	switch {
	case run.Status == "succeeded":
		run.Result, err = c.Result(ctx, run.ID)
	case run.Error != nil:
		p := &Problem{Status: http.StatusUnprocessableEntity, Code: run.Error.Code, Title: run.Error.Title, Detail: run.Error.Detail}
		err = fmt.Errorf("run %s failed: %w", run.ID, p)
	default:
		err = fmt.Errorf("run %s was %s", run.ID, run.Status)
	}
	return run.Run, err
}

// Result is the result of a run, as bytes.
func (c *Client) Result(ctx context.Context, id string) ([]byte, error) {
	res, err := c.send(ctx, "GET", "/api/backtest/results/"+url.PathEscape(id)+"/result", nil)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", c.base.Host, err)
	}
	return b, nil
}

// Preview is what a strategy sees, as the server's JSON.
func (c *Client) Preview(ctx context.Context, s Strategy) ([]byte, error) {
	body := struct {
		Strategy
		MaxPoints int `json:"max_points"`
	}{s, 20_000}
	var raw json.RawMessage
	err := c.call(ctx, "POST", "/api/backtest/preview", body, &raw)
	return raw, err
}

// History is one page of runs: the items as JSON.
func (c *Client) History(ctx context.Context, query url.Values) ([]byte, error) {
	var page struct {
		Items json.RawMessage `json:"items"`
	}
	err := c.call(ctx, "GET", "/api/backtest/history?"+query.Encode(), nil, &page)
	return page.Items, err
}

// call sends body as JSON, if there is one, and decodes the answer.
func (c *Client) call(ctx context.Context, method, path string, body, into any, headers ...string) error {
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
		text = bytes.NewReader(b)
	}
	res, err := c.send(ctx, method, path, text, headers...)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.base.Host, err)
	}
	return nil
}

// send sends one request; an answer of 400 and more is an error.
func (c *Client) send(ctx context.Context, method, path string, body io.Reader, headers ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", c.base.Host, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.http.Do(r)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // the address is told once
		}
		return nil, fmt.Errorf("ask the server %s: %w", c.base.Host, err)
	}
	if res.StatusCode < 400 {
		return res, nil
	}
	defer res.Body.Close()
	p := &Problem{Status: res.StatusCode, Title: http.StatusText(res.StatusCode)}
	if b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20)); err == nil {
		_ = json.Unmarshal(b, p) // a proxy's page is no problem document: the status tells enough
	}
	return nil, p
}
