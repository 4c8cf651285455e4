package cmd_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"backtester/cmd"
)

var update = flag.Bool("update", false, "rewrite expected outputs in testdata/script")

func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){
		"backtester": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM) // as main does
			context.AfterFunc(ctx, stop)
			ballast := make([]byte, cmd.Ballast)
			code := cmd.Main(ctx, os.Args[1:], cmd.System(), "test")
			runtime.KeepAlive(ballast)
			os.Exit(code)
		},
	})
}

// cleaning runs the tests and then removes what they shared.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	dir, err := os.MkdirTemp("", "backtester-demo-")
	if err != nil {
		panic(err)
	}
	sharedDemo = dir
	defer os.RemoveAll(dir)
	return c.M.Run()
}

// Scripts run the program as a person does, each in a folder of its own without settings from
// outside. They share one demo market, which only reading commands touch.
func TestScripts(t *testing.T) {
	data := demoData(t)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: *update,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("XDG_DATA_HOME", "")
			e.Setenv("XDG_CONFIG_HOME", "")
			e.Setenv("DEMO", data)
			e.Setenv("BACKTESTER_DATA_DIR", data)
			e.Setenv("BACKTESTER_RESULTS_DIR", filepath.Join(e.WorkDir, "results"))
			return os.MkdirAll(home, 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "exits-full": exitsFull},
	})
}

// exits CODE ARGUMENTS... runs backtester and requires this exit code; its output can be checked as
// after exec.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE ARGUMENTS OF backtester...")
	}
	err := ts.Exec("backtester", args[1:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("run backtester: %v", err)
	}
	if want, err := strconv.Atoi(args[0]); err != nil || code != want {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// sharedDemo is the data folder that demoData fills on first use.
var sharedDemo string

// demoData is a data folder with the demo market in it, made by the program itself. Tests only read
// from it: the market is made once.
func demoData(t *testing.T) string {
	t.Helper()
	var out, faults bytes.Buffer
	streams := cmd.IO{In: strings.NewReader(""), Out: &out, Err: &faults, Now: time.Now, Environ: []string{"HOME=" + sharedDemo}}
	if code := cmd.Main(context.Background(), []string{"data", "ls", "--data-dir", sharedDemo, "--env-file", "none"}, streams, "test"); code != 0 {
		t.Fatalf("make the demo market: exit code %d\n%s", code, faults.String())
	}
	return sharedDemo
}

// exitsFull CODE ARGUMENTS... runs backtester with a standard output that has no room, and requires this exit
// code.
func exitsFull(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits-full CODE ARGUMENTS...")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	ts.Check(err)
	defer full.Close()
	path, err := exec.LookPath("backtester")
	ts.Check(err)
	var faults bytes.Buffer
	c := exec.Command(path, args[1:]...)
	c.Dir, c.Stdout, c.Stderr = ts.MkAbs("."), full, &faults
	for _, name := range []string{"HOME", "BACKTESTER_DATA_DIR", "BACKTESTER_RESULTS_DIR", "PATH"} {
		c.Env = append(c.Env, name+"="+ts.Getenv(name))
	}
	if err := c.Run(); err != nil && c.ProcessState == nil {
		ts.Fatalf("%v", err)
	}
	if got := strconv.Itoa(c.ProcessState.ExitCode()); got != args[0] || !strings.Contains(faults.String(), "no space left") {
		ts.Fatalf("exit code %s with %q, want %s and the reason", got, faults.String(), args[0])
	}
}
