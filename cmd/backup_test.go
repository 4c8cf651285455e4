package cmd_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/job"
	"backtester/cmd"
)

// What a server works in is not replaced below it: restoring takes the lock that the server holds.
func TestRestoreRefusesTheFolderOfAServer(t *testing.T) {
	data, results, to := t.TempDir(), t.TempDir(), t.TempDir()
	run := func(args ...string) (int, string) {
		var out, faults bytes.Buffer
		streams := cmd.IO{In: strings.NewReader(""), Out: &out, Err: &faults, Now: time.Now,
			Environ: []string{"HOME=" + data, "BACKTESTER_RESULTS_DIR=" + results, "BACKTESTER_DATA_DIR=" + data}}
		code := cmd.Main(context.Background(), args, streams, "v1")
		return code, faults.String() + out.String()
	}
	if code, said := run("history", "ls"); code != 0 {
		t.Fatal(said)
	}
	if code, said := run("backup", "create", "--to", to); code != 0 {
		t.Fatal(said)
	}
	made, err := filepath.Glob(filepath.Join(to, "*.tar.zst"))
	if err != nil || len(made) != 1 {
		t.Fatalf("backups: %v %v", made, err)
	}
	lock, err := job.LockFolder(results)
	if err != nil {
		t.Fatal(err)
	}
	if code, said := run("backup", "restore", made[0]); code != 1 || !strings.Contains(said, "stop the server first") {
		t.Errorf("below a server: exit code %d, %s", code, said)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if code, said := run("backup", "restore", made[0]); code != 0 {
		t.Errorf("without a server: exit code %d, %s", code, said)
	}
}
