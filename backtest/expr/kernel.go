package expr

import (
	"math"

	"backtester/backtest/bar"
)

// Kernels of pointwise operations on columns. All slices of a call have the length of the bars; dst
// may be one of the operands. Each agrees with scalar, bit for bit.

// unary is dst = o(a).
func unary(o op, dst, a []float64) {
	a = a[:len(dst)]
	switch o {
	case opNeg:
		for i, x := range a {
			dst[i] = -x
		}
	case opAbs:
		for i, x := range a {
			dst[i] = math.Abs(x)
		}
	case opSqrt:
		for i, x := range a {
			dst[i] = math.Sqrt(x)
		}
	case opFloor:
		for i, x := range a {
			dst[i] = math.Floor(x)
		}
	case opCeil:
		for i, x := range a {
			dst[i] = math.Ceil(x)
		}
	default:
		for i, x := range a {
			dst[i] = scalar(o, x, 0, 0)
		}
	}
}

// pair is two operands. A nil one stands for the constant c.
type pair struct {
	a, b []float64
	c    float64
}

// pairwise is dst = o(a, b).
func pairwise(o op, dst []float64, x pair) {
	switch {
	case x.a == nil:
		pairLeft(o, dst, x.c, x.b)
		return
	case x.b == nil:
		pairRight(o, dst, x.a, x.c)
		return
	}
	a, b := x.a[:len(dst)], x.b[:len(dst)]
	switch o {
	case opAdd:
		for i, x := range a {
			dst[i] = x + b[i]
		}
	case opSub:
		for i, x := range a {
			dst[i] = x - b[i]
		}
	case opMul:
		for i, x := range a {
			dst[i] = x * b[i]
		}
	case opDiv:
		for i, x := range a {
			dst[i] = quotient(x, b[i])
		}
	case opMin:
		for i, x := range a {
			dst[i] = min(x, b[i])
		}
	case opMax:
		for i, x := range a {
			dst[i] = max(x, b[i])
		}
	default:
		for i, x := range a {
			dst[i] = scalar(o, x, b[i], 0)
		}
	}
}

// pairRight is dst = o(a, c).
func pairRight(o op, dst, a []float64, c float64) {
	a = a[:len(dst)]
	switch o {
	case opAdd:
		for i, x := range a {
			dst[i] = x + c
		}
	case opSub:
		for i, x := range a {
			dst[i] = x - c
		}
	case opMul:
		for i, x := range a {
			dst[i] = x * c
		}
	case opDiv:
		for i, x := range a {
			dst[i] = quotient(x, c)
		}
	default:
		for i, x := range a {
			dst[i] = scalar(o, x, c, 0)
		}
	}
}

// pairLeft is dst = o(c, b).
func pairLeft(o op, dst []float64, c float64, b []float64) {
	b = b[:len(dst)]
	switch o {
	case opAdd:
		for i, x := range b {
			dst[i] = c + x
		}
	case opSub:
		for i, x := range b {
			dst[i] = c - x
		}
	case opMul:
		for i, x := range b {
			dst[i] = c * x
		}
	default:
		for i, x := range b {
			dst[i] = scalar(o, c, x, 0)
		}
	}
}

// choose is dst = a where c is true, b where it is false, absent where it is absent.
func choose(dst []float64, c bitset, a, b []float64) {
	a, b = a[:len(dst)], b[:len(dst)]
	nan := math.NaN()
	for i := range dst {
		w, k := i>>6, uint(i&63)
		switch {
		case c.yes[w]>>k&1 != 0:
			dst[i] = a[i]
		case c.gone[w]>>k&1 != 0:
			dst[i] = nan
		default:
			dst[i] = b[i]
		}
	}
}

// shift is dst[i] = a[i-n], absent in the first n bars.
func shift(dst, a []float64, n int) {
	n = min(n, len(dst))
	copy(dst[n:], a)
	fill(dst[:n], math.NaN())
}

func fill(dst []float64, v float64) {
	for i := range dst {
		dst[i] = v
	}
}

// scale restates a column from the traded basis to the constant one; unscale is the way back. What
// follows the price is multiplied by b.Price, what follows the number of shares is divided by b.Share.
func scale(dst, a []float64, b bar.Basis, u Unit) {
	a, price, share := a[:len(dst)], b.Price[:len(dst)], b.Share[:len(dst)]
	switch u {
	case Unit{}:
		copy(dst, a)
	case Unit{1, 0}:
		for i, x := range a {
			dst[i] = x * price[i]
		}
	case Unit{0, 1}:
		for i, x := range a {
			dst[i] = x / share[i]
		}
	default:
		for i, x := range a {
			dst[i] = x * factor(price[i], share[i], u)
		}
	}
}

func unscale(dst, a []float64, b bar.Basis, u Unit) {
	a, price, share := a[:len(dst)], b.Price[:len(dst)], b.Share[:len(dst)]
	switch u {
	case Unit{}:
		copy(dst, a)
	case Unit{1, 0}:
		for i, x := range a {
			dst[i] = x / price[i]
		}
	case Unit{0, 1}:
		for i, x := range a {
			dst[i] = x * share[i]
		}
	default:
		for i, x := range a {
			dst[i] = x / factor(price[i], share[i], u)
		}
	}
}

// factor is price^u.Price / share^u.Share. What follows both alike does not change while the two are
// the same, as they are without dividends: then it is exactly 1.
func factor(price, share float64, u Unit) float64 {
	if price == share {
		return powi(price, int(u.Price)-int(u.Share))
	}
	return powi(price, int(u.Price)) / powi(share, int(u.Share))
}

// powi is x to the whole power n, by repeated multiplication.
func powi(x float64, n int) float64 {
	p := 1.0
	for range max(n, -n) {
		p *= x
	}
	if n < 0 {
		return 1 / p
	}
	return p
}
