package server_test

import (
	"testing"

	"backtester/server"
)

// A page that this machine opens as a file has the origin null. It may call a server without accounts,
// which serves this machine only; one with accounts lets no such page in, whatever it says.
func TestPagesOpenedAsFiles(t *testing.T) {
	from := []string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}
	w := newWorld(t, worldOptions{server: func(o *server.Options) { o.LocalOrigins = true }})
	rec := w.ask("GET", "/api/health", "", from...)
	if got := rec.Header().Get("Access-Control-Allow-Origin"); got != "null" {
		t.Errorf("without accounts a file may read answers of %q, want null", got)
	}
	w.want(202, "POST", "/api/backtest/run", body(trend), from...)

	w = newWorld(t, worldOptions{accounts: true})
	rec = w.ask("GET", "/api/health", "", from...)
	if got := rec.Header().Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("with accounts a file may read answers of %q", got)
	}
	w.want(403, "POST", "/api/backtest/run", body(trend), from...)
}
