package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"backtester/backtest/barfile"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/legacy"
)

// selection is what run and preview have in common: which strategy, on what, with which settings.
type selection struct {
	symbols  string
	from, to string
	set      []string
	bars     []string
	profile  string
}

func (s *selection) flags(f *pflag.FlagSet) {
	f.StringVar(&s.symbols, "symbols", "", "`TICKERS` to trade, separated by commas; replaces the file's universe")
	f.StringVar(&s.from, "from", "", "first session that may trade, `YYYY-MM-DD`")
	f.StringVar(&s.to, "to", "", "last session, `YYYY-MM-DD`")
	f.StringArrayVar(&s.set, "set", nil, "change one setting, `KEY=VALUE`: a dotted path or a parameter's name; repeatable")
	f.StringArrayVar(&s.bars, "bars", nil, "read a symbol's bars from a plain CSV, `SYMBOL=FILE.csv`, or SYMBOL:adjusted=FILE.csv when its prices are adjusted already; repeatable")
	f.StringVar(&s.profile, "profile", "", "conventions of another tool as defaults: `NAME`")
}

// faultsError is a faulty strategy file. With its text it shows the lines that are meant.
type faultsError struct {
	faults strategy.Diagnostics
	text   []byte // nil where nobody is watching: then there is one line a fault, for programs
}

func (e *faultsError) Error() string {
	if e.text == nil {
		return e.faults.Error()
	}
	var b strings.Builder
	for _, d := range e.faults {
		fmt.Fprintf(&b, "%s\n%s", strategy.Diagnostics{d}.Error(), strategy.Excerpt(e.text, d))
	}
	return b.String()
}

func (e *faultsError) Unwrap() error { return e.faults }

// faults is the error for faults of a file, with the lines that are meant when somebody is watching.
func (a *app) faults(faults strategy.Diagnostics, text []byte) error {
	if !a.io.ErrTerminal {
		text = nil
	}
	return &faultsError{faults, text}
}

// read loads a strategy by file name, by the name of a built-in, or from In when arg is "-", and
// applies the flags to it.
func (s *selection) read(a *app, arg string) (*strategy.File, error) {
	name, text, err := readStrategy(a.io.In, arg)
	if err != nil {
		return nil, err
	}
	file, faults := strategy.Parse(name, text)
	if len(faults) > 0 {
		if legacy.Recognises(text) {
			return nil, usagef("read strategy %s: it has the conditions of the former web application; to translate it: %s strategy convert %s > FILE.yaml",
				name, a.io.program(), name)
		}
		return nil, a.faults(faults, text)
	}
	if err := s.apply(file); err != nil {
		return file, err
	}
	return file, attach(file, filepath.Dir(name))
}

// maxAttached bounds a file that a strategy names.
const maxAttached = 256 << 20

// attach reads the files that a strategy names, beside it unless their names are absolute.
func attach(file *strategy.File, dir string) error {
	for {
		names := slices.DeleteFunc(file.Files(), func(name string) bool {
			_, there := file.Attached(name)
			return there
		})
		if len(names) == 0 {
			break
		}
		if err := attachAll(file, dir, names); err != nil {
			return err
		}
	}
	if len(file.Strategies) == 0 {
		return nil
	}
	_, faults := file.Compile()
	return faults.Err()
}

// attachAll reads files beside a strategy. They may name others themselves.
func attachAll(file *strategy.File, dir string, names []string) error {
	for _, name := range names {
		at := name
		if !filepath.IsAbs(at) {
			at = filepath.Join(dir, at)
		}
		f, err := os.Open(at)
		if err != nil {
			return usagef("read %s, which the strategy names: %w", name, err)
		}
		data, err := io.ReadAll(io.LimitReader(f, maxAttached+1))
		if err = errors.Join(err, f.Close()); err != nil {
			return input(fmt.Errorf("read %s, which the strategy names: %w", name, err))
		}
		if len(data) > maxAttached {
			return usagef("read %s, which the strategy names: it has more than %d MiB", name, maxAttached>>20)
		}
		text, err := barfile.Text(name, data)
		if err != nil {
			return &usageError{err}
		}
		file.Attach(name, text)
	}
	return nil
}

// apply sets what flags say, all at once: only the outcome must make sense, not each step.
func (s *selection) apply(file *strategy.File) error {
	var sets []strategy.Override
	add := func(path, value, flag string) {
		if value != "" {
			sets = append(sets, strategy.Override{Path: path, Value: value, Flag: flag})
		}
	}
	if s.symbols != "" { // replaces the universe, however it was chosen
		if i := slices.IndexFunc(strings.Split(s.symbols, ","), func(t string) bool { return strings.TrimSpace(t) == "" }); i >= 0 && strings.Contains(s.symbols, ",") {
			return usagef("read --symbols %q: place %d is empty: want tickers with commas between them, such as AAPL,MSFT", s.symbols, i+1)
		}
		sets = file.WithoutUniverse()
	}
	add("profile", s.profile, "--profile")
	for _, kv := range s.set {
		path, value, ok := strings.Cut(kv, "=")
		if !ok || path == "" {
			return usagef("read --set %q: want KEY=VALUE", kv)
		}
		sets = append(sets, strategy.Override{Path: strings.TrimSpace(path), Value: strings.TrimSpace(value)})
	}
	add("universe.symbols", s.symbols, "--symbols")
	add("data.from", s.from, "--from")
	add("data.to", s.to, "--to")
	if len(sets) == 0 {
		return nil
	}
	return file.SetAll(sets)
}

// readStrategy finds the text of a strategy and the name it is shown by.
func readStrategy(in io.Reader, arg string) (name string, text []byte, err error) {
	if _, statErr := os.Stat(arg); statErr != nil && looksLikeName(arg) && arg != "-" {
		text, err := strategy.FindBuiltin(arg)
		if err != nil {
			for _, ending := range []string{".yaml", ".yml", ".json"} {
				if _, none := os.Stat(arg + ending); none == nil {
					return "", nil, usagef("there is no file %q (did you mean %s?)", arg, arg+ending)
				}
			}
			return "", nil, usagef("there is no file %q and %s", arg, strings.TrimPrefix(err.Error(), "there is "))
		}
		return arg, text, nil
	}
	return readText(in, arg)
}

// readText reads a file, or In when arg is "-", and says how it is called in messages.
func readText(in io.Reader, arg string) (name string, text []byte, err error) {
	if arg == "-" {
		text, err = io.ReadAll(io.LimitReader(in, 4<<20))
		return "stdin", text, err
	}
	text, err = os.ReadFile(arg)
	if err != nil {
		return "", nil, input(unreadable("strategy", err))
	}
	return arg, text, nil
}

// unreadable explains why a file that was named cannot be read.
func unreadable(what string, err error) error {
	if errors.Is(err, syscall.EISDIR) {
		if e, ok := errors.AsType[*os.PathError](err); ok {
			return fmt.Errorf("read %s: %s is a folder: name a file in it", what, e.Path)
		}
	}
	return fmt.Errorf("read %s: %w", what, err)
}

// looksLikeName reports whether arg could be a built-in: no folder, no extension.
func looksLikeName(arg string) bool {
	return filepath.Ext(arg) == "" && !strings.ContainsAny(arg, `/\`)
}

// readAll reads every argument; all faults of all files come at once.
func (s *selection) readAll(a *app, args []string) ([]*strategy.File, error) {
	files, faults := make([]*strategy.File, len(args)), make([]error, len(args))
	for i, arg := range args {
		if arg == "-" && i > 0 {
			return nil, usagef("strategy from stdin: - must be the only argument")
		}
		files[i], faults[i] = s.read(a, arg)
	}
	return files, errors.Join(faults...)
}
