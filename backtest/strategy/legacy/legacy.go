// Package legacy translates the strategy documents of the web application that this tool replaces:
// one JSON object with symbols, dates, indicators and lists of conditions.
//
// In: the bytes of such a document, its keys in snake_case or camelCase. Out: an equal strategy file,
// as YAML and as a File, and notes on what is done differently here and why. Every condition becomes
// an expression with the mathematics that the application used; where this tool has another default,
// the expression says which is meant.
//
// It refuses, all at once and with line and column, unknown keys, unknown series (which the
// application took for zeros), lengths that contradict each other and thresholds without meaning. What
// the application did wrong is not done again: prices are adjusted for splits, a fill carries the day
// on which it happened, commissions are part of what an order must be able to pay, every length and
// every deviation counts, and results use the run's own capital.
package legacy

import (
	"bytes"
	"encoding/json"
	"sort"
	"strings"

	"backtester/backtest/strategy"
)

// Conversion is a translated document.
type Conversion struct {
	File  *strategy.File
	YAML  []byte   // the same as a file, with the notes as comments at its head
	Notes []string // what is different here, one sentence or two each

	// Outputs are the columns that the application made of the document's indicators, in its order and by
	// its names, whether a condition uses them or not.
	Outputs []Output
}

// Recognises reports whether data looks like a document of the application, not like a strategy file
// in JSON: it has conditions under one of their names.
func Recognises(data []byte) bool {
	var top map[string]json.RawMessage
	if json.Unmarshal(data, &top) != nil {
		return false
	}
	for key := range top {
		switch snake(key) {
		case "entry_conditions", "exit_conditions":
			return true
		}
	}
	return false
}

// Convert translates a document; name is shown in messages. Conversion is nil when there are faults.
func Convert(name string, data []byte) (*Conversion, strategy.Diagnostics) {
	d := &document{name: name, data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
	root, ok := d.read()
	if !ok {
		return nil, d.faults
	}
	f := d.fields(root, "the document", "name", "symbols", "symbol=symbols", "ticker=symbols", "tickers=symbols",
		"start_date", "start=start_date", "end_date", "end=end_date", "initial_capital", "order_type", "slippage_bps", "commission_bps",
		"slippage", "commission", "indicators", "entry_conditions", "exit_conditions", "entry_logic", "exit_logic",
		"position_sizing", "max_positions")
	t := &translator{document: d, settings: d.settings(f), used: map[string]bool{}}
	w := &writer{document: d, from: f}
	w.text("name", "name")
	w.dates()
	w.symbols()
	entry := t.conditions(f, "entry_conditions", "entry_logic")
	if entry == "" && len(d.faults) == 0 {
		at := root
		if f.has("entry_conditions") {
			at = f["entry_conditions"]
		}
		d.fault(at, "missing_key", "", "the document has no entry_conditions: there would be nothing to trade")
	}
	w.put("entry", quoted(entry), f["entry_conditions"])
	if exit := t.conditions(f, "exit_conditions", "exit_logic"); exit != "" {
		w.put("exit", quoted(exit), f["exit_conditions"])
	}
	w.money()
	if len(d.faults) > 0 {
		return nil, sorted(d.faults)
	}
	notes := t.notes(w)
	text, faults := w.yaml(notes)
	if len(faults) > 0 {
		return nil, sorted(faults)
	}
	file, faults := strategy.Parse(strings.TrimSuffix(name, ".json")+".yaml", text)
	if len(faults) > 0 {
		return nil, faults
	}
	return &Conversion{File: file, YAML: text, Notes: notes, Outputs: t.outputs()}, nil
}

// sorted puts faults in the order of their places.
func sorted(list strategy.Diagnostics) strategy.Diagnostics {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].Pos, list[j].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return list
}

// settings are the numbers of indicators, used or not.
func (d *document) settings(f fields) map[string]fields {
	out := map[string]fields{}
	v, ok := f["indicators"]
	if !ok {
		return out
	}
	known := map[string][]string{"macd": {"fast", "slow", "signal"}, "bb": {"period", "std_dev"}, "kc": {"period", "multiplier"},
		"stoch_rsi": {"rsi_period", "stoch_period", "k_smooth", "d_smooth"}}
	for _, name := range []string{"rsi", "atr", "sma", "ema", "wma", "hma", "kama"} {
		known[name] = []string{"period"}
	}
	names := []string{"rsi", "macd", "bb", "kc", "atr", "stoch_rsi", "sma", "ema", "wma", "hma", "kama"}
	all := d.fields(v, "indicators", names...)
	for _, name := range names {
		if section, ok := all[name]; ok {
			own := d.fields(section, "indicators."+name, known[name]...)
			for _, key := range known[name] {
				switch {
				case !own.has(key):
				case key == "std_dev" || key == "multiplier":
					own.drop(key, d.number(own, key, -1) < 0)
				default:
					own.drop(key, d.length(own, key, -1) < 0)
				}
			}
			out[name] = own
		}
	}
	return out
}

func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic("BUG: encode a text: " + err.Error())
	}
	return strings.TrimSuffix(b.String(), "\n")
}
