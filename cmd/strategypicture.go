package cmd

import (
	"context"
	"fmt"
	"path/filepath"

	"backtester/backtest"
	"backtester/backtest/store"
	"backtester/backtest/strategy"
	"backtester/report"
)

// pictures shows built-in strategies as a page: each with its source, its rationale and what its rules do
// on the whole demo market, which is made up and the same everywhere.
func (a *app) pictures(ctx context.Context, list []strategy.Builtin) error {
	dir, err := a.ensureDemo(ctx)
	if err != nil {
		return err
	}
	src, err := store.Open(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	ideas := make([]report.Idea, len(list))
	for i, b := range list {
		s := selection{set: []string{"benchmark=MKT"}}
		file, err := s.read(a, b.Name)
		if err != nil {
			return err
		}
		text, err := strategy.FindBuiltin(b.Name)
		if err != nil {
			return err
		}
		r, err := backtest.Run(ctx, file, src)
		if err != nil {
			return fmt.Errorf("draw %s: %w", b.Name, err)
		}
		p, err := backtest.NewPreview(ctx, file, src)
		if err != nil {
			return fmt.Errorf("draw %s: %w", b.Name, err)
		}
		ideas[i] = report.Idea{Name: b.Name, Title: b.Title, Source: b.Source, Doc: b.Doc, File: string(text), Result: r, Bars: p}
	}
	return report.IdeasHTML(a.io.Out, ideas)
}

// builtinNamed finds a built-in strategy by its name.
func builtinNamed(name string) (strategy.Builtin, error) {
	for _, b := range strategy.Builtins() {
		if b.Name == name {
			return b, nil
		}
	}
	if name == "-" || filepath.Ext(name) != "" {
		return strategy.Builtin{}, usagef("--format html draws built-in strategies; for %s, see backtester preview --format html and report --format html", name)
	}
	_, err := strategy.FindBuiltin(name)
	return strategy.Builtin{}, &usageError{err}
}
