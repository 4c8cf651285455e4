package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/validate"
	"backtester/report"
)

func validation() *validate.Report {
	r := pullback(700)
	e := extras()
	nan := validate.Number(math.NaN())
	window := validate.Window{TrainFrom: "2015-01-01", TrainTo: "2015-12-31", TestFrom: "2016-01-01", TestTo: "2016-12-31", Chosen: []validate.Parameter{{Name: "<i>n</i>", Value: 4}},
		InSample: .001, OutOfSample: .0005, Efficiency: .5, Sessions: 350, TotalReturn: .1, Trades: 7}
	still := window
	still.Chosen, still.Reason, still.Efficiency = nil, "nothing <b>eligible</b>", nan
	return &validate.Report{Schema: validate.Schema, Engine: "1", Strategy: "<script>alert(1)</script>\x1b[31m", Verdict: validate.Failing, Config: backtest.Default(), Judged: r,
		Questions: []validate.Question{{Key: "pbo", Question: "Is it luck?", Verdict: validate.Failing, Figure: "pbo", Value: .7, Rule: "passes to 0.2", Answer: "It is <b>luck</b>.", On: "all"},
			{Key: "kfold", Question: "Does it follow?", Verdict: validate.Undefined, Figure: "kfold_sharpe", Value: nan, Rule: "passes from 0.5", Reason: "one combination"}},
		Data:        validate.Data{Symbols: []string{"AAPL"}, From: "2015-01-02", To: "2017-10-01", Sessions: 700, SHA256: "abc", Synthetic: true},
		Search:      validate.Searched{Method: "grid", Objective: "sharpe", Combinations: 6, Eligible: 5, Chosen: []validate.Parameter{{Name: "n", Value: 4}}},
		WalkForward: &validate.WalkForward{Train: "1y", Test: "1y", Windows: []validate.Window{window, still}, Efficiency: .5, InSample: .001, OutOfSample: .0005, TotalReturn: .1, CAGR: nan, Sharpe: .4, MaxDrawdown: -.1, Equity: r.Equity},
		PBO:         &validate.PBO{Configurations: 6, Blocks: 4, Splits: 6, Probability: .7, Loss: .5, Slope: -1, R2: .5, Dominance: .1, Logits: []validate.Count{{Value: -1, Count: 4}, {Value: 1, Count: 2}}, In: []float64{.1, .2, .3}, Out: []float64{.1, 0, -.1}},
		CPCV:        &validate.Cross{Groups: 3, Tested: 2, Splits: make([]validate.Split, 3), Paths: []validate.Path{{TotalReturn: .1, Sharpe: .5, MaxDrawdown: -.1}, {TotalReturn: -.1, Sharpe: -.5, MaxDrawdown: -.3}}, Median: 0, Low: -.5, High: .5, Loss: .5},
		Cash:        &validate.Superiority{Models: 6, Draws: 99, Block: 5, Consistent: .3, Lower: .2, Upper: .4, RealityCheck: .4},
		Noise:       []validate.Noisy{{Size: .1, Runs: 3, Median: .5, Low: .4, High: .6, Profit: 1}},
		Stress:      e.Stress, Selection: e.Selection, Proof: &validate.Proof{}}
}

// The page shows every chapter that there is, the whole document as data, and nothing of it is markup.
func TestValidationPage(t *testing.T) {
	var b, again bytes.Buffer
	for _, w := range []*bytes.Buffer{&b, &again} {
		if err := report.ValidationHTML(w, validation()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("equal reports give different pages")
	}
	html := b.String()
	for _, want := range []string{"It does not stand", "SYNTHETIC", "Is it luck?", "No answer: one combination.", "Equity out of sample", "Logit of the rank", "Sharpe ratios of the paths", "Hansen p",
		"After so many trials", "noisy prices", "Run again with one assumption changed", "cash: nothing", `<td class="l wrap">probability of backtest overfitting`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"<script>alert", "<b>luck", "<i>n", "<b>eligible", "NaN", "http://", "\x1b"} {
		if strings.Contains(strings.ReplaceAll(html, "http://www.w3.org", ""), bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	if len(embedded(t, html)["validation"]) < 500 {
		t.Error("the page does not hold the document")
	}
}

// The terminal has no control characters of others, and what is undefined says why.
func TestValidationOnATerminal(t *testing.T) {
	var b bytes.Buffer
	if err := report.Validation(&b, validation(), report.Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"It does not stand", "fails     Is it luck?", "pbo 0.700; passes to 0.2", "undefined Does it follow?", "No answer: one combination."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("a control character got through")
	}
	for i, l := range strings.Split(b.String(), "\n") {
		if len([]rune(l)) > 80 {
			t.Errorf("line %d is %d wide: %s", i+1, len([]rune(l)), l)
		}
	}
}

// Where positions live on from window to window, both say so and count them.
func TestCarriedPositionsAreSaid(t *testing.T) {
	v := validation()
	v.WalkForward.Carry, v.WalkForward.Windows[1].Carried = true, 41
	var page, screen bytes.Buffer
	if err := errors.Join(report.ValidationHTML(&page, v), report.Validation(&screen, v, report.Options{Width: 160})); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*bytes.Buffer{&page, &screen} {
		if !strings.Contains(b.String(), "Carried in") || !strings.Contains(b.String(), "41") {
			t.Errorf("no count of positions that were carried in\n%.2000s", b)
		}
	}
	if !strings.Contains(page.String(), "positions live on under the parameters they were entered with") {
		t.Error("the page does not say what is carried")
	}
}

func TestValidationJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.ValidationJSON(&b, validation()); err != nil {
		t.Fatal(err)
	}
	var v struct {
		Schema  int
		Figures map[string]*float64
	}
	if err := json.Unmarshal(b.Bytes(), &v); err != nil || v.Schema != 1 || len(v.Figures) != len(validate.FigureKeys()) {
		t.Errorf("%v: schema %d, %d figures", err, v.Schema, len(v.Figures))
	}
}
