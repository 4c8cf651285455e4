package deploytest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// machine is a throw-away Debian with systemd as process 1.
type machine struct {
	t   *testing.T
	dir string
}

// boot starts one. Inside, /srv/release has the packages first, newer and broken.
func boot(t *testing.T, releases string) *machine {
	t.Helper()
	if runtime.GOOS != "linux" {
		leaveOut(t, "systemd needs Linux")
	}
	for _, p := range []string{"nginx", "logrotate", "sudo", "curl", "openssl", "fail2ban-client", "promtool"} {
		program(t, p)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	playwright(t)
	m := &machine{t, t.TempDir()}
	prepare := filepath.Join(m.dir, "prepare")
	write(t, prepare, fmt.Sprintf(`set -e
cp -r %q srv/release
cp -r %q srv/fixtures
# What runs inside lies in /srv: booting empties /tmp, where the host may have it.
cp %q srv/visitors
install -D %q srv/deploy/browse.mjs
[ ! -d %[5]q ] || { mkdir -p srv/browser && cp -r %[5]q srv/browser/node_modules; }
rm -rf var/www/backtester var/log/nginx/* var/log/backtester var/lib/backtester var/backups/backtester etc/nginx/sites-enabled/backtester etc/letsencrypt
ln -sf ../sites-available/default etc/nginx/sites-enabled/default
: > etc/hosts
echo 127.0.0.1 localhost $(uname -n) >> etc/hosts
rm -f etc/resolv.conf var/log/auth.log
rm -f var/lib/man-db/auto-update # every package would have the index of all pages made again
install -d -o root -g adm var/log/nginx
`, releases, mustAbs(t, "fixtures"), self, mustAbs(t, "browse.mjs"), mustAbs(t, "../browser/node_modules")), 0o755)
	start := exec.Command("./box", "start", m.dir, prepare)
	out, err := start.CombinedOutput()
	if code := start.ProcessState.ExitCode(); code == 3 {
		leaveOut(t, "systemd cannot be booted here: "+strings.TrimSpace(string(out)))
	} else if err != nil {
		t.Fatalf("boot: %v\n%s", err, out)
	}
	t.Cleanup(func() { exec.Command("./box", "stop", m.dir).Run() })
	return m
}

// playwright fetches what browse.mjs needs, where npm is.
func playwright(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("../browser/node_modules/playwright-core"); err == nil {
		return
	}
	if out, err := exec.Command("npm", "ci", "--prefix", "../browser", "--no-audit", "--no-fund").CombinedOutput(); err != nil {
		t.Logf("LEFT OUT: playwright-core cannot be installed: %v %s", err, out)
	}
}

func mustAbs(t *testing.T, name string) string {
	t.Helper()
	p, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// command is one that runs inside.
func (m *machine) command(args ...string) *exec.Cmd {
	return exec.Command("./box", append([]string{"exec", m.dir}, args...)...)
}

// try runs a shell script inside and returns its output and its exit code.
func (m *machine) try(script string) (out, both string, code int) {
	cmd := m.command("bash", "-c", "cd; "+script)
	var o, b bytes.Buffer
	cmd.Stdout = &tee{&o, &b}
	cmd.Stderr = &b
	cmd.Run()
	return o.String(), b.String(), cmd.ProcessState.ExitCode()
}

type tee struct{ a, b *bytes.Buffer }

func (t *tee) Write(p []byte) (int, error) { t.a.Write(p); return t.b.Write(p) }

// do runs a shell script inside that must succeed.
func (m *machine) do(t *testing.T, script string) string {
	t.Helper()
	out, both, code := m.try("set -euo pipefail\n" + script)
	if code != 0 {
		t.Fatalf("%s\nexit code %d\n%s%s", script, code, both, m.journal())
	}
	return strings.TrimRight(out, "\n")
}

// journal is what the service said last, for messages.
func (m *machine) journal() string {
	out, _, _ := m.try("journalctl -u backtester-api -u nginx -n 12 --no-pager -o cat 2>/dev/null")
	return "-- journal --\n" + out
}

// is waits until a script prints a line.
func (m *machine) is(t *testing.T, script, want string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		out, _, _ := m.try(script)
		if got = strings.TrimSpace(out); got == want {
			return
		}
	}
	t.Fatalf("%s prints %q, want %q\n%s", script, got, want, m.journal())
}

// The whole way as the guide describes it, on a bare machine: every block is run as it is printed. The last
// one takes everything away, and is run when everything else has been seen.
func TestJourney(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		leaveOut(t, "only root can boot a machine")
	}
	m := boot(t, releases(t))
	blocks := guide(t)
	last := len(blocks) - 1
	began := time.Now()
	for i, b := range blocks[:last] {
		m.follow(t, b)
		if blocks[i+1].heading == b.heading {
			continue
		}
		t.Logf("%s: ok, %.0f s", b.heading, time.Since(began).Seconds())
		if f := after(b.heading); f != nil {
			t.Run(strings.Join(strings.Fields(b.heading)[1:], "-"), func(t *testing.T) { f(t, m) })
		}
	}
	t.Run("table", func(t *testing.T) { table(t, m) })
	t.Run("service", func(t *testing.T) { service(t, m) })
	t.Run("doctor", func(t *testing.T) { doctor(t, m) })
	t.Run("uninstall", func(t *testing.T) { uninstall(t, m, blocks[last]) })
	t.Run("archive", func(t *testing.T) { archive(t, m) })
}

// follow runs a block of the guide, after the fixture that it needs, and compares what it prints.
func (m *machine) follow(t *testing.T, b block) {
	t.Helper()
	if b.fixture != "" {
		m.do(t, "bash -eu /srv/fixtures/"+b.fixture)
	}
	out, both, code := m.try("set -euo pipefail\n" + b.script)
	if code != 0 {
		t.Errorf("%s:\n%s\nexit code %d\n%s%s", b.heading, b.script, code, both, m.journal())
	} else if b.want != "" && !shows(b.want, out) {
		t.Errorf("%s: the guide shows\n%s\nwhat comes from\n%s\nis\n%s\n%s", b.heading, b.want, b.script, out, m.journal())
	}
}

// after says what is looked at beyond what the guide shows, once a step is done.
func after(heading string) func(*testing.T, *machine) {
	switch {
	case strings.Contains(heading, "The program"):
		return installedTwice
	case strings.Contains(heading, "Data"):
		return useIt
	case strings.Contains(heading, "Firewall"):
		return guarded
	case strings.Contains(heading, "Monitoring"):
		return measured
	case strings.Contains(heading, "Upgrades"):
		return brokenUpgrade
	}
	return nil
}

// installedTwice: what was done is not done again.
func installedTwice(t *testing.T, m *machine) {
	if out := m.do(t, "/var/www/backtester/deployment/install.sh --dry-run"); !strings.Contains(out, "nothing to change") || strings.Contains(out, "would:") {
		t.Errorf("a second run of install.sh would change something:\n%s", out)
	}
	if out := m.do(t, "find /var/www/backtester/results /var/www/backtester/backend/data /var/log/backtester ! -user www-data"); out != "" {
		t.Errorf("the service does not own\n%s", out)
	}
}

// brokenUpgrade: a release that does not get healthy is taken back, and says so.
func brokenUpgrade(t *testing.T, m *machine) {
	before := m.do(t, "backtester version")
	out, both, code := m.try("GATE=5 /var/www/backtester/deployment/upgrade.sh /srv/release/broken/*.deb")
	if code == 0 || !strings.Contains(out, "back to v9.9.") || !strings.Contains(both, "does not get healthy") {
		t.Errorf("a broken release: exit code %d\n%s", code, both)
	}
	if now := m.do(t, "backtester version"); now != before {
		t.Errorf("after a broken release there is %s, want %s", now, before)
	}
	m.is(t, "systemctl is-active backtester-api", "active")
	m.do(t, "cp /srv/release/newer/*.deb /root/ && cp /srv/release/newer/SHA256SUMS /root/ && cd /root && for f in *.deb; do echo changed >>$f; done")
	if _, both, code := m.try("/var/www/backtester/deployment/upgrade.sh /root/*.deb"); code == 0 || !strings.Contains(both, "SHA-256 differs") {
		t.Errorf("a changed package: exit code %d\n%s", code, both)
	}
}

// uninstall takes everything away but what is yours, as the guide says.
func uninstall(t *testing.T, m *machine, step block) {
	runs := m.do(t, "ls /var/www/backtester/results/csv | wc -l")
	m.follow(t, step)
	for _, gone := range []string{"/var/www/backtester/backend/backtester", "/var/www/backtester/frontend", "/etc/systemd/system/backtester-api.service", "/etc/nginx/sites-enabled/backtester", "/etc/nginx/sites-available/backtester", "/etc/logrotate.d/backtester", "/usr/bin/backtester"} {
		if _, _, code := m.try("test -e " + gone); code == 0 {
			t.Errorf("%s is still there", gone)
		}
	}
	if out, _, _ := m.try("systemctl is-active backtester-api"); strings.TrimSpace(out) == "active" {
		t.Error("the service still runs")
	}
	if _, _, code := m.try("curl -sS -m 5 http://127.0.0.1:5000/api/health"); code == 0 {
		t.Error("something still answers")
	}
	for _, kept := range []string{"/var/www/backtester/.env", "/var/www/backtester/results/db/history.db", "/var/backups/backtester", "/var/log/backtester/access.log"} {
		m.do(t, "test -e "+kept)
	}
	if now := m.do(t, "ls /var/www/backtester/results/csv | wc -l"); now != runs {
		t.Errorf("%s files of runs, were %s", now, runs)
	}
	m.do(t, "dpkg -i /srv/release/first/*.deb >/dev/null 2>&1")
	m.is(t, "systemctl is-active backtester-api", "active")
	if out := m.do(t, "cd /var/www/backtester && backtester user ls"); !strings.Contains(out, "alice") {
		t.Errorf("installed again, the accounts are not there: %s", out)
	}
}

// state is everything that the scripts may change, but what a running server writes.
func (m *machine) state(t *testing.T) string {
	t.Helper()
	return m.do(t, `find /var/www/backtester /etc/systemd/system /etc/nginx /etc/logrotate.d /usr/local/bin /usr/bin/backtester /var/lib/backtester /var/backups/backtester -path /var/www/backtester/results -prune -o -printf '%p %s %T@ %m %u\n' 2>/dev/null | sort || true; systemctl show -p MainPID,ActiveState,UnitFileState backtester-api backtester-backup.timer`)
}

// idle runs a script that must only say what it would do.
func (m *machine) idle(t *testing.T, script, says string) {
	t.Helper()
	before := m.state(t)
	if out := m.do(t, script); !strings.Contains(out, says) {
		t.Errorf("%s says\n%s\nwant %q in it", script, out, says)
	}
	if now := m.state(t); now != before {
		t.Errorf("%s has changed something; before\n%s\nafter\n%s", script, before, now)
	}
}

// archive is the way without Debian's package manager, to its end: nothing is left after a purge.
func archive(t *testing.T, m *machine) {
	m.do(t, "/var/www/backtester/deployment/uninstall.sh && mkdir /root/unpacked && tar -xzf /srv/release/first/*_linux_amd64.tar.gz -C /root/unpacked --strip-components=1")
	m.idle(t, "/root/unpacked/deployment/install.sh --dry-run", "would: file /var/www/backtester/backend/backtester")
	m.do(t, "/root/unpacked/deployment/install.sh")
	m.idle(t, "/root/unpacked/deployment/install.sh", "nothing to change")
	if out := m.do(t, "backtester version && curl -fsS https://api.yourdomain.com/api/health && cd /var/www/backtester && backtester user ls"); strings.Count(out, "v9.9.1") != 2 || !strings.Contains(out, "alice") {
		t.Errorf("installed from the archive: %s", out)
	}
	m.idle(t, "/var/www/backtester/deployment/upgrade.sh --dry-run /srv/release/newer/*.tar.gz", "would: install v9.9.2")
	m.do(t, "/var/www/backtester/deployment/upgrade.sh /srv/release/newer/*.tar.gz")
	m.idle(t, "/var/www/backtester/deployment/upgrade.sh --dry-run --rollback", "would: back to v9.9.1")
	if out := m.do(t, "backtester version && curl -fsS https://api.yourdomain.com/api/health"); strings.Count(out, "v9.9.2") != 2 {
		t.Errorf("upgraded with the archive: %s", out)
	}
	m.do(t, "/var/www/backtester/deployment/upgrade.sh --rollback")
	if out := m.do(t, "backtester version && curl -fsS https://api.yourdomain.com/api/health"); strings.Count(out, "v9.9.1") != 2 {
		t.Errorf("back to the release before: %s", out)
	}
	m.idle(t, "/var/www/backtester/deployment/firewall.sh --dry-run", "would: deny what comes in")
	m.idle(t, "/var/www/backtester/deployment/uninstall.sh --dry-run --purge", "would: remove /var/www/backtester")
	m.do(t, "/var/www/backtester/deployment/uninstall.sh --purge")
	m.idle(t, "/root/unpacked/deployment/uninstall.sh --purge", "nothing to change")
	if out := m.do(t, "find /etc /var/www /var/lib /var/log/backtester /var/backups /usr/local/bin /usr/bin -name '*backtester*' -not -path '/etc/fail2ban/*' -not -path '/etc/prometheus/*' 2>/dev/null || true"); out != "" {
		t.Errorf("left after a purge:\n%s", out)
	}
}

// metricNames are the names of metrics in rules and panels, without what histograms add to theirs.
func metricNames(text string) []string {
	seen := map[string]bool{}
	var list []string
	for _, n := range regexp.MustCompile(`\b(?:backtester|process|go)_[a-z_]+\b`).FindAllString(text, -1) {
		n = strings.TrimSuffix(n, "_bucket")
		if !seen[n] && !strings.HasPrefix(n, "backtester_rules") && !strings.HasSuffix(n, "_access") {
			seen[n] = true
			list = append(list, n)
		}
	}
	return list
}
