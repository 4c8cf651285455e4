package cmd_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"backtester/cmd"
)

// serve refuses unsafe settings before it opens anything, with exit code 78 and everything that is to be
// mended; secrets are not told.
func TestServeRefusesUnsafeSettings(t *testing.T) {
	const key = "0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899aabbccddeeff0"
	for _, c := range []struct {
		name    string
		environ []string
		args    []string
		want    []string
	}{
		{"production with nothing", []string{"FLASK_ENV=production"}, nil, []string{"secret_key"}},
		{"everything at once", []string{"FLASK_ENV=production", "FLASK_DEBUG=true", "FLASK_SECRET_KEY=changeme", "CORS_ORIGINS=*,http://a.example,https://b.example/", "BACKTESTER_AUTH=off"}, nil,
			[]string{"debug", "secret_key", "placeholder", "cors_origins: *", `"http://a.example" is not https`, `"https://b.example/" is no origin`, "auth: off"}},
		{"a short key", []string{"FLASK_ENV=production", "FLASK_SECRET_KEY=0123456789abcdef"}, nil, []string{"16 bytes"}},
		{"a key of one letter", []string{"FLASK_ENV=production", "FLASK_SECRET_KEY=" + strings.Repeat("a", 64)}, nil, []string{"different characters"}},
		{"a placeholder", []string{"FLASK_ENV=production", "FLASK_SECRET_KEY=your-secret-key-here-1234567890abcdef"}, nil, []string{"placeholder"}},
		{"off the machine without accounts", []string{"FLASK_HOST=0.0.0.0"}, nil, []string{"host: 0.0.0.0", "auth"}},
		{"off the machine by flag", nil, []string{"--host", "192.0.2.1"}, []string{"192.0.2.1"}},
		{"accounts taken off in production", []string{"FLASK_ENV=production", "FLASK_SECRET_KEY=" + key, "BACKTESTER_AUTH=off"}, nil, []string{"auth: off"}},
		{"a word for a truth value", []string{"FLASK_DEBUG=maybe"}, nil, []string{"true or false"}},
		{"another environment", []string{"FLASK_ENV=staging"}, nil, []string{"development, production"}},
		{"a misspelt setting", []string{"BACKTESTER_WORKRES=2"}, nil, []string{"BACKTESTER_WORKERS"}},
		{"settings that cannot be read, all of them", []string{"FLASK_ENV=staging", "BACKTESTER_WORKRES=2", "BACKTESTER_QUEUED=1e3", "BACKTESTER_SERVER=https://ann:canary@a.example"}, nil,
			[]string{"4 faults", "BACKTESTER_WORKERS", "development, production", `"1e3"`, "server = [redacted]"}},
		{"metrics for everybody", []string{"BACKTESTER_METRICS_ADDR=0.0.0.0:5001"}, nil, []string{"127.0.0.1:5001"}},
		{"proxies that are none", []string{"BACKTESTER_TRUSTED_PROXIES=everybody"}, nil, []string{"everybody"}},
	} {
		var faults bytes.Buffer
		streams := cmd.IO{In: strings.NewReader(""), Out: io.Discard, Err: &faults, Now: time.Now, Environ: append(c.environ, "HOME="+t.TempDir())}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		code := cmd.Main(ctx, append([]string{"serve", "--env-file", "none", "--port", "0"}, c.args...), streams, "test")
		cancel()
		if code != 78 {
			t.Errorf("%s: exit code %d, want 78\n%s", c.name, code, faults.String())
		}
		for _, want := range c.want {
			if !strings.Contains(faults.String(), want) {
				t.Errorf("%s: the refusal says nothing of %q:\n%s", c.name, want, faults.String())
			}
		}
		if strings.Contains(faults.String(), "0123456789abcdef") || strings.Contains(faults.String(), key) {
			t.Errorf("%s: the refusal tells the key:\n%s", c.name, faults.String())
		}
	}
}
