package indicator

import "math"

// statistics2 is the rest of the chapter of statistics.
func statistics2() []Spec {
	return chapter(Statistic, []Spec{
		{
			Name: "covariance", Aliases: []string{"cov"}, Title: "Covariance",
			Doc:     "The mean product of the distances of the last n pairs from their means.",
			Formula: "sum((x - mean x) * (y - mean y)) / (n - ddof)", Source: "common knowledge", Oracle: "numpy cov",
			Series: []string{"x", "y"}, Params: []Param{length("n", 2, "pairs in the window"), ddof()}, Outputs: only(ProductXY), Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				m := pairs(s, in[0], in[1], int(p[0]))
				for i, v := range m.xy {
					dst[0][i] = v / (p[0] - p[1])
				}
			},
		},
		{
			Name: "beta", Title: "Beta",
			Doc:     "The slope of the line fitted to the last n pairs: how much x moves when y moves by 1. For the beta of a stock give it returns: beta(roc(close, 1), roc(sym(\"SPY\").close, 1), 252). Absent where y did not move.",
			Formula: "covariance(x, y, n) / variance(y, n)", Source: "common knowledge", Oracle: "numpy, from the formula",
			Series: []string{"x", "y"}, Params: lengths(2), Outputs: only(RatioXY), Levels: []float64{1}, Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				m := pairs(s, in[0], in[1], int(p[0]))
				for i, v := range m.xy {
					dst[0][i] = ratio(v, m.yy[i])
				}
			},
		},
		{
			Name: "median", Title: "Median",
			Doc:     "The middle of the last n values in order of size; of an even number the mean of the two in the middle. O(n) a bar at worst.",
			Formula: "quantile_n(x, n, 0.5)", Source: "common knowledge", Oracle: "numpy median",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay, Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) { quantile(s, dst[0], in[0], int(p[0]), 0.5) },
		},
		{
			Name: "quantile_n", Aliases: []string{"percentile_value"}, Title: "Quantile Over Time",
			Doc:     "The value below which the fraction q of the last n values lies, in a straight line between neighbours. O(n) a bar at worst.",
			Formula: "sorted(x of n)[q*(n-1)], interpolated", Source: "Rob Hyndman and Yanan Fan, The American Statistician, 1996, definition 7", Oracle: "numpy quantile",
			Series: x(), Params: []Param{length("n", 1, "bars in the window"), {Name: "q", Min: 0, Max: 1, Required: true, Doc: "fraction of values below"}}, Outputs: only(SameAsX), Picture: Overlay, Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) { quantile(s, dst[0], in[0], int(p[0]), p[1]) },
		},
		{
			Name: "percentrank", Title: "Percent Rank",
			Doc:     "How many of the n values before this one are not above it, in percent, as TradingView counts. O(n) a bar.",
			Formula: "100 * count(x[k] <= x, k = 1..n) / n", Source: "TradingView ta.percentrank", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(1), Outputs: within(0, 100), Warmup: before(0, 1),
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				x, n := in[0], int(p[0])
				each(dst[0], x, n+1, func(w []float64) float64 {
					count, last := 0.0, w[n]
					for _, v := range w[:n] {
						if v <= last {
							count++
						}
					}
					return float64(100*count) / p[0]
				})
			},
		},
		{
			Name: "skew", Aliases: []string{"skewness"}, Title: "Skewness",
			Doc:     "How lopsided the last n values are, corrected for the size of the sample as pandas does; absent where all are equal. O(n) a bar.",
			Formula: "sqrt(n(n-1))/(n-2) * m3 / m2^1.5, mk = mean((x - mean)^k)", Source: "Ronald Fisher, 1930", Oracle: "pandas skew",
			Series: x(), Params: lengths(3), Outputs: only(None), Levels: []float64{0}, Warmup: before(0, 0),
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				n := p[0]
				each(dst[0], in[0], int(n), func(w []float64) float64 {
					m2, m3, _ := centralMoments(w)
					return float64(float64(math.Sqrt(float64(n*(n-1)))/(n-2)) * ratio(m3, float64(m2*math.Sqrt(m2))))
				})
			},
		},
		{
			Name: "kurtosis", Aliases: []string{"kurt"}, Title: "Excess Kurtosis",
			Doc:     "How heavy the tails of the last n values are, 0 for a normal distribution, corrected for the size of the sample as pandas does; absent where all are equal. O(n) a bar.",
			Formula: "(n-1)/((n-2)(n-3)) * ((n+1) * m4/m2^2 - 3(n-1)), mk = mean((x - mean)^k)", Source: "Ronald Fisher, 1930", Oracle: "pandas kurt",
			Series: x(), Params: lengths(4), Outputs: only(None), Levels: []float64{0}, Warmup: before(0, 0),
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				n := p[0]
				each(dst[0], in[0], int(n), func(w []float64) float64 {
					m2, _, m4 := centralMoments(w)
					return float64((n - 1) / float64((n-2)*(n-3)) * (float64((n+1)*ratio(m4, float64(m2*m2))) - float64(3*(n-1))))
				})
			},
		},
		{
			Name: "avgdev", Aliases: []string{"mean_deviation", "dev"}, Title: "Average Deviation",
			Doc:     "The mean absolute distance of the last n values from their mean. O(n) a bar.",
			Formula: "mean(abs(x - sma(x, n)) over n)", Source: "common knowledge", Oracle: "TA-Lib AVGDEV",
			Series: x(), Params: lengths(2), Outputs: only(SameAsX), Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				meanDeviation(dst[0], in[0], SMA(s.column(len(in[0])), in[0], int(p[0])), int(p[0]))
			},
		},
		{
			Name: "mad", Title: "Median Absolute Deviation",
			Doc:     "The median distance of the last n values from their median: a deviation that outliers do not move. O(n log n) a bar.",
			Formula: "median(abs(x - median(x, n)) over n)", Source: "Carl Friedrich Gauss, 1816", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Warmup: before(0, 0),
			Eval: medianDeviation,
		},
		{
			Name: "linreg_intercept", Title: "Linear Regression Intercept",
			Doc:     "Where the straight line fitted through the last n values stood at the oldest of them.",
			Formula: "linreg(x, n) - (n-1) * linreg_slope(x, n)", Source: "common knowledge", Oracle: "TA-Lib LINEARREG_INTERCEPT",
			Series: x(), Params: lengths(2), Outputs: only(SameAsX), Picture: Overlay, Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) { lineAt(s, dst[0], in[0], int(p[0]), 1-p[0]) },
		},
		{
			Name: "tsf", Title: "Time Series Forecast",
			Doc:     "The straight line fitted through the last n values, one bar ahead.",
			Formula: "linreg(x, n) + linreg_slope(x, n)", Source: "common knowledge", Oracle: "TA-Lib TSF",
			Series: x(), Params: lengths(2), Outputs: only(SameAsX), Picture: Overlay, Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) { lineAt(s, dst[0], in[0], int(p[0]), 1) },
		},
		{
			Name: "fosc", Title: "Forecast Oscillator",
			Doc:     "How far the value is from the forecast of the bar before, in percent.",
			Formula: "100 * (x - tsf(x, n)[1]) / x", Source: "Tushar Chande and Stanley Kroll, The New Technical Trader, 1994", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(2), Outputs: only(None), Levels: []float64{0}, Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				ahead := s.column(len(in[0]))
				lineAt(s, ahead, in[0], int(p[0]), 1)
				for i, v := range delayed(dst[0], ahead, 1) {
					dst[0][i] = float64(100 * ratio(in[0][i]-v, in[0][i]))
				}
			},
		},
		{
			Name: "linreg_r2", Aliases: []string{"r_squared"}, Title: "Linear Regression R Squared",
			Doc:     "How much of the variance of the last n values a straight line explains, a fraction; absent where all are equal.",
			Formula: "correlation(x, time, n)^2", Source: "common knowledge", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(2), Outputs: within(0, 1), Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				withTime(s, dst[0], in[0], int(p[0]))
				for i, r := range dst[0] {
					dst[0][i] = float64(r * r)
				}
			},
		},
		{
			Name: "cti", Title: "Correlation Trend Indicator",
			Doc:     "The correlation of the last n values with time: 1 on a rising straight line, -1 on a falling one; absent where all are equal.",
			Formula: "correlation(x, time, n)", Source: "John Ehlers, Stocks & Commodities, 2020", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(2), Outputs: within(-1, 1), Levels: []float64{0}, Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) { withTime(s, dst[0], in[0], int(p[0])) },
		},
		{
			Name: "autocorrelation", Title: "Autocorrelation",
			Doc:     "The correlation of n values with those of lag bars before; absent where one of them did not move. Give it returns rather than prices.",
			Formula: "correlation(x, x[lag], n)", Source: "common knowledge", Oracle: "numpy corrcoef",
			Series: x(), Params: []Param{length("n", 2, "pairs in the window"), length("lag", 1, "bars between the two of a pair")}, Outputs: within(-1, 1), Levels: []float64{0},
			Warmup: func(p []float64) int { return int(p[0]+p[1]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				old := delayed(s.column(len(in[0])), in[0], int(p[1]))
				pairs(s, in[0], old, int(p[0])).correlation(dst[0])
			},
		},
		{
			Name: "hurst", Aliases: []string{"hurst_exponent"}, Title: "Hurst Exponent",
			Doc:     "The rescaled range of the last n logarithmic returns as a power of n/2: above 0.5 for moves that go on, below for moves that turn; short windows of a random walk lie somewhat above. Uses a logarithm. Absent where all returns are equal. O(n) a bar.",
			Formula: "ln(R / S) / ln(n / 2), R = highest - lowest of the cumulated r - mean(r), S = stdev(r, n), r = ln(x / x[1])", Source: "H. E. Hurst, Transactions of the American Society of Civil Engineers, 1951", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(4), Outputs: only(None), Levels: []float64{0.5}, Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				scale := ln(p[0] / 2)
				each(dst[0], logReturns(s.column(len(in[0])), in[0], in[0], 1), int(p[0]), func(w []float64) float64 {
					return ln(rescaledRange(w)) / scale
				})
			},
		},
	})
}

// rescaledRange is the range of the cumulated deviations from the mean in standard deviations; absent
// where there are none.
func rescaledRange(w []float64) float64 {
	m, walked, low, high, squares := mean(w), 0.0, 0.0, 0.0, 0.0
	for _, v := range w {
		d := v - m
		walked += d
		low, high = min(low, walked), max(high, walked)
		squares += float64(d * d)
	}
	return (high - low) / math.Sqrt(squares/float64(len(w)))
}

// each writes f of every window of n present values. O(n) a bar.
func each(dst, x []float64, n int, f func(w []float64) float64) {
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[i:min(from+n-1, to)])
		for i = from + n - 1; i < to; i++ {
			dst[i] = f(x[i-n+1 : i+1])
		}
		i = to
	}
}

// centralMoments are the second, third and fourth moment of w about its mean.
func centralMoments(w []float64) (m2, m3, m4 float64) {
	m, n := mean(w), float64(len(w))
	for _, v := range w {
		d := v - m
		q := float64(d * d)
		m2 += q
		m3 += float64(q * d)
		m4 += float64(q * q)
	}
	return m2 / n, m3 / n, m4 / n
}

// quantile keeps the window sorted.
func quantile(s *Scratch, dst, x []float64, n int, q float64) {
	sorted := s.column(n)
	at := float64(q * float64(n-1))
	k := min(int(at), n-1)
	part := at - float64(k)
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[i:min(from+n-1, to)])
		w := sorted[:0]
		for i = from; i < to; i++ {
			if len(w) == n {
				w = remove(w, x[i-n])
			}
			w, _ = insert(w, x[i])
			if len(w) == n {
				dst[i] = w[k]
				if part > 0 {
					dst[i] += float64(part * (w[k+1] - w[k]))
				}
			}
		}
	}
}

func medianDeviation(s *Scratch, dst, in [][]float64, p []float64) {
	n := int(p[0])
	center := s.column(len(in[0]))
	quantile(s, center, in[0], n, 0.5)
	sorted := s.column(n)
	for i, m := range center {
		if m-m != 0 {
			dst[0][i] = m - m
			continue
		}
		w := sorted[:0]
		for _, v := range in[0][i-n+1 : i+1] {
			w, _ = insert(w, math.Abs(v-m))
		}
		dst[0][i] = (w[(n-1)/2] + w[n/2]) / 2
	}
}

// lineAt is the fitted line some bars from the newest.
func lineAt(s *Scratch, dst, x []float64, n int, bars float64) {
	slope := s.column(len(x))
	LinearFit(dst, slope, x, n)
	for i, v := range slope {
		dst[i] += float64(bars * v)
	}
}

// withTime is the correlation of x with the number of the bar.
func withTime(s *Scratch, dst, x []float64, n int) {
	time := s.column(len(x))
	for i := range time {
		time[i] = float64(i)
	}
	pairs(s, x, time, n).correlation(dst)
}
