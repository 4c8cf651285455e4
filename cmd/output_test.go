package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
)

func writing(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func TestWriteFileReplacesOnlyWholeFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.csv")
	if err := writeFile(path, writing("first")); err != nil {
		t.Fatal(err)
	}
	half := func(w io.Writer) error { return errors.Join(writing("ha")(w), errors.New("disk full")) }
	if err := writeFile(path, half); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("a broken write gives %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "first" {
		t.Errorf("after a broken write the file holds %q", got)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left, want the one that was written", len(left))
	}
}

// Renaming over a symbolic link, a pipe or a device would put a plain file in its place.
func TestWriteFileKeepsLinksAndPipes(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "target.csv"), filepath.Join(dir, "link.csv")
	if err := errors.Join(os.WriteFile(target, []byte("old"), 0o600), os.Symlink(target, link)); err != nil {
		t.Skip(err)
	}
	if err := writeFile(link, writing("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is now %v, %v", info.Mode(), err)
	}
	if got, _ := os.ReadFile(target); string(got) != "new" {
		t.Errorf("the target holds %q", got)
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	pipe := fmt.Sprintf("/proc/self/fd/%d", w.Fd())
	if _, err := os.Stat(pipe); err != nil {
		t.Skip("no name for a pipe: ", err)
	}
	if err := writeFile(pipe, writing("through")); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if got, _ := io.ReadAll(r); string(got) != "through" {
		t.Errorf("the pipe carried %q", got)
	}
}

func TestWriteFileNamesTheFileThatWasAskedFor(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "r.csv")
	err := writeFile(path, writing("x"))
	if want := "create " + path + ": no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFileNamesNeverRepeat(t *testing.T) {
	name := func(strategy string, symbols ...string) *backtest.Result {
		return &backtest.Result{Strategy: strategy, Data: backtest.DataInfo{Symbols: symbols}}
	}
	for _, c := range []struct {
		results []*backtest.Result
		want    []string
	}{
		{[]*backtest.Result{name("a", "X"), name("a", "Y"), name("a", "X")}, []string{"a-X", "a-Y", "a-X-2"}},
		{[]*backtest.Result{name("a", "X", "Y"), name("a", "X", "Y"), name("a-2", "X", "Y")}, []string{"a", "a-2", "a-2-2"}},
		{[]*backtest.Result{name("p", "BCPC"), name("p", "BCpC")}, []string{"p-BCPC", "p-BCpC-2"}},
		{[]*backtest.Result{name("../../x y", "BRK.B"), name("...", "A", "B")}, []string{"x-y-BRK.B", "unnamed"}},
	} {
		if got := fileNames(c.results); !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
