package stats

import "math"

// sum adds numbers and the rounding errors of adding them (Knuth's TwoSum, which needs no branch):
// the error stays at one rounding of the result however many numbers there are. It is a value, so that
// loops keep it in registers: an address would send every addition through memory.
type sum struct{ s, c float64 }

func (k sum) add(x float64) sum {
	t := k.s + x
	b := t - k.s
	return sum{t, k.c + ((k.s - (t - b)) + (x - b))}
}

func (k sum) value() float64 { return k.s + k.c }

// total is the sum of x by four interleaved sums, so that one addition need not wait for the last.
func total(x []float64) float64 {
	var a, b, c, d sum
	for ; len(x) >= 4; x = x[4:] {
		a = a.add(x[0])
		b = b.add(x[1])
		c = c.add(x[2])
		d = d.add(x[3])
	}
	for _, v := range x {
		a = a.add(v)
	}
	a = a.add(b.s)
	a = a.add(c.s)
	a = a.add(d.s)
	return a.s + (a.c + b.c + c.c + d.c)
}

// mean of x; NaN when empty.
func mean(x []float64) float64 { return total(x) / float64(len(x)) }

// flatVariance is the largest variance of returns that is rounding and not movement: a return is
// V/V'-1 and so carries an absolute error of about 1e-16 whatever its size.
const flatVariance = 1e-28

// moments of a sample about its mean, two passes.
type moments struct {
	n          int
	mean       float64
	m2, m3, m4 float64 // central moments, divided by n
}

func momentsOf(x []float64) moments {
	m := moments{n: len(x), mean: mean(x)}
	var s2, s3, s4 sum
	for lo := 0; lo < len(x); lo += 256 { // plain sums of blocks: their errors are far under one ulp of the whole
		var b2, b3, b4 float64
		for _, v := range x[lo:min(lo+256, len(x))] {
			d := v - m.mean
			d2 := float64(d * d)
			b2 += d2
			b3 += float64(d2 * d)
			b4 += float64(d2 * d2)
		}
		s2 = s2.add(b2)
		s3 = s3.add(b3)
		s4 = s4.add(b4)
	}
	n := float64(len(x))
	m.m2, m.m3, m.m4 = s2.value()/n, s3.value()/n, s4.value()/n
	if m.m2 <= flatVariance {
		m.m2, m.m3, m.m4 = 0, 0, 0
	}
	return m
}

// sd is the sample standard deviation (n-1); NaN under two values.
func (m moments) sd() float64 {
	if m.n < 2 {
		return math.NaN()
	}
	return math.Sqrt(m.m2 * float64(m.n) / float64(m.n-1))
}

// g3 and g4 are the population skewness and the raw kurtosis (3 for the normal law); NaN for a
// constant sample.
func (m moments) g3() float64 { return m.m3 / (m.m2 * math.Sqrt(m.m2)) }
func (m moments) g4() float64 { return m.m4 / (m.m2 * m.m2) }

// skewness is the adjusted Fisher-Pearson coefficient G1; NaN under three values.
func (m moments) skewness() float64 {
	n := float64(m.n)
	if m.n < 3 {
		return math.NaN()
	}
	return m.g3() * math.Sqrt(n*(n-1)) / (n - 2)
}

// excessKurtosis is the bias-adjusted G2, 0 for the normal law; NaN under four values.
func (m moments) excessKurtosis() float64 {
	n := float64(m.n)
	if m.n < 4 {
		return math.NaN()
	}
	return (n - 1) / ((n - 2) * (n - 3)) * ((n+1)*(m.g4()-3) + 6)
}

// safeDiv is a/b, undefined when b is zero.
func safeDiv(a, b float64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return a / b
}

// change is b/a - 1 without the cancellation.
func change(a, b float64) float64 { return (b - a) / a }
