package cmd

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"backtester/backtest"
	"backtester/backtest/store"
)

func newDemo(a *app) *cobra.Command {
	o := &runOptions{app: a}
	c := &cobra.Command{
		Use:   "demo",
		Short: "See everything at once on a made-up market: no data, keys or network needed",
		Long: `See everything at once on a made-up market: no data, keys or network needed.

Writes the demo market as flat files in the vendor's format, loads them with the code that
loads real ones, backtests three built-in strategies on it, shows the results and writes a
tearsheet, tables and JSON for each. All prices are synthetic.`,
		Example: "  backtester demo\n  backtester demo --out here/",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.demo(cmd.Context()) },
	}
	o.output.flags(c.Flags())
	return c
}

// demoRuns are the strategies that the demo shows and the symbols they trade.
func demoRuns() []struct{ name, symbols string } {
	return []struct{ name, symbols string }{
		{"golden-cross", "ACME,DRIFT,MKT,NEWCO,SPLIT,SURGE"},
		{"rsi-dip", "ACME,CHOP,MKT,PULSE,STEEL"},
		{"donchian-breakout", "FLASH,METAL,OILY,SPLIT,SURGE"},
	}
}

func (o *runOptions) demo(ctx context.Context) error {
	started := o.io.Now()
	if err := errors.Join(o.output.check(), writable(o.out)); err != nil {
		return err
	}
	dir, err := o.ensureDemo(ctx)
	if err != nil {
		return err
	}
	src, err := store.Open(dir)
	if err != nil {
		return err
	}
	defer src.Close()
	var results []*backtest.Result
	for _, r := range demoRuns() {
		s := selection{symbols: r.symbols, set: []string{"benchmark=MKT"}}
		file, err := s.read(o.app, r.name)
		if err != nil {
			return err
		}
		res, err := backtest.Run(ctx, file, src)
		if err != nil {
			return err
		}
		results = append(results, res)
	}
	if o.out == "" {
		o.out = filepath.Join(o.demoDir(), "results")
	}
	o.extras = extrasFor(ctx, src)
	if err := o.output.write(o.app, results); err != nil {
		return err
	}
	fmt.Fprintf(o.io.Err, `
SYNTHETIC DATA: the demo market is made up; nothing here says anything about real prices.
It lies in %s as flat files (raw/) and as a store (store/).
Took %.1f s. Next, try:

`, o.demoDir(), o.io.Now().Sub(started).Seconds())
	for _, args := range []string{
		"preview golden-cross --symbols ACME",
		"run golden-cross --symbols ACME,MKT --from 2015-01-01",
		"strategy show golden-cross > my.yaml",
		"run my.yaml --symbols ACME --set costs.slippage.bps=5",
		"data ls",
		"serve",
	} {
		fmt.Fprintf(o.io.Err, "  %s %s\n", o.io.program(), args)
	}
	return nil
}
