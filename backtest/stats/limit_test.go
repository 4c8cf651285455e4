package stats_test

import (
	"strings"
	"testing"

	"backtester/backtest/stats"
)

func TestParseLimits(t *testing.T) {
	l, err := stats.ParseLimits(" few_trades = 50, leveraged=1.5,skewed=-2 ,")
	if err != nil || len(l) != 3 || l.Of("few_trades") != 50 || l.Of("leveraged") != 1.5 || l.Of("skewed") != -2 || l.Of("fat_tails") != 6 {
		t.Errorf("%v, %v", l, err)
	}
	if l, err := stats.ParseLimits(""); err != nil || l != nil {
		t.Errorf("nothing: %v, %v", l, err)
	}
	for text, want := range map[string]string{
		"few_trade=50":               "did you mean few_trades?",
		"few_trades":                 `want KEY=NUMBER, separated by commas, have "few_trades"`,
		"few_trades=many":            `the threshold few_trades is no number: "many"`,
		"few_trades=NaN":             "is no number",
		"few_trades=1e999":           "is no number",
		"few_trades=-1":              "may not be below 0",
		"significance=5":             "a probability is at most 1",
		"leveraged=150":              "fractions, not percent",
		"few_trades=5, few_trades=6": "given twice",
	} {
		if _, err := stats.ParseLimits(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Every threshold stands in a rule or a report of package stress, has a name that no metric has, and moves
// the rule that names it.
func TestLimitTable(t *testing.T) {
	elsewhere := " searched delay_fragile parameter_fragile "
	for _, row := range stats.LimitTable() {
		used := strings.Contains(elsewhere, " "+row.Key+" ")
		for _, r := range stats.CaveatRules() {
			if strings.Contains(r.When, "{"+row.Key+"}") {
				used = true
				if r.Condition(nil) == r.Condition(stats.Limits{row.Key: row.Default + .25}) {
					t.Errorf("the rule of %s does not say its threshold %s", r.Code, row.Key)
				}
			}
		}
		if _, metric := stats.Lookup(row.Key); !used || metric || row.Doc == "" {
			t.Errorf("threshold %s: used %v, the name of a metric %v, doc %q", row.Key, used, metric, row.Doc)
		}
	}
}

func TestChangedLimits(t *testing.T) {
	var m stats.Metrics
	m.Fill([]string{"trades", "win_rate_low", "win_rate_high", "open_pnl", "final_equity"}, []float64{40, .1, .9, -11, 100})
	said := func(l stats.Limits) string {
		var b strings.Builder
		for _, c := range stats.Caveats(m, l) {
			b.WriteString(c.Code + " [" + c.Rule + "] " + c.Message + "\n")
		}
		return b.String()
	}
	for _, c := range []struct {
		limits     stats.Limits
		have, lack string
	}{
		{nil, "moderate_trades [trades >= 30 and trades < 100]", "limits_changed"},
		{nil, "open_result [final_equity > 0 and (open_pnl > 10% * final_equity or", "few_trades"},
		{stats.Limits{"few_trades": 41}, "few_trades [trades > 0 and trades < 41]", "moderate_trades ["},
		{stats.Limits{"few_trades": 41}, "few_trades is 41 instead of 30.", "open_result is"},
		{stats.Limits{"open_result": .11, "cost_fragile": .001}, "cost_fragile is 10 bps instead of 5 bps, open_result is 11% instead of 10%", "open_result ["},
		{stats.Limits{"few_trades": 30}, "moderate_trades", "limits_changed"},
	} {
		if got := said(c.limits); !strings.Contains(got, c.have) || strings.Contains(got, c.lack) {
			t.Errorf("%v:\n%swant %q, not %q", c.limits, got, c.have, c.lack)
		}
	}
}
