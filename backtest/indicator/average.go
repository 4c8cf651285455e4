package indicator

import "math"

// averages is the chapter of moving averages.
func averages() []Spec {
	return chapter(Average, []Spec{
		{
			Name: "sma", Aliases: []string{"ma"}, Title: "Simple Moving Average",
			Doc:     "The plain average of the last n values.",
			Formula: "sum(x, n) / n", Source: "common knowledge", Oracle: "TA-Lib SMA",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval:   func(_ *Scratch, dst, in [][]float64, p []float64) { SMA(dst[0], in[0], int(p[0])) },
		},
		{
			Name: "ema", Title: "Exponential Moving Average",
			Doc:     "Recent values weigh more, older ones fade geometrically. seed says how it begins; the first value is at bar n whatever the seed.",
			Formula: "e = e[1] + 2/(n+1) * (x - e[1])", Source: "common knowledge", Oracle: "TA-Lib EMA",
			Series: x(), Params: lengths(1, seed()), Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: ema(0, 1, 0), First: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) { s.ema(dst[0], in[0], int(p[0])) },
		},
		{
			Name: "rma", Aliases: []string{"wilder", "smma"}, Title: "Wilder's Moving Average",
			Doc:     "The smoothing inside RSI, ATR and ADX: an EMA with factor 1/n.",
			Formula: "r = r[1] + 1/n * (x - r[1])", Source: "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib RMA",
			Series: x(), Params: lengths(1, seed()), Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: rma(0, 0), First: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) { s.rma(dst[0], in[0], int(p[0])) },
		},
		{
			Name: "wma", Title: "Weighted Moving Average",
			Doc:     "Weights fall in a straight line from n for the newest value to 1 for the oldest.",
			Formula: "(n*x + (n-1)*x[1] + ... + 1*x[n-1]) / (n*(n+1)/2)", Source: "common knowledge", Oracle: "TA-Lib WMA",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval:   func(_ *Scratch, dst, in [][]float64, p []float64) { WMA(dst[0], in[0], int(p[0])) },
		},
		{
			Name: "dema", Title: "Double Exponential Moving Average",
			Doc:     "An EMA less its own lag.",
			Formula: "2*ema(x, n) - ema(ema(x, n), n)", Source: "Patrick Mulloy, Stocks & Commodities, 1994", Oracle: "TA-Lib DEMA",
			Series: x(), Params: lengths(1, seed()), Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: ema(0, 2, 0), First: func(p []float64) int { return 2 * (int(p[0]) - 1) },
			Eval: dema,
		},
		{
			Name: "tema", Title: "Triple Exponential Moving Average",
			Doc:     "An EMA less its own lag, to the third order.",
			Formula: "3*e1 - 3*e2 + e3, e1 = ema(x, n), e2 = ema(e1, n), e3 = ema(e2, n)", Source: "Patrick Mulloy, Stocks & Commodities, 1994", Oracle: "TA-Lib TEMA",
			Series: x(), Params: lengths(1, seed()), Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: ema(0, 3, 0), First: func(p []float64) int { return 3 * (int(p[0]) - 1) },
			Eval: tema,
		},
		{
			Name: "hma", Aliases: []string{"hull"}, Title: "Hull Moving Average",
			Doc:     "A fast, smooth average. Half the window and its root are rounded down.",
			Formula: "wma(2*wma(x, n/2) - wma(x, n), sqrt(n))", Source: "Alan Hull, 2005", Oracle: "TA-Lib HMA",
			Series: x(), Params: lengths(2), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: func(p []float64) int { return int(p[0]) - 1 + root(p[0]) - 1 },
			Eval:   hma,
		},
		{
			Name: "kama", Title: "Kaufman's Adaptive Moving Average",
			Doc:     "An EMA whose speed follows the efficiency ratio: fast in a trend, slow in noise. Starts from the value before the first; a window without any movement counts as efficient, as in TA-Lib. The warm-up is that of the slowest speed.",
			Formula: "k = k[1] + c*(x - k[1]), c = (er*(2/(fast+1) - 2/(slow+1)) + 2/(slow+1))^2, er = abs(x - x[n]) / sum(abs(x - x[1]), n)",
			Source:  "Perry Kaufman, Trading Systems and Methods, 1995", Oracle: "TA-Lib KAMA",
			Series: x(), Params: []Param{length("n", 1, "bars of the efficiency ratio"),
				option("fast", 2, 1, maxWindow, "bars of the fastest EMA"), option("slow", 30, 1, maxWindow, "bars of the slowest EMA")},
			Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int {
				c := 2 / (max(p[1], p[2]) + 1)
				return int(p[0]) + fade(1-float64(c*c))
			},
			First: before(0, 1),
			Eval:  kama,
		},
		{
			Name: "vwma", Title: "Volume Weighted Moving Average",
			Doc:     "The average of the last n values, each weighed by its bar's volume. Absent when nothing traded.",
			Formula: "sum(x*volume, n) / sum(volume, n)", Source: "common knowledge", Oracle: "TA-Lib VWMA",
			Series: x(), Columns: []string{Volume}, Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval:   func(s *Scratch, dst, in [][]float64, p []float64) { weigh(s, dst[0], in[0], in[1], int(p[0])) },
		},
		{
			Name: "trima", Title: "Triangular Moving Average",
			Doc:     "A simple average of a simple average: the middle of the window weighs most.",
			Formula: "sma(sma(x, (n+1)/2), n/2 + 1 when n is even, else (n+1)/2), divisions rounded down", Source: "common knowledge", Oracle: "TA-Lib TRIMA",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n := int(p[0])
				inner := SMA(s.column(len(in[0])), in[0], (n+1)/2)
				SMA(dst[0], inner, n/2+1)
			},
		},
		{
			Name: "zlema", Aliases: []string{"zlma"}, Title: "Zero Lag Exponential Moving Average",
			Doc:     "An EMA of the value plus its move over half a window, which cancels the lag on a straight line.",
			Formula: "ema(x + (x - x[lag]), n), lag = (n-1)/2 rounded down", Source: "John Ehlers and Ric Way, 2010", Oracle: "TA-Lib ZLEMA",
			Series: x(), Params: lengths(1, seed()), Outputs: only(SameAsX), Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int { return warmEMA(p[0]) + (int(p[0])-1)/2 },
			First:  func(p []float64) int { return int(p[0]) - 1 + (int(p[0])-1)/2 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n := int(p[0])
				ahead := ago(s.column(len(in[0])), in[0], (n-1)/2)
				for i, v := range in[0] {
					ahead[i] = v + (v - ahead[i])
				}
				s.ema(dst[0], ahead, n)
			},
		},
	})
}

// root is the square root of a window, rounded down.
func root(n float64) int { return int(math.Sqrt(n)) }

// ago is x of k bars before.
func ago(dst, x []float64, k int) []float64 {
	k = min(k, len(x))
	absent(dst[:k])
	copy(dst[k:], x)
	return dst
}

func dema(s *Scratch, dst, in [][]float64, p []float64) {
	n := int(p[0])
	one := s.ema(s.column(len(in[0])), in[0], n)
	two := s.ema(s.column(len(in[0])), one, n)
	for i, v := range one {
		dst[0][i] = v + (v - two[i])
	}
}

func tema(s *Scratch, dst, in [][]float64, p []float64) {
	n := int(p[0])
	one := s.ema(s.column(len(in[0])), in[0], n)
	two := s.ema(s.column(len(in[0])), one, n)
	three := s.ema(s.column(len(in[0])), two, n)
	for i, v := range three {
		dst[0][i] = v + float64(3*(one[i]-two[i]))
	}
}

func hma(s *Scratch, dst, in [][]float64, p []float64) {
	n := int(p[0])
	half := WMA(s.column(len(in[0])), in[0], max(n/2, 1))
	full := WMA(s.column(len(in[0])), in[0], n)
	for i, v := range half {
		half[i] = v + (v - full[i])
	}
	WMA(dst[0], half, root(p[0]))
}

// efficiency is Kaufman's ratio: the move over n bars as a share of the path walked, in [0, 1]; 1
// where nothing moved.
func efficiency(s *Scratch, dst, x []float64, n int) []float64 {
	mark := s.used
	steps := changes(s.column(len(x)), x, 1)
	for i, v := range steps {
		steps[i] = math.Abs(v)
	}
	path := Sum(s.column(len(x)), steps, n)
	moves := changes(dst, x, n)
	for i, v := range moves {
		v = math.Abs(v)
		if v >= path[i] {
			dst[i] = 1
		} else {
			dst[i] = v / path[i]
		}
	}
	s.release(mark)
	return dst
}

// changes is x less its value k bars before.
func changes(dst, x []float64, k int) []float64 {
	k = min(k, len(x))
	absent(dst[:k])
	for i, v := range x[k:] {
		dst[k+i] = v - x[i]
	}
	return finite(dst)
}

func kama(s *Scratch, dst, in [][]float64, p []float64) {
	x := in[0]
	er := efficiency(s, s.column(len(x)), x, int(p[0]))
	fast, slow := 2/(p[1]+1), 2/(p[2]+1)
	adapt(dst[0], x, er, func(e float64) float64 {
		c := slow + float64(e*(fast-slow))
		return float64(c * c)
	})
}

// adapt is a recursive average whose factor follows a column: it starts from the value before the
// first bar at which the factor is present.
func adapt(dst, x, by []float64, factor func(float64) float64) {
	nan, away, going := math.NaN(), 0.0, false
	for i, v := range x {
		c := by[i]
		if v-v != 0 || c-c != 0 || i == 0 || !present(x[i-1]) {
			dst[i], going = nan, false
			continue
		}
		if !going {
			away, going = 0, true
		}
		away = (v - x[i-1]) + away
		away -= float64(factor(c) * away)
		dst[i] = v - away
	}
}
