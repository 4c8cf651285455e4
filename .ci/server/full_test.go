package servertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// small mounts a file system of a size below the folder of a test.
func small(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("LEFT OUT: mounting a small file system needs root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// grow gives a file system another size.
func grow(t *testing.T, dir, size string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size="+size); err != nil {
		t.Fatal(err)
	}
}

// ballast fills a file system but for so many bytes, and returns the file that does.
func ballast(t *testing.T, dir string, free int64) string {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size := int64(0)
	for _, step := range []int{1 << 16, 512} {
		for n, err := 0, error(nil); err == nil; size += int64(n) {
			n, err = f.Write(make([]byte, step))
		}
	}
	if err := f.Truncate(max(0, size-free)); err != nil {
		t.Fatal(err)
	}
	return path
}

// left are the files below a folder.
func left(t *testing.T, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			list = append(list, strings.TrimPrefix(path, dir))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Commands on a disk that is full one page later each time: until there is room for all of it a command fails in
// words and leaves nothing that could be taken for whole; then it works, on what the failures left.
func TestFullDiskOfCommands(t *testing.T) {
	t.Parallel()
	results := t.TempDir()
	s := newServing(t, results)
	c := newClient()
	var r run
	if status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(0), &r); err != nil || status != 202 {
		t.Fatalf("%d %v %s", status, err, text)
	}
	s.ended(c, r.RunID)
	s.signal(syscall.SIGTERM)
	file := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(file, []byte("name: s\nuniverse: {symbols: [ACME]}\ndata: {from: 2024-06-03}\nentry: close > close[1]\nexit: close < close[1]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		args    func(dir string) []string
		step    int  // KiB
		nothing bool // a failure leaves no file at all
	}{
		"backup": {func(dir string) []string {
			return []string{"backup", "create", "--verify", "--results-dir", results, "--to", dir}
		}, 48, true},
		"user add": {func(dir string) []string { return []string{"user", "add", "--admin", "alice", "--results-dir", dir} }, 16, false},
		"run": {func(dir string) []string {
			return []string{"run", file, "--store", "demo", "--results-dir", dir, "--format", "json", "--out", filepath.Join(dir, "out")}
		}, 64, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir, failures := small(t, "4k"), 0
			for size := 4; ; size += x.step {
				grow(t, dir, fmt.Sprintf("%dk", size))
				cmd := exec.Command(program, append(x.args(dir), "--env-file", "none", "--data-dir", data)...)
				cmd.Stdin = strings.NewReader("correct horse battery\n")
				out, err := cmd.CombinedOutput()
				if err == nil && !strings.Contains(string(out), "full") && !strings.Contains(string(out), "no space") {
					break
				}
				failures++
				if text := string(out); !strings.Contains(text, "disk is full") && !strings.Contains(text, "no space left") {
					t.Fatalf("%d KiB: %v, and the disk is not named:\n%.2000s", size, err, text)
				}
				files := left(t, dir)
				if x.nothing && len(files) > 0 {
					t.Fatalf("%d KiB: the failure leaves %v", size, files)
				}
				if size > 8<<10 {
					t.Fatalf("no success with %d KiB:\n%.2000s", size, out)
				}
			}
			if failures < 2 {
				t.Errorf("only %d failures", failures)
			}
			t.Logf("%d failures, then it works", failures)
		})
	}
}

// Accounts on a full disk: whoever is in stays in, what would have to be written is refused in words, what was
// acknowledged holds; and a log without room stops nothing.
func TestFullDiskOfAccountsAndLogs(t *testing.T) {
	t.Parallel()
	results, logs := small(t, "24m"), small(t, "64k")
	s := newServing(t, results, "BACKTESTER_AUTH=required", "BACKTESTER_REGISTRATION=open", "BACKTESTER_LOG_DIR="+logs)
	command(t, "user", "add", "--admin", "root1", "--results-dir", results)
	c := newClient()
	const password = `"password":"correct horse battery"}`
	register := func(name string) (int, string) {
		status, text, err := call(c, "POST", s.url+"/api/auth/register", `{"username":"`+name+`",`+password, nil)
		if err != nil {
			t.Fatal(err)
		}
		return status, string(text)
	}
	var in struct{ Token string }
	if status, text, err := call(c, "POST", s.url+"/api/auth/login", `{"username":"root1",`+password, &in); err != nil || status != 200 {
		t.Fatalf("%d %v %s", status, err, text)
	}
	verify := func() int {
		r, _ := newRequest("GET", s.url+"/api/auth/verify", in.Token)
		res, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	var taken []string
	refused := 0
	ballast(t, logs, 0)
	for free := int64(0); free < 20; free += 4 {
		path := ballast(t, results, free<<10)
		for i := range 6 {
			name := fmt.Sprintf("p%d-%d", free, i)
			switch status, text := register(name); {
			case status == 201:
				taken = append(taken, name)
			case status == 503 && strings.Contains(text, `"disk-full"`):
				refused++
			case status == 429: // so many attempts of one address
			default:
				t.Errorf("%d KiB free: %d %.300s", free, status, text)
			}
		}
		if status := verify(); status != 200 {
			t.Errorf("%d KiB free: who is in is answered %d", free, status)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("r%d", free)
		if status, text := register(name); status != 201 {
			t.Errorf("with room again: %d %.300s", status, text)
		}
		taken = append(taken, name)
	}
	if refused == 0 {
		t.Error("the disk never was full: nothing was tested")
	}
	s.signal(syscall.SIGTERM)
	s.start()
	for _, name := range append(taken, "root1") {
		if !strings.Contains(command(t, "user", "ls", "--results-dir", results), name) {
			t.Errorf("%s, whose registration was acknowledged, is not there", name)
		}
	}
	if status := verify(); status != 200 {
		t.Errorf("after a restart who was in is answered %d", status)
	}
	t.Logf("%d registrations refused, %d acknowledged", refused, len(taken))
}
