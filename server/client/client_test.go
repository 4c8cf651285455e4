package client_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"backtester/server/client"
)

func TestAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://api.example.com": true, "http://localhost:5000": true, "http://127.0.0.1:5000/": true, "http://[::1]:5000": true,
		"http://api.example.com": false, "ftp://x": false, "api.example.com": false, "https://user:pw@x": false, "": false, "https://x?token=1": false,
	} {
		if _, err := client.New(address, "secret-token"); (err == nil) != ok {
			t.Errorf("%q: %v", address, err)
		} else if err != nil && strings.Contains(err.Error(), "secret-token") {
			t.Errorf("%q: the error tells the token", address)
		}
	}
	if _, err := client.New("http://api.example.com", ""); err != nil {
		t.Errorf("without a token plain HTTP is the user's own affair: %v", err)
	}
}

func TestRunIsWaitedFor(t *testing.T) {
	polls := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer tok" {
			t.Errorf("%s %s without the token", r.Method, r.URL)
		}
		switch {
		case r.Method == "POST":
			if b, _ := io.ReadAll(r.Body); !strings.Contains(string(b), `"strategy":{"entry":"x"}`) || r.Header.Get("Idempotency-Key") == "" {
				t.Errorf("the body is %s", b)
			}
			_, _ = io.WriteString(w, `{"run_id":"R1","status":"queued"}`)
		case strings.HasSuffix(r.URL.Path, "/R1"):
			if polls++; polls < 3 {
				_, _ = io.WriteString(w, `{"run_id":"R1","status":"running"}`)
			} else {
				_, _ = io.WriteString(w, `{"run_id":"R1","status":"succeeded"}`)
			}
		default:
			_, _ = io.WriteString(w, "the very bytes\n")
		}
	}))
	defer s.Close()
	c, err := client.New(s.URL, "tok")
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Run(context.Background(), client.Strategy{Document: []byte(`{"entry":"x"}`)}, true)
	if err != nil || run.ID != "R1" || string(run.Result) != "the very bytes\n" || run.Recalled || polls != 3 {
		t.Errorf("%+v %v after %d polls", run, err, polls)
	}
}

func TestRefusals(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect to another host was followed") }))
	defer elsewhere.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/api/backtest/history"):
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case r.Method == "POST":
			w.WriteHeader(422)
			_, _ = io.WriteString(w, `{"status":422,"code":"invalid-strategy","title":"The strategy has faults","errors":[{"code":"x","detail":"no such name","line":2,"column":3}]}`)
		default:
			w.WriteHeader(502)
			_, _ = io.WriteString(w, `<html>bad gateway</html>`)
		}
	}))
	defer s.Close()
	c, err := client.New(s.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	var p *client.Problem
	if _, err := c.Run(context.Background(), client.Strategy{Document: []byte(`{}`)}, true); !errors.As(err, &p) || p.Code != "invalid-strategy" || p.Errors[0].Line != 2 || !strings.Contains(err.Error(), "no such name") {
		t.Errorf("%v", err)
	}
	if _, err := c.Result(context.Background(), "x"); !errors.As(err, &p) || p.Status != 502 || !strings.HasSuffix(err.Error(), "Bad Gateway") {
		t.Errorf("%v", err)
	}
	if _, err := c.History(context.Background(), url.Values{}); err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("%v", err)
	}
}
