package cmd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

type doctorOptions struct {
	*app
	format string
	deep   bool
}

func newDoctor(a *app) *cobra.Command {
	o := &doctorOptions{app: a}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Go through the security checklist of a server: ok, or what to mend, line by line",
		Long: `Go through the security checklist of a server: ok, or what to mend, line by line.

It looks at the settings, at .env, at systemd, nginx, the certificates, the firewall, backups, the
clock and monitoring, and asks the server itself from outside. Run it as root in the folder of .env: without root
much cannot be seen, and is reported as such. The database is read as its owner. It changes nothing.

Exit code 0 says that every line is ok, 1 that something is to be mended.`,
		Example: "  cd /var/www/backtester && sudo backtester doctor\n  backtester doctor --format json",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	c.Flags().BoolVar(&o.deep, "deep", false, "also read every file of every run, and the newest backup, and compare checksums")
	formatFlag(c.Flags(), &o.format, "table", "json")
	return c
}

// finding is one line of the checklist.
type finding struct {
	Check string `json:"check"`
	State string `json:"state"` // ok or fix
	Found string `json:"found"`
	Fix   string `json:"fix,omitempty"`
}

func okay(format string, args ...any) finding {
	return finding{State: "ok", Found: fmt.Sprintf(format, args...)}
}

// mend is a finding with what to do about it.
func mend(fix, format string, args ...any) finding {
	return finding{State: "fix", Found: fmt.Sprintf(format, args...), Fix: fix}
}

// check is one line of the checklist before it was looked at.
type check struct {
	name string
	look func(context.Context) finding
}

func (o *doctorOptions) run(ctx context.Context) error {
	if err := checkFormat(o.format, "table", "json"); err != nil {
		return err
	}
	d := newDoctorBag(o.app, o.deep)
	var list []finding
	for _, c := range d.checks() {
		f := c.look(ctx)
		f.Check = c.name
		list = append(list, f)
	}
	if err := o.show(list); err != nil {
		return err
	}
	for _, f := range list {
		if f.State != "ok" {
			return &codeError{exitFailure}
		}
	}
	return nil
}

func (o *doctorOptions) show(list []finding) error {
	if o.format == "json" {
		return writeJSON(o.io.Out, list)
	}
	var rows [][]string
	for _, f := range list {
		rows = append(rows, []string{f.State, f.Check, f.Found})
		if f.Fix != "" {
			rows = append(rows, []string{"", "", "-> " + f.Fix})
		}
	}
	return o.table(o.io.Out, []string{"state", "check", "found"}, rows)
}

// doctorBag is what the checks look with. Tests put a folder in place of / and programs of their own.
type doctorBag struct {
	*app
	deep  bool
	root  string                                                                 // "" is /
	run   func(ctx context.Context, name string, args ...string) (string, error) // both streams together
	web   *http.Client
	roots *x509.CertPool // nil: the system's
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
}

// patience is how long one check may wait for one answer.
const patience = 10 * time.Second

func newDoctorBag(a *app, deep bool) *doctorBag {
	dialer := &net.Dialer{Timeout: patience}
	return &doctorBag{
		app: a, deep: deep, dial: dialer.DialContext,
		run: func(ctx context.Context, name string, args ...string) (string, error) {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			for _, dir := range []string{"/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"} {
				if _, err := os.Stat(dir + name); err == nil { // also where root's PATH leads and others' does not
					out, err := exec.CommandContext(ctx, dir+name, args...).CombinedOutput()
					return strings.TrimSpace(string(out)), err
				}
			}
			return "", fmt.Errorf("%s is not installed", name)
		},
		web: &http.Client{
			Timeout:       patience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport:     &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{}, DisableKeepAlives: true},
		},
	}
}

func (d *doctorBag) path(name string) string { return filepath.Join(d.root, name) }

// checks is the list in the order of the deployment guide. The last ones read what belongs to the
// service, and give up root for good before they do.
func (d *doctorBag) checks() []check {
	return []check{
		{"environment", d.environment},
		{"secret", d.secret},
		{"debug", d.debug},
		{"cors", d.cors},
		{"address", d.address},
		{"vendor", d.vendor},
		{"env_file", d.envFile},
		{"service", d.service},
		{"health", d.health},
		{"nginx", d.nginx},
		{"rate_limit", d.rateLimit},
		{"certificate", d.certificate},
		{"renewal", d.renewal},
		{"https", d.https},
		{"cors_answer", d.corsAnswer},
		{"firewall", d.firewall},
		{"monitoring", d.monitoring},
		{"backup_timer", d.backupTimer},
		{"clock", d.clock},
		{"disk", d.disk},
		{"database", d.database},
		{"backup", d.backup},
	}
}
