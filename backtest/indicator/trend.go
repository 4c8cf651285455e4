package indicator

import "math"

// trend is the chapter of what says whether there is a trend, and follows it.
func trend() []Spec {
	return chapter(Trend, []Spec{
		{
			Name: "adx", Aliases: []string{"dmi"}, Title: "Average Directional Index",
			Doc:     "How strong a trend is, whichever way it goes (adx), and the shares of upward and downward movement (plus_di, minus_di). Each smoothing starts from a simple average of n, as Wilder's and TradingView's do; TA-Lib's first sum is one bar short, which agrees after the warm-up. 0 where nothing moved.",
			Formula: "plus_di = 100 * rma(+DM, n) / rma(tr(), n), likewise minus_di; adx = rma(100 * abs(plus_di - minus_di) / (plus_di + minus_di), n)",
			Source:  "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib ADX, PLUS_DI, MINUS_DI",
			Columns: hlc(), Params: lengths(1, smoothing(), seed()),
			Outputs: []Output{{Name: "adx", Doc: "strength", Draw: Line, Max: 100}, {Name: "plus_di", Doc: "upward movement in percent of the true range", Draw: Line, Max: 100},
				{Name: "minus_di", Doc: "downward movement in percent of the true range", Draw: Line, Max: 100}},
			Memory: Fading, Levels: []float64{20},
			Warmup: func(p []float64) int { return 2*warmSmoothed(p[0], p[1]) + 1 },
			First:  func(p []float64) int { return 2*int(p[0]) - 1 },
			Eval:   adx,
		},
		{
			Name: "aroon", Title: "Aroon",
			Doc:     "How recent the highest high (up) and the lowest low (down) of the last n+1 bars are: 100 on this bar, 0 n bars ago; of equal ones the newest. osc is their difference.",
			Formula: "up = 100 * (n - highest_bar(high, n+1)) / n; down = 100 * (n - lowest_bar(low, n+1)) / n; osc = up - down",
			Source:  "Tushar Chande, Stocks & Commodities, 1995", Oracle: "TA-Lib AROON, AROONOSC",
			Columns: hl(), Params: lengths(1),
			Outputs: []Output{{Name: "up", Doc: "age of the high", Draw: Line, Max: 100}, {Name: "down", Doc: "age of the low", Draw: Line, Max: 100},
				{Name: "osc", Doc: "up less down", Draw: Hidden, Min: -100, Max: 100}},
			Levels: []float64{30, 70},
			Warmup: before(0, 1),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				n := int(p[0])
				up, down := HighestBar(s, dst[0], in[0], n+1), LowestBar(s, dst[1], in[1], n+1)
				for i := range up {
					up[i] = float64(100 * ((p[0] - up[i]) / p[0]))
					down[i] = float64(100 * ((p[0] - down[i]) / p[0]))
					dst[2][i] = up[i] - down[i]
				}
			},
		},
		{
			Name: "supertrend", Title: "SuperTrend",
			Doc:     "A band k average true ranges from the middle of the bar that only tightens, and changes sides when the close crosses it. direction is 1 above a rising band and -1 below a falling one (TradingView's has the opposite sign). Begins below the upper band.",
			Formula: "(high + low)/2 +- k * atr(n), ratcheted",
			Source:  "Olivier Seban", Oracle: "TA-Lib SUPERTREND",
			Columns: hlc(), Params: []Param{length("n", 1, "bars of the average true range"), option("k", 3, 0, 100, "average true ranges between the middle and the band"), smoothing(), seed()},
			Outputs: []Output{out("value", USD, "the band"), {Name: "direction", Doc: "1 up, -1 down", Draw: Hidden, Min: -1, Max: 1}},
			Picture: Overlay, Memory: Path,
			Warmup: func(p []float64) int { return warmSmoothed(p[0], p[2]) + 1 + pathBars },
			First:  before(0, 1),
			Eval:   supertrend,
		},
		{
			Name: "psar", Aliases: []string{"sar"}, Title: "Parabolic Stop and Reverse",
			Doc:     "A trailing stop that speeds up with every new extreme and changes sides when touched. direction is 1 while it trails below, -1 above. The first direction is that of the larger move from the first bar to the second.",
			Formula: "sar = sar[1] + af * (extreme - sar[1]), af from start by step to max",
			Source:  "J. Welles Wilder, New Concepts in Technical Trading Systems, 1978", Oracle: "TA-Lib SAREXT",
			Columns: hl(), Params: []Param{option("start", 0.02, 0, 10, "first acceleration"), option("step", 0.02, 0, 10, "added at each new extreme"), option("max", 0.2, 0, 10, "greatest acceleration")},
			Outputs: []Output{{Name: "value", Unit: USD, Draw: Dots}, {Name: "direction", Doc: "1 up, -1 down", Draw: Hidden, Min: -1, Max: 1}},
			Picture: Overlay, Memory: Path,
			Warmup: func([]float64) int { return pathBars },
			First:  one,
			Eval:   psar,
		},
	})
}

// pathBars is after how many bars two runs of a trailing indicator that began at different bars have
// met in practice: each change of sides forgets most of the past, and both see the same ones. No
// bound exists: a trend may last longer.
const pathBars = 250

// directional writes Wilder's directional movement up and down, absent at the first bar.
func directional(up, down, h, l []float64) {
	absent(up[:1])
	absent(down[:1])
	for i := 1; i < len(h); i++ {
		rise, fall := h[i]-h[i-1], l[i-1]-l[i]
		switch {
		case rise-rise != 0 || fall-fall != 0:
			up[i], down[i] = math.NaN(), math.NaN()
		case rise > fall && rise > 0:
			up[i], down[i] = rise, 0
		case fall > rise && fall > 0:
			up[i], down[i] = 0, fall
		default:
			up[i], down[i] = 0, 0
		}
	}
}

// shareOrNone is 100*part/total, 0 where total is 0.
func shareOrNone(part, total float64) float64 {
	if total == 0 {
		return 0
	}
	return float64(100 * (part / total))
}

func adx(s *Scratch, dst, in [][]float64, p []float64) {
	n, bars := int(p[0]), len(dst[0])
	up, down, reach := s.column(bars), s.column(bars), s.column(bars)
	directional(up, down, in[0], in[1])
	s.atr(reach, in[0], in[1], in[2], n)
	plus, minus := s.rma(dst[1], up, n), s.rma(dst[2], down, n)
	dx := up
	for i, r := range reach {
		plus[i], minus[i] = shareOrNone(plus[i], r), shareOrNone(minus[i], r)
		dx[i] = shareOrNone(math.Abs(plus[i]-minus[i]), plus[i]+minus[i])
	}
	s.rma(dst[0], dx, n)
}

func supertrend(s *Scratch, dst, in [][]float64, p []float64) {
	h, l, c, k := in[0], in[1], in[2], p[1]
	line, direction := dst[0], dst[1]
	reach := s.atr(s.column(len(c)), h, l, c, int(p[0]))
	nan, going := math.NaN(), false
	var upper, lower float64
	side := -1.0
	for i, r := range reach {
		middle, d := (h[i]+l[i])/2, float64(k*r)
		if !present(middle + d) {
			line[i], direction[i], going = nan, nan, false
			continue
		}
		newUpper, newLower := middle+d, middle-d
		if !going {
			upper, lower, side, going = newUpper, newLower, -1, true
		} else {
			if newUpper < upper || c[i-1] > upper {
				upper = newUpper
			}
			if newLower > lower || c[i-1] < lower {
				lower = newLower
			}
			if side < 0 && c[i] > upper {
				side = 1
			} else if side > 0 && c[i] < lower {
				side = -1
			}
		}
		line[i], direction[i] = upper, side
		if side > 0 {
			line[i] = lower
		}
	}
}

func psar(_ *Scratch, dst, in [][]float64, p []float64) {
	h, l := in[0], in[1]
	for i := 0; i < len(h); {
		// A stretch without gaps: it begins anew after each.
		dst[0][i], dst[1][i] = math.NaN(), math.NaN()
		if !present(h[i] - l[i]) {
			i++
			continue
		}
		from := i
		for i++; i < len(h) && present(h[i]-l[i]); i++ {
		}
		trail(dst[0][from:i], dst[1][from:i], h[from:i], l[from:i], p)
	}
}

// trail is psar on a stretch of present bars, whose first is absent already.
func trail(line, direction, h, l, p []float64) {
	if len(h) < 2 {
		return
	}
	start, step, most := min(p[0], p[2]), p[1], p[2]
	side, stop, extreme, af := 1.0, l[0], h[1], start
	if fall := l[0] - l[1]; fall > 0 && fall > h[1]-h[0] {
		side, stop, extreme = -1, h[0], l[1]
	}
	for i := 1; i < len(h); i++ {
		// The stop may not enter the range of this bar and the one before. At the first bar there is
		// only this one.
		low, high := min(l[max(i-1, 1)], l[i]), max(h[max(i-1, 1)], h[i])
		touched := (side > 0 && l[i] <= stop) || (side < 0 && h[i] >= stop)
		switch {
		case touched && side > 0:
			side, stop, extreme, af = -1, max(extreme, high), l[i], start
		case touched:
			side, stop, extreme, af = 1, min(extreme, low), h[i], start
		case side > 0 && h[i] > extreme:
			extreme, af = h[i], min(af+step, most)
		case side < 0 && l[i] < extreme:
			extreme, af = l[i], min(af+step, most)
		}
		line[i], direction[i] = stop, side
		stop += float64(af * (extreme - stop))
		if side > 0 {
			stop = min(stop, low)
		} else {
			stop = max(stop, high)
		}
	}
}
