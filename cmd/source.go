package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/barfile"
	"backtester/polygon"
	"backtester/polygon/demo"
)

// source is a bar.Source that must be closed.
type source interface {
	bar.Source
	Close() error
}

// fileSource makes plain files a source. What they note goes into the warnings of the result.
type fileSource struct{ *barfile.Files }

var _ backtest.Noter = fileSource{}

// Notes leaves out what the engine warns of itself, for all symbols at once.
func (s fileSource) Notes() []bar.Note {
	return slices.DeleteFunc(s.Files.Notes(), func(n bar.Note) bool { return n.Code == "no_volume" })
}

func (fileSource) Close() error { return nil }

// openSource opens the files of --bars, or else the store that --store names, or else the vendor's,
// or else, outside production, the demo market, which is made on first use. Results on the demo
// market say so.
func (a *app) openSource(ctx context.Context, bars []string) (source, error) {
	if len(bars) > 0 {
		return openFiles(bars)
	}
	s, _, err := a.openStore(ctx)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openFiles reads SYMBOL=FILE arguments. SYMBOL:adjusted=FILE says that the prices of the file are adjusted already.
func openFiles(bars []string) (source, error) {
	files := make([]barfile.File, len(bars))
	for i, arg := range bars {
		symbol, path, ok := strings.Cut(arg, "=")
		symbol, adjusted := strings.CutSuffix(symbol, ":adjusted")
		if !ok || symbol == "" || path == "" {
			return nil, usagef("read --bars %q: want SYMBOL=FILE.csv, or SYMBOL:adjusted=FILE.csv", arg)
		}
		files[i] = barfile.File{Symbol: symbol, Path: path, Adjusted: adjusted}
	}
	f, err := barfile.Open(files)
	if err != nil {
		return nil, &inputError{err}
	}
	return fileSource{f}, nil
}

// storeDir is the store of vendor data.
func (a *app) storeDir() string { return filepath.Join(a.settings.get("data_dir"), "store") }

// demoDir holds the demo market: raw files and store, never mixed with vendor data.
func (a *app) demoDir() string { return filepath.Join(a.settings.get("data_dir"), "demo") }

// ensureDemo makes the demo market unless it is there, and returns the folder of its store. A market
// of another edition is replaced. It is built beside its place and renamed, so that an interruption
// leaves no half market; of several processes at once, the first one's is kept.
func (a *app) ensureDemo(ctx context.Context) (string, error) {
	if err := a.housed(); err != nil {
		return "", err
	}
	dir := a.demoDir()
	stored := filepath.Join(dir, "store")
	if isCurrentDemo(dir) {
		return stored, nil
	}
	temp, err := a.makeDemo(ctx)
	if err != nil {
		return "", fmt.Errorf("make the demo market: %w", err)
	}
	defer os.RemoveAll(temp) // nothing is left there after the rename
	if os.Rename(temp, dir) == nil || isCurrentDemo(dir) {
		return stored, nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("replace the demo market: %w", err)
	}
	if err := os.Rename(temp, dir); err != nil && !isCurrentDemo(dir) {
		return "", fmt.Errorf("make the demo market: %w", err)
	}
	return stored, nil
}

// isCurrentDemo reports whether a complete market of this program's edition lies in dir.
func isCurrentDemo(dir string) bool {
	b, err := os.ReadFile(filepath.Join(dir, "edition"))
	return err == nil && string(b) == demo.Edition
}

// makeDemo builds the market in a new folder beside its place.
func (a *app) makeDemo(ctx context.Context) (temp string, err error) {
	parent := filepath.Dir(a.demoDir())
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", err
	}
	if temp, err = os.MkdirTemp(parent, "demo-*.tmp"); err != nil {
		return "", err
	}
	if err = buildDemo(ctx, temp); err == nil {
		err = errors.Join(os.WriteFile(filepath.Join(temp, "edition"), []byte(demo.Edition), 0o644), os.Chmod(temp, 0o755))
	}
	if err != nil {
		os.RemoveAll(temp) // the first error is the one to tell
	}
	return temp, err
}

// buildDemo writes the market's flat files below dir/raw and loads them into dir/store with the code
// that loads downloaded ones.
func buildDemo(ctx context.Context, dir string) error {
	raw := filepath.Join(dir, "raw")
	if err := demo.Write(ctx, raw, runtime.GOMAXPROCS(0)); err != nil {
		return err
	}
	return polygon.LoadDemo(ctx, raw, filepath.Join(dir, "store"))
}
