package report_test

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/backtest/stats/bootstrap"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/validate/stress"
	"backtester/report"
)

func extras() report.Extras {
	point := func(label string, at, sharpe float64, base bool) stress.Point {
		return stress.Point{Label: label, At: at, Base: base, Trades: 40, TotalReturn: stress.Number(sharpe / 3), CAGR: stress.Number(sharpe / 20), Sharpe: stress.Number(sharpe), MaxDrawdown: -.2}
	}
	s := &stress.Report{Runs: 11,
		Delay:   []stress.Point{point("as it is", 0, .9, true), point("1 later", 1, .3, false), {Label: "<b>2</b> later", At: 2, Fault: "no <i>bars</i>", Sharpe: stress.Number(math.NaN())}},
		Costs:   []stress.Point{point("as it is", 0, .9, true), point("+5 bps", 5, -.1, false)},
		Params:  []stress.Parameter{{Name: "n", Points: []stress.Point{point("9", 9, .2, false), point("10", 10, .9, true), point("11", 11, .3, false)}}},
		Symbols: []stress.Point{point("AAPL", 100, .5, false)},
		Entries: &bootstrap.Entries{Draws: 5, Seed: 3, Spells: 40, Observed: .05, Null: []float64{-.02, .01, .03, .04, .06}, P: .33, Better: .4},
		Timing:  &bootstrap.Timing{Draws: 4, Exact: true, Sharpe: .05, Null: []float64{-.01, .02, .03, .04}, P: .2},
		Left:    []string{"later starts: under two years"}}
	selection := overfit.Select(stats.Sharpe{SR: .05, N: 700, Kurtosis: 3}, 40, .0004, .5, 20)
	selection.Snapshot = "abc123"
	return report.Extras{Draws: 200, Stress: s, Selection: &selection}
}

// What other assumptions gave and how often the data was searched stand on the page, in its data and among
// its warnings, and nothing of it is markup.
func TestPageWithRerunsAndSelection(t *testing.T) {
	var b bytes.Buffer
	if err := report.HTMLWith(&b, pullback(700), extras()); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	for _, want := range []string{"After so many trials", "40, this run included", "Deflated Sharpe", "Haircut Sharpe", "Minimum backtest", "Run again with one assumption changed",
		"Acting later", "The profit is gone at about", "Parameter n", "Entries at random", "The same positions, moved together", "later starts: under two years",
		"delay_fragile", "parameter_fragile", "cost_fragile", "random_entries", "searched", "lone peak", "deflated"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<b>2</b>", "no <i>bars"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page holds %s as markup", bad)
		}
	}
	// From left to right: the neighbours 9 and 11 of a parameter of 10 are not a line of their own.
	if line := regexp.MustCompile(`aria-label="Sharpe ratio: Parameter n"[^§]*?<path class="second line" d="(M[^"]*)"`).FindStringSubmatch(html); line == nil ||
		!regexp.MustCompile(`^M[0-9. ]+L[0-9. ]+L[0-9. ]+$`).MatchString(line[1]) || !rises(line[1]) {
		t.Errorf("Sharpe ratios of a parameter are joined by %q", line)
	}
	data := embedded(t, html)
	for _, key := range []string{"stress", "selection"} {
		if len(data[key]) < 50 {
			t.Errorf("the data of the page has %s: %s", key, data[key])
		}
	}
	plain := page(t, pullback(700))
	if strings.Contains(plain, "After so many trials") || !strings.Contains(plain, "trials are not recorded for it") {
		t.Error("a run without history claims to know its trials")
	}
}

// That dearer trading takes the profit is warned of once, by the figure where it says so, and otherwise by the runs.
func TestOneWarningOfCosts(t *testing.T) {
	r := pullback(700)
	e := extras()
	for _, c := range []struct {
		limit float64
		want  string
	}{{.0005, "5 bps more for every trade turn"}, {1, "on every traded dollar takes the whole profit"}} {
		e.Limits = stats.Limits{"cost_fragile": c.limit}
		var b bytes.Buffer
		if err := report.HTMLWith(&b, r, e); err != nil {
			t.Fatal(err)
		}
		_, alerts, _ := strings.Cut(b.String(), `id="h-alerts"`)
		alerts, _, _ = strings.Cut(alerts, "</section>")
		if n := strings.Count(alerts, "<small>cost_fragile"); n != 1 || !strings.Contains(alerts, c.want) {
			t.Errorf("cost_fragile = %g: warned of %d times, want once, with %q: %s", c.limit, n, c.want, alerts)
		}
		if n := strings.Count(alerts, "<small>parameter_fragile"); n != 1 {
			t.Errorf("cost_fragile = %g: %d warnings of parameters, want 1", c.limit, n)
		}
	}
}

func TestTerminalWithReruns(t *testing.T) {
	for _, width := range []int{60, 80, 120} {
		var b bytes.Buffer
		if err := report.Terminal(&b, []*backtest.Result{pullback(700)}, report.Options{Width: width, Unicode: true, Stress: extras().Stress}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range []string{"Run again with one assumption changed", "1 later", "+5 bps", "10 *", "Entries at random: p = 0.33"} {
			if !strings.Contains(text, want) {
				t.Errorf("width %d: %q is missing", width, want)
			}
		}
		for _, line := range strings.Split(text, "\n") {
			if n := len([]rune(line)); n > width {
				t.Errorf("width %d: a line of %d: %s", width, n, line)
			}
		}
	}
}

// rises reports whether the points of a path go from left to right.
func rises(path string) bool {
	at := math.Inf(-1)
	for _, p := range strings.FieldsFunc(path, func(r rune) bool { return r == 'M' || r == 'L' }) {
		x, err := strconv.ParseFloat(strings.Fields(p)[0], 64)
		if err != nil || x <= at {
			return false
		}
		at = x
	}
	return true
}
