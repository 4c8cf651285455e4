package indicator

import "math"

// The functions below stand in for those of package math, which may give other last bits on another
// architecture. They multiply, add and divide only, each rounded on its own.

// ln is the natural logarithm to about 1 unit in the last place; absent for what is not positive.
//
// With x = m * 2^k and m near 1, ln x = k ln 2 + 2 artanh((m-1)/(m+1)), by its series.
func ln(x float64) float64 {
	if !(x > 0) || x-x != 0 {
		return math.NaN()
	}
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = float64(2*m), k-1
	}
	s := (m - 1) / (m + 1)
	q := float64(s * s)
	sum := 0.0
	for j := 23; j >= 3; j -= 2 {
		sum = float64(q * (1/float64(j) + sum))
	}
	// ln 2 in two parts, the first with enough zeros at its end to be multiplied exactly.
	const high, low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	return float64(float64(k)*high) + (float64(2*s) + (float64(float64(2*s)*sum) + float64(float64(k)*low)))
}

// exp is e^x to about 1 unit in the last place.
//
// With x = k ln 2 + r and |r| <= ln 2 / 2, e^x = 2^k e^r, by its series.
func exp(x float64) float64 {
	const high, low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	if x-x != 0 || x < -700 || x > 700 {
		switch {
		case x < -700:
			return 0
		case x > 700:
			return math.Inf(1)
		}
		return math.NaN()
	}
	k := math.Floor(x/math.Ln2 + 0.5)
	r := (x - float64(k*high)) - float64(k*low)
	sum := 1.0
	for j := 14; j >= 1; j-- {
		sum = 1 + float64(r*sum)/float64(j)
	}
	return math.Ldexp(sum, int(k))
}

// atan is the arc tangent in degrees.
//
// Above 1 it is 90 - atan(1/x); half the angle is taken until the argument is small, then its series.
func atan(x float64) float64 {
	if x < 0 {
		return -atan(-x)
	}
	if x > 1 {
		return 90 - atan(1/x)
	}
	scale := 180 / math.Pi
	for range 3 {
		x /= 1 + math.Sqrt(1+float64(x*x))
		scale += scale
	}
	q, sum := float64(x*x), 0.0
	for j := 17; j >= 1; j -= 2 {
		sum = 1/float64(j) - float64(q*sum)
	}
	return float64(scale * float64(x*sum))
}

// sine of an angle in degrees, exact at multiples of 90.
func sine(degrees float64) float64 {
	turn := degrees - float64(360*math.Floor(degrees/360+0.5))
	switch {
	case turn > 90:
		turn = 180 - turn
	case turn < -90:
		turn = -180 - turn
	}
	r := float64(turn * (math.Pi / 180))
	q, sum := float64(r*r), 0.0
	for j := 21; j >= 3; j -= 2 {
		sum = 1 - float64(q*sum)/float64(j*(j-1))
	}
	return float64(r * sum)
}
