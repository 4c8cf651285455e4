package deploytest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// signIn gives a token of alice, whose password the guide has made.
func signIn(t *testing.T, m *machine) string {
	t.Helper()
	out := m.do(t, `curl -fsS https://api.yourdomain.com/api/auth/login -H 'Content-Type: application/json' -d "{\"username\":\"alice\",\"password\":\"$(cat password)\",\"mode\":\"token\"}"`)
	var a struct{ Token string }
	if err := json.Unmarshal([]byte(out), &a); err != nil || a.Token == "" {
		t.Fatalf("sign in: %v %s", err, out)
	}
	return a.Token
}

// useIt does what a first visitor does: signs in, runs a backtest, reads its tearsheet; by the API, and
// with a real browser.
func useIt(t *testing.T, m *machine) {
	token := signIn(t, m)
	ask := func(path string) string {
		return m.do(t, fmt.Sprintf("curl -fsS -H 'Authorization: Bearer %s' https://api.yourdomain.com%s", token, path))
	}
	out := m.do(t, fmt.Sprintf(`curl -fsS -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' https://api.yourdomain.com/api/backtest/run -d '{"strategy":"golden-cross","symbols":["ACME"],"from":"2015-01-01"}'`, token))
	var run struct {
		RunID string `json:"run_id"`
	}
	if err := json.Unmarshal([]byte(out), &run); err != nil || run.RunID == "" {
		t.Fatalf("run: %s", out)
	}
	id := run.RunID
	m.is(t, fmt.Sprintf(`curl -fsS -H 'Authorization: Bearer %s' https://api.yourdomain.com/api/backtest/results/%s | grep -oE '"status": ?"[a-z]+"' | head -n 1 | tr -d ' '`, token, id), `"status":"succeeded"`)
	// One engine, two doors: the same bytes by the command line.
	m.do(t, fmt.Sprintf(`curl -fsS -H 'Authorization: Bearer %s' -o api.json https://api.yourdomain.com/api/backtest/results/%s/result
cd /var/www/backtester && backtester run golden-cross --symbols ACME --from 2015-01-01 --format json >/root/cli.json 2>/dev/null
cmp /root/api.json /root/cli.json`, token, id))
	if sheet := ask("/api/files/tearsheet/" + id + ".html"); !strings.Contains(sheet, "<svg") || !strings.Contains(strings.ToLower(sheet), "sharpe") {
		t.Errorf("the tearsheet is %.300q", sheet)
	}
	if csv := ask("/api/files/csv/" + id + ".csv"); !strings.Contains(csv, "golden-cross") {
		t.Errorf("the CSV is %.300q", csv)
	}
	if out := m.do(t, "find /var/www/backtester/results /var/www/backtester/backend/data /var/log/backtester ! -user www-data"); out != "" {
		t.Errorf("commands run by root left files that are not the service's:\n%s", out)
	}
	t.Run("browser", func(t *testing.T) { browse(t, m) })
}

// browse signs in at the frontend's domain, against the API's, in Chromium.
func browse(t *testing.T, m *machine) {
	chromium, node := program(t, "chromium"), program(t, "node")
	if _, _, code := m.try("test -d /srv/browser/node_modules/playwright-core"); code != 0 {
		leaveOut(t, "playwright-core is not installed")
	}
	out, both, code := m.try(fmt.Sprintf("mkdir -p /srv/shots; SHOTS=/srv/shots CHROMIUM=%s PASSWORD=$(cat password) timeout 300 %s /srv/deploy/browse.mjs", chromium, node))
	if code != 0 {
		t.Fatalf("the browser: exit code %d\n%s%s", code, both, m.journal())
	}
	t.Log(strings.TrimSpace(out))
	if to := os.Getenv("DEPLOY_SHOTS"); to != "" { // pictures for a person to look at
		for _, name := range []string{"sign-in", "idea", "result", "tearsheet"} {
			png, err := m.command("cat", "/srv/shots/"+name+".png").Output()
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(to, name+".png"), string(png), 0o644)
		}
	}
}

// guarded: from a machine beside it only what the firewall lets through is reached, and whoever guesses
// passwords is shut out.
func guarded(t *testing.T, m *machine) {
	if _, _, code := m.try("iptables -L"); code != 0 {
		leaveOut(t, "the kernel filters nothing within the box")
	}
	m.do(t, `ip netns add beside
ip link add door type veth peer name street netns beside
ip address add 192.0.2.1/24 dev door && ip link set door up
ip -n beside address add 192.0.2.2/24 dev street && ip -n beside link set street up
systemd-run -q --unit=careless python3 -m http.server 8000`)
	m.is(t, "curl -s -o /dev/null -w '%{http_code}' http://192.0.2.1:8000/", "200")
	const ask = "ip netns exec beside curl -sS -m 3 --connect-to ::192.0.2.1: -o /dev/null -w '%{http_code}' "
	for url, want := range map[string]string{"https://api.yourdomain.com/api/health": "200", "http://yourdomain.com/": "308", "http://yourdomain.com:8000/": "000"} {
		if got, both, _ := m.try(ask + url); got != want {
			t.Errorf("from beside, %s gives %s, want %s: %s", url, got, want, both)
		}
	}
	m.try(ask + `-m 30 --fail-early $(printf 'https://api.yourdomain.com/api/auth/login %.0s' $(seq 25)) -H 'Content-Type: application/json' -d '{"username":"nobody","password":"a guess"}'`)
	m.is(t, "fail2ban-client get backtester banip", "192.0.2.2")
	m.is(t, ask+"https://api.yourdomain.com/api/health", "000")
	m.do(t, "fail2ban-client unban --all")
	m.is(t, ask+"https://api.yourdomain.com/api/health", "200")
	m.do(t, "ip netns delete beside && systemctl stop careless")
}

// service looks at what systemd makes of the unit.
func service(t *testing.T, m *machine) {
	for _, c := range []struct {
		name string
		f    func(*testing.T, *machine)
	}{
		{"sandbox", sandbox}, {"logs", logs}, {"stop", stop}, {"port", port}, {"settings", settings}, {"environment", environment}, {"killed", killed}, {"hung", hung}, {"restarts", restarts}, {"backup", backups},
	} {
		t.Run(c.name, func(t *testing.T) { c.f(t, m) })
	}
}

// sandbox tries from within the service's own namespaces what it may and may not do.
func sandbox(t *testing.T, m *machine) {
	pid := m.do(t, "systemctl show -p MainPID --value backtester-api")
	inside := func(script string) int {
		_, _, code := m.try(fmt.Sprintf("nsenter -t %s -m -- setpriv --reuid=www-data --regid=www-data --clear-groups --no-new-privs sh -c %q", pid, script))
		return code
	}
	for path, may := range map[string]bool{
		"/var/www/backtester/results": true, "/var/www/backtester/backend/data": true, "/var/log/backtester": true, "/run/backtester": true, "/tmp": true,
		"/var/www/backtester": false, "/var/www/backtester/frontend": false, "/var/www/backtester/backend": false, "/etc": false, "/root": false, "/home": false, "/usr/bin": false, "/var/lib": false, "/var/backups/backtester": false,
	} {
		if code := inside("touch " + path + "/probe && rm " + path + "/probe"); (code == 0) != may {
			t.Errorf("the service may write to %s: %v, want %v", path, code == 0, may)
		}
	}
	for _, secret := range []string{"/var/www/backtester/.env", "/etc/letsencrypt/live/yourdomain.com/privkey.pem", "/etc/shadow"} {
		if inside("cat "+secret) == 0 {
			t.Errorf("the service can read %s", secret)
		}
	}
	status := m.do(t, "cat /proc/"+pid+"/status")
	for _, want := range []string{"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, want) {
			t.Errorf("the process does not have %q", want)
		}
	}
	if user := m.do(t, "stat -c %U /proc/"+pid); user != "www-data" {
		t.Errorf("the service runs as %s", user)
	}
	if out, _, _ := m.try("systemd-analyze security --threshold=12 --no-pager backtester-api >/dev/null && echo fine"); strings.TrimSpace(out) != "fine" {
		t.Error("the running unit is exposed more than 1.2")
	}
}

// logs are in the files of the deployment document, without secrets and queries, and rotate.
func logs(t *testing.T, m *machine) {
	m.do(t, "curl -sS 'https://api.yourdomain.com/api/data/tickers?q=canary-in-query' -H 'Authorization: Bearer bts_canary'; curl -sS https://yourdomain.com/config.js?canary-in-query")
	m.is(t, "grep -c 'GET /api/data/tickers' /var/log/nginx/backtester_api_access.log | sed 's/[1-9][0-9]*/some/'", "some")
	m.is(t, "grep -c 'GET /config.js' /var/log/nginx/backtester_access.log | sed 's/[1-9][0-9]*/some/'", "some")
	m.is(t, "grep -c '/api/data/tickers' /var/log/backtester/access.log | sed 's/[1-9][0-9]*/some/'", "some")
	if out, _, _ := m.try("grep -rlE 'canary-in-query|bts_canary|made-up-secret' /var/log/nginx /var/log/backtester; journalctl --no-pager | grep -E 'bts_canary|made-up-secret'"); out != "" {
		t.Errorf("what must not be logged is in\n%s", out)
	}
	key := m.do(t, "sed -n s/^FLASK_SECRET_KEY=//p /var/www/backtester/.env")
	if out, _, _ := m.try("grep -rl " + key + " /var/log /var/www/backtester/results; journalctl --no-pager | grep " + key); out != "" {
		t.Errorf("the secret key is in\n%s", out)
	}
	m.do(t, "logrotate -f /etc/logrotate.d/backtester && curl -sS https://api.yourdomain.com/api/data/tickers >/dev/null")
	m.is(t, "test -s /var/log/backtester/access.log && test -s /var/log/backtester/access.log.1 && stat -c %U /var/log/backtester/access.log", "www-data")
}

// stop means stopped: nothing answers, and no request starts the service again.
func stop(t *testing.T, m *machine) {
	m.do(t, "systemctl stop backtester-api")
	for range 3 {
		if _, _, code := m.try("curl -sS -m 5 http://127.0.0.1:5000/api/health"); code != 7 {
			t.Errorf("after stop curl ends with %d, want 7: refused", code)
		}
	}
	if out, _, _ := m.try("curl -sS -o /dev/null -w '%{http_code}' https://api.yourdomain.com/api/health"); out != "502" {
		t.Errorf("after stop nginx says %s", out)
	}
	m.is(t, "systemctl is-active backtester-api", "inactive")
	m.do(t, "systemctl start backtester-api && curl -fsS http://127.0.0.1:5000/api/health >/dev/null")
	m.do(t, "systemctl reload backtester-api && systemctl is-active backtester-api")
	m.do(t, "systemctl list-dependencies --plain multi-user.target | grep backtester-api.service") // after a boot
}

// port: another one in .env, and another address, are listened on after a restart, and the old ones are not.
func port(t *testing.T, m *machine) {
	move := func(host, port string) {
		m.do(t, fmt.Sprintf("sed -i 's/^FLASK_HOST=.*/FLASK_HOST=%[1]s/; s/^FLASK_PORT=.*/FLASK_PORT=%[2]s/' /var/www/backtester/.env && /var/www/backtester/deployment/install.sh && curl -fsS http://%[1]s:%[2]s/api/health && curl -fsS https://api.yourdomain.com/api/health", host, port))
	}
	move("127.0.0.2", "5055")
	for _, old := range []string{"127.0.0.1:5000", "127.0.0.1:5055", "127.0.0.2:5000"} {
		if _, _, code := m.try("curl -sS -m 5 http://" + old + "/api/health"); code != 7 {
			t.Errorf("at %s curl ends with %d, want 7: refused", old, code)
		}
	}
	move("127.0.0.1", "5000")
}

// settings that are unsafe end the service with 78, once.
func settings(t *testing.T, m *machine) {
	const failed = "systemctl show -p ActiveState,ExecMainStatus,NRestarts --value backtester-api | tr '\n' ' '"
	for i, c := range [][2]string{{"FLASK_DEBUG", "true"}, {"FLASK_SECRET_KEY", "changeme"}, {"CORS_ORIGINS", "*"}, {"FLASK_PORT", "none"}, {"BACKTESTER_WROKERS", "2"}} {
		m.do(t, "cp -p /var/www/backtester/.env /root/env.good")
		m.do(t, fmt.Sprintf("sed -i '/^%[1]s=/d' /var/www/backtester/.env && echo '%[1]s=%[2]s' >>/var/www/backtester/.env", c[0], c[1]))
		m.try("systemctl restart backtester-api")
		m.is(t, failed, "0 78 failed")
		if out, _, _ := m.try("journalctl -u backtester-api -n 12 --no-pager -o cat"); !strings.Contains(strings.ToLower(out), strings.ToLower(strings.TrimPrefix(c[0], "FLASK_"))) {
			t.Errorf("%s=%s: the journal does not name it:\n%s", c[0], c[1], out)
		}
		if i == 0 { // one that is not left alone would be tried again after a second
			m.do(t, "sleep 4")
			m.is(t, failed, "0 78 failed")
		}
		m.do(t, "cp -p /root/env.good /var/www/backtester/.env && systemctl restart backtester-api")
	}
	m.is(t, "systemctl is-active backtester-api", "active")
}

// environment: what the program takes for a setting in .env, systemd does too.
func environment(t *testing.T, m *machine) {
	const found = ` | grep -A 2 '"cors"' | sed -n 's/.*"found": *"\(.*\)".*/\1/p'`
	for text, want := range map[string]string{ // want is what both read, "" where the program refuses the file
		"CORS_ORIGINS=https://a.example":                                 "https://a.example",
		"CORS_ORIGINS=\"https://a.example, https://b.example\"":          "https://a.example, https://b.example",
		"CORS_ORIGINS='https://a.example'":                               "https://a.example",
		"  CORS_ORIGINS=https://a.example  ":                             "https://a.example",
		"CORS_ORIGINS=https://a.example\r\n":                             "https://a.example",
		"\ufeff# a mark\nCORS_ORIGINS=https://a.example\n":               "https://a.example",
		"# a comment\n\nCORS_ORIGINS=https://a.example\n":                "https://a.example",
		"export CORS_ORIGINS=https://a.example":                          "",
		"CORS_ORIGINS = https://a.example":                               "",
		"CORS_ORIGINS=https://a.example # mine":                          "",
		"CORS_ORIGINS=https://a.example\\\n,https://b.example":           "",
		"# a path: C:\\\nCORS_ORIGINS=https://a.example":                 "",
		"\ufeffCORS_ORIGINS=https://a.example":                           "",
		"CORS_ORIGINS=https://$HOME":                                     "",
		"CORS_ORIGINS=https://a.example\nCORS_ORIGINS=https://b.example": "",
	} {
		m.do(t, fmt.Sprintf("rm -rf env && mkdir env && echo %s | base64 -d >env/.env && chmod 600 env/.env", base64.StdEncoding.EncodeToString([]byte(text))))
		own, both, code := m.try("cd env && backtester doctor --format json" + found)
		if want == "" {
			if _, _, code = m.try("cd env && backtester doctor --format json"); code != 78 && code != 2 {
				t.Errorf("%q: the program ends with %d, want that it refuses the file; it reads %q", text, code, own)
			}
			continue
		}
		theirs, more, _ := m.try("systemd-run -q --pipe --wait -p EnvironmentFile=/root/env/.env -p WorkingDirectory=/ /usr/bin/backtester doctor --env-file none --format json" + found)
		if strings.TrimSpace(own) != want || strings.TrimSpace(theirs) != want {
			t.Errorf("%q: the program reads %q, systemd %q, want %q\n%s%s", text, own, theirs, want, both, more)
		}
	}
}

// killed: the service comes back, and connections wait meanwhile.
func killed(t *testing.T, m *machine) {
	token := signIn(t, m)
	before := m.do(t, "systemctl show -p MainPID --value backtester-api")
	c := m.under(t, load{Visitors: 16, Pause: 150e6, Token: token}, func() {
		m.do(t, "kill -KILL "+before)
		m.is(t, "systemctl is-active backtester-api", "active")
		m.is(t, "curl -sS -m 60 -o /dev/null -w '%{http_code}' http://127.0.0.1:5000/api/health", "200")
	})
	if now := m.do(t, "systemctl show -p MainPID --value backtester-api"); now == before {
		t.Error("the same process")
	}
	// Answers that were being written by the killed process are lost; nobody is refused.
	if c.Fails > 16 {
		t.Errorf("%d requests failed, at most one a visitor: %q", c.Fails, c.Failed)
	}
	t.Logf("kill -9: %v answered, %d cut off, the longest took %.1f s", c.Answers, c.Fails, c.Worst)
}

// hung: a process that does not say it lives is killed and started again.
func hung(t *testing.T, m *machine) {
	m.do(t, "mkdir -p /run/systemd/system/backtester-api.service.d && printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/backtester-api.service.d/test.conf && systemctl daemon-reload && systemctl restart backtester-api")
	pid := m.do(t, "systemctl show -p MainPID --value backtester-api")
	m.do(t, "sleep 5")
	if now := m.do(t, "systemctl show -p MainPID --value backtester-api"); now != pid {
		t.Error("a healthy service was taken for hung")
	}
	m.do(t, "kill -STOP "+pid)
	m.is(t, "journalctl -u backtester-api --no-pager -o cat | grep -c \"Failed with result 'watchdog'\" | sed 's/[1-9].*/some/'", "some")
	m.is(t, "curl -sS -m 60 -o /dev/null -w '%{http_code}' http://127.0.0.1:5000/api/health", "200")
	m.do(t, "rm -r /run/systemd/system/backtester-api.service.d && systemctl daemon-reload && systemctl restart backtester-api")
}

// restarts: twenty, spread over thirty thousand requests through nginx with the shipped file, and no request fails.
// Each visitor stays below what one address may ask, and all at once are more than wait in the queue of a listener
// that was made without looking at the kernel's limit: 128.
func restarts(t *testing.T, m *machine) {
	const times, least = 20, 30_000
	token := signIn(t, m)
	m.do(t, "rm -f /run/answered")
	began := time.Now()
	c := m.under(t, load{Visitors: 400, Pause: 350e6, Token: token, Count: "/run/answered"}, func() {
		for n := range times {
			m.do(t, "systemctl restart backtester-api")
			m.try(fmt.Sprintf("timeout 60 sh -c 'until [ \"$(cat /run/answered 2>/dev/null || echo 0)\" -ge %d ]; do sleep 0.05; done'", (n+1)*least/times))
		}
	})
	total := 0
	for _, n := range c.Answers {
		total += n
	}
	if c.Fails > 0 || total < least {
		t.Errorf("%d of %d requests failed, want none of %d: %q\n%s", c.Fails, c.Fails+total, least, c.Failed, m.journal())
	}
	t.Logf("%d restarts in %.0f s: %v answered, %d failed, the longest took %.1f s", times, time.Since(began).Seconds(), c.Answers, c.Fails, c.Worst)
}

// backups under write load have every run that was acknowledged before, and give it back.
func backups(t *testing.T, m *machine) {
	token := signIn(t, m)
	m.do(t, "rm -f /root/acks /root/promised")
	c := m.under(t, load{Visitors: 4, Pause: 1200e6, Token: token, Acks: "/root/acks"}, func() {
		m.is(t, "test $(cat acks 2>/dev/null | wc -l) -gt 5 && echo some", "some")
		m.do(t, "cp acks promised && /var/www/backtester/deployment/backup.sh >/root/backup-name")
	})
	m.do(t, `systemctl stop backtester-api
cd /var/www/backtester && backtester backup verify "$(cat /root/backup-name)" && deployment/restore.sh "$(cat /root/backup-name)"
systemctl start backtester-api`)
	lost := m.do(t, fmt.Sprintf(`for id in $(cat promised); do curl -s -o /dev/null -w "%%{http_code} $id\n" -H 'Authorization: Bearer %s' http://127.0.0.1:5000/api/backtest/results/$id; sleep 0.06; done | grep -v ^200 || true`, token))
	if lost != "" {
		t.Errorf("acknowledged before the backup, and not in it:\n%s", lost)
	}
	t.Logf("%s runs acknowledged before the backup are all there; %v", m.do(t, "wc -l <promised"), c.Answers)
	if out := m.do(t, "find /var/www/backtester/results /var/backups/backtester ! -user www-data"); out != "" {
		t.Errorf("the service does not own\n%s", out)
	}
	m.do(t, "rm -rf /var/www/backtester/results/.before-*")
	if _, both, code := m.try("cd /var/www/backtester && deployment/restore.sh $(cat /root/backup-name)"); code == 0 || !strings.Contains(both, "stop the server first") {
		t.Errorf("restore on a live server ends with %d: %s", code, both)
	}
}

// doctor is content, and names each fault that is made on purpose.
func doctor(t *testing.T, m *machine) {
	guide := read(t, filepath.Join(root, "deployment/DEPLOYMENT_GUIDE.md"))
	looked := map[string]bool{}
	run := func() map[string]string {
		out, both, _ := m.try("cd /var/www/backtester && backtester doctor --format json")
		var list []struct{ Check, State, Found, Fix string }
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			t.Fatalf("doctor: %v\n%s", err, both)
		}
		bad := map[string]string{}
		for _, f := range list {
			looked[f.Check] = true
			if f.State != "ok" {
				bad[f.Check] = f.Found
				if f.Fix == "" {
					t.Errorf("%s says what is wrong and not what to do", f.Check)
				}
			}
		}
		return bad
	}
	if bad := run(); len(bad) > 0 {
		t.Fatalf("before anything is broken: %v", bad)
	}
	unbroken := looked
	for check := range looked {
		if !strings.Contains(guide, "`"+check+"`") {
			t.Errorf("the guide does not name the check %s", check)
		}
	}
	looked = map[string]bool{}
	edit := func(name, value string) string {
		return fmt.Sprintf("sed -i '/^%[1]s=/d' /var/www/backtester/.env; echo '%[1]s=%[2]s' >>/var/www/backtester/.env", name, value)
	}
	const mendEnv = "cp -p /root/env.good /var/www/backtester/.env"
	m.do(t, "cp -p /var/www/backtester/.env /root/env.good")
	for _, c := range []struct{ check, breaks, mends string }{
		{"environment", edit("FLASK_ENV", "development"), mendEnv},
		{"secret", edit("FLASK_SECRET_KEY", "changeme-changeme-changeme-changeme"), mendEnv},
		{"debug", edit("FLASK_DEBUG", "true"), mendEnv},
		{"cors", edit("CORS_ORIGINS", "https://yourdomain.com,http://elsewhere.example"), mendEnv},
		{"address", edit("FLASK_HOST", "0.0.0.0"), mendEnv},
		{"vendor", edit("POLYGON_API_KEY", ""), mendEnv},
		{"env_file", "chmod 644 /var/www/backtester/.env", "chmod 600 /var/www/backtester/.env"},
		{"env_file", "cd /var/www/backtester && git init -q . && git add -f .env", "rm -rf /var/www/backtester/.git"},
		{"service", "systemctl disable -q backtester-api", "systemctl enable -q backtester-api"},
		{"health", "systemctl stop backtester-api", "systemctl start backtester-api"},
		{"nginx", "rm /etc/nginx/sites-enabled/backtester", "ln -s /etc/nginx/sites-available/backtester /etc/nginx/sites-enabled/backtester"},
		{"nginx", "echo nonsense >>/etc/nginx/sites-available/backtester", "/var/www/backtester/deployment/install.sh"},
		{"rate_limit", "sed -i s/limit_req/#limit_req/ /etc/nginx/sites-available/backtester", "/var/www/backtester/deployment/install.sh"},
		{"certificate", "cd /etc/letsencrypt/live/yourdomain.com && cp -p fullchain.pem /root/ && cp -p privkey.pem /root/ && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 5 -subj /CN=yourdomain.com -addext subjectAltName=DNS:yourdomain.com,DNS:api.yourdomain.com -keyout privkey.pem -out fullchain.pem 2>/dev/null && systemctl reload nginx && sleep 1", "cp -p /root/fullchain.pem /root/privkey.pem /etc/letsencrypt/live/yourdomain.com/ && systemctl reload nginx && sleep 1"},
		{"renewal", "systemctl stop certbot.timer", "systemctl start certbot.timer"},
		{"https", "sed -i 's/return 308/return 404; #/' /etc/nginx/sites-available/backtester && systemctl reload nginx && sleep 1", "/var/www/backtester/deployment/install.sh && systemctl reload nginx && sleep 1"},
		{"https", "sed -i 's/add_header Strict-Transport-Security/#&/' /etc/nginx/sites-available/backtester && systemctl reload nginx && sleep 1", "/var/www/backtester/deployment/install.sh && systemctl reload nginx && sleep 1"},
		{"https", "sed -i 's/ssl_protocols TLSv1.2/ssl_protocols TLSv1.1 TLSv1.2/; s/ssl_ciphers [^;]*/ssl_ciphers ALL:@SECLEVEL=0/' /etc/nginx/sites-available/backtester && systemctl reload nginx && sleep 1", "/var/www/backtester/deployment/install.sh && systemctl reload nginx && sleep 1"},
		{"cors_answer", "sed -i 's|proxy_hide_header Strict.*|&\\nadd_header Access-Control-Allow-Origin $http_origin always;|' /etc/nginx/sites-available/backtester && systemctl reload nginx && sleep 1", "/var/www/backtester/deployment/install.sh && systemctl reload nginx && sleep 1"},
		{"firewall", "ufw disable", "ufw --force enable"},
		{"firewall", "ufw allow 5000/tcp", "ufw delete allow 5000/tcp"},
		{"monitoring", "systemctl stop prometheus", "systemctl start prometheus"},
		{"monitoring", "echo 'scrape_configs: []' >/etc/prometheus/prometheus.yml", "cp /var/www/backtester/deployment/prometheus/prometheus.yml /etc/prometheus/"},
		{"monitoring", edit("BACKTESTER_METRICS_ADDR", "none"), mendEnv},
		{"clock", "systemctl stop systemd-timesyncd", "systemctl start systemd-timesyncd"},
		{"clock", "touch -d '+1 day' /var/www/backtester/results/db/history.db", "touch /var/www/backtester/results/db/history.db"},
		{"disk", "mkdir -p /run/small && mount -t tmpfs -o size=8m small /run/small && " + edit("BACKTESTER_RESULTS_DIR", "/run/small"), mendEnv + " && umount /run/small"},
		{"backup_timer", "systemctl stop backtester-backup.timer", "systemctl start backtester-backup.timer"},
		{"backup", "mkdir /root/b && mv /var/backups/backtester/* /root/b/", "mv /root/b/* /var/backups/backtester/ && rmdir /root/b"},
		{"backup", "mkdir /root/b && cd /var/backups/backtester && mv * /root/b/ && cp $(ls /root/b/* | tail -n 1) backtester-20200102T031700Z.tar.zst", "rm /var/backups/backtester/* && mv /root/b/* /var/backups/backtester/ && rmdir /root/b"},
		{"database", "f=$(find /var/www/backtester/results/csv -name '*.csv' -print -quit) && mv $f /root/file && echo $f >/root/name", "mv /root/file $(cat /root/name)"},
	} {
		delete(unbroken, c.check)
		m.do(t, c.breaks)
		if bad := run(); bad[c.check] == "" {
			t.Errorf("%s: doctor does not see what\n%s\nhas broken; it says %v", c.check, c.breaks, bad)
		}
		m.do(t, c.mends)
	}
	if len(unbroken) > 0 {
		t.Errorf("checks whose item nothing here breaks: %v", unbroken)
	}
	m.is(t, "systemctl is-active backtester-api", "active")
	if bad := run(); len(bad) > 0 {
		t.Errorf("after everything was mended: %v", bad)
	}
	if out := m.do(t, "find /var/www/backtester/results ! -user www-data"); out != "" {
		t.Errorf("doctor left files that are not the service's:\n%s", out)
	}
}

// What alerts and the dashboard ask for, the server measures.
func measured(t *testing.T, m *machine) {
	m.do(t, "curl -fsS https://api.yourdomain.com/api/health && curl -sS https://api.yourdomain.com/api/auth/login -H 'Content-Type: application/json' -d '{\"username\":\"nobody\",\"password\":\"a wrong password\"}'") // what was never counted is not shown
	have := m.do(t, "curl -fsS http://127.0.0.1:5001/metrics")
	text := read(t, filepath.Join(root, "deployment/prometheus/backtester.rules.yml")) + read(t, filepath.Join(root, "deployment/prometheus/dashboard.json"))
	for _, name := range metricNames(text) {
		if !strings.Contains(have, "# TYPE "+name+" ") {
			t.Errorf("the server does not measure %s", name)
		}
	}
}
