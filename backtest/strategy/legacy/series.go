package legacy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// series is a source or target as an expression.
type series struct {
	text   string // an expression of the language
	number bool   // the same on all bars
	tight  bool   // binds as tightly as a name: x[1] and x * 2 need no parentheses
}

// before is the value of the bar before.
func (s series) before() string {
	switch {
	case s.number:
		return s.text
	case s.tight:
		return s.text + "[1]"
	}
	return "(" + s.text + ")[1]"
}

// times is s times a factor.
func (s series) times(factor float64) string {
	if s.tight || s.number {
		return s.text + " * " + plain(factor)
	}
	return "(" + s.text + ") * " + plain(factor)
}

func plain(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

// row says how a name is translated. Names that take a length end in _N or have it in the settings.
type row struct {
	names   []string // as they are written in conditions, in lower case
	setting string   // where the length and the other numbers are set: indicators.SETTING
	length  int      // when nothing says it; 0 = must be said, -1 = takes none
	make    func(t *translator, n int, own fields) series
}

// table is every series that the predecessor's conditions could name, and what its mathematics were:
// Bollinger's deviation divides by n - 1, the average true range is an EMA, not Wilder's average, and
// stands in Keltner's bands with the channel's length.
func table() []row {
	column := func(name string) func(*translator, int, fields) series {
		return func(*translator, int, fields) series { return series{text: name, tight: true} }
	}
	average := func(name string) func(*translator, int, fields) series {
		return func(_ *translator, n int, _ fields) series {
			return series{text: fmt.Sprintf("%s(close, %d)", name, n), tight: true}
		}
	}
	return []row{
		{[]string{"open"}, "", -1, column("open")},
		{[]string{"high"}, "", -1, column("high")},
		{[]string{"low"}, "", -1, column("low")},
		{[]string{"close", "price"}, "", -1, column("close")},
		{[]string{"volume"}, "", -1, column("volume")},
		{[]string{"sma"}, "sma", 0, average("sma")},
		{[]string{"ema"}, "ema", 0, average("ema")},
		{[]string{"wma"}, "wma", 0, average("wma")},
		{[]string{"hma"}, "hma", 0, average("hma")},
		{[]string{"kama"}, "kama", 0, average("kama")},
		{[]string{"rsi"}, "rsi", 14, average("rsi")},
		{[]string{"atr"}, "atr", 14, func(_ *translator, n int, _ fields) series {
			return series{text: fmt.Sprintf("ema(tr(), %d)", n), tight: true}
		}},
		{[]string{"bb_top", "bb_upper"}, "bb", 20, bollinger("upper")},
		{[]string{"bb_mid", "bb_middle"}, "bb", 20, average("sma")},
		{[]string{"bb_bottom", "bb_lower"}, "bb", 20, bollinger("lower")},
		{[]string{"kc_top", "kc_upper"}, "kc", 20, keltner("+")},
		{[]string{"kc_mid", "kc_middle"}, "kc", 20, average("ema")},
		{[]string{"kc_bottom", "kc_lower"}, "kc", 20, keltner("-")},
		{[]string{"macd"}, "macd", -1, macd("")},
		{[]string{"macd_signal"}, "macd", -1, macd(".signal")},
		{[]string{"macd_hist", "macd_histogram"}, "macd", -1, macd(".hist")},
		{[]string{"stoch_rsi_k"}, "stoch_rsi", -1, stochRSI(".k")},
		{[]string{"stoch_rsi_d"}, "stoch_rsi", -1, stochRSI(".d")},
	}
}

func bollinger(band string) func(*translator, int, fields) series {
	return func(t *translator, n int, own fields) series {
		k := t.number(own, "std_dev", t.number(t.settings["bb"], "std_dev", 2))
		if n < 2 {
			t.fault(t.at, "out_of_range", "", "the bands of %s need at least 2 bars", t.at.noun())
			n = 2
		}
		return series{text: fmt.Sprintf("bbands(close, %d, %s, ddof = 1).%s", n, plain(k), band), tight: true}
	}
}

func keltner(sign string) func(*translator, int, fields) series {
	return func(t *translator, n int, own fields) series {
		k := t.number(own, "multiplier", t.number(t.settings["kc"], "multiplier", 2))
		return series{text: fmt.Sprintf("ema(close, %d) %s %s * ema(tr(), %d)", n, sign, plain(k), n)}
	}
}

func macd(output string) func(*translator, int, fields) series {
	return func(t *translator, _ int, own fields) series {
		length := func(key string, def int) int { return t.length(own, key, t.length(t.settings["macd"], key, def)) }
		return series{text: fmt.Sprintf("macd(close, %d, %d, %d)%s", length("fast", 12), length("slow", 26), length("signal", 9), output), tight: true}
	}
}

func stochRSI(output string) func(*translator, int, fields) series {
	return func(t *translator, _ int, own fields) series {
		length := func(key string, def int) int {
			return t.length(own, key, t.length(t.settings["stoch_rsi"], key, def))
		}
		return series{text: fmt.Sprintf("stochrsi(close, %d, %d, %d, %d)%s", length("rsi_period", 14), length("stoch_period", 14),
			length("k_smooth", 3), length("d_smooth", 3), output), tight: true}
	}
}

// lookup finds the row of a name and the length that stands at its end, 0 when there is none.
func lookup(name string) (row, int, bool) {
	rows := table()
	find := func(word string) (row, bool) {
		i := slices.IndexFunc(rows, func(r row) bool { return slices.Contains(r.names, word) })
		if i < 0 {
			return row{}, false
		}
		return rows[i], true
	}
	if r, ok := find(name); ok {
		return r, 0, true
	}
	i := strings.LastIndexByte(name, '_')
	if i < 0 {
		return row{}, 0, false
	}
	n, err := strconv.Atoi(name[i+1:])
	r, ok := find(name[:i])
	if err != nil || n < 1 || n > 10_000 || !ok || r.length < 0 {
		return row{}, 0, false
	}
	return r, n, true
}

// nearestSeries is the hint for an unknown name, its length kept.
func nearestSeries(name string) string {
	word, length := name, ""
	if i := strings.LastIndexByte(name, '_'); i >= 0 && strings.Trim(name[i+1:], "0123456789") == "" {
		word, length = name[:i], name[i:]
	} else if trimmed := strings.TrimRight(name, "0123456789"); trimmed != name && trimmed != "" {
		word, length = trimmed, "_"+name[len(trimmed):]
	}
	var names []string
	for _, r := range table() {
		if r.length >= 0 || length == "" {
			names = append(names, r.names...)
		}
	}
	hint := didYouMean(word, names)
	return strings.Replace(hint, "?", length+"?", 1)
}

// Output is a column of an indicator.
type Output struct{ Name, Expr string }

// outputs translates the indicators that the document sets. An average without a length has no column.
func (t *translator) outputs() []Output {
	var list []Output
	for _, setting := range []string{"rsi", "macd", "bb", "kc", "atr", "stoch_rsi", "sma", "ema", "wma", "hma", "kama"} {
		own, given := t.settings[setting]
		if !given {
			continue
		}
		for _, r := range table() {
			if r.setting != setting {
				continue
			}
			n := r.length
			if n >= 0 {
				n = t.length(own, "period", n)
			}
			if n == 0 {
				continue
			}
			name := r.names[0]
			switch {
			case setting == "bb" || setting == "kc":
				name = r.names[1] // upper, middle, lower
			case r.length == 0:
				name += "_" + strconv.Itoa(n)
			}
			list = append(list, Output{strings.ToUpper(name), r.make(t, n, fields{}).text})
		}
	}
	return list
}
