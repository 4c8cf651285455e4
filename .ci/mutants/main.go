// Command mutants breaks the rules of the simulated market one at a time and demands that a scenario notices.
//
// Each file under patches is one small change: a line of what it breaks, the file it changes, the lines that are there
// (-) and those in their place (+). The tree itself is never touched: go test compiles a changed copy of the one
// file in the place of the original. Exit 1 when a mutant survives, does not compile, or no longer fits.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

type mutant struct {
	name, breaks, file string
	old, changed       string
}

func main() {
	match := flag.String("run", "", "only patches whose name holds this")
	workers := flag.Int("parallel", 2, "how many at a time")
	flag.Parse()
	if err := run(*match, *workers); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(match string, workers int) error {
	files, err := filepath.Glob(".ci/mutants/patches/*.txt")
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no patches under .ci/mutants/patches: run it from the root of the repository (%v)", err)
	}
	var list []*mutant
	for _, f := range files {
		if !strings.Contains(filepath.Base(f), match) {
			continue
		}
		m, err := read(f)
		if err != nil {
			return err
		}
		list = append(list, m)
	}
	began := time.Now()
	verdicts := make([]string, len(list))
	next := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := range next {
				verdicts[i] = list[i].kill()
				fmt.Printf("%-44s %s\n", list[i].name, verdicts[i])
			}
		}()
	}
	for i := range list {
		next <- i
	}
	close(next)
	group.Wait()
	bad := 0
	for i, v := range verdicts {
		if !strings.HasPrefix(v, "killed") {
			bad++
			fmt.Printf("\n%s (%s): %s\n", list[i].name, list[i].breaks, v)
		}
	}
	fmt.Printf("%d mutants, %d not killed, %.0f s\n", len(list), bad, time.Since(began).Seconds())
	if bad > 0 {
		return fmt.Errorf("%d of %d mutants were not killed by a scenario", bad, len(list))
	}
	return nil
}

// read a patch. The text that it replaces must be in its file exactly once.
func read(path string) (*mutant, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &mutant{name: strings.TrimSuffix(filepath.Base(path), ".txt")}
	var old, changed []string
	for k, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		switch {
		case k == 0:
			m.breaks = line
		case k == 1:
			m.file = line
		case strings.HasPrefix(line, "-"):
			old = append(old, line[1:])
		case strings.HasPrefix(line, "+"):
			changed = append(changed, line[1:])
		default:
			return nil, fmt.Errorf("%s line %d: want -, + or nothing", path, k+1)
		}
	}
	m.old, m.changed = strings.Join(old, "\n"), strings.Join(changed, "\n")
	source, err := os.ReadFile(m.file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if n := strings.Count(string(source), m.old); len(old) == 0 || n != 1 {
		return nil, fmt.Errorf("%s: its lines are in %s %d times, want once: write the patch anew", path, m.file, n)
	}
	return m, nil
}

// kill plays the scenarios with the mutant in its place.
func (m *mutant) kill() string {
	folder, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return err.Error()
	}
	defer os.RemoveAll(folder)
	source, err := os.ReadFile(m.file)
	if err != nil {
		return err.Error()
	}
	there, err := filepath.Abs(m.file)
	if err != nil {
		return err.Error()
	}
	here, overlay := filepath.Join(folder, "mutant.go"), filepath.Join(folder, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {there: here}})
	if err != nil {
		return err.Error()
	}
	text := strings.Replace(string(source), m.old, m.changed, 1)
	if err := os.WriteFile(here, []byte(text), 0o600); err != nil {
		return err.Error()
	}
	if err := os.WriteFile(overlay, replace, 0o600); err != nil {
		return err.Error()
	}
	test := exec.Command("go", "test", "-overlay", overlay, "-vet=off", "-count=1", "-timeout=5m", "-run", "^TestScenarios$", "./backtest")
	test.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := test.CombinedOutput()
	said := string(out)
	switch {
	case err == nil:
		return "SURVIVED: no scenario fails, write one"
	case strings.Contains(said, "[build failed]") || strings.Contains(said, "[setup failed]"):
		return "DOES NOT COMPILE: " + firstLines(said, 6)
	case strings.Contains(said, "panic: test timed out"):
		return "killed: it never ends"
	case strings.Contains(said, "--- FAIL: TestScenarios/"):
		_, after, _ := strings.Cut(said, "--- FAIL: TestScenarios/")
		name, _, _ := strings.Cut(after, " ")
		return fmt.Sprintf("killed by %s (%d scenarios fail)", name, strings.Count(said, "--- FAIL: TestScenarios/"))
	case strings.Contains(said, "panic:"):
		return "killed: it panics"
	}
	return "UNCLEAR: " + firstLines(said, 6)
}

func firstLines(s string, n int) string {
	lines := strings.SplitN(s, "\n", n+1)
	return strings.Join(lines[:min(n, len(lines))], "\n")
}
