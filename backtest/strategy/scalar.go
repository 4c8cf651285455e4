package strategy

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// scalar reads one value of a simple form into v. It reports the fault itself.
func (d *decoder) scalar(n *node, v reflect.Value, f *field, path string) bool {
	if n.kind != scalarNode {
		d.add(n, cause{code: "wrong_type"}, "%s is %s, want %s", path, n.noun(), f.want())
		return false
	}
	switch f.form {
	case formNumber, formWhole:
		x, ok := d.number(n, f.want(), path)
		if !ok || !d.inRange(n, x, f, path) {
			return false
		}
		if f.form == formNumber {
			v.SetFloat(x)
			return true
		}
		if x != math.Trunc(x) || math.Abs(x) > 1e9 {
			d.add(n, cause{code: "wrong_type"}, "%s is %s, want a whole number", path, n.text)
			return false
		}
		v.SetInt(int64(x))
	case formFlag:
		on, ok := flag(n)
		if !ok {
			d.add(n, cause{"wrong_type", flagHint(n.text)}, "%s is %s, want true or false", path, n.noun())
			return false
		}
		v.SetBool(on)
	case formWord:
		return d.word(n, v, f, path)
	case formFrame:
		frame, err := bar.ParseFrame(n.text)
		if err != nil {
			d.add(n, cause{"bad_bars", frameHint(n.text)}, "%s is %s, want %s", path, n.noun(), f.want())
			return false
		}
		v.Set(reflect.ValueOf(frame))
	case formDate:
		date, err := instrument.ParseDate(n.text)
		if err != nil {
			d.add(n, cause{"bad_date", dateHint(n.text)}, "%s is %s, want %s", path, n.noun(), f.want())
			return false
		}
		v.Set(reflect.ValueOf(date))
	case formSpan:
		if !validSpan(n.text) {
			d.add(n, cause{code: "bad_span"}, "%s is %s, want %s", path, n.noun(), f.want())
			return false
		}
		v.SetString(n.text)
	case formTicker:
		if !d.ticker(n, n.text, path) {
			return false
		}
		v.SetString(n.text)
	default:
		v.SetString(n.text)
	}
	return true
}

// want says in words what a key takes.
func (f *field) want() string {
	switch f.form {
	case formExpr:
		if f.kind == "number" {
			return "an expression that gives a number, such as close * 0.99"
		}
		return "a condition, such as close > sma(close, 200)"
	case formNumber:
		return "a number" + inUnit(f.unit)
	case formWhole:
		return "a whole number" + inUnit(f.unit)
	case formFlag:
		return "true or false"
	case formWord:
		return list(f.enum, "or")
	case formFrame:
		return "a bar length: 1m, 5m, 15m, 1h, 1d, 1w or 1M"
	case formDate:
		return "a date written as 2015-01-31"
	case formSpan:
		return "a length of time such as 250d, 52w, 18m or 3y"
	case formTicker:
		return "a ticker"
	case formTickers:
		return "a list of tickers, such as [AAPL, MSFT]"
	case formTypes:
		return "a list of types, such as [CS, ADRC]"
	case formFiles:
		return "a mapping of names to files, such as {vix: vix.csv}"
	case formTexts:
		return "a condition or a list of them"
	case formParams:
		return "a mapping of names to values, such as {n: 20..60 step 5}"
	case formSignals:
		return "a mapping of names to expressions, such as {up: close > sma(close, 200)}"
	case formMapping, formMappings:
		if f.short.none {
			return "none, or a mapping such as {" + f.fields[0].key + ": ...}"
		}
		if inner := find(f.fields, f.short.text); inner != nil && inner.form == formWord {
			return "a word such as " + inner.enum[len(inner.enum)/2] + ", or a mapping such as {" + inner.key + ": ...}"
		}
		if f.short.text != "" {
			return "a condition such as close > sma(close, 200), or a mapping such as {when: ...}"
		}
		return "a mapping such as {" + f.fields[0].key + ": ...}"
	}
	return "a text"
}

func inUnit(unit string) string {
	if unit == "" {
		return ""
	}
	return " (" + unit + ")"
}

// list joins words as people do: a, b or c.
func list(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}

// number reads a decimal number; underscores may group digits.
func (d *decoder) number(n *node, want, path string) (float64, bool) {
	if n.kind != scalarNode {
		d.add(n, cause{code: "wrong_type"}, "%s is %s, want %s", path, n.noun(), want)
		return 0, false
	}
	if n.style != 0 {
		hint := numberHint(n.text, want)
		if _, ok := decimal(n.text); ok {
			hint = "write " + n.text + " without quotes"
		}
		d.add(n, cause{"wrong_type", hint}, "%s is text in quotes, want %s", path, want)
		return 0, false
	}
	x, ok := decimal(n.text)
	if !ok {
		d.add(n, cause{"wrong_type", numberHint(n.text, want)}, "%s is %s, want %s", path, n.noun(), want)
		return 0, false
	}
	if math.IsInf(x, 0) {
		d.add(n, cause{code: "out_of_range"}, "%s is %s, which is larger than any number can be", path, n.text)
		return 0, false
	}
	return x, true
}

// decimal reads what people write as a number: digits, a point, an exponent, no more. An overflow is
// infinite.
func decimal(text string) (float64, bool) {
	digits := strings.ReplaceAll(text, "_", "")
	body := strings.TrimLeft(digits, "+-")
	if len(digits)-len(body) > 1 || body == "" || strings.Trim(body, "0123456789.eE+-") != "" ||
		strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") || strings.Contains(text, "__") {
		return 0, false
	}
	if len(body) > 1 && body[0] == '0' && body[1] >= '0' && body[1] <= '9' {
		return 0, false // 010 is ten to people and eight to YAML
	}
	x, err := strconv.ParseFloat(digits, 64)
	if err != nil && !math.IsInf(x, 0) {
		return 0, false
	}
	if x == 0 {
		x = 0 // no negative zero
	}
	return x, true
}

// numberHint reads the mind of people who write 10%, $5 or 1,000.
func numberHint(text, want string) string {
	if body, ok := strings.CutSuffix(strings.TrimSpace(text), "%"); ok {
		if x, ok := decimal(strings.TrimSpace(body)); ok && strings.Contains(want, "bps") {
			return fmt.Sprintf("%s are %s bps", text, shortest(x*100))
		} else if ok {
			return fmt.Sprintf("percent are written as fractions: %s is %s", text, shortest(x/100))
		}
	}
	plain := strings.NewReplacer("$", "", ",", "", " ", "", "USD", "").Replace(text)
	if _, ok := decimal(plain); ok && plain != text {
		return "write " + plain
	}
	if trimmed := strings.TrimLeft(text, "0"); trimmed != text && trimmed != "" {
		if _, ok := decimal(trimmed); ok {
			return "write " + trimmed
		}
	}
	return ""
}

// shortest is the shortest decimal text that reads back as x.
func shortest(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func (d *decoder) inRange(n *node, x float64, f *field, path string) bool {
	switch {
	case x < f.min:
		d.add(n, cause{code: "out_of_range"}, "%s is %s, want at least %s", path, n.text, shortest(f.min))
	case x > f.max:
		hint := ""
		if strings.HasPrefix(f.unit, "fraction") && x >= 2 && x <= 100 {
			hint = fmt.Sprintf("it is a fraction: %s %% is written %s", n.text, shortest(x/100))
		}
		d.add(n, cause{"out_of_range", hint}, "%s is %s, want at most %s", path, n.text, shortest(f.max))
	default:
		return true
	}
	return false
}

func flag(n *node) (on, ok bool) {
	if n.style != 0 {
		return false, false
	}
	switch n.text {
	case "true", "True", "TRUE":
		return true, true
	case "false", "False", "FALSE":
		return false, true
	}
	return false, false
}

func flagHint(text string) string {
	switch strings.ToLower(text) {
	case "yes", "y", "on", "1", "true":
		return "did you mean true?"
	case "no", "n", "off", "0", "none", "false":
		return "did you mean false?"
	}
	return ""
}

func frameHint(text string) string {
	switch strings.ToLower(text) {
	case "day", "daily", "d", "1day", "d1":
		return "did you mean 1d?"
	case "minute", "1min", "min", "m1":
		return "did you mean 1m?"
	case "5min", "m5":
		return "did you mean 5m?"
	case "15min", "m15":
		return "did you mean 15m?"
	case "hour", "hourly", "h", "60m", "h1", "1hour":
		return "did you mean 1h?"
	case "week", "weekly", "w", "1week":
		return "did you mean 1w?"
	case "month", "monthly", "1mo", "1month":
		return "did you mean 1M?"
	}
	return ""
}

// dateHint reads dates written in other ways, where they have one meaning only.
func dateHint(text string) string {
	for _, layout := range []string{"2006-1-2", "2006/1/2", "20060102", "2006.1.2", "2.1.2006", "2006-01-02T15:04:05Z07:00",
		"2006-01-02 15:04:05", "Jan 2 2006", "Jan 2, 2006", "2 Jan 2006"} {
		if t, err := time.Parse(layout, text); err == nil {
			return "did you mean " + t.Format(time.DateOnly) + "?"
		} else if strings.Contains(err.Error(), "out of range") {
			return "the calendar has no such day"
		}
	}
	return ""
}

func (d *decoder) word(n *node, v reflect.Value, f *field, path string) bool {
	for _, w := range f.enum {
		if w == n.text {
			v.SetString(n.text)
			return true
		}
	}
	if _, ok := notBuilt(withoutIndex(path) + "=" + n.text); ok {
		d.add(n, cause{"not_built", "use " + f.want()}, "%s: %s is not built yet", path, n.text)
		return false
	}
	hint := ""
	if w := suggestWord(n.text, f.enum); w != "" {
		hint = "did you mean " + w + "?"
	}
	d.add(n, cause{"unknown_word", hint}, "%s is %s, want %s", path, n.noun(), f.want())
	return false
}

func validSpan(text string) bool {
	if len(text) < 2 || len(text) > 6 {
		return false
	}
	number, unit := text[:len(text)-1], text[len(text)-1]
	n, err := strconv.Atoi(number)
	return err == nil && n > 0 && number[0] >= '1' && strings.IndexByte("dwmy", unit) >= 0
}

// ticker accepts the alphabets of exchange and vendor tickers, and TICKER@SESSION for whoever had it
// then; whether one exists is for the data to say.
func (d *decoder) ticker(n *node, whole, path string) bool {
	text, day, dated := strings.Cut(whole, "@")
	ok := text != "" && len(text) <= 32
	if dated {
		_, err := instrument.ParseDate(day)
		ok = ok && err == nil
	}
	for i := range len(text) {
		c := text[i]
		letter := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		ok = ok && (letter || i > 0 && strings.IndexByte(".-/:_^=+$", c) >= 0 || i == 0 && c == '^')
	}
	if !ok {
		hint := ""
		if strings.ContainsAny(whole, " ;|") {
			hint = "separate tickers with commas"
		}
		d.add(n, cause{"bad_ticker", hint}, "%s: %q is not a ticker", path, clip(whole, 40))
	}
	return ok
}
