package report

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"strings"

	"backtester/backtest"
	"backtester/backtest/stats"
)

// sheet is the model of the tearsheet's template: text, and drawings.
type sheet struct {
	page
	Synthetic   bool
	Searched    bool // the history knows how often
	Tiles       []tile
	Alerts      []stats.Caveat
	Explanation []string
	Checks      []check
	Assumptions []fact
	Rules       []fact

	Benchmark                   string // its name, "" without one
	Band                        bool   // between the extra runs
	Final, BenchmarkFinal       string
	Equity, EquityLog, Drawdown template.HTML
	MonthNames                  []string
	Months                      []heatRow
	Years, Histogram            template.HTML

	Before, After, Robust []panel // chapters before the statistics, after them, and about chance
	Prices                []previewSymbol
	PricesNote            string

	Groups     []metricGroup
	Drawdowns  []drawdownRow
	Splits     []split
	Trades     []tradeRow
	TradesNote string
	Coverage   []backtest.Coverage
	Formulas   []stats.Metric
	Warnings   []warningRow
	Settings   string
	Provenance string
}

type tile struct{ Name, Value, Note string }

type fact struct {
	Name, Value string
	Code        bool
}

const (
	mostTrades = 500 // rows of the trade table
	mostPrint  = 120 // of them on paper
	window     = 126 // sessions of rolling statistics: half a year
)

func newSheet(v *view, extras Extras) (*sheet, error) {
	s := &sheet{Synthetic: v.Data.Synthetic, Searched: v.selection != nil, Alerts: v.alerts(), Formulas: stats.Table(), Warnings: warningRows(v.limits)}
	s.charts(v, extras.Draws)
	s.Prices, s.PricesNote = v.prices(extras.Bars)
	data, err := v.data(s)
	if err != nil {
		return nil, err
	}
	s.page = newPage("backtest report", v.title(), data)
	s.Subtitle = strings.Join(v.subtitle(" to ", " bars", 12), " · ")
	if v.benchmark != nil {
		s.BenchmarkFinal = percentNote(v.value("benchmark_total_return"))
	}
	s.Final = percentNote(v.value("total_return"))
	s.Tiles = v.tiles()
	if v.value("trades") == 0 && v.value("open_trades") == 0 && !v.external() {
		s.Explanation = explanation(&v.Counts)
	}
	s.Assumptions, s.Rules = v.assumptions(), v.rules()
	s.Checks = v.checks()
	s.Groups = v.groups()
	s.Drawdowns = v.drawdowns()
	s.Splits = v.splits()
	s.Trades, s.TradesNote = v.tradeRows()
	for _, c := range v.Data.Coverage {
		c.Symbol, c.Ended = clean(c.Symbol), clean(c.Ended)
		s.Coverage = append(s.Coverage, c)
	}
	if v.Config != nil {
		b, err := json.MarshalIndent(v.Config, "", "  ")
		if err != nil {
			return nil, err
		}
		s.Settings = clean2(string(b))
	}
	s.Provenance = fmt.Sprintf("Result %s, data %s, engine %s, %s.", clean(v.Fingerprint), clean(v.Data.SHA256), clean(v.EngineVersion), clean(v.Path))
	return s, nil
}

// clean2 is clean for text of several lines.
func clean2(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}

func percentNote(x float64) string {
	s := percent(x)
	if x > 0 {
		return "+" + s
	}
	return s
}

// tiles are the verdict: what a reader wants to know in five seconds.
func (v *view) tiles() []tile {
	sharpe, note := v.text("sharpe"), "undefined"
	if sharpe != undefinedText {
		note = "95% between " + v.text("sharpe_low") + " and " + v.text("sharpe_high")
	} else {
		note = v.Metrics.Reason("sharpe")
	}
	cagr := v.text("volatility") + " volatility"
	if v.text("cagr") == undefinedText {
		cagr = v.Metrics.Reason("cagr")
	}
	dd := "no drawdown"
	if d := v.text("max_drawdown_days"); d != undefinedText {
		dd = d + " from peak to recovery"
		if v.text("max_drawdown_recovery") == undefinedText {
			dd = d + ", not recovered"
		}
	}
	trades := "none closed"
	if v.text("trades") == undefinedText {
		trades = "not known"
	}
	if r := v.text("win_rate"); r != undefinedText {
		trades = r + " won"
	}
	if open := v.value("open_trades"); open > 0 {
		trades += ", " + number(open, 0) + " open"
	}
	count := map[stats.Severity]int{}
	for _, a := range v.alerts() {
		count[a.Severity]++
	}
	exposure := v.text("exposure")
	if exposure == undefinedText {
		exposure = "not known"
	}
	genuine := tile{"Above 0 by skill", v.text("probabilistic_sharpe"), "probabilistic Sharpe; not deflated, trials are not recorded"}
	if s := v.selection; s != nil && s.DSR != nil {
		genuine = tile{"Above luck", inUnit(stats.Probability, *s.DSR), fmt.Sprintf("deflated Sharpe after %s trials", whole(s.Trials))}
	}
	return []tile{
		{"Net result", money(v.value("net_profit")), percentNote(v.value("total_return")) + " on " + money(v.value("start_equity"))},
		{"Growth a year", v.text("cagr"), cagr},
		{"Maximum drawdown", v.text("max_drawdown"), dd},
		{"Sharpe ratio", sharpe, note},
		genuine,
		{"Trades", v.text("trades"), trades},
		{"Time in the market", exposure, "turnover " + v.text("turnover") + " a year"},
		{"Warnings", fmt.Sprint(count[stats.Grave] + count[stats.Caution]), fmt.Sprintf("grave %d, caution %d, note %d", count[stats.Grave], count[stats.Caution], count[stats.Note])},
	}
}

// charts draws what depends on the curve.
func (s *sheet) charts(v *view, draws int) {
	if v.benchmark != nil {
		s.Benchmark = v.benchmarkName()
	}
	lo, hi := extremes(v.equity)
	if len(v.equity) < 2 || !(hi > lo) { // nothing moved: nothing to draw
		return
	}
	lines := []curveLine{{"run", v.equity}}
	if s.Benchmark != "" {
		lines = append(lines, curveLine{"bench", v.scaledBenchmark()})
	}
	eq := curveChart{id: "equity", label: "Equity of the run" + v.summary(), dates: v.dates, lines: lines, unit: compact, h: 320, shade: v.shade(), band: v.band}
	if s.Band = v.band[0] != nil; s.Band {
		eq.label += ", shaded between the runs with the stop first and with the target first"
	}
	s.Equity = eq.both()
	if lo > 0 {
		eq.log = true
		eq.label += ", logarithmic"
		s.EquityLog = eq.both()
	}
	dd := v.underWater()
	if lo, _ := extremes(dd); lo < 0 {
		lines := []curveLine{{"dd", dd}}
		if s.Benchmark != "" {
			lines = append(lines, curveLine{"bench", stats.Drawdown(nil, v.benchmark)})
		}
		s.Drawdown = curveChart{id: "drawdown", label: "Drawdown, deepest " + v.text("max_drawdown"), dates: v.dates, lines: lines,
			fill: true, zero: true, unit: axisPercent, h: 180}.both()
	}
	s.MonthNames = monthNames()
	s.Months = v.heat()
	var bench []stats.Period
	if s.Benchmark != "" {
		bench = stats.Years(v.dates, v.benchmark)
	}
	s.Years = yearBars(stats.Years(v.dates, v.equity), bench)
	s.Histogram = histogramChart{label: "Distribution of session returns", h: stats.HistogramOf(stats.Returns(nil, v.equity)), bell: true, unit: axisPercent,
		marks: []mark{{"VaR 95% " + v.text("var_95"), v.value("var_95")}, {"ES 95% " + v.text("es_95"), v.value("es_95")}}}.both()
	s.Before = filled(v.shape(), v.windows(), v.market(), v.attributed(), v.when())
	s.After = filled(v.exposure(), v.trading(), v.perTrade(), v.books())
	s.Robust = v.robust(draws)
}

func (v *view) summary() string {
	return ": from " + money(v.value("start_equity")) + " to " + money(v.value("final_equity"))
}

func (v *view) rolling(sessions int) stats.Window {
	return stats.Rolling(v.equity, v.benchmark, sessions, v.value("periods_per_year"), v.value("risk_free"))
}

// scaledBenchmark begins at the starting equity.
func (v *view) scaledBenchmark() []float64 {
	out := make([]float64, len(v.benchmark))
	first := math.NaN()
	for i, b := range v.benchmark {
		if math.IsNaN(first) {
			first = b
		}
		out[i] = b / first * v.equity[0]
	}
	return out
}

// underWater is the deepest drawdown of each session, bars within it included.
func (v *view) underWater() []float64 {
	dd := stats.Drawdown(nil, v.Result.Equity.Value)
	out := make([]float64, len(v.dates))
	k := -1
	for i := range min(len(dd), v.Result.Equity.Time.Len()) {
		if d := v.Result.Equity.Time.Session(i); k < 0 || d != v.dates[k] {
			k++
		}
		out[k] = math.Min(out[k], dd[i])
	}
	return out
}

// shade are the five deepest drawdowns as ranges of sessions.
func (v *view) shade() [][2]int {
	var out [][2]int
	for _, e := range stats.Worst(stats.Episodes(v.dates, v.equity), 5) {
		out = append(out, [2]int{e.Peak, e.Recovery})
	}
	return out
}
