package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// Series is a curve from elsewhere, to be shown like a run.
type Series struct {
	Name      string // of the file or of what it holds
	Curve     stats.Series
	Benchmark *stats.Series    // nil without one
	Trades    []backtest.Trade // nil when they are not known
	RiskFree  float64          // fraction a year
	SHA256    string           // of the files read
}

// seriesPath marks results that no engine made.
const seriesPath = "series: computed from a curve from elsewhere"

// FromSeries gives a curve from elsewhere the shape of a result, with the same metrics as a run as far
// as a curve and trades can tell: what they cannot is undefined. The benchmark is aligned by its
// level, at or before each date of the curve; one that begins later is left out with a warning.
func FromSeries(s Series) *backtest.Result {
	c := s.Curve
	in := c.Input()
	in.RiskFreeAnnual = s.RiskFree
	r := &backtest.Result{Schema: 1, EngineVersion: "none", Strategy: s.Name, Path: seriesPath, Trades: []backtest.Trade{}, Fills: []backtest.Fill{},
		Counts: backtest.Counts{Signals: map[string]int64{}, Refused: map[string]int64{}}, Equity: curveOf(c.Dates, c.Equity)}
	r.Data = backtest.DataInfo{Symbols: []string{}, From: c.Dates[min(1, len(c.Dates)-1)].String(), To: c.Dates[len(c.Dates)-1].String(),
		Decision: backtest.Session(c.Dates[0].String()), SHA256: s.SHA256, Coverage: []backtest.Coverage{}}
	r.Warnings = []backtest.Warning{{Code: "not_simulated", Message: "computed from a curve from elsewhere: how it came about, its costs and its data are not known to this report"}}
	if c.FromReturns {
		r.Warnings = append(r.Warnings, backtest.Warning{Code: "growth_of_one", Message: fmt.Sprintf("the file holds returns: amounts are those of one dollar put in on %s, the day before the first of them", c.Dates[0])})
	}
	if s.Benchmark != nil {
		level := s.Benchmark.On(c.Dates)
		if math.IsNaN(level[0]) {
			r.Warnings = append(r.Warnings, backtest.Warning{Code: "no_benchmark", Message: fmt.Sprintf("the benchmark begins on %s, after the curve does on %s: it is left out", s.Benchmark.Dates[0], c.Dates[0])})
		} else {
			in.Benchmark = level
			b := curveOf(c.Dates, scaledTo(level, c.Equity[0]))
			r.Benchmark = &b
		}
	}
	if s.Trades != nil {
		r.Trades = s.Trades
		in.NoTrades, in.Trades = false, tradesOf(s.Trades)
		r.Data.Symbols = symbolsOf(s.Trades)
	}
	r.Metrics = stats.Compute(in)
	r.Fingerprint = seriesPrint(s)
	return r
}

func curveOf(dates []instrument.Date, values []float64) backtest.Curve {
	return backtest.Curve{Time: backtest.DaysOf(dates), Value: values}
}

// scaledTo is a level that begins at first.
func scaledTo(level []float64, first float64) []float64 {
	out := make([]float64, len(level))
	for i, v := range level {
		out[i] = v / level[0] * first
	}
	return out
}

func symbolsOf(trades []backtest.Trade) []string {
	out := []string{}
	for i := range trades {
		out = append(out, trades[i].Symbol)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// seriesPrint identifies what a report was computed from.
func seriesPrint(s Series) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%g\n", seriesPath, s.SHA256, s.RiskFree))
	return hex.EncodeToString(sum[:])
}

// external reports whether no engine made the result.
func (v *view) external() bool { return strings.HasPrefix(v.Path, "series:") }

// benchmarkName is what the benchmark is called.
func (v *view) benchmarkName() string {
	if v.Config != nil && v.Config.Benchmark != "" {
		return clean(v.Config.Benchmark)
	}
	return "Benchmark"
}

// tradesOf are trades as package stats takes them.
func tradesOf(trades []backtest.Trade) []stats.Trade {
	out := make([]stats.Trade, len(trades))
	for i := range trades {
		t := &trades[i]
		out[i] = stats.Trade{Symbol: t.Symbol, Reason: t.ExitReason, PnL: t.PnL, Return: t.Return, EntryValue: entryValue(t),
			Commission: t.Commission, Bars: t.Bars, Long: t.Side != "short", Open: t.Open, MAE: t.MAE, MFE: t.MFE,
			Entry: dateOf(t.EntryTime), Exit: dateOf(t.ExitTime)}
	}
	return out
}

// entryValue is what a position cost, in USD: 0 where the trade does not say.
func entryValue(t *backtest.Trade) float64 {
	if v := t.Quantity * t.EntryPrice; v > 0 {
		return v
	}
	if t.Return != 0 {
		return math.Abs(t.PnL / t.Return)
	}
	return 0
}
