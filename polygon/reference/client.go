package reference

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// What a caller can act on, by errors.Is.
var (
	ErrKey         = errors.New("API key missing or not accepted")
	ErrForbidden   = errors.New("not included in the plan of this API key")
	ErrUnreachable = errors.New("API not reachable")
	ErrAnswer      = errors.New("API answered something else")
	errAbsent      = errors.New("not known to the vendor")
)

// Config of a Client. Key is needed, the rest has defaults.
type Config struct {
	BaseURL   string // default https://api.massive.com
	Key       string
	PerMinute int // requests a minute: 5 on the free plan; 0 means 1,200, and 5 from the first refusal on

	Attempts int                                              // tries for one request, default 6
	Pause    time.Duration                                    // before the second try, doubled for each further one; default 2 s, after 429 at least 12 s
	Sleep    func(ctx context.Context, d time.Duration) error // default waits on the wall clock; also used by the rate limit
	Now      func() time.Time                                 // for the rate limit; nil means no limit
}

// Client is safe for concurrent use.
type Client struct {
	cfg   Config
	base  *url.URL
	http  *http.Client
	limit *rate.Limiter
}

// Open checks the settings; it does not connect.
func Open(c Config) (*Client, error) {
	if c.BaseURL == "" {
		c.BaseURL = "https://api.massive.com"
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return nil, errors.New("address of the REST API: want http(s)://host[:port], such as https://api.massive.com")
	}
	if c.Key == "" {
		return nil, fmt.Errorf("%w: take it from the vendor's dashboard and set POLYGON_API_KEY", ErrKey)
	}
	if strings.ContainsFunc(c.Key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("%w: POLYGON_API_KEY contains blanks or other characters that no key has", ErrKey)
	}
	perMinute := c.PerMinute
	if perMinute <= 0 {
		c.PerMinute, perMinute = 0, 1200 // the vendor's advice is to stay under 6,000
	}
	if c.Attempts <= 0 {
		c.Attempts = 6
	}
	if c.Pause <= 0 {
		c.Pause = 2 * time.Second
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	return &Client{
		cfg: c, base: u,
		limit: rate.NewLimiter(rate.Limit(float64(perMinute)/60), max(1, perMinute/60)),
		http: &http.Client{
			Transport:     transport,
			Timeout:       5 * time.Minute,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a redirect would carry the key away
		},
	}, nil
}

const (
	maxPages = 20000     // of one list: more is a server that never ends
	maxBody  = 256 << 20 // of one answer

	freeMinute = 5 // requests of the free plan
	freeWait   = time.Minute / freeMinute
)

// list calls row for every row of all pages of an endpoint, in order, and returns the requests made.
func (c *Client) list(ctx context.Context, path string, query url.Values, row func(json.RawMessage) error) (calls int, err error) {
	u := c.base.JoinPath(path)
	u.RawQuery = query.Encode()
	for {
		if calls == maxPages {
			return calls, fmt.Errorf("get %s: more than %d pages: %w", path, maxPages, ErrAnswer)
		}
		body, err := c.get(ctx, u)
		if calls++; err != nil {
			return calls, err
		}
		var page struct {
			Status  string            `json:"status"`
			Results []json.RawMessage `json:"results"`
			Next    string            `json:"next_url"`
			Changed bool              `json:"adjusted"`
		}
		err = json.Unmarshal(body, &page)
		if err != nil || (page.Results == nil && page.Status != "OK" && page.Status != "DELAYED") {
			return calls, fmt.Errorf("get %s: %w: it begins with %.60q; check the address %s", path, ErrAnswer, body, c.base.Host)
		}
		if page.Changed {
			return calls, fmt.Errorf("get %s: %w: it says that its prices are adjusted, and only those that traded are kept", path, ErrAnswer)
		}
		for _, r := range page.Results {
			if err := row(r); err != nil {
				return calls, err
			}
		}
		if page.Next == "" {
			return calls, nil
		}
		if u, err = c.next(page.Next); err != nil {
			return calls, fmt.Errorf("get %s: %w", path, err)
		}
	}
}

// next checks where the API sends us for the following page: the key goes to the host we were told to
// use, or between the two names of the vendor's own API, and nowhere else.
func (c *Client) next(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: next page %.80q", ErrAnswer, raw)
	}
	vendor := func(host string) bool { return host == "api.massive.com" || host == "api.polygon.io" }
	same := u.Host == c.base.Host && u.Scheme == c.base.Scheme
	if !same && (u.Scheme != "https" || !vendor(u.Host) || !vendor(c.base.Host)) {
		return nil, fmt.Errorf("%w: the next page is at %s://%s, and the key is not sent there", ErrAnswer, u.Scheme, u.Host)
	}
	return u, nil
}

// get asks until there is an answer worth having.
func (c *Client) get(ctx context.Context, u *url.URL) ([]byte, error) {
	pause := c.cfg.Pause
	for try := 1; ; try++ {
		if err := c.wait(ctx); err != nil {
			return nil, err
		}
		body, status, retryAfter, err := c.once(ctx, u)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil && status == http.StatusOK {
			return body, nil
		}
		passing := err != nil || status == 429 || status == 408 || status == 413 || status == 499 || status >= 500
		if !passing || try == c.cfg.Attempts {
			return nil, c.explain("/"+strings.TrimPrefix(u.Path, "/"), status, body, err)
		}
		wait := max(pause, retryAfter)
		if status == 429 {
			wait = max(wait, freeWait)
			c.slowDown()
		}
		if err := c.cfg.Sleep(ctx, wait); err != nil {
			return nil, err
		}
		pause *= 2
	}
}

// slowDown goes over to the pace of the free plan where nobody said which plan it is.
func (c *Client) slowDown() {
	if c.cfg.PerMinute == 0 && c.cfg.Now != nil {
		c.limit.SetLimitAt(c.cfg.Now(), freeMinute/60.0)
		c.limit.SetBurstAt(c.cfg.Now(), 1)
	}
}

// Host that is asked, for messages.
func (c *Client) Host() string { return c.base.Host }

// PerMinute is how many requests a minute are made at most, as far as is known.
func (c *Client) PerMinute() int { return int(float64(c.limit.Limit())*60 + 0.5) }

// wait keeps to the rate limit on the injected clock.
func (c *Client) wait(ctx context.Context) error {
	if c.cfg.Now == nil {
		return ctx.Err()
	}
	now := c.cfg.Now()
	if d := c.limit.ReserveN(now, 1).DelayFrom(now); d > 0 {
		return c.cfg.Sleep(ctx, d)
	}
	return ctx.Err()
}

func (c *Client) once(ctx context.Context, u *url.URL) (body []byte, status int, retryAfter time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, 0, 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.cfg.Key)
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return nil, 0, 0, err
	}
	defer res.Body.Close()
	if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 && s < 3600 {
		retryAfter = time.Duration(s) * time.Second
	}
	body, err = io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if len(body) > maxBody {
		return nil, res.StatusCode, 0, fmt.Errorf("%w: more than %d bytes", ErrAnswer, maxBody)
	}
	return body, res.StatusCode, retryAfter, err
}

// explain says what went wrong without the key and without the query, which a server may echo.
func (c *Client) explain(path string, status int, body []byte, err error) error {
	if err != nil {
		if ue := (*url.Error)(nil); errors.As(err, &ue) {
			err = ue.Err
		}
		return fmt.Errorf("get %s from %s: %w (%s); check the network and the address, then run it again", path, c.base.Host, ErrUnreachable, c.clean(err.Error()))
	}
	var said struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &said) // whatever it is, the status counts
	words := c.clean(fmt.Sprintf("HTTP %d %.200s", status, said.Error+said.Message))
	switch {
	case status == 401:
		return fmt.Errorf("get %s: %w (%s); check POLYGON_API_KEY: it is the API key, not the S3 key", path, ErrKey, words)
	case status == 403:
		return fmt.Errorf("get %s: %w (%s)", path, ErrForbidden, words)
	case status == 404:
		return fmt.Errorf("get %s: %w (%s)", path, errAbsent, words)
	case status == 429:
		return fmt.Errorf("get %s: %w (%s); lower the number of calls a minute, or try later", path, ErrUnreachable, words)
	case status >= 500:
		return fmt.Errorf("get %s: %w (%s); the server is in trouble, try again later", path, ErrUnreachable, words)
	}
	return fmt.Errorf("get %s: %w (%s); check the address %s", path, ErrAnswer, words, c.base.Host)
}

// clean keeps the key out of whatever a server or the network layer repeats.
func (c *Client) clean(s string) string { return strings.ReplaceAll(s, c.cfg.Key, "[key]") }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
