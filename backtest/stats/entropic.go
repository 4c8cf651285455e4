package stats

import "math"

// entropic is the entropic value at risk of returns at the level p, as a return: of all bounds
// (ln mean(exp(-t r)) - ln p)/t on the loss the lowest (Ahmadi-Javid 2012). It is where t K'(t) - K(t) +
// ln p is 0 for the cumulants K of the losses, one point, found by Newton's steps from where it is for the
// normal law. When the worst return alone has the share p or more it is that return. Exact to 1e-9.
// Cost: one pass over r; several where one return lies very far from the others.
func entropic(r []float64, sd, p float64) float64 {
	worst := least(r)
	ties := 0
	for _, v := range r {
		ties += b2i(v <= worst)
	}
	if len(r) == 0 || !(sd > 0) || float64(ties) >= p*float64(len(r)) {
		return worst
	}
	var c cells // 20 kB, on the stack
	c.fill(r, worst)
	k, t := lowestBound(c.tilted, float64(len(r)), p, math.Sqrt(-2*math.Log(p))/sd)
	if t*c.width > 0.06 { // the expansion within a cell is off by (t width/2)^5/120 of it
		k, t = lowestBound(func(t float64) tilted { return tilt(r, worst, t) }, float64(len(r)), p, t)
	}
	return worst - (k-math.Log(p))/t
}

// tilted are the sums of exp(t d), and of that times d and d^2, over d = worst - r <= 0.
type tilted struct{ s0, s1, s2 float64 }

// lowestBound finds the t of the lowest bound from the sums over n values: t, and the logarithm of the mean there.
func lowestBound(sums func(t float64) tilted, n, p, t float64) (k, at float64) {
	low, high := 0.0, math.Inf(1) // between which the lowest point lies
	for range 100 {
		s := sums(t)
		k = math.Log(s.s0 / n)
		m := s.s1 / s.s0
		g := float64(t*m) - k + math.Log(p)
		if g < 0 {
			low = t
		} else {
			high = t
		}
		next := t - g/float64(t*(s.s2/s.s0-float64(m*m)))
		if !(next > low && next < high) {
			next = min(2*t, (low+high)/2)
		}
		if math.Abs(next-t) <= 1e-6*t { // the bound is flat there: right to 1e-12
			break
		}
		t = next
	}
	return k, t
}

func tilt(r []float64, worst, t float64) tilted {
	var s tilted
	for _, v := range r {
		d := worst - v
		e := math.Exp(t * d)
		s.s0 += e
		s.s1 += float64(e * d)
		s.s2 += float64(float64(e*d) * d)
	}
	return s
}

// cells hold the distances of returns from the worst by size, and of each cell the sums of the powers 0 to
// 4 of the distances from its middle: enough to tilt all values of the cell at once by a Taylor series.
type cells struct {
	width float64
	power [512][5]float64
}

func (c *cells) fill(r []float64, worst float64) {
	n := len(c.power)
	c.width = (most(r) - worst) / float64(n)
	per := 1 / c.width
	for _, v := range r {
		d := v - worst
		i := min(int(d*per), n-1)
		u := float64((float64(i)+0.5)*c.width) - d
		w := &c.power[i]
		u2 := float64(u * u)
		w[0]++
		w[1] += u
		w[2] += u2
		w[3] += float64(u2 * u)
		w[4] += float64(u2 * u2)
	}
}

func (c *cells) tilted(t float64) tilted {
	var s tilted
	e, step := math.Exp(-t*c.width/2), math.Exp(-t*c.width) // at the middle of the first cell, and from one to the next
	for i := range c.power {
		w := &c.power[i]
		if w[0] > 0 {
			d := -float64((float64(i) + 0.5) * c.width)
			p0 := w[0] + t*(w[1]+t/2*(w[2]+t/3*(w[3]+t/4*w[4])))
			p1 := w[1] + t*(w[2]+t/2*(w[3]+t/3*w[4]))
			p2 := w[2] + t*(w[3]+t/2*w[4])
			s.s0 += e * p0
			s.s1 += e * (d*p0 + p1)
			s.s2 += e * (d*(d*p0+2*p1) + p2)
		}
		e *= step
	}
	return s
}
