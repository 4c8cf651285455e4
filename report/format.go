package report

import (
	"math"
	"strconv"
	"strings"
	"unicode"

	"backtester/backtest/instrument"
	"backtester/backtest/stats"
)

// undefinedText stands for a value that does not exist.
const undefinedText = "n/a"

// number formats x with decimals and thousands separators, from 1e15 on with an exponent instead;
// "n/a" when it is not finite. A result that would be minus zero is zero.
func number(x float64, decimals int) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return undefinedText
	}
	if math.Abs(x) >= 1e15 {
		return strconv.FormatFloat(x, 'e', 3, 64) // beyond what a float64 counts in cents, and what a table holds
	}
	s := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	whole, rest, _ := strings.Cut(s, ".")
	var b strings.Builder
	if x < 0 && strings.Trim(s, "0.") != "" {
		b.WriteByte('-')
	}
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if decimals > 0 {
		b.WriteByte('.')
		b.WriteString(rest)
	}
	return b.String()
}

// percent formats a fraction: two decimals, one from 100 % and none from 10,000 % on.
func percent(x float64) string {
	d := 2
	switch a := math.Abs(x); {
	case a >= 100:
		d = 0
	case a >= 1:
		d = 1
	}
	s := number(100*x, d)
	if s == undefinedText {
		return s
	}
	return s + "%"
}

// money formats USD, with cents under 10,000.
func money(x float64) string {
	d := 0
	if math.Abs(x) < 10000 {
		d = 2
	}
	s := number(x, d)
	switch {
	case s == undefinedText:
		return s
	case s[0] == '-':
		return "-$" + s[1:]
	}
	return "$" + s
}

// ratio formats a ratio: two decimals, four under a tenth.
func ratio(x float64) string {
	if s := number(x, 4); math.Abs(x) < 0.095 && strings.Trim(s, "-0.") != "" {
		return s
	}
	return number(x, 2)
}

// price formats USD a share: two decimals from 1 USD on, four below.
func price(x float64) string {
	if math.Abs(x) < 1 {
		return number(x, 4)
	}
	return number(x, 2)
}

// quantity formats shares: whole if they are, else up to four decimals.
func quantity(x float64) string {
	if x == math.Trunc(x) {
		return number(x, 0)
	}
	s := number(x, 4)
	return strings.TrimRight(s, "0")
}

// inUnit formats the value of a metric by its unit.
func inUnit(u stats.Unit, x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return undefinedText
	}
	switch u {
	case stats.Fraction:
		if s := number(100*x, 4); math.Abs(x) < 0.00095 && strings.Trim(s, "-0.") != "" {
			return s + "%"
		}
		return percent(x)
	case stats.Probability:
		if x >= 0 && x < 0.0005 {
			return "<0.001"
		}
		return number(x, 3)
	case stats.USD:
		return money(x)
	case stats.CivilDate:
		return instrument.Date(x).String()
	case stats.Ratio:
		return ratio(x)
	case stats.Sessions:
		return number(math.Ceil(x), 0)
	}
	s := number(x, 1)
	if x == math.Trunc(x) {
		s = number(x, 0)
	}
	switch u {
	case stats.Days, stats.Bars:
		return s + " " + string(u)
	}
	return s
}

// compact formats a number for an axis: 1.2M, 350k, 0.25.
func compact(x float64) string {
	a := math.Abs(x)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return undefinedText
	}
	for _, u := range []struct {
		size float64
		name string
	}{{1e12, "T"}, {1e9, "B"}, {1e6, "M"}, {1e3, "k"}} {
		if a >= u.size {
			return strings.TrimSuffix(strings.TrimRight(number(x/u.size, 2), "0"), ".") + u.name
		}
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// clean removes what text from users must not do to its surroundings: control characters (terminal
// escapes, line breaks) and marks that change the direction of text. Invalid bytes become the
// replacement character.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0x200E, r == 0x200F, r == 0x061C:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cut shortens text to n runes, with an ellipsis when something is lost.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	if n < 2 {
		return string(r[:max(n, 0)])
	}
	return string(r[:n-1]) + "…"
}

// list joins at most n items and counts the rest.
func list(items []string, n int) string {
	if len(items) > n {
		return strings.Join(items[:n], ", ") + " and " + strconv.Itoa(len(items)-n) + " more"
	}
	return strings.Join(items, ", ")
}
