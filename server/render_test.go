package server_test

import (
	"regexp"
	"strings"
	"testing"
)

// A tearsheet counts the trials of its owner on the same data when it is made; the result and its metrics,
// which are those of one run, know nothing of them.
func TestTearsheetsCountTrials(t *testing.T) {
	w := newWorld(t, worldOptions{})
	trials := regexp.MustCompile(`deflated Sharpe after (\d+) trials?<`)
	for i, strategy := range []string{trend, strings.Replace(trend, "close > close[1]", "close > close[2]", 1), strings.Replace(trend, "close > close[1]", "close > close[3]", 1)} {
		id := w.finished(body(strategy))
		sheet := w.ask("GET", "/api/files/tearsheet/"+id+".html", "").Body.String()
		want := string(rune('1' + i))
		if m := trials.FindStringSubmatch(sheet); m == nil || m[1] != want {
			t.Errorf("the tearsheet of trial %s says %q", want, m)
		}
		if strings.Contains(sheet, "trials are not recorded") {
			t.Error("the tearsheet says that trials are not recorded")
		}
		result := w.ask("GET", "/api/backtest/results/"+id+"/result", "").Body.String()
		if !strings.Contains(result, `"metrics"`) || strings.Contains(result, `"selection"`) || strings.Contains(result, `"dsr"`) {
			t.Error("the result of one run holds what the history knows of others")
		}
	}
}
