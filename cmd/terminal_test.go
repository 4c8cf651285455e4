package cmd_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backtester/cmd"
)

// On a terminal progress is drawn on Err and faults show the line they mean; Out stays data. In a
// pipe there is neither.
func TestTerminalOnlyExtras(t *testing.T) {
	data := demoData(t)
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("name: bad\nentry: clos > 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(terminal bool, args ...string) (out, faults string) {
		var o, e bytes.Buffer
		streams := cmd.IO{In: strings.NewReader(""), Out: &o, Err: &e, ErrTerminal: terminal, Now: slow(),
			Environ: []string{"HOME=" + data, "BACKTESTER_DATA_DIR=" + data}}
		cmd.Main(context.Background(), args, streams, "test")
		return o.String(), e.String()
	}
	batch := []string{"run", "buy-and-hold", "golden-cross", "--symbols", "ACME", "--format", "csv", "--again"}
	piped, quiet := run(false, batch...)
	shown, drawn := run(true, batch...)
	if piped != shown {
		t.Error("the data on Out depends on whether Err is a terminal")
	}
	if quiet != "" || !strings.Contains(drawn, "backtesting") {
		t.Errorf("progress in a pipe %q, on a terminal %q", quiet, drawn)
	}
	_, plain := run(false, "run", bad)
	_, pointed := run(true, "run", bad)
	if strings.Contains(plain, "^^^^") || !strings.Contains(pointed, "^^^^") {
		t.Errorf("in a pipe:\n%s\non a terminal:\n%s", plain, pointed)
	}
	if lines := strings.Count(strings.TrimSpace(plain), "\n"); lines != 0 {
		t.Errorf("one fault takes %d lines in a pipe:\n%s", lines+1, plain)
	}
}

// slow is a clock of a machine on which everything takes long enough to be watched.
func slow() func() time.Time {
	var n atomic.Int64
	return func() time.Time { return time.Unix(1_700_000_000+n.Add(1), 0) }
}

// What is done at once draws no bar.
func TestNoFlicker(t *testing.T) {
	data := demoData(t)
	var o, e bytes.Buffer
	streams := cmd.IO{In: strings.NewReader(""), Out: &o, Err: &e, ErrTerminal: true, Now: func() time.Time { return time.Unix(1_700_000_000, 0) },
		Environ: []string{"HOME=" + data, "BACKTESTER_DATA_DIR=" + data, "BACKTESTER_HISTORY=off"}}
	if code := cmd.Main(context.Background(), []string{"run", "buy-and-hold", "golden-cross", "--symbols", "ACME", "--format", "csv"}, streams, "test"); code != 0 || e.Len() > 0 {
		t.Errorf("exit code %d, and on Err: %q", code, e.String())
	}
}

// Colours need a terminal, and NO_COLOR forbids them.
func TestColour(t *testing.T) {
	data := demoData(t)
	for _, c := range []struct {
		terminal bool
		env      string
		want     bool
	}{{true, "TERM=xterm", true}, {true, "NO_COLOR=1", false}, {true, "TERM=dumb", false}, {false, "TERM=xterm", false}} {
		var o, e bytes.Buffer
		streams := cmd.IO{In: strings.NewReader(""), Out: &o, Err: &e, OutTerminal: c.terminal, Width: 100, Now: time.Now,
			Environ: []string{"HOME=" + data, "BACKTESTER_DATA_DIR=" + data, c.env}}
		if code := cmd.Main(context.Background(), []string{"run", "golden-cross", "--symbols", "ACME"}, streams, "test"); code != 0 {
			t.Fatalf("exit code %d\n%s", code, e.String())
		}
		if got := strings.Contains(o.String(), "\x1b["); got != c.want {
			t.Errorf("terminal %v with %s: colours are %v", c.terminal, c.env, got)
		}
	}
}
