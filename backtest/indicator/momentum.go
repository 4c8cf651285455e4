package indicator

import "math"

// momentum is the chapter of oscillators that measure speed and position.
func momentum() []Spec {
	return chapter(Momentum, []Spec{
		{
			Name: "rsi", Title: "Relative Strength Index",
			Doc:     "The share of rises in the movement of the last bars, smoothed Wilder's way unless smoothing says otherwise (\"simple\" is Cutler's RSI). 50 where nothing moved.",
			Formula: "100 * up / (up + down), up = rma(max(x - x[1], 0), n), down = rma(max(x[1] - x, 0), n)",
			Source:  "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib RSI",
			Series: x(), Params: lengths(1, smoothing(), seed()), Outputs: within(0, 100), Memory: Fading, Levels: []float64{30, 70},
			Warmup: smoothed(0, 1, 1), First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) { s.rsi(dst[0], in[0], int(p[0])) },
		},
		{
			Name: "macd", Title: "Moving Average Convergence Divergence",
			Doc:     "The distance between a fast and a slow EMA, its own EMA, and the difference of the two. Each EMA starts from its own first n values; TA-Lib starts the fast one later, which agrees after the warm-up.",
			Formula: "macd = ema(x, fast) - ema(x, slow); signal = ema(macd, signal); hist = macd - signal",
			Source:  "Gerald Appel, 1979; histogram Thomas Aspray, 1986", Oracle: "TA-Lib MACD",
			Series: x(), Params: []Param{length("fast", 1, "bars of the fast EMA"), length("slow", 1, "bars of the slow EMA"), length("signal", 1, "bars of the signal's EMA"), seed()},
			Outputs: []Output{out("macd", SameAsX, "the distance"), out("signal", SameAsX, "its EMA"),
				{Name: "hist", Doc: "macd less signal", Unit: SameAsX, Draw: Histogram}},
			Memory: Fading,
			Warmup: func(p []float64) int { return max(warmEMA(p[0]), warmEMA(p[1])) + warmEMA(p[2]) },
			First:  func(p []float64) int { return int(max(p[0], p[1])) - 1 },
			Eval:   macd,
		},
		{
			Name: "ppo", Title: "Percentage Price Oscillator",
			Doc:     "MACD in percent of the slow EMA, comparable between symbols.",
			Formula: "ppo = 100 * (ema(x, fast) - ema(x, slow)) / ema(x, slow); signal = ema(ppo, signal); hist = ppo - signal",
			Source:  "Gerald Appel", Oracle: "TA-Lib PPO with matype 1 and EMA",
			Series: x(), Params: []Param{length("fast", 1, "bars of the fast EMA"), length("slow", 1, "bars of the slow EMA"), length("signal", 1, "bars of the signal's EMA"), seed()},
			Outputs: []Output{out("ppo", None, "percent"), out("signal", None, "its EMA"),
				{Name: "hist", Doc: "ppo less signal", Draw: Histogram}},
			Memory: Fading,
			Warmup: func(p []float64) int { return max(warmEMA(p[0]), warmEMA(p[1])) + warmEMA(p[2]) },
			First:  func(p []float64) int { return int(max(p[0], p[1])) - 1 },
			Eval:   ppo,
		},
		{
			Name: "stoch", Aliases: []string{"stochastic"}, Title: "Stochastic Oscillator",
			Doc:     "Where the close stands in the range of the last n bars, averaged over smooth bars (%K), and the average of that (%D). 50 where the range has no width. smooth = 1 is the fast stochastic.",
			Formula: "k = sma(100 * (close - lowest(low, n)) / (highest(high, n) - lowest(low, n)), smooth); d = sma(k, signal)",
			Source:  "George Lane, 1950s", Oracle: "TA-Lib STOCH",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the range"), length("smooth", 1, "bars that %K is averaged over"), length("signal", 1, "bars that %D is averaged over")},
			Outputs: []Output{{Name: "k", Doc: "%K", Draw: Line, Min: 0, Max: 100}, {Name: "d", Doc: "%D", Draw: Line, Min: 0, Max: 100}},
			Levels:  []float64{20, 80},
			Warmup:  func(p []float64) int { return int(p[0]+p[1]+p[2]) - 3 },
			First:   func(p []float64) int { return int(p[0]+p[1]) - 2 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				fast := position(s, s.column(len(dst[0])), in[0], in[1], in[2], int(p[0]))
				SMA(dst[0], fast, int(p[1]))
				SMA(dst[1], dst[0], int(p[2]))
			},
		},
		{
			Name: "stochrsi", Aliases: []string{"stoch_rsi"}, Title: "Stochastic RSI",
			Doc:     "The stochastic oscillator of an RSI. 50 where the RSI's range has no width.",
			Formula: "r = rsi(x, n); k = sma(100 * (r - lowest(r, range)) / (highest(r, range) - lowest(r, range)), smooth); d = sma(k, signal)",
			Source:  "Tushar Chande and Stanley Kroll, The New Technical Trader, 1994", Oracle: "TA-Lib STOCHRSI",
			Series: x(), Params: []Param{length("n", 1, "bars of the RSI"), length("range", 1, "bars of its range"), length("smooth", 1, "bars that %K is averaged over"), length("signal", 1, "bars that %D is averaged over"), smoothing(), seed()},
			Outputs: []Output{{Name: "k", Doc: "%K", Draw: Line, Min: 0, Max: 100}, {Name: "d", Doc: "%D", Draw: Line, Min: 0, Max: 100}},
			Levels:  []float64{20, 80}, Memory: Fading,
			Warmup: func(p []float64) int { return warmSmoothed(p[0], p[4]) + 1 + int(p[1]+p[2]+p[3]) - 3 },
			First:  func(p []float64) int { return int(p[0]+p[1]+p[2]) - 2 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				r := s.rsi(s.column(len(dst[0])), in[0], int(p[0]))
				fast := position(s, s.column(len(dst[0])), r, r, r, int(p[1]))
				SMA(dst[0], fast, int(p[2]))
				SMA(dst[1], dst[0], int(p[3]))
			},
		},
		{
			Name: "willr", Aliases: []string{"wpr", "williams_r"}, Title: "Williams %R",
			Doc:     "How far the close is below the highest high of the last n bars, in percent of their range. -50 where the range has no width.",
			Formula: "-100 * (highest(high, n) - close) / (highest(high, n) - lowest(low, n))",
			Source:  "Larry Williams, 1973", Oracle: "TA-Lib WILLR",
			Columns: hlc(), Params: lengths(1), Outputs: within(-100, 0), Levels: []float64{-80, -20},
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				position(s, dst[0], in[0], in[1], in[2], int(p[0]))
				for i, v := range dst[0] {
					dst[0][i] = v - 100
				}
			},
		},
		{
			Name: "cci", Title: "Commodity Channel Index",
			Doc:     "How far the typical price is from its average, in units of its mean absolute deviation times 0.015. 0 where nothing moved. O(n) a bar.",
			Formula: "(t - sma(t, n)) / (0.015 * mean(abs(t - sma(t, n)) over n)), t = (high + low + close) / 3",
			Source:  "Donald Lambert, Commodities, 1980", Oracle: "TA-Lib CCI",
			Columns: hlc(), Params: lengths(2), Outputs: only(None), Levels: []float64{-100, 100},
			Warmup: before(0, 0),
			Eval:   cci,
		},
		{
			Name: "roc", Title: "Rate of Change",
			Doc:     "The change over n bars in percent.",
			Formula: "100 * (x / x[n] - 1)", Source: "common knowledge", Oracle: "TA-Lib ROC",
			Series: x(), Params: lengths(1), Outputs: only(None), Levels: []float64{0},
			Warmup: before(0, 1),
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				old := ago(dst[0], in[0], int(p[0]))
				for i, v := range in[0] {
					dst[0][i] = float64(100 * ratio(v-old[i], old[i]))
				}
			},
		},
		rateForm("rocp", "Rate of Change, Fraction", "The change over n bars as a fraction.", "x / x[n] - 1", "TA-Lib ROCP", func(v, old float64) float64 { return ratio(v-old, old) }, 0),
		rateForm("rocr", "Rate of Change, Ratio", "The value as a multiple of that of n bars ago.", "x / x[n]", "TA-Lib ROCR", ratio, 1),
		rateForm("rocr100", "Rate of Change, Ratio in Percent", "The value in percent of that of n bars ago.", "100 * x / x[n]", "TA-Lib ROCR100", func(v, old float64) float64 { return float64(100 * ratio(v, old)) }, 100),
		{
			Name: "mom", Aliases: []string{"momentum"}, Title: "Momentum",
			Doc:     "The change over n bars.",
			Formula: "x - x[n]", Source: "common knowledge", Oracle: "TA-Lib MOM",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Levels: []float64{0},
			Warmup: before(0, 1),
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				changes(dst[0], in[0], int(p[0]))
			},
		},
		{
			Name: "ultosc", Aliases: []string{"uo"}, Title: "Ultimate Oscillator",
			Doc:     "Buying pressure as a share of the true range over three windows, the shortest weighing most. A window without range counts as half.",
			Formula: "100 * (4*r1 + 2*r2 + r3) / 7, rk = sum(close - min(low, close[1]), nk) / sum(tr(), nk)",
			Source:  "Larry Williams, Stocks & Commodities, 1985", Oracle: "TA-Lib ULTOSC",
			Columns: hlc(), Params: []Param{length("n1", 1, "bars of the first window"), length("n2", 1, "bars of the second window"), length("n3", 1, "bars of the third window")},
			Outputs: within(0, 100), Levels: []float64{30, 70},
			Warmup: func(p []float64) int { return int(max(p[0], p[1], p[2])) },
			Eval:   ultosc,
		},
		{
			Name: "trix", Title: "TRIX",
			Doc:     "The change in percent of an EMA of an EMA of an EMA.",
			Formula: "roc(ema(ema(ema(x, n), n), n), 1)", Source: "Jack Hutson, Stocks & Commodities, 1983", Oracle: "TA-Lib TRIX",
			Series: x(), Params: lengths(1, seed()), Outputs: only(None), Memory: Fading, Levels: []float64{0},
			Warmup: ema(0, 3, 1), First: func(p []float64) int { return 3*(int(p[0])-1) + 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n := int(p[0])
				one := s.ema(s.column(len(in[0])), in[0], n)
				two := s.ema(s.column(len(in[0])), one, n)
				three := s.ema(one, two, n)
				old := ago(dst[0], three, 1)
				for i, v := range three {
					dst[0][i] = float64(100 * ratio(v-old[i], old[i]))
				}
			},
		},
		{
			Name: "dpo", Title: "Detrended Price Oscillator",
			Doc:     "The price of half a window ago less the average of the whole one: it shows cycles and never reads ahead. TradingView's default reads x - sma(x, n)[n/2+1] instead.",
			Formula: "x[n/2+1] - sma(x, n), division rounded down", Source: "StockCharts ChartSchool", Oracle: "TA-Lib DPO",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Levels: []float64{0},
			Warmup: func(p []float64) int { return max(int(p[0])-1, int(p[0])/2+1) },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n := int(p[0])
				average := SMA(s.column(len(in[0])), in[0], n)
				old := ago(dst[0], in[0], n/2+1)
				for i, v := range average {
					dst[0][i] = old[i] - v
				}
				finite(dst[0])
			},
		},
	})
}

// rateForm is a row that puts the value of n bars ago into relation.
func rateForm(name, title, doc, formula, oracle string, f func(v, old float64) float64, level float64) Spec {
	return Spec{
		Name: name, Title: title, Doc: doc, Formula: formula, Source: "common knowledge", Oracle: oracle,
		Series: x(), Params: lengths(1), Outputs: only(None), Levels: []float64{level}, Warmup: before(0, 1),
		Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
			old := ago(dst[0], in[0], int(p[0]))
			for i, v := range in[0] {
				dst[0][i] = f(v, old[i])
			}
		},
	}
}

// RSI is Wilder's relative strength index of the last changes of x, n >= 1, in [0, 100]; the first is
// at n. It returns dst, or a new column if dst is too small; dst must not overlap x. After an absent
// value it starts anew. 50 where nothing moved. O(1) a bar.
func RSI(dst, x []float64, n int) []float64 {
	dst = resize(dst, len(x))
	out := dst[:len(x)]
	keep, take := keepRMA(float64(n)), 1/float64(n)
	for i := 0; i < len(x); {
		// The seed needs n changes, hence n+1 values.
		i = seek(out, x, i, n+1)
		if i == len(x) {
			break
		}
		up, down, last := 0.0, 0.0, x[i-n]
		for _, v := range x[i-n+1 : i+1] {
			c := v - last
			up += math.Abs(c) + c
			down += math.Abs(c) - c
			last = v
		}
		up, down = float64(up*take), float64(down*take)
		r := share(100, up, up+down)
		out[i] = r
		for i++; i < len(x); i++ {
			// Without branches: |c|+c is twice the rise and |c|-c twice the fall.
			v := x[i]
			c := v - last
			a := math.Abs(c)
			up = float64(keep*up) + float64(take*(a+c))
			down = float64(keep*down) + float64(take*(a-c))
			last = v
			// Without a move both fade alike and the index stays, exactly.
			if c == 0 {
				out[i] = r
				continue
			}
			r = float64(100 * (up / (up + down)))
			out[i] = r
			if r-r != 0 {
				break
			}
		}
	}
	return dst
}

// macd does the seeds with whole averages, and the rest in one pass over all three.
func macd(s *Scratch, dst, in [][]float64, p []float64) {
	if s.conventions != (conventions{}) {
		slow := s.ema(s.column(len(in[0])), in[0], int(p[1]))
		minus(s.ema(dst[0], in[0], int(p[0])), slow)
		signalOf(s, dst, int(p[2]))
		return
	}
	x, nan := in[0], math.NaN()
	fast, slow, signal := int(p[0]), int(p[1]), int(p[2])
	keepFast, keepSlow, keepSignal := keepEMA(p[0]), keepEMA(p[1]), keepEMA(p[2])
	average := s.column(len(x))
	for i := 0; i < len(x); {
		from, to := run(x, i)
		for _, c := range dst {
			for j := i; j < from; j++ {
				c[j] = nan
			}
		}
		i = min(to, from+max(fast, slow)+signal)
		head := [][]float64{dst[0][from:i], dst[1][from:i], dst[2][from:i]}
		EMA(head[0], x[from:i], fast)
		EMA(average[from:i], x[from:i], slow)
		for j, v := range average[from:i] {
			head[0][j] -= v
		}
		signalOf(s, head, signal)
		if i == to {
			continue
		}
		line, smooth, hist := dst[0][:to], dst[1][:to], dst[2][:to]
		last, behind := x[i-1], x[i-1]-average[i-1]
		ahead, old, away := behind-line[i-1], line[i-1], hist[i-1]
		for ; i < to; i++ {
			step := x[i] - last
			ahead = float64(keepFast * (step + ahead))
			behind = float64(keepSlow * (step + behind))
			m := behind - ahead
			away = float64(keepSignal * ((m - old) + away))
			line[i], smooth[i], hist[i] = m, m-away, away
			last, old = x[i], m
		}
	}
}

func ppo(s *Scratch, dst, in [][]float64, p []float64) {
	slow := s.ema(s.column(len(in[0])), in[0], int(p[1]))
	line := s.ema(dst[0], in[0], int(p[0]))
	for i, v := range slow {
		line[i] = float64(100 * ratio(line[i]-v, v))
	}
	signalOf(s, dst, int(p[2]))
}

// signalOf completes a line in dst[0] by its EMA and the difference of the two.
func signalOf(s *Scratch, dst [][]float64, n int) {
	line, signal, hist := dst[0], s.ema(dst[1], dst[0], n), dst[2]
	for i, v := range line {
		hist[i] = v - signal[i]
	}
}

// position is where c stands between the lowest l and the highest h of the last n bars, in [0, 100].
func position(s *Scratch, dst, h, l, c []float64, n int) []float64 {
	mark := s.used
	high := Highest(s.column(len(h)), h, n)
	low := Lowest(s.column(len(l)), l, n)
	for i, v := range c {
		dst[i] = share(100, v-low[i], high[i]-low[i])
	}
	s.release(mark)
	return finite(dst)
}

// finite makes infinities absent.
func finite(dst []float64) []float64 {
	for i, v := range dst {
		if v-v != 0 {
			dst[i] = math.NaN()
		}
	}
	return dst
}

// typical is the mean of high, low and close.
func typical(dst, h, l, c []float64) []float64 {
	for i, v := range h {
		dst[i] = (v + l[i] + c[i]) / 3
	}
	return dst
}

func cci(s *Scratch, dst, in [][]float64, p []float64) {
	n := int(p[0])
	t := typical(s.column(len(dst[0])), in[0], in[1], in[2])
	average := SMA(s.column(len(t)), t, n)
	meanDeviation(dst[0], t, average, n)
	for i, d := range dst[0] {
		away := t[i] - average[i]
		if d == 0 {
			dst[0][i] = 0
		} else {
			dst[0][i] = away / float64(0.015*d)
		}
	}
}

// meanDeviation is the mean absolute distance of the last n values from average. O(n) a bar.
func meanDeviation(dst, x, average []float64, n int) []float64 {
	absent(dst)
	for i, m := range average {
		if m-m != 0 {
			continue
		}
		// Four sums, so that additions need not wait for each other.
		var a, b, c, d float64
		w := x[i-n+1 : i+1]
		for ; len(w) >= 4; w = w[4:] {
			a += math.Abs(w[0] - m)
			b += math.Abs(w[1] - m)
			c += math.Abs(w[2] - m)
			d += math.Abs(w[3] - m)
		}
		for _, v := range w {
			a += math.Abs(v - m)
		}
		dst[i] = ((a + b) + (c + d)) / float64(n)
	}
	return dst
}

func ultosc(s *Scratch, dst, in [][]float64, p []float64) {
	h, l, c := in[0], in[1], in[2]
	bars := len(c)
	pressure, reach := s.column(bars), TrueRange(s.column(bars), h, l, c)
	pressure[0] = math.NaN()
	for i := 1; i < bars; i++ {
		pressure[i] = c[i] - min(l[i], c[i-1])
	}
	part, total := s.column(bars), s.column(bars)
	for i := range dst[0] {
		dst[0][i] = 0
	}
	for k, weight := range [3]float64{4, 2, 1} {
		Sum(part, pressure, int(p[k]))
		Sum(total, reach, int(p[k]))
		for i, v := range part {
			dst[0][i] += share(float64(weight*100)/7, v, total[i])
		}
	}
}
