package strategy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"backtester/backtest/strategy"
)

// TestLargeFiles: texts with many thousand values are read and laid out in a time that a server can
// bear, however they are made.
func TestLargeFiles(t *testing.T) {
	var tickers, comments, flows strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&tickers, `"T%d.A",`, i)
	}
	for i := range 10_000 {
		fmt.Fprintf(&comments, "# c%d\n", i)
	}
	for i := range 4_000 {
		fmt.Fprintf(&flows, "  - {a: [1, 2], b: c%d} # x\n", i)
	}
	list := strings.TrimSuffix(tickers.String(), ",")
	for name, text := range map[string]string{
		"one line of JSON":          `{"entry":"close > 5","universe":{"symbols":[` + list + `]}}`,
		"one line, not ASCII":       `{"notes":"ä","entry":"close > 5","universe":{"symbols":[` + list + `]}}`,
		"one line of YAML":          "entry: close > 5\nuniverse: [" + list + "]\n",
		"comments":                  comments.String() + "entry: close > 5\n" + comments.String(),
		"comments between sections": "zzz:\n" + flows.String() + comments.String() + "entry: close > 5\n",
		"a note of spaces":          "entry: close > 5\nnotes: a" + strings.Repeat("  b", 40_000) + "\n",
		"a long note":               "entry: close > 5\nnotes: " + strings.Repeat("word ", 40_000) + "end\n",
		"a long expression":         "entry: " + strings.Repeat("close > 5 and ", 600) + "open > 3\n",
		"lines of a note":           "entry: close > 5\nnotes: |\n" + strings.Repeat("  line\n", 25_000),
	} {
		begin := time.Now()
		out, wrong := strategy.Format("large.yaml", []byte(text))
		took := time.Since(begin)
		if len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong[0])
		}
		if again, _ := strategy.Format("large.yaml", out); string(again) != string(out) {
			t.Errorf("%s: not idempotent", name)
		}
		if took > 60*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}
