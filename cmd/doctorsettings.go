package cmd

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"backtester/server"
)

func (d *doctorBag) environment(context.Context) finding {
	if env := d.settings.get("env"); env != "production" {
		return mend("set FLASK_ENV=production in .env", "FLASK_ENV is %s", env)
	}
	return okay("production")
}

func (d *doctorBag) secret(context.Context) finding {
	const fix = "put the output of `backtester secret` into .env as FLASK_SECRET_KEY, then systemctl restart backtester-api"
	if weak := weakSecret(d.settings.get("secret_key")); weak != "" {
		return mend(fix, "FLASK_SECRET_KEY: %s", weak)
	}
	return okay("long and random")
}

func (d *doctorBag) debug(context.Context) finding {
	if on, _ := parseBool(d.settings.get("debug")); on {
		return mend("set FLASK_DEBUG=false in .env", "FLASK_DEBUG is on: errors would show the inside")
	}
	return okay("off")
}

// origins are the web pages that may call the API.
func (d *doctorBag) origins() []string {
	var list []string
	for o := range strings.SplitSeq(d.settings.get("cors_origins"), ",") {
		if o = strings.TrimSpace(o); o != "" {
			list = append(list, o)
		}
	}
	return list
}

// domain is yours, as the first origin has it; "" when there is none.
func (d *doctorBag) domain() string {
	for _, o := range d.origins() {
		if u, err := url.Parse(o); err == nil && u.Scheme == "https" {
			return u.Hostname()
		}
	}
	return ""
}

func (d *doctorBag) cors(context.Context) finding {
	const fix = "set CORS_ORIGINS in .env to your own pages only, such as https://example.com"
	list := d.origins()
	if len(list) == 0 {
		return mend(fix, "CORS_ORIGINS is empty: the web application cannot call the API")
	}
	for _, o := range list {
		u, err := url.Parse(o)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || strings.Contains(o, "*") || server.Loopback(u.Hostname()) {
			return mend(fix, "CORS_ORIGINS has %q, which is no page of yours over https", o)
		}
	}
	return okay("%s", strings.Join(list, ", "))
}

func (d *doctorBag) address(context.Context) finding {
	host, port := d.settings.get("host"), d.settings.get("port")
	if !server.Loopback(host) {
		return mend("set FLASK_HOST=127.0.0.1 in .env: nginx stands in front", "the server listens on %s, past nginx", net.JoinHostPort(host, port))
	}
	return okay("%s", net.JoinHostPort(host, port))
}

func (d *doctorBag) vendor(context.Context) finding {
	var missing []string
	for _, k := range [][2]string{{"polygon_api_key", "POLYGON_API_KEY"}, {"s3_access_key_id", "AWS_ACCESS_KEY_ID"}, {"s3_secret_access_key", "AWS_SECRET_ACCESS_KEY"}} {
		if d.settings.get(k[0]) == "" {
			missing = append(missing, k[1])
		}
	}
	if len(missing) > 0 {
		return mend("put the keys of your Massive/Polygon account into .env", "missing: %s", strings.Join(missing, ", "))
	}
	return okay("keys are set; fetch shows whether they work")
}

// envFile looks at the file that holds the secrets.
func (d *doctorBag) envFile(ctx context.Context) finding {
	name := d.app.envFile
	if name == "" || name == "none" {
		name = ".env"
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return mend("run this in the folder of .env: cd /var/www/backtester", "there is no %s here", name)
	}
	if err != nil {
		return mend("run this as root", "%v", err)
	}
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return mend("run this in the folder of .env", "%v", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return mend("chmod 600 "+filepath.Join(dir, filepath.Base(name)), "%s has mode %o: others can read the secrets", name, mode)
	}
	if _, err := d.run(ctx, "git", "-c", "safe.directory=*", "-C", dir, "ls-files", "--error-unmatch", filepath.Base(name)); err == nil {
		return mend("git rm --cached "+filepath.Base(name)+", and make new keys: the old ones are in the history", "%s is committed to git", name)
	}
	return okay("for its owner only, not in git")
}
