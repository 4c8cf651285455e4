package cmd

import (
	"fmt"
	"regexp"
	"strings"
)

// parseDotenv reads a .env file. Programs disagree about what such a file may hold: systemd, Docker
// and the dotenv libraries read inline comments, $VARIABLES, `export` and escapes each in their own
// way. Only what all of them read alike is accepted:
//
//	KEY=value      letters, digits and _ . / : @ % + , = ~ - only
//	KEY="value"    or in single quotes: anything but quotes, $, \ and line ends
//	# comment      on a line of its own
//
// No line may end with \, not even a comment, behind which systemd before 254 skips a line. A byte order
// mark is passed over where the first line is a comment or blank: systemd takes it for a part of the key.
//
// A line of another program (a key for which mine is false) is skipped without judging its value, but for a
// quote that it leaves open: systemd takes the lines behind it for a part of the value.
// Anything else is an error with its line; values are never part of a message, they may be secrets.
func parseDotenv(name, text string, mine func(key string) bool) (map[string]string, error) {
	plain := regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=~-]*$`)
	quoted := regexp.MustCompile(`^("[^"'$\\\x60]*"|'[^'"$\\\x60]*')$`)
	key := regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	values := make(map[string]string)
	text, marked := strings.CutPrefix(text, "\ufeff")
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		bad := func(reason string) error {
			return fmt.Errorf("read %s line %d: %s", name, i+1, reason)
		}
		if strings.HasSuffix(line, `\`) {
			return nil, bad("a line must not end with \\, not even a comment: systemd takes the next one for a part of it")
		}
		if line == "" || line[0] == '#' {
			continue
		}
		bare, exported := strings.CutPrefix(line, "export ")
		k, v, ok := strings.Cut(bare, "=")
		switch {
		case !ok || !key.MatchString(k):
			return nil, bad("want KEY=value, a blank line or a # comment")
		case !mine(k) && leftOpen(v):
			return nil, bad("the value begins a quote and does not end it: systemd takes the next line for a part of it")
		case !mine(k):
			continue
		case marked && i == 0:
			return nil, bad("the file begins with a byte order mark, so that systemd does not know " + k + ": save it without, or put a comment first")
		case exported:
			return nil, bad("write " + k + "=... without export: systemd does not know it")
		case plain.MatchString(v):
		case quoted.MatchString(v):
			v = v[1 : len(v)-1]
		default:
			return nil, bad("the value of " + k + " has characters that programs read differently: put it in quotes, without $, \\ or a comment behind it")
		}
		if _, twice := values[k]; twice {
			return nil, bad(k + " is set twice")
		}
		values[k] = v
	}
	return values, nil
}

// leftOpen reports whether systemd looks for the end of a value in the lines behind it: a quote opens at the
// beginning and behind a closed one, not within a word.
func leftOpen(value string) bool {
	for {
		value = strings.TrimLeft(value, " \t")
		if value == "" || value[0] != '"' && value[0] != '\'' {
			return false
		}
		end := 1
		for end < len(value) && value[end] != value[0] {
			if value[end] == '\\' && value[0] == '"' {
				end++
			}
			end++
		}
		if end >= len(value) {
			return true
		}
		value = value[end+1:]
	}
}
