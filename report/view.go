package report

import (
	"fmt"
	"math"
	"slices"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/validate/stress"
)

// view is a Result prepared for showing: one value a session, and what package stats makes of it.
type view struct {
	*backtest.Result
	dates     []instrument.Date
	equity    []float64
	benchmark []float64    // aligned with dates, NaN before its first value; nil without one
	band      [2][]float64 // equity with the stop first and with the target first, aligned likewise; nil where no bar was ambiguous, or it was not kept
	trades    []stats.Trade
	limits    stats.Limits       // of caveats
	stress    *stress.Report     // nil unless the run was made again
	selection *overfit.Selection // nil where the history does not know the run
	factors   *stats.Attribution // nil unless factors were given
}

func newView(r *backtest.Result) *view {
	v := &view{Result: r}
	v.dates, v.equity = r.Equity.Sessions()
	if r.Benchmark != nil {
		d, b := r.Benchmark.Sessions()
		v.benchmark = align(v.dates, d, b)
	}
	if a := r.Ambiguity; a != nil && a.Sessions.Len() > 0 {
		for k, o := range []*backtest.Outcome{&a.StopFirst, &a.TargetFirst} {
			d, e := backtest.Curve{Time: a.Sessions, Value: o.Equity}.Sessions()
			v.band[k] = align(v.dates, d, e)
		}
	}
	v.trades = tradesOf(r.Trades)
	return v
}

// dateOf is the date that a stamp begins with; None when it begins with none.
func dateOf(stamp string) instrument.Date {
	d, err := instrument.ParseDate(stamp[:min(len(stamp), 10)])
	if err != nil {
		return instrument.None
	}
	return d
}

// align gives for each date the last value at or before it.
func align(dates, have []instrument.Date, values []float64) []float64 {
	out := make([]float64, len(dates))
	k := -1
	for i, d := range dates {
		for k+1 < len(have) && have[k+1] <= d {
			k++
		}
		out[i] = math.NaN()
		if k >= 0 {
			out[i] = values[k]
		}
	}
	return out
}

// value of a metric, NaN when undefined.
func (v *view) value(key string) float64 {
	if x, ok := v.Metrics.Get(key); ok {
		return x
	}
	return math.NaN()
}

// text of a metric.
func (v *view) text(key string) string {
	m, ok := stats.Lookup(key)
	if !ok {
		return undefinedText
	}
	return inUnit(m.Unit, v.value(key))
}

// twin is the text of the benchmark's equal of a metric, "" when there is no such metric.
func (v *view) twin(key string) string {
	if _, ok := stats.Lookup("benchmark_" + key); !ok || v.benchmark == nil {
		return ""
	}
	return v.text("benchmark_" + key)
}

// severity of a warning of the engine: those that make the result meaningless come first.
func severity(code string) stats.Severity {
	switch code {
	case "synthetic_data", "bankrupt", "same_bar_fills", "margin_call", "index_traded", "foreign_currency":
		return stats.Grave
	case "off_calendar", "no_benchmark", "adjusted_prices", "growth_of_one":
		return stats.Note
	}
	return stats.Caution
}

// alerts are the warnings of the engine, the caveats of the statistics and those of runs with other assumptions, gravest
// first: a code is said by the first of the three that has it.
func (v *view) alerts() []stats.Caveat {
	var all []stats.Caveat
	seen := map[string]bool{}
	for _, w := range v.Warnings {
		seen[w.Code] = true
		all = append(all, stats.Caveat{Code: clean(w.Code), Severity: severity(w.Code), Message: clean(w.Message)})
	}
	caveats := slices.Concat(stats.Caveats(v.Metrics, v.limits), judged(v.selection, v.limits))
	if v.stress != nil { // what a figure has warned of already, such as cost_fragile, is not said again
		said := map[string]bool{}
		for _, c := range caveats {
			said[c.Code] = true
		}
		caveats = append(caveats, slices.DeleteFunc(v.stress.Caveats(v.limits), func(c stats.Caveat) bool { return said[c.Code] })...)
	}
	for _, c := range caveats {
		if !seen[c.Code] {
			c.Message = clean(c.Message)
			all = append(all, c)
		}
	}
	var out []stats.Caveat
	for _, s := range []stats.Severity{stats.Grave, stats.Caution, stats.Note} {
		for _, c := range all {
			if c.Severity == s {
				out = append(out, c)
			}
		}
	}
	return out
}

// title names the run: its strategy, or "unnamed".
func (v *view) title() string {
	if s := clean(v.Strategy); s != "" {
		return s
	}
	return "unnamed"
}

func (v *view) symbols() []string {
	out := make([]string, len(v.Data.Symbols))
	for i, s := range v.Data.Symbols {
		out[i] = clean(s)
	}
	return out
}

// frame is the bar length, "" when the settings are not known.
func (v *view) frame() string {
	if v.Config == nil {
		return ""
	}
	return v.Config.Data.Bars.String()
}

// dead is the share of members of the universe that were delisted, or no longer traded, before the run ended;
// "" where it is not known.
func (v *view) dead() string {
	u := v.Data.Universe
	if u == nil || u.Members == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d dead before the end (%s)", u.Dead, u.Members, percent(u.DeadShare))
}

// deadShare is dead as a figure alone.
func (v *view) deadShare() string {
	if v.dead() == "" {
		return undefinedText
	}
	return percent(v.Data.Universe.DeadShare)
}

// universe says who could be traded, and what that means for survivors.
func (v *view) universe() string {
	dead := ""
	if d := v.dead(); d != "" {
		dead = " " + d + "."
	}
	switch c := v.Config; {
	case v.Data.Universe != nil && len(v.Data.Universe.Count) > 0:
		return fmt.Sprintf("%s. Chosen anew at every close, from %d candidates.", list(v.symbols(), 30), v.Data.Universe.Candidates) + dead
	case c != nil && len(c.Universe.Symbols) == 0 && v.Data.Universe != nil:
		return list(v.symbols(), 30) + ". All that the data holds in the range, delisted ones included." + dead
	}
	return list(v.symbols(), 30) + ". Fixed beforehand by the user: survivorship bias is possible." + dead
}

// subtitle is the period, the bars and the symbols, as far as they are known.
func (v *view) subtitle(between, bars string, symbols int) []string {
	out := []string{v.Data.From + between + v.Data.To}
	if f := v.frame(); f != "" {
		out = append(out, f+bars)
	}
	if len(v.Data.Symbols) > 0 {
		out = append(out, list(v.symbols(), symbols))
	}
	return out
}

// zone says in which zone instants are given, where there are any.
func (v *view) zone() string {
	if v.Equity.Time.Daily {
		return ""
	}
	return ", times in UTC"
}
