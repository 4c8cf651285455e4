package bar

import (
	"math/bits"
	"strconv"
)

// Powers of ten that a float64 holds exactly.
var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// ParseNumber reads a decimal number such as 12, -0.5, 1.5e3 and gives the float64 nearest to it, bit
// for bit what strconv.ParseFloat gives. It reports false for everything else: an empty field, blanks,
// inf, nan, hexadecimal, underscores, and numbers too large for a float64. It does not allocate on
// plain decimals of up to 19 digits.
//
// A mantissa below 2^53 divided by a power of ten up to 10^22 is one correctly rounded operation on
// two exact operands (Clinger 1990, "How to read floating point numbers accurately"); whatever does
// not fit goes to strconv.
func ParseNumber(b []byte) (float64, bool) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg, i = b[0] == '-', 1
	}
	var m uint64
	digits, frac, point := 0, 0, false
	for ; i < len(b); i++ {
		c := b[i]
		if d := c - '0'; d <= 9 {
			m = m*10 + uint64(d)
			digits++
			if point {
				frac++
			}
			continue
		}
		if c != '.' || point {
			return parseSlow(b)
		}
		point = true
	}
	if digits == 0 {
		return 0, false
	}
	if digits > 19 || bits.Len64(m) > 53 || frac >= len(pow10) {
		return parseSlow(b)
	}
	f := float64(m)
	if frac > 0 {
		f /= pow10[frac]
	}
	if neg {
		f = -f
	}
	return f, true
}

// parseSlow admits only the bytes of decimal numbers, so that strconv cannot see the words and the
// hexadecimal forms that it also accepts.
func parseSlow(b []byte) (float64, bool) {
	for _, c := range b {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return f, err == nil
}
