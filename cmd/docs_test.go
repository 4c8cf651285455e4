package cmd_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"backtester/cmd"
)

// The command reference in the repository is what the commands say of themselves. -update writes it.
func TestCommandReference(t *testing.T) {
	const file = "COMMANDS.md"
	var out bytes.Buffer
	streams := cmd.IO{In: strings.NewReader(""), Out: &out, Err: io.Discard, Now: time.Now, Environ: []string{"HOME=" + t.TempDir()}}
	if code := cmd.Main(context.Background(), []string{"docs"}, streams, "test"); code != 0 {
		t.Fatalf("backtester docs: exit code %d", code)
	}
	if *update {
		if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, out.Bytes()) {
		t.Errorf("%s is not what the commands say (make golden brings it up to date):\n%s", file, firstDifference(string(have), out.String()))
	}
}

func firstDifference(have, want string) string {
	h, w := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range min(len(h), len(w)) {
		if h[i] != w[i] {
			return "have " + h[i] + "\nwant " + w[i]
		}
	}
	return "one ends before the other"
}

// Every link of a document to a file of this repository leads to a file, and to a heading of it if it
// names one.
func TestLinksResolve(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	count := 0
	err := filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != ".." && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".github" && d.Name() != ".ci" || d.Name() == "node_modules" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if filepath.Ext(p) != ".md" {
			return nil
		}
		text, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(withoutCode(string(text)), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			count++
			path, heading, _ := strings.Cut(m[1], "#")
			target := p
			if path != "" {
				target = filepath.Join(filepath.Dir(p), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: there is no such file", p, m[1])
			} else if heading != "" && filepath.Ext(target) == ".md" && !hasHeading(t, target, heading) {
				t.Errorf("%s links to %s: there is no such heading", p, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 20 {
		t.Errorf("only %d links found: this test looks in the wrong place", count)
	}
}

// withoutCode drops what stands in fences and between backticks: it shows links, it is none.
func withoutCode(text string) string {
	text = regexp.MustCompile("(?ms)^```.*?^```").ReplaceAllString(text, "")
	return regexp.MustCompile("`[^`\n]*`").ReplaceAllString(text, "x")
}

// hasHeading says whether a document has a heading with this anchor, as GitHub makes them.
func hasHeading(t *testing.T, file, anchor string) bool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	drop := regexp.MustCompile("[^a-z0-9 _-]")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			if strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(rest)), ""), " ", "-") == anchor {
				return true
			}
		}
	}
	return false
}
