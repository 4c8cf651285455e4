package legacy

import (
	"fmt"
	"math"
	"strings"

	"backtester/backtest/strategy"
)

// writer writes the strategy file as JSON, one key a line, and remembers what each line came from.
type writer struct {
	*document
	from    fields
	lines   []string
	origins []value
	symbol  int // how many symbols
}

func (w *writer) put(key, json string, origin value) {
	w.lines = append(w.lines, quoted(key)+": "+json)
	w.origins = append(w.origins, origin)
}

// text copies a member that is a text.
func (w *writer) text(from, to string) {
	v, ok := w.from[from]
	if !ok {
		return
	}
	if v.kind != '"' {
		w.fault(v, "wrong_type", "", "%s is %s, want a text", from, v.noun())
		return
	}
	w.put(to, quoted(v.text), v)
}

// dates of the run. An instant is cut to its day.
func (w *writer) dates() {
	var parts []string
	var origin value
	for _, key := range [][2]string{{"start_date", "from"}, {"end_date", "to"}} {
		v, ok := w.from[key[0]]
		if !ok || v.text == "" {
			continue
		}
		day, _, _ := strings.Cut(v.text, "T")
		if v.kind != '"' || !isDate(day) {
			w.fault(v, "bad_date", "", "%s is %s, want a date written as 2015-01-31", key[0], v.noun())
			continue
		}
		parts, origin = append(parts, quoted(key[1])+": "+quoted(day)), v
	}
	if len(parts) > 0 {
		w.put("data", "{"+strings.Join(parts, ", ")+"}", origin)
	}
}

// isDate checks the form; the calendar is checked with the whole file.
func isDate(s string) bool {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return false
	}
	return strings.Trim(s[:4]+s[5:7]+s[8:], "0123456789") == ""
}

// symbols are a text with commas or a list.
func (w *writer) symbols() {
	v, ok := w.from["symbols"]
	if !ok {
		return
	}
	items := v.items
	if v.kind == '"' {
		for _, s := range strings.Split(v.text, ",") {
			items = append(items, value{off: v.off, kind: '"', text: s})
		}
	} else if v.kind != '[' {
		w.fault(v, "wrong_type", "", "symbols is %s, want a list of tickers", v.noun())
		return
	}
	var list []string
	for _, item := range items {
		ticker := strings.TrimSpace(item.text)
		if item.kind != '"' || ticker == "" {
			w.fault(item, "wrong_type", "", "symbols has %s, want a ticker", item.noun())
			continue
		}
		list = append(list, quoted(ticker))
	}
	if w.symbol = len(list); w.symbol > 0 {
		w.put("universe", `{"symbols": [`+strings.Join(list, ", ")+"]}", v)
	}
}

// money is size, costs, orders and capital.
func (w *writer) money() {
	if v, ok := w.from["max_positions"]; ok {
		n := w.whole(w.from, "max_positions", "positions", 1)
		w.put("size", fmt.Sprintf(`{"max_positions": %d}`, n), v)
	}
	w.word(w.from, "position_sizing", "equal", "equal")
	var costs []string
	var origin value
	for _, c := range []struct{ bps, fraction, format string }{
		{"commission_bps", "commission", `"commission": {"bps": %s}`}, {"slippage_bps", "slippage", `"slippage": {"bps": %s}`},
	} {
		key := c.bps
		v, ok := w.from[key]
		bps := w.number(w.from, c.bps, 0)
		if part, both := w.from[c.fraction]; both && ok {
			w.fault(part, "conflict", "", "%s and %s say the same: keep one", c.bps, c.fraction)
		} else if both {
			key, v, bps = c.fraction, part, math.Round(w.number(w.from, c.fraction, 0)*1e10)/1e6 // 0.0007 is 7, not 6.999999999999999
		}
		if bps < 0 || bps > 10_000 {
			w.fault(v, "out_of_range", "", "%s is %s, want a cost from 0 to the whole value", key, v.noun())
		} else if bps > 0 {
			costs, origin = append(costs, fmt.Sprintf(c.format, plain(bps))), v
		}
	}
	if len(costs) > 0 {
		w.put("costs", "{"+strings.Join(costs, ", ")+"}", origin)
	}
	if w.word(w.from, "order_type", "MOO", "MOO", "MOC") == "MOC" {
		w.put("fills", `{"market": "next_close"}`, w.from["order_type"])
	}
	if v, ok := w.from["initial_capital"]; ok {
		w.put("cash", plain(w.number(w.from, "initial_capital", 1)), v)
	}
}

// yaml lays the file out, with notes at its head. Faults are brought back to the document.
func (w *writer) yaml(notes []string) ([]byte, strategy.Diagnostics) {
	text := "{\n" + strings.Join(w.lines, ",\n") + "\n}\n"
	if _, faults := strategy.Parse(w.name, []byte(text)); len(faults) > 0 {
		for i, d := range faults {
			if at := d.Line - 2; at >= 0 && at < len(w.origins) {
				faults[i].Pos = w.position(w.origins[at].off)
				faults[i].Length = w.origins[at].width()
			}
		}
		return nil, faults
	}
	out, faults := strategy.Format(w.name, []byte(text))
	if len(faults) > 0 {
		return nil, faults
	}
	var head strings.Builder
	for _, n := range notes {
		line := "#"
		for _, word := range strings.Fields("- " + n) {
			if len(line)+1+len(word) > 100 {
				head.WriteString(line + "\n")
				line = "#  "
			}
			line += " " + word
		}
		head.WriteString(line + "\n")
	}
	return append([]byte(head.String()), out...), nil
}

// notes say what is different here.
func (t *translator) notes(w *writer) []string {
	out := []string{"Prices in expressions are adjusted for splits; the application used them as they traded, so that a split looked like a crash."}
	if !w.from.has("order_type") {
		out = append(out, "The document has no order_type: orders fill at the next open, MOO.")
	}
	if t.used["rsi"] || t.used["ema"] || t.used["kc"] || t.used["atr"] || t.used["macd"] {
		out = append(out, "Exponential averages, Wilder's among them, start from a simple average here, there from the first price: the same after the warm-up, within which nothing is traded here.")
	}
	if t.used["atr"] || t.used["kc"] {
		out = append(out, "The application's ATR was an exponential average of the true range, not Wilder's: ema(tr(), n) says so. That of Keltner's bands has the length of the channel.")
	}
	if t.used["bb"] {
		out = append(out, "The application's Bollinger bands used the sample deviation: ddof = 1 says so.")
	}
	if t.used["rsi"] {
		out = append(out, "An RSI without a value counted as 50 there; here it is absent, and a condition on it does not hold.")
	}
	if t.used["stoch_rsi"] {
		out = append(out, "Stochastic RSI runs from 0 to 100 here: compare the levels with those that were meant.")
	}
	if t.used["kama"] {
		out = append(out, "KAMA has the speeds 2 and 30, as there.")
	}
	if w.symbol > 1 && !w.from.has("max_positions") {
		out = append(out, "The application ran the first symbol only; here all of them share the cash, an equal part each. To run one: --symbols.")
	}
	return out
}
