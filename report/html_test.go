package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/report"
)

func page(t *testing.T, r *backtest.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.HTMLWith(&b, r, report.Extras{Draws: 200}); err != nil { // fewer draws than a reader gets
		t.Fatal(err)
	}
	return b.String()
}

// TestWritePages writes pages of every kind, and keeps them with -pages.
func TestWritePages(t *testing.T) {
	dir := t.TempDir()
	if keep := *pages; keep != "" {
		dir = keep
	}
	for name, r := range map[string]*backtest.Result{"demo": demo(2516), "short": pullback(180), "still": still(), "minutes": minutes(60), "hostile": hostile()} {
		if err := os.WriteFile(filepath.Join(dir, name+".html"), []byte(page(t, r)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := pullback(700)
	p, extra := bars(r, "AAPL", "MSFT"), extras()
	atBars(r, p)
	extra.Bars = p
	var b bytes.Buffer
	if err := report.HTMLWith(&b, r, extra); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "prices.html"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func embedded(t *testing.T, html string) map[string]json.RawMessage {
	t.Helper()
	_, rest, ok := strings.Cut(html, `<script type="application/json" id="data">`)
	if !ok {
		t.Fatal("no data in the page")
	}
	text, _, _ := strings.Cut(rest, "</script>")
	var v map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("data of the page: %v", err)
	}
	return v
}

func TestPageIsSelfContained(t *testing.T) {
	for name, r := range map[string]*backtest.Result{"demo": demo(2516), "still": still(), "minutes": minutes(30), "hostile": hostile()} {
		html := page(t, r)
		if len(html) > 2<<20 {
			t.Errorf("%s: %d bytes", name, len(html))
		}
		if again := page(t, r); again != html {
			t.Errorf("%s: written twice, it differs", name)
		}
		if urls := regexp.MustCompile(`https?://[^"\s<]+`).FindAllString(html, -1); !onlyNamespace(urls) {
			t.Errorf("%s: refers to %v", name, urls)
		}
		for _, tag := range []string{"<link", "<img", "<iframe", "<object", "<base", " src=", " href=\"h", " href=\"/", "javascript:", " style=", "@import", "url("} {
			if name != "hostile" && strings.Contains(strings.ToLower(visibleHTML(html)), tag) {
				t.Errorf("%s: has %s", name, tag)
			}
		}
		if name != "still" && strings.Count(html, "<svg") < 8 {
			t.Errorf("%s: only %d drawings without scripts", name, strings.Count(html, "<svg"))
		}
	}
}

func onlyNamespace(urls []string) bool {
	for _, u := range urls {
		if u != "http://www.w3.org/2000/svg" {
			return false
		}
	}
	return true
}

// visibleHTML is the page without its style sheet, script and data.
func visibleHTML(html string) string {
	return regexp.MustCompile(`(?s)<style>.*?</style>|<script.*?</script>`).ReplaceAllString(html, "")
}

// The policy allows the one style sheet and the one script by digest, and they are what it says.
func TestPolicyMatchesThePage(t *testing.T) {
	html := page(t, demo(300))
	for tag, directive := range map[string]string{"style": "style-src", "script": "script-src"} {
		m := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(html)
		if m == nil {
			t.Fatalf("no %s in the page", tag)
		}
		sum := sha256.Sum256([]byte(m[1]))
		want := directive + " &#39;sha256-" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + "&#39;"
		if !strings.Contains(html, want) {
			t.Errorf("the policy does not allow the page's %s: want %s", tag, want)
		}
	}
	if !strings.Contains(html, "default-src &#39;none&#39;") {
		t.Error("the policy allows something by default")
	}
}

func TestHostileNamesExecuteNothing(t *testing.T) {
	html := page(t, hostile())
	if n := strings.Count(strings.ToLower(html), "<script"); n != 2 {
		t.Errorf("%d script elements, want the data and the script", n)
	}
	body := visibleHTML(html)
	for _, bad := range []string{"<img", "<svg onload", "onerror=alert(2)>", "\x1b", "\x07", "\u202E"} {
		if strings.Contains(body, bad) {
			t.Errorf("%q is in the page", bad)
		}
	}
	data := embedded(t, html)
	if strings.ContainsAny(string(data["result"]), "<>") {
		t.Error("the embedded JSON has angle brackets")
	}
	var r struct{ Strategy string }
	if err := json.Unmarshal(data["result"], &r); err != nil || !strings.Contains(r.Strategy, "</script>") {
		t.Errorf("the embedded result has strategy %q, %v", r.Strategy, err)
	}
}

// What the page says are the numbers of the result.
func TestPageShowsTheNumbers(t *testing.T) {
	r := demo(800)
	html := page(t, r)
	text := visibleHTML(html)
	for _, m := range stats.Table() {
		if strings.HasPrefix(m.Key, "benchmark_") || strings.HasPrefix(m.Key, "buy_and_hold") {
			continue
		}
		if !strings.Contains(text, ">"+template.HTMLEscapeString(m.Name)+"</abbr>") {
			t.Errorf("%s is not in the page", m.Key)
		}
		if strings.Count(text, `href="#f-`+m.Key+`"`) != 1 || strings.Count(text, `id="f-`+m.Key+`"`) != 1 {
			t.Errorf("the name of %s does not lead to its formula", m.Key)
		}
	}
	final, _ := r.Metrics.Get("final_equity")
	sharpe, _ := r.Metrics.Get("sharpe")
	for _, want := range []string{"SYNTHETIC DATA", fmt.Sprintf("<b>%.2f</b>", sharpe), "grave 1", "order_by_symbol", "close &gt; sma(close, 200)",
		"commission $0.005 a share, at least $1, slippage 2 bps", "delisted", "12 entries were refused: max_positions.", "9 bars held both the stop and the target", r.Fingerprint, r.Data.SHA256} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the page", want)
		}
	}
	data := embedded(t, html)
	want, _ := r.EncodeJSON()
	if string(data["result"])+"\n" != string(want) {
		t.Error("the embedded result is not the result")
	}
	var series struct {
		Dates []string
		Lines []struct {
			Chart, Name string
			Values      []*float64
		}
	}
	if err := json.Unmarshal(data["series"], &series); err != nil {
		t.Fatal(err)
	}
	for _, l := range series.Lines {
		if len(l.Values) != len(series.Dates) || len(series.Dates) != 801 {
			t.Fatalf("%s of %s: %d values for %d dates", l.Name, l.Chart, len(l.Values), len(series.Dates))
		}
		if l.Chart == "equity" && l.Name == "Equity" && math.Abs(*l.Values[800]-final) > .01 {
			t.Errorf("last equity is %g, want %g", *l.Values[800], final)
		}
	}
	lost := demo(300)
	for i := range lost.Trades {
		lost.Trades[i].PnL = -math.Abs(lost.Trades[i].PnL)
	}
	for r, want := range map[*backtest.Result]bool{demo(300): true, lost: false} { // of a loss there are no shares
		if has := strings.Contains(visibleHTML(page(t, r)), `<th scope="col">Share</th>`); has != want {
			t.Errorf("there are shares of a net profit: %v, want %v", has, want)
		}
	}
	if strings.Contains(visibleHTML(page(t, pullback(300))), "SYNTHETIC") {
		t.Error("real data is called synthetic")
	}
	if !strings.Contains(visibleHTML(page(t, still())), "dip held at 41 bars.") {
		t.Error("nothing was traded and the page does not say why")
	}
	if strings.Contains(visibleHTML(page(t, still())), "<svg") {
		t.Error("a run that never moved is drawn")
	}
}

// bigRun has a million bars and 200,000 trades.
func bigRun() *backtest.Result {
	r := pullback(2500)
	r.Equity = backtest.Curve{}
	d := dice(3)
	v := 100000.0
	for i := range 2500 {
		day := instrument.NewDate(2014, 12, 31) + instrument.Date(i)
		for k := range 400 {
			v *= 1 + .0004*d.normal()
			r.Equity.Time.Nanos = append(r.Equity.Time.Nanos, day.Nanos()+int64(14*3600+60*k)*1e9)
			r.Equity.Value = append(r.Equity.Value, v)
		}
	}
	one := r.Trades[0]
	for len(r.Trades) < 200000 {
		r.Trades = append(r.Trades, one)
	}
	return r
}

// A million bars and 200,000 trades make a page under 2 MB, with the deepest fall in it.
func TestBigRun(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	html := page(t, bigRun())
	if len(html) > 2<<20 {
		t.Errorf("%d bytes", len(html))
	}
	var omitted []string
	if err := json.Unmarshal(embedded(t, html)["omitted"], &omitted); err != nil || len(omitted) != 2 {
		t.Errorf("omitted is %v, %v", omitted, err)
	}
	t.Logf("%d bytes", len(html))
}

// BenchmarkBigRun is the time of that page: under two seconds is the aim.
func BenchmarkBigRun(b *testing.B) {
	r := bigRun()
	for b.Loop() {
		if err := report.HTML(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
}
