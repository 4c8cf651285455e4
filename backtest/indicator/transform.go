package indicator

// transforms is the chapter of prices made of a bar's prices.
func transforms() []Spec {
	return chapter(Transform, []Spec{
		{
			Name: "avgprice", Aliases: []string{"ohlc4"}, Title: "Average Price",
			Doc:     "The mean of the bar's four prices.",
			Formula: "(open + high + low + close) / 4", Source: "common knowledge", Oracle: "TA-Lib AVGPRICE",
			Columns: ohlc(), Outputs: only(USD), Picture: Overlay, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				for i, o := range in[0] {
					dst[0][i] = (o + in[1][i] + in[2][i] + in[3][i]) / 4
				}
				finite(dst[0])
			},
		},
		{
			Name: "medprice", Aliases: []string{"hl2"}, Title: "Median Price",
			Doc:     "The middle of the bar's range.",
			Formula: "(high + low) / 2", Source: "common knowledge", Oracle: "TA-Lib MEDPRICE",
			Columns: hl(), Outputs: only(USD), Picture: Overlay, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) { finite(middle(dst[0], in[0], in[1])) },
		},
		{
			Name: "typprice", Aliases: []string{"hlc3"}, Title: "Typical Price",
			Doc:     "The mean of high, low and close.",
			Formula: "(high + low + close) / 3", Source: "common knowledge", Oracle: "TA-Lib TYPPRICE",
			Columns: hlc(), Outputs: only(USD), Picture: Overlay, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				finite(typical(dst[0], in[0], in[1], in[2]))
			},
		},
		{
			Name: "wclprice", Aliases: []string{"hlcc4"}, Title: "Weighted Close Price",
			Doc:     "The typical price with the close counted twice.",
			Formula: "(high + low + 2*close) / 4", Source: "common knowledge", Oracle: "TA-Lib WCLPRICE",
			Columns: hlc(), Outputs: only(USD), Picture: Overlay, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				for i, h := range in[0] {
					dst[0][i] = (h + in[1][i] + (in[2][i] + in[2][i])) / 4
				}
				finite(dst[0])
			},
		},
		{
			Name: "midprice", Title: "Midpoint Price",
			Doc:     "The middle between the highest high and the lowest low of the last n bars.",
			Formula: "(highest(high, n) + lowest(low, n)) / 2", Source: "TA-Lib", Oracle: "TA-Lib MIDPRICE",
			Columns: hl(), Params: lengths(1), Outputs: only(USD), Picture: Overlay, Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n := int(p[0])
				high, low := Highest(s.column(len(in[0])), in[0], n), Lowest(s.column(len(in[0])), in[1], n)
				middle(dst[0], high, low)
			},
		},
		{
			Name: "midpoint", Title: "Midpoint",
			Doc:     "The middle between the highest and the lowest of the last n values.",
			Formula: "(highest(x, n) + lowest(x, n)) / 2", Source: "TA-Lib", Oracle: "TA-Lib MIDPOINT",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay, Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n := int(p[0])
				high, low := Highest(s.column(len(in[0])), in[0], n), Lowest(s.column(len(in[0])), in[0], n)
				middle(dst[0], high, low)
			},
		},
		{
			Name: "heikin_ashi", Aliases: []string{"ha"}, Title: "Heikin-Ashi",
			Doc:     "Bars of averages: each opens in the middle of the one before. They are for looking and for signals; orders fill at real prices. The first opens in the middle of its real open and close.",
			Formula: "close = (open + high + low + close) / 4; open = (open[1] + close[1]) / 2; high = max(high, open, close); low = min(low, open, close)",
			Source:  "Dan Valcu, Stocks & Commodities, 2004", Oracle: "numpy, from the formula",
			Columns: ohlc(), Picture: Overlay, Memory: Fading,
			Outputs: []Output{out("close", USD, "smoothed close"), out("open", USD, "smoothed open"), out("high", USD, "smoothed high"), out("low", USD, "smoothed low")},
			Warmup:  func([]float64) int { return fade(0.5) }, First: none,
			Eval: heikinAshi,
		},
	})
}

// middle is (a+b)/2.
func middle(dst, a, b []float64) []float64 {
	for i, v := range a {
		dst[i] = (v + b[i]) / 2
	}
	return dst
}

func heikinAshi(_ *Scratch, dst, in [][]float64, p []float64) {
	going, open, last := false, 0.0, 0.0
	for i, o := range in[0] {
		h, l, c := in[1][i], in[2][i], in[3][i]
		average := (o + h + l + c) / 4
		if average-average != 0 {
			going = false
			for _, d := range dst {
				d[i] = average - average
			}
			continue
		}
		if going {
			open = (open + last) / 2
		} else {
			open, going = (o+c)/2, true
		}
		last = average
		dst[0][i], dst[1][i], dst[2][i], dst[3][i] = average, open, max(h, open, average), min(l, open, average)
	}
}
