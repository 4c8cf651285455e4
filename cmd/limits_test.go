package cmd

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// The guide's table of limits has every limit that is set, by its name and with the value that it has unset.
func TestLimitsAreInTheGuide(t *testing.T) {
	b, err := os.ReadFile("../deployment/DEPLOYMENT_GUIDE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(b), "\n## Limits\n")
	table, _, _ = strings.Cut(table, "\n## ")
	limits := 0
	for _, s := range serveSettings() {
		switch key := s.key; {
		case strings.HasPrefix(key, "rate_"), strings.HasPrefix(key, "user_"), strings.HasSuffix(key, "_days"), strings.HasSuffix(key, "_minutes"), strings.HasSuffix(key, "_mb"), key == "queued":
		default:
			continue
		}
		limits++
		row := ""
		for line := range strings.Lines(table) {
			if strings.Contains(line, fmt.Sprintf("| `%s` |", s.names[0])) {
				row = line
			}
		}
		if !strings.Contains(row, "| "+s.initial+" ") {
			t.Errorf("%s, %s unset, has the row %q", s.names[0], s.initial, row)
		}
	}
	if limits < 9 || strings.Count(table, "`BACKTESTER_") != limits {
		t.Errorf("%d limits are set, the table names %d", limits, strings.Count(table, "`BACKTESTER_"))
	}
}
