package report

import (
	"fmt"
	"io"
	"math"
	"strings"

	"backtester/backtest"
	"backtester/backtest/stats"
)

// screen collects terminal output; the first fault of writing stays.
type screen struct {
	w   io.Writer
	o   Options
	err error
}

func (s *screen) printf(format string, a ...any) {
	if s.err == nil {
		_, s.err = fmt.Fprintf(s.w, format, a...)
	}
}

func (s *screen) table(cols []column, rows [][]string) {
	if s.err != nil || len(rows) == 0 {
		return
	}
	var dropped []string
	dropped, s.err = textTable(s.w, s.o, cols, rows)
	if len(dropped) > 0 {
		s.text("not shown for lack of width: " + strings.Join(dropped, ", "))
	}
}

func (s *screen) paint(code, text string) string {
	if !s.o.Color || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *screen) bold(t string) string { return s.paint("1", t) }
func (s *screen) dim(t string) string  { return s.paint("2", t) }

// signed paints losses; blue and orange tell apart for everyone, the sign tells without colour.
func (s *screen) signed(x float64, t string) string {
	if x < 0 {
		return s.paint("33", t)
	}
	return t
}

// text is wrapped and dim.
func (s *screen) text(t string) {
	for _, l := range wrap(t, s.o.width()-1) {
		s.printf(" %s\n", s.dim(l))
	}
}

func (s *screen) heading(t string) { s.printf("\n%s\n", s.bold(t)) }

// Terminal writes a report of one run, or of several side by side. Warnings come first.
func Terminal(w io.Writer, rs []*backtest.Result, o Options) error {
	s := &screen{w: w, o: o}
	views := make([]*view, len(rs))
	for i, r := range rs {
		views[i] = newView(r)
		views[i].limits = o.Limits
	}
	switch {
	case len(views) == 1:
		views[0].stress, views[0].factors = o.Stress, o.Factors
		s.one(views[0])
	case len(views) > 1:
		s.several(views)
	}
	return s.err
}

func (s *screen) one(v *view) {
	s.printf("%s\n", s.bold(cut(v.title(), s.o.width())))
	s.text(strings.Join(v.subtitle(" .. ", "", 8), "  "))
	if d := v.dead(); d != "" {
		s.text("symbols: " + d)
	}
	s.alerts(v)
	s.charts(v)
	s.metrics(v)
	s.attributed(v)
	s.sleeves(v)
	s.trades(v)
	s.books(v)
	if h := v.BuyAndHold; h != nil {
		s.heading("Buy and hold")
		s.sentences([]string{held(h) + "."})
	}
	s.stressed(v)
	if v.value("trades") == 0 && v.value("open_trades") == 0 && !v.external() {
		s.nothing(v)
	} else {
		s.orders(v)
	}
	s.coverage(v)
	s.printf("\n")
	if v.external() {
		s.text("Computed from a curve from elsewhere, data " + head(v.Data.SHA256) + ".")
		return
	}
	s.text("Simulated result. Fingerprint " + head(v.Fingerprint) + ", engine " + clean(v.EngineVersion) + ", data " + head(v.Data.SHA256) + ".")
}

// alerts are the warnings with the rules that they go by, wrapped to the width.
func (s *screen) alerts(v *view) {
	for _, a := range v.alerts() {
		mark, code := "note", "2"
		switch a.Severity {
		case stats.Grave:
			mark, code = "GRAVE", "1;31"
		case stats.Caution:
			mark, code = "caution", "33"
		}
		lines := wrap(a.Code+": "+a.Message+inBrackets(a.Rule), s.o.width()-10)
		for i, l := range lines {
			if i > 0 {
				mark = ""
			}
			s.printf(" %s%s %s\n", s.paint(code, mark), strings.Repeat(" ", 7-len(mark)), l)
		}
	}
}

// inBrackets is what a rule is, behind what it says of a run; "" without one.
func inBrackets(rule string) string {
	if rule == "" {
		return ""
	}
	return " [" + rule + "]"
}

// head is the beginning of a digest.
func head(digest string) string {
	return string([]rune(clean(digest))[:min(12, len([]rune(clean(digest))))])
}

// wrap breaks text at blanks into lines of at most n runes where words allow.
func wrap(text string, n int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case len([]rune(line))+1+len([]rune(word)) <= n:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

// charts draws equity and drawdown.
func (s *screen) charts(v *view) {
	if len(v.equity) < 2 {
		return
	}
	w := min(s.o.width()-14, 100)
	first, last := v.dates[0].String(), v.dates[len(v.dates)-1].String()
	draw := func(title string, values []float64, h int, label func(float64) string) {
		lo, hi := extremes(values)
		p := newPlot(w, h, s.o.Unicode)
		p.line(values, lo, hi)
		s.heading(title)
		lines := axis(p.rows(), lo, hi, label)
		for _, l := range lines {
			s.printf(" %s\n", strings.TrimRight(l, " "))
		}
		pad := strings.Index(lines[0], "|") + 2
		s.printf(" %s%s%s%s\n", strings.Repeat(" ", pad), first, strings.Repeat(" ", max(1, w-len(first)-len(last))), last)
	}
	if lo, hi := extremes(v.Equity.Value); hi > lo {
		draw("Equity, USD", v.Equity.Value, 8, compact)
	}
	dd := stats.Drawdown(nil, v.Equity.Value)
	if lo, _ := extremes(dd); lo < 0 {
		draw("Drawdown", dd, 4, func(x float64) string { return number(100*x, 1) + "%" })
	}
}

// headline are the metrics of the terminal report, in two blocks.
var headline = [2][]string{
	{"net_profit", "total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "max_drawdown_days",
		"ulcer_index", "var_95", "es_95", "skewness", "excess_kurtosis", "probabilistic_sharpe", "beta", "alpha", "information_ratio"},
	{"final_equity", "trades", "open_trades", "win_rate", "profit_factor", "payoff", "expectancy", "average_win", "average_loss",
		"largest_win", "largest_loss", "max_loss_streak", "average_bars", "exposure", "turnover", "total_commission", "total_slippage", "total_dividends"},
}

// instead are shown in place of what only a benchmark defines.
var instead = map[string]string{"beta": "time_under_water", "alpha": "worst_month", "information_ratio": "worst_year"}

// metrics are shown in two blocks beside each other where the width allows.
func (s *screen) metrics(v *view) {
	s.heading("Statistics")
	bench := v.benchmark != nil
	cols := []column{{head: "Return and risk"}, {head: "Run", right: true}}
	if bench {
		cols = append(cols, column{head: v.benchmarkName(), right: true, drop: 1})
	}
	right := []column{{head: "Trades and costs"}, {head: "Run", right: true}}
	var left, other, both [][]string
	for i := range headline[0] {
		l, r := headline[0][i], headline[1][i]
		if other, ok := instead[l]; ok && !bench {
			l = other
		}
		a := []string{name(l), s.signed(v.value(l), v.ranged(l))}
		if bench {
			a = append(a, v.twin(l))
		}
		b := []string{name(r), s.signed(v.value(r), v.ranged(r))}
		left, other = append(left, a), append(other, b)
		both = append(both, append(append([]string{}, a...), b...))
	}
	all := append(append([]column{}, cols...), right...)
	keep := make([]int, len(all))
	for i := range keep {
		keep[i] = i
	}
	if tableWidth(columnWidths(all, both), keep) <= s.o.width() {
		s.table(all, both)
		return
	}
	s.table(cols, left)
	s.printf("\n")
	s.table(right, other)
}

// ranged is the text of a metric with its 95 % interval where it has one.
func (v *view) ranged(key string) string {
	t := v.text(key)
	switch key {
	case "sharpe", "win_rate", "expectancy", "alpha":
		low, high := v.text(key+"_low"), v.text(key+"_high")
		if low != undefinedText && t != undefinedText {
			return t + " [" + low + ", " + high + "]"
		}
	}
	return t
}

// name of a metric for people.
func name(key string) string {
	m, _ := stats.Lookup(key)
	return m.Name
}

// sleeves are the strategies of an account that several share.
func (s *screen) sleeves(v *view) {
	if v.Result == nil || len(v.Strategies) == 0 {
		return
	}
	s.heading("Strategies in this account")
	cols := []column{{head: "Strategy"}, {head: "Share", right: true}, {head: "P&L", right: true}, {head: "Return", right: true},
		{head: "Max drawdown", right: true, drop: 2}, {head: "Sharpe", right: true, drop: 3}, {head: "Trades", right: true}, {head: "Win rate", right: true, drop: 1},
		{head: "Fills", right: true, drop: 4}}
	var rows [][]string
	for _, r := range sleeveRows(v) {
		rows = append(rows, []string{r[0], r[1], s.signed(v.Strategies[len(rows)].PnL, r[2]), r[3], r[4], r[5], r[6], r[7], r[8]})
	}
	s.table(cols, rows)
}

// sleeveRows say of each strategy its name, share, profit, return, drawdown, Sharpe ratio, trades, win rate and
// fills.
func sleeveRows(v *view) [][]string {
	var rows [][]string
	for k := range v.Strategies {
		x := &v.Strategies[k]
		get := func(key string) float64 {
			value, ok := x.Metrics.Get(key)
			if !ok {
				return math.NaN()
			}
			return value
		}
		rows = append(rows, []string{clean(x.Name), share(x.Share), number(x.PnL, 2), percent(get("total_return")), percent(get("max_drawdown")),
			number(get("sharpe"), 2), number(get("trades"), 0), percent(get("win_rate")), fmt.Sprint(x.Fills)})
	}
	return rows
}

// trades lists the last trades.
func (s *screen) trades(v *view) {
	n := min(s.o.trades(), len(v.Trades))
	if n == 0 {
		return
	}
	s.heading(fmt.Sprintf("Trades, last %d of %d%s", n, len(v.Trades), v.zone()))
	cols := []column{{head: "Symbol"}, {head: "Side"}, {head: "Quantity", right: true, drop: 3}, {head: "Entry"},
		{head: "Price in", right: true, drop: 4}, {head: "Exit"}, {head: "Price out", right: true, drop: 4}, {head: "P&L", right: true},
		{head: "Return", right: true}, {head: "Bars", right: true, drop: 5}, {head: "MAE", right: true, drop: 7},
		{head: "MFE", right: true, drop: 6}, {head: "Reason", drop: 1}}
	var rows [][]string
	for _, t := range v.Trades[len(v.Trades)-n:] {
		reason := clean(t.ExitReason)
		if t.Open {
			reason = "open"
		}
		if t.Strategy != "" {
			reason += " (" + clean(t.Strategy) + ")"
		}
		rows = append(rows, []string{clean(t.Symbol), t.Side, quantity(t.Quantity), short(t.EntryTime), price(t.EntryPrice),
			short(t.ExitTime), price(t.ExitPrice), s.signed(t.PnL, number(t.PnL, 2)), s.signed(t.Return, percent(t.Return)),
			fmt.Sprint(t.Bars), percent(t.MAE), percent(t.MFE), reason})
	}
	s.table(cols, rows)
	if tagged(v.Trades) {
		s.tags(v)
	}
}

// tags are the closed trades by what code called their entries.
func (s *screen) tags(v *view) {
	s.heading("Trades by tag of entry")
	var rows [][]string
	for _, g := range v.byTag() {
		rows = append(rows, []string{cut(g.Label, 30), number(float64(g.Trades), 0), percent(g.WinRate), number(g.ProfitFactor, 2), percent(g.AvgReturn), s.signed(g.PnL, money(g.PnL))})
	}
	s.table([]column{{head: "Tag"}, {head: "Trades", right: true}, {head: "Win rate", right: true}, {head: "Profit factor", right: true, drop: 2},
		{head: "Average return", right: true, drop: 1}, {head: "Profit", right: true}}, rows)
}

// short takes seconds and zone off an instant; dates stay.
func short(stamp string) string {
	if len(stamp) >= 16 && stamp[10] == 'T' {
		return stamp[:10] + " " + stamp[11:16]
	}
	return clean(stamp)
}

// coverage says which bars the run read.
func (s *screen) coverage(v *view) {
	if len(v.Data.Coverage) == 0 {
		return
	}
	const most = 12
	s.heading(fmt.Sprintf("Data, %s bars, %d of warm-up needed", number(float64(v.Data.Bars), 0), v.Data.Warmup))
	var rows [][]string
	for _, c := range v.Data.Coverage[:min(most, len(v.Data.Coverage))] {
		missing := ""
		if c.Missing > 0 {
			missing = fmt.Sprint(c.Missing)
		}
		rows = append(rows, []string{clean(c.Symbol), c.First, c.Last, number(float64(c.Bars), 0), fmt.Sprint(c.Warm), missing, clean(c.Ended)})
	}
	s.table([]column{{head: "Symbol"}, {head: "First"}, {head: "Last"}, {head: "Bars", right: true},
		{head: "Warm-up", right: true, drop: 2}, {head: "Missing", right: true}, {head: "Ended", drop: 1}}, rows)
	if n := len(v.Data.Coverage) - most; n > 0 {
		s.text(fmt.Sprintf("and %d more symbols", n))
	}
}

// nothing explains why there is no trade.
func (s *screen) nothing(v *view) {
	s.heading("No trade happened. Why:")
	s.sentences(explanation(&v.Counts))
}

// orders says what became of entries, where not all of them filled as they were meant, what minutes settled,
// and how much rebalances traded.
func (s *screen) orders(v *view) {
	said := orderCounts(&v.Counts)
	if len(said) == 1 && v.Counts.Expired == 0 {
		said = nil
	}
	if r := v.Rebalance; r != nil && v.Config != nil && v.Config.Rebalance != nil {
		said = append(said, rebalances(r)+": "+rebalance(v.Config.Rebalance)+".")
	}
	if said != nil {
		s.heading("Orders")
		s.sentences(said)
	}
}

// sentences are wrapped each by itself.
func (s *screen) sentences(list []string) {
	for _, e := range list {
		for _, l := range wrap(e, s.o.width()-1) {
			s.printf(" %s\n", l)
		}
	}
}

// several shows runs side by side: as columns while they fit, else a line each.
func (s *screen) several(views []*view) {
	s.notes(views)
	if len(views) <= 4 && s.o.width() >= 30+20*len(views) {
		s.columns(views)
		return
	}
	s.lines(views)
}

// notes are the warnings that a line of numbers hides: those that some run has and their count.
func (s *screen) notes(views []*view) {
	count := map[string]int{}
	var order []stats.Caveat
	for _, sev := range []stats.Severity{stats.Grave, stats.Caution} {
		for _, v := range views {
			for _, a := range v.alerts() {
				if a.Severity != sev {
					continue
				}
				if count[a.Code]++; count[a.Code] == 1 {
					order = append(order, a)
				}
			}
		}
	}
	for _, a := range order {
		mark, code := "GRAVE", "1;31"
		if a.Severity == stats.Caution {
			mark, code = "caution", "33"
		}
		s.printf(" %s%s %s (%d of %d runs)\n", s.paint(code, mark), strings.Repeat(" ", 7-len(mark)), a.Code, count[a.Code], len(views))
	}
}

// columns shows intervals where they fit: names cut to make room for them would say nothing.
func (s *screen) columns(views []*view) {
	cols := []column{{head: "Statistic"}}
	all := []int{0}
	for i, name := range labels(views) {
		cols, all = append(cols, column{head: shorter(name, 24), right: true}), append(all, i+1)
	}
	rows := s.compared(views, (*view).ranged)
	if tableWidth(columnWidths(cols, rows), all) > s.o.width() {
		rows = s.compared(views, (*view).text)
	}
	s.table(cols, rows)
}

// compared has a row for each statistic and a column for each run.
func (s *screen) compared(views []*view, text func(v *view, key string) string) [][]string {
	row := func(title string, cell func(*view) string) []string {
		out := []string{title}
		for _, v := range views {
			out = append(out, cell(v))
		}
		return out
	}
	rows := [][]string{
		row("From", func(v *view) string { return v.Data.From }), row("To", func(v *view) string { return v.Data.To }),
		row("Dead symbols", (*view).deadShare),
	}
	if s.o.Unicode {
		rows = append(rows, row("Equity", func(v *view) string { return sparkline(v.equity, 18, true) }))
	}
	for _, block := range headline {
		for _, k := range block {
			rows = append(rows, row(name(k), func(v *view) string { return s.signed(v.value(k), text(v, k)) }))
		}
	}
	return rows
}

func (s *screen) lines(views []*view) {
	cols := []column{{head: "Run"}, {head: "Equity", drop: 3}, {head: "Total", right: true}, {head: "CAGR", right: true},
		{head: "Sharpe", right: true}, {head: "Max DD", right: true}, {head: "Trades", right: true}, {head: "Win rate", right: true, drop: 2},
		{head: "PF", right: true, drop: 1}, {head: "In market", right: true, drop: 4}, {head: "Final equity", right: true, drop: 5}}
	var rows [][]string
	names := labels(views)
	for i, v := range views {
		cell := func(k string) string { return s.signed(v.value(k), v.text(k)) }
		rows = append(rows, []string{shorter(names[i], 36), sparkline(v.equity, 16, s.o.Unicode), cell("total_return"), cell("cagr"), cell("sharpe"),
			cell("max_drawdown"), cell("trades"), cell("win_rate"), cell("profit_factor"), cell("exposure"), cell("final_equity")})
	}
	if !s.o.Unicode {
		cols[1].head, cols[1].drop = "", math.MaxInt
	}
	s.table(cols, rows)
}
