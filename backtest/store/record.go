package store

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"backtester/backtest/instrument"
)

// line is a record as JSON. Actions are two strings that are read many times faster than JSON could
// be: an old company has hundreds of dividends, and a universe asks for all companies. Lists of
// format 1 were JSON throughout.
type line struct {
	Instrument instrument.Instrument `json:"instrument"`
	Splits     string                `json:"splits,omitempty"`    // ex from to; ...
	Dividends  string                `json:"dividends,omitempty"` // ex pay cash declared; ..., - for no pay date, nothing for no day of announcement
	Old        *instrument.Actions   `json:"actions,omitempty"`
}

func encodeRecord(r record) ([]byte, error) {
	var splits, dividends []byte
	for i, s := range r.Actions.Splits {
		splits = fmt.Appendf(separated(splits, i), "%d %s %s", s.Ex, shortest(s.From), shortest(s.To))
	}
	for i, d := range r.Actions.Dividends {
		pay := "-"
		if d.Pay != instrument.None {
			pay = strconv.Itoa(int(d.Pay))
		}
		dividends = fmt.Appendf(separated(dividends, i), "%d %s %s", d.Ex, pay, shortest(d.Cash))
		if d.Declared != 0 {
			dividends = fmt.Appendf(dividends, " %d", d.Declared)
		}
	}
	return json.Marshal(line{Instrument: r.Instrument, Splits: string(splits), Dividends: string(dividends)})
}

func separated(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ';')
	}
	return b
}

// shortest form that reads back to the same bits.
func shortest(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

func decodeRecord(b []byte) (record, error) {
	var l line
	if err := json.Unmarshal(b, &l); err != nil {
		return record{}, err
	}
	r := record{Instrument: l.Instrument}
	if l.Old != nil {
		r.Actions = *l.Old
		return r, nil
	}
	for item, rest := next(l.Splits); item != ""; item, rest = next(rest) {
		f, more, ok := numbers(item)
		if !ok || more != "" {
			return r, fmt.Errorf("the split %q is not three numbers", item)
		}
		r.Actions.Splits = append(r.Actions.Splits, instrument.Split{Ex: instrument.Date(f[0]), From: f[1], To: f[2]})
	}
	for item, rest := next(l.Dividends); item != ""; item, rest = next(rest) {
		f, declared, ok := numbers(item)
		if !ok {
			return r, fmt.Errorf("the dividend %q is not three numbers", item)
		}
		d := instrument.Dividend{Ex: instrument.Date(f[0]), Pay: instrument.None, Cash: f[2]}
		if declared != "" {
			day, err := strconv.ParseInt(declared, 10, 32)
			if err != nil {
				return r, fmt.Errorf("the dividend %q ends in no date", item)
			}
			d.Declared = instrument.Date(day)
		}
		if f[1] == f[1] {
			d.Pay = instrument.Date(f[1])
		}
		if r.Actions.Dividends == nil {
			r.Actions.Dividends = make([]instrument.Dividend, 0, strings.Count(rest, ";")+2)
		}
		r.Actions.Dividends = append(r.Actions.Dividends, d)
	}
	return r, nil
}

// next item of a list, and what follows it.
func next(list string) (item, rest string) {
	item, rest, _ = strings.Cut(list, ";")
	return item, rest
}

// numbers are the first three words of an item, and what follows them; NaN for -, which only a pay date may be.
func numbers(item string) (f [3]float64, rest string, ok bool) {
	for i := range f {
		word, behind, more := strings.Cut(item, " ")
		if !more && i < len(f)-1 {
			return f, "", false
		}
		item = behind
		if word == "-" {
			word = "NaN"
		}
		v, err := strconv.ParseFloat(word, 64)
		if err != nil || v != v && i != 1 {
			return f, "", false
		}
		f[i] = v
	}
	return f, item, true
}
