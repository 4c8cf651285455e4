package cmd

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"backtester/backtest/history/backup"
	"backtester/backtest/job"
)

// The programs of the machine that doctor asks are named here, and nowhere else.
const (
	apiUnit     = "backtester-api.service"
	backupTimer = "backtester-backup.timer"
)

func (d *doctorBag) service(ctx context.Context) finding {
	if out, err := d.run(ctx, "systemctl", "is-active", apiUnit); err != nil {
		return mend("systemctl start "+apiUnit+"; journalctl -u "+apiUnit+" says why if it does not", "%s is %s", apiUnit, reason(out, err))
	}
	if out, err := d.run(ctx, "systemctl", "is-enabled", apiUnit); err != nil {
		return mend("systemctl enable "+apiUnit, "%s is %s: it does not come back after a reboot", apiUnit, reason(out, err))
	}
	return okay("runs, and comes back after a reboot")
}

// reason is what a program said, or else how it ended.
func reason(out string, err error) string {
	if line, _, _ := strings.Cut(out, "\n"); line != "" {
		return line
	}
	return err.Error()
}

// own is the address at which this machine reaches the server: one that listens everywhere is asked at the
// loopback, since it answers to no name such as 0.0.0.0.
func (d *doctorBag) own() string {
	host := d.settings.get("host")
	if a, err := netip.ParseAddr(host); err == nil && a.IsUnspecified() {
		host = map[bool]string{true: "127.0.0.1", false: "::1"}[a.Is4()]
	}
	return net.JoinHostPort(host, d.settings.get("port"))
}

func (d *doctorBag) health(ctx context.Context) finding {
	address := d.own()
	status, _, err := d.get(ctx, "http://"+address+"/api/health", nil)
	if err != nil {
		return mend("systemctl restart "+apiUnit, "the server does not answer at %s: %v", address, err)
	}
	if status != http.StatusOK {
		return mend("journalctl -u "+apiUnit+" says why", "the server at %s answers %d", address, status)
	}
	return okay("answers at %s", address)
}

// get asks for a page and gives its status and headers.
func (d *doctorBag) get(ctx context.Context, url string, header http.Header) (int, http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	answer, err := d.web.Do(r)
	if err != nil {
		return 0, nil, err
	}
	answer.Body.Close()
	return answer.StatusCode, answer.Header, nil
}

func (d *doctorBag) nginx(ctx context.Context) finding {
	const site = "/etc/nginx/sites-enabled/backtester"
	if _, err := os.Stat(d.path(site)); err != nil {
		return mend("/var/www/backtester/deployment/install.sh --domain DOMAIN, once there is a certificate", "the site is not enabled: there is no %s", site)
	}
	if out, err := d.run(ctx, "nginx", "-t", "-q"); err != nil {
		return mend("mend what `nginx -t` names, then systemctl reload nginx", "nginx refuses its settings: %s", reason(out, err))
	}
	if out, err := d.run(ctx, "systemctl", "is-active", "nginx.service"); err != nil {
		return mend("systemctl start nginx", "nginx is %s", reason(out, err))
	}
	text, err := os.ReadFile(d.path(site))
	if err != nil {
		return mend("run this as root", "%v", err)
	}
	if address := d.own(); !strings.Contains(string(text), "server "+address+" ") {
		return mend("/var/www/backtester/deployment/install.sh", "nginx passes on to another address than %s", address)
	}
	return okay("the site is enabled and passes on to the server")
}

func (d *doctorBag) rateLimit(ctx context.Context) finding {
	const fix = "/var/www/backtester/deployment/install.sh writes the site with its limits"
	out, err := d.run(ctx, "nginx", "-T", "-q")
	if err != nil {
		return mend("mend what `nginx -t` names", "nginx does not tell its settings: %s", reason(out, err))
	}
	active := func(directive string) bool {
		for line := range strings.Lines(out) {
			if strings.HasPrefix(strings.TrimSpace(line), directive) {
				return true
			}
		}
		return false
	}
	for _, zone := range []string{"auth", "api", "run"} {
		if !active("limit_req zone=backtester_" + zone) {
			return mend(fix, "nothing limits the rate of requests in the zone %s", zone)
		}
	}
	return okay("logins, runs and requests are limited by address")
}

// hosts are the names that visitors use.
func (d *doctorBag) hosts() []string {
	domain := d.domain()
	if domain == "" {
		return nil
	}
	return []string{domain, "api." + domain}
}

const noDomain = "the domain is not known: CORS_ORIGINS names no page over https"

func (d *doctorBag) certificate(ctx context.Context) finding {
	if d.domain() == "" {
		return mend("set CORS_ORIGINS in .env", noDomain)
	}
	soonest := time.Time{}
	for _, host := range d.hosts() {
		c, err := d.handshake(ctx, host, &tls.Config{ServerName: host, RootCAs: d.roots})
		if err != nil {
			return mend("get a certificate: certbot certonly --webroot -w /var/www/html -d "+strings.Join(d.hosts(), " -d "), "%s: %v", host, err)
		}
		if end := c.PeerCertificates[0].NotAfter; soonest.IsZero() || end.Before(soonest) {
			soonest = end
		}
	}
	days := int(soonest.Sub(d.io.Now()).Hours() / 24)
	if days < 14 {
		return mend("certbot renew; journalctl -u certbot says why it was not renewed", "the certificate ends in %d days", days)
	}
	return okay("good for %d more days", days)
}

// handshake opens a TLS connection to a host and closes it again.
func (d *doctorBag) handshake(ctx context.Context, host string, config *tls.Config) (tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	plain, err := d.dial(ctx, "tcp", net.JoinHostPort(host, "443"))
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer plain.Close()
	c := tls.Client(plain, config)
	if err := c.HandshakeContext(ctx); err != nil {
		return tls.ConnectionState{}, err
	}
	return c.ConnectionState(), nil
}

func (d *doctorBag) renewal(ctx context.Context) finding {
	if _, err := d.run(ctx, "systemctl", "is-active", "certbot.timer"); err == nil {
		return okay("certbot.timer is active")
	}
	if _, err := os.Stat(d.path("/run/systemd/system")); err != nil {
		if _, err := os.Stat(d.path("/etc/cron.d/certbot")); err == nil {
			return okay("cron runs certbot")
		}
	}
	return mend("systemctl enable --now certbot.timer", "nothing renews the certificate: certbot.timer is not active")
}

func (d *doctorBag) https(ctx context.Context) finding {
	const fix = "/var/www/backtester/deployment/install.sh writes the site as it should be"
	if d.domain() == "" {
		return mend("set CORS_ORIGINS in .env", noDomain)
	}
	for _, host := range d.hosts() {
		status, header, err := d.get(ctx, "http://"+host+"/", nil)
		if err != nil {
			return mend(fix, "http://%s does not lead to https: %v", host, err)
		}
		if status/100 != 3 || !strings.HasPrefix(header.Get("Location"), "https://") {
			return mend(fix, "http://%s answers %d instead of leading to https", host, status)
		}
		page := "/"
		if host != d.domain() {
			page = "/api/health"
		}
		status, header, err = d.get(ctx, "https://"+host+page, nil)
		if err != nil || status != http.StatusOK {
			return mend("tail /var/log/nginx/backtester_error.log", "https://%s answers %d (%v)", host, status, err)
		}
		if header.Get("Strict-Transport-Security") == "" {
			return mend(fix, "https://%s does not ask browsers to stay with https", host)
		}
		old := &tls.Config{ServerName: host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		if _, err := d.handshake(ctx, host, old); err == nil {
			return mend(fix, "https://%s still speaks TLS 1.1", host)
		}
	}
	return okay("http leads to https, old TLS is refused")
}

func (d *doctorBag) corsAnswer(ctx context.Context) finding {
	const fix = "systemctl restart backtester-api after changes of CORS_ORIGINS"
	domain := d.domain()
	if domain == "" {
		return mend("set CORS_ORIGINS in .env", noDomain)
	}
	own := "https://" + domain
	for origin, want := range map[string]string{own: own, "https://evil.example": ""} {
		_, header, err := d.get(ctx, "https://api."+domain+"/api/health", http.Header{"Origin": {origin}})
		if err != nil {
			return mend(fix, "https://api.%s: %v", domain, err)
		}
		if got := header.Get("Access-Control-Allow-Origin"); got != want {
			return mend(fix, "the API tells pages of %s that %q may read it", origin, got)
		}
	}
	return okay("only your pages may read the API")
}

func (d *doctorBag) firewall(ctx context.Context) finding {
	const fix = "/var/www/backtester/deployment/firewall.sh"
	out, err := d.run(ctx, "ufw", "status")
	if err != nil {
		return mend(fix, "ufw: %s", reason(out, err))
	}
	if !strings.Contains(out, "Status: active") {
		return mend(fix, "ufw is not active: every port of this machine is open")
	}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 1 && (f[0] == d.settings.get("port") || f[0] == d.settings.get("port")+"/tcp") && strings.Contains(line, "ALLOW") {
			return mend("ufw delete allow "+f[0], "ufw lets visitors past nginx, to port %s", d.settings.get("port"))
		}
	}
	return okay("ufw is active")
}

func (d *doctorBag) monitoring(ctx context.Context) finding {
	const fix = "see Monitoring in /var/www/backtester/deployment/DEPLOYMENT_GUIDE.md"
	if out, err := d.run(ctx, "systemctl", "is-active", "prometheus.service"); err != nil {
		return mend(fix, "nobody watches: prometheus is %s", reason(out, err))
	}
	b, err := os.ReadFile(d.path("/etc/prometheus/prometheus.yml"))
	if err != nil || !strings.Contains(string(b), "backtester") {
		return mend(fix, "prometheus does not watch backtester: /etc/prometheus/prometheus.yml does not name it")
	}
	address := d.settings.get("metrics_addr")
	if address == "" || address == "none" {
		return mend("set BACKTESTER_METRICS_ADDR=127.0.0.1:5001 in .env, then systemctl restart "+apiUnit, "there is nothing to watch: BACKTESTER_METRICS_ADDR is none")
	}
	if status, _, err := d.get(ctx, "http://"+address+"/metrics", nil); err != nil || status != http.StatusOK {
		return mend("systemctl restart "+apiUnit, "http://%s/metrics answers %d (%v)", address, status, err)
	}
	if !strings.Contains(string(b), address) {
		return mend(fix, "prometheus does not read http://%s/metrics: /etc/prometheus/prometheus.yml does not name that address", address)
	}
	return okay("prometheus watches %s", address)
}

func (d *doctorBag) backupTimer(ctx context.Context) finding {
	if out, err := d.run(ctx, "systemctl", "is-active", backupTimer); err != nil {
		return mend("systemctl enable --now "+backupTimer, "%s is %s", backupTimer, reason(out, err))
	}
	return okay("%s is active", backupTimer)
}

// leastFree is how much room a server needs to go on.
const leastFree = 1 << 30

func (d *doctorBag) disk(context.Context) finding {
	dir := d.settings.get("results_dir")
	free, err := job.FreeBytes(dir)
	if err != nil {
		return mend("make the folder: /var/www/backtester/deployment/install.sh", "%s: %v", dir, err)
	}
	if free < leastFree {
		return mend("make room, or take a larger disk", "%s has %s left, want %s", dir, megabytes(free), megabytes(leastFree))
	}
	return okay("%.0f GB are free", float64(free)/1e9)
}

func (d *doctorBag) database(ctx context.Context) finding {
	results := d.settings.get("results_dir")
	if err := becomeOwner(results); err != nil {
		return mend("run this as root, or as the owner of the folder", "%v", err)
	}
	if d.settings.get("database_url") != "" {
		return okay("the history is in PostgreSQL, which is not looked at here")
	}
	files, faults, err := backup.Check(ctx, results, d.deep)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return mend("systemctl start "+apiUnit, "there is no database in %s yet", results)
	case err != nil:
		return mend("systemctl stop "+apiUnit+", then restore the newest backup: see the guide", "%v", err)
	case len(faults) > 0:
		return mend("restore them from a backup: see the guide", "%d files of runs are not as they were, first %s", len(faults), faults[0])
	}
	return okay("sound, with its %d files", files)
}

// oldest is how old the newest backup may be: a night, and a morning to notice.
const oldest = 36 * time.Hour

func (d *doctorBag) backup(ctx context.Context) finding {
	const fix = "/var/www/backtester/deployment/backup.sh; journalctl -u backtester-backup says what went wrong at night"
	dir := d.settings.get("backup_dir")
	list, err := backup.List(dir)
	if err != nil {
		return mend(fix, "%v", err)
	}
	if len(list) == 0 {
		return mend(fix, "there is no backup in %s", dir)
	}
	if age := d.io.Now().Sub(list[0].Made); age > oldest {
		return mend(fix, "the newest backup is %.0f hours old", age.Hours())
	}
	if d.deep {
		if _, err := backup.Verify(ctx, list[0].Path); err != nil {
			return mend(fix, "%v", err)
		}
	}
	return okay("%d backups, the newest of %s", len(list), list[0].Made.Format(time.RFC3339))
}
