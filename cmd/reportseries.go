package cmd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/report"
)

// seriesOptions name files with a curve from elsewhere.
type seriesOptions struct {
	returns, equity   string
	benchmark, trades string
	name              string
	riskFree          float64
}

func (o *seriesOptions) flags(f *pflag.FlagSet) {
	f.StringVar(&o.returns, "returns", "", "report `FILE.csv` with date,return (fractions) instead of a run")
	f.StringVar(&o.equity, "equity", "", "report `FILE.csv` with date,equity instead of a run")
	f.StringVar(&o.benchmark, "benchmark", "", "compare it with `FILE.csv` of the same kind")
	f.StringVar(&o.trades, "trades", "", "take its trades from `FILE.csv`: entry_time,exit_time,pnl and what else is known")
	f.StringVar(&o.name, "name", "", "what to call it (default the file's name)")
	f.Float64Var(&o.riskFree, "risk-free", 0, "risk-free `FRACTION` a year, for the ratios of a curve")
}

func (o *seriesOptions) asked() bool { return o.returns != "" || o.equity != "" }

func (o *seriesOptions) check(runs int) error {
	switch {
	case o.returns != "" && o.equity != "":
		return usagef("--returns and --equity are two ways to give one curve: use one of them")
	case o.asked() && runs > 0:
		return usagef("--returns and --equity report a file instead of runs: leave the %d runs out, or report them by themselves", runs)
	case !o.asked() && runs == 0:
		return usagef("nothing to report: name a result, or a curve with --returns or --equity FILE.csv")
	case !o.asked() && (o.benchmark != "" || o.trades != "" || o.name != "" || o.riskFree != 0):
		return usagef("--benchmark, --trades, --name and --risk-free belong to a curve: give it with --returns or --equity FILE.csv")
	case !(o.riskFree > -1 && o.riskFree < 1):
		return usagef("--risk-free %g is not a rate a year: give a fraction, 0.02 for two percent", o.riskFree)
	}
	return nil
}

// read turns the files into a result.
func (o *seriesOptions) read() (*backtest.Result, error) {
	path, kind := o.returns, stats.Return
	if o.equity != "" {
		path, kind = o.equity, stats.Equity
	}
	sum := sha256.New()
	open := func(path string) (*bytes.Reader, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, input(fmt.Errorf("read series: %w", err))
		}
		fmt.Fprintf(sum, "%d\n", len(b))
		sum.Write(b)
		return bytes.NewReader(b), nil
	}
	s := report.Series{Name: o.name, RiskFree: o.riskFree}
	if s.Name == "" {
		s.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	r, err := open(path)
	if err != nil {
		return nil, err
	}
	if s.Curve, err = stats.ReadSeries(r, path, kind); err != nil {
		return nil, input(err)
	}
	if o.benchmark != "" {
		if r, err = open(o.benchmark); err != nil {
			return nil, err
		}
		b, err := stats.ReadSeries(r, o.benchmark, kind)
		if err != nil {
			return nil, input(err)
		}
		s.Benchmark = &b
	}
	if o.trades != "" {
		if r, err = open(o.trades); err != nil {
			return nil, err
		}
		if s.Trades, err = report.ReadTradesCSV(r, o.trades); err != nil {
			return nil, input(err)
		}
	}
	s.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if len(s.Curve.Equity) < 3 || math.IsNaN(s.Curve.Equity[0]) {
		return nil, fmt.Errorf("read %s: %d values, want at least 3 to say anything: %w", path, len(s.Curve.Equity), stats.ErrNoRows)
	}
	return report.FromSeries(s), nil
}
