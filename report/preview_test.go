package report_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/report"
)

// look is a preview of n bars with a moving average, an oscillator and a condition.
func look(n int) *backtest.Preview {
	r := demo(300)
	p := &backtest.Preview{Strategy: r.Strategy, Config: r.Config, Data: r.Data, Counts: r.Counts, Warnings: r.Warnings}
	for k, name := range []string{"AAPL", "MSFT"} {
		d := dice(11 + k)
		s := backtest.SymbolPreview{Symbol: name, Warm: min(n/4, 50), Time: times(tradingDays(instrument.NewDate(2023, 1, 3), n))}
		c := 100.0
		var slow, osc, dip backtest.Values
		sum := 0.0
		for i := range n {
			o := c * (1 + .004*d.normal())
			c = o * (1 + .0004 + .015*d.normal())
			s.Open, s.Close = append(s.Open, o), append(s.Close, c)
			s.High = append(s.High, math.Max(o, c)*(1+.006*math.Abs(d.normal())))
			s.Low = append(s.Low, math.Min(o, c)*(1-.006*math.Abs(d.normal())))
			s.Volume = append(s.Volume, math.Round(1e6*math.Exp(.4*d.normal())))
			sum += c
			mean, x := math.NaN(), math.NaN()
			if i >= 20 {
				sum -= s.Close[i-20]
				mean, x = sum/20, 50+400*(c/(sum/20)-1)
			}
			slow, osc = append(slow, mean), append(osc, x)
			cond := math.NaN()
			if !math.IsNaN(x) {
				cond = boolean(x < 38)
			}
			dip = append(dip, cond)
			s.Entries, s.Exits = append(s.Entries, cond == 1), append(s.Exits, x > 66)
		}
		s.Columns = []backtest.PreviewColumn{{Name: "sma(close, 20)", Kind: "number", Pane: "price", Values: slow},
			{Name: "rsi(close, 14)", Kind: "number", Pane: "own", Values: osc}, {Name: "dip", Kind: "condition", Pane: "own", Values: dip}}
		p.Symbols = append(p.Symbols, s)
	}
	return p
}

func previewPage(t *testing.T, p *backtest.Preview) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.PreviewHTML(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPreviewPage(t *testing.T) {
	p := look(700)
	html := previewPage(t, p)
	if *pages != "" {
		if err := os.WriteFile(filepath.Join(*pages, "preview.html"), []byte(html), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if html != previewPage(t, p) {
		t.Error("written twice, it differs")
	}
	body := visibleHTML(html)
	for _, want := range []string{"SYNTHETIC DATA", "sma(close, 20)", "rsi(close, 14)", "All bars, each candle stands for up to 3", "The last 120 bars", "dip held at 814 bars."} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	if strings.Contains(body, "NaN") {
		t.Error("NaN reached the page")
	}
	// Every bar at which the entry rule became true has its triangle.
	entries := 0
	for i, e := range p.Symbols[0].Entries {
		if e && !p.Symbols[0].Entries[i-1] {
			entries++
		}
	}
	path := body[strings.Index(body, `class="enter" d="`):]
	path = path[:strings.Index(path, `"/>`)]
	if got := strings.Count(path, "M"); got != entries || entries == 0 {
		t.Errorf("%d triangles for %d entries", got, entries)
	}
}

func TestPreviewOfLittle(t *testing.T) {
	for _, n := range []int{0, 1, 2, 30} {
		p := look(n)
		for i := range p.Symbols {
			for k := range p.Symbols[i].Volume {
				p.Symbols[i].Volume[k] = math.NaN()
			}
		}
		if strings.Contains(visibleHTML(previewPage(t, p)), "NaN") {
			t.Errorf("%d bars: NaN reached the page", n)
		}
		var b bytes.Buffer
		if err := report.Preview(&b, p, report.Options{Width: 80}); err != nil || strings.Contains(b.String(), "NaN") {
			t.Errorf("%d bars: %v, %s", n, err, b.String())
		}
	}
}

func TestPreviewTerminalGolden(t *testing.T) {
	for name, o := range map[string]report.Options{"preview.txt": {Width: 120, Unicode: true}, "preview-ascii.txt": {Width: 80}} {
		var b bytes.Buffer
		if err := report.Preview(&b, look(300), o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
		for _, l := range strings.Split(b.String(), "\n") {
			if n := utf8.RuneCountInString(l); n > o.Width {
				t.Errorf("%s: a line has %d columns: %s", name, n, l)
			}
		}
	}
}

func TestHostilePreview(t *testing.T) {
	p := look(40)
	evil := hostile().Strategy
	p.Strategy, p.Symbols[0].Symbol, p.Symbols[0].Columns[0].Name, p.Symbols[0].Columns[2].Name = evil, evil, evil, evil
	html := previewPage(t, p)
	if n := strings.Count(strings.ToLower(html), "<script"); n != 2 {
		t.Errorf("%d script elements", n)
	}
	if body := visibleHTML(html); strings.Contains(body, "<img") || strings.ContainsRune(body, 0x1b) {
		t.Error("a name broke out")
	}
}

func TestPreviewNamesTheClock(t *testing.T) {
	for daily, want := range map[bool]string{true: " Time ", false: " Time, UTC "} {
		p := look(60)
		for i := range p.Symbols {
			p.Symbols[i].Time.Daily = daily
		}
		var b bytes.Buffer
		if err := report.Preview(&b, p, report.Options{Width: 120}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("daily %v: no %q in\n%s", daily, want, b.String())
		}
	}
}
