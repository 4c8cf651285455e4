package cmd_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/cmd"
)

// A store that is removed and made anew while serve goes on has commits of the same number, and is
// another one: its bars are served, under another name of the state, so that no earlier run is taken for
// one on the new bars.
func TestServeSeesAStoreThatWasMadeAnew(t *testing.T) {
	home := t.TempDir()
	stored := func(open string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(home, "stores", "mine")); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "AAA.csv")
		if err := os.WriteFile(path, []byte("date,open,high,low,close,volume\n2024-03-04,"+open+",20,9,12,1000\n2024-03-05,12,20,9,13,1000\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var errs bytes.Buffer
		streams := cmd.IO{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &errs, Now: time.Now, Environ: []string{"HOME=" + home}}
		if code := cmd.Main(context.Background(), []string{"data", "import", path, "--store", "mine", "--data-dir", home, "--env-file", "none"}, streams, "test"); code != 0 {
			t.Fatalf("import: exit code %d\n%s", code, errs.String())
		}
	}
	stored("10")
	s := serve(t, []string{"HOME=" + home}, "--data-dir", home, "--results-dir", t.TempDir(), "--store", "mine")
	state := func() (first any, name string) {
		_, bars, text := s.call(t, "GET", "/api/data/bars/AAA", "")
		data, ok := bars["data"].(map[string]any)
		if !ok {
			t.Fatalf("%s", text)
		}
		_, coverage, _ := s.call(t, "GET", "/api/data/coverage", "")
		return data["open"].([]any)[0], coverage["snapshot"].(string)
	}
	first, name := state()
	stored("11")
	for deadline := time.Now().Add(time.Minute); ; {
		again, other := state()
		if again == 11.0 {
			if first != 10.0 || other == name || name == "" {
				t.Errorf("bars of %v named %q, then of %v named %q", first, name, again, other)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a minute later it still serves bars of %v named %q", again, other)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
