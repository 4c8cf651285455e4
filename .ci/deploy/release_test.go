package deploytest

import (
	"archive/zip"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// release makes everything that a release of the sources in from holds, in dir. It stands back for tests that run
// at the same time.
func release(t *testing.T, from, dir string, env []string, targets ...string) {
	t.Helper()
	cmd := exec.Command("nice", append([]string{"-n", "5", filepath.Join(from, ".ci/release/run"), dir}, targets...)...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make a release: %v\n%s", err, out)
	}
}

var made struct {
	sync.Once
	dir string
}

// releases makes what the tests share, once: the folder has the releases first, newer, and broken, which
// cannot run. DEPLOY_RELEASES names a folder to keep them in while working on these tests.
func releases(t *testing.T) string {
	t.Helper()
	made.Do(func() {
		dir := os.Getenv("DEPLOY_RELEASES")
		if dir == "" {
			dir = filepath.Join(shared, "releases")
		} else if _, err := os.Stat(filepath.Join(dir, "broken/SHA256SUMS")); err == nil {
			made.dir = dir
			return
		}
		dpkg := program(t, "dpkg-deb")
		release(t, root, filepath.Join(dir, "first"), []string{"VERSION=v9.9.1"}, "linux/amd64", "windows/amd64")
		release(t, root, filepath.Join(dir, "newer"), []string{"VERSION=v9.9.2"}, "linux/amd64")
		list, _ := filepath.Glob(filepath.Join(dir, "newer/*.deb"))
		work, broken := filepath.Join(dir, "work"), filepath.Join(dir, "broken")
		output(t, dpkg, "-R", list[0], work)
		os.Remove(filepath.Join(work, "DEBIAN/conffiles")) // empty, which dpkg-deb does not take back
		write(t, filepath.Join(work, "var/www/backtester/backend/backtester"), "#!/bin/sh\ncase $1 in version) echo '{\"version\": \"v9.9.3\"}' ;; *) echo broken on purpose; exit 1 ;; esac\n", 0o755)
		os.Mkdir(broken, 0o755)
		output(t, dpkg, "-Znone", "--root-owner-group", "-b", work, filepath.Join(broken, "backtester_9.9.3_linux_amd64.deb"))
		output(t, "sh", "-c", "cd "+broken+" && sha256sum *.deb > SHA256SUMS")
		os.RemoveAll(work)
		made.dir = dir
	})
	if made.dir == "" {
		t.Fatal("the releases could not be made: another test says why")
	}
	return made.dir
}

// A release has what it promises for two systems, of which this machine can run one or both.
func TestRelease(t *testing.T) {
	inspect(t, filepath.Join(releases(t), "first"), "linux/amd64", "windows/amd64")
}

// In another folder the same commit gives the same bytes. Releases for other processors and systems are made there too.
func TestReleaseElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere(t, []string{"VERSION=v9.9.1"}, "linux/amd64", "windows/amd64", "linux/arm64", "darwin/arm64")
}

// And so it does with nothing compiled before. That takes a processor a quarter of an hour: .ci/run leaves it to the
// workflow of releases.
func TestReleaseFromNothing(t *testing.T) {
	t.Parallel()
	elsewhere(t, []string{"VERSION=v9.9.1", "GOCACHE=" + filepath.Join(t.TempDir(), "cache")}, "linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64")
}

// elsewhere makes a release from a copy of the sources, and compares what the first one has as well.
func elsewhere(t *testing.T, env []string, targets ...string) {
	t.Helper()
	first, again, copied := filepath.Join(releases(t), "first"), t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")
	output(t, "git", "clone", "-q", "--no-checkout", mustAbs(t, root), copied)
	output(t, "git", "-C", copied, "reset", "-q", strings.TrimSpace(output(t, "git", "-C", root, "rev-parse", "HEAD")))
	output(t, "sh", "-c", fmt.Sprintf("cd %q && git ls-files -z -c -o --exclude-standard | xargs -0 sh -c 'for f; do [ ! -e \"$f\" ] || printf \"%%s\\0\" \"$f\"; done' sh | tar --null -T - -cf - | tar -xf - -C %q", mustAbs(t, root), copied))
	release(t, copied, again, env, targets...)
	inspect(t, again, targets...)
	made, same := read(t, filepath.Join(again, "SHA256SUMS")), 0
	for line := range strings.Lines(read(t, filepath.Join(first, "SHA256SUMS"))) {
		name := strings.Fields(line)[1]
		if _, err := os.Stat(filepath.Join(again, name)); err != nil {
			continue
		}
		same++
		if !strings.Contains(made, line) {
			t.Errorf("made twice, %s differs", name)
		}
	}
	if same < 3 {
		t.Errorf("%d files were made twice, want at least archive, package and bill of materials", same)
	}
}

// inspect looks into every file of a release of v9.9.1 for these systems.
func inspect(t *testing.T, dir string, targets ...string) {
	t.Helper()
	sums := read(t, filepath.Join(dir, "SHA256SUMS"))
	linux := strings.Count(strings.Join(targets, " "), "linux/")
	if n := strings.Count(sums, "\n"); n != 2*len(targets)+linux {
		t.Errorf("%d files in a release, want %d archives, as many bills of materials and %d packages:\n%s", n, len(targets), linux, sums)
	}
	check := exec.Command("sha256sum", "-c", "--quiet", "SHA256SUMS")
	check.Dir = dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("checksums: %v\n%s", err, out)
	}
	for _, target := range targets {
		system, arch, _ := strings.Cut(target, "/")
		t.Run(system+"-"+arch, func(t *testing.T) { inspectTarget(t, dir, system, arch) })
	}
}

func one(t *testing.T, pattern string) string {
	t.Helper()
	list, _ := filepath.Glob(pattern)
	if len(list) != 1 {
		t.Fatalf("%s: %d files, want one", pattern, len(list))
	}
	return list[0]
}

func inspectTarget(t *testing.T, dir, system, arch string) {
	top, suffix := filepath.Join(t.TempDir(), "unpacked"), ""
	if system == "windows" {
		suffix = ".exe"
		unzip(t, one(t, filepath.Join(dir, "*_windows_"+arch+".zip")), top)
	} else {
		os.Mkdir(top, 0o755)
		output(t, "tar", "-xzf", one(t, filepath.Join(dir, "*_"+system+"_"+arch+".tar.gz")), "-C", top, "--strip-components=1")
	}
	binary := filepath.Join(top, "backtester"+suffix)
	commit := strings.TrimSpace(output(t, "git", "-C", root, "rev-parse", "HEAD"))
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["GOOS"] != system || settings["GOARCH"] != arch || settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" {
		t.Errorf("the program was built with %v", settings)
	}
	text := read(t, binary)
	if !strings.Contains(text, commit) {
		t.Error("the program does not know its commit")
	}
	if here := mustAbs(t, root); strings.Contains(text, here) {
		t.Errorf("the program knows the folder it was built in, %s", here)
	}
	// The web application is inside the program, and beside it for a web server.
	for _, name := range []string{"index.html", "renderer.js", "style.css"} {
		if !strings.Contains(text, read(t, filepath.Join(top, "frontend", name))) {
			t.Errorf("%s of the web application is not inside the program", name)
		}
	}
	if modules, _ := filepath.Glob(filepath.Join(top, "frontend/modules/*.js")); len(modules) < 5 {
		t.Errorf("%d modules of the web application", len(modules))
	}
	for name, want := range map[string]string{"README.md": "backtester", "LICENSE": "Apache License", "COMMANDS.md": "backtester doctor", "completion.bash": "backtester", "licenses/LICENSE": "Apache License", "deployment/DEPLOYMENT_GUIDE.md": "Doctor", "deployment/start-dev.bat": "\r\n"} {
		if !strings.Contains(read(t, filepath.Join(top, name)), want) {
			t.Errorf("%s is not what it should be", name)
		}
	}
	if pages, _ := filepath.Glob(filepath.Join(top, "man/backtester*.1.gz")); len(pages) < 40 {
		t.Errorf("%d pages of the manual", len(pages))
	}
	inspectParts(t, one(t, filepath.Join(dir, "*_"+system+"_"+arch+".cdx.json")), read(t, filepath.Join(top, "licenses/third-party.txt")))
	if run := runner(t, system, arch); run != nil {
		var v struct{ Version, Revision, Platform string }
		out, err := run(binary, "version", "--format", "json", "--env-file", "none").Output()
		if err == nil {
			err = json.Unmarshal(out, &v)
		}
		if err != nil || v.Revision != commit || v.Platform != system+"/"+arch || v.Version != "v9.9.1" {
			t.Errorf("the program says %s, %v", out, err)
		}
	}
}

// runner starts programs of a system, as far as this machine can.
func runner(t *testing.T, system, arch string) func(...string) *exec.Cmd {
	t.Helper()
	switch {
	case system == runtime.GOOS && arch == runtime.GOARCH:
		return func(args ...string) *exec.Cmd { return exec.Command(args[0], args[1:]...) }
	case system == "linux" && arch == "arm64":
		if emulator, err := exec.LookPath("qemu-aarch64-static"); err == nil {
			return func(args ...string) *exec.Cmd { return exec.Command(emulator, args...) }
		}
		t.Log("LEFT OUT: the program for linux/arm64 was built and not run: no qemu-user-static")
	case system == "windows": // TestStartDevOnWindows runs it
	default:
		t.Logf("LEFT OUT: the program for %s/%s was built and not run: it needs another machine", system, arch)
	}
	return nil
}

// inspectParts looks at the bill of materials and at the licences of what it names.
func inspectParts(t *testing.T, file, licences string) {
	t.Helper()
	var bill struct {
		BomFormat  string
		Components []struct {
			Name, Version string
			Licenses      []struct{ License struct{ ID string } }
		}
	}
	if err := json.Unmarshal([]byte(read(t, file)), &bill); err != nil || bill.BomFormat != "CycloneDX" || len(bill.Components) < 50 {
		t.Fatalf("%s: %v, %q, %d components", file, err, bill.BomFormat, len(bill.Components))
	}
	web := 0
	for _, c := range bill.Components {
		if c.Version == "" || len(c.Licenses) == 0 || c.Licenses[0].License.ID == "" {
			t.Errorf("%s: %s %s has no version or no licence", filepath.Base(file), c.Name, c.Version)
		}
		if !strings.Contains(licences, "\n"+c.Name+" "+c.Version+": ") || !strings.Contains(licences, strings.Repeat("=", 80)+"\n"+c.Name+" "+c.Version+"\n") {
			t.Errorf("the licences do not have %s %s", c.Name, c.Version)
		}
		if c.Name == "preact" || c.Name == "uplot" {
			web++
		}
	}
	if web != 2 {
		t.Errorf("%s does not name the parts of the web application", filepath.Base(file))
	}
}

// unzip unpacks an archive whose files lie in one folder, without that.
func unzip(t *testing.T, file, to string) {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		_, name, ok := strings.Cut(f.Name, "/")
		if !ok || !filepath.IsLocal(name) {
			t.Fatalf("%s has %s", file, f.Name)
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(to, name), string(b), f.Mode().Perm())
	}
}

// Debian's own judge of packages finds nothing but what the package says of itself, and nothing in it is
// anybody's but root's.
func TestPackage(t *testing.T) {
	t.Parallel()
	lintian := program(t, "lintian")
	deb := one(t, filepath.Join(releases(t), "first/*.deb"))
	out, err := exec.Command(lintian, "--allow-root", "--no-cfg", "--fail-on", "error,warning", deb).CombinedOutput()
	if err != nil || strings.Contains(string(out), "E: ") || strings.Contains(string(out), "W: ") {
		t.Errorf("lintian: %v\n%s", err, out)
	}
	files := 0
	for line := range strings.Lines(output(t, "dpkg-deb", "-c", deb)) {
		files++
		if f := strings.Fields(line); f[1] != "root/root" || strings.HasSuffix(f[5], "/.env") || f[0][8] == 'w' {
			t.Errorf("in the package: %s", line)
		}
	}
	if files < 100 {
		t.Errorf("%d files in the package", files)
	}
	for field, want := range map[string]string{"Package": "backtester", "Version": "9.9.1", "Architecture": "amd64", "Depends": "curl"} {
		if got := strings.TrimSpace(output(t, "dpkg-deb", "-f", deb, field)); got != want {
			t.Errorf("%s of the package is %q, want %q", field, got, want)
		}
	}
}

// answers waits until the server that cmd started answers on port: its address, and where the end of cmd is told.
// what names cmd in faults, log is what it has said.
func answers(t *testing.T, what string, cmd *exec.Cmd, port string, log func() string) (base string, ended <-chan error) {
	t.Helper()
	end := make(chan error, 1)
	go func() { end <- cmd.Wait() }()
	base = "http://localhost:" + port
	for limit := time.Now().Add(5 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if answer, err := http.Get(base + "/api/health"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == 200 {
				return base, end
			}
		}
		select {
		case err := <-end:
			t.Fatalf("%s ended: %v\n%s", what, err, log())
		default:
		}
		if time.Now().After(limit) {
			t.Fatalf("%s: no server after five minutes\n%s", what, log())
		}
	}
}

// One command, no settings: a server for development answers.
func TestDevelopmentServer(t *testing.T) {
	port, home := freePort(t), t.TempDir()
	cmd := exec.Command("make", "-s", "-C", root, "dev") // which is deployment/start-dev.sh
	cmd.Env = append(os.Environ(), "BACKTESTER_DATA_DIR="+home, "FLASK_PORT="+port)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var log strings.Builder
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	base, ended := answers(t, "make dev", cmd, port, log.String)
	if page := get(t, base+"/"); !strings.Contains(page, "<title>backtester") {
		t.Errorf("the page is %.200q", page)
	}
	if list := get(t, base+"/api/data/tickers"); !strings.Contains(list, "ACME") {
		t.Errorf("the made-up market is not there: %.200q", list)
	}
	// Pages of this machine may call it, others not, and nobody has to sign in.
	for origin, want := range map[string]string{"http://localhost:3000": "http://localhost:3000", "https://elsewhere.example": ""} {
		r, _ := http.NewRequest("GET", base+"/api/backtest/history", nil)
		r.Header.Set("Origin", origin)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := answer.Header.Get("Access-Control-Allow-Origin"); answer.StatusCode != 200 || got != want {
			t.Errorf("a page of %s gets %s, allowed %q", origin, answer.Status, got)
		}
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		t.Error("Ctrl-C does not end it")
	}
}
