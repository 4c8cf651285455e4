package deploytest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func workflows(t *testing.T) []string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	if len(files) != 3 {
		t.Fatalf("%d workflows, want 3: this test looks in the wrong place", len(files))
	}
	return files
}

// actionlint checks workflows as GitHub would, and their scripts with shellcheck.
func actionlint(t *testing.T, files ...string) (string, error) {
	t.Helper()
	for i := range files {
		files[i] = mustAbs(t, files[i])
	}
	cmd := exec.Command("go", append([]string{"tool", "actionlint", "-no-color", "-shellcheck", program(t, "shellcheck")}, files...)...)
	cmd.Dir = filepath.Join(root, ".ci/release")
	out, err := cmd.Output()
	var ended *exec.ExitError
	if errors.As(err, &ended) { // Go itself talks there, when it downloads what it runs
		out = append(out, ended.Stderr...)
	}
	return string(out), err
}

func TestWorkflowsAreUnderstood(t *testing.T) {
	if out, err := actionlint(t, workflows(t)...); err != nil || out != "" {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
	bad := filepath.Join(t.TempDir(), "bad.yml")
	write(t, bad, strings.Replace(read(t, workflows(t)[0]), "runs-on: ${{ matrix.os }}", "runs-on: ${{ matrix.system }}", 1), 0o644)
	if out, err := actionlint(t, bad); err == nil || !strings.Contains(out, `"system" is not defined`) {
		t.Errorf("a name that is not defined is not seen, so this test proves nothing: %v\n%s", err, out)
	}
}

// steps are the scripts of a workflow.
func steps(text string) []string {
	var list []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		m := regexp.MustCompile(`^( *)(?:- )?run: (.*)$`).FindStringSubmatch(lines[i])
		if m == nil || strings.HasPrefix(m[2], "{") {
			continue
		}
		if m[2] != "|" {
			list = append(list, m[2])
			continue
		}
		var body []string
		for i+1 < len(lines) && (strings.TrimSpace(lines[i+1]) == "" || len(lines[i+1])-len(strings.TrimLeft(lines[i+1], " ")) > len(m[1])) {
			i++
			body = append(body, strings.TrimSpace(lines[i]))
		}
		list = append(list, strings.Join(body, "\n"))
	}
	return list
}

// What workflows call exists here, is what anybody calls at home, and every step is accounted for: make
// says what it would do, scripts are there, and what is left is run with stand-ins or needs GitHub.
func TestWorkflowsCallWhatExists(t *testing.T) {
	needsGitHub := []string{"gh release create"}
	for _, f := range workflows(t) {
		list := steps(read(t, f))
		if len(list) < 1 {
			t.Errorf("%s: %d steps found", filepath.Base(f), len(list))
		}
		for _, s := range list {
			calls := 0
			for _, m := range regexp.MustCompile(`\bmake ([a-z]+)`).FindAllStringSubmatch(s, -1) {
				calls++
				if out, err := exec.Command("make", "-n", "-C", root, m[1]).CombinedOutput(); err != nil {
					t.Errorf("%s calls make %s: %v %s", filepath.Base(f), m[1], err, out)
				}
			}
			for _, m := range regexp.MustCompile(`(?:^|[ '])((?:\.ci|deployment)[/\\][\w./\\-]+)`).FindAllStringSubmatch(s, -1) {
				calls++
				name := filepath.Join(root, strings.ReplaceAll(m[1], `\`, "/"))
				if info, err := os.Stat(name); err != nil || info.Mode()&0o100 == 0 && !strings.HasSuffix(name, ".bat") {
					t.Errorf("%s calls %s, which there is not, or not as a program", filepath.Base(f), m[1])
				}
			}
			for _, known := range needsGitHub {
				if strings.HasPrefix(s, known) {
					calls++
				}
			}
			if calls == 0 {
				t.Errorf("%s has a step that nothing here checks:\n%s", filepath.Base(f), s)
			}
		}
	}
}

// The step that compares two builds of a release passes when they are the same and fails when not.
func TestWorkflowComparesBuilds(t *testing.T) {
	var script string
	for _, s := range steps(read(t, filepath.Join(root, ".github/workflows/release.yml"))) {
		if strings.Contains(s, "diff first/SHA256SUMS") {
			script = s
		}
	}
	for sums, want := range map[string]bool{"same": true, "different": false} {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "dist/SHA256SUMS"), "same\n", 0o644)
		write(t, filepath.Join(dir, "bin/make"), "#!/bin/sh\n[ \"$1\" = dist ] && [ -d \"$GOCACHE\" ] && mkdir dist && echo "+sums+" >dist/SHA256SUMS\n", 0o755)
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script) // as GitHub does
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "PATH="+filepath.Join(dir, "bin")+":"+os.Getenv("PATH"), "TMPDIR="+dir)
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("%s builds: %v\n%s", sums, err, out)
		}
	}
}

// The step that asks the development server passes when it answers and fails when it does not.
func TestWorkflowAsksTheServerOfWindows(t *testing.T) {
	var script string
	for _, s := range steps(read(t, filepath.Join(root, ".github/workflows/ci.yml"))) {
		if strings.Contains(s, "start-dev.bat") {
			script = s
		}
	}
	for answer, want := range map[string]bool{"0": true, "7": false} {
		dir := t.TempDir()
		for name, text := range map[string]string{"cmd": "[ \"$*\" = '//c deployment\\start-dev.bat' ]", "curl": "exit " + answer, "sleep": ":"} {
			write(t, filepath.Join(dir, name), "#!/bin/sh\n"+text+"\n", 0o755)
		}
		cmd := exec.Command("bash", "-e", "-o", "pipefail", "-c", script)
		cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); (err == nil) != want {
			t.Errorf("curl ends with %s: %v\n%s", answer, err, out)
		}
	}
}
