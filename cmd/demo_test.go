package cmd_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backtester/cmd"
)

// listDemo runs `data ls` in a data folder and returns its output.
func listDemo(ctx context.Context, dir string) (code int, out string) {
	var o, e bytes.Buffer
	streams := cmd.IO{In: strings.NewReader(""), Out: &o, Err: &e, Now: time.Now, Environ: []string{"HOME=" + dir}}
	code = cmd.Main(ctx, []string{"data", "ls", "--data-dir", dir, "--env-file", "none"}, streams, "test")
	return code, o.String() + e.String()
}

// The demo market is made once, whole, by whoever needs it first; nothing else stays behind.
func TestDemoMarketIsMadeWhole(t *testing.T) {
	dir := t.TempDir()
	names := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return strings.Join(list, " ")
	}

	stopped, stop := context.WithCancel(context.Background())
	stop()
	if code, out := listDemo(stopped, dir); code != 130 {
		t.Errorf("interrupted: exit code %d, want 130\n%s", code, out)
	}
	if names() != "" {
		t.Errorf("an interruption leaves %s", names())
	}

	var wg sync.WaitGroup
	outs := make([]string, 2)
	for i := range outs {
		wg.Go(func() {
			var code int
			if code, outs[i] = listDemo(context.Background(), dir); code != 0 {
				t.Errorf("two at once: exit code %d\n%s", code, outs[i])
			}
		})
	}
	wg.Wait()
	if outs[0] != outs[1] || !strings.Contains(outs[0], "ACME") {
		t.Errorf("two at once see\n%s\nand\n%s", outs[0], outs[1])
	}
	if names() != "demo" {
		t.Errorf("the data folder holds %s, want the demo market only", names())
	}

	// A market of another edition is made again.
	mark := filepath.Join(dir, "demo", "edition")
	if err := os.WriteFile(mark, []byte("0"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := listDemo(context.Background(), dir); code != 0 || out != outs[0] {
		t.Errorf("exit code %d after a change of edition\n%s", code, out)
	}
	if b, err := os.ReadFile(mark); err != nil || string(b) == "0" {
		t.Errorf("the old edition is still there: %q, %v", b, err)
	}
}
