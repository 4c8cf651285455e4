package indicator

import "math"

// trend2 is the rest of the chapter of trends.
func trend2() []Spec {
	return chapter(Trend, []Spec{
		{
			Name: "dx", Title: "Directional Movement Index",
			Doc:     "How one-sided movement is, before adx smooths it; 0 where nothing moved.",
			Formula: "100 * abs(plus_di - minus_di) / (plus_di + minus_di)", Source: "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib DX",
			Columns: hlc(), Params: lengths(1, smoothing(), seed()), Outputs: within(0, 100), Memory: Fading,
			Warmup: smoothed(0, 1, 1), First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				plus, minus := s.column(len(in[0])), s.column(len(in[0]))
				directions(s, plus, minus, in, int(p[0]))
				for i, v := range plus {
					dst[0][i] = shareOrNone(math.Abs(v-minus[i]), v+minus[i])
				}
			},
		},
		{
			Name: "dm", Title: "Directional Movement",
			Doc:     "Upward and downward movement in USD a bar, smoothed Wilder's way. TA-Lib gives n times these.",
			Formula: "plus = rma(+DM, n); minus = rma(-DM, n)", Source: "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib PLUS_DM and MINUS_DM / n",
			Columns: hl(), Params: lengths(1, smoothing(), seed()), Outputs: []Output{out("plus", USD, "upward"), out("minus", USD, "downward")}, Memory: Fading,
			Warmup: smoothed(0, 1, 1), First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				up, down := s.column(len(in[0])), s.column(len(in[0]))
				directional(up, down, in[0], in[1])
				s.rma(dst[0], up, int(p[0]))
				s.rma(dst[1], down, int(p[0]))
			},
		},
		{
			Name: "adxr", Title: "Average Directional Index Rating",
			Doc:     "The mean of adx now and n-1 bars ago.",
			Formula: "(adx(n) + adx(n)[n-1]) / 2", Source: "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib ADXR",
			Columns: hlc(), Params: lengths(1, smoothing(), seed()), Outputs: within(0, 100), Memory: Fading, Levels: []float64{20},
			Warmup: func(p []float64) int { return 2*warmSmoothed(p[0], p[1]) + int(p[0]) },
			First:  func(p []float64) int { return 3*int(p[0]) - 2 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				bars := len(in[0])
				strength := s.column(bars)
				adx(s, [][]float64{strength, s.column(bars), s.column(bars)}, in, p)
				for i, v := range delayed(dst[0], strength, int(p[0])-1) {
					dst[0][i] = (v + strength[i]) / 2
				}
			},
		},
		{
			Name: "vortex", Aliases: []string{"vi"}, Title: "Vortex Indicator",
			Doc:     "Movement from the last low to the high and from the last high to the low, as parts of the true range.",
			Formula: "plus = sum(abs(high - low[1]), n) / sum(tr(), n); minus = sum(abs(low - high[1]), n) / sum(tr(), n)", Source: "Etienne Botes and Douglas Siepman, Stocks & Commodities, 2010", Oracle: "TA-Lib VORTEX",
			Columns: hlc(), Params: lengths(1), Outputs: []Output{out("plus", None, "upward"), out("minus", None, "downward")}, Levels: []float64{1},
			Warmup: before(0, 1),
			Eval:   vortex,
		},
		{
			Name: "vhf", Title: "Vertical Horizontal Filter",
			Doc:     "The range of n values as a part of the path walked through the last n changes; 0 where nothing moved.",
			Formula: "(highest(x, n) - lowest(x, n)) / sum(abs(x - x[1]), n)", Source: "Adam White, Futures, 1991", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(2), Outputs: within(0, 1),
			Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n, bars := int(p[0]), len(in[0])
				steps := changes(s.column(bars), in[0], 1)
				for i, v := range steps {
					steps[i] = math.Abs(v)
				}
				high, low := Highest(s.column(bars), in[0], n), Lowest(s.column(bars), in[0], n)
				for i, v := range Sum(dst[0], steps, n) {
					dst[0][i] = shareOrNone(high[i]-low[i], v) / 100
				}
			},
		},
		{
			Name: "ichimoku", Title: "Ichimoku Kinko Hyo",
			Doc:     "Middles of three ranges. The cloud's two lines are those of shift-1 bars ago, where charts draw them over this bar; the lagging line would read ahead and is not offered: compare close with close[25] instead.",
			Formula: "tenkan = midprice(tenkan); kijun = midprice(kijun); senkou_a = ((tenkan + kijun)/2)[shift-1]; senkou_b = midprice(senkou)[shift-1]", Source: "Goichi Hosoda, 1969", Oracle: "numpy, from the formula",
			Columns: hl(), Params: []Param{length("tenkan", 1, "bars of the conversion line, 9 in the original"), length("kijun", 1, "bars of the base line, 26 in the original"), length("senkou", 1, "bars of the second cloud line, 52 in the original"), whole("shift", 26, 1, maxWindow, "bars by which the cloud is drawn ahead")},
			Outputs: []Output{out("tenkan", USD, "conversion line"), out("kijun", USD, "base line"), out("senkou_a", USD, "first line of the cloud"), out("senkou_b", USD, "second line of the cloud")}, Picture: Overlay,
			Warmup: func(p []float64) int { return int(max(p[0], p[1], p[2])+p[3]) - 2 }, First: before(0, 0),
			Eval: ichimoku,
		},
		{
			Name: "chandelier", Aliases: []string{"chandelier_exit"}, Title: "Chandelier Exit",
			Doc:     "Stops that hang k average true ranges from the extremes of the last n bars.",
			Formula: "long = highest(high, n) - k * atr(n); short = lowest(low, n) + k * atr(n)", Source: "Charles Le Beau", Oracle: "TA-Lib MAX, MIN and ATR",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the extremes and of the average true range"), option("k", 3, 0, 100, "average true ranges between extreme and stop"), smoothing(), seed()},
			Outputs: []Output{out("long", USD, "stop of a long position"), out("short", USD, "stop of a short position")}, Picture: Overlay, Memory: Fading,
			Warmup: smoothed(0, 1, 1), First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				stops(s, dst[0], dst[1], in, int(p[0]), p[1])
			},
		},
		{
			Name: "chande_kroll_stop", Aliases: []string{"cksp"}, Title: "Chande Kroll Stop",
			Doc:     "The chandelier's stops, taken at their tightest over q bars.",
			Formula: "long = lowest(lowest(low, n) + k*atr(n), q); short = highest(highest(high, n) - k*atr(n), q)", Source: "Tushar Chande and Stanley Kroll, The New Technical Trader, 1994", Oracle: "TA-Lib MAX, MIN and ATR",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the extremes and of the average true range"), length("q", 1, "bars the stops are held"), option("k", 1, 0, 100, "average true ranges between extreme and stop"), smoothing(), seed()},
			Outputs: []Output{out("long", USD, "stop of a long position"), out("short", USD, "stop of a short position")}, Picture: Overlay, Memory: Fading,
			Warmup: func(p []float64) int { return warmSmoothed(p[0], p[3]) + int(p[1]) }, First: func(p []float64) int { return int(p[0]+p[1]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				high, low := s.column(len(in[0])), s.column(len(in[0]))
				stops(s, high, low, in, int(p[0]), p[2])
				Lowest(dst[0], low, int(p[1]))
				Highest(dst[1], high, int(p[1]))
			},
		},
		{
			Name: "massi", Aliases: []string{"mass_index"}, Title: "Mass Index",
			Doc:     "The sum of an EMA of the range relative to its own EMA: it bulges before reversals. Absent where there was no range at all.",
			Formula: "sum(ema(high - low, n) / ema(ema(high - low, n), n), bars)", Source: "Donald Dorsey, Stocks & Commodities, 1992", Oracle: "numpy, from the formula",
			Columns: hl(), Params: []Param{length("n", 1, "bars of the EMAs, 9 in the original"), length("bars", 1, "bars of the sum, 25 in the original"), seed()},
			Outputs: only(None), Memory: Fading, Levels: []float64{26.5, 27},
			Warmup: func(p []float64) int { return 2*warmEMA(p[0]) + int(p[1]) - 1 }, First: func(p []float64) int { return 2*(int(p[0])-1) + int(p[1]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n, bars := int(p[0]), len(in[0])
				reach := s.column(bars)
				for i, h := range in[0] {
					reach[i] = h - in[1][i]
				}
				single := s.ema(s.column(bars), reach, n)
				double := s.ema(reach, single, n)
				for i, v := range double {
					double[i] = ratio(single[i], v)
				}
				Sum(dst[0], double, int(p[1]))
			},
		},
	})
}

// directions is Wilder's directional indicators, of columns high, low and close.
func directions(s *Scratch, plus, minus []float64, in [][]float64, n int) {
	mark, bars := s.used, len(plus)
	up, down := s.column(bars), s.column(bars)
	directional(up, down, in[0], in[1])
	reach := s.atr(s.column(bars), in[0], in[1], in[2], n)
	s.rma(plus, up, n)
	s.rma(minus, down, n)
	for i, r := range reach {
		plus[i], minus[i] = shareOrNone(plus[i], r), shareOrNone(minus[i], r)
	}
	s.release(mark)
}

func vortex(s *Scratch, dst, in [][]float64, p []float64) {
	n, bars := int(p[0]), len(in[0])
	h, l := in[0], in[1]
	reach := TrueRange(s.column(bars), h, l, in[2])
	up, down := s.column(bars), s.column(bars)
	up[0], down[0] = math.NaN(), math.NaN()
	for i := 1; i < bars; i++ {
		up[i], down[i] = math.Abs(h[i]-l[i-1]), math.Abs(l[i]-h[i-1])
	}
	total := Sum(s.column(bars), reach, n)
	Sum(dst[0], up, n)
	Sum(dst[1], down, n)
	for i, v := range total {
		dst[0][i], dst[1][i] = shareOrNone(dst[0][i], v)/100, shareOrNone(dst[1][i], v)/100
	}
}

func ichimoku(s *Scratch, dst, in [][]float64, p []float64) {
	bars, shift := len(in[0]), int(p[3])-1
	high, low := s.column(bars), s.column(bars)
	line := func(dst []float64, n float64) {
		middle(dst, Highest(high, in[0], int(n)), Lowest(low, in[1], int(n)))
	}
	line(dst[0], p[0])
	line(dst[1], p[1])
	cloud := middle(s.column(bars), dst[0], dst[1])
	delayed(dst[2], cloud, shift)
	line(cloud, p[2])
	delayed(dst[3], cloud, shift)
}

// stops is the extremes of n bars moved k average true ranges towards the price.
func stops(s *Scratch, long, short []float64, in [][]float64, n int, k float64) {
	mark := s.used
	reach := s.atr(s.column(len(long)), in[0], in[1], in[2], n)
	Highest(long, in[0], n)
	Lowest(short, in[1], n)
	for i, r := range reach {
		long[i] -= float64(k * r)
		short[i] += float64(k * r)
	}
	s.release(mark)
}
