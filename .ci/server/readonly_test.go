package servertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// faulty is an ext4 file system in a file; trigger makes it read-only at once, as a fault of its disk does, whoever
// has files of it open, and mend makes it what it was.
func faulty(t *testing.T) (dir string, trigger, mend func()) {
	t.Helper()
	dir = t.TempDir()
	image := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(128<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	run := func(name string, args ...string) (string, error) {
		out, err := exec.Command(name, args...).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	if out, err := run("mkfs.ext4", "-q", "-F", image); err != nil {
		t.Skipf("LEFT OUT: mkfs.ext4: %v %s", err, out)
	}
	mount := func() error { _, err := run("mount", "-o", "loop,errors=remount-ro", image, dir); return err }
	if err := mount(); err != nil {
		t.Skipf("LEFT OUT: mounting a file system needs root: %v", err)
	}
	t.Cleanup(func() { _, _ = run("umount", "-l", dir) })
	device, err := run("findmnt", "-n", "-o", "SOURCE", dir)
	if err != nil {
		t.Fatal(device, err)
	}
	fault := filepath.Join("/sys/fs/ext4", filepath.Base(device), "trigger_fs_error")
	if _, err := os.Stat(fault); err != nil {
		t.Skipf("LEFT OUT: the kernel makes no faults: %v", err)
	}
	trigger = func() { _ = os.WriteFile(fault, []byte("made by the test"), 0) }
	mend = func() {
		if out, err := run("umount", dir); err != nil {
			t.Fatal(out, err)
		}
		_, _ = run("e2fsck", "-p", image) // 1: it had the fault to clear
		if err := mount(); err != nil {
			t.Fatal(err)
		}
	}
	return dir, trigger, mend
}

// A file system that turns read-only while clients ask: nothing is acknowledged that is not kept, old results can be
// read, the log names the file system, and after its repair everything that was acknowledged is there and ends.
func TestDiskTurnsReadOnly(t *testing.T) {
	t.Parallel()
	results, trigger, mend := faulty(t)
	s := newServing(t, results)
	c := newClient()
	var first run
	if status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(0), &first); err != nil || status != 202 {
		t.Fatalf("%d %v %s", status, err, text)
	}
	s.ended(c, first.RunID)
	end := load(4, 100*time.Millisecond, s)
	time.Sleep(2 * time.Second)
	trigger()
	refused := 0
	for i := range 12 {
		var p struct {
			Code, Detail string
			RequestID    string `json:"request_id"`
		}
		status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(i), nil)
		if err = errors.Join(err, json.Unmarshal(text, &p)); err != nil || status != 503 || p.Code != "disk-failing" || p.RequestID == "" || !strings.Contains(p.Detail, "restarts the server") {
			t.Errorf("on a read-only disk: %d %v %.400s", status, err, text)
		}
		refused++
	}
	for _, path := range []string{"/api/health", "/api/backtest/history", "/api/backtest/results/" + first.RunID + "/result", "/api/files/csv/" + first.RunID + ".csv", "/api/data/tickers"} {
		if status, text, err := call(c, "GET", s.url+path, "", nil); err != nil || status != 200 {
			t.Errorf("%s on a read-only disk: %d %v %.200s", path, status, err, text)
		}
	}
	acknowledged, asked := end()
	acknowledged[first.RunID] = 0
	if said := s.err.String(); !strings.Contains(said, "read-only") && !strings.Contains(said, "readonly") && !strings.Contains(said, "disk I/O error") {
		t.Errorf("the log does not name it: %.2000s", said)
	}
	s.signal(syscall.SIGKILL)
	mend()
	s.start()
	if len(acknowledged) < 5 {
		t.Errorf("only %d of %d requests were acknowledged", len(acknowledged), asked)
	}
	judge(t, s, acknowledged)
	s.signal(syscall.SIGTERM)
	whole(t, results)
	t.Logf("%d acknowledged before, %d refused after", len(acknowledged), refused)
}

// Folders that are not there at the start are made; those that cannot be are named, and nothing is served.
func TestFoldersAtTheStart(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	s := newServing(t, filepath.Join(base, "not", "there", "yet"), "BACKTESTER_LOG_DIR="+filepath.Join(base, "logs", "too"))
	c := newClient()
	var r run
	if status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(0), &r); err != nil || status != 202 {
		t.Fatalf("%d %v %s", status, err, text)
	}
	if e := s.ended(c, r.RunID); e.Status != "succeeded" {
		t.Errorf("%+v", e)
	}
	s.signal(syscall.SIGTERM)
	file := filepath.Join(base, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--results-dir", "--data-dir", "--log-dir", "--frontend-dir"} {
		cmd := exec.Command(program, "serve", "--env-file", "none", "--port", freePort(t), "--store", "demo", "--data-dir", data, "--results-dir", filepath.Join(base, "other"), flag, filepath.Join(file, "below"))
		var said bytes.Buffer
		cmd.Stderr, cmd.Env = &said, []string{"HOME=" + base, "PATH=" + os.Getenv("PATH")}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()
		if code := cmd.ProcessState.ExitCode(); code != 1 && code != 78 || !strings.Contains(said.String(), file) || strings.Contains(said.String(), "serving http") {
			t.Errorf("%s below a file: exit code %d\n%s", flag, code, said.String())
		}
	}
}
