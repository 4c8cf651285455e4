package cmd

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"
)

// IO is everything a command touches of the world outside: streams, environment, clock, terminal.
// Tests give their own.
type IO struct {
	In       io.Reader
	Out, Err io.Writer // data goes to Out; progress, warnings and errors to Err

	OutTerminal, ErrTerminal bool // a person is watching the stream
	Width                    int  // columns for Out: those of its terminal, or COLUMNS; 0 for no limit
	ErrWidth                 int  // the same for Err

	Revision string   // commit of the source, "" when the build did not say
	Program  string   // how the program was called, for commands that are suggested; "" = backtester
	Environ  []string // KEY=value, as os.Environ gives it
	Now      func() time.Time
}

// System is the real world of this process.
func System() IO {
	streams := IO{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		OutTerminal: term.IsTerminal(int(os.Stdout.Fd())),
		ErrTerminal: term.IsTerminal(int(os.Stderr.Fd())),
		Program:     os.Args[0],
		Environ:     os.Environ(),
		Now:         time.Now,
	}
	streams.Width, streams.ErrWidth = streams.columns(os.Stdout, streams.OutTerminal), streams.columns(os.Stderr, streams.ErrTerminal)
	return streams
}

// columns is the width for a stream: COLUMNS where it was exported, for pipes too, else that of the terminal.
func (s IO) columns(f *os.File, terminal bool) int {
	if n, err := strconv.Atoi(s.env("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if terminal {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// width is how many columns a writer has, 0 for no limit. It is the one place that knows.
func (s IO) width(w io.Writer) int {
	switch w {
	case s.Out:
		return s.Width
	case s.Err:
		return s.ErrWidth
	}
	return 0
}

// program is how to call this program again: by its path where it is not on the PATH.
func (s IO) program() string {
	if strings.ContainsAny(s.Program, `/\`) && !filepath.IsAbs(s.Program) {
		return s.Program
	}
	return "backtester"
}

// env looks a variable up; the last assignment wins, as in a shell.
func (s IO) env(name string) string {
	value := ""
	for _, kv := range s.Environ {
		if rest, ok := strings.CutPrefix(kv, name+"="); ok {
			value = rest
		}
	}
	return value
}

// color reports whether Out takes colours: only on a terminal, never against NO_COLOR
// (https://no-color.org) or on a dumb one.
func (s IO) color() bool {
	return s.OutTerminal && s.env("NO_COLOR") == "" && s.env("TERM") != "dumb"
}
