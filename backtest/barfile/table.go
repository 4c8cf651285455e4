package barfile

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"backtester/backtest/bar"
)

// role of a column.
type role byte

const (
	ignored role = iota
	stamp
	opening
	high
	low
	closing
	volume
	nRoles
)

// roleNames are the header names that are understood, in lower case.
func roleOf(name string) role {
	switch name {
	case "date", "time", "timestamp", "datetime":
		return stamp
	case "open":
		return opening
	case "high":
		return high
	case "low":
		return low
	case "close":
		return closing
	case "volume":
		return volume
	}
	return ignored
}

// table is the rows of one file.
type table struct {
	name    string
	line    int    // read last, from 1
	roles   []role // by column; nil before the header
	has     [nRoles]bool
	ignored []string // header names without a role

	stamps stamps
	time   []int64
	values [nRoles][]float64 // opening to volume
	lines  []int32           // of the rows, for messages after reading
	blank  int               // rows without any price
	unsure int               // line of the first row without a volume, 0 when all have one
	filled int               // rows with a volume
	fields [][]byte

	anyOrder bool      // rows may come in any order: see sorted
	stated   bar.Frame // what the bars are said to be, if anything is
}

// add the lines of a chunk.
func (t *table) add(b []byte) error {
	for len(b) > 0 {
		row := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			row, b = b[:i], b[i+1:]
		} else {
			b = nil
		}
		if n := len(row); n > 0 && row[n-1] == '\r' {
			row = row[:n-1]
		}
		t.line++
		if len(row) == 0 {
			continue
		}
		var err error
		if t.fields, err = split(t.fields[:0], row); err != nil {
			return err
		}
		if t.roles == nil {
			err = t.header(t.fields)
		} else {
			err = t.row(t.fields)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// split a line into fields. Quoted fields may hold commas and doubled quotes, but no line end.
func split(dst [][]byte, row []byte) ([][]byte, error) {
	if bytes.IndexByte(row, '"') < 0 {
		for {
			i := bytes.IndexByte(row, ',')
			if i < 0 {
				return append(dst, row), nil
			}
			dst, row = append(dst, row[:i]), row[i+1:]
		}
	}
	for {
		if len(row) == 0 || row[0] != '"' {
			i := bytes.IndexByte(row, ',')
			field := row
			if i >= 0 {
				field = row[:i]
			}
			if bytes.IndexByte(field, '"') >= 0 {
				return dst, fmt.Errorf("a quote stands within the field %q", field)
			}
			dst = append(dst, field)
			if i < 0 {
				return dst, nil
			}
			row = row[i+1:]
			continue
		}
		var field []byte
		row = row[1:]
		for {
			i := bytes.IndexByte(row, '"')
			if i < 0 {
				return dst, errors.New("a quoted field has no end on its line")
			}
			field, row = append(field, row[:i]...), row[i+1:]
			if len(row) == 0 || row[0] != '"' {
				break
			}
			field, row = append(field, '"'), row[1:]
		}
		dst = append(dst, field)
		if len(row) == 0 {
			return dst, nil
		}
		if row[0] != ',' {
			return dst, fmt.Errorf("after the quoted field %q comes %q, not a comma", field, row[0])
		}
		row = row[1:]
	}
}

// header finds the columns.
func (t *table) header(fields [][]byte) error {
	t.roles = make([]role, len(fields))
	for i, f := range fields {
		if i == 0 {
			f = bytes.TrimPrefix(f, []byte("\xef\xbb\xbf"))
		}
		name := strings.ToLower(strings.TrimSpace(string(f)))
		r := roleOf(name)
		t.roles[i] = r
		if r == ignored {
			t.ignored = append(t.ignored, name)
			continue
		}
		if t.has[r] {
			return fmt.Errorf("column %q says again what an earlier one says; leave one of them out", name)
		}
		t.has[r] = true
	}
	var missing []string
	for r, name := range map[role]string{stamp: "date", opening: "open", high: "high", low: "low", closing: "close"} {
		if !t.has[r] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		line := bytes.Join(fields, []byte(","))
		return headless(line, strings.Join(missing, ", "), "date,open,high,low,close and perhaps volume")
	}
	return nil
}

// row of values.
func (t *table) row(fields [][]byte) error {
	if len(fields) != len(t.roles) {
		return fmt.Errorf("%d fields, but the header has %d", len(fields), len(t.roles))
	}
	v, when, blanks, err := t.parse(fields)
	if err != nil {
		return err
	}
	if blanks == 4 {
		t.blank++
		return nil
	}
	if err := t.possible(&v, blanks); err != nil {
		return err
	}
	ns, err := t.stamps.read(when)
	if err != nil {
		return err
	}
	if n := len(t.time); !t.anyOrder && n > 0 && ns <= t.time[n-1] {
		what := "is before"
		if ns == t.time[n-1] {
			what = "is the same as"
		}
		return fmt.Errorf("%q %s that of the row above (line %d): rows must be sorted, oldest first, each time once",
			when, what, t.lines[n-1])
	}
	t.put(ns, &v)
	return nil
}

// possible refuses values that no bar can have.
func (t *table) possible(v *[nRoles]float64, blanks int) error {
	if blanks > 0 {
		return errors.New("some prices are missing: fill them in, or leave out the row or all of its prices")
	}
	if fault := barFault(v, t.has[volume]); fault != "" {
		return fmt.Errorf("%s: correct the row, or leave it out (open %v high %v low %v close %v volume %v)", fault, v[opening], v[high], v[low], v[closing], v[volume])
	}
	return nil
}

// put a bar at the end.
func (t *table) put(ns int64, v *[nRoles]float64) {
	t.time = append(t.time, ns)
	t.lines = append(t.lines, int32(t.line))
	for r := opening; r < nRoles; r++ {
		t.values[r] = append(t.values[r], v[r])
	}
	if t.has[volume] && math.IsNaN(v[volume]) {
		if t.unsure == 0 {
			t.unsure = t.line
		}
	} else {
		t.filled++
	}
}

// grow makes room for about n rows in all, so that long files are not copied again and again.
func (t *table) grow(n int) {
	n += n / 16
	t.time, t.lines = slices.Grow(t.time, n), slices.Grow(t.lines, n)
	for r := opening; r < nRoles; r++ {
		t.values[r] = slices.Grow(t.values[r], n)
	}
	if t.stamps.timed {
		t.stamps.civil = slices.Grow(t.stamps.civil, n)
	}
}

// parse the fields of a row: numbers, NaN where there is none, and the field of the time. blanks
// counts prices without a value.
func (t *table) parse(fields [][]byte) (v [nRoles]float64, when []byte, blanks int, err error) {
	for i, r := range t.roles {
		f := fields[i]
		switch r {
		case ignored:
			continue
		case stamp:
			when = f
			continue
		}
		x, ok := bar.ParseNumber(f)
		if !ok {
			x, ok = bar.ParseNumber(bytes.TrimSpace(f))
		}
		if !ok {
			if !isBlank(f) {
				return v, when, blanks, fmt.Errorf("%s is %q, which is not a number", roleName(r), f)
			}
			x = math.NaN()
			if r != volume {
				blanks++
			}
		}
		v[r] = x
	}
	return v, when, blanks, nil
}

// isBlank: what other programs write where they have no value.
func isBlank(f []byte) bool {
	switch strings.ToLower(string(bytes.TrimSpace(f))) {
	case "", "null", "nan", "na", "n/a", "none", "-":
		return true
	}
	return false
}

func roleName(r role) string {
	return [...]string{"", "date", "open", "high", "low", "close", "volume"}[r]
}

// Bounds of what is taken for a bar. Prices restated for many reverse splits reach 1e9; what lies beyond is a
// fault of the file and would make money overflow.
const (
	mostPrice  = 1e12
	mostVolume = 1e15
)

// barFault says why a bar cannot be; "" when it can.
func barFault(v *[nRoles]float64, hasVolume bool) string {
	o, h, l, c := v[opening], v[high], v[low], v[closing]
	switch {
	case !(min(o, h, l, c) > 0):
		return "a price is not a positive number"
	case !(max(o, h, l, c) <= mostPrice):
		return "a price is above what any share ever cost"
	case !(l <= o && l <= c):
		return "the low is above open or close"
	case !(o <= h && c <= h):
		return "the high is below open or close"
	case hasVolume && v[volume] < 0:
		return "the volume is negative"
	case hasVolume && v[volume] > mostVolume:
		return "the volume is above what ever traded"
	}
	return ""
}
