package report_test

import (
	"io"
	"regexp"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/report"
)

func TestMarkdownGolden(t *testing.T) {
	golden(t, "two.md", []byte(write(t, markdown, demo(700), named(pullback(500), "other"))))
}

func TestHostileMarkdown(t *testing.T) {
	r := hostile()
	r.Strategy = "a | b](http://x) ![i](http://y) <b> `c` @team"
	s := write(t, markdown, r)
	escapes := regexp.MustCompile(`\\.`)
	for _, bad := range []string{"<b>", "<script", "](http", "![i]", "`c`", "@team", "://"} {
		if strings.Contains(escapes.ReplaceAllString(s, ""), bad) {
			t.Errorf("%q is in the table", bad)
		}
	}
	for _, l := range strings.Split(strings.TrimSpace(s), "\n") {
		if !strings.HasPrefix(l, "|") {
			continue
		}
		if n := strings.Count(strings.ReplaceAll(l, "\\|", ""), "|"); n != 3 {
			t.Errorf("%d cell borders in %q", n, l)
		}
	}
}

// markdown is report.Markdown by the thresholds of the table.
func markdown(w io.Writer, rs []*backtest.Result) error { return report.Markdown(w, rs, nil) }
