package cmd_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"backtester/backtest/indicator"
	"backtester/backtest/strategy"
	"backtester/cmd"
)

// call runs the program as in a pipe with a UTF-8 locale.
func call(t *testing.T, data string, args ...string) string {
	t.Helper()
	var o, e bytes.Buffer
	streams := cmd.IO{In: strings.NewReader(""), Out: &o, Err: &e, Now: time.Now, Environ: []string{"HOME=" + data, "BACKTESTER_DATA_DIR=" + data, "LANG=C.UTF-8"}}
	if code := cmd.Main(context.Background(), args, streams, "test"); code != 0 {
		t.Fatalf("%v: exit code %d\n%s", args, code, e.String())
	}
	return o.String()
}

// Every built-in strategy has its rationale, its source and pictures of what it does: a curve of equity
// that moves, and bars with fills.
func TestBuiltinsHavePictures(t *testing.T) {
	data := demoData(t)
	sections := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)<section aria-labelledby="h-([a-z0-9-]+)">(.*?)</section>`).FindAllStringSubmatch(call(t, data, "strategy", "ls", "--format", "html"), -1) {
		sections[m[1]] = m[2]
	}
	all := strategy.Builtins()
	if len(all) < 15 || len(sections) != len(all) {
		t.Fatalf("%d strategies, %d of them drawn", len(all), len(sections))
	}
	for _, b := range all {
		page := sections[b.Name]
		if len(b.Doc) < 100 || len(b.Source) < 10 || b.Title == "" {
			t.Errorf("%s: title %q, source %q, rationale %q", b.Name, b.Title, b.Source, b.Doc)
		}
		if n := strings.Count(page, "<svg"); n < 2 {
			t.Errorf("%s: %d drawings", b.Name, n)
		}
		if !strings.Contains(page, `class="enter"`) {
			t.Errorf("%s: no fill is drawn", b.Name)
		}
		if m := regexp.MustCompile(`total return (-?[0-9.]+)%`).FindStringSubmatch(page); m == nil || m[1] == "0.00" {
			t.Errorf("%s: total return %q", b.Name, m)
		}
	}
	one := call(t, data, "strategy", "show", "golden-cross", "--format", "html")
	if strings.Count(one, "<section") != 1 || !strings.Contains(one, "Lakonishok") || !strings.Contains(one, "sma(close, 200)") {
		t.Error("the page of golden-cross is not about it alone, or lacks its source or its file")
	}
}

// The manual page of every indicator says how long it warms up, and draws it.
func TestEveryIndicatorIsDrawn(t *testing.T) {
	data := t.TempDir()
	braille := regexp.MustCompile(`[\x{2801}-\x{28ff}]`)
	seldom := 0
	for _, s := range indicator.Table() {
		page := call(t, data, "indicators", s.Name)
		for _, want := range []string{s.Title, s.Formula, s.Source, s.Oracle, "warm-up   ", "made-up bars"} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: its page lacks %q", s.Name, want)
			}
		}
		_, chart, _ := strings.Cut(page, "made-up bars")
		_, chart, _ = strings.Cut(chart, s.Name+"(")
		if strings.Contains(chart, "not once on these bars") && s.Family == indicator.Pattern {
			seldom++
			continue
		}
		if !braille.MatchString(chart) && !strings.ContainsAny(chart, "▲▼") {
			t.Errorf("%s is not drawn:\n%s", s.Name, page)
		}
	}
	if seldom > 30 {
		t.Errorf("%d patterns do not occur on the sample", seldom)
	}
}
