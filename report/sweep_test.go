package report_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
	"backtester/report"
)

// swept is a small sweep of made-up prices.
func swept(t *testing.T, text string) report.Sweep {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	s := &bar.Series{Symbol: "XYZ", ID: "XYZ", Frame: bar.Daily, Delisted: instrument.None}
	price := 50.0
	for i := range 600 {
		price *= 1 + 0.015*r.NormFloat64()
		s.Time = append(s.Time, instrument.Date(15000+i).Nanos())
		s.Open, s.Close = append(s.Open, price), append(s.Close, price)
		s.High, s.Low, s.Volume = append(s.High, price*1.01), append(s.Low, price*0.99), append(s.Volume, 1e6)
	}
	src, err := bar.NewMemory(bar.Always(), s)
	if err != nil {
		t.Fatal(err)
	}
	cfg, faults := strategy.Parse("pairs", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	plan, err := sweep.NewPlan(context.Background(), cfg, src, sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	surface := sweep.NewSurface(plan)
	summary, err := plan.Run(context.Background(), sweep.Options{Row: func(r *sweep.Row) error { surface.Add(r); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	return report.Sweep{Plan: plan, Summary: summary, Surface: surface}
}

const sweptPairs = `
params: {fast: 2..12, slow: 5..40 step 5, k: [0, 1]}
constraint: fast < slow
entry: sma(close, fast) > sma(close, slow) + k * 0.1
exit: sma(close, fast) < sma(close, slow)
size: {weight: 1, fractional: true}
search: {objective: total_return, min_trades: 1}
`

func TestSweepPage(t *testing.T) {
	s := swept(t, sweptPairs)
	var page, again bytes.Buffer
	if err := report.SweepHTML(&page, s); err != nil {
		t.Fatal(err)
	}
	if err := report.SweepHTML(&again, s); err != nil || !bytes.Equal(page.Bytes(), again.Bytes()) {
		t.Errorf("written twice, it differs (%v)", err)
	}
	html := page.String()
	if urls := regexp.MustCompile(`https?://[^"\s<]+`).FindAllString(html, -1); !onlyNamespace(urls) {
		t.Errorf("refers to %v", urls)
	}
	for _, want := range []string{"Content-Security-Policy", "total_return over fast and slow", "Importance of the parameters", "Plateau", "The best combinations", `class="best"`,
		`<th scope="col" class="l">Symbol</th>`, `<th scope="col">Max drawdown</th>`} {
		if !strings.Contains(html, want) {
			t.Errorf("has no %q", want)
		}
	}
	if strings.Contains(html, " style=") || strings.Contains(html, "NaN") {
		t.Error("has styles in elements, or NaN")
	}
	if v := embedded(t, html); len(v["best"]) < 10 || len(v["slices"]) < 10 {
		t.Errorf("data %s", v)
	}
	if *pages != "" {
		if err := os.WriteFile(filepath.Join(*pages, "sweep.html"), page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSweepTerminal(t *testing.T) {
	s := swept(t, sweptPairs)
	for _, unicode := range []bool{false, true} {
		var b bytes.Buffer
		if err := report.SweepTerminal(&b, s.Surface, unicode); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range []string{"plateau ", "fast", "importance", "total_return: "} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		if !unicode {
			for _, r := range text {
				if r > 127 {
					t.Fatalf("%q is not ASCII", r)
				}
			}
		}
	}
}

// What the best one stands on is said of the one at the top of the table.
func TestSweepTerminalSaysWhatTheBestStandsOn(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{sweptPairs, "are at least half as good, their median"},
		{strings.Replace(sweptPairs, "min_trades: 1", "method: random, samples: 1, min_trades: 1", 1), "no neighbour of the best was tried"},
		{strings.Replace(sweptPairs, "objective: total_return", "objective: max_drawdown", 1), " neighbours of the best: their median"},
	} {
		s := swept(t, c.text)
		var b bytes.Buffer
		if err := report.SweepTerminal(&b, s.Surface, false); err != nil || !strings.Contains(b.String(), c.want) {
			t.Errorf("no %q in\n%s (%v)", c.want, b.String(), err)
		}
	}
	none := swept(t, strings.Replace(sweptPairs, "min_trades: 1", "min_trades: 1000000", 1))
	var b bytes.Buffer
	if err := report.SweepTerminal(&b, none.Surface, false); err != nil || strings.Contains(b.String(), "neighbour") {
		t.Errorf("something is said of a best that there is not:\n%s (%v)", b.String(), err)
	}
}

// A grid that is too fine to be drawn is drawn in cells of several values, and the best one has its frame.
func TestFineGridsAreDrawn(t *testing.T) {
	s := swept(t, `
params: {fast: 2..161, slow: 3..43 step 20}
entry: sma(close, fast) > sma(close, slow)
exit: sma(close, fast) < sma(close, slow)
size: {weight: 1, fractional: true}
search: {objective: total_return, min_trades: 0}
`)
	var page bytes.Buffer
	if err := report.SweepHTML(&page, s); err != nil {
		t.Fatal(err)
	}
	html := page.String()
	heat := s.Surface.Heat(0, 1)
	median := (heat[10][0] + heat[11][0]) / 2
	for _, want := range []string{"of 2 values of fast by 1 of slow in a cell", `class="best"`,
		"<title>fast 12..13, slow 3: " + strconv.FormatFloat(median, 'g', 5, 64) + "</title>"} {
		if !strings.Contains(html, want) {
			t.Errorf("has no %q", want)
		}
	}
	if n := strings.Count(html, "<title>fast "); n != 2*80*3 {
		t.Errorf("%d cells, want those of the wide and the narrow drawing", n)
	}
}
