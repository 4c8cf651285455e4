package indicator

import "math"

// averages2 is the rest of the chapter of moving averages: cascades, fixed weights, adaptive ones.
func averages2() []Spec {
	return chapter(Average, []Spec{
		{
			Name: "t3", Title: "Tillson T3",
			Doc:     "Six EMAs in a row, combined so that the lag mostly cancels.",
			Formula: "c1*e6 + c2*e5 + c3*e4 + c4*e3, ek = ema(e(k-1), n), c1 = -v^3, c2 = 3v^2 + 3v^3, c3 = -6v^2 - 3v - 3v^3, c4 = 1 + 3v + v^3 + 3v^2",
			Source:  "Tim Tillson, Stocks & Commodities, 1998", Oracle: "TA-Lib T3",
			Series: x(), Params: []Param{length("n", 1, "bars of each EMA"), option("v", 0.7, 0, 1, "volume factor: how much of the lag is taken off"), seed()},
			Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: ema(0, 6, 0), First: func(p []float64) int { return 6 * (int(p[0]) - 1) },
			Eval: t3,
		},
		{
			Name: "alma", Title: "Arnaud Legoux Moving Average",
			Doc:     "Weights are a bell curve whose middle lies at a fraction of the window. The weights use an exponential function. O(n) a bar.",
			Formula: "sum(w_k * x_k) / sum(w_k), w_k = exp(-(k - offset*(n-1))^2 / (2 * (n/sigma)^2)), k = 0 the oldest",
			Source:  "Arnaud Legoux and Dimitris Kouzis-Loukas, 2009", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("n", 1, "bars in the window"), option("offset", 0.85, 0, 1, "where in the window the weights peak, 1 is the newest"), option("sigma", 6, 0.1, 100, "how narrow the bell is")},
			Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				w := s.column(int(p[0]))
				peak, width := float64(p[1]*(p[0]-1)), p[0]/p[2]
				for k := range w {
					d := (float64(k) - peak) / width
					w[k] = exp(-float64(d*d) / 2)
				}
				convolve(s, dst[0], in[0], w)
			},
		},
		{
			Name: "swma", Title: "Symmetrically Weighted Moving Average",
			Doc:     "Four bars with weights 1, 2, 2, 1.",
			Formula: "(x[3] + 2*x[2] + 2*x[1] + x) / 6", Source: "TradingView ta.swma", Oracle: "numpy, from the formula",
			Series: x(), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: func([]float64) int { return 3 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				w := s.column(4)
				w[0], w[1], w[2], w[3] = 1, 2, 2, 1
				convolve(s, dst[0], in[0], w)
			},
		},
		{
			Name: "fwma", Title: "Fibonacci Weighted Moving Average",
			Doc:     "Weights are the Fibonacci numbers, the newest value weighing most. O(n) a bar; beyond 78 bars the older ones weigh nothing measurable.",
			Formula: "sum(F(k) * x_k) / sum(F(k)), k = 1 the oldest", Source: "pandas-ta", Oracle: "pandas-ta-classic fwma",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				// Relative to the newest: each older weight is the golden part of the next.
				w := s.column(int(p[0]))
				a, b := 1.0, 1.0
				for k := range w {
					w[k] = a
					a, b = b, a+b
					if b > 1e300 {
						for j := range w[:k+1] {
							w[j] /= 1e300
						}
						a, b = a/1e300, b/1e300
					}
				}
				convolve(s, dst[0], in[0], w)
			},
		},
		{
			Name: "vidya", Title: "Variable Index Dynamic Average",
			Doc:     "An EMA whose speed is scaled by the size of the Chande momentum oscillator over the same window. Starts from the value before the first. Where it does not move it remembers for ever: the warm-up is that of a quarter of the speed.",
			Formula: "v = v[1] + 2/(n+1) * abs(cmo(x, n))/100 * (x - v[1])", Source: "Tushar Chande, Stocks & Commodities, 1992", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int { return int(p[0]) + fade(1-0.5/(p[0]+1)) }, First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				index := chande(s, s.column(len(in[0])), in[0], int(p[0]))
				take := 2 / (p[0] + 1)
				adapt(dst[0], in[0], index, func(c float64) float64 { return float64(take*math.Abs(c)) / 100 })
			},
		},
		{
			Name: "mcginley", Aliases: []string{"mcginley_dynamic"}, Title: "McGinley Dynamic",
			Doc:     "An average that hurries after falling prices and holds back from rising ones. Starts from the first value. A step never passes the price. Its factor depends on the distance, so the warm-up is twice that of an RMA.",
			Formula: "m = m[1] + (x - m[1]) / (n * (x/m[1])^4)", Source: "John McGinley, Journal of Technical Analysis, 1991", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int { return 1 + 2*fade(1-1/(p[0]+1)) }, First: none,
			Eval: mcginley,
		},
		{
			Name: "kalman", Aliases: []string{"kalman_filter"}, Title: "Kalman Filter",
			Doc:     "The best estimate of a level that walks at random and is seen through noise. Starts from the first value with the certainty of one look; soon its factor is constant.",
			Formula: "p = p[1]*(1 - g[1]) + q; g = p / (p + 1); k = k[1] + g * (x - k[1])", Source: "Rudolf Kalman, Journal of Basic Engineering, 1960, for a local level", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{{Name: "q", Min: 1e-6, Max: 1e6, Required: true, Doc: "variance of a step of the level as a multiple of that of the noise: 0.01 is slow, 1 is fast"}},
			Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int { return 1 + fade(1-kalmanGain(p[0])) }, First: none,
			Eval: kalman,
		},
		{
			Name: "envelope", Aliases: []string{"env"}, Title: "Moving Average Envelope",
			Doc:     "A simple average and bands a fixed fraction away.",
			Formula: "middle = sma(x, n); upper = middle * (1 + k); lower = middle * (1 - k)", Source: "common knowledge", Oracle: "TA-Lib SMA",
			Series: x(), Params: []Param{length("n", 1, "bars of the average"), option("k", 0.025, 0, 1, "distance of the bands, a fraction")},
			Outputs: []Output{out("upper", SameAsX, "upper band"), out("middle", SameAsX, "the average"), out("lower", SameAsX, "lower band")}, Picture: Overlay,
			Warmup: before(0, 0),
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				for i, m := range SMA(dst[1], in[0], int(p[0])) {
					d := float64(p[1] * m)
					dst[0][i], dst[2][i] = m+d, m-d
				}
			},
		},
		{
			Name: "alligator", Title: "Williams Alligator",
			Doc:     "Three smoothed averages of the middle price, each shown as many bars later as its own shift: at this bar they are values of the past.",
			Formula: "jaw = rma(hl2, 13)[8]; teeth = rma(hl2, 8)[5]; lips = rma(hl2, 5)[3]", Source: "Bill Williams, New Trading Dimensions, 1995", Oracle: "numpy, from the formula",
			Columns: hl(), Params: []Param{whole("jaw", 13, 1, maxWindow, "bars of the jaw"), whole("teeth", 8, 1, maxWindow, "bars of the teeth"), whole("lips", 5, 1, maxWindow, "bars of the lips"),
				whole("jaw_shift", 8, 0, maxWindow, "bars the jaw is shifted"), whole("teeth_shift", 5, 0, maxWindow, "bars the teeth are shifted"), whole("lips_shift", 3, 0, maxWindow, "bars the lips are shifted"), seed()},
			Outputs: []Output{out("jaw", USD, "slowest"), out("teeth", USD, "middle"), out("lips", USD, "fastest")}, Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int {
				return max(warmRMA(p[0])+int(p[3]), warmRMA(p[1])+int(p[4]), warmRMA(p[2])+int(p[5]))
			},
			First: func(p []float64) int { return int(p[0]+p[3]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				m := middle(s.column(len(in[0])), in[0], in[1])
				average := s.column(len(m))
				for k, d := range dst {
					delayed(d, s.rma(average, m, int(p[k])), int(p[3+k]))
				}
			},
		},
	})
}

// delayed is x of k bars before, absent where any of the k+1 bars is.
func delayed(dst, x []float64, k int) []float64 {
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[i:min(from+k, to)])
		for i = from + k; i < to; i++ {
			dst[i] = x[i-k]
		}
		i = to
	}
	return dst
}

func t3(s *Scratch, dst, in [][]float64, p []float64) {
	n, v, bars := int(p[0]), p[1], len(in[0])
	var e [7][]float64
	e[0] = in[0]
	for k := 1; k < len(e); k++ {
		e[k] = s.ema(s.column(bars), e[k-1], n)
	}
	v2 := float64(v * v)
	v3 := float64(v2 * v)
	c1, c2, c3 := -v3, float64(3*v2)+float64(3*v3), -float64(6*v2)-float64(3*v)-float64(3*v3)
	for i, last := range e[6] {
		// The factors add up to 1: relative to the third average they keep a constant exactly.
		base := e[3][i]
		dst[0][i] = base + (float64(c1*(last-base)) + float64(c2*(e[5][i]-base)) + float64(c3*(e[4][i]-base)))
	}
}

// convolve is the average of the last len(w) values with weights w, the oldest first. O(n) a bar.
func convolve(s *Scratch, dst, x, w []float64) {
	n, total := len(w), 0.0
	for _, v := range w {
		total += v
	}
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[i:min(from+n-1, to)])
		for i = from + n - 1; i < to; i++ {
			pivot, sum := x[i], 0.0
			for k, v := range x[i-n+1 : i+1] {
				sum += float64(w[k] * (v - pivot))
			}
			dst[i] = pivot + sum/total
		}
		i = to
	}
}

// chande is Chande's momentum oscillator: rises less falls of the last n changes in percent of their
// sum, 0 where nothing moved.
func chande(s *Scratch, dst, x []float64, n int) []float64 {
	mark := s.used
	bars := len(x)
	moves := changes(s.column(bars), x, 1)
	sizes := s.column(bars)
	for i, v := range moves {
		sizes[i] = math.Abs(v)
	}
	net, path := Sum(dst, moves, n), Sum(s.column(bars), sizes, n)
	for i, v := range net {
		dst[i] = min(max(shareOrNone(v, path[i]), -100), 100)
	}
	s.release(mark)
	return dst
}

func mcginley(_ *Scratch, dst, in [][]float64, p []float64) {
	n, going, away, last := p[0], false, 0.0, 0.0
	for i, v := range in[0] {
		if v-v != 0 {
			dst[0][i], going = math.NaN(), false
			continue
		}
		if !going {
			away, last, going = 0, v, true
		}
		d := (v - last) + away
		q := v / (v - d)
		q = float64(q * q)
		away = d - d/max(1, float64(n*float64(q*q)))
		last = v
		dst[0][i] = v - away
	}
	finite(dst[0])
}

// kalmanGain is the factor at which the filter settles.
func kalmanGain(q float64) float64 {
	p := (q + math.Sqrt(float64(q*q)+float64(4*q))) / 2
	return p / (p + 1)
}

func kalman(_ *Scratch, dst, in [][]float64, p []float64) {
	going, away, last, variance := false, 0.0, 0.0, 0.0
	for i, v := range in[0] {
		if v-v != 0 {
			dst[0][i], going = math.NaN(), false
			continue
		}
		if !going {
			away, last, variance, going = 0, v, 1-p[0], true
		}
		variance += p[0]
		gain := variance / (variance + 1)
		variance = float64(variance * (1 - gain))
		away = float64((1 - gain) * ((v - last) + away))
		last = v
		dst[0][i] = v - away
	}
}
