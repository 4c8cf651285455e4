package indicator

import "math"

// barAt reports whether a bar is there in all columns.
func barAt(in [][]float64, i int) bool {
	return present(in[0][i]) && present(in[1][i]) && present(in[2][i])
}

// pivots are the levels that floor traders took from the bar before.
func pivots() []Spec {
	levels := func(names ...string) []Output {
		var o []Output
		for _, n := range names {
			doc := "support"
			switch n[0] {
			case 'p':
				doc = "pivot"
			case 'r':
				doc = "resistance"
			}
			o = append(o, out(n, USD, doc))
		}
		return o
	}
	row := func(name, title, doc, formula, source string, outputs []Output, eval func(dst [][]float64, i int, h, l, c float64)) Spec {
		return Spec{
			Name: name, Title: title, Doc: doc + " They come from the bar before: on bars within the day take them of days, tf(\"1d\").", Formula: formula,
			Source: source, Oracle: "Python, from the formula", Columns: hlc(), Outputs: outputs, Picture: Overlay,
			Warmup: func([]float64) int { return 1 },
			Eval: func(_ *Scratch, dst, in [][]float64, _ []float64) {
				for i := range in[0] {
					h, l, c := math.NaN(), math.NaN(), math.NaN()
					if i > 0 && barAt(in, i) && barAt(in, i-1) {
						h, l, c = in[0][i-1], in[1][i-1], in[2][i-1]
					}
					eval(dst, i, h, l, c)
					for k := range dst {
						if !present(dst[k][i]) { // beyond the range of numbers
							dst[k][i] = math.NaN()
						}
					}
				}
			},
		}
	}
	return chapter(Transform, []Spec{
		row("pivot", "Pivot Points", "The mean price of the bar before, and levels mirrored at it.",
			"p = (high[1] + low[1] + close[1]) / 3; r1 = 2p - low[1]; s1 = 2p - high[1]; r2 = p + range[1]; s2 = p - range[1]; r3 = high[1] + 2(p - low[1]); s3 = low[1] - 2(high[1] - p)",
			"floor traders' formula, as in J. Person, Technical Trading Tactics, 2004", levels("p", "r1", "s1", "r2", "s2", "r3", "s3"),
			func(dst [][]float64, i int, h, l, c float64) {
				p := (h + l + c) / 3
				dst[0][i] = p
				dst[1][i], dst[2][i] = float64(2*p)-l, float64(2*p)-h
				dst[3][i], dst[4][i] = p+(h-l), p-(h-l)
				dst[5][i], dst[6][i] = h+float64(2*(p-l)), l-float64(2*(h-p))
			}),
		row("pivot_fibonacci", "Pivot Points, Fibonacci", "The mean price of the bar before, and levels at parts of its range.",
			"p = (high[1] + low[1] + close[1]) / 3; r1, s1 = p +- 0.382 range[1]; r2, s2 = p +- 0.618 range[1]; r3, s3 = p +- range[1]",
			"as in J. Person, Technical Trading Tactics, 2004", levels("p", "r1", "s1", "r2", "s2", "r3", "s3"),
			func(dst [][]float64, i int, h, l, c float64) {
				p, r := (h+l+c)/3, h-l
				dst[0][i] = p
				for k, f := range [3]float64{0.382, 0.618, 1} {
					d := float64(f * r)
					dst[1+2*k][i], dst[2+2*k][i] = p+d, p-d
				}
			}),
		row("pivot_camarilla", "Pivot Points, Camarilla", "Levels around the close of the bar before, at parts of its range.",
			"r1, s1 = close[1] +- 1.1/12 range[1]; r2, s2: 1.1/6; r3, s3: 1.1/4; r4, s4: 1.1/2",
			"Nick Scott, 1989", levels("r1", "s1", "r2", "s2", "r3", "s3", "r4", "s4"),
			func(dst [][]float64, i int, h, l, c float64) {
				for k, f := range [4]float64{12, 6, 4, 2} {
					d := 1.1 * (h - l) / f
					dst[2*k][i], dst[2*k+1][i] = c+d, c-d
				}
			}),
	})
}
