package indicator

import "math"

// volatility is the chapter of ranges, deviations and bands.
func volatility() []Spec {
	return chapter(Volatility, []Spec{
		{
			Name: "tr", Aliases: []string{"true_range", "trange"}, Title: "True Range",
			Doc:     "The bar's range, gap from the last close included. Absent at the first bar, which has no close before it.",
			Formula: "max(high, close[1]) - min(low, close[1])",
			Source:  "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib TRANGE",
			Columns: hlc(), Outputs: only(USD),
			Warmup: one,
			Eval:   func(_ *Scratch, dst, in [][]float64, p []float64) { TrueRange(dst[0], in[0], in[1], in[2]) },
		},
		{
			Name: "atr", Title: "Average True Range",
			Doc:     "Wilder's average of the true range. The first true range is that of the second bar, as in TA-Lib; TradingView counts the first bar's high - low as one too, which agrees after the warm-up.",
			Formula: "rma(tr(), n)", Source: "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib ATR",
			Columns: hlc(), Params: lengths(1, smoothing(), seed()), Outputs: only(USD), Memory: Fading,
			Warmup: smoothed(0, 1, 1), First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				s.atr(dst[0], in[0], in[1], in[2], int(p[0]))
			},
		},
		{
			Name: "natr", Title: "Normalized Average True Range",
			Doc:     "The average true range in percent of the close, comparable between symbols.",
			Formula: "100 * atr(n) / close", Source: "John Forman, Stocks & Commodities, 2006", Oracle: "TA-Lib NATR",
			Columns: hlc(), Params: lengths(1, smoothing(), seed()), Outputs: only(None), Memory: Fading,
			Warmup: smoothed(0, 1, 1), First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				s.atr(dst[0], in[0], in[1], in[2], int(p[0]))
				for i, c := range in[2] {
					dst[0][i] = float64(100 * ratio(dst[0][i], c))
				}
			},
		},
		{
			Name: "bbands", Aliases: []string{"bb", "bollinger"}, Title: "Bollinger Bands",
			Doc:     "A simple average and bands k standard deviations away; where the value stands between them (0 lower, 1 upper, 0.5 where they meet), and their distance as a fraction of the average.",
			Formula: "middle = sma(x, n); upper, lower = middle +- k * stdev(x, n); pct_b = (x - lower) / (upper - lower); width = (upper - lower) / middle",
			Source:  "John Bollinger, Bollinger on Bollinger Bands, 2001", Oracle: "TA-Lib BBANDS",
			Series: x(), Params: []Param{length("n", 2, "bars in the window"), option("k", 2, 0, 100, "standard deviations between the average and a band"), ddof()},
			Outputs: []Output{out("upper", SameAsX, "upper band"), out("middle", SameAsX, "the average"), out("lower", SameAsX, "lower band"),
				{Name: "pct_b", Doc: "place between the bands, a fraction", Draw: Hidden, Spare: true}, {Name: "width", Doc: "distance of the bands, a fraction of the average", Draw: Hidden, Spare: true}},
			Picture: Overlay,
			Warmup:  before(0, 0),
			Eval:    bbands,
		},
		{
			Name: "keltner", Aliases: []string{"kc"}, Title: "Keltner Channels",
			Doc:     "An EMA of the close and bands k average true ranges away. TA-Lib averages the typical price instead of the close.",
			Formula: "middle = ema(close, n); upper, lower = middle +- k * atr(atr_n)",
			Source:  "Chester Keltner, 1960; this form Linda Raschke, 1980s", Oracle: "TA-Lib EMA and ATR",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the EMA"), option("k", 2, 0, 100, "average true ranges between the average and a band"),
				whole("atr_n", 10, 1, maxWindow, "bars of the average true range"), smoothing(), seed()},
			Outputs: []Output{out("upper", USD, "upper band"), out("middle", USD, "the average"), out("lower", USD, "lower band")},
			Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int { return max(warmEMA(p[0]), warmSmoothed(p[2], p[3])+1) },
			First:  func(p []float64) int { return max(int(p[0])-1, int(p[2])) },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				upper, middle, lower := dst[0], s.ema(dst[1], in[2], int(p[0])), dst[2]
				reach := s.atr(s.column(len(middle)), in[0], in[1], in[2], int(p[2]))
				for i, m := range middle {
					d := float64(p[1] * reach[i])
					upper[i], lower[i] = m+d, m-d
				}
			},
		},
		{
			Name: "donchian", Aliases: []string{"dc"}, Title: "Donchian Channels",
			Doc:     "The highest high and the lowest low of the last n bars, this one included, and their middle. A break-out is a close beyond the channel of the bar before: close > donchian(n)[1].",
			Formula: "upper = highest(high, n); lower = lowest(low, n); middle = (upper + lower) / 2",
			Source:  "Richard Donchian, 1950s", Oracle: "TA-Lib DONCHIAN",
			Columns: hl(), Params: lengths(1),
			Outputs: []Output{out("upper", USD, "highest high"), out("middle", USD, "their middle"), out("lower", USD, "lowest low")},
			Picture: Overlay,
			Warmup:  before(0, 0),
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				upper, lower := Highest(dst[0], in[0], int(p[0])), Lowest(dst[2], in[1], int(p[0]))
				for i, u := range upper {
					dst[1][i] = (u + lower[i]) / 2
				}
			},
		},
		{
			Name: "chop", Aliases: []string{"choppiness"}, Title: "Choppiness Index",
			Doc:     "How much of the walked path was not progress: near 100 sideways, low in a trend. Uses a logarithm. Absent where the range has no width.",
			Formula: "100 * log10(sum(tr(), n) / (highest(high, n) - lowest(low, n))) / log10(n)",
			Source:  "E. W. Dreiss, 1993", Oracle: "pandas-ta-classic chop",
			Columns: hlc(), Params: lengths(2), Outputs: only(None), Levels: []float64{38.2, 61.8},
			Warmup: before(0, 1),
			Eval:   chop,
		},
	})
}

// TrueRange is max(h, c[1]) - min(l, c[1]), absent at the first bar. It returns dst, or a new column if
// dst is too small.
func TrueRange(dst, h, l, c []float64) []float64 {
	dst = resize(dst, len(c))
	if len(c) == 0 {
		return dst
	}
	out, h, l := dst[:len(c)], h[:len(c)], l[:len(c)]
	out[0] = math.NaN()
	last := c[0]
	for i := 1; i < len(c); i++ {
		r := max(h[i], last) - min(l[i], last)
		if r-r != 0 {
			r = math.NaN()
		}
		out[i] = r
		last = c[i]
	}
	return dst
}

// ATR is Wilder's average of the true range, n >= 1; the first is at n. It returns dst, or a new column
// if dst is too small. After an absent value it starts anew. O(1) a bar.
func ATR(dst, h, l, c []float64, n int) []float64 {
	dst = resize(dst, len(c))
	if len(c) == 0 {
		return dst
	}
	out, h, l := dst[:len(c)], h[:len(c)], l[:len(c)]
	keep, take, nan := keepRMA(float64(n)), 1/float64(n), math.NaN()
	out[0] = nan
	for i := 1; i < len(c); {
		// The seed: n true ranges in a row.
		count, sum := 0, 0.0
		for ; i < len(c) && count < n; i++ {
			r := max(h[i], c[i-1]) - min(l[i], c[i-1])
			out[i] = nan
			count++
			sum += r
			if r-r != 0 {
				count, sum = 0, 0
			}
		}
		if count < n {
			break
		}
		a, last := float64(sum*take), c[i-1]
		out[i-1] = a
		for ; i < len(c); i++ {
			a = float64(keep*a) + float64(take*(max(h[i], last)-min(l[i], last)))
			if a-a != 0 {
				break
			}
			out[i] = a
			last = c[i]
		}
	}
	return dst
}

func bbands(s *Scratch, dst, in [][]float64, p []float64) {
	upper, middle, lower, place, width := dst[0], dst[1], dst[2], dst[3], dst[4]
	spread(middle, upper, in[0], int(p[0]), int(p[2]), true)
	k := p[1]
	if place != nil {
		for i, m := range middle {
			place[i] = 0.5
			if d := float64(k * upper[i]); d != 0 {
				place[i] += (in[0][i] - m) / (2 * d)
			}
		}
	}
	if width != nil {
		for i, m := range middle {
			width[i] = ratio(float64(2*float64(k*upper[i])), m)
		}
	}
	upper, lower = upper[:len(middle)], lower[:len(middle)]
	for i, m := range middle {
		d := float64(k * upper[i])
		upper[i], lower[i] = m+d, m-d
	}
}

func chop(s *Scratch, dst, in [][]float64, p []float64) {
	n := int(p[0])
	bars := len(dst[0])
	high, low := Highest(s.column(bars), in[0], n), Lowest(s.column(bars), in[1], n)
	path := Sum(dst[0], TrueRange(s.column(bars), in[0], in[1], in[2]), n)
	scale := 100 / ln(p[0])
	for i, v := range path {
		dst[0][i] = float64(scale * ln(ratio(v, high[i]-low[i])))
	}
}
