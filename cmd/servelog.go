package cmd

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// logFile is a file that is opened anew on SIGHUP, after logrotate has renamed it. Lines are written
// whole, by one write each.
type logFile struct {
	path string
	mu   sync.Mutex
	f    *os.File
}

func openLog(path string) (*logFile, error) {
	l := &logFile{path: path}
	return l, l.reopen()
}

func (l *logFile) reopen() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.f
	l.f = f
	l.mu.Unlock()
	if old != nil {
		return old.Close()
	}
	return nil
}

func (l *logFile) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(b)
}

// serveLogs are where serve writes.
type serveLogs struct {
	access *logFile // nil without log_dir
	errors *logFile
	log    *slog.Logger
}

// openLogs opens the logs of serve. Whatever a message holds, no secret of the settings leaves.
func (a *app) openLogs() (*serveLogs, error) {
	l := &serveLogs{}
	var out io.Writer = a.io.Err
	if dir, _, _ := strings.Cut(a.settings.get("log_dir"), ":"); dir != "" {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return nil, err
		}
		var err error
		if l.access, err = openLog(filepath.Join(dir, "access.log")); err != nil {
			return nil, err
		}
		if l.errors, err = openLog(filepath.Join(dir, "error.log")); err != nil {
			return nil, err
		}
		out = both{a.io.Err, l.errors}
	}
	out = &scrubber{out: out, secrets: a.settings.secrets()}
	level := new(slog.Level)
	_ = level.UnmarshalText([]byte(a.settings.get("log_level"))) // checked when it was read
	if debug, _ := parseBool(a.settings.get("debug")); debug {
		*level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: *level}
	if a.settings.get("log_format") == "json" {
		l.log = slog.New(slog.NewJSONHandler(out, options))
	} else {
		l.log = slog.New(slog.NewTextHandler(out, options))
	}
	return l, nil
}

// writer is the access log, nil without one.
func (l *serveLogs) writer() io.Writer {
	if l.access == nil {
		return nil
	}
	return l.access
}

func (l *serveLogs) reopen() {
	if l.access == nil {
		return
	}
	if err := errors.Join(l.access.reopen(), l.errors.reopen()); err != nil {
		l.log.Error("cannot open the logs anew: the old ones are written on", "error", err)
	}
}

// both writes to two writers; the second one must not keep the first from its line.
type both struct{ first, second io.Writer }

func (w both) Write(b []byte) (int, error) {
	_, _ = w.first.Write(b) // a closed terminal does not stop the log
	return w.second.Write(b)
}

// scrubber is the last line of defence: texts that are secret never reach a log, whoever put them there.
type scrubber struct {
	out     io.Writer
	secrets [][]byte
}

func (s *scrubber) Write(b []byte) (int, error) {
	clean := b
	for _, x := range s.secrets {
		clean = bytes.ReplaceAll(clean, x, []byte("[redacted]"))
	}
	if _, err := s.out.Write(clean); err != nil {
		return 0, err
	}
	return len(b), nil
}
