package cmd_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The demo needs no network: it runs whole in a network namespace of its own, in which there is not even
// a loopback interface that is up. That nothing gets out of there is shown by fetch, which fails.
func TestDemoWithoutNetwork(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "backtester") // by this name the test program is backtester
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	alone := func(args ...string) (string, error) {
		c := exec.Command(link, args...)
		c.Env = []string{"HOME=" + dir, "BACKTESTER_DATA_DIR=" + filepath.Join(dir, "data"), "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b",
			"MASSIVE_S3_ENDPOINT=http://" + server.Addr().String(), "MASSIVE_S3_BUCKET=flatfiles"}
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}}
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if _, err := alone("version"); err != nil {
		t.Skipf("this machine makes no network namespaces for us: %v", err)
	}
	if out, err := alone("fetch", "--dataset", "day", "--from", "2024-01-02", "--to", "2024-01-02"); err == nil || !strings.Contains(out, "unreachable") && !strings.Contains(out, "refused") {
		t.Fatalf("fetch got out of the namespace: %v\n%s", err, out)
	}
	out, err := alone("demo", "--out", filepath.Join(dir, "out"))
	if err != nil || !strings.Contains(out, "wrote 3 results") {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "out", "rsi-dip.html")); err != nil {
		t.Error(err)
	}
}
