package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

type heatCell struct{ Text, Class, Hint string }

type heatRow struct {
	Year     int
	Cells    [12]heatCell
	Total    heatCell
	Drawdown string
}

func monthNames() []string {
	out := make([]string, 12)
	for i := range out {
		out[i] = time.Month(i + 1).String()[:3]
	}
	return out
}

// heat is the table of months, a row a year.
func (v *view) heat() []heatRow {
	var rows []heatRow
	for _, y := range stats.Years(v.dates, v.equity) {
		rows = append(rows, heatRow{Year: y.Year, Total: heatOf(y), Drawdown: number(100*y.Drawdown, 1)})
	}
	k := 0
	for _, m := range stats.Months(v.dates, v.equity) {
		for rows[k].Year != m.Year {
			k++
		}
		c := heatOf(m)
		c.Hint = fmt.Sprintf("%s %d: %s, %d sessions, deepest fall within %s", m.Month, m.Year, percent(m.Return), m.Sessions, percent(m.Drawdown))
		rows[k].Cells[m.Month-1] = c
	}
	return rows
}

// heatOf shades a return in four steps, a year in steps three times as wide.
func heatOf(p stats.Period) heatCell {
	steps := []float64{0.0005, 0.015, 0.035, 0.07}
	wide := 1.0
	if p.Month == 0 {
		wide = 3
	}
	level := 0
	for i, s := range steps {
		if math.Abs(p.Return) >= s*wide {
			level = i + 1
		}
	}
	c := heatCell{Text: number(100*p.Return, 1)}
	if level > 0 {
		c.Class = fmt.Sprintf("%c%d", "bg"[b2i(p.Return > 0)], level)
	}
	if p.Partial {
		c.Class = strings.TrimSpace(c.Class + " part")
	}
	return c
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

type metricGroup struct {
	Name  string
	Twins bool // some row has a figure of the benchmark
	Rows  []metricRow
}

type metricRow struct{ Key, Name, Hint, Value, Class, Reason, Twin string }

// groups is the whole table of statistics. Metrics that only a benchmark or buy-and-hold could define
// are left out without one, and the benchmark's own figures stand beside those of the run.
func (v *view) groups() []metricGroup {
	var out []metricGroup
	for _, m := range stats.Table() {
		if strings.HasPrefix(m.Key, "benchmark_") || (m.Group == stats.BenchmarkGroup && v.benchmark == nil) {
			continue
		}
		value := v.ranged(m.Key)
		if strings.HasPrefix(m.Key, "buy_and_hold") && value == undefinedText {
			continue
		}
		title := strings.ToUpper(string(m.Group[:1])) + string(m.Group[1:])
		if len(out) == 0 || out[len(out)-1].Name != title {
			out = append(out, metricGroup{Name: title})
		}
		row := metricRow{Key: m.Key, Name: m.Name, Value: value, Twin: v.twin(m.Key), Hint: m.Formula + " (" + m.Source + "). " + m.Doc}
		if x := v.value(m.Key); x < 0 && m.Unit != stats.CivilDate {
			row.Class = "neg"
		} else if value == undefinedText {
			row.Class, row.Reason = "na", v.Metrics.Reason(m.Key)
		}
		g := &out[len(out)-1]
		g.Rows = append(g.Rows, row)
		g.Twins = g.Twins || row.Twin != ""
	}
	return out
}

type drawdownRow struct{ Peak, Trough, Recovered, Depth, Money, Days, Fall string }

// drawdowns are the ten deepest, by session closes.
func (v *view) drawdowns() []drawdownRow {
	var out []drawdownRow
	for _, e := range stats.Worst(stats.Episodes(v.dates, v.equity), 10) {
		r := drawdownRow{Peak: e.PeakDate.String(), Trough: e.TroughDate.String(), Recovered: e.RecoveryDate.String(), Depth: percent(e.Depth),
			Money: money(e.USD), Days: number(e.Days(), 0), Fall: number(float64(e.TroughDate-e.PeakDate), 0)}
		if e.Open {
			r.Recovered = "open"
		}
		out = append(out, r)
	}
	return out
}

type split struct {
	Title, Head, Note string
	Shares            bool // there is a net profit to have a share of
	Rows              [][]string
}

// splits are the closed trades by symbol, exit, side, year of exit, and by when they were entered.
func (v *view) splits() []split {
	var out []split
	add := func(title, head string, always bool, groups []stats.GroupRow) {
		if len(groups) > 1 || len(groups) == 1 && always {
			out = append(out, splitOf(title, head, groups))
		}
	}
	by := func(label func(*stats.Trade) string) []stats.GroupRow { return stats.GroupBy(v.trades, label) }
	if v.Result != nil && len(v.Strategies) > 0 {
		add("Trades by strategy", "Strategy", true, v.byStrategy())
	}
	add("Trades by symbol", "Symbol", true, by(func(t *stats.Trade) string { return clean(t.Symbol) }))
	if v.Result != nil && tagged(v.Result.Trades) {
		add("Trades by tag of entry", "Tag", true, v.byTag())
	}
	add("Trades by exit", "Exit", true, by(func(t *stats.Trade) string { return clean(t.Reason) }))
	add("Trades by side", "Side", false, by(func(t *stats.Trade) string {
		if t.Long {
			return "long"
		}
		return "short"
	}))
	add("Trades by year of exit", "Year", false, by(func(t *stats.Trade) string {
		if t.Exit == instrument.None {
			return "unknown"
		}
		return t.Exit.Time().Format("2006")
	}))
	add("Trades by weekday of entry", "Weekday", false, stats.InCalendarOrder(by(stats.ByWeekday)))
	add("Trades by month of entry", "Month", false, stats.InCalendarOrder(by(stats.ByMonth)))
	add("Trades by hour of entry, New York", "Hour", false, v.byHour())
	return out
}

func splitOf(title, head string, groups []stats.GroupRow) split {
	const most = 60
	s := split{Title: title, Head: head}
	for _, g := range groups[:min(most, len(groups))] {
		row := []string{g.Label, number(float64(g.Trades), 0), percent(g.WinRate), number(g.ProfitFactor, 2), percent(g.AvgReturn),
			number(g.AvgBars, 1), money(g.Best), money(g.Worst), money(g.PnL)}
		if !math.IsNaN(g.Share) {
			s.Shares = true
			row = append(row, percent(g.Share))
		}
		s.Rows = append(s.Rows, row)
	}
	if n := len(groups) - most; n > 0 {
		s.Note = fmt.Sprintf("%d more are in the data of this page.", n)
	}
	return s
}

// byTag groups trades by what code called their entry.
func (v *view) byTag() []stats.GroupRow {
	trades := slices.Clone(v.trades)
	for i := range trades {
		trades[i].Reason = cmp.Or(clean(v.Result.Trades[i].Tag), "no tag")
	}
	return stats.GroupBy(trades, func(t *stats.Trade) string { return t.Reason })
}

// byStrategy groups the trades of an account that several strategies share.
func (v *view) byStrategy() []stats.GroupRow {
	trades := slices.Clone(v.trades)
	for i := range trades {
		trades[i].Reason = clean(v.Result.Trades[i].Strategy)
	}
	return stats.GroupBy(trades, func(t *stats.Trade) string { return t.Reason })
}

// byHour groups trades that have an instant by its hour in New York: that of UTC is another one in summer.
func (v *view) byHour() []stats.GroupRow {
	trades := slices.Clone(v.trades)
	for i := range trades {
		hour, ok := backtest.ExchangeHour(v.Result.Trades[i].EntryTime)
		if !ok {
			return nil // daily bars have no hours
		}
		trades[i].Reason = fmt.Sprintf("%02d:00", hour)
	}
	return stats.GroupBy(trades, func(t *stats.Trade) string { return t.Reason })
}

type tradeRow struct {
	Symbol, Side, Quantity, Entry, EntryPrice, Exit, ExitPrice, PnL, Return, Bars, MAE, MFE, Reason string
	Lost, Late                                                                                      bool
}

// tradeRows lists the last trades, newest first.
func (v *view) tradeRows() (rows []tradeRow, note string) {
	n := len(v.Result.Trades)
	from := max(0, n-mostTrades)
	if from > 0 {
		note = fmt.Sprintf("The last %d of %d%s. All of them are in the CSV and JSON forms of this report.", mostTrades, n, v.zone())
	} else {
		note = fmt.Sprintf("%d trades, newest first%s.", n, v.zone())
	}
	for i := n - 1; i >= from; i-- {
		t := &v.Result.Trades[i]
		r := tradeRow{Symbol: clean(t.Symbol), Side: clean(t.Side), Quantity: quantity(t.Quantity), Entry: short(t.EntryTime), EntryPrice: price(t.EntryPrice),
			Exit: short(t.ExitTime), ExitPrice: price(t.ExitPrice), PnL: number(t.PnL, 2), Return: percent(t.Return), Bars: fmt.Sprint(t.Bars),
			MAE: percent(t.MAE), MFE: percent(t.MFE), Reason: clean(t.ExitReason), Lost: t.PnL < 0, Late: len(rows) >= mostPrint}
		if t.Open {
			r.Reason = "open"
		}
		if t.Strategy != "" {
			r.Reason += " (" + clean(t.Strategy) + ")"
		}
		rows = append(rows, r)
	}
	return rows, note
}
