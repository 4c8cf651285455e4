package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"backtester/backtest/instrument"
	"backtester/polygon"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// fetchOptions of `backtester fetch`.
type fetchOptions struct {
	*app
	asset    string
	datasets []string
	source   string
	symbols  []string
	from, to string
	since    string
	workers  int
	dryRun   bool
	events   bool
	byDate   bool
	verify   bool
	prune    bool
	verbose  bool
}

func newFetch(a *app) *cobra.Command {
	o := &fetchOptions{app: a}
	c := &cobra.Command{
		Use:   "fetch",
		Short: "Download the vendor's data into the local store, only what is missing",
		Long: `Download the vendor's data into the local store: only what is missing or has changed there.

Without flags it brings up to date what fetch_datasets and fetch_since of the settings say,
else what the store has bars of (daily bars when it has none), with the splits, dividends,
tickers and holidays that are due.

Flat files need BACKTESTER_S3_ACCESS_KEY_ID and BACKTESTER_S3_SECRET_ACCESS_KEY (or
AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY); splits, dividends and tickers need
POLYGON_API_KEY. With --source rest the API key is all it takes: daily bars come one request
a session, or with --symbols one request a symbol and year (minutes: month). Set the keys in
the environment, in .env or in the config file; they are never arguments. Requests keep to
five a minute once the vendor says so; BACKTESTER_POLYGON_PER_MINUTE sets another pace.

--asset fetches another class than stocks: options, indices, crypto or forex, days and
minutes. Each has a store of its own, which run and preview take as --store crypto, and the
calendar of its market: dates in UTC for crypto (all) and forex (Sunday to Friday), the
sessions of the exchanges for options and indices. All are traded like stocks: rule 4.11 of
backtest/RULES.md says what is not right about that, and results warn of it.

--verify reads every byte of the store and of the downloads, names what has changed, sets it
aside and has it again. --prune removes downloads whose bars are in the store. Ctrl-C is
safe: the next fetch goes on where this one stopped.`,
		Example: `  backtester fetch
  backtester fetch --dataset day --from 2024-01-02 --to 2024-12-31
  backtester fetch --dataset day,minute --since 2y --dry-run
  backtester fetch --source rest --dataset minute --symbols AAPL,MSFT --since 6m
  backtester fetch --dataset tickers --by-date --since 5y
  backtester fetch --asset crypto --dataset day --since 5y
  backtester fetch --verify`,
		Args: arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.fetch(cmd.Context()) },
	}
	f := c.Flags()
	f.StringSliceVar(&o.datasets, "dataset", nil, "`NAMES` of what to fetch: day, minute, actions, tickers, calendar, all")
	f.StringVar(&o.asset, "asset", string(flatfile.Stocks), "`CLASS` to fetch: stocks, options, indices, crypto, forex")
	f.StringVar(&o.source, "source", "", "`NAME` of where bars come from: flatfiles or rest (default flatfiles)")
	f.StringSliceVar(&o.symbols, "symbols", nil, "`TICKERS` to fetch alone, with --source rest")
	f.StringVar(&o.from, "from", "", "first session, `YYYY-MM-DD` (default the first there is)")
	f.StringVar(&o.to, "to", "", "last session, `YYYY-MM-DD` (default today)")
	f.StringVar(&o.since, "since", "", "first session as a `SPAN` back from today: 30d, 6m, 5y")
	f.IntVar(&o.workers, "workers", 4, "parallel downloads, 1 to 64")
	f.BoolVar(&o.dryRun, "dry-run", false, "only say what would be fetched, and how much")
	f.BoolVar(&o.events, "events", false, "with tickers: ask for every security's ticker changes, one request each")
	f.BoolVar(&o.byDate, "by-date", false, "with tickers: the lists of every quarter too, for universe.type by date; a dozen requests each")
	f.BoolVar(&o.verify, "verify", false, "first check every byte on disk; what is damaged is fetched again")
	f.BoolVar(&o.prune, "prune", false, "at the end remove downloads whose bars are in the store")
	f.BoolVar(&o.verbose, "verbose", false, "log every step to standard error")
	return c
}

func (o *fetchOptions) fetch(ctx context.Context) error {
	options, err := o.options()
	if err != nil {
		return err
	}
	sum, err := polygon.Sync(ctx, options)
	for _, w := range sum.Warnings {
		o.warn(w.Code, w.Message)
	}
	if shown := o.summary(sum); err == nil {
		err = shown
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(o.io.Err, "what is complete stays; the same command goes on from here")
	}
	return err
}

// options checks the flags and joins them with the settings.
func (o *fetchOptions) options() (polygon.Options, error) {
	if err := o.complete(); err != nil {
		return polygon.Options{}, err
	}
	if err := o.housed(); err != nil {
		return polygon.Options{}, err
	}
	level := slog.LevelWarn
	if o.verbose {
		level = slog.LevelDebug
	}
	p := polygon.Options{
		Asset: flatfile.Asset(o.asset), Datasets: o.datasets, Source: o.source, Symbols: o.symbols,
		Workers: o.workers, DryRun: o.dryRun, Events: o.events, ByDate: o.byDate, Verify: o.verify, Prune: o.prune,
		RawDir: filepath.Join(o.settings.get("data_dir"), "raw"), StoreDir: o.storeDir(),
		S3: bucket.Config{
			Endpoint: o.settings.get("s3_endpoint"), Name: o.settings.get("s3_bucket"),
			AccessKey: o.settings.get("s3_access_key_id"), SecretKey: o.settings.get("s3_secret_access_key"),
		},
		REST: reference.Config{BaseURL: o.settings.get("polygon_url"), Key: o.settings.get("polygon_api_key"), Now: o.io.Now},
		Now:  o.io.Now,
		Log:  slog.New(slog.NewTextHandler(o.io.Err, &slog.HandlerOptions{Level: level})),
	}
	if n := o.settings.get("polygon_per_minute"); n != "" {
		p.REST.PerMinute, _ = strconv.Atoi(n) // checked when it was read
	}
	if p.Asset != flatfile.Stocks {
		p.StoreDir = o.importedDir(o.asset)
	}
	if o.io.ErrTerminal {
		p.Progress = &fetchBar{io: o.io}
	}
	return p, o.dates(&p)
}

// complete takes what no flag says from the settings and refuses words it does not know.
func (o *fetchOptions) complete() error {
	var classes []string
	for _, a := range flatfile.Assets() {
		classes = append(classes, string(a))
	}
	if err := oneOf(classes...)(o.asset); err != nil {
		return usagef("--asset %q: %w", o.asset, err)
	}
	stocks := o.asset == string(flatfile.Stocks) // what settings say is about them
	if stocks && len(o.datasets) == 0 {
		o.datasets = listed(o.settings.get("fetch_datasets"))
	}
	if stocks && o.source == "" {
		o.source = o.settings.get("fetch_source")
	}
	if stocks && len(o.symbols) == 0 && o.source == polygon.REST {
		o.symbols = listed(o.settings.get("fetch_symbols"))
	}
	if o.from == "" && o.since == "" {
		o.since = o.settings.get("fetch_since")
	}
	if err := datasetNames(strings.Join(o.datasets, ",")); err != nil {
		return usagef("--dataset: %w", err)
	}
	sources := []string{polygon.FlatFiles, polygon.REST}
	switch {
	case o.source != "" && o.source != polygon.FlatFiles && o.source != polygon.REST:
		return usagef("unknown --source %q%s: want flatfiles or rest", o.source, suggest(o.source, sources))
	case len(o.symbols) > 0 && o.source != polygon.REST:
		return usagef("--symbols %s: flat files hold the whole market; single symbols come with --source rest", strings.Join(o.symbols, ","))
	case o.from != "" && o.since != "":
		return usagef("--from and --since both say where to begin: give one")
	case o.workers < 1 || o.workers > 64:
		return usagef("--workers %d: want 1 to 64", o.workers)
	}
	return nil
}

// listed are the words of a setting.
func listed(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

// dates fills in the range.
func (o *fetchOptions) dates(p *polygon.Options) error {
	for _, d := range []struct {
		flag, text string
		to         *instrument.Date
	}{{"--from", o.from, &p.From}, {"--to", o.to, &p.To}} {
		if d.text == "" {
			continue
		}
		date, err := instrument.ParseDate(d.text)
		if err != nil {
			return usagef("%s: %w", d.flag, err)
		}
		*d.to = date
	}
	if o.since != "" {
		n, unit, err := span(o.since)
		if err != nil {
			return usagef("--since: %w", err)
		}
		now := o.io.Now()
		switch unit {
		case 'd':
			now = now.AddDate(0, 0, -n)
		case 'm':
			now = now.AddDate(0, -n, 0)
		case 'y':
			now = now.AddDate(-n, 0, 0)
		}
		p.From = instrument.DateOf(now)
	}
	if p.From != 0 && p.To != 0 && p.From > p.To {
		return usagef("the first session %s is after --to %s", p.From, p.To)
	}
	return nil
}

// datasetNames checks a list of datasets.
func datasetNames(text string) error {
	for _, d := range listed(text) {
		if !slices.Contains(polygon.DatasetNames(), d) {
			return fmt.Errorf("unknown dataset %q%s: want %s", d, suggest(d, polygon.DatasetNames()), strings.Join(polygon.DatasetNames(), ", "))
		}
	}
	return nil
}

// sinceSpan checks a span.
func sinceSpan(text string) error {
	_, _, err := span(text)
	return err
}

// span reads a length of time such as 30d, 6m, 5y.
func span(text string) (n int, unit byte, err error) {
	bad := fmt.Errorf("read span %q: want days, months or years, such as 30d, 6m, 5y", text)
	if len(text) < 2 {
		return 0, 0, bad
	}
	unit = text[len(text)-1]
	n, err = strconv.Atoi(text[:len(text)-1])
	if err != nil || n < 1 || n > 36500 || !strings.ContainsRune("dmy", rune(unit)) {
		return 0, 0, bad
	}
	return n, unit, nil
}

// summary prints what was done, or with --dry-run what would be.
func (o *fetchOptions) summary(s *polygon.Summary) error {
	header := []string{"dataset", "from", "to", "listed", "missing", "size", "fetched", "loaded", "bars", "left out"}
	var rows [][]string
	for _, b := range s.Bars {
		rows = append(rows, []string{
			string(b.Dataset), sessionOrNone(b.First, b.Listed), sessionOrNone(b.Last, b.Listed), strconv.Itoa(b.Listed), strconv.Itoa(b.Missing), megabytes(b.Bytes),
			strconv.Itoa(b.Fetched), strconv.Itoa(b.Loaded), strconv.FormatInt(b.Rows, 10), strconv.FormatInt(b.LeftOut, 10),
		})
	}
	if len(rows) > 0 {
		if err := o.table(o.io.Out, header, rows, 3, 4, 5, 6, 7, 8, 9); err != nil {
			return err
		}
	}
	if r := s.Reference; r != nil && !s.DryRun {
		fmt.Fprintf(o.io.Out, "reference: %d instruments, %d splits, %d dividends, %d holidays\n", r.Instruments, r.Splits, r.Dividends, r.Holidays)
	}
	for _, d := range s.Damaged {
		if d.Healed {
			fmt.Fprintf(o.io.Out, "%s; set right\n", d)
		}
	}
	if s.Pruned.Files > 0 {
		fmt.Fprintf(o.io.Out, "pruned: %d files, %s\n", s.Pruned.Files, megabytes(s.Pruned.Bytes))
	}
	if s.DryRun {
		o.dry(s)
	}
	return nil
}

// sessionOrNone is a session of a list, which has one unless it is empty.
func sessionOrNone(d instrument.Date, listed int) string {
	if listed == 0 {
		return "-"
	}
	return d.String()
}

// dry says what a fetch without --dry-run would cost.
func (o *fetchOptions) dry(s *polygon.Summary) {
	files, size, requests := 0, int64(0), 0
	for _, b := range s.Bars {
		if b.Requests > 0 {
			requests += b.Requests
		} else {
			files, size = files+b.Missing, size+b.Bytes
		}
	}
	// A bar is some 15 bytes in a flat file and 52 in the store; the download is kept until --prune.
	fmt.Fprintf(o.io.Out, "would download %d files, %s, and store about %s more\n", files, megabytes(size), megabytes(size*52/15))
	if requests > 0 {
		fmt.Fprintf(o.io.Out, "would make at least %d requests: %d minutes at the 5 a minute of the free plan\n", requests, (requests+4)/5)
	}
	if len(s.Due) > 0 {
		fmt.Fprintf(o.io.Out, "would ask for %s\n", strings.Join(s.Due, ", "))
	}
	fmt.Fprintln(o.io.Out, "dry run: nothing was fetched or stored")
}

func megabytes(bytes int64) string {
	return strconv.FormatFloat(float64(bytes)/1e6, 'f', 1, 64) + " MB"
}

// fetchBar draws downloads on a terminal.
type fetchBar struct {
	io    IO
	bar   *progressbar.ProgressBar
	files bool // their sizes are not known: they are counted
}

var _ polygon.Progress = (*fetchBar)(nil)

// Start is called before the first download.
func (b *fetchBar) Start(files int, bytes int64) {
	b.files = bytes == 0
	total := bytes
	if b.files {
		total = int64(files)
	}
	b.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(b.io.Err),
		progressbar.OptionSetDescription(fmt.Sprintf("%d files", files)), progressbar.OptionShowBytes(!b.files),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish())
}

// File is called when one is complete.
func (b *fetchBar) File(_ string, bytes int64) {
	if b.files {
		bytes = 1
	}
	_ = b.bar.Add64(bytes) // a bar that cannot be drawn is no reason to stop
}

// Done is called after the last download, also after an interruption.
func (b *fetchBar) Done() { _ = b.bar.Clear() }
