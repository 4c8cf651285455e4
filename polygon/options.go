package polygon

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// Datasets that Options.Datasets may name.
const (
	Day      = "day"
	Minute   = "minute"
	Actions  = "actions"  // splits and dividends
	Tickers  = "tickers"  // listed and delisted, and their changes
	Calendar = "calendar" // coming holidays
	All      = "all"
)

// DatasetNames in the order in which they are shown.
func DatasetNames() []string { return []string{Day, Minute, Actions, Tickers, Calendar, All} }

// Sources of bars.
const (
	FlatFiles = "flatfiles" // S3: whole sessions of the whole market
	REST      = "rest"      // the REST API, for plans without flat files
)

// FirstSession is the first the vendor has files of.
func FirstSession() instrument.Date { return instrument.NewDate(2003, time.September, 10) }

// Options of Sync.
type Options struct {
	Asset flatfile.Asset // zero means stocks; every class has a store of its own, and stocks alone have reference data
	// Datasets to bring up to date. None means what the store has bars of, daily ones when it has none,
	// from the first session it has on, and the reference data that is due.
	Datasets []string
	Source   string           // of bars: FlatFiles, the default, or REST
	Symbols  []string         // with REST: these alone; needed for its minutes, daily bars come for all without
	From, To instrument.Date  // sessions, inclusive; zero From means the first there is, zero To means today
	RawDir   string           // where downloads are kept, verbatim
	StoreDir string           // where bars go
	S3       bucket.Config    // needed for bars from FlatFiles
	REST     reference.Config // Key is needed for bars from REST; without it others come with a warning of what is missing
	Workers  int              // parallel downloads, default 4
	DryRun   bool             // list only: say what would be fetched and how much
	Events   bool             // with tickers: also ask for every security's ticker changes, one request each
	ByDate   bool             // with tickers: also ask for the lists of the first session of every quarter, some dozen requests each
	Verify   bool             // first read every byte there is; what is damaged is set aside and had again
	Prune    bool             // at the end remove downloads whose bars are in the store

	Now      func() time.Time // never nil
	Log      *slog.Logger     // nil means silent
	Progress Progress         // nil means none
}

// Progress is told how downloads go on. Calls never overlap.
type Progress = bucket.Progress

// syncer is one Sync at work.
type syncer struct {
	Options
	sum     *Summary
	today   instrument.Date // in New York
	mirror  *bucket.Mirror  // nil in a dry run
	bucket  *bucket.Bucket  // nil unless bars come from flat files
	client  *reference.Client
	have    map[string]bucket.Entry
	decoder *flatfile.Decoder                      // of files that came symbol by symbol
	lost    map[flatfile.Dataset][]instrument.Date // sessions that were set aside as damaged
}

// wants reports whether reference data of the name was asked for.
func (o *Options) wants(name string) bool {
	return slices.Contains(o.Datasets, name) || slices.Contains(o.Datasets, All)
}

// onlyReference reports that no bars are wanted.
func (o *Options) onlyReference() bool {
	return len(o.Datasets) > 0 && !o.wants(Day) && !o.wants(Minute)
}

// check fills defaults and refuses what cannot work, before anything is touched.
func (o *Options) check() error {
	for _, d := range o.Datasets {
		if !slices.Contains(DatasetNames(), d) {
			return fmt.Errorf("fetch dataset %q: want one of %s", d, strings.Join(DatasetNames(), ", "))
		}
	}
	if err := o.checkAsset(); err != nil {
		return err
	}
	if o.Now == nil || o.RawDir == "" || o.StoreDir == "" {
		return fmt.Errorf("BUG: Sync needs a clock and folders")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	today := bar.NYSE().DateOf(o.Now().UnixNano())
	for _, d := range []*instrument.Date{&o.From, &o.To} {
		if *d == 0 {
			*d = instrument.None
		}
	}
	if o.To == instrument.None || o.To > today {
		o.To = today
	}
	if o.From != instrument.None && o.From > o.To {
		return fmt.Errorf("fetch from %s to %s: the range is empty", o.From, o.To)
	}
	return o.checkSource()
}

// checkAsset refuses what there is of stocks only.
func (o *Options) checkAsset() error {
	if o.Asset == "" {
		o.Asset = flatfile.Stocks
	}
	if !slices.Contains(flatfile.Assets(), o.Asset) {
		return fmt.Errorf("fetch asset %q: want one of %v", o.Asset, flatfile.Assets())
	}
	if o.Asset == flatfile.Stocks {
		return nil
	}
	for _, d := range o.Datasets {
		if d != Day && d != Minute {
			return fmt.Errorf("fetch %s of %s: there are days and minutes; %s is for stocks", d, o.Asset, d)
		}
	}
	if o.Source == REST {
		return fmt.Errorf("fetch %s from REST: it is built for stocks only; take them from %s", o.Asset, FlatFiles)
	}
	return nil
}

// units are the datasets of bars of the asset class.
func (o *Options) units() []flatfile.Dataset {
	return []flatfile.Dataset{flatfile.Of(o.Asset, flatfile.Day), flatfile.Of(o.Asset, flatfile.Minute)}
}

func (o *Options) checkSource() error {
	switch o.Source {
	case "":
		o.Source = FlatFiles
	case FlatFiles, REST:
	default:
		return fmt.Errorf("fetch from source %q: want %s or %s", o.Source, FlatFiles, REST)
	}
	if o.Source == FlatFiles && len(o.Symbols) > 0 {
		return fmt.Errorf("fetch %s from flat files: they hold the whole market and cannot be had by symbol; leave the symbols out or take them from source %s",
			strings.Join(o.Symbols[:min(3, len(o.Symbols))], ","), REST)
	}
	if o.Source == REST && o.wants(Minute) && len(o.Symbols) == 0 {
		return fmt.Errorf("fetch minutes from REST: it gives them symbol by symbol; say which, or take them from %s", FlatFiles)
	}
	for _, s := range o.Symbols {
		if err := instrument.CheckTicker(s); err != nil {
			return fmt.Errorf("fetch symbol: %w", err)
		}
	}
	if o.REST.Key == "" && (o.onlyReference() || o.Source == REST) {
		_, err := reference.Open(o.REST)
		return fmt.Errorf("fetch %s: %w: %w", strings.Join(o.Datasets, ","), ErrUnauthorized, err)
	}
	return nil
}

func (o *Options) referenceDir() string { return filepath.Join(o.RawDir, "reference") }

// closuresDir is where the days are written down on which the market of the class was closed.
func (o *Options) closuresDir() string {
	if o.Asset.Calendar() == bar.NYSE() {
		return o.referenceDir()
	}
	return filepath.Join(o.referenceDir(), string(o.Asset))
}

// open checks the settings of the source of bars; it does not connect.
func (s *syncer) open() (err error) {
	if s.REST.Key != "" {
		if s.client, err = reference.Open(s.REST); err != nil {
			return err
		}
	}
	if s.onlyReference() || s.Source == REST {
		return nil
	}
	s.bucket, err = bucket.Open(s.S3)
	if err == nil && s.S3.Insecure() {
		s.sum.warn("insecure_endpoint", "the S3 endpoint %s is not encrypted: anyone on the way can read and change the data; use https://", s.S3.Endpoint)
	}
	return err
}
