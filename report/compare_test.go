package report_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/report"
)

func compared(t *testing.T, rs ...*backtest.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.CompareHTML(&b, rs, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestComparison(t *testing.T) {
	a, b := demo(1000), named(pullback(700), "shorter")
	b.Config.Size.Weight = .25
	html := compared(t, a, b, named(minutes(600), "minutes"))
	if *pages != "" {
		if err := os.WriteFile(filepath.Join(*pages, "compare.html"), []byte(html), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	body := visibleHTML(html)
	for _, want := range []string{"3 runs compared", "SYNTHETIC DATA", "from 2014-12-31 to 2017-04-19", "size.weight", ">0.25<", "Correlation of session returns", `class="s2 line"`} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	// The two daily runs are one path, cut at different lengths: on the common period all their
	// figures are equal, and equal to those of the path cut there.
	m := stats.Compute(stats.Input{Dates: datesOf(a, 601), Equity: a.Equity.Value[:601], PeriodsPerYear: 252})
	sharpe, _ := m.Get("sharpe")
	row := regexp.MustCompile(`(?s)>Sharpe ratio</abbr></th>(.*?)</tr>`).FindStringSubmatch(body)
	if row == nil || strings.Count(row[1], fmt.Sprintf(">%.2f<", sharpe)) < 2 {
		t.Errorf("Sharpe ratios of the common period are %v, want %.2f twice", row, sharpe)
	}
	if html != compared(t, demo(1000), b, named(minutes(600), "minutes")) {
		t.Error("written twice, it differs")
	}
}

// A few settings that differ stand before what became of them; those of another strategy are looked up below.
func TestComparisonPlacesSettings(t *testing.T) {
	other := pullback(700)
	other.Config.Size.Weight = .25
	far := pullback(700)
	for i := range 20 {
		far.Config.Signals = append(far.Config.Signals, signal(fmt.Sprintf("s%d", i), "close > open"))
	}
	for _, c := range []struct {
		with  *backtest.Result
		first bool
	}{{other, true}, {far, false}} {
		body := visibleHTML(compared(t, demo(700), named(c.with, "other")))
		settings, trades := strings.Index(body, "<h2>Settings that differ"), strings.Index(body, "<h2>Trades, exposure and costs")
		if settings < 0 || trades < 0 || settings < trades != c.first {
			t.Errorf("settings are at %d, trades at %d", settings, trades)
		}
	}
}

// Two runs that are one path have one Sharpe ratio; a third one is tested against both.
func TestComparisonTestsSharpeRatios(t *testing.T) {
	other := named(pullback(500), "market")
	copy(other.Equity.Value, other.Benchmark.Value)
	body := visibleHTML(compared(t, demo(500), named(pullback(500), "same"), other))
	_, tested, _ := strings.Cut(body, "Are the Sharpe ratios different?</h2>")
	tested, _, _ = strings.Cut(tested, "</section>")
	rows := regexp.MustCompile(`(?s)<th scope="row">([^<]* - [^<]*)</th><td>([^<]*)</td><td>([^<]*)</td><td>([^<]*)</td><td>([^<]*)</td><td>([^<]*)</td>`).FindAllStringSubmatch(tested, -1)
	if len(rows) != 3 || !strings.Contains(body, "Ledoit and Wolf (2008), 1999 draws a pair, seed ") || !strings.Contains(body, "With 3 pairs") {
		t.Fatalf("%d pairs are tested, want 3", len(rows))
	}
	if r := rows[2]; r[2] != "0.00" || r[5] != "1.000" {
		t.Errorf("one path twice: difference %s, p %s", r[2], r[5])
	}
	sharpe := func(equity []float64) float64 {
		m := stats.Compute(stats.Input{Dates: datesOf(other, 501), Equity: equity, PeriodsPerYear: 252})
		x, _ := m.Get("sharpe")
		return x * math.Sqrt(500.0/499) // the test divides deviations by n, the table by n-1
	}
	want := fmt.Sprintf("%.2f", sharpe(demo(500).Equity.Value)-sharpe(other.Equity.Value))
	for _, r := range rows[:2] { // the surest differences come first
		if strings.TrimPrefix(r[2], "-") != strings.TrimPrefix(want, "-") || r[5] == "1.000" {
			t.Errorf("%s: difference %s, p %s; want %s", r[1], r[2], r[5], want)
		}
	}
}

// Trades are the same that have symbol, side and time of entry in common, one for one.
func TestComparisonTellsTradesApart(t *testing.T) {
	trade := func(symbol, entry string, pnl float64) backtest.Trade {
		return backtest.Trade{Symbol: symbol, Side: "long", EntryTime: entry, ExitTime: "2020-06-30", PnL: pnl, Quantity: 1, EntryPrice: 10}
	}
	a, b := named(pullback(300), "a"), named(pullback(300), "b")
	a.Trades = []backtest.Trade{trade("AAPL", "2020-01-02", 10), trade("AAPL", "2020-01-02", 20), trade("MSFT", "2020-02-03", -5)}
	b.Trades = []backtest.Trade{trade("AAPL", "2020-01-02", 11), trade("MSFT", "2020-02-04", 7), trade("KO", "2020-03-02", 1)}
	want := `<th scope="row">a - b</th><td>1</td><td>$10.00</td><td>$11.00</td><td>2</td><td>$15.00</td><td>2</td><td>$8.00</td>`
	if html := compared(t, a, b); !strings.Contains(html, want) {
		t.Errorf("want %s in %s", want, regexp.MustCompile(`(?s)Trades in common</h2>.*?</section>`).FindString(html))
	}
}

func TestComparisonLimits(t *testing.T) {
	var b bytes.Buffer
	if err := report.CompareHTML(&b, []*backtest.Result{demo(30)}, nil); err == nil || b.Len() > 0 {
		t.Errorf("one run: %v", err)
	}
	many := make([]*backtest.Result, 11)
	for i := range many {
		many[i] = demo(30)
	}
	if err := report.CompareHTML(&b, many, nil); err == nil {
		t.Error("eleven runs are compared")
	}
	ten := compared(t, many[:10]...)
	if !strings.Contains(ten, "pullback (10)") {
		t.Error("runs of one name are not told apart")
	}
	// Runs without a common period still have their trades.
	late := pullback(200)
	for i := range late.Equity.Time.Nanos {
		late.Equity.Time.Nanos[i] += 3650 * 86400e9
	}
	apart := compared(t, pullback(200), late)
	if !strings.Contains(apart, "no period in common") || !strings.Contains(apart, "Profit factor") {
		t.Error("runs apart in time are not compared honestly")
	}
}

func TestHostileComparison(t *testing.T) {
	html := compared(t, hostile(), hostile())
	if n := strings.Count(strings.ToLower(html), "<script"); n != 2 {
		t.Errorf("%d script elements", n)
	}
	if body := visibleHTML(html); strings.Contains(body, "<img") || strings.ContainsRune(body, 0x1b) {
		t.Error("a name broke out")
	}
}
