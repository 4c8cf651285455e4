package cmd_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"backtester/cmd"
)

// served is a serve that goes on within the test.
type served struct {
	url      string
	warnings string
	stop     func() int // and the exit code
}

// serve starts a server on a port of its own.
func serve(t *testing.T, environ []string, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	streams := cmd.IO{In: strings.NewReader(""), Out: io.Discard, Err: write, Now: time.Now, Environ: environ}
	ended := make(chan int, 1)
	go func() {
		ended <- cmd.Main(ctx, append([]string{"serve", "--port", "0", "--env-file", "none"}, args...), streams, "test")
		write.Close()
	}()
	s := &served{}
	lines := bufio.NewScanner(read)
	for s.url == "" && lines.Scan() {
		if s.url, _ = strings.CutPrefix(lines.Text(), "serving "); !strings.HasPrefix(s.url, "http://127.0.0.1:") {
			s.url, s.warnings = "", s.warnings+lines.Text()+"\n"
		}
	}
	go io.Copy(io.Discard, read)
	code := -1
	s.stop = func() int {
		cancel()
		if code >= 0 {
			return code
		}
		select {
		case code = <-ended:
		case <-time.After(time.Minute):
			t.Error("serve does not end")
		}
		return code
	}
	t.Cleanup(func() { s.stop() })
	if s.url == "" {
		t.Fatalf("serve did not say where it serves:\n%s", s.warnings)
	}
	return s
}

// call asks the server and decodes its JSON.
func (s *served) call(t *testing.T, method, path, body string, headers ...string) (int, map[string]any, []byte) {
	t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	_ = json.Unmarshal(b, &v) // files are no JSON
	return res.StatusCode, v, b
}

// The two doors: the result of a run through serve is byte for byte what run --format json prints, from
// the same store, by any number of workers.
func TestServeAndRunGiveTheSameBytes(t *testing.T) {
	data := demoData(t)
	const strategy = `{"name": "doors", "universe": {"symbols": ["ACME", "YIELD", "REVRS"]},
		"entry": "close > sma(close, 20)", "exit": {"when": "close < sma(close, 20)", "stop": "entry_price * 0.9"},
		"size": {"weight": 0.3}, "costs": {"slippage": {"bps": 2}}}`
	var cli, faults bytes.Buffer
	streams := cmd.IO{In: strings.NewReader(strategy), Out: &cli, Err: &faults, Now: time.Now, Environ: []string{"HOME=" + data}}
	if code := cmd.Main(context.Background(), []string{"run", "-", "--format", "json", "--data-dir", data}, streams, "test"); code != 0 {
		t.Fatalf("run: exit code %d\n%s", code, faults.String())
	}
	if !bytes.Contains(cli.Bytes(), []byte(`"entry_time"`)) {
		t.Error("nothing was traded: the test compares nothing")
	}
	for _, workers := range []string{"1", "2", "8"} {
		s := serve(t, []string{"HOME=" + data}, "--data-dir", data, "--results-dir", t.TempDir(), "--workers", workers)
		if !strings.Contains(s.warnings, "synthetic_data") {
			t.Errorf("serve warns only of\n%s", s.warnings)
		}
		status, run, b := s.call(t, "POST", "/api/backtest/run", `{"strategy": `+strategy+`}`, "Prefer", "wait=30")
		if status != 200 || run["status"] != "succeeded" {
			t.Fatalf("%s workers: status %d: %s", workers, status, b)
		}
		if _, _, api := s.call(t, "GET", "/api/backtest/results/"+run["run_id"].(string)+"/result", ""); !bytes.Equal(api, cli.Bytes()) {
			t.Errorf("%s workers: the API's %d bytes are not the command line's %d", workers, len(api), cli.Len())
		}
		if code := s.stop(); code != 0 {
			t.Errorf("serve ends with %d after the signal to stop, want 0", code)
		}
	}
}
