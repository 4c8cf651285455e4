package cmd

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"backtester/backtest/bar/spell"
)

// Checks of settings: strict, because a setting read wrongly is worse than a program not started.

func noBlanks(s string) error {
	if strings.ContainsFunc(s, unicode.IsSpace) {
		return errors.New("must not contain blanks or line ends")
	}
	return nil
}

func oneOf(words ...string) func(string) error {
	return func(s string) error {
		if slices.Contains(words, s) {
			return nil
		}
		return fmt.Errorf("want one of %s%s", strings.Join(words, ", "), suggest(s, words))
	}
}

func boolean(s string) error {
	_, err := parseBool(s)
	return err
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return false, errors.New("want true or false")
}

func portNumber(s string) error {
	_, err := strconv.ParseUint(s, 10, 16)
	if err != nil || strings.HasPrefix(s, "+") {
		return errors.New("want a port number from 0 to 65535")
	}
	return nil
}

func perMinute(s string) error {
	if n, err := strconv.Atoi(s); err != nil || n < 1 || n > 6000 {
		return errors.New("want a whole number from 1 to 6000")
	}
	return nil
}

func webURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		return errors.New("want an address such as https://files.massive.com, without user name or password")
	}
	return nil
}

// userDataDir is where data lives by default: the platform's place for a user's data. "" when nobody
// says where that is: then the current folder would be taken, of which the user would know nothing.
func userDataDir(s IO) string {
	home := s.env("HOME")
	if runtime.GOOS == "windows" {
		home = s.env("LOCALAPPDATA")
	}
	if dir := s.env("XDG_DATA_HOME"); filepath.IsAbs(dir) && runtime.GOOS != "windows" && runtime.GOOS != "darwin" {
		return filepath.Join(dir, "backtester")
	}
	if home == "" {
		return ""
	}
	switch runtime.GOOS {
	case "windows":
		return filepath.Join(home, "backtester")
	case "darwin":
		return filepath.Join(home, "Library", "Application Support", "backtester")
	}
	return filepath.Join(home, ".local", "share", "backtester")
}

// userConfigDir is where the config file lives by default; "" like userDataDir.
func userConfigDir(s IO) string {
	switch runtime.GOOS {
	case "windows", "darwin":
		return userDataDir(s)
	}
	if dir := s.env("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "backtester")
	}
	if home := s.env("HOME"); home != "" {
		return filepath.Join(home, ".config", "backtester")
	}
	return ""
}

// suggest is " (did you mean X?)" when a known word is close to what was written, else "".
func suggest(word string, known []string) string {
	best := spell.Nearest(word, known)
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}
