package deploytest

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// externals are the fixtures beside the blocks of the guide that need what a box does not have: names and
// certificates of the world, Debian's archive, GitHub, a person with keys, another place.
var externals = []string{"dns", "packages", "download", "keys", "certificate", "firewall", "offsite", "newer"}

// block is a block of DEPLOYMENT_GUIDE.md with the output that it shows.
type block struct {
	heading, fixture string // fixture "": run as it is
	script, want     string
}

// guide reads the blocks of the guide, in order.
func guide(t *testing.T) []block {
	t.Helper()
	var list []block
	heading, shown := "", true
	lines := strings.Split(read(t, filepath.Join(root, "deployment/DEPLOYMENT_GUIDE.md")), "\n")
	for i := 0; i < len(lines); i++ {
		if h, ok := strings.CutPrefix(lines[i], "## "); ok {
			heading = h
		}
		info, ok := strings.CutPrefix(lines[i], "```")
		if !ok {
			continue
		}
		var body []string
		for i++; lines[i] != "```"; i++ {
			body = append(body, lines[i])
		}
		text := strings.Join(body, "\n")
		words := strings.Fields(info)
		switch {
		case info == "bash":
			list, shown = append(list, block{heading: heading, script: text}), false
		case len(words) == 3 && words[0] == "bash" && words[1] == "external":
			list, shown = append(list, block{heading: heading, fixture: words[2], script: text}), false
		case info == "text" && !shown:
			list[len(list)-1].want, shown = text, true
		default:
			t.Errorf("the guide has a block %q that nothing checks", info)
		}
	}
	return list
}

// Every step of the guide ends with a command and what it prints, and what is run against fixtures is listed.
func TestGuide(t *testing.T) {
	var steps, fixtures []string
	checked := map[string]bool{}
	for _, b := range guide(t) {
		if len(steps) == 0 || steps[len(steps)-1] != b.heading {
			steps = append(steps, b.heading)
		}
		checked[b.heading] = b.want != "" // the last one counts
		if b.fixture != "" {
			fixtures = append(fixtures, b.fixture)
		}
	}
	for _, heading := range regexp.MustCompile(`(?m)^## (\d+\. .*)$`).FindAllStringSubmatch(read(t, filepath.Join(root, "deployment/DEPLOYMENT_GUIDE.md")), -1) {
		if !checked[heading[1]] {
			t.Errorf("step %q does not end with a command and what it prints", heading[1])
		}
	}
	if len(steps) < 15 {
		t.Errorf("%d steps found", len(steps))
	}
	if !slices.Equal(fixtures, externals) || len(fixtures) > 8 {
		t.Errorf("blocks against fixtures: %q, want %q, and at most 8", fixtures, externals)
	}
	for _, row := range rows(t) {
		if row[2] == "" || row[2] == "-" {
			t.Errorf("nothing shows the row %s", row[0])
		}
	}
}

// rows are those of the table that leads from the deployment document to the guide: document, here, command.
func rows(t *testing.T) [][3]string {
	t.Helper()
	_, text, _ := strings.Cut(read(t, filepath.Join(root, "deployment/DEPLOYMENT_GUIDE.md")), "## From the deployment document")
	text, _, _ = strings.Cut(text, "\n## ")
	var list [][3]string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.ReplaceAll(strings.TrimSpace(line), `\|`, "\x00"), "|"), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| document |") {
			continue
		}
		if len(cells) != 3 {
			t.Fatalf("a row of %d cells: %s", len(cells), line)
		}
		command := strings.ReplaceAll(strings.Trim(strings.TrimSpace(cells[2]), "`"), "\x00", "|")
		list = append(list, [3]string{strings.TrimSpace(cells[0]), strings.TrimSpace(cells[1]), command})
	}
	if len(list) < 40 {
		t.Fatalf("only %d rows in the table", len(list))
	}
	return list
}

// table runs the last column of the guide's table, row by row.
func table(t *testing.T, m *machine) {
	for _, row := range rows(t) {
		if _, both, code := m.try("set -o pipefail; " + row[2]); code != 0 {
			t.Errorf("%s: %s ends with %d\n%s", row[0], row[2], code, both)
		}
	}
}

// shows says whether output is what the guide shows: ... stands for anything within a line, and a line of
// it for any lines.
func shows(want, got string) bool {
	pattern := "(?s)^"
	for i, line := range strings.Split(want, "\n") {
		if line == "..." {
			pattern += "(?:.*\n)?"
			continue
		}
		if i > 0 && !strings.HasSuffix(pattern, "(?:.*\n)?") {
			pattern += "\n"
		}
		parts := strings.Split(line, "...")
		for j := range parts {
			parts[j] = regexp.QuoteMeta(parts[j])
		}
		pattern += strings.Join(parts, "[^\n]*")
	}
	return regexp.MustCompile(pattern + "\n*$").MatchString(strings.TrimRight(got, "\n") + "\n")
}

func TestShows(t *testing.T) {
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{"active", "active\n", true}, {"active", "inactive", false}, {"a\nb", "a\nb", true}, {"a\nb", "a\nx\nb", false},
		{"a\n...\nb", "a\nx\ny\nb", true}, {"...\nb", "b", true}, {"a ... c", "a b c", true}, {"a ... c", "a\nc", false}, {"...", "anything\nat all", true}, {"a\n...", "a\nb\nc", true}, {"a\n...", "b", false},
	} {
		if shows(c.want, c.got) != c.ok {
			t.Errorf("%q shown for %q: want %v", c.want, c.got, c.ok)
		}
	}
}
