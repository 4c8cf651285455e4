package deploytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// windows is a prefix of Wine with a Windows to start programs in.
type windows struct {
	t    *testing.T
	wine string
	env  []string
}

// newWindows makes one. Wine before version 9 lacks a library that programs of Go need; one that leads its only
// function on to an older name is put in its place.
func newWindows(t *testing.T) *windows {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		leaveOut(t, "Windows programs for amd64 cannot be run here")
	}
	w := &windows{t: t, wine: program(t, "wine")}
	prefix := filepath.Join(t.TempDir(), "prefix")
	w.env = append(os.Environ(), "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=", "WINEARCH=win64", "DISPLAY=")
	boot := w.command("wineboot", "-i")
	if out, err := boot.CombinedOutput(); err != nil {
		leaveOut(t, "wine makes no Windows here: "+err.Error()+" "+string(out))
	}
	t.Cleanup(func() {
		end := exec.Command(program(t, "wineserver"), "-k")
		end.Env = w.env
		end.Run()
		end = exec.Command(program(t, "wineserver"), "-w")
		end.Env = w.env
		end.Run()
	})
	library := filepath.Join(prefix, "drive_c/windows/system32/bcryptprimitives.dll")
	if _, err := os.Stat(library); err != nil {
		def := filepath.Join(t.TempDir(), "library.def")
		write(t, def, "LIBRARY bcryptprimitives.dll\nEXPORTS\n  ProcessPrng = advapi32.SystemFunction036\n", 0o644)
		if out, err := exec.Command(program(t, "ld"), "-m", "i386pep", "-shared", "-e", "0", "-o", library, def).CombinedOutput(); err != nil {
			leaveOut(t, "wine lacks bcryptprimitives.dll and ld makes none: "+string(out))
		}
	}
	return w
}

// command starts a program of Windows.
func (w *windows) command(args ...string) *exec.Cmd {
	cmd := exec.Command(w.wine, args...)
	cmd.Env = w.env
	return cmd
}

// batch runs start-dev.bat in the folder top to its end and gives what it said and its exit code.
func (w *windows) batch(top string, args ...string) (string, int) {
	w.t.Helper()
	cmd := w.command(append([]string{"cmd", "/c", `deployment\start-dev.bat`}, args...)...)
	cmd.Dir = top
	out, err := cmd.CombinedOutput()
	if _, ended := err.(*exec.ExitError); err != nil && !ended {
		w.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// serves runs start-dev.bat until it answers with the page and the made-up market.
func (w *windows) serves(top, page string) {
	t := w.t
	t.Helper()
	port := freePort(t)
	cmd := w.command("cmd", "/c", `deployment\start-dev.bat`, "--port", port)
	cmd.Dir = top
	cmd.Env = append(cmd.Env, `BACKTESTER_DATA_DIR=Z:`+strings.ReplaceAll(t.TempDir(), "/", `\`))
	log := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cmd.Stdout, cmd.Stderr = f, f
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	base, ended := answers(t, "start-dev.bat", cmd, port, func() string { return read(t, log) })
	if text := get(t, base+"/"); !strings.Contains(text, page) {
		t.Errorf("the page is %.300q, want %q in it", text, page)
	}
	if list := get(t, base+"/api/data/tickers"); !strings.Contains(list, "ACME") {
		t.Errorf("the made-up market is not there: %.200q", list)
	}
	if text := read(t, log); !strings.Contains(text, "http://127.0.0.1:"+port) || strings.Contains(text, "5000") {
		t.Errorf("it does not say where it serves, or says it wrongly:\n%s", text)
	}
	kill := w.command("taskkill", "/f", "/im", "backtester.exe")
	if out, err := kill.CombinedOutput(); err != nil {
		t.Errorf("end it: %v %s", err, out)
	}
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Error("the batch file does not end with the program")
	}
}

// The batch file of the release starts the program of the release, in a folder with blanks and brackets; from
// sources it builds the web application and the program first. The builders here are stand-ins; what they make is
// not.
func TestStartDevOnWindows(t *testing.T) {
	t.Parallel()
	dir := releases(t)
	archives, _ := filepath.Glob(filepath.Join(dir, "first/*_windows_amd64.zip"))
	if len(archives) != 1 {
		t.Fatalf("archives for Windows: %q", archives)
	}
	w := newWindows(t)
	t.Run("release", func(t *testing.T) {
		w := &windows{t, w.wine, w.env}
		top := filepath.Join(t.TempDir(), "back tester (x86) & more")
		unzip(t, archives[0], top)
		out, err := w.command(filepath.Join(top, "backtester.exe"), "version", "--env-file", "none").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "v9.9.1") || !strings.Contains(string(out), "windows/amd64") {
			t.Errorf("version: %v %s", err, out)
		}
		w.serves(top, `src="renderer.js"`)
		if out, code := w.batch(top, "--port", "nonsense"); code != 78 || !strings.Contains(out, "want a port number") {
			t.Errorf("a bad setting ends with %d, want that of the program, 78: %s", code, out)
		}
	})
	t.Run("nothing", func(t *testing.T) {
		w := &windows{t, w.wine, w.env}
		top := filepath.Join(t.TempDir(), "empty (folder)")
		write(t, filepath.Join(top, "deployment/start-dev.bat"), read(t, filepath.Join(root, "deployment/start-dev.bat")), 0o644)
		if out, code := w.batch(top); code != 1 || !strings.Contains(out, "there is no backtester.exe") {
			t.Errorf("without a program it ends with %d: %s", code, out)
		}
		tools := filepath.Join(t.TempDir(), "on the path")
		unzip(t, archives[0], tools)
		w.env = append(w.env, `WINEPATH=Z:`+strings.ReplaceAll(tools, "/", `\`))
		if out, code := w.batch(top, "--port", "nonsense"); code != 78 || !strings.Contains(out, "want a port number") {
			t.Errorf("the program on the PATH ends with %d: %s", code, out)
		}
	})
	t.Run("sources", func(t *testing.T) {
		w := &windows{t, w.wine, w.env}
		top, tools := filepath.Join(t.TempDir(), "sources here"), t.TempDir()
		write(t, filepath.Join(top, "deployment/start-dev.bat"), read(t, filepath.Join(root, "deployment/start-dev.bat")), 0o644)
		write(t, filepath.Join(top, "go.mod"), "module backtester\n", 0o644)
		write(t, filepath.Join(top, "frontend/build.mjs"), "", 0o644)
		w.env = append(w.env, `WINEPATH=Z:`+strings.ReplaceAll(tools, "/", `\`))
		if out, code := w.batch(top); code != 1 || !strings.Contains(out, "Go is needed") {
			t.Errorf("without Go it ends with %d: %s", code, out)
		}
		unzip(t, archives[0], filepath.Join(tools, "made"))
		builder := filepath.Join(t.TempDir(), "builder.go")
		write(t, builder, standIn, 0o644)
		build := exec.Command("go", "build", "-o", filepath.Join(tools, "go.exe"), builder)
		build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		output(t, "cp", filepath.Join(tools, "go.exe"), filepath.Join(tools, "node.exe"))
		write(t, filepath.Join(tools, "npm.cmd"), "@exit /b 3\r\n", 0o644)
		if out, code := w.batch(top, "--port", "nonsense"); code != 1 || strings.Contains(out, "port number") {
			t.Errorf("when npm fails it ends with %d: %s", code, out)
		}
		write(t, filepath.Join(tools, "npm.cmd"), "@echo off\r\necho npm %*>>npm-was-here\r\nexit /b 0\r\n", 0o644)
		w.serves(top, `src="renderer.js"`)
		if said := read(t, filepath.Join(top, "frontend/npm-was-here")); !strings.HasPrefix(said, "npm ci ") {
			t.Errorf("npm was asked for %q", said)
		}
		if said := read(t, filepath.Join(top, "frontend/node-was-here")); said != "build.mjs" {
			t.Errorf("node was asked for %q", said)
		}
		if said := read(t, filepath.Join(top, "go-was-here")); !strings.HasPrefix(said, "build -trimpath -o ") || !strings.HasSuffix(said, "./cmd/backtester") {
			t.Errorf("go was asked for %q", said)
		}
	})
}

// standIn is go.exe and node.exe of the test: it writes down what it was asked for, and as Go it lays the program of
// the release where a build would.
const standIn = `package main

import (
	"os"
	"path/filepath"
	"strings"
)

func main() {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(self)), ".exe")
	if err := os.WriteFile(name+"-was-here", []byte(strings.Join(os.Args[1:], " ")), 0o644); err != nil {
		panic(err)
	}
	if name != "go" {
		return
	}
	made, err := os.ReadFile(filepath.Join(filepath.Dir(self), "made", "backtester.exe"))
	if err != nil {
		panic(err)
	}
	for i, a := range os.Args {
		if a == "-o" {
			os.MkdirAll(filepath.Dir(os.Args[i+1]), 0o755)
			if err := os.WriteFile(os.Args[i+1], made, 0o755); err != nil {
				panic(err)
			}
		}
	}
}
`

// Windows reads batch files with its own line ends; a label behind a bare line feed is not found.
func TestBatchFile(t *testing.T) {
	text := read(t, filepath.Join(root, "deployment/start-dev.bat"))
	if strings.Count(text, "\n") != strings.Count(text, "\r\n") || strings.Count(text, "\n") < 10 {
		t.Error("start-dev.bat has line ends of another system")
	}
	for _, m := range regexp.MustCompile(`goto (\w+)`).FindAllStringSubmatch(text, -1) {
		if !strings.Contains(text, "\r\n:"+m[1]+"\r\n") {
			t.Errorf("start-dev.bat goes to %s, which there is not", m[1])
		}
	}
}
