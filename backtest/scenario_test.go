package backtest_test

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

var scenarioFiles = flag.String("scenarios", "testdata/scenarios/*.txt", "pattern of the scenario files that TestScenarios plays")

// Scenario files are the rules of the simulated market as a trader would check them with a pencil: a
// strategy, a few bars, and every fill that must come of it. See testdata/scenarios/README.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob(*scenarioFiles)
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenario files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			sc := readScenario(t, file)
			res, err := sc.run(false)
			if want := sc.section("error"); want != "" {
				if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(want)) {
					t.Fatalf("error %v, want one that contains %q", err, strings.TrimSpace(want))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			sc.check(t, res)
			sc.checkRepeats(t, res)
			sc.checkOrders(t)
			sc.checkJournal(t, res)
		})
	}
}

// scenario is one file: its comment names the rules it shows, and the traps that it keeps out of.
type scenario struct {
	file  string
	rules []string
	traps []string
	parts []txtar.File
}

var scenarioSections = []string{"strategy", "calendar", "actions", "fills", "decided", "equity", "benchmark", "trades", "counts", "ambiguity", "rebalances", "sleeves", "held", "books", "metrics", "data", "warnings", "orders", "error"}

func readScenario(t *testing.T, file string) *scenario {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a := txtar.Parse(data)
	sc := &scenario{file: file, parts: a.Files}
	for line := range strings.Lines(string(a.Comment)) {
		if rest, ok := strings.CutPrefix(line, "rules:"); ok {
			sc.rules = strings.Fields(rest)
		}
		if rest, ok := strings.CutPrefix(line, "traps:"); ok {
			sc.traps = strings.Fields(rest)
		}
	}
	if len(sc.rules) == 0 {
		t.Fatalf("%s names no rules", file)
	}
	outcome := false
	for _, f := range sc.parts {
		outcome = outcome || f.Name == "fills" || f.Name == "error"
		if !strings.HasPrefix(f.Name, "bars ") && !strings.HasPrefix(f.Name, "minutes ") && !strings.HasPrefix(f.Name, "file ") && !slices.Contains(scenarioSections, f.Name) {
			t.Fatalf("%s has a section %q, want bars SYMBOL, minutes SYMBOL, file NAME or one of %v", file, f.Name, scenarioSections)
		}
	}
	if !outcome {
		t.Fatalf("%s states neither fills nor an error", file)
	}
	return sc
}

func (sc *scenario) section(name string) string {
	for _, f := range sc.parts {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

// lines of a section without comments and blanks, split into fields.
func (sc *scenario) lines(name string) [][]string {
	var out [][]string
	for line := range strings.Lines(sc.section(name)) {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// run plays the scenario, with its symbols handed over in the order of the file or backwards.
func (sc *scenario) run(backwards bool) (*backtest.Result, error) {
	cfg, src, err := sc.setting(backwards)
	if err != nil {
		return nil, err
	}
	return backtest.Run(context.Background(), cfg, src)
}

// setting is what the scenario plays, and on what.
func (sc *scenario) setting(backwards bool) (*backtest.Config, bar.Source, error) {
	cfg, faults := strategy.Parse("strategy", []byte(sc.section("strategy")))
	if err := faults.Err(); err != nil {
		return nil, nil, err
	}
	for _, f := range sc.parts {
		if name, ok := strings.CutPrefix(f.Name, "file "); ok {
			cfg.Attach(name, f.Data)
		}
	}
	src, err := sc.source(cfg.Data, backwards)
	return cfg, src, err
}

// source makes the series of the sections bars and minutes, with the actions section.
func (sc *scenario) source(data strategy.Data, backwards bool) (bar.Source, error) {
	var all []*bar.Series
	for _, f := range sc.parts {
		name, bars := strings.CutPrefix(f.Name, "bars ")
		length := data.Bars
		if !bars {
			if name, bars = strings.CutPrefix(f.Name, "minutes "); !bars {
				continue
			}
			length = bar.Minutely
		}
		s, err := sc.series(f.Name, name, length)
		if err != nil {
			return nil, err
		}
		if length.Intraday() {
			s.Session = data.Session
		}
		all = append(all, s)
	}
	if backwards {
		slices.Reverse(all)
	}
	cal, err := bar.CalendarNamed(cmp.Or(strings.TrimSpace(sc.section("calendar")), "XNYS"))
	if err != nil {
		return nil, err
	}
	src, err := bar.NewMemory(cal, all...)
	if err != nil {
		return nil, err
	}
	return sc.inherited(src)
}

// handed is a source in which some tickers were those of other companies before.
type handed struct {
	reused
	former map[string]*bar.Series
	until  map[string]instrument.Date
}

// Load gives the bars of the company that had the ticker on the last day asked for.
func (h handed) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	ticker, former := r.Symbol, h.former[r.Symbol]
	if former == nil || r.To == instrument.None || r.To > h.until[ticker] {
		return h.Memory.Load(ctx, r)
	}
	r.Symbol = former.Symbol
	s, err := h.Memory.Load(ctx, r)
	if err != nil {
		return nil, err
	}
	other := *s
	other.Symbol = ticker
	return &other, nil
}

// inherited is src with what the actions say of former owners: TICKER was SYMBOL until DATE.
func (sc *scenario) inherited(src *bar.Memory) (bar.Source, error) {
	h := handed{reused{src, map[string][]bar.Owner{}}, map[string]*bar.Series{}, map[string]instrument.Date{}}
	for _, f := range sc.lines("actions") {
		if f[1] != "was" {
			continue
		}
		until, err := instrument.ParseDate(f[4])
		if err != nil {
			return nil, err
		}
		s, err := src.Load(context.Background(), bar.Request{Symbol: f[2], Frame: bar.Daily, From: instrument.None, To: instrument.None})
		if err != nil {
			return nil, err
		}
		h.former[f[0]], h.until[f[0]] = s, until
		h.owners[f[0]] = []bar.Owner{{Ticker: f[0], Instrument: &instrument.Instrument{ID: s.ID, Name: s.Symbol}, From: s.Date(0), To: until},
			{Ticker: f[0], Instrument: &instrument.Instrument{ID: instrument.ID(f[0])}, From: until + 1, To: instrument.Forever}}
	}
	if len(h.former) == 0 {
		return src, nil
	}
	return h, nil
}

func (sc *scenario) series(section, name string, frame bar.Frame) (*bar.Series, error) {
	s := &bar.Series{Symbol: name, ID: instrument.ID(name), Frame: frame, Delisted: instrument.None}
	columns := []*[]float64{&s.Open, &s.High, &s.Low, &s.Close, &s.Volume}
	for _, f := range sc.lines(section) {
		if f[0] == "date" || f[0] == "time" {
			continue
		}
		layout := time.DateOnly
		if frame.Intraday() {
			layout = time.RFC3339
		}
		at, err := time.Parse(layout, f[0])
		if err != nil {
			return nil, err
		}
		s.Time = append(s.Time, at.UnixNano())
		for k, c := range columns {
			x := math.NaN()
			if k+1 < len(f) {
				if x, err = strconv.ParseFloat(f[k+1], 64); err != nil {
					return nil, err
				}
			}
			*c = append(*c, x)
		}
	}
	s.NoVolume = len(s.Volume) > 0 && math.IsNaN(s.Volume[0])
	return s, sc.actions(s)
}

// actions: SYMBOL split DATE FROM:TO | SYMBOL dividend DATE CASH [pay DATE] | SYMBOL delisted DATE |
// SYMBOL ended | SYMBOL adjusted | SYMBOL is TICKER.
func (sc *scenario) actions(s *bar.Series) error {
	for _, f := range sc.lines("actions") {
		if f[0] != s.Symbol {
			continue
		}
		date := func(k int) instrument.Date {
			d, err := instrument.ParseDate(f[k])
			if err != nil {
				panic(err)
			}
			return d
		}
		switch f[1] {
		case "was": // see inherited
		case "is":
			s.ID, s.Ticker = instrument.ID(f[2]), f[2]
		case "split":
			var x instrument.Split
			x.Ex = date(2)
			if _, err := fmt.Sscanf(f[3], "%g:%g", &x.From, &x.To); err != nil {
				return err
			}
			s.Actions.Splits = append(s.Actions.Splits, x)
		case "dividend":
			cash, err := strconv.ParseFloat(f[3], 64)
			if err != nil {
				return err
			}
			x := instrument.Dividend{Ex: date(2), Pay: instrument.None, Cash: cash}
			if len(f) > 5 {
				x.Pay = date(5)
			}
			s.Actions.Dividends = append(s.Actions.Dividends, x)
		case "delisted":
			s.Delisted = date(2)
		case "ended":
			s.Ended = true
		case "adjusted":
			s.Adjusted = true
		default:
			return fmt.Errorf("unknown action %q", f[1])
		}
	}
	return nil
}
