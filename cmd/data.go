package cmd

import (
	"context"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

// dataOptions are shared by the commands below `backtester data`.
type dataOptions struct {
	*app
	demo   bool
	frame  string
	format string
}

func newData(a *app) *cobra.Command {
	return group("data", "Look at the stored data, check it, take your own in, write it out",
		newDataList(a), newDataShow(a), newDataActions(a), newDataCoverage(a), newDataCalendar(a),
		newDataCheck(a), newDataImport(a), newDataExport(a), newDataVerify(a), newDataCompact(a))
}

func (o *dataOptions) flags(f *pflag.FlagSet, formats ...string) {
	f.BoolVar(&o.demo, "demo", false, "look at the demo market even if there is vendor data: the same as --store demo")
	if len(formats) > 0 {
		formatFlag(f, &o.format, formats...)
	}
}

func (o *dataOptions) frameFlag(f *pflag.FlagSet) {
	f.StringVar(&o.frame, "frame", "1d", "`LENGTH` of bars: 1d, 1m, 5m, 1h, 1w, ...")
}

// open the store that --store or --demo names.
func (o *dataOptions) open(ctx context.Context) (*store.Store, error) {
	if o.demo {
		o.settings.values["store"] = demoStore
	}
	s, standIn, err := o.openStore(ctx)
	if err == nil && standIn {
		o.warn("synthetic_data", "there is no vendor data: this is the demo market")
	}
	return s, err
}

func newDataList(a *app) *cobra.Command {
	o := &dataOptions{app: a}
	c := &cobra.Command{
		Use: "ls", Short: "List the symbols with their first and last session",
		Example: "  backtester data ls\n  backtester data ls --frame 1m --format json",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.list(cmd.Context()) },
	}
	o.flags(c.Flags(), "table", "json", "csv")
	o.frameFlag(c.Flags())
	return c
}

// tickerInfo is one row of `data ls` as JSON.
type tickerInfo struct {
	Ticker   string `json:"ticker"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	First    string `json:"first"`
	Last     string `json:"last"`
	Bars     int64  `json:"bars"`
	Delisted string `json:"delisted"`
}

func (o *dataOptions) list(ctx context.Context) error {
	if err := checkFormat(o.format, "table", "json", "csv"); err != nil {
		return err
	}
	frame, err := bar.ParseFrame(o.frame)
	if err != nil {
		return &usageError{err}
	}
	s, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	coverage, err := s.Coverage(ctx, frame)
	if err != nil {
		return err
	}
	infos := make([]tickerInfo, len(coverage))
	rows := make([][]string, len(coverage))
	for i, c := range coverage {
		x := c.Instrument
		infos[i] = tickerInfo{x.Ticker, x.Name, x.Type, c.First.String(), c.Last.String(), c.Bars, x.Delisted.String()}
		rows[i] = []string{x.Ticker, infos[i].First, infos[i].Last, strconv.FormatInt(c.Bars, 10), x.Type, infos[i].Delisted, x.Name}
	}
	header := []string{"ticker", "first", "last", "bars", "type", "delisted", "name"}
	switch o.format {
	case "json":
		return writeJSON(o.io.Out, infos)
	case "csv":
		return o.writeCSV(header, rows)
	}
	return o.table(o.io.Out, header, rows, 3)
}

// writeCSV prints rows under a header.
func (a *app) writeCSV(header []string, rows [][]string) error {
	return csv.NewWriter(a.io.Out).WriteAll(append([][]string{header}, rows...))
}

func newDataShow(a *app) *cobra.Command {
	o := &dataOptions{app: a}
	c := &cobra.Command{
		Use: "show SYMBOL", Short: "Show one symbol: its tickers over time, splits and dividends",
		Example: "  backtester data show NEWCO\n  backtester data show SPLIT --format json",
		Args:    arguments(1, 1, "a symbol"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.show(cmd.Context(), args[0]) },
	}
	o.flags(c.Flags(), "table", "json")
	return c
}

func (o *dataOptions) show(ctx context.Context, symbol string) error {
	if err := checkFormat(o.format, "table", "json"); err != nil {
		return err
	}
	s, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	who, actions, err := s.Actions(symbol)
	if err != nil {
		return err
	}
	if o.format == "json" {
		return writeJSON(o.io.Out, infoOfInstrument(who, actions))
	}
	fmt.Fprintf(o.io.Out, "%s  %s\nid %s, type %s, exchange %s\n", who.Ticker, who.Name, who.ID, orUnknown(who.Type), orUnknown(who.Exchange))
	if who.Delisted != instrument.None {
		fmt.Fprintf(o.io.Out, "not listed from %s on\n", who.Delisted)
	}
	var rows [][]string
	for _, x := range who.Spans {
		rows = append(rows, []string{"ticker", x.From.String(), "as " + x.Ticker})
	}
	for _, x := range who.Types {
		rows = append(rows, []string{"type", x.From.String(), "listed as " + x.Type})
	}
	for _, x := range actions.Splits {
		rows = append(rows, []string{"split", x.Ex.String(), decimal(x.From) + " become " + decimal(x.To)})
	}
	for _, x := range actions.Dividends {
		rows = append(rows, []string{"dividend", x.Ex.String(), decimal(x.Cash) + " USD, paid " + orUnknown(x.Pay.String())})
	}
	fmt.Fprintln(o.io.Out)
	return o.table(o.io.Out, []string{"event", "date", "what"}, rows)
}

// instrumentInfo is one symbol as JSON. Dates are YYYY-MM-DD, "" when unknown.
type instrumentInfo struct {
	ID        instrument.ID   `json:"id"`
	Ticker    string          `json:"ticker"`
	Name      string          `json:"name"`
	Type      string          `json:"type"`
	Types     []typeInfo      `json:"types"` // by date, as lists of tickers said
	Exchange  string          `json:"exchange"`
	Delisted  instrument.Date `json:"delisted"`
	Spans     []spanInfo      `json:"tickers"`
	Splits    []splitInfo     `json:"splits"`
	Dividends []dividendInfo  `json:"dividends"`
}

type spanInfo struct {
	Ticker string          `json:"ticker"`
	From   instrument.Date `json:"from"`
	To     instrument.Date `json:"to"` // "forever" while in use
}

type typeInfo struct {
	From instrument.Date `json:"from"`
	Type string          `json:"type"`
}

type splitInfo struct {
	Ex   instrument.Date `json:"ex"`
	From float64         `json:"from"` // old shares
	To   float64         `json:"to"`   // new shares
}

type dividendInfo struct {
	Ex   instrument.Date `json:"ex"`
	Pay  instrument.Date `json:"pay"`
	Cash float64         `json:"cash"` // USD a share

	Declared instrument.Date `json:"declared,omitzero"`
}

func infoOfInstrument(who instrument.Instrument, actions instrument.Actions) instrumentInfo {
	info := instrumentInfo{ID: who.ID, Ticker: who.Ticker, Name: who.Name, Type: who.Type, Exchange: who.Exchange, Delisted: who.Delisted,
		Types: []typeInfo{}, Spans: []spanInfo{}, Splits: []splitInfo{}, Dividends: []dividendInfo{}}
	for _, x := range who.Types {
		info.Types = append(info.Types, typeInfo(x))
	}
	for _, x := range who.Spans {
		info.Spans = append(info.Spans, spanInfo(x))
	}
	for _, x := range actions.Splits {
		info.Splits = append(info.Splits, splitInfo(x))
	}
	for _, x := range actions.Dividends {
		info.Dividends = append(info.Dividends, dividendInfo(x))
	}
	return info
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func newDataVerify(a *app) *cobra.Command {
	o := &dataOptions{app: a}
	c := &cobra.Command{
		Use: "verify", Short: "Read every stored byte and compare checksums",
		Example: "  backtester data verify",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.verify(cmd.Context()) },
	}
	o.flags(c.Flags())
	return c
}

func (o *dataOptions) verify(ctx context.Context) error {
	s, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	faults, err := s.Verify(ctx)
	if err != nil {
		return err
	}
	if len(faults) == 0 {
		_, err := fmt.Fprintf(o.io.Out, "%s: every checksum is right\n", s.Name())
		return err
	}
	rows := make([][]string, len(faults))
	for i, f := range faults {
		rows[i] = []string{f.File, f.Ticker, f.What, f.Cure}
	}
	if err := o.table(o.io.Out, []string{"file", "ticker", "fault", "cure"}, rows); err != nil {
		return err
	}
	return &codeError{exitFailure}
}

func newDataCoverage(a *app) *cobra.Command {
	o := &dataOptions{app: a}
	c := &cobra.Command{
		Use: "coverage", Short: "Show for every year which sessions are stored and which are missing",
		Example: "  backtester data coverage",
		Args:    arguments(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.coverage(cmd.Context()) },
	}
	o.flags(c.Flags(), "table", "json")
	return c
}

// yearInfo is one row of `data coverage`.
type yearInfo struct {
	Dataset string   `json:"dataset"`
	Year    int      `json:"year"`
	Have    int      `json:"have"`     // sessions stored
	Of      int      `json:"sessions"` // on the calendar between the first and the last stored one
	Missing []string `json:"missing"`
}

func (o *dataOptions) coverage(ctx context.Context) error {
	if err := checkFormat(o.format, "table", "json"); err != nil {
		return err
	}
	s, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	infos := append(years(s, "day", bar.Daily), years(s, "minute", bar.Minutely)...)
	if o.format == "json" {
		return writeJSON(o.io.Out, infos)
	}
	rows := make([][]string, len(infos))
	for i, y := range infos {
		missing := strings.Join(y.Missing[:min(len(y.Missing), 3)], " ")
		if more := len(y.Missing) - 3; more > 0 {
			missing += fmt.Sprintf(" and %d more", more)
		}
		rows[i] = []string{y.Dataset, strconv.Itoa(y.Year), strconv.Itoa(y.Have), strconv.Itoa(y.Of), missing}
	}
	return o.table(o.io.Out, []string{"dataset", "year", "have", "sessions", "missing"}, rows, 2, 3)
}

// years compares the stored sessions of a frame with the calendar.
func years(s *store.Store, dataset string, f bar.Frame) []yearInfo {
	stored := s.Sessions(f)
	list := []yearInfo{}
	if len(stored) == 0 {
		return list
	}
	have := make(map[instrument.Date]bool, len(stored))
	for _, d := range stored {
		have[d] = true
	}
	for _, d := range s.Calendar().Sessions(stored[0], stored[len(stored)-1]) {
		year := d.Time().Year()
		if n := len(list); n == 0 || list[n-1].Year != year {
			list = append(list, yearInfo{Dataset: dataset, Year: year, Missing: []string{}})
		}
		y := &list[len(list)-1]
		y.Of++
		if have[d] {
			y.Have++
		} else {
			y.Missing = append(y.Missing, d.String())
		}
	}
	return list
}
