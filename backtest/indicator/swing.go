package indicator

import "math"

// swings is the chapter of turning points. A high is known to be one only when right bars have come after
// it: that is when these say so, never earlier.
func swings() []Spec {
	sides := func(left, right string) []Param {
		return []Param{length("left", 1, left), length("right", 1, right)}
	}
	span := func(p []float64) int { return int(p[0] + p[1]) }
	return chapter(Trend, []Spec{
		{
			Name: "fractal", Aliases: []string{"williams_fractal"}, Title: "Williams Fractal",
			Doc:     "100 at the bar that confirms a turning point, else 0: the high of right bars ago was above the left highs before it and all highs since (up), or the low below (down).",
			Formula: "up = 100 if high[right] > each of high[right+1..right+left] and each of high[0..right-1], else 0; down likewise with lows below", Source: "Bill Williams, Trading Chaos, 1995", Oracle: "TA-Lib FRACTAL",
			Columns: hl(), Params: []Param{whole("left", 2, 1, maxWindow, "bars before the turning point"), whole("right", 2, 1, maxWindow, "bars after it, which confirm it")},
			Outputs: []Output{{Name: "up", Doc: "a high is confirmed", Draw: Marker, Max: 100}, {Name: "down", Doc: "a low is confirmed", Draw: Marker, Max: 100}},
			Warmup:  span,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				for k, x := range in {
					turns(dst[k], x, int(p[0]), int(p[1]), [2]float64{1, -1}[k])
				}
			},
		},
		{
			Name: "swing", Aliases: []string{"swing_pivot"}, Title: "Swing High and Low",
			Doc:     "The price of the last confirmed swing high and swing low, and how many bars ago each was. A swing is confirmed right bars after it, when its high is above the left highs before it and all highs since; until another one is confirmed it stays. Absent before the first.",
			Formula: "high = value of high[right] when fractal(left, right).up last was 100; high_bars = bars since then + right; low and low_bars likewise", Source: "as TradingView's ta.pivothigh and ta.pivotlow", Oracle: "numpy, from the formula",
			Columns: hl(), Params: sides("bars before a swing", "bars after it, which confirm it"),
			Outputs: []Output{out("high", USD, "price of the last swing high"), out("low", USD, "price of the last swing low"),
				{Name: "high_bars", Doc: "bars since the swing high", Draw: Hidden}, {Name: "low_bars", Doc: "bars since the swing low", Draw: Hidden}},
			Picture: Overlay, Memory: Path,
			Warmup: func(p []float64) int { return span(p) + pathBars }, First: span,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				right := int(p[1])
				for k, x := range in {
					mark := s.used
					turn := s.column(len(x))
					turns(turn, x, int(p[0]), right, [2]float64{1, -1}[k])
					last, at := math.NaN(), 0
					for i, v := range turn {
						switch {
						case x[i]-x[i] != 0: // begins anew after a gap
							last = math.NaN()
						case v == 100:
							last, at = x[i-right], i-right
						}
						dst[k][i], dst[2+k][i] = last, last
						if last == last {
							dst[2+k][i] = float64(i - at)
						}
					}
					s.release(mark)
				}
				for i, h := range in[0] { // a bar is absent as a whole
					if gone := (h - h) + (in[1][i] - in[1][i]); gone != 0 {
						for _, d := range dst {
							d[i] = math.NaN()
						}
					}
				}
			},
		},
	})
}

// turns is 100 where x of right bars ago is above (side 1) or below (side -1) the left values before it
// and all since, else 0. O(left + right) a bar at worst, as a rule much less.
func turns(dst, x []float64, left, right int, side float64) {
	each(dst, x, left+right+1, func(w []float64) float64 {
		peak := float64(side * w[left])
		for k := len(w) - 1; k >= 0; k-- {
			if k != left && float64(side*w[k]) >= peak {
				return 0
			}
		}
		return 100
	})
}
