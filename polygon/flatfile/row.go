package flatfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"backtester/backtest/bar"
)

// field is what a column of the file means.
type field byte

const (
	skipped field = iota // a column we do not know: the vendor may add some
	ticker
	volume
	open
	closing
	high
	low
	start
	transactions
	fields
)

// columnNames in the header.
func columnName(f field) string {
	return [...]string{"", "ticker", "volume", "open", "close", "high", "low", "window_start", "transactions"}[f]
}

// row is one parsed line. number is indexed by field; the ticker is a view on the line.
type row struct {
	ticker       []byte
	number       [fields]float64
	start        int64 // ns UTC
	transactions int64 // -1 when empty
}

// layout is the meaning of every column of one file, from its header.
type layout []field

// parseHeader finds all columns of the dataset by name. Unknown columns are skipped, a missing or
// repeated one is an error.
func parseHeader(line []byte, d Dataset) (layout, error) {
	var l layout
	var seen [fields]bool
	for name := range strings.SplitSeq(string(line), ",") {
		f := skipped
		for k := ticker; k < fields; k++ {
			if name == columnName(k) {
				f = k
			}
		}
		if f != skipped && seen[f] {
			return nil, fmt.Errorf("header names column %q twice", name)
		}
		seen[f] = true
		l = append(l, f)
	}
	var missing []string
	for f := ticker; f < fields; f++ {
		if !seen[f] && !(d.Asset() == Indices && (f == volume || f == transactions)) {
			missing = append(missing, columnName(f))
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("no column %s in the header %.80q; want %s", strings.Join(missing, ", "), line, d.header())
	}
	return l, nil
}

// powers of ten that are exact in a float64 and can occur behind fifteen digits.
type powers [16]float64

func newPowers() (p powers) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}

// parse reads one line into r. The error names the column and what stands there.
//
// Numbers of at most 15 digits are read as an integer below 2^53 divided by a power of ten below
// 10^16. Both are exact, so that one rounding gives the float64 nearest to the decimal (W. Clinger,
// How to read floating point numbers accurately, 1990). Everything else goes to bar.ParseNumber; this
// loop exists because finding the comma and reading the digits in one pass halves the cost of a file.
func (r *row) parse(line []byte, l layout, ten *powers) error {
	i := 0
	for c, f := range l {
		if c > 0 {
			if i >= len(line) {
				return fmt.Errorf("%d fields where the header has %d", c, len(l))
			}
			i++ // the comma
		}
		begin := i
		switch f {
		case ticker, skipped:
			for i < len(line) && line[i] != ',' {
				i++
			}
			if f == ticker {
				r.ticker = line[begin:i]
			}
			continue
		case start, transactions:
			n, next, ok := integer(line, i)
			i = next
			if !ok || (i == begin && f == start) {
				return badField(line, begin, f)
			}
			if f == start {
				r.start = n
			} else {
				r.transactions = n
			}
			continue
		}
		mantissa, dot := uint64(0), -1
		for ; i < len(line); i++ {
			if d := line[i] - '0'; d <= 9 {
				mantissa = mantissa*10 + uint64(d)
			} else if line[i] == '.' && dot < 0 {
				dot = i
			} else {
				break
			}
		}
		digits, decimals := i-begin, 0
		if dot >= 0 {
			digits, decimals = digits-1, i-dot-1
		}
		if digits >= 1 && digits <= 15 && (i == len(line) || line[i] == ',') {
			r.number[f] = float64(mantissa) / ten[decimals]
			continue
		}
		v, next, ok := slowNumber(line, begin)
		if !ok {
			return badField(line, begin, f)
		}
		r.number[f], i = v, next
	}
	if i < len(line) {
		return fmt.Errorf("%d fields where the header has %d", bytes.Count(line, []byte{','})+1, len(l))
	}
	return nil
}

// integer reads the field at i, which may be negative; an empty one is -1.
func integer(line []byte, i int) (n int64, next int, ok bool) {
	begin, negative := i, false
	if i < len(line) && line[i] == '-' {
		negative = true
		i++
	}
	first, v := i, uint64(0)
	for len(line)-i >= 8 {
		n, digits := eight(line[i:])
		if !digits {
			break
		}
		v = v*1e8 + n
		i += 8
	}
	for ; i < len(line); i++ {
		d := line[i] - '0'
		if d > 9 {
			break
		}
		v = v*10 + uint64(d)
	}
	ends := i == len(line) || line[i] == ','
	if i == begin && ends {
		return -1, i, true
	}
	// Nineteen digits stay below 2^64, so that v has not wrapped around.
	ok = ends && i > first && i-first <= 19 && v <= math.MaxInt64
	if negative {
		return -int64(v), i, ok
	}
	return int64(v), i, ok
}

// eight reads eight digits at once, in pairs, pairs of pairs and their pair (D. Lemire, Parsing series of
// integers with SIMD, 2023, without SIMD). Nearly all of a time stamp is digits.
func eight(b []byte) (v uint64, digits bool) {
	x := binary.LittleEndian.Uint64(b)
	t := x ^ 0x3030303030303030
	if (t|(t+0x0606060606060606))&0xf0f0f0f0f0f0f0f0 != 0 {
		return 0, false
	}
	t = t*10 + t>>8
	const low = 0x000000ff000000ff
	return ((t&low)*(100+1000000<<32) + (t>>16&low)*(1+10000<<32)) >> 32, true
}

// slowNumber reads a field with a sign, an exponent or more than fifteen digits: exactly, too.
func slowNumber(line []byte, begin int) (v float64, next int, ok bool) {
	next = begin
	for next < len(line) && line[next] != ',' {
		next++
	}
	v, ok = bar.ParseNumber(line[begin:next])
	return v, next, ok
}

// badField says what stands where a number should.
func badField(line []byte, begin int, f field) error {
	text := line[begin:]
	if j := bytes.IndexByte(text, ','); j >= 0 {
		text = text[:j]
	}
	if len(text) == 0 {
		return fmt.Errorf("column %s is empty", columnName(f))
	}
	return fmt.Errorf("column %s: %.40q is no number", columnName(f), text)
}

// validTicker accepts what listings use: behind the prefix of the asset class letters of either case,
// digits and dots, and the dash of pairs.
func validTicker(b []byte, a Asset) bool {
	b, ok := bytes.CutPrefix(b, []byte(a.prefix()))
	if !ok || a == Stocks && bytes.IndexByte(b, '-') >= 0 {
		return false
	}
	for _, c := range b {
		if c != '.' && c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 24
}

// testSymbol reports the exchanges' symbols for testing their systems: no company stands behind
// them. Series such as NTEST.A belong to them.
func testSymbol(t string) bool {
	root, _, _ := strings.Cut(t, ".")
	switch root {
	case "ZAZZT", "ZBZZT", "ZCZZT", "ZJZZT", "ZVZZT", "ZWZZT", "ZXZZT", // Nasdaq
		"ATEST", "CTEST", "MTEST", "NTEST", "PTEST", // NYSE group
		"ZTEST", "ZTST", "ZBZX", // Cboe
		"ZEXIT", "ZIEXT", "ZXIET": // IEX
		return true
	}
	return false
}
