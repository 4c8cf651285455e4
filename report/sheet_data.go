package report

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"

	"backtester/backtest"
	"backtester/backtest/stats"
	"backtester/backtest/stats/overfit"
	"backtester/backtest/validate/stress"
)

const (
	mostPoints = 15000     // sessions in the page's data
	mostValues = 45000     // values in the page's data besides equity and drawdown
	mostJSON   = 900_000   // bytes of the result in the page's data
	mostPage   = 1_850_000 // bytes of the page, about
	mostTables = 350_000   // bytes of its tables, style and script, about
)

// drawn is how many bytes the drawings of the page take.
func (s *sheet) drawn() int {
	n := 0
	for _, d := range []template.HTML{s.Equity, s.EquityLog, s.Drawdown, s.Years, s.Histogram} {
		n += len(d)
	}
	for _, panels := range [][]panel{s.Before, s.After, s.Robust} {
		for _, p := range panels {
			for _, f := range append(append([]figure{}, p.Figures...), p.Halves...) {
				n += len(f.Drawing)
			}
		}
	}
	for _, p := range s.Prices {
		for _, c := range p.Charts {
			n += len(c.Drawing)
		}
	}
	return n
}

// chartSeries are the columns that the cross-hair reads: all as long as Dates.
type chartSeries struct {
	Dates []string      `json:"dates"`
	Lines []chartColumn `json:"lines"`
}

type chartColumn struct {
	Chart  string          `json:"chart"`
	Name   string          `json:"name"`
	Unit   string          `json:"unit"` // usd | percent | ratio | count
	Values backtest.Values `json:"values"`
}

// add rounds values to as many decimals as scale has zeros.
func (s *chartSeries) add(chart, name, unit string, values []float64, scale float64) {
	s.Lines = append(s.Lines, chartColumn{chart, name, unit, rounded(values, scale)})
}

// data is the page's JSON: the result itself and the columns of the charts.
func (v *view) data(sheet *sheet) ([]byte, error) {
	out := struct {
		Omitted []string         `json:"omitted"`
		Result  *backtest.Result `json:"result"`
		Series  *chartSeries     `json:"series"`
		Stress  *stress.Report   `json:"stress,omitempty"`

		Selection *overfit.Selection `json:"selection,omitempty"`
		Factors   *stats.Attribution `json:"factors,omitempty"`
	}{Omitted: []string{}, Stress: v.stress, Selection: v.selection, Factors: v.factors}
	if n := len(v.dates); n <= mostPoints {
		out.Series = &chartSeries{Dates: make([]string, n)}
		for i, d := range v.dates {
			out.Series.Dates[i] = d.String()
		}
		add := out.Series.add
		add("equity", "Equity", "usd", v.equity, 100)
		add("drawdown", "Drawdown", "percent", v.underWater(), 1e6)
		if v.benchmark != nil && n > 0 {
			add("equity", "Benchmark", "usd", v.scaledBenchmark(), 100)
			add("drawdown", "Benchmark", "percent", stats.Drawdown(nil, v.benchmark), 1e6)
		}
		room := mostValues / max(n, 1)
		if v.band[0] != nil {
			add("equity", "Stop first", "usd", v.band[0], 100)
			add("equity", "Target first", "usd", v.band[1], 100)
			room -= 2
		}
		for _, p := range append(append([]panel{}, sheet.Before...), sheet.After...) {
			for _, f := range p.Figures {
				if len(f.columns) > room {
					continue // a chart has all of its lines or none
				}
				for _, c := range f.columns {
					add(f.Read, c.name, c.unit, c.values, c.scale)
				}
				room -= len(f.columns)
			}
		}
	} else {
		out.Omitted = append(out.Omitted, fmt.Sprintf("series: more than %d sessions", mostPoints))
	}
	r := *v.Result
	series, err := json.Marshal(out.Series)
	if err != nil {
		return nil, err
	}
	room := mostPage - mostTables - sheet.drawn() - len(series)
	out.Omitted = append(out.Omitted, trim(&r, max(0, min(mostJSON, room)))...)
	out.Result = &r
	return json.Marshal(out)
}

// trim takes from a copy of a result what would take more than room bytes of the page, and says what.
func trim(r *backtest.Result, room int) (omitted []string) {
	const bar, trade, fill = 32, 330, 230 // bytes in JSON, about
	size := bar * len(r.Equity.Value)
	if r.Benchmark != nil {
		size += bar * len(r.Benchmark.Value)
	}
	if r.Ambiguity != nil {
		size += 2 * bar * r.Ambiguity.Sessions.Len()
	}
	if size > room/3 {
		omitted = append(omitted, fmt.Sprintf("result.equity, result.benchmark, equity in result.ambiguity: %d bars; the sessions are in series", len(r.Equity.Value)))
		r.Equity, r.Benchmark = backtest.Curve{}, nil
		r.Ambiguity = r.Ambiguity.Figures()
	}
	if trade*len(r.Trades) > room/3 {
		n := room / 3 / trade
		omitted = append(omitted, fmt.Sprintf("result.trades: the last %d of %d", n, len(r.Trades)))
		r.Trades = r.Trades[len(r.Trades)-n:]
	}
	if fill*len(r.Fills) > room/3 {
		n := room / 3 / fill
		omitted = append(omitted, fmt.Sprintf("result.fills: the last %d of %d", n, len(r.Fills)))
		r.Fills = r.Fills[len(r.Fills)-n:]
	}
	return omitted
}

// rounded keeps as many decimals as scale has zeros.
func rounded(x []float64, scale float64) backtest.Values {
	out := make(backtest.Values, len(x))
	for i, v := range x {
		out[i] = math.Round(v*scale) / scale
	}
	return out
}
