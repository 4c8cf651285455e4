package indicator

import "math"

// momentum2 is the rest of the chapter of oscillators.
func momentum2() []Spec {
	return chapter(Momentum, []Spec{
		{
			Name: "apo", Title: "Absolute Price Oscillator",
			Doc:     "The distance between a fast and a slow EMA: MACD's line alone.",
			Formula: "ema(x, fast) - ema(x, slow)", Source: "common knowledge", Oracle: "TA-Lib APO with EMA",
			Series: x(), Params: []Param{length("fast", 1, "bars of the fast EMA"), length("slow", 1, "bars of the slow EMA"), seed()},
			Outputs: only(SameAsX), Memory: Fading, Levels: []float64{0},
			Warmup: func(p []float64) int { return max(warmEMA(p[0]), warmEMA(p[1])) },
			First:  func(p []float64) int { return int(max(p[0], p[1])) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				slow := s.ema(s.column(len(in[0])), in[0], int(p[1]))
				minus(s.ema(dst[0], in[0], int(p[0])), slow)
			},
		},
		{
			Name: "cmo", Title: "Chande Momentum Oscillator",
			Doc:     "Rises less falls of the last n changes in percent of their sum; 0 where nothing moved. TA-Lib's CMO smooths Wilder's way instead and is 2*rsi - 100.",
			Formula: "100 * (up - down) / (up + down), up = sum(max(x - x[1], 0), n), down = sum(max(x[1] - x, 0), n)",
			Source:  "Tushar Chande and Stanley Kroll, The New Technical Trader, 1994", Oracle: "TA-Lib CMOU",
			Series: x(), Params: lengths(1), Outputs: within(-100, 100), Levels: []float64{-50, 50},
			Warmup: before(0, 1),
			Eval:   func(s *Scratch, dst, in [][]float64, p []float64) { chande(s, dst[0], in[0], int(p[0])) },
		},
		{
			Name: "bop", Title: "Balance of Power",
			Doc:     "The body of the bar as a fraction of its range; 0 for a bar without range.",
			Formula: "(close - open) / (high - low)", Source: "Igor Livshin, Stocks & Commodities, 2001", Oracle: "TA-Lib BOP",
			Columns: ohlc(), Outputs: within(-1, 1), Levels: []float64{0}, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				for i, o := range in[0] {
					dst[0][i] = shareOrNone(in[3][i]-o, in[1][i]-in[2][i]) / 100
				}
				finite(dst[0])
			},
		},
		{
			Name: "imi", Title: "Intraday Momentum Index",
			Doc:     "The share of rising bodies in the bodies of the last n bars; 50 where none has one.",
			Formula: "100 * sum(max(close - open, 0), n) / sum(abs(close - open), n)", Source: "Tushar Chande and Stanley Kroll, The New Technical Trader, 1994", Oracle: "numpy, from the formula",
			Columns: []string{Open, Close}, Params: lengths(1), Outputs: within(0, 100), Levels: []float64{30, 70},
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				up, all := s.column(len(in[0])), s.column(len(in[0]))
				for i, o := range in[0] {
					d := in[1][i] - o
					up[i], all[i] = max(d, 0), math.Abs(d)
				}
				total := Sum(s.column(len(up)), all, int(p[0]))
				for i, v := range Sum(dst[0], up, int(p[0])) {
					dst[0][i] = share(100, v, total[i])
				}
			},
		},
		{
			Name: "ao", Aliases: []string{"awesome"}, Title: "Awesome Oscillator",
			Doc:     "A fast less a slow average of the middle of the bars.",
			Formula: "sma((high + low)/2, fast) - sma((high + low)/2, slow)", Source: "Bill Williams, New Trading Dimensions, 1995", Oracle: "TA-Lib AO",
			Columns: hl(), Params: []Param{length("fast", 1, "bars of the fast average, 5 in the original"), length("slow", 1, "bars of the slow average, 34 in the original")},
			Outputs: []Output{{Name: "value", Unit: USD, Draw: Histogram}}, Levels: []float64{0},
			Warmup: func(p []float64) int { return int(max(p[0], p[1])) - 1 },
			Eval:   awesome,
		},
		{
			Name: "ac", Aliases: []string{"accelerator"}, Title: "Accelerator Oscillator",
			Doc:     "The awesome oscillator less its own average.",
			Formula: "ao(fast, slow) - sma(ao(fast, slow), signal)", Source: "Bill Williams, New Trading Dimensions, 1995", Oracle: "TA-Lib AC",
			Columns: hl(), Params: []Param{length("fast", 1, "bars of the fast average, 5 in the original"), length("slow", 1, "bars of the slow average, 34 in the original"), length("signal", 1, "bars of its average, 5 in the original")},
			Outputs: []Output{{Name: "value", Unit: USD, Draw: Histogram}}, Levels: []float64{0},
			Warmup: func(p []float64) int { return int(max(p[0], p[1])+p[2]) - 2 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				awesome(s, dst, in, p)
				minus(dst[0], SMA(s.column(len(dst[0])), dst[0], int(p[2])))
			},
		},
		{
			Name: "coppock", Title: "Coppock Curve",
			Doc:     "A weighted average of two rates of change.",
			Formula: "wma(roc(x, long) + roc(x, short), n)", Source: "Edwin Coppock, Barron's, 1962", Oracle: "TA-Lib COPPOCK",
			Series: x(), Params: []Param{length("n", 1, "bars of the average"), length("short", 1, "bars of the short rate of change"), length("long", 1, "bars of the long rate of change")},
			Outputs: only(None), Levels: []float64{0},
			Warmup: func(p []float64) int { return int(max(p[1], p[2])+p[0]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				sum := rateOfChange(s.column(len(in[0])), in[0], int(p[1]))
				plus(sum, rateOfChange(dst[0], in[0], int(p[2])))
				WMA(dst[0], sum, int(p[0]))
			},
		},
		{
			Name: "kst", Title: "Know Sure Thing",
			Doc:     "Four averaged rates of change, the slower weighing more, and an average of their sum.",
			Formula: "kst = sum(k * sma(roc(x, rk), nk), k = 1..4); signal = sma(kst, signal)", Source: "Martin Pring, Stocks & Commodities, 1992", Oracle: "pandas-ta-classic kst / 100",
			Series: x(), Params: []Param{length("r1", 1, "bars of the first rate of change"), length("r2", 1, "bars of the second"), length("r3", 1, "bars of the third"), length("r4", 1, "bars of the fourth"),
				length("n1", 1, "bars the first is averaged over"), length("n2", 1, "bars the second is averaged over"), length("n3", 1, "bars the third is averaged over"), length("n4", 1, "bars the fourth is averaged over"),
				length("signal", 1, "bars of the signal's average")},
			Outputs: []Output{out("kst", None, "percent"), out("signal", None, "its average")}, Levels: []float64{0},
			Warmup: func(p []float64) int { return kstFirst(p) + int(p[8]) - 1 }, First: kstFirst,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				part, smooth := s.column(len(in[0])), s.column(len(in[0]))
				clear(dst[0])
				for k := range 4 {
					SMA(smooth, rateOfChange(part, in[0], int(p[k])), int(p[4+k]))
					for i, v := range smooth {
						dst[0][i] += float64(float64(k+1) * v)
					}
				}
				SMA(dst[1], dst[0], int(p[8]))
			},
		},
		{
			Name: "tsi", Title: "True Strength Index",
			Doc:     "Changes smoothed twice, in percent of their sizes smoothed twice; 0 where nothing moved.",
			Formula: "100 * ema(ema(x - x[1], long), short) / ema(ema(abs(x - x[1]), long), short)", Source: "William Blau, Stocks & Commodities, 1991", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("long", 1, "bars of the first EMA, 25 in the original"), length("short", 1, "bars of the second EMA, 13 in the original"), seed()},
			Outputs: within(-100, 100), Memory: Fading, Levels: []float64{0},
			Warmup: func(p []float64) int { return warmEMA(p[0]) + warmEMA(p[1]) + 1 },
			First:  func(p []float64) int { return int(p[0]+p[1]) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				bars := len(in[0])
				move, size, average := changes(s.column(bars), in[0], 1), s.column(bars), s.column(bars)
				for i, v := range move {
					size[i] = math.Abs(v)
				}
				s.ema(dst[0], s.ema(average, move, int(p[0])), int(p[1]))
				s.ema(move, s.ema(average, size, int(p[0])), int(p[1]))
				for i, v := range dst[0] {
					dst[0][i] = min(max(shareOrNone(v, move[i]), -100), 100)
				}
			},
		},
		{
			Name: "er", Aliases: []string{"efficiency_ratio"}, Title: "Efficiency Ratio",
			Doc:     "The move over n bars as a fraction of the path walked; 1 where nothing moved, as KAMA takes it.",
			Formula: "abs(x - x[n]) / sum(abs(x - x[1]), n)", Source: "Perry Kaufman, Trading Systems and Methods, 1995", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(1), Outputs: within(0, 1),
			Warmup: before(0, 1),
			Eval:   func(s *Scratch, dst, in [][]float64, p []float64) { efficiency(s, dst[0], in[0], int(p[0])) },
		},
		{
			Name: "elder_ray", Aliases: []string{"eri", "bull_bear_power"}, Title: "Elder Ray",
			Doc:     "How far the high and the low reach from an EMA of the close.",
			Formula: "bull = high - ema(close, n); bear = low - ema(close, n)", Source: "Alexander Elder, Trading for a Living, 1993", Oracle: "TA-Lib EMA",
			Columns: hlc(), Params: lengths(1, seed()), Outputs: []Output{out("bull", USD, "bull power"), out("bear", USD, "bear power")}, Memory: Fading, Levels: []float64{0},
			Warmup: ema(0, 1, 0), First: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				average := s.ema(s.column(len(in[0])), in[2], int(p[0]))
				for i, m := range average {
					dst[0][i], dst[1][i] = in[0][i]-m, in[1][i]-m
				}
				finite(dst[0])
				finite(dst[1])
			},
		},
		{
			Name: "qstick", Title: "Qstick",
			Doc:     "The average body of the last n bars.",
			Formula: "sma(close - open, n)", Source: "Tushar Chande and Stanley Kroll, The New Technical Trader, 1994", Oracle: "TA-Lib QSTICK",
			Columns: []string{Open, Close}, Params: lengths(1), Outputs: only(USD), Levels: []float64{0},
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				body := s.column(len(in[0]))
				for i, o := range in[0] {
					body[i] = in[1][i] - o
				}
				SMA(dst[0], body, int(p[0]))
			},
		},
		{
			Name: "fisher", Title: "Fisher Transform",
			Doc:     "Where the middle price stands in the range of n bars, smoothed and stretched so that extremes stand out; signal is its value of the bar before. Uses a logarithm. A range without width counts as its middle.",
			Formula: "v = 0.66*(pos - 0.5) + 0.67*v[1], within +-0.999; fisher = 0.5*ln((1+v)/(1-v)) + 0.5*fisher[1]", Source: "John Ehlers, Stocks & Commodities, 2002", Oracle: "numpy, from the formula",
			Columns: hl(), Params: lengths(1), Outputs: []Output{out("fisher", None, "the transform"), out("signal", None, "of the bar before")}, Memory: Fading, Levels: []float64{-1.5, 1.5},
			Warmup: func(p []float64) int { return int(p[0]) + 2*fade(0.67) + fade(0.5) }, First: before(0, 0),
			Eval: fisher,
		},
		{
			Name: "crsi", Aliases: []string{"connors_rsi"}, Title: "Connors RSI",
			Doc:     "The mean of three: a short RSI, an RSI of the length of the streak of rises or falls, and the percentage of the last n changes that are below this one. O(n) a bar.",
			Formula: "(rsi(x, rsi) + rsi(streak, streak) + percent of roc(x, 1)[1..n] < roc(x, 1)) / 3", Source: "Larry Connors and Cesar Alvarez, 2012", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("rsi", 1, "bars of the RSI, 3 in the original"), length("streak", 1, "bars of the streak's RSI, 2 in the original"), length("n", 1, "changes that this one is ranked among, 100 in the original"), seed()},
			Outputs: within(0, 100), Memory: Fading, Levels: []float64{10, 90},
			Warmup: func(p []float64) int { return max(warmRMA(p[0])+1, warmRMA(p[1])+1+streakBars, int(p[2])+1) },
			First:  func(p []float64) int { return int(max(p[0], p[1], p[2]+1)) },
			Eval:   connors,
		},
		{
			Name: "pgo", Title: "Pretty Good Oscillator",
			Doc:     "How far the close is from its average, in average true ranges (by EMA).",
			Formula: "(close - sma(close, n)) / ema(tr(), n)", Source: "Mark Johnson", Oracle: "numpy, from the formula",
			Columns: hlc(), Params: lengths(1, seed()), Outputs: only(None), Memory: Fading, Levels: []float64{-3, 3},
			Warmup: ema(0, 1, 1), First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				bars := len(in[2])
				average := SMA(s.column(bars), in[2], int(p[0]))
				reach := s.ema(dst[0], TrueRange(s.column(bars), in[0], in[1], in[2]), int(p[0]))
				for i, r := range reach {
					dst[0][i] = shareOrNone(in[2][i]-average[i], r) / 100
				}
			},
		},
		{
			Name: "psl", Title: "Psychological Line",
			Doc:     "How many of the last n bars rose, in percent.",
			Formula: "100 * count(x > x[1], n) / n", Source: "common knowledge", Oracle: "numpy, from the formula",
			Series: x(), Params: lengths(1), Outputs: within(0, 100), Levels: []float64{25, 75},
			Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				rises := changes(s.column(len(in[0])), in[0], 1)
				for i, v := range rises {
					if v > 0 {
						rises[i] = 100
					} else if v <= 0 {
						rises[i] = 0
					}
				}
				SMA(dst[0], rises, int(p[0]))
			},
		},
		{
			Name: "bias", Title: "Bias",
			Doc:     "How far the value is from its average, as a fraction of the average.",
			Formula: "x / sma(x, n) - 1", Source: "common knowledge", Oracle: "pandas-ta-classic bias",
			Series: x(), Params: lengths(1), Outputs: only(None), Levels: []float64{0},
			Warmup: before(0, 0),
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				for i, m := range SMA(dst[0], in[0], int(p[0])) {
					dst[0][i] = ratio(in[0][i]-m, m)
				}
			},
		},
	})
}

// minus takes b off a; plus adds it.
func minus(a, b []float64) {
	for i, v := range b {
		a[i] -= v
	}
}

func plus(a, b []float64) {
	for i, v := range b {
		a[i] += v
	}
}

// rateOfChange is the change over k bars in percent.
func rateOfChange(dst, x []float64, k int) []float64 {
	old := ago(dst, x, k)
	for i, v := range x {
		dst[i] = float64(100 * ratio(v-old[i], old[i]))
	}
	return dst
}

func awesome(s *Scratch, dst, in [][]float64, p []float64) {
	m := middle(s.column(len(in[0])), in[0], in[1])
	slow := SMA(s.column(len(m)), m, int(p[1]))
	minus(SMA(dst[0], m, int(p[0])), slow)
}

// kstFirst is the first bar of the sum of the four.
func kstFirst(p []float64) int {
	first := 0
	for k := range 4 {
		first = max(first, int(p[k]+p[4+k])-1)
	}
	return first
}

func fisher(s *Scratch, dst, in [][]float64, p []float64) {
	m := middle(s.column(len(in[0])), in[0], in[1])
	place := position(s, s.column(len(m)), m, m, m, int(p[0]))
	going, v, f := false, 0.0, 0.0
	for i, q := range place {
		if q-q != 0 {
			dst[0][i], dst[1][i], going = math.NaN(), math.NaN(), false
			continue
		}
		old := f
		if !going {
			v, f, old, going = 0, 0, math.NaN(), true
		}
		v = float64(0.66*(q/100-0.5)) + float64(0.67*v)
		v = min(max(v, -0.999), 0.999)
		f = ln((1+v)/(1-v))/2 + f/2
		dst[0][i], dst[1][i] = f, old
	}
}

// streakBars is how long a streak of rises or falls the warm-up of crsi allows for.
const streakBars = 30

func connors(s *Scratch, dst, in [][]float64, p []float64) {
	x, n, bars := in[0], int(p[2]), len(in[0])
	streak := s.column(bars)
	count, last := 0.0, math.NaN()
	for i, v := range x {
		switch {
		case v > last && present(last) && present(v):
			count = max(count, 0) + 1
		case v < last && present(last) && present(v):
			count = min(count, 0) - 1
		default:
			count = 0
		}
		streak[i] = count
		if !present(v) {
			streak[i] = math.NaN()
		}
		last = v
	}
	short, long := s.rsi(s.column(bars), x, int(p[0])), s.rsi(s.column(bars), streak, int(p[1]))
	moves := rateOfChange(s.column(bars), x, 1)
	for i := 0; i < bars; {
		from, to := run(moves, i)
		absent(dst[0][i:min(from+n, to)])
		for i = from + n; i < to; i++ {
			less := 0.0
			for _, v := range moves[i-n : i] {
				if v < moves[i] {
					less++
				}
			}
			dst[0][i] = (short[i] + long[i] + float64(100*less)/p[2]) / 3
		}
		i = to
	}
}
