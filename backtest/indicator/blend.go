package indicator

import "math"

// momentum3 is the chapter's oscillators that are made of several others.
func momentum3() []Spec {
	return chapter(Momentum, []Spec{
		{
			Name: "smi", Title: "Stochastic Momentum Index",
			Doc:     "How far the close is from the middle of the range of n bars, in percent of half that range, both smoothed twice; and its EMA. 0 where the range has no width.",
			Formula: "smi = 200 * E(close - (highest(high, n) + lowest(low, n))/2) / E(highest(high, n) - lowest(low, n)), E(v) = ema(ema(v, slow), fast); signal = ema(smi, signal)", Source: "William Blau, Stocks & Commodities, 1993", Oracle: "numpy, from the formula",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the range"), length("slow", 1, "bars of the first EMA"), length("fast", 1, "bars of the second EMA"), length("signal", 1, "bars of the signal's EMA"), seed()},
			Outputs: []Output{{Name: "smi", Doc: "the index", Draw: Line, Min: -100, Max: 100}, {Name: "signal", Doc: "its EMA", Draw: Line, Min: -100, Max: 100}}, Memory: Fading, Levels: []float64{-40, 40},
			Warmup: func(p []float64) int { return int(p[0]) - 1 + warmEMA(p[1]) + warmEMA(p[2]) + warmEMA(p[3]) },
			First:  func(p []float64) int { return int(p[0]+p[1]+p[2]) - 3 },
			Eval:   stochasticMomentum,
		},
		{
			Name: "kdj", Title: "KDJ",
			Doc:     "The stochastic oscillator smoothed Wilder's way, and j, which exaggerates their distance.",
			Formula: "k = rma(fast %K of n, smooth); d = rma(k, signal); j = 3*k - 2*d", Source: "common in East Asia", Oracle: "numpy, from the formula",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the range"), length("smooth", 1, "bars that %K is smoothed over"), length("signal", 1, "bars that %D is smoothed over"), seed()},
			Outputs: []Output{{Name: "k", Doc: "%K", Draw: Line, Max: 100}, {Name: "d", Doc: "%D", Draw: Line, Max: 100}, out("j", None, "3k - 2d")}, Memory: Fading, Levels: []float64{20, 80},
			Warmup: func(p []float64) int { return int(p[0]) - 1 + warmRMA(p[1]) + warmRMA(p[2]) },
			First:  func(p []float64) int { return int(p[0]+p[1]) - 2 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				fast := position(s, s.column(len(dst[0])), in[0], in[1], in[2], int(p[0]))
				k := s.rma(dst[0], fast, int(p[1]))
				for i, d := range s.rma(dst[1], k, int(p[2])) {
					dst[2][i] = float64(3*k[i]) - float64(2*d)
				}
			},
		},
		{
			Name: "rvgi", Aliases: []string{"relative_vigor"}, Title: "Relative Vigor Index",
			Doc:     "Bodies in relation to ranges, both weighed over four bars and summed over n, and a signal. 0 where there was no range.",
			Formula: "rvgi = sum(swma(close - open), n) / sum(swma(high - low), n); signal = swma(rvgi)", Source: "John Ehlers, Stocks & Commodities, 2002", Oracle: "pandas-ta-classic rvgi",
			Columns: ohlc(), Params: lengths(1), Outputs: []Output{{Name: "rvgi", Doc: "the index", Draw: Line, Min: -1, Max: 1}, {Name: "signal", Doc: "its weighted average", Draw: Line, Min: -1, Max: 1}}, Levels: []float64{0},
			Warmup: before(0, 6), First: before(0, 3),
			Eval: vigor,
		},
		{
			Name: "demarker", Title: "DeMarker",
			Doc:     "Rises of the high as a share of rises of the high and falls of the low; a half where there are none.",
			Formula: "sma(max(high - high[1], 0), n) / (sma(max(high - high[1], 0), n) + sma(max(low[1] - low, 0), n))", Source: "Thomas DeMark, The New Science of Technical Analysis, 1994", Oracle: "numpy, from the formula",
			Columns: hl(), Params: lengths(1), Outputs: within(0, 1), Levels: []float64{0.3, 0.7}, Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				bars := len(in[0])
				rise, fall := changes(s.column(bars), in[0], 1), changes(s.column(bars), in[1], 1)
				for i, v := range rise {
					rise[i], fall[i] = max(v, 0), max(-fall[i], 0)
				}
				down := Sum(s.column(bars), fall, int(p[0]))
				for i, v := range Sum(dst[0], rise, int(p[0])) {
					dst[0][i] = share(1, v, v+down[i])
				}
			},
		},
		{
			Name: "wavetrend", Aliases: []string{"wt"}, Title: "WaveTrend",
			Doc:     "A smoothed CCI of the typical price with EMAs throughout, and its average of four. 0 where nothing moved.",
			Formula: "e = ema(hlc3, n); c = (hlc3 - e) / (0.015 * ema(abs(hlc3 - e), n)); wt = ema(c, smooth); signal = sma(wt, 4)", Source: "LazyBear on TradingView", Oracle: "numpy, from the formula",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the channel, 10 in the original"), length("smooth", 1, "bars of the average, 21 in the original"), seed()},
			Outputs: []Output{out("wt", None, "the wave"), out("signal", None, "its average of four")}, Memory: Fading, Levels: []float64{-60, 60},
			Warmup: func(p []float64) int { return 2*warmEMA(p[0]) + warmEMA(p[1]) + 3 }, First: func(p []float64) int { return 2*(int(p[0])-1) + int(p[1]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n, bars := int(p[0]), len(in[0])
				t := typical(s.column(bars), in[0], in[1], in[2])
				minus(t, s.ema(s.column(bars), t, n))
				size := s.column(bars)
				for i, v := range t {
					size[i] = math.Abs(v)
				}
				for i, d := range s.ema(dst[1], size, n) {
					t[i] = shareOrNone(t[i], float64(1.5*d))
				}
				SMA(dst[1], s.ema(dst[0], t, int(p[1])), 4)
			},
		},
		{
			Name: "pmo", Title: "Price Momentum Oscillator",
			Doc:     "Ten times the rate of change of one bar, smoothed twice with factor 2/n, and an EMA.",
			Formula: "pmo = E(10 * E(roc(x, 1), n1), n2), E with factor 2/n seeded by an average of n; signal = ema(pmo, signal)", Source: "Carl Swenlin, DecisionPoint", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("n1", 2, "bars of the first smoothing, 35 in the original"), length("n2", 2, "bars of the second smoothing, 20 in the original"), length("signal", 1, "bars of the signal's EMA, 10 in the original"), seed()},
			Outputs: []Output{out("pmo", None, "the oscillator"), out("signal", None, "its EMA")}, Memory: Fading, Levels: []float64{0},
			Warmup: func(p []float64) int {
				return int(p[0]+p[1]) - 1 + max(1, fade(1-2/p[0])) + max(1, fade(1-2/p[1])) + warmEMA(p[2])
			},
			First: func(p []float64) int { return int(p[0]+p[1]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				r := rateOfChange(s.column(len(in[0])), in[0], 1)
				once := times(s.fading(s.column(len(r)), r, int(p[0]), 1-2/p[0]), 10)
				s.ema(dst[1], s.fading(dst[0], once, int(p[1]), 1-2/p[1]), int(p[2]))
			},
		},
		{
			Name: "rmi", Title: "Relative Momentum Index",
			Doc:     "An RSI of changes over m bars instead of one. 50 where nothing moved.",
			Formula: "100 * up / (up + down), up = rma(max(x - x[m], 0), n), down = rma(max(x[m] - x, 0), n)", Source: "Roger Altman, Stocks & Commodities, 1993", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("n", 1, "bars of the smoothing"), length("m", 1, "bars of the change"), smoothing(), seed()}, Outputs: within(0, 100), Memory: Fading, Levels: []float64{30, 70},
			Warmup: func(p []float64) int { return warmSmoothed(p[0], p[2]) + int(p[1]) }, First: func(p []float64) int { return int(p[0]+p[1]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				bars := len(in[0])
				up, down := delayed(s.column(bars), in[0], int(p[1])), s.column(bars)
				for i, old := range up {
					d := in[0][i] - old
					up[i], down[i] = max(d, 0), max(-d, 0)
				}
				fall := s.rma(s.column(bars), down, int(p[0]))
				for i, v := range s.rma(dst[0], up, int(p[0])) {
					dst[0][i] = share(100, v, v+fall[i])
				}
			},
		},
		{
			Name: "stc", Aliases: []string{"schaff"}, Title: "Schaff Trend Cycle",
			Doc:     "The stochastic of the stochastic of a MACD line, both smoothed by an EMA with a fixed factor. A range without width keeps the last value; before there is one it is 50.",
			Formula: "m = ema(x, fast) - ema(x, slow); a = E(stochastic of m over n); stc = E(stochastic of a over n); E(v) = e[1] + factor * (v - e[1])", Source: "Doug Schaff, 1999, published in Active Trader, 2008", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("n", 1, "bars of the ranges, 10 in the original"), length("fast", 1, "bars of the fast EMA, 23 in the original"), length("slow", 1, "bars of the slow EMA, 50 in the original"), option("factor", 0.5, 0.01, 1, "of the smoothing")},
			Outputs: within(0, 100), Memory: Path, Levels: []float64{25, 75},
			Warmup: func(p []float64) int {
				return max(warmEMA(p[1]), warmEMA(p[2])) + 2*(int(p[0])-1+fade(1-p[3])) + pathBars
			},
			First: func(p []float64) int { return int(max(p[1], p[2])) - 1 + 2*(int(p[0])-1) },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				slow := s.ema(s.column(len(in[0])), in[0], int(p[2]))
				line := s.ema(s.column(len(in[0])), in[0], int(p[1]))
				minus(line, slow)
				schaff(s, slow, line, p)
				schaff(s, dst[0], slow, p)
			},
		},
		{
			Name: "cg", Aliases: []string{"cog"}, Title: "Center of Gravity",
			Doc:     "The balance point of the last n values, as bars from the newest, below zero. Absent where they sum to 0.",
			Formula: "-(1*x + 2*x[1] + ... + n*x[n-1]) / (x + x[1] + ... + x[n-1])", Source: "John Ehlers, Stocks & Commodities, 2002", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(1), Outputs: only(None), Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n := int(p[0])
				average, weighted := SMA(s.column(len(in[0])), in[0], n), WMA(dst[0], in[0], n)
				// The weights 1..n from the newest are n+1 less those of the weighted average.
				for i, w := range weighted {
					dst[0][i] = -float64((p[0] + 1) * (1 - ratio(w, float64(2*average[i]))))
				}
			},
		},
		{
			Name: "lrsi", Aliases: []string{"laguerre_rsi"}, Title: "Laguerre RSI",
			Doc:     "An RSI of the outputs of a four-stage Laguerre filter: very fast for its smoothness. A half where nothing moved.",
			Formula: "l0 = (1-g)*x + g*l0[1]; lk = -g*l(k-1) + l(k-1)[1] + g*lk[1]; up / (up + down) of l0-l1, l1-l2, l2-l3", Source: "John Ehlers, Cybernetic Analysis for Stocks and Futures, 2004", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{option("gamma", 0.5, 0, 0.99, "damping: larger is smoother and slower")}, Outputs: within(0, 1), Memory: Fading, Levels: []float64{0.2, 0.8},
			Warmup: func(p []float64) int { return 4*fade(p[0]) + 4 }, First: none,
			Eval: laguerre,
		},
	})
}

func stochasticMomentum(s *Scratch, dst, in [][]float64, p []float64) {
	n, slow, fast, bars := int(p[0]), int(p[1]), int(p[2]), len(in[0])
	away, width, average := Highest(s.column(bars), in[0], n), Lowest(s.column(bars), in[1], n), s.column(bars)
	for i, h := range away {
		l := width[i]
		away[i], width[i] = in[2][i]-(h+l)/2, h-l
	}
	s.ema(dst[0], s.ema(average, away, slow), fast)
	s.ema(away, s.ema(average, width, slow), fast)
	for i, v := range dst[0] {
		dst[0][i] = min(max(shareOrNone(v+v, away[i]), -100), 100)
	}
	s.ema(dst[1], dst[0], int(p[3]))
}

func vigor(s *Scratch, dst, in [][]float64, p []float64) {
	n, bars := int(p[0]), len(in[0])
	w := s.column(4)
	w[0], w[1], w[2], w[3] = 1, 2, 2, 1
	body, reach, smooth := s.column(bars), ranges(s.column(bars), in[1], in[2]), s.column(bars)
	for i, o := range in[0] {
		body[i] = in[3][i] - o
	}
	convolve(s, smooth, body, w)
	Sum(dst[0], smooth, n)
	convolve(s, smooth, reach, w)
	total := Sum(body, smooth, n)
	for i, v := range dst[0] {
		dst[0][i] = min(max(shareOrNone(v, total[i])/100, -1), 1)
	}
	convolve(s, dst[1], dst[0], w)
}

func laguerre(_ *Scratch, dst, in [][]float64, p []float64) {
	g, going := p[0], false
	var l [4]float64
	for i, x := range in[0] {
		if x-x != 0 {
			dst[0][i], going = math.NaN(), false
			continue
		}
		if !going {
			l, going = [4]float64{x, x, x, x}, true
		}
		old := l
		l[0] = x + float64(g*(old[0]-x))
		for k := 1; k < 4; k++ {
			l[k] = old[k-1] + float64(g*(old[k]-l[k-1]))
		}
		up, down := 0.0, 0.0
		for k := range 3 {
			d := l[k] - l[k+1]
			up += max(d, 0)
			down += max(-d, 0)
		}
		dst[0][i] = share(1, up, up+down)
	}
}

// schaff is the smoothed stochastic of x over p[0] bars with factor p[3].
func schaff(s *Scratch, dst, x []float64, p []float64) {
	mark := s.used
	high, low := Highest(s.column(len(x)), x, int(p[0])), Lowest(s.column(len(x)), x, int(p[0]))
	going, last, smooth := false, 50.0, 0.0
	for i, h := range high {
		if h-h != 0 {
			dst[i], going = math.NaN(), false
			continue
		}
		if !going {
			last = 50
		}
		if d := h - low[i]; d > 0 {
			last = float64(100 * ((x[i] - low[i]) / d))
		}
		if !going {
			smooth, going = last, true
		}
		smooth += float64(p[3] * (last - smooth))
		dst[i] = smooth
	}
	s.release(mark)
}
