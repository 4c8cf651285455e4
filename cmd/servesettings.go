package cmd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"backtester/server"
)

// serveSettings are the rows of the table that only serve, worker and user read.
func serveSettings() []setting {
	return []setting{
		{key: "env", names: []string{"BACKTESTER_ENV", "FLASK_ENV"}, initial: "development", check: oneOf("development", "production"), doc: "development or production"},
		{key: "debug", names: []string{"BACKTESTER_DEBUG", "FLASK_DEBUG"}, initial: "false", check: boolean, doc: "more detail in logs; refused in production"},
		{key: "host", names: []string{"BACKTESTER_HOST", "FLASK_HOST"}, initial: "127.0.0.1", check: noBlanks, doc: "address that serve listens on"},
		{key: "port", names: []string{"BACKTESTER_PORT", "FLASK_PORT"}, initial: "5000", check: portNumber, doc: "port that serve listens on"},
		{key: "cors_origins", names: []string{"BACKTESTER_CORS_ORIGINS", "CORS_ORIGINS"}, doc: "web pages that may call the API, scheme://host[:port], separated by commas"},
		{key: "secret_key", names: []string{"BACKTESTER_SECRET_KEY", "FLASK_SECRET_KEY"}, secret: true, doc: "key that signs sessions and tokens: at least 32 bytes; backtester secret makes one"},
		{key: "auth", names: []string{"BACKTESTER_AUTH"}, check: oneOf("required", "off"), doc: "required or off: whether one has to log in (default off in development, required in production)"},
		{key: "registration", names: []string{"BACKTESTER_REGISTRATION"}, initial: "first-user", check: oneOf("first-user", "invite", "open", "closed"), doc: "who may register: first-user, invite, open or closed"},
		{key: "public_url", names: []string{"BACKTESTER_PUBLIC_URL"}, check: webURL, doc: "address by which clients reach serve behind a proxy"},
		{key: "hosts", names: []string{"BACKTESTER_HOSTS"}, check: hostNames, doc: "names that serve answers to besides this machine's and those of public_url and cors_origins, separated by commas"},
		{key: "trusted_proxies", names: []string{"BACKTESTER_TRUSTED_PROXIES"}, initial: "127.0.0.1/32,::1/128", check: networks, doc: "networks whose X-Forwarded-For is believed, separated by commas"},
		{key: "workers", names: []string{"BACKTESTER_WORKERS"}, check: count(0, 1024), doc: "runs that are computed at a time (default as many as processors; 0 none)"},
		{key: "metrics_addr", names: []string{"BACKTESTER_METRICS_ADDR"}, initial: "none", check: loopbackAddress, doc: "ADDRESS:PORT of this machine on which monitors read /metrics, or none"},
		{key: "frontend_dir", names: []string{"BACKTESTER_FRONTEND_DIR"}, doc: "folder of web pages in place of those in the program"},
		{key: "log_dir", names: []string{"BACKTESTER_LOG_DIR", "LOGS_DIRECTORY"}, doc: "folder of access.log and error.log; without it serve logs to standard error only"},
		{key: "log_format", names: []string{"BACKTESTER_LOG_FORMAT"}, initial: "text", check: oneOf("text", "json"), doc: "text or json"},
		{key: "log_level", names: []string{"BACKTESTER_LOG_LEVEL"}, initial: "info", check: oneOf("debug", "info", "warn", "error"), doc: "least level that is logged"},
		{key: "rate_per_second", names: []string{"BACKTESTER_RATE_PER_SECOND"}, initial: "20", check: count(1, 1_000_000), doc: "requests a second of one client"},
		{key: "rate_burst", names: []string{"BACKTESTER_RATE_BURST"}, initial: "100", check: count(1, 1_000_000), doc: "requests of one client at once"},
		{key: "user_running", names: []string{"BACKTESTER_USER_RUNNING"}, initial: "2", check: count(0, 10_000), doc: "runs of one user at a time; 0 is no limit"},
		{key: "user_queued", names: []string{"BACKTESTER_USER_QUEUED"}, initial: "20", check: count(0, 1_000_000), doc: "waiting runs of one user; 0 is no limit"},
		{key: "queued", names: []string{"BACKTESTER_QUEUED"}, initial: "200", check: count(0, 1_000_000), doc: "waiting runs of all; 0 is no limit"},
		{key: "run_minutes", names: []string{"BACKTESTER_RUN_MINUTES"}, initial: "30", check: count(0, 100_000), doc: "longest run; 0 is no limit"},
		{key: "user_storage_mb", names: []string{"BACKTESTER_USER_STORAGE_MB"}, initial: "5120", check: count(0, 1<<30), doc: "results of one user; 0 is no limit"},
		{key: "min_free_disk_mb", names: []string{"BACKTESTER_MIN_FREE_DISK_MB"}, initial: "1024", check: count(0, 1<<30), doc: "new work is refused below this much free disk; 0 is no limit"},
		{key: "keep_days", names: []string{"BACKTESTER_KEEP_DAYS"}, initial: "0", check: count(0, 36_500), doc: "runs that nobody starred are removed after so many days; 0 keeps them"},
		{key: "server", names: []string{"BACKTESTER_SERVER"}, check: webURL, doc: "address of a server that run, preview, report and history ask instead of this machine"},
		{key: "token", names: []string{"BACKTESTER_TOKEN"}, secret: true, check: noBlanks, doc: "personal token for server"},
	}
}

func count(least, most int) func(string) error {
	return func(s string) error {
		if n, err := strconv.Atoi(s); err != nil || n < least || n > most || strings.HasPrefix(s, "+") {
			return fmt.Errorf("want a whole number from %d to %d", least, most)
		}
		return nil
	}
}

func hostNames(s string) error {
	for _, h := range listed(s) {
		if h != strings.ToLower(h) || strings.ContainsAny(h, ":/*@ ") {
			return fmt.Errorf("%q is no host name: want lower case, without scheme and port", h)
		}
	}
	return nil
}

func networks(s string) error {
	_, err := prefixes(s)
	return err
}

// prefixes reads networks and single addresses.
func prefixes(s string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, w := range listed(s) {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			a, e := netip.ParseAddr(w)
			if e != nil {
				return nil, fmt.Errorf("%q is no network such as 10.0.0.0/8", w)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		list = append(list, p)
	}
	return list, nil
}

func loopbackAddress(s string) error {
	if s == "none" {
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil || !server.Loopback(host) || portNumber(port) != nil {
		return errors.New("want an address of this machine such as 127.0.0.1:5001, or none: monitors are not asked who they are")
	}
	return nil
}

// origins reads cors_origins; every fault is told.
func origins(s string, production bool) (list []string, faults []string) {
	for _, w := range strings.Split(s, ",") {
		w = strings.TrimSpace(w)
		if w == "" {
			continue
		}
		u, err := url.Parse(w)
		switch {
		case w == "*":
			faults = append(faults, "cors_origins: * lets every web page call the API: list your own, such as https://yourdomain.com")
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || strings.Contains(w, "*"):
			faults = append(faults, fmt.Sprintf("cors_origins: %q is no origin: want scheme://host[:port], without a path, a slash at the end or *", w))
		case production && u.Scheme != "https":
			faults = append(faults, fmt.Sprintf("cors_origins: %q is not https: pages on their way could be changed", w))
		default:
			list = append(list, strings.ToLower(w))
		}
	}
	return list, faults
}

// weakSecret says what is wrong with a secret key, "" when nothing is.
func weakSecret(key string) string {
	lower := strings.ToLower(key)
	for _, word := range []string{"changeme", "change-me", "change_me", "your-", "your_", "yoursecret", "placeholder", "example", "secret-key", "secret_key", "dev-key", "super-secret"} {
		if strings.Contains(lower, word) {
			return "it is a placeholder"
		}
	}
	different := map[rune]bool{}
	for _, r := range key {
		different[r] = true
	}
	switch {
	case len(key) < 32:
		return fmt.Sprintf("it has %d bytes, want at least 32", len(key))
	case len(different) < 10:
		return fmt.Sprintf("it has %d different characters, which is easily guessed", len(different))
	}
	return ""
}

// unsafeSettings lists everything for which serve refuses to start.
func (a *app) unsafeSettings() []string {
	s := a.settings
	production := s.get("env") == "production"
	var faults []string
	_, bad := origins(s.get("cors_origins"), production)
	faults = append(faults, bad...)
	local := server.Loopback(s.get("host")) || strings.HasPrefix(s.get("host"), "unix:")
	if !a.needsLogin() && !local {
		faults = append(faults, fmt.Sprintf("host: %s can be reached by others, and auth is off: use 127.0.0.1, or auth required", s.get("host")))
	}
	if key := s.get("secret_key"); key != "" && weakSecret(key) != "" {
		faults = append(faults, "secret_key: "+weakSecret(key)+": make one with: backtester secret")
	}
	if !production {
		return faults
	}
	if debug, _ := parseBool(s.get("debug")); debug {
		faults = append(faults, "debug: true shows the inside of the server: set FLASK_DEBUG=false")
	}
	if s.get("secret_key") == "" {
		faults = append(faults, "secret_key: it is not set: put FLASK_SECRET_KEY=$(backtester secret) into .env")
	}
	if s.get("auth") == "off" {
		faults = append(faults, "auth: off lets everybody in: remove it")
	}
	return faults
}

// needsLogin reports whether serve asks who somebody is.
func (a *app) needsLogin() bool {
	if v := a.settings.get("auth"); v != "" {
		return v == "required"
	}
	return a.settings.get("env") == "production"
}

// ownHosts are the names that serve answers to besides those of this machine.
func (a *app) ownHosts() []string {
	list := listed(a.settings.get("hosts"))
	add := func(address string) {
		if u, err := url.Parse(address); err == nil && u.Hostname() != "" {
			list = append(list, strings.ToLower(u.Hostname()))
		}
	}
	add(a.settings.get("public_url"))
	found, _ := origins(a.settings.get("cors_origins"), false)
	for _, o := range found {
		add(o)
		if u, err := url.Parse(o); err == nil && u.Scheme == "https" { // the API of yourdomain.com is api.yourdomain.com
			list = append(list, "api."+strings.TrimPrefix(strings.ToLower(u.Hostname()), "www."))
		}
	}
	if h := a.settings.get("host"); net.ParseIP(h) != nil && h != "0.0.0.0" && h != "::" {
		list = append(list, h)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
