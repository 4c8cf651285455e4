package legacy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"backtester/backtest/strategy"
)

// value is a JSON value with its place.
type value struct {
	off   int
	kind  byte   // { [ " 0 (number) t (true or false) n (null)
	text  string // of a scalar
	keys  []value
	items []value
}

// limits of a document; the longest honest one has a few dozen conditions.
const (
	maxBytes  = 1 << 20
	maxDepth  = 8
	maxValues = 20_000
)

// document is the text with its faults.
type document struct {
	name   string
	data   []byte
	count  int
	faults strategy.Diagnostics
}

// fault reports at v. Only the first hundred are kept; nobody reads more.
func (d *document) fault(v value, code, hint, format string, args ...any) {
	if len(d.faults) < 100 {
		d.faults = append(d.faults, strategy.Diagnostic{Pos: d.position(v.off), Length: v.width(), Code: code,
			Message: fmt.Sprintf(format, args...), Hint: hint})
	}
}

// width is the number of characters to underline.
func (v value) width() int {
	switch v.kind {
	case '"':
		return utf8.RuneCountInString(v.text) + 2
	case '{', '[':
		return 1
	}
	return max(1, len(v.text))
}

func (d *document) position(off int) strategy.Position {
	before := d.data[:min(off, len(d.data))]
	line := bytes.LastIndexByte(before, '\n') + 1
	return strategy.Position{File: d.name, Line: 1 + bytes.Count(before, []byte("\n")), Column: 1 + utf8.RuneCount(before[line:])}
}

// read makes values of the text. The second result is false when it is no JSON document.
func (d *document) read() (value, bool) {
	if len(d.data) > maxBytes {
		d.fault(value{}, "too_large", "", "the document has %d bytes, it may have %d", len(d.data), maxBytes)
		return value{}, false
	}
	dec := json.NewDecoder(bytes.NewReader(d.data))
	dec.UseNumber()
	v, err := d.value(dec, 0)
	if err == nil {
		_, more := dec.Token()
		if more == nil {
			d.fault(value{off: int(dec.InputOffset()) - 1}, "syntax", "", "something follows the document")
		}
		return v, more != nil
	}
	at := int(dec.InputOffset())
	switch {
	case errors.Is(err, errTooMuch) && d.count > maxValues:
		d.fault(value{off: at}, "too_large", "", "%d values and more, at most %d are possible", d.count, maxValues)
		return value{}, false
	case errors.Is(err, errTooMuch):
		d.fault(value{off: at}, "too_deep", "", "nested %d levels deep, at most %d are possible", maxDepth+1, maxDepth)
		return value{}, false
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at = max(0, int(syntax.Offset)-1)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		d.fault(value{off: at}, "syntax", "", "this is not JSON: the document ends in the middle")
		return value{}, false
	}
	d.fault(value{off: at}, "syntax", "", "this is not JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
	return value{}, false
}

// errTooMuch ends the reading of what is no strategy of anybody, though it is JSON.
var errTooMuch = errors.New("too much")

func (d *document) value(dec *json.Decoder, depth int) (value, error) {
	d.count++
	if depth > maxDepth || d.count > maxValues {
		return value{}, errTooMuch
	}
	off := int(dec.InputOffset())
	for off < len(d.data) && strings.IndexByte(" \t\r\n,:", d.data[off]) >= 0 {
		off++
	}
	token, err := dec.Token()
	if err != nil {
		return value{}, err
	}
	switch t := token.(type) {
	case json.Delim:
		v := value{off: off, kind: byte(t)}
		for dec.More() {
			if t == '{' {
				key, err := d.value(dec, depth+1)
				if err != nil {
					return v, err
				}
				v.keys = append(v.keys, key)
			}
			item, err := d.value(dec, depth+1)
			if err != nil {
				return v, err
			}
			v.items = append(v.items, item)
		}
		_, err := dec.Token()
		return v, err
	case string:
		return value{off: off, kind: '"', text: t}, nil
	case json.Number:
		return value{off: off, kind: '0', text: t.String()}, nil
	case bool:
		return value{off: off, kind: 't', text: strconv.FormatBool(t)}, nil
	}
	return value{off: off, kind: 'n', text: "null"}, nil
}

// noun names a value for messages.
func (v value) noun() string {
	switch v.kind {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return strconv.Quote(clip(v.text))
	}
	return clip(v.text)
}

func clip(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:37]) + "..."
	}
	return s
}

// snake is a key in lower case with underscores: startDate is start_date.
func snake(key string) string {
	var b strings.Builder
	for i, r := range key {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// fields are the members of an object by their names in lower case with underscores.
type fields map[string]value

// fields checks the keys of an object against those that are known. Aliases of a key are told as
// alias=key.
func (d *document) fields(v value, what string, known ...string) fields {
	out := fields{}
	if v.kind != '{' {
		d.fault(v, "wrong_type", "", "%s is %s, want an object", what, v.noun())
		return out
	}
	var names []string
	alias := map[string]string{}
	for _, k := range known {
		name, to, renamed := strings.Cut(k, "=")
		names = append(names, name)
		alias[name] = name
		if renamed {
			alias[name] = to
		}
	}
	for i, key := range v.keys {
		name, ok := alias[snake(key.text)]
		switch {
		case !ok:
			d.fault(key, "unknown_key", didYouMean(snake(key.text), names), "unknown key %q in %s", clip(key.text), what)
			continue
		case out.has(name):
			d.fault(key, "duplicate_key", "", "%q says %s a second time: remove one", clip(key.text), name)
			continue
		case v.items[i].kind != 'n': // null is as good as absent
			out[name] = v.items[i]
		}
	}
	return out
}

func (f fields) has(key string) bool {
	_, ok := f[key]
	return ok
}

// drop forgets a member that is at fault, so that it is not faulted again where it is used.
func (f fields) drop(key string, wrong bool) {
	if wrong {
		delete(f, key)
	}
}

// number reads a member; text that is a number is taken, as forms send it. The default is returned
// when it is absent or at fault.
func (d *document) number(f fields, key string, def float64) float64 {
	v, ok := f[key]
	if !ok {
		return def
	}
	x, ok := v.number()
	if !ok {
		d.fault(v, "wrong_type", "", "%s is %s, want a number", key, v.noun())
		return def
	}
	return x
}

func (v value) number() (float64, bool) {
	if v.kind != '0' && v.kind != '"' {
		return 0, false
	}
	x, err := strconv.ParseFloat(strings.TrimSpace(v.text), 64)
	return x, err == nil && x-x == 0 && strings.Trim(v.text, "0123456789.eE+- ") == ""
}

// length reads a number of bars.
func (d *document) length(f fields, key string, def int) int {
	return d.whole(f, key, "bars", def)
}

// whole reads a whole number from 1 on, of what it counts.
func (d *document) whole(f fields, key, what string, def int) int {
	if !f.has(key) {
		return def
	}
	x, ok := f[key].number()
	if !ok || x < 1 || x > 10_000 || x != float64(int(x)) {
		d.fault(f[key], "out_of_range", "", "%s is %s, want a whole number of %s from 1 to 10000", key, f[key].noun(), what)
		return def
	}
	return int(x)
}

// word reads a member that is one of a few words, in any case.
func (d *document) word(f fields, key, def string, words ...string) string {
	v, ok := f[key]
	if !ok {
		return def
	}
	got := strings.ToLower(strings.TrimSpace(v.text))
	for _, w := range words {
		if v.kind == '"' && strings.ToLower(w) == got {
			return w
		}
	}
	d.fault(v, "unknown_word", didYouMean(got, words), "%s is %s, want %s", key, v.noun(), strings.Join(words, " or "))
	return def
}

// didYouMean is the hint for a word that is not among the known ones.
func didYouMean(word string, known []string) string {
	best, least := "", 1+len(word)/3
	for _, k := range known {
		if n := changes(word, k); n <= least && n < len(k) {
			best, least = k, n-1
		}
	}
	if best == "" || len(word) > 64 {
		return ""
	}
	return "did you mean " + best + "?"
}

// changes is the number of letters to change, add or leave out to turn a into b (Levenshtein 1965).
func changes(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
