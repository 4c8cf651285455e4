package cmd

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patient is a server as doctor sees it: settings, programs by their command line, a folder for /.
func patient(t *testing.T, changed map[string]string, programs map[string]string) *doctorBag {
	t.Helper()
	values := map[string]string{
		"env": "production", "secret_key": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0", "debug": "false", "cors_origins": "https://example.com",
		"host": "127.0.0.1", "port": "5000", "polygon_api_key": "k", "s3_access_key_id": "i", "s3_secret_access_key": "s",
		"results_dir": t.TempDir(), "backup_dir": t.TempDir(),
	}
	for k, v := range changed {
		values[k] = v
	}
	now := func() time.Time { return time.Date(2026, 5, 6, 7, 0, 0, 0, time.UTC) }
	d := newDoctorBag(&app{io: IO{Now: now}, settings: &settings{values: values}}, false)
	d.root = t.TempDir()
	d.run = func(_ context.Context, name string, args ...string) (string, error) {
		out, ok := programs[name+" "+strings.Join(args, " ")]
		if !ok {
			return "inactive", errors.New("exit status 3")
		}
		return out, nil
	}
	return d
}

func TestDoctorJudgesSettings(t *testing.T) {
	for _, c := range []struct {
		check    string
		settings map[string]string
		want     string // part of what is found, "" when all is well
	}{
		{"environment", nil, ""},
		{"environment", map[string]string{"env": "development"}, "development"},
		{"secret", nil, ""},
		{"secret", map[string]string{"secret_key": "short"}, "5 bytes"},
		{"secret", map[string]string{"secret_key": strings.Repeat("a", 64)}, "guessed"},
		{"secret", map[string]string{"secret_key": "changeme-0123456789-0123456789-abcdef"}, "placeholder"},
		{"debug", nil, ""},
		{"debug", map[string]string{"debug": "true"}, "is on"},
		{"cors", nil, ""},
		{"cors", map[string]string{"cors_origins": ""}, "empty"},
		{"cors", map[string]string{"cors_origins": "https://example.com,*"}, `"*"`},
		{"cors", map[string]string{"cors_origins": "http://example.com"}, "https"},
		{"cors", map[string]string{"cors_origins": "https://localhost"}, "localhost"},
		{"address", nil, ""},
		{"address", map[string]string{"host": "0.0.0.0"}, "past nginx"},
		{"vendor", nil, ""},
		{"vendor", map[string]string{"polygon_api_key": "", "s3_secret_access_key": ""}, "POLYGON_API_KEY, AWS_SECRET_ACCESS_KEY"},
		{"backup", nil, "no backup"},
		{"database", nil, "no database"},
		{"disk", map[string]string{"results_dir": "/nowhere/at/all"}, "/nowhere/at/all"},
		{"service", nil, "inactive"},
		{"renewal", nil, "nothing renews"},
		{"firewall", nil, "inactive"},
		{"monitoring", nil, "nobody watches"},
		{"backup_timer", nil, "inactive"},
		{"nginx", nil, "not enabled"},
		{"certificate", map[string]string{"cors_origins": ""}, "domain is not known"},
	} {
		finds(t, patient(t, c.settings, nil), c.check, c.want)
	}
}

// finds looks at one check only.
func finds(t *testing.T, d *doctorBag, name, want string) {
	t.Helper()
	for _, c := range d.checks() {
		if c.name != name {
			continue
		}
		f := c.look(t.Context())
		if (f.State == "ok") != (want == "") || !strings.Contains(f.Found, want) || (f.State == "fix") != (f.Fix != "") {
			t.Errorf("%s finds %+v, want %q", name, f, want)
		}
		return
	}
	t.Fatalf("there is no check %s", name)
}

func TestDoctorAsksTheMachine(t *testing.T) {
	good := map[string]string{
		"systemctl is-active " + apiUnit: "active", "systemctl is-enabled " + apiUnit: "enabled", "systemctl is-active certbot.timer": "active",
		"timedatectl show --property=NTPSynchronized --value": "yes",
		"systemctl is-active nginx.service":                   "active", "nginx -t -q": "", "systemctl is-active prometheus.service": "active", "systemctl is-active " + backupTimer: "active",
		"ufw status":  "Status: active\n22/tcp ALLOW Anywhere\n443/tcp ALLOW Anywhere",
		"nginx -T -q": "limit_req zone=backtester_auth burst=10;\n  limit_req zone=backtester_api;\nlimit_req zone=backtester_run;",
	}
	measured := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer measured.Close()
	metrics := strings.TrimPrefix(measured.URL, "http://")
	d := patient(t, map[string]string{"metrics_addr": metrics}, good)
	files := map[string]string{"etc/nginx/sites-enabled/backtester": "upstream x { server 127.0.0.1:5000 max_fails=0; }", "etc/prometheus/prometheus.yml": "job_name: backtester, targets: [" + metrics + "]"}
	for name, text := range files {
		p := filepath.Join(d.root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"service", "renewal", "nginx", "rate_limit", "firewall", "monitoring", "backup_timer", "clock", "disk"} {
		finds(t, d, name, "")
	}
	for address, want := range map[string]string{"none": "nothing to watch", "127.0.0.1:1": "answers 0", strings.Replace(metrics, "127.0.0.1", "localhost", 1): "does not name that address"} {
		d.settings.values["metrics_addr"] = address
		finds(t, d, "monitoring", want)
	}
	d.settings.values["port"] = "5001"
	finds(t, d, "nginx", "another address than 127.0.0.1:5001")
	good["ufw status"] = "Status: active\n5001/tcp ALLOW Anywhere"
	finds(t, d, "firewall", "past nginx, to port 5001")
	good["ufw status"] = "Status: inactive"
	finds(t, d, "firewall", "not active")
	good["nginx -T -q"] = "#limit_req zone=backtester_auth;\nlimit_req zone=backtester_api;"
	finds(t, d, "rate_limit", "zone auth")
	delete(good, "systemctl is-enabled "+apiUnit)
	finds(t, d, "service", "after a reboot")
}

// The clock must be kept right, and must not stand behind what was written down already.
func TestDoctorLooksAtTheClock(t *testing.T) {
	const ask = "timedatectl show --property=NTPSynchronized --value"
	programs := map[string]string{}
	d := patient(t, nil, programs)
	finds(t, d, "clock", "cannot be seen")
	programs[ask] = "no"
	finds(t, d, "clock", "nothing keeps the clock right")
	programs["systemctl is-active chrony.service"] = "active"
	finds(t, d, "clock", "though chrony.service runs")
	programs[ask] = "yes"
	finds(t, d, "clock", "")
	record := filepath.Join(d.settings.get("results_dir"), "db", "history.db")
	if err := errors.Join(os.MkdirAll(filepath.Dir(record), 0o755), os.WriteFile(record, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for ahead, want := range map[time.Duration]string{-time.Hour: "", time.Minute: "", 10 * time.Minute: record + " is of 2026-05-06T07:10:00Z"} {
		if err := os.Chtimes(record, time.Time{}, d.io.Now().Add(ahead)); err != nil {
			t.Fatal(err)
		}
		finds(t, d, "clock", want)
	}
	if err := os.Remove(record); err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(d.settings.get("backup_dir"), "backtester-20260507T070000Z.tar.zst")
	if err := os.WriteFile(made, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	finds(t, d, "clock", made+" is of 2026-05-07T07:00:00Z")
}

// A backup is taken for one of today until the second morning.
func TestDoctorLooksAtTheAgeOfBackups(t *testing.T) {
	d := patient(t, nil, nil)
	name := filepath.Join(d.settings.get("backup_dir"), "backtester-20260505T031700Z.tar.zst")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	finds(t, d, "backup", "")
	d.io.Now = func() time.Time { return time.Date(2026, 5, 6, 16, 0, 0, 0, time.UTC) }
	finds(t, d, "backup", "37 hours old")
}

func TestDoctorAsksTheServer(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Host, "127.0.0.1:") {
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		w.WriteHeader(status)
	}))
	host, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	d := patient(t, map[string]string{"host": host, "port": port}, nil)
	finds(t, d, "health", "")
	everywhere := patient(t, map[string]string{"host": "0.0.0.0", "port": port}, nil) // as the deployment document has it
	finds(t, everywhere, "health", "")
	status = http.StatusServiceUnavailable
	finds(t, d, "health", "answers 503")
	server.Close()
	finds(t, d, "health", "does not answer")
}

func TestDoctorLooksAtTheEnvironmentFile(t *testing.T) {
	d := patient(t, nil, map[string]string{})
	t.Chdir(t.TempDir())
	finds(t, d, "env_file", "there is no .env")
	if err := os.WriteFile(".env", []byte("A=b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	finds(t, d, "env_file", "")
	if err := os.Chmod(".env", 0o644); err != nil {
		t.Fatal(err)
	}
	finds(t, d, "env_file", "mode 644")
}

func TestDoctorPrints(t *testing.T) {
	var out bytes.Buffer
	o := &doctorOptions{app: &app{io: IO{Out: &out}}, format: "table"}
	if err := o.show([]finding{{"a", "ok", "fine", ""}, {"b", "fix", "broken", "mend it"}}); err != nil {
		t.Fatal(err)
	}
	if want := "state  check  found\nok     a      fine\nfix    b      broken\n              -> mend it\n"; out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
