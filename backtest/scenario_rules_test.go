package backtest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// Every rule and every trap that RULES.md states is shown by at least two scenario files, and no scenario
// names one that is not there. Files are named after a rule they show.
func TestEveryRuleHasScenarios(t *testing.T) {
	text, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]int{}
	var rules []string
	for _, m := range regexp.MustCompile(`(?m)^(\d+\.\d+|T\d+) `).FindAllStringSubmatch(string(text), -1) {
		if slices.Contains(rules, m[1]) {
			t.Errorf("RULES.md states rule %s twice", m[1])
		}
		rules = append(rules, m[1])
	}
	if len(rules) < 30+29 {
		t.Fatalf("RULES.md states %d rules and traps: %v", len(rules), rules)
	}
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 150 {
		t.Errorf("there are %d scenario files, want at least 150", len(files))
	}
	name := regexp.MustCompile(`^(\d+\.\d+)-[a-z0-9-]+\.txt$`)
	for _, file := range files {
		sc := readScenario(t, file)
		named := slices.Concat(sc.rules, sc.traps)
		for i, r := range named {
			if !slices.Contains(rules, r) {
				t.Errorf("%s shows rule %s, which RULES.md does not state", file, r)
			}
			if slices.Contains(named[:i], r) {
				t.Errorf("%s names rule %s twice", file, r)
			}
			shown[r]++
		}
		if m := name.FindStringSubmatch(filepath.Base(file)); m == nil || !slices.Contains(sc.rules, m[1]) {
			t.Errorf("%s: want a name like 3.3-stop-gap.txt that begins with one of its rules %v", file, sc.rules)
		}
	}
	for _, r := range rules {
		if shown[r] < 2 {
			t.Errorf("rule %s has %d scenario files, want at least 2", r, shown[r])
		}
	}
}
