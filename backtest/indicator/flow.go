package indicator

import "math"

// flow is the chapter of indicators that weigh moves by volume.
func flow() []Spec {
	return chapter(Flow, []Spec{
		{
			Name: "obv", Title: "On Balance Volume",
			Doc:     "Volume added on bars that close higher and taken off on bars that close lower, from 0 at the first bar. A bar without data is absent and adds nothing.",
			Formula: "cumulative sum of sign(close - close[1]) * volume", Source: "Joseph Granville, 1963", Oracle: "TA-Lib OBV less its first value",
			Columns: []string{Close, Volume}, Outputs: only(Shares), Memory: Cumulative,
			Warmup: none,
			Eval:   obv,
		},
		{
			Name: "ad", Aliases: []string{"adl"}, Title: "Accumulation/Distribution Line",
			Doc:     "Volume weighed by where in its range the bar closed, added up. A bar without range adds nothing.",
			Formula: "cumulative sum of ((close - low) - (high - close)) / (high - low) * volume", Source: "Marc Chaikin", Oracle: "TA-Lib AD",
			Columns: hlcv(), Outputs: only(Shares), Memory: Cumulative,
			Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				cumulate(moneyFlow(dst[0], in))
			},
		},
		{
			Name: "mfi", Title: "Money Flow Index",
			Doc:     "The share of typical price times volume that flowed on rising bars. 50 where none flowed.",
			Formula: "100 * sum(flow on rises, n) / sum(flow on rises and falls, n), flow = (high + low + close)/3 * volume",
			Source:  "Gene Quong and Avrum Soudack, Stocks & Commodities, 1989", Oracle: "TA-Lib MFI",
			Columns: hlcv(), Params: lengths(1), Outputs: within(0, 100), Levels: []float64{20, 80},
			Warmup: before(0, 1),
			Eval:   mfi,
		},
		{
			Name: "cmf", Title: "Chaikin Money Flow",
			Doc:     "Accumulation less distribution of the last n bars as a fraction of their volume. Absent when nothing traded.",
			Formula: "sum(((close - low) - (high - close)) / (high - low) * volume, n) / sum(volume, n)",
			Source:  "Marc Chaikin", Oracle: "TA-Lib CMF",
			Columns: hlcv(), Params: lengths(1), Outputs: within(-1, 1), Levels: []float64{0},
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				flow := moneyFlow(s.column(len(dst[0])), in)
				Sum(dst[0], flow, int(p[0]))
				total := Sum(flow, in[3], int(p[0]))
				for i, v := range dst[0] {
					dst[0][i] = min(max(ratio(v, total[i]), -1), 1)
				}
			},
		},
		{
			Name: "vwap", Title: "Volume Weighted Average Price",
			Doc:     "The average price paid in the session so far, from its first bar on. On bars of a day and longer every bar is a session of its own, so it is the bar's typical price: use vwap_n there. Absent until something traded; a bar without data counts nothing.",
			Formula: "sum of (high + low + close)/3 * volume / sum of volume, both since the session's first bar", Source: "James Elkins, 1984", Oracle: "pandas, grouped by session",
			Columns: []string{High, Low, Close, Volume, Session}, Outputs: only(USD), Picture: Overlay, Memory: Today,
			Warmup: none,
			Eval:   vwap,
		},
		{
			Name: "anchored_vwap", Aliases: []string{"avwap"}, Title: "Anchored Volume Weighted Average Price",
			Doc:     "The average price paid since the last bar at which anchor was not 0, that bar included. Absent before the first anchor and until something traded; a bar without data counts nothing.",
			Formula: "sum of (high + low + close)/3 * volume / sum of volume, both since the anchor", Source: "Paul Levine, 1990s; Brian Shannon", Oracle: "pandas, grouped by anchor",
			Series: []string{"anchor"}, Columns: hlcv(), Outputs: only(USD), Picture: Overlay, Memory: Path,
			Warmup: none,
			Eval:   anchoredVWAP,
		},
		{
			Name: "vwap_n", Aliases: []string{"rolling_vwap"}, Title: "Rolling Volume Weighted Average Price",
			Doc:     "The average price paid over the last n bars. Absent when nothing traded.",
			Formula: "vwma((high + low + close)/3, n)", Source: "common knowledge", Oracle: "TA-Lib VWMA of TYPPRICE",
			Columns: hlcv(), Params: lengths(1), Outputs: only(USD), Picture: Overlay,
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				t := typical(s.column(len(dst[0])), in[0], in[1], in[2])
				weigh(s, dst[0], t, in[3], int(p[0]))
			},
		},
	})
}

// cumulate adds a column up in place; absent values stay absent and add nothing.
func cumulate(dst []float64) {
	sum := 0.0
	for i, v := range dst {
		if v-v != 0 {
			dst[i] = math.NaN()
			continue
		}
		sum += v
		dst[i] = sum
	}
}

func obv(_ *Scratch, dst, in [][]float64, p []float64) {
	c, volume := in[0], in[1]
	last, sum := math.NaN(), 0.0
	for i, v := range c {
		if !present(v) || !present(volume[i]) {
			dst[0][i] = math.NaN()
			continue
		}
		if v > last {
			sum += volume[i]
		} else if v < last {
			sum -= volume[i]
		}
		last = v
		dst[0][i] = sum
	}
}

// moneyFlow is volume weighed by the place of the close in the bar's range, from -1 to 1, of columns
// high, low, close and volume.
func moneyFlow(dst []float64, in [][]float64) []float64 {
	h, l, c, volume := in[0], in[1], in[2], in[3]
	for i, v := range volume {
		d := h[i] - l[i]
		switch {
		case d == 0 && present(c[i]) && present(v):
			dst[i] = 0
		default:
			dst[i] = float64(((c[i] - l[i]) - (h[i] - c[i])) / d * v)
		}
	}
	return dst
}

func mfi(s *Scratch, dst, in [][]float64, p []float64) {
	n, bars := int(p[0]), len(dst[0])
	t := typical(s.column(bars), in[0], in[1], in[2])
	rise, fall := s.column(bars), s.column(bars)
	last := math.NaN()
	for i, v := range t {
		flow := float64(v * in[3][i])
		switch {
		case !present(v-last) || !present(flow):
			rise[i], fall[i] = math.NaN(), math.NaN()
		case v > last:
			rise[i], fall[i] = flow, 0
		case v < last:
			rise[i], fall[i] = 0, flow
		default:
			rise[i], fall[i] = 0, 0
		}
		last = v
	}
	up, down := Sum(t, rise, n), Sum(dst[0], fall, n)
	for i, v := range up {
		dst[0][i] = share(100, v, v+down[i])
	}
}

// paid is a running average of prices weighed by volume, relative to its first price.
type paid struct{ pivot, flow, total float64 }

// add counts a bar and returns the average; absent ones are not counted.
func (a *paid) add(price, volume float64) float64 {
	if !present(price) || !present(volume) {
		return math.NaN()
	}
	if !present(a.pivot) {
		a.pivot = price
	}
	a.flow += float64((price - a.pivot) * volume)
	a.total += volume
	return a.pivot + ratio(a.flow, a.total)
}

func vwap(s *Scratch, dst, in [][]float64, p []float64) {
	t := typical(s.column(len(dst[0])), in[0], in[1], in[2])
	average, current := paid{}, math.NaN()
	for i, session := range in[4] {
		if session != current {
			average, current = paid{pivot: math.NaN()}, session
		}
		dst[0][i] = average.add(t[i], in[3][i])
	}
}

func anchoredVWAP(s *Scratch, dst, in [][]float64, p []float64) {
	t := typical(s.column(len(dst[0])), in[1], in[2], in[3])
	average, anchored := paid{}, false
	for i, anchor := range in[0] {
		if anchor != 0 && present(anchor) {
			average, anchored = paid{pivot: math.NaN()}, true
		}
		dst[0][i] = math.NaN()
		if anchored && present(anchor) {
			dst[0][i] = average.add(t[i], in[4][i])
		}
	}
}

// weigh is the average of x over n bars weighed by volume, absent where nothing traded.
func weigh(s *Scratch, dst, x, volume []float64, n int) {
	mark := s.used
	product := s.column(len(x))
	for i, v := range x {
		product[i] = float64(v * volume[i])
	}
	total := Sum(s.column(len(x)), volume, n)
	Sum(dst, product, n)
	for i, v := range dst {
		dst[i] = ratio(v, total[i])
	}
	s.release(mark)
}
