package indicator

import "math"

// flow2 is the rest of the chapter of volume.
func flow2() []Spec {
	return chapter(Flow, []Spec{
		{
			Name: "adosc", Aliases: []string{"chaikin_oscillator"}, Title: "Chaikin Oscillator",
			Doc:     "A fast less a slow EMA of the accumulation/distribution line; where the line began does not matter. Each EMA is seeded with an average; TA-Lib starts both from the first value, which agrees after the warm-up.",
			Formula: "ema(ad(), fast) - ema(ad(), slow)", Source: "Marc Chaikin", Oracle: "TA-Lib ADOSC",
			Columns: hlcv(), Params: []Param{length("fast", 1, "bars of the fast EMA"), length("slow", 1, "bars of the slow EMA"), seed()}, Outputs: only(Shares), Memory: Fading, Levels: []float64{0},
			Warmup: func(p []float64) int { return max(warmEMA(p[0]), warmEMA(p[1])) }, First: func(p []float64) int { return int(max(p[0], p[1])) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				line := moneyFlow(s.column(len(in[0])), in)
				cumulate(line)
				slow := s.ema(s.column(len(line)), line, int(p[1]))
				minus(s.ema(dst[0], line, int(p[0])), slow)
			},
		},
		{
			Name: "efi", Aliases: []string{"force_index"}, Title: "Elder Force Index",
			Doc:     "An EMA of the change of the close times volume.",
			Formula: "ema((close - close[1]) * volume, n)", Source: "Alexander Elder, Trading for a Living, 1993", Oracle: "numpy, from the formula",
			Columns: []string{Close, Volume}, Params: lengths(1, seed()), Outputs: only(Dollars), Memory: Fading, Levels: []float64{0},
			Warmup: ema(0, 1, 1), First: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				force := changes(s.column(len(in[0])), in[0], 1)
				for i, v := range in[1] {
					force[i] = float64(force[i] * v)
				}
				s.ema(dst[0], force, int(p[0]))
			},
		},
		{
			Name: "marketfi", Aliases: []string{"bw_mfi"}, Title: "Market Facilitation Index",
			Doc:     "The range that a share of volume moved. Absent when nothing traded.",
			Formula: "(high - low) / volume", Source: "Bill Williams, Trading Chaos, 1995", Oracle: "numpy, from the formula",
			Columns: []string{High, Low, Volume}, Outputs: only(Unit{Price: 1, Share: -1}), Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				for i, v := range in[2] {
					dst[0][i] = ratio(in[0][i]-in[1][i], v)
				}
			},
		},
		{
			Name: "pvo", Title: "Percentage Volume Oscillator",
			Doc:     "The distance of a fast from a slow EMA of volume in percent of the slow one, its EMA, and their difference.",
			Formula: "ppo(volume, fast, slow, signal)", Source: "Gerald Appel", Oracle: "numpy, from the formula",
			Columns: []string{Volume}, Params: []Param{length("fast", 1, "bars of the fast EMA"), length("slow", 1, "bars of the slow EMA"), length("signal", 1, "bars of the signal's EMA"), seed()},
			Outputs: []Output{out("pvo", None, "percent"), out("signal", None, "its EMA"), {Name: "hist", Doc: "pvo less signal", Draw: Histogram}}, Memory: Fading,
			Warmup: func(p []float64) int { return max(warmEMA(p[0]), warmEMA(p[1])) + warmEMA(p[2]) }, First: func(p []float64) int { return int(max(p[0], p[1])) - 1 },
			Eval: ppo,
		},
		{
			Name: "pvt", Title: "Price Volume Trend",
			Doc:     "Volume times the relative change of the close, added up from 0 at the first bar.",
			Formula: "cumulative sum of (close / close[1] - 1) * volume", Source: "common knowledge", Oracle: "numpy, from the formula",
			Columns: []string{Close, Volume}, Outputs: only(Shares), Memory: Cumulative, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				last := math.NaN()
				for i, c := range in[0] {
					v := in[1][i]
					r := ratio(c-last, last)
					if !present(r) && present(c) {
						r = 0
					}
					dst[0][i] = float64(r * v)
					if present(dst[0][i]) {
						last = c
					}
				}
				cumulate(dst[0])
			},
		},
		{
			Name: "nvi", Title: "Negative Volume Index",
			Doc:     "The product of the relative changes on bars with less volume than the one before, from 1000 at the first bar.",
			Formula: "nvi = nvi[1] * (volume < volume[1] ? close / close[1] : 1)", Source: "Paul Dysart, 1936; Norman Fosback, Stock Market Logic, 1976", Oracle: "numpy, from the formula",
			Columns: []string{Close, Volume}, Outputs: only(None), Memory: Cumulative, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) { volumeIndex(dst[0], in[0], in[1], -1) },
		},
		{
			Name: "pvi", Title: "Positive Volume Index",
			Doc:     "The product of the relative changes on bars with more volume than the one before, from 1000 at the first bar.",
			Formula: "pvi = pvi[1] * (volume > volume[1] ? close / close[1] : 1)", Source: "Paul Dysart, 1936; Norman Fosback, Stock Market Logic, 1976", Oracle: "numpy, from the formula",
			Columns: []string{Close, Volume}, Outputs: only(None), Memory: Cumulative, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) { volumeIndex(dst[0], in[0], in[1], 1) },
		},
		{
			Name: "rvol", Aliases: []string{"relative_volume"}, Title: "Relative Volume",
			Doc:     "Volume as a multiple of its average over the n bars before this one. Absent when nothing traded in these.",
			Formula: "volume / sma(volume, n)[1]", Source: "common knowledge", Oracle: "numpy, from the formula",
			Columns: []string{Volume}, Params: lengths(1), Outputs: only(None), Levels: []float64{1}, Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				usual := delayed(dst[0], SMA(s.column(len(in[0])), in[0], int(p[0])), 1)
				for i, v := range in[0] {
					dst[0][i] = ratio(v, usual[i])
				}
			},
		},
		{
			Name: "wad", Title: "Williams Accumulation/Distribution",
			Doc:     "How far closes came from the true low on rises and from the true high on falls, added up from 0 at the first bar.",
			Formula: "cumulative sum of close > close[1] ? close - min(low, close[1]) : close < close[1] ? close - max(high, close[1]) : 0", Source: "Larry Williams, How I Made One Million Dollars, 1972", Oracle: "numpy, from the formula",
			Columns: hlc(), Outputs: only(USD), Memory: Cumulative, Warmup: none,
			Eval: func(_ *Scratch, dst, in [][]float64, p []float64) {
				h, l, last := in[0], in[1], math.NaN()
				for i, c := range in[2] {
					move := (c - c) + (h[i] - h[i]) + (l[i] - l[i])
					if c > last {
						move += c - min(l[i], last)
					} else if c < last {
						move += c - max(h[i], last)
					}
					dst[0][i] = move
					if present(move) {
						last = c
					}
				}
				cumulate(dst[0])
			},
		},
		{
			Name: "eom", Aliases: []string{"emv", "ease_of_movement"}, Title: "Ease of Movement",
			Doc:     "How far the middle of the bar moved for its volume in relation to its range, averaged. Absent when nothing traded.",
			Formula: "sma(scale * (hl2 - hl2[1]) * (high - low) / volume, n)", Source: "Richard Arms, 1996", Oracle: "numpy, from the formula",
			Columns: []string{High, Low, Volume}, Params: []Param{length("n", 1, "bars in the window"), option("scale", 10000, 1e-12, 1e12, "shares that the value is stated for")}, Outputs: only(MoveByFlow), Levels: []float64{0}, Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				m := middle(s.column(len(in[0])), in[0], in[1])
				ease := changes(s.column(len(m)), m, 1)
				for i, v := range in[2] {
					ease[i] = ratio(float64(float64(p[1]*ease[i])*(in[0][i]-in[1][i])), v)
				}
				SMA(dst[0], ease, int(p[0]))
			},
		},
		{
			Name: "kvo", Aliases: []string{"klinger"}, Title: "Klinger Volume Oscillator",
			Doc:     "A fast less a slow EMA of volume signed by the change of the typical price, and its EMA; a change of 0 counts as a rise, as on TradingView. Klinger's own form also weighs volume by ranges.",
			Formula: "kvo = ema(sv, fast) - ema(sv, slow); signal = ema(kvo, signal); sv = hlc3 >= hlc3[1] ? volume : -volume", Source: "Stephen Klinger, 1997, as TradingView has it", Oracle: "numpy, from the formula",
			Columns: hlcv(), Params: []Param{length("fast", 1, "bars of the fast EMA, 34 in the original"), length("slow", 1, "bars of the slow EMA, 55 in the original"), length("signal", 1, "bars of the signal's EMA, 13 in the original"), seed()},
			Outputs: []Output{out("kvo", Shares, "the oscillator"), out("signal", Shares, "its EMA")}, Memory: Fading, Levels: []float64{0},
			Warmup: func(p []float64) int { return max(warmEMA(p[0]), warmEMA(p[1])) + warmEMA(p[2]) + 1 }, First: func(p []float64) int { return int(max(p[0], p[1])) },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				t := typical(s.column(len(in[0])), in[0], in[1], in[2])
				signed := changes(s.column(len(t)), t, 1)
				for i, v := range signed {
					signed[i] = in[3][i] + (v - v)
					if v < 0 {
						signed[i] = -signed[i]
					}
				}
				slow := s.ema(t, signed, int(p[1]))
				minus(s.ema(dst[0], signed, int(p[0])), slow)
				s.ema(dst[1], dst[0], int(p[2]))
			},
		},
		{
			Name: "vosc", Aliases: []string{"volume_oscillator"}, Title: "Volume Oscillator",
			Doc:     "The distance of a fast from a slow simple average of volume, in percent of the slow one. Absent when nothing traded.",
			Formula: "100 * (sma(volume, fast) / sma(volume, slow) - 1)", Source: "common knowledge", Oracle: "numpy, from the formula",
			Columns: []string{Volume}, Params: []Param{length("fast", 1, "bars of the fast average"), length("slow", 1, "bars of the slow average")}, Outputs: only(None), Levels: []float64{0},
			Warmup: func(p []float64) int { return int(max(p[0], p[1])) - 1 },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				slow := SMA(s.column(len(in[0])), in[0], int(p[1]))
				for i, v := range SMA(dst[0], in[0], int(p[0])) {
					dst[0][i] = float64(100 * ratio(v-slow[i], slow[i]))
				}
			},
		},
	})
}

// volumeIndex compounds the changes of c on bars whose volume changed in the direction of sign.
func volumeIndex(dst, c, volume []float64, sign float64) {
	index, last, before := 1000.0, math.NaN(), math.NaN()
	for i, v := range c {
		if !present(v) || !present(volume[i]) {
			dst[i] = math.NaN()
			continue
		}
		if sign*volume[i] > sign*before && last != 0 && present(last) {
			index += float64(index * ((v - last) / last))
		}
		last, before = v, volume[i]
		dst[i] = index
	}
}
