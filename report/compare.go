package report

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// MostRuns is how many runs a comparison can tell apart.
const MostRuns = 10

// comparison is the model of the comparison's template.
type comparison struct {
	page
	Synthetic        bool
	Runs             []comparedRun
	Common           string
	Equity, Drawdown template.HTML
	Tables           []comparedTable
}

type comparedRun struct{ Class, Name, From, To, Symbols, Dead, Net, Warnings, Growth string }

type comparedTable struct {
	Title, Note string
	Text        bool // the cells hold text, which may be long
	Head        []string
	Rows        []comparedRow
	Most        int         // of the rows are shown, the others when asked for; 0 shows all
	group       stats.Group // of the last row
}

type comparedRow struct {
	Group      string // a heading before the row
	Name, Hint string
	Cells      []comparedCell
}

type comparedCell struct {
	Text string
	Best bool
}

// Shown are the rows that stand open.
func (t comparedTable) Shown() []comparedRow { return t.Rows[:t.open()] }

// Folded are the rows that stand behind a click.
func (t comparedTable) Folded() []comparedRow { return t.Rows[t.open():] }

func (t comparedTable) open() int {
	if t.Most == 0 || len(t.Rows) <= t.Most+t.Most/2 { // a fold of few rows hides more than it saves
		return len(t.Rows)
	}
	return t.Most
}

// mostPairs are the pairs of runs that stand open: ten runs have 45.
const mostPairs = 10

// CompareHTML writes two to ten runs beside each other as one self-contained page: their curves and
// the statistics of return and risk over the period that all of them cover, those of trades over
// each whole run, how they move together, and which settings differ. Warnings are counted by thresholds
// that nil leaves at their defaults.
func CompareHTML(w io.Writer, rs []*backtest.Result, limits stats.Limits) error {
	if len(rs) < 2 || len(rs) > MostRuns {
		return fmt.Errorf("compare %d runs: a comparison takes 2 to %d", len(rs), MostRuns)
	}
	c, err := newComparison(rs, limits)
	if err == nil {
		err = compareTemplate.Execute(w, c)
	}
	if err != nil {
		return fmt.Errorf("write comparison of %d runs: %w", len(rs), err)
	}
	return nil
}

// fewSettings is how many settings that differ come before what became of them: more say that the runs are
// different strategies, and are looked up rather than read.
const fewSettings = 15

func newComparison(rs []*backtest.Result, limits stats.Limits) (*comparison, error) {
	views := make([]*view, len(rs))
	for i, r := range rs {
		views[i] = newView(r)
		views[i].limits = limits
	}
	names := labels(views)
	dates, equity := common(views)
	data, err := comparisonData(names, dates, equity)
	if err != nil {
		return nil, err
	}
	c := &comparison{page: newPage("comparison", fmt.Sprintf("%d runs compared", len(rs)), data)}
	c.Subtitle = strings.Join(names, " · ")
	for i, v := range views {
		c.Synthetic = c.Synthetic || v.Data.Synthetic
		tiles := v.tiles() // the last counts warnings
		run := comparedRun{Class: fmt.Sprintf("s%d", i), Name: names[i], From: v.Data.From, To: v.Data.To, Symbols: list(v.symbols(), 6), Dead: v.deadShare(),
			Net: money(v.value("net_profit")), Warnings: tiles[len(tiles)-1].Note}
		if len(dates) > 1 {
			run.Growth = percentNote(equity[i][len(dates)-1]/equity[i][0] - 1)
		}
		c.Runs = append(c.Runs, run)
	}
	if len(dates) < 2 {
		c.Common = "The runs have no period in common: nothing but whole runs can be set side by side."
	} else {
		c.Common = fmt.Sprintf("Curves, returns and risk are compared from %s to %s, the period that all runs cover. Trades are those of each whole run.", dates[0], dates[len(dates)-1])
		c.draw(dates, equity)
	}
	settings := differences(names, views)
	if len(settings.Rows) <= fewSettings {
		c.Tables = append(c.Tables, settings)
	}
	if len(dates) > 1 {
		c.Tables = append(c.Tables, sharpeDifferences(names, views, equity), correlations(names, equity))
	}
	c.Tables = append(c.Tables, tradesInCommon(names, views))
	if len(dates) > 1 {
		c.Tables = append(c.Tables, riskTable(names, views, dates, equity))
	}
	c.Tables = append(c.Tables, tradeTable(names, views))
	if len(settings.Rows) > fewSettings {
		c.Tables = append(c.Tables, settings)
	}
	c.Tables = slices.DeleteFunc(c.Tables, func(t comparedTable) bool { return len(t.Rows) == 0 })
	return c, nil
}

// common cuts the curves to the period that all runs cover, on the sessions of the run that has most
// of them there. Each curve gives its last value at or before a session.
func common(views []*view) (dates []instrument.Date, equity [][]float64) {
	from, to := instrument.Date(math.MinInt32), instrument.Date(math.MaxInt32)
	for _, v := range views {
		if len(v.dates) == 0 {
			return nil, nil
		}
		from, to = max(from, v.dates[0]), min(to, v.dates[len(v.dates)-1])
	}
	for _, v := range views {
		var in []instrument.Date
		for _, d := range v.dates {
			if d >= from && d <= to {
				in = append(in, d)
			}
		}
		if len(in) > len(dates) {
			dates = in
		}
	}
	for _, v := range views {
		x := stats.Series{Dates: v.dates, Equity: v.equity}.On(dates)
		if len(x) == 0 || !(x[0] > 0) {
			return nil, nil
		}
		equity = append(equity, x)
	}
	return dates, equity
}

// growthOf100 scales a curve to begin at 100.
func growthOf100(equity []float64) []float64 {
	out := make([]float64, len(equity))
	for i, v := range equity {
		out[i] = 100 * v / equity[0]
	}
	return out
}

func (c *comparison) draw(dates []instrument.Date, equity [][]float64) {
	var lines, falls []curveLine
	for i, e := range equity {
		class := fmt.Sprintf("s%d", i)
		lines = append(lines, curveLine{class, growthOf100(e)})
		falls = append(falls, curveLine{class, stats.Drawdown(nil, e)})
	}
	c.Equity = curveChart{id: "equity", label: "Growth of 100 in each run", dates: dates, lines: lines, unit: compact, h: 340}.both()
	c.Drawdown = curveChart{id: "drawdown", label: "Drawdown of each run", dates: dates, lines: falls, unit: axisPercent, zero: true, h: 190}.both()
}

// comparisonData are the columns for the cross-hair.
func comparisonData(names []string, dates []instrument.Date, equity [][]float64) ([]byte, error) {
	var s chartSeries
	if len(dates) > 1 && len(dates) <= mostPoints {
		for _, d := range dates {
			s.Dates = append(s.Dates, d.String())
		}
		for i, e := range equity {
			s.add("equity", names[i], "ratio", growthOf100(e), 1e4)
			s.add("drawdown", names[i], "percent", stats.Drawdown(nil, e), 1e6)
		}
	}
	return json.Marshal(struct {
		Series *chartSeries `json:"series"`
	}{&s})
}

// riskTable has the statistics of the common period.
func riskTable(names []string, views []*view, dates []instrument.Date, equity [][]float64) comparedTable {
	t := comparedTable{Title: "Return and risk, common period", Head: append([]string{"Figure"}, names...)}
	ms := make([]stats.Metrics, len(views))
	for i, v := range views {
		perYear, _ := v.Metrics.Get("periods_per_year")
		rf, _ := v.Metrics.Get("risk_free")
		ms[i] = stats.Compute(stats.Input{Dates: dates, Equity: equity[i], PeriodsPerYear: perYear, RiskFreeAnnual: rf, Complete: true})
	}
	for _, m := range stats.Table() {
		switch m.Group {
		case stats.ReturnGroup, stats.RiskGroup, stats.RatioGroup, stats.DrawdownGroup, stats.TailGroup:
			if m.Unit != stats.USD && m.Unit != stats.CivilDate {
				t.addMetric(m, ms)
			}
		}
	}
	t.Note = "By session closes. Bold: the best of the row, where one direction is better."
	return t
}

// tradeTable has the statistics of trades, exposure and costs of the whole runs.
func tradeTable(names []string, views []*view) comparedTable {
	t := comparedTable{Title: "Trades, exposure and costs, whole runs", Head: append([]string{"Figure"}, names...)}
	ms := make([]stats.Metrics, len(views))
	for i, v := range views {
		ms[i] = v.Metrics
	}
	for _, m := range stats.Table() {
		switch m.Group {
		case stats.TradeGroup, stats.ExposureGroup, stats.CostGroup:
			t.addMetric(m, ms)
		}
	}
	return t
}

// addMetric adds a row unless no run defines it.
func (t *comparedTable) addMetric(m stats.Metric, ms []stats.Metrics) {
	values := make([]float64, len(ms))
	best, defined, alike := math.NaN(), 0, true
	for i := range ms {
		values[i] = math.NaN()
		if x, ok := ms[i].Get(m.Key); ok {
			values[i] = x
			alike = alike && (defined == 0 || x == values[0])
			defined++
			if !(x <= best) && m.Sense == stats.Higher || !(x >= best) && m.Sense == stats.Lower {
				best = x
			}
		}
	}
	if defined == 0 {
		return
	}
	row := comparedRow{Name: m.Name, Hint: m.Formula + " (" + m.Source + "). " + m.Doc}
	if t.group != m.Group {
		t.group = m.Group
		row.Group = strings.ToUpper(string(m.Group[:1])) + string(m.Group[1:])
	}
	for _, x := range values {
		row.Cells = append(row.Cells, comparedCell{inUnit(m.Unit, x), x == best && !alike})
	}
	t.Rows = append(t.Rows, row)
}

// correlations of session returns, run by run.
func correlations(names []string, equity [][]float64) comparedTable {
	t := comparedTable{Title: "Correlation of session returns", Head: append([]string{"Run"}, names...)}
	r := make([][]float64, len(equity))
	n := math.MaxInt
	for i, e := range equity {
		r[i] = stats.Returns(nil, e)
		n = min(n, len(r[i]))
	}
	for i := range r {
		row := comparedRow{Name: names[i]}
		for j := range r {
			row.Cells = append(row.Cells, comparedCell{Text: number(stats.Correlation(r[i][:n], r[j][:n]), 2)})
		}
		t.Rows = append(t.Rows, row)
	}
	t.Note = "Runs that move together are one idea tried several times."
	return t
}

// differences are the settings in which the runs are not alike.
func differences(names []string, views []*view) comparedTable {
	t := comparedTable{Title: "Settings that differ", Text: true, Head: append([]string{"Setting"}, names...)}
	flat := flattened(views)
	keys := map[string]bool{}
	for i := range flat {
		for k := range flat[i] {
			keys[k] = true
		}
	}
	var order []string
	for k := range keys {
		order = append(order, k)
	}
	slices.Sort(order)
	for _, k := range order {
		row := comparedRow{Name: clean(k)}
		alike := true
		for i := range flat {
			alike = alike && flat[i][k] == flat[0][k]
			row.Cells = append(row.Cells, comparedCell{Text: cut(clean(flat[i][k]), 60)})
		}
		if !alike && len(t.Rows) < 100 {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}
