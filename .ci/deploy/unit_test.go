package deploytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func units(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(root, "deployment/backtester-*"))
	if err != nil || len(list) != 3 {
		t.Fatalf("units: %q, %v", list, err)
	}
	return list
}

// systemd-analyze verify ends well even when it ignores a line that it cannot parse: it must say nothing.
func TestUnitsAreUnderstood(t *testing.T) {
	analyze := program(t, "systemd-analyze")
	box := t.TempDir()
	output(t, "mkdir", "-p", box+"/usr/lib/systemd", box+"/etc/systemd/system", box+"/bin")
	output(t, "cp", "-r", "/usr/lib/systemd/system", box+"/usr/lib/systemd/system")
	os.Symlink("usr/lib", filepath.Join(box, "lib"))
	for _, bin := range []string{"bin/kill", "var/www/backtester/backend/backtester", "var/www/backtester/deployment/backup.sh"} {
		write(t, filepath.Join(box, bin), "#!/bin/sh\n", 0o755)
	}
	write(t, filepath.Join(box, "var/www/backtester/deployment/DEPLOYMENT_GUIDE.md"), "", 0o644)
	for _, u := range units(t) {
		write(t, filepath.Join(box, "etc/systemd/system", filepath.Base(u)), read(t, u), 0o644)
	}
	for _, u := range units(t) {
		out, err := exec.Command(analyze, "verify", "--root="+box, filepath.Base(u)).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("systemd-analyze verify %s: %v\n%s", filepath.Base(u), err, out)
		}
	}
	// The same test with a fault in the unit must see it.
	bad := strings.Replace(read(t, filepath.Join(root, "deployment/backtester-api.service")), "ProtectClock=yes", "ProtectClock=yess", 1)
	write(t, filepath.Join(box, "etc/systemd/system/backtester-api.service"), bad, 0o644)
	if out, _ := exec.Command(analyze, "verify", "--root="+box, "backtester-api.service").CombinedOutput(); len(out) == 0 {
		t.Error("systemd-analyze verify says nothing about a line that it ignores: this test proves nothing here")
	}
}

func TestUnitsAreExposedLittle(t *testing.T) {
	analyze := program(t, "systemd-analyze")
	for unit, limit := range map[string]string{"backtester-api.service": "12", "backtester-backup.service": "12"} {
		out, err := exec.Command(analyze, "security", "--offline=true", "--threshold="+limit, "--no-pager", filepath.Join(root, "deployment", unit)).CombinedOutput()
		if err != nil {
			t.Errorf("%s is exposed more than %s tenths: %v\n%s", unit, limit, err, out)
		} else if lines := strings.Split(strings.TrimSpace(string(out)), "\n"); len(lines) > 0 {
			t.Log(lines[len(lines)-1])
		}
	}
}

func TestScriptsAreSound(t *testing.T) {
	check := program(t, "shellcheck")
	list, _ := filepath.Glob(filepath.Join(root, "deployment/*.sh"))
	more, _ := filepath.Glob(filepath.Join(root, "deployment/packaging/p*"))
	list = append(append(list, more...), filepath.Join(root, ".ci/deploy/box"), filepath.Join(root, ".ci/deploy/run"))
	if len(list) < 8 {
		t.Fatalf("only %d scripts found", len(list))
	}
	out, err := exec.Command(check, append([]string{"-x", "-P", "SCRIPTDIR", "-S", "warning"}, list...)...).CombinedOutput()
	if err != nil {
		t.Errorf("shellcheck: %v\n%s", err, out)
	}
}

// logrotate reads the file and, forced, renames the logs, makes new ones and tells the server.
func TestLogsRotate(t *testing.T) {
	bin := program(t, "logrotate")
	if os.Getuid() != 0 {
		leaveOut(t, "only root may rotate logs of others")
	}
	dir := t.TempDir()
	logs := filepath.Join(dir, "backtester")
	output(t, "install", "-d", "-o", "www-data", "-g", "adm", "-m", "750", logs)
	output(t, "chmod", "755", dir, filepath.Dir(dir))
	for _, n := range []string{"access.log", "error.log"} {
		write(t, filepath.Join(logs, n), "line\n", 0o640)
		output(t, "chown", "www-data:adm", filepath.Join(logs, n))
	}
	told := filepath.Join(dir, "told")
	text := strings.NewReplacer("/var/log/backtester/", logs+"/", "[ ! -d /run/systemd/system ] || systemctl try-reload-or-restart backtester-api.service", "echo told >> "+told).Replace(read(t, filepath.Join(root, "deployment/logrotate")))
	conf := filepath.Join(dir, "conf")
	write(t, conf, text, 0o644)
	write(t, told, "", 0o666)
	output(t, "chmod", "666", told)
	if out := output(t, bin, "-f", "-s", filepath.Join(dir, "state"), conf); out != "" {
		t.Errorf("logrotate: %s", out)
	}
	for _, n := range []string{"access.log", "error.log"} {
		if got := read(t, filepath.Join(logs, n+".1")); got != "line\n" {
			t.Errorf("%s.1 holds %q", n, got)
		}
		if out := output(t, "stat", "-c", "%U:%G %a %s", filepath.Join(logs, n)); strings.TrimSpace(out) != "www-data:adm 640 0" {
			t.Errorf("%s is %s", n, out)
		}
	}
	if got := read(t, told); got != "told\n" {
		t.Errorf("the server was told %q, want once", got)
	}
}

// The jail sees failed logins in the log that nginx writes, and nothing else.
func TestFailedLoginsAreSeen(t *testing.T) {
	bin := program(t, "fail2ban-regex")
	log := filepath.Join(t.TempDir(), "log")
	write(t, log, `203.0.113.7 - - [28/Nov/2026:22:40:11 +0000] "POST /api/auth/login HTTP/2.0" 401 210 0.050 0.049 5f "curl/8"
203.0.113.8 - - [28/Nov/2026:22:40:12 +0000] "POST /api/auth/login HTTP/2.0" 200 210 0.050 0.049 5f "curl/8"
203.0.113.9 - - [28/Nov/2026:22:40:13 +0000] "GET /api/x HTTP/2.0" 401 210 0.050 0.049 5f "x [y] \"POST /api/auth/login HTTP/2.0\" 401 "
2001:db8::1 - - [28/Nov/2026:22:40:14 +0000] "POST /api/auth/register HTTP/1.1" 403 210 0.050 - 5f "curl/8"
203.0.113.10 - - [28/Nov/2026:22:40:15 +0000] "POST /api/auth/login HTTP/2.0" 429 210 0.050 - 5f "curl/8"
`, 0o644)
	out := output(t, bin, "--print-all-matched", log, filepath.Join(root, "deployment/fail2ban/filter.conf"))
	if !strings.Contains(out, "5 lines, 0 ignored, 3 matched, 2 missed") {
		t.Errorf("fail2ban sees:\n%s", out)
	}
}

func TestAlertsAreUnderstood(t *testing.T) {
	bin := program(t, "promtool")
	output(t, bin, "check", "rules", filepath.Join(root, "deployment/prometheus/backtester.rules.yml"))
	output(t, bin, "check", "config", "--syntax-only", filepath.Join(root, "deployment/prometheus/prometheus.yml"))
}
