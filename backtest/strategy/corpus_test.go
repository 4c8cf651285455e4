package strategy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

// wrongFile is one entry of testdata/wrong.txt.
type wrongFile struct {
	name string
	want []string // CODE LINE:COLUMN
	data []byte
}

func wrongFiles(t testing.TB) []wrongFile {
	t.Helper()
	all, err := os.ReadFile("testdata/wrong.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []wrongFile
	for _, part := range strings.Split("\n"+string(all), "\n== ")[1:] {
		head, body, _ := strings.Cut(part, "\n")
		name, want, ok := strings.Cut(head, ": ")
		if !ok {
			t.Fatalf("testdata/wrong.txt: entry %q has no expectation", head)
		}
		if !strings.HasSuffix(body, "\n") {
			body += "\n"
		}
		out = append(out, wrongFile{name, strings.Split(want, ", "), []byte(body)})
	}
	if len(out) < 60 {
		t.Fatalf("testdata/wrong.txt has %d entries, it had more", len(out))
	}
	return out
}

// found writes diagnostics the way the corpus does.
func found(wrong strategy.Diagnostics) []string {
	var out []string
	for _, d := range wrong {
		out = append(out, fmt.Sprintf("%s %d:%d", d.Code, d.Line, d.Column))
	}
	return out
}

func TestWrongFilesAreFaultedWhereTheyAreWrong(t *testing.T) {
	seen := map[string]int{}
	for _, w := range wrongFiles(t) {
		t.Run(w.name, func(t *testing.T) {
			f, wrong := strategy.Parse(w.name, w.data)
			if f != nil {
				t.Error("a wrong file was accepted")
			}
			if got := found(wrong); !slices.Equal(got, w.want) {
				t.Errorf("got  %s\nwant %s\n%v", strings.Join(got, ", "), strings.Join(w.want, ", "), wrong)
			}
			for _, d := range wrong {
				if d.File != w.name || d.Message == "" || !strings.HasPrefix(d.Error(), fmt.Sprintf("%s:%d:%d: ", w.name, d.Line, d.Column)) {
					t.Errorf("message has another form: %v", d)
				}
				seen[d.Code]++
			}
		})
	}
	for _, c := range tooMuch() { // TestLimits
		seen[c.code]++
	}
	seen["layout"] += 2 // of Format, which refuses rather than change a file; no such file is known
	for _, code := range slices.Concat(sourceCodes(t, "*.go"), sourceCodes(t, "../expr/*.go")) {
		if seen[code] < 2 {
			t.Errorf("code %s has %d wrong files, want at least 2", code, seen[code])
		}
	}
}

// sourceCodes reads from sources which codes faults have: of this package, and of the language.
func sourceCodes(t *testing.T, where string) []string {
	t.Helper()
	files, err := filepath.Glob(where)
	if err != nil || len(files) == 0 {
		t.Fatal("no sources: ", err)
	}
	pattern := regexp.MustCompile(`(?:cause\{(?:code: )?|fault\(|Code: +)"([a-z_]+)"`)
	if strings.Contains(where, "expr") {
		pattern = regexp.MustCompile(`(?:\.fault\(|\.faultCall\(|fault\{)[^"\n]*"([a-z_]+)"`)
	}
	var codes []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range pattern.FindAllSubmatch(b, -1) {
			if code := string(m[1]); !slices.Contains(codes, code) {
				codes = append(codes, code)
			}
		}
	}
	if len(codes) < 20 {
		t.Fatalf("found only the codes %v in the sources", codes)
	}
	return codes
}

// TestMessages keeps every message of the corpus as people see it, to be read aloud when it changes:
// run with -update and read the diff.
func TestMessages(t *testing.T) {
	var b strings.Builder
	for _, w := range wrongFiles(t) {
		_, wrong := strategy.Parse(w.name, w.data)
		for _, d := range wrong {
			fmt.Fprintf(&b, "%v\n%s", d, strategy.Excerpt(w.data, d))
		}
	}
	golden(t, "testdata/messages.golden", b.String())
}
