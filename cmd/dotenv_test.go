package cmd

import (
	"maps"
	"strings"
	"testing"
)

func ours(key string) bool { return strings.HasPrefix(key, "BACKTESTER_") }

func TestDotenv(t *testing.T) {
	for _, c := range []struct {
		text string
		want map[string]string
		err  string // part of the message
	}{
		{text: "", want: map[string]string{}},
		{text: "BACKTESTER_A=x\n# comment\n\n  BACKTESTER_B=1.5 \r\n", want: map[string]string{"BACKTESTER_A": "x", "BACKTESTER_B": "1.5"}},
		{text: "\ufeff# comment\nBACKTESTER_A=https://files.massive.com:443/a,b%20", want: map[string]string{"BACKTESTER_A": "https://files.massive.com:443/a,b%20"}},
		{text: `BACKTESTER_A="two words # no comment"`, want: map[string]string{"BACKTESTER_A": "two words # no comment"}},
		{text: `BACKTESTER_A='single'`, want: map[string]string{"BACKTESTER_A": "single"}},
		{text: "BACKTESTER_A=", want: map[string]string{"BACKTESTER_A": ""}},
		{text: "OTHER=$HOME # theirs\nBACKTESTER_A=1", want: map[string]string{"BACKTESTER_A": "1"}},
		{text: "BACKTESTER_A=x # comment", err: "line 1: the value of BACKTESTER_A"},
		{text: "\nBACKTESTER_A=$HOME", err: "line 2: the value of BACKTESTER_A"},
		{text: `BACKTESTER_A="a\nb"`, err: "line 1"},
		{text: `BACKTESTER_A="unterminated`, err: "line 1"},
		{text: "export BACKTESTER_A=1", err: "without export"},
		{text: "BACKTESTER_A = 1", err: "want KEY=value"},
		{text: "BACKTESTER_A=1\nBACKTESTER_A=2", err: "line 2: BACKTESTER_A is set twice"},
		{text: "\ufeffBACKTESTER_A=1", err: "line 1: the file begins with a byte order mark"},
		{text: "# in C:\\\nBACKTESTER_A=1", err: "line 1: a line must not end"},
		{text: "OTHER=a\\\nBACKTESTER_A=1", err: "line 1: a line must not end"},
		{text: "OTHER=\"it's\" 'two' it's\nBACKTESTER_A=1", want: map[string]string{"BACKTESTER_A": "1"}},
		{text: "OTHER=\"a\\\"b\" c\nBACKTESTER_A=1", want: map[string]string{"BACKTESTER_A": "1"}},
		{text: "\nOTHER=\"theirs\nBACKTESTER_A=1", err: "line 2: the value begins a quote"},
		{text: "OTHER='a' 'b\nBACKTESTER_A=1", err: "line 1: the value begins a quote"},
		{text: "OTHER=\"a\\\"\nBACKTESTER_A=1", err: "line 1: the value begins a quote"},
		{text: "nonsense", err: "want KEY=value"},
	} {
		got, err := parseDotenv(".env", c.text, ours)
		switch {
		case c.err != "":
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%q: error %v, want one with %q", c.text, err, c.err)
			}
		case err != nil:
			t.Errorf("%q: %v", c.text, err)
		case !maps.Equal(got, c.want):
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// Whatever the file holds, values appear in no message and what is read is plain.
func FuzzDotenv(f *testing.F) {
	f.Add("BACKTESTER_A=x\nexport BACKTESTER_B='y'\n")
	f.Add("BACKTESTER_A=\"se`cret\"")
	f.Add("\ufeff#\r\nBACKTESTER_KEY=$x")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseDotenv(".env", text, ours)
		if err != nil && len(err.Error()) > 200+len(text)/2 {
			t.Errorf("a message of %d bytes for a file of %d", len(err.Error()), len(text))
		}
		for k, v := range got {
			if !ours(k) || strings.ContainsAny(v, "\n$\\`") {
				t.Errorf("read %q = %q", k, v)
			}
		}
		_, err = parseDotenv(".env", text+"\nBACKTESTER_SECRET=canary-$value\n", ours)
		if err == nil || strings.Contains(err.Error(), "canary") && !strings.Contains(text, "canary") {
			t.Errorf("a value with a dollar sign gives %v", err)
		}
	})
}
