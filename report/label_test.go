package report_test

import (
	"bytes"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/report"
)

// Runs of one name are told apart by what differs, in every form that shows several.
func TestLabelsTellRunsApart(t *testing.T) {
	dear := demo(300)
	c := *dear.Config
	c.Costs.Slippage.BPS = 25
	dear.Config, dear.Fingerprint = &c, "b0b1b2b3b4"
	rs := []*backtest.Result{demo(300), dear}
	forms := map[string]func() (string, error){
		"columns": func() (string, error) {
			var b bytes.Buffer
			err := report.Terminal(&b, rs, report.Options{Width: 120})
			return b.String(), err
		},
		"lines": func() (string, error) {
			var b bytes.Buffer
			err := report.Terminal(&b, append(rs, named(demo(300), "a"), named(demo(300), "b"), named(demo(300), "c")), report.Options{Width: 200})
			return b.String(), err
		},
		"explanation": func() (string, error) {
			var b bytes.Buffer
			err := report.Explain(&b, rs, report.Options{Width: 120})
			return b.String(), err
		},
		"markdown": func() (string, error) {
			var b bytes.Buffer
			err := report.Markdown(&b, rs, nil)
			return b.String(), err
		},
		"page": func() (string, error) { return compared(t, rs...), nil },
	}
	for name, form := range forms {
		text, err := form()
		if err != nil {
			t.Fatal(err)
		}
		if text = strings.ReplaceAll(text, `\_`, "_"); !strings.Contains(text, "(slippage.bps 25)") {
			t.Errorf("%s does not say what tells the runs apart:\n%.600s", name, text)
		}
	}
	same := demo(300)
	same.Fingerprint = "c0c1c2c3c4"
	if text := compared(t, demo(300), same); !strings.Contains(text, "pullback (c0c1c2c3)") {
		t.Error("runs with the same settings on other data are not told apart by their fingerprints")
	}
}
