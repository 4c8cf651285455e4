package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"backtester/backtest/bar"
	"backtester/backtest/barfile"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// exportOptions of `backtester data export`.
type exportOptions struct {
	dataOptions
	symbols, from, to, out, adjust string
	extended, all                  bool
}

func newDataExport(a *app) *cobra.Command {
	o := &exportOptions{dataOptions: dataOptions{app: a}}
	c := &cobra.Command{
		Use: "export --symbols A,B", Short: "Write stored bars as CSV, Parquet or Arrow, raw prices as traded",
		Long: `Write stored bars as CSV, Parquet (zstd) or Arrow (IPC file, also called Feather), which pandas,
polars, DuckDB and others open: columns symbol, date or time (UTC), open, high, low, close, volume.

Prices are those that traded. With --adjust split, prices and volume before a split are restated for
the share basis of the last bar written; with --adjust total, prices for cash dividends too.
The raw CSV of a single symbol can be given back to run --bars, any raw one to data import.`,
		Example: "  backtester data export --symbols ACME --from 2024-01-01 > acme.csv\n  backtester data export --symbols ACME,MKT --frame 5m --format parquet --out bars.parquet\n  backtester data export --all --adjust total --format arrow --out all.arrow",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.export(cmd.Context()) },
	}
	o.flags(c.Flags(), exportFormats()...)
	o.frameFlag(c.Flags())
	f := c.Flags()
	f.StringVar(&o.symbols, "symbols", "", "`TICKERS`, separated by commas")
	f.BoolVar(&o.all, "all", false, "every stored symbol, delisted ones included")
	f.StringVar(&o.adjust, "adjust", string(bar.AdjustRaw), "restate prices: raw, `split` or total")
	f.StringVar(&o.from, "from", "", "first session, `YYYY-MM-DD`")
	f.StringVar(&o.to, "to", "", "last session, `YYYY-MM-DD`")
	f.StringVar(&o.out, "out", "", "write to this `FILE` instead of standard output")
	f.BoolVar(&o.extended, "extended", false, "minutes before the open and after the close too")
	return c
}

func exportFormats() []string { return []string{barfile.CSV, barfile.Parquet, barfile.Arrow} }

func (o *exportOptions) export(ctx context.Context) error {
	if err := checkFormat(o.format, exportFormats()...); err != nil {
		return err
	}
	adjusts := []string{string(bar.AdjustRaw), string(bar.AdjustSplit), string(bar.AdjustTotal)}
	if !slices.Contains(adjusts, o.adjust) {
		return usagef("unknown --adjust %q%s: want raw, split or total", o.adjust, suggest(o.adjust, adjusts))
	}
	if o.format != barfile.CSV && o.out == "" && o.io.OutTerminal {
		return usagef("--format %s is not for terminals: use --out FILE", o.format)
	}
	requests, err := o.requests()
	if err != nil {
		return err
	}
	s, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if o.all {
		if requests, err = o.everyone(ctx, s, requests[0]); err != nil {
			return err
		}
	}
	write := func(w io.Writer) error { return o.write(ctx, w, s, requests) }
	if o.out == "" {
		return write(o.io.Out)
	}
	if err := writeFile(o.out, write); err != nil {
		return fmt.Errorf("write %s: %w", o.out, err)
	}
	return nil
}

// everyone asks for all that is covered. An instrument is named by the last ticker that it had in the
// range, on the last day that it had it, and its bars carry that name.
func (o *exportOptions) everyone(ctx context.Context, s *store.Store, like bar.Request) ([]bar.Request, error) {
	all, err := s.Coverage(ctx, like.Frame)
	if err != nil {
		return nil, err
	}
	var list []bar.Request
	for _, c := range all {
		if c.Last < like.From || c.First > like.To {
			continue
		}
		r := like
		for _, span := range c.Instrument.Spans {
			if span.From <= like.To {
				r.Symbol, r.To = span.Ticker, min(like.To, span.To)
			}
		}
		list = append(list, r)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("export from %s: no bars in the range: %w", s.Name(), bar.ErrNoData)
	}
	return list, nil
}

// write loads one symbol after the other, so that memory does not grow with their number. Of one
// named by --symbols there must be bars.
func (o *exportOptions) write(ctx context.Context, w io.Writer, s *store.Store, requests []bar.Request) error {
	out, err := barfile.NewExporter(w, o.format, requests[0].Frame)
	if err != nil {
		return err
	}
	for _, r := range requests {
		series, err := s.Load(ctx, r)
		if o.all && errors.Is(err, bar.ErrNoData) {
			continue // it traded before and after the range
		}
		if err != nil {
			return err
		}
		adjusted, skipped := barfile.Adjusted(series, bar.Adjust(o.adjust), s.Calendar())
		if len(skipped) > 0 {
			o.warn("dividend_skipped", fmt.Sprintf("%s: %d dividends not smaller than the price restate nothing", r.Symbol, len(skipped)))
		}
		if err := out.Add(adjusted); err != nil {
			return err
		}
	}
	return out.Close()
}

// requests are the flags as questions to the store.
func (o *exportOptions) requests() ([]bar.Request, error) {
	if (o.symbols == "") != o.all {
		return nil, usagef("say which symbols to export: either --symbols A,B or --all")
	}
	frame, err := bar.ParseFrame(o.frame)
	if err != nil {
		return nil, &usageError{err}
	}
	r := bar.Request{Frame: frame, From: instrument.None, To: instrument.Forever, Session: bar.Regular}
	if o.extended {
		r.Session = bar.Extended
	}
	for _, d := range []struct {
		text string
		to   *instrument.Date
	}{{o.from, &r.From}, {o.to, &r.To}} {
		if d.text != "" {
			if *d.to, err = instrument.ParseDate(d.text); err != nil {
				return nil, &usageError{err}
			}
		}
	}
	if r.From > r.To {
		return nil, usagef("--from %s is after --to %s", r.From, r.To)
	}
	var list []bar.Request
	for _, symbol := range strings.Split(o.symbols, ",") {
		r.Symbol = strings.TrimSpace(symbol)
		list = append(list, r)
	}
	return list, nil
}
