package indicator

import "math"

// volatility2 is the rest of the chapter of volatility.
func volatility2() []Spec {
	return chapter(Volatility, []Spec{
		{
			Name: "accbands", Title: "Acceleration Bands",
			Doc:     "Averages of the close and of the high and low pushed apart by the width of the bar.",
			Formula: "upper = sma(high * (1 + 4*w), n); middle = sma(close, n); lower = sma(low * (1 - 4*w), n); w = (high - low) / (high + low)", Source: "Price Headley, Big Trends in Trading, 2002", Oracle: "TA-Lib ACCBANDS",
			Columns: hlc(), Params: lengths(1), Outputs: []Output{out("upper", USD, "upper band"), out("middle", USD, "the average"), out("lower", USD, "lower band")}, Picture: Overlay,
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				up, down := s.column(len(in[0])), s.column(len(in[0]))
				for i, h := range in[0] {
					l := in[1][i]
					w := float64(4 * ratio(h-l, h+l))
					up[i], down[i] = h+float64(h*w), l-float64(l*w)
				}
				SMA(dst[0], up, int(p[0]))
				SMA(dst[1], in[2], int(p[0]))
				SMA(dst[2], down, int(p[0]))
			},
		},
		{
			Name: "adr", Title: "Average Day Range",
			Doc:     "The average range of the last n bars, gaps not counted.",
			Formula: "sma(high - low, n)", Source: "common knowledge", Oracle: "TA-Lib ADR",
			Columns: hl(), Params: lengths(1), Outputs: only(USD), Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				SMA(dst[0], ranges(s.column(len(in[0])), in[0], in[1]), int(p[0]))
			},
		},
		{
			Name: "cvi", Aliases: []string{"chaikin_volatility"}, Title: "Chaikin Volatility",
			Doc:     "The change over roc bars of an EMA of the range, in percent.",
			Formula: "roc(ema(high - low, n), roc)", Source: "Marc Chaikin", Oracle: "numpy, from the formula",
			Columns: hl(), Params: []Param{length("n", 1, "bars of the EMA"), length("roc", 1, "bars of the change"), seed()}, Outputs: only(None), Memory: Fading, Levels: []float64{0},
			Warmup: func(p []float64) int { return warmEMA(p[0]) + int(p[1]) }, First: func(p []float64) int { return int(p[0]+p[1]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				bars := len(in[0])
				average := s.ema(s.column(bars), ranges(s.column(bars), in[0], in[1]), int(p[0]))
				old := delayed(dst[0], average, int(p[1]))
				for i, v := range average {
					dst[0][i] = float64(100 * ratio(v-old[i], old[i]))
				}
			},
		},
		{
			Name: "rvi", Title: "Relative Volatility Index",
			Doc:     "An RSI of standard deviations: the share of deviation on rising bars, smoothed Wilder's way. 50 where nothing moved.",
			Formula: "100 * up / (up + down), up = rma(x > x[1] ? stdev(x, stdev_n) : 0, n), down = rma(x < x[1] ? stdev(x, stdev_n) : 0, n)", Source: "Donald Dorsey, Stocks & Commodities, 1993", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("n", 1, "bars of the smoothing, 14 in the original"), length("stdev_n", 2, "bars of the deviation, 10 in the original"), ddof(), smoothing(), seed()}, Outputs: within(0, 100), Memory: Fading, Levels: []float64{50},
			Warmup: func(p []float64) int { return warmSmoothed(p[0], p[3]) + int(p[1]) - 1 }, First: func(p []float64) int { return int(p[0]+p[1]) - 2 },
			Eval: relativeVolatility,
		},
		{
			Name: "ulcer", Aliases: []string{"ui"}, Title: "Ulcer Index",
			Doc:     "The root mean square of the drawdowns from the highest of the last n values, in percent.",
			Formula: "sqrt(sma((100 * (x / highest(x, n) - 1))^2, n))", Source: "Peter Martin, The Investor's Guide to Fidelity Funds, 1987", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(1), Outputs: only(None),
			Warmup: func(p []float64) int { return 2 * (int(p[0]) - 1) },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				high := Highest(s.column(len(in[0])), in[0], int(p[0]))
				for i, h := range high {
					d := float64(100 * ratio(in[0][i]-h, h))
					high[i] = float64(d * d)
				}
				squareRoot(SMA(dst[0], high, int(p[0])))
			},
		},
		{
			Name: "hvol", Aliases: []string{"historical_volatility"}, Title: "Historical Volatility",
			Doc:     "The standard deviation of the last n logarithmic returns, a year, as a fraction. Uses a logarithm. Absent for values that are not positive.",
			Formula: "stdev(ln(x / x[1]), n, ddof) * sqrt(year)", Source: "common knowledge", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("n", 2, "returns in the window"), option("year", 252, 1, 1e6, "bars in a year"), sampleDdof()}, Outputs: only(None),
			Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				r := logReturns(s.column(len(in[0])), in[0], in[0], 1)
				Stdev(s, dst[0], r, int(p[0]), int(p[2]))
				times(dst[0], math.Sqrt(p[1]))
			},
		},
		{
			Name: "parkinson", Title: "Parkinson Volatility",
			Doc:     "Volatility from highs and lows, a year, as a fraction. Uses a logarithm.",
			Formula: "sqrt(year * sma(ln(high/low)^2, n) / (4 ln 2))", Source: "Michael Parkinson, Journal of Business, 1980", Oracle: "numpy, from the formula",
			Columns: hl(), Params: []Param{length("n", 1, "bars in the window"), option("year", 252, 1, 1e6, "bars in a year")}, Outputs: only(None), Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				r := logReturns(s.column(len(in[0])), in[0], in[1], 0)
				for i, v := range r {
					r[i] = float64(v * v)
				}
				times(SMA(dst[0], r, int(p[0])), p[1]/(4*math.Ln2))
				squareRoot(dst[0])
			},
		},
		{
			Name: "garman_klass", Title: "Garman Klass Volatility",
			Doc:     "Volatility from all four prices of each bar, a year, as a fraction; gaps not counted. Uses a logarithm.",
			Formula: "sqrt(year * sma(ln(high/low)^2/2 - (2 ln 2 - 1) * ln(close/open)^2, n))", Source: "Mark Garman and Michael Klass, Journal of Business, 1980", Oracle: "numpy, from the formula",
			Columns: ohlc(), Params: []Param{length("n", 1, "bars in the window"), option("year", 252, 1, 1e6, "bars in a year")}, Outputs: only(None), Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				r := logReturns(s.column(len(in[0])), in[1], in[2], 0)
				body := logReturns(s.column(len(in[0])), in[3], in[0], 0)
				for i, v := range r {
					r[i] = float64(v*v)/2 - float64((2*math.Ln2-1)*float64(body[i]*body[i]))
				}
				times(SMA(dst[0], r, int(p[0])), p[1])
				squareRoot(dst[0])
			},
		},
		{
			Name: "rogers_satchell", Title: "Rogers Satchell Volatility",
			Doc:     "Volatility from all four prices that a drift does not disturb, a year, as a fraction; gaps not counted. Uses a logarithm.",
			Formula: "sqrt(year * sma(ln(high/close)*ln(high/open) + ln(low/close)*ln(low/open), n))", Source: "Chris Rogers and Stephen Satchell, Annals of Applied Probability, 1991", Oracle: "numpy, from the formula",
			Columns: ohlc(), Params: []Param{length("n", 1, "bars in the window"), option("year", 252, 1, 1e6, "bars in a year")}, Outputs: only(None), Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				r := rogersSatchell(s, s.column(len(in[0])), in)
				times(SMA(dst[0], r, int(p[0])), p[1])
				squareRoot(dst[0])
			},
		},
		{
			Name: "yang_zhang", Title: "Yang Zhang Volatility",
			Doc:     "Volatility from gaps and bars, undisturbed by drift, a year, as a fraction. Uses a logarithm.",
			Formula: "sqrt(year * (var(ln(open/close[1])) + k*var(ln(close/open)) + (1-k)*rogers_satchell)), k = 0.34 / (1.34 + (n+1)/(n-1)), variances by n-1", Source: "Dennis Yang and Qiang Zhang, Journal of Business, 2000", Oracle: "numpy, from the formula",
			Columns: ohlc(), Params: []Param{length("n", 2, "bars in the window"), option("year", 252, 1, 1e6, "bars in a year")}, Outputs: only(None), Warmup: before(0, 1),
			Eval: yangZhang,
		},
		{
			Name: "starc", Title: "STARC Bands",
			Doc:     "A simple average of the close and bands k average true ranges away.",
			Formula: "middle = sma(close, n); upper, lower = middle +- k * atr(atr_n)", Source: "Manning Stoller", Oracle: "TA-Lib SMA and ATR",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the average"), option("k", 2, 0, 100, "average true ranges between average and band"), whole("atr_n", 15, 1, maxWindow, "bars of the average true range"), smoothing(), seed()},
			Outputs: []Output{out("upper", USD, "upper band"), out("middle", USD, "the average"), out("lower", USD, "lower band")}, Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int { return max(int(p[0])-1, warmSmoothed(p[2], p[3])+1) }, First: func(p []float64) int { return max(int(p[0])-1, int(p[2])) },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				reach := s.atr(s.column(len(in[0])), in[0], in[1], in[2], int(p[2]))
				for i, m := range SMA(dst[1], in[2], int(p[0])) {
					d := float64(p[1] * reach[i])
					dst[0][i], dst[2][i] = m+d, m-d
				}
			},
		},
		{
			Name: "squeeze", Aliases: []string{"ttm_squeeze"}, Title: "Squeeze Momentum",
			Doc:     "on is 1 while Bollinger bands lie within channels of average true ranges, else 0; momentum is the end of a line fitted to the distance of the close from the middle of its range and average.",
			Formula: "on = bb_k * stdev(close, n) < kc_k * sma(tr(), n); momentum = linreg(close - (donchian(n).middle + sma(close, n))/2, n)", Source: "John Carter, Mastering the Trade, 2005; LazyBear on TradingView", Oracle: "numpy, from the formula",
			Columns: hlc(), Params: []Param{length("n", 2, "bars of all windows, 20 in the original"), option("bb_k", 2, 0, 100, "standard deviations"), option("kc_k", 1.5, 0, 100, "average true ranges"), ddof()},
			Outputs: []Output{{Name: "momentum", Doc: "direction and strength", Unit: USD, Draw: Histogram}, {Name: "on", Doc: "1 while squeezed", Draw: Marker, Max: 1}}, Levels: []float64{0},
			Warmup: func(p []float64) int { return 2 * (int(p[0]) - 1) }, First: func(p []float64) int { return 2 * (int(p[0]) - 1) },
			Eval: squeeze,
		},
	})
}

// ranges is high less low.
func ranges(dst, h, l []float64) []float64 {
	for i, v := range h {
		dst[i] = v - l[i]
	}
	return dst
}

// times multiplies dst; squareRoot takes its root, of what rounding left below 0 as of 0.
func times(dst []float64, k float64) []float64 {
	for i, v := range dst {
		dst[i] = float64(k * v)
	}
	return dst
}

func squareRoot(dst []float64) {
	for i, v := range dst {
		dst[i] = math.Sqrt(max(0, v))
	}
}

// logReturns is ln(a / b[k]).
func logReturns(dst, a, b []float64, k int) []float64 {
	old := ago(dst, b, k)
	for i, v := range a {
		dst[i] = ln(v / old[i])
	}
	return dst
}

func relativeVolatility(s *Scratch, dst, in [][]float64, p []float64) {
	x, bars := in[0], len(in[0])
	up := Stdev(s, s.column(bars), x, int(p[1]), int(p[2]))
	down := s.column(bars)
	for i, v := range up {
		down[i] = v
		switch {
		case i > 0 && x[i] > x[i-1]:
			down[i] -= v
		case i > 0 && x[i] < x[i-1]:
			up[i] -= v
		default:
			up[i], down[i] = v-v, v-v
		}
	}
	rise, fall := s.rma(dst[0], up, int(p[0])), s.rma(s.column(bars), down, int(p[0]))
	for i, v := range rise {
		dst[0][i] = share(100, v, v+fall[i])
	}
}

// rogersSatchell is the variance of each bar, of columns open, high, low and close.
func rogersSatchell(s *Scratch, dst []float64, in [][]float64) []float64 {
	for i, o := range in[0] {
		h, l, c := in[1][i], in[2][i], in[3][i]
		dst[i] = float64(ln(h/c)*ln(h/o)) + float64(ln(l/c)*ln(l/o))
	}
	return dst
}

func yangZhang(s *Scratch, dst, in [][]float64, p []float64) {
	n, bars := int(p[0]), len(in[0])
	gap := logReturns(s.column(bars), in[0], in[3], 1)
	overnight := Variance(s, s.column(bars), gap, n, 1)
	body := logReturns(gap, in[3], in[0], 0)
	within := Variance(s, s.column(bars), body, n, 1)
	drift := SMA(dst[0], rogersSatchell(s, body, in), n)
	k := 0.34 / (1.34 + (p[0]+1)/(p[0]-1))
	for i, v := range drift {
		dst[0][i] = float64(p[1] * (overnight[i] + float64(k*within[i]) + float64((1-k)*v)))
	}
	squareRoot(dst[0])
}

func squeeze(s *Scratch, dst, in [][]float64, p []float64) {
	n, bars := int(p[0]), len(in[0])
	c := in[2]
	average, deviation := s.column(bars), s.column(bars)
	spread(average, deviation, c, n, int(p[3]), true)
	reach := SMA(s.column(bars), TrueRange(s.column(bars), in[0], in[1], c), n)
	high, low := Highest(s.column(bars), in[0], n), Lowest(s.column(bars), in[1], n)
	for i, m := range average {
		on := 0.0
		if float64(p[1]*deviation[i]) < float64(p[2]*reach[i]) {
			on = 1
		}
		dst[1][i] = on + (reach[i] - reach[i]) + (m - m)
		high[i] = c[i] - ((high[i]+low[i])/2+m)/2
	}
	LinearFit(dst[0], low, high, n)
}
