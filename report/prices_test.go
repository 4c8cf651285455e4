package report_test

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/report"
)

// bars is a preview whose symbols have the sessions of a run, and prices that its trades can have had.
func bars(r *backtest.Result, symbols ...string) *backtest.Preview {
	p := &backtest.Preview{}
	for _, name := range symbols {
		d := dice(9)
		s := backtest.SymbolPreview{Symbol: name, Time: r.Equity.Time}
		v := 80.0
		for range r.Equity.Value {
			v *= 1 + .004*d.normal()
			s.Open, s.Close, s.High, s.Low, s.Volume = append(s.Open, v), append(s.Close, v*1.002), append(s.High, v*1.01), append(s.Low, v*.99), append(s.Volume, 1e6)
		}
		s.Columns = []backtest.PreviewColumn{{Name: "sma(close, 20)", Kind: "number", Pane: "price", Values: s.Close}, {Name: "rsi(close, 14)", Kind: "number", Pane: "own", Values: s.Close}}
		p.Symbols = append(p.Symbols, s)
	}
	return p
}

// atBars gives every fill and trade a price within the bars of its session.
func atBars(r *backtest.Result, p *backtest.Preview) {
	price := map[string]float64{}
	for i := range r.Equity.Value {
		price[r.Equity.Time.At(i)] = p.Symbols[0].Close[i]
	}
	for i := range r.Trades {
		t := &r.Trades[i]
		t.EntryPrice, t.ExitPrice = price[t.EntryTime], price[t.ExitTime]
	}
	for i := range r.Fills {
		r.Fills[i].Price = price[r.Fills[i].Time]
	}
}

func TestPriceCharts(t *testing.T) {
	r := pullback(900)
	p := bars(r, "AAPL", "MSFT", "JPM", "XOM", "JNJ", "KO", "NEVER")
	atBars(r, p)
	var plain, drawn, again bytes.Buffer
	if err := report.HTML(&plain, r); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*bytes.Buffer{&drawn, &again} {
		if err := report.HTMLWith(w, r, report.Extras{Bars: p, Draws: 100}); err != nil {
			t.Fatal(err)
		}
	}
	html := drawn.String()
	if html != again.String() {
		t.Error("written twice, it differs")
	}
	if strings.Contains(plain.String(), "with fills") || !strings.Contains(html, "Bars of AAPL with fills") || strings.Contains(html, "Bars of NEVER") {
		t.Error("the symbols drawn are not those traded")
	}
	for _, want := range []string{"sma(close, 20)", "rsi(close, 14)", "more symbols were traded and are not drawn"} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if len(html) > 2_000_000 {
		t.Errorf("%d bytes", len(html))
	}
	// Every entry of AAPL is a triangle on the chart of all its bars.
	chart := regexp.MustCompile(`(?s)<svg[^>]*wide[^>]*Bars of AAPL with fills.*?</svg>`).FindString(html)
	marks := regexp.MustCompile(`<path class="enter" d="([^"]*)"`).FindStringSubmatch(chart)
	bought := 0
	for _, f := range r.Fills {
		if f.Symbol == "AAPL" {
			bought++
		}
	}
	if len(marks) != 2 || strings.Count(marks[1], "M") != bought {
		t.Errorf("%d entries of AAPL, marks %.80v", bought, marks)
	}
	if !strings.Contains(chart, `class="trip won"`) || !strings.Contains(chart, `class="trip lost"`) {
		t.Error("entries are not joined to exits")
	}
}

// What does not fit beside the drawings is left out of the data, and named.
// A day of many bars is named once below a chart, where it begins.
func TestDaysOfManyBarsAreNamedOnce(t *testing.T) {
	r := minutes(60)
	var b bytes.Buffer
	if err := report.HTMLWith(&b, r, report.Extras{Bars: bars(r, "AAPL"), Draws: 200}); err != nil {
		t.Fatal(err)
	}
	drawings := 0
	for _, svg := range regexp.MustCompile(`(?s)<svg [^>]*aria-label="(?:Bars of|rsi)[^>]*>.*?</svg>`).FindAllString(b.String(), -1) {
		seen := map[string]int{}
		for _, m := range regexp.MustCompile(`<text class="tick"[^>]*>(\d+ [A-Z][a-z]{2})</text>`).FindAllStringSubmatch(svg, -1) {
			seen[m[1]]++
		}
		if len(seen) > 0 {
			drawings++
		}
		for day, n := range seen {
			if n != 1 {
				t.Errorf("%s is named %d times below %.90s", day, n, svg)
			}
		}
	}
	if drawings < 4 { // the last bars and their indicator, wide and narrow
		t.Errorf("%d drawings name days, want 4 or more", drawings)
	}
}

func TestPageWithManyFillsStaysSmall(t *testing.T) {
	r := pullback(2500)
	p := bars(r, "AAPL", "MSFT", "JPM", "XOM", "JNJ", "KO")
	for len(r.Fills) < 4000 {
		r.Fills = append(r.Fills, r.Fills[:247]...)
	}
	for len(r.Trades) < 2500 {
		r.Trades = append(r.Trades, r.Trades[:247]...)
	}
	var b bytes.Buffer
	if err := report.HTMLWith(&b, r, report.Extras{Bars: p, Draws: 100}); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 2_000_000 {
		t.Errorf("%d bytes", b.Len())
	}
	if !strings.Contains(string(embedded(t, b.String())["omitted"]), "result.fills: the last") {
		t.Error("nothing is said to be left out")
	}
}

// The chapters about chance say what they drew, and how much.
func TestRobustChapters(t *testing.T) {
	var b bytes.Buffer
	if err := report.HTML(&b, demo(800)); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(visibleHTML(html), " ")
	for _, want := range []string{"5,000 paths of 800 sessions", "stationary bootstrap, seed ", "path risk only", "orders of the closed trades", "all 799 shifts",
		"Break-even", "100 bps", "without the best 1% of sessions (8)", "If it had begun later", "Against the normal law", "Best and worst open profit", "Growth of 1 in the run over that in SPY",
		"Trades by weekday of entry", "Trades by month of entry"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	m := regexp.MustCompile(`Sharpe ratio\s+([-\d.]+), 95% between ([-\d.]+) and ([-\d.]+)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("the Sharpe ratio has no interval")
	}
	var x, low, high float64
	if _, err := fmt.Sscan(m[1]+" "+m[2]+" "+m[3], &x, &low, &high); err != nil || !(low < x && x < high) {
		t.Errorf("interval %v", m)
	}
	// It has about the width of the formula's.
	from, _ := demo(800).Metrics.Get("sharpe_low")
	to, _ := demo(800).Metrics.Get("sharpe_high")
	if w := (high - low) / (to - from); math.Abs(w-1) > .4 {
		t.Errorf("the interval is %.2f as wide as the formula's", w)
	}
	if strings.Contains(visibleHTML(page(t, still())), "How much of it is chance") {
		t.Error("a run that never moved is simulated")
	}
}
