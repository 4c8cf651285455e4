package indicator

import "math"

// cycles is the chapter of John Ehlers' cycle measurements. All of them rest on the same discrete
// Hilbert transform, whose filters widen with the period they find. They begin from zero and forget
// that within some periods; as the filters follow what they measure, no bound can be computed.
func cycles() []Spec {
	const source = "John Ehlers, Rocket Science for Traders, 2001"
	warm := func([]float64) int { return cycleBars }
	first := func([]float64) int { return hilbertFirst }
	return chapter(Cycle, []Spec{
		{
			Name: "ht_dcperiod", Title: "Dominant Cycle Period",
			Doc:     "The length of the dominant cycle in bars, between 6 and 50. Uses an arc tangent.",
			Formula: "Hilbert transform, homodyne discriminator", Source: source, Oracle: "TA-Lib HT_DCPERIOD",
			Series: x(), Outputs: within(0, 50), Memory: Path, Warmup: warm, First: first,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				measure(s, in[0], func(i int, h *hilbert) { dst[0][i] = h.smoothPeriod }, dst)
			},
		},
		{
			Name: "ht_phasor", Title: "Phasor Components",
			Doc:     "The cycle's part in phase with the price and the part a quarter of a cycle apart. Uses an arc tangent.",
			Formula: "Hilbert transform", Source: source, Oracle: "TA-Lib HT_PHASOR",
			Series: x(), Outputs: []Output{out("inphase", SameAsX, "in phase"), out("quadrature", SameAsX, "a quarter of a cycle apart")}, Memory: Path, Warmup: warm, First: first,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				measure(s, in[0], func(i int, h *hilbert) { dst[0][i], dst[1][i] = h.inPhase, h.quadrature }, dst)
			},
		},
		{
			Name: "ht_dcphase", Title: "Dominant Cycle Phase",
			Doc:     "Where in the dominant cycle this bar is, in degrees from -45 to 315. Uses sines and an arc tangent.",
			Formula: "phase of the discrete Fourier transform of one dominant cycle", Source: source, Oracle: "TA-Lib HT_DCPHASE",
			Series: x(), Outputs: within(-45.1, 315.1), Memory: Path, Warmup: warm, First: first,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				measure(s, in[0], func(i int, h *hilbert) { dst[0][i] = h.phase() }, dst)
			},
		},
		{
			Name: "ht_sine", Title: "Sine Wave",
			Doc:     "The sine of the dominant cycle's phase, and the same an eighth of a cycle ahead: they cross at turns. Uses sines and an arc tangent.",
			Formula: "sine = sin(ht_dcphase(x)); lead = sin(ht_dcphase(x) + 45 degrees)", Source: source, Oracle: "TA-Lib HT_SINE",
			Series: x(), Outputs: []Output{{Name: "sine", Doc: "sine of the phase", Draw: Line, Min: -1, Max: 1}, {Name: "lead", Doc: "an eighth of a cycle ahead", Draw: Line, Min: -1, Max: 1}}, Memory: Path, Warmup: warm, First: first,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				measure(s, in[0], func(i int, h *hilbert) {
					a := h.phase()
					dst[0][i], dst[1][i] = sine(a), sine(a+45)
				}, dst)
			},
		},
		{
			Name: "ht_trendline", Title: "Instantaneous Trendline",
			Doc:     "The average over one dominant cycle, smoothed: the price without its cycle. Uses an arc tangent.",
			Formula: "wma of sma(x, dominant cycle) with weights 4, 3, 2, 1", Source: source, Oracle: "TA-Lib HT_TRENDLINE",
			Series: x(), Outputs: only(SameAsX), Picture: Overlay, Memory: Path, Warmup: warm, First: first,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				measure(s, in[0], func(i int, h *hilbert) { dst[0][i] = h.trendline() }, dst)
			},
		},
		{
			Name: "ht_trendmode", Title: "Trend Mode",
			Doc:     "1 in a trend, 0 in a cycle. Uses sines and an arc tangent.",
			Formula: "0 for half a cycle after the sine waves cross or while the phase turns at the cycle's pace, unless the price is 1.5 % off the trendline", Source: source, Oracle: "TA-Lib HT_TRENDMODE",
			Series: x(), Outputs: within(0, 1), Memory: Path, Warmup: warm, First: first,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				measure(s, in[0], func(i int, h *hilbert) { dst[0][i] = h.trendMode() }, dst)
			},
		},
		{
			Name: "mama", Title: "MESA Adaptive Moving Average",
			Doc:     "An average that hurries when the phase of the cycle does (mama), and one of it at half the speed (fama). Uses an arc tangent.",
			Formula: "mama = mama[1] + a * (x - mama[1]); fama = fama[1] + a/2 * (mama - fama[1]); a = max(fast / turn of the phase in degrees, slow)", Source: "John Ehlers, Stocks & Commodities, 2001", Oracle: "TA-Lib MAMA",
			Series: x(), Params: []Param{option("fast", 0.5, 0.01, 0.99, "greatest factor"), option("slow", 0.05, 0.01, 0.99, "least factor")},
			Outputs: []Output{out("mama", SameAsX, "the average"), out("fama", SameAsX, "the following average")}, Picture: Overlay, Memory: Path,
			Warmup: func(p []float64) int { return cycleBars + 2*fade(1-p[1]/2) }, First: first,
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				measure(s, in[0], func(i int, h *hilbert) { dst[0][i], dst[1][i] = h.adaptive(p[0], p[1]) }, dst)
			},
		},
	})
}

// cycleBars is after how many bars measurements that began at different bars have met in practice.
const cycleBars = 400

// hilbertFirst is the first bar with a value: six bars of filter upon four of smoothing, thrice.
const hilbertFirst = 32

// hilbert is the state of the transform at one bar. Columns hold the last bars' values, at [i].
type hilbert struct {
	i, from                          int
	price, smooth, detrend, quad, i1 []float64
	inPhase, quadrature              float64
	i2, q2, re, im                   float64
	period, smoothPeriod             float64
	lastPhase, lastSine, lastLead    float64
	trend                            [3]float64
	days                             float64
	mama, fama                       float64
	started                          bool
}

// measure runs the transform over the stretches of present values and calls f at bars with a value.
func measure(s *Scratch, x []float64, f func(i int, h *hilbert), dst [][]float64) {
	bars := len(x)
	h := &s.cycle
	columns := hilbert{price: x, smooth: s.column(bars), detrend: s.column(bars), quad: s.column(bars), i1: s.column(bars)}
	for i := 0; i < bars; {
		from, to := run(x, i)
		for _, d := range dst {
			absent(d[i:min(from+hilbertFirst, to)])
		}
		*h = columns
		h.from = from
		for i = from; i < to; i++ {
			h.i = i
			h.step()
			if i >= from+hilbertFirst {
				f(i, h)
			}
		}
	}
}

// filter is the Hilbert filter of a column at this bar, 0 before there are enough values.
func (h *hilbert) filter(c []float64, since int) float64 {
	if h.i-h.from < since+6 {
		return 0
	}
	w := c[h.i-6 : h.i+1]
	sum := (float64(0.0962*w[6]) - float64(0.0962*w[0])) + (float64(0.5769*w[4]) - float64(0.5769*w[2]))
	return float64(sum * (float64(0.075*h.period) + 0.54))
}

// step moves to bar h.i.
func (h *hilbert) step() {
	i, x := h.i, h.price
	h.smooth[i], h.detrend[i], h.quad[i], h.i1[i] = 0, 0, 0, 0
	if i-h.from < 3 {
		return
	}
	h.smooth[i] = (float64(4*x[i]) + float64(3*x[i-1]) + float64(2*x[i-2]) + x[i-3]) / 10
	h.detrend[i] = h.filter(h.smooth, 3)
	h.quad[i] = h.filter(h.detrend, 9)
	h.quadrature = h.quad[i]
	h.inPhase = 0
	if i-h.from >= 12 {
		h.inPhase = h.detrend[i-3]
	}
	h.i1[i] = h.inPhase
	// Both components turned by a quarter of a cycle, then smoothed.
	ji, jq := h.filter(h.i1, 12), h.filter(h.quad, 15)
	i2 := float64(0.2*(h.inPhase-jq)) + float64(0.8*h.i2)
	q2 := float64(0.2*(h.quadrature+ji)) + float64(0.8*h.q2)
	// The angle between this bar and the last is the cycle's pace.
	h.re = float64(0.2*(float64(i2*h.i2)+float64(q2*h.q2))) + float64(0.8*h.re)
	h.im = float64(0.2*(float64(i2*h.q2)-float64(q2*h.i2))) + float64(0.8*h.im)
	h.i2, h.q2 = i2, q2
	last := h.period
	if h.im != 0 && h.re != 0 {
		h.period = 360 / atan(h.im/h.re)
	}
	h.period = min(max(h.period, float64(0.67*last)), float64(1.5*last))
	h.period = min(max(h.period, 6), 50)
	h.period = float64(0.2*h.period) + float64(0.8*last)
	h.smoothPeriod = float64(0.33*h.period) + float64(0.67*h.smoothPeriod)
}

// phase of the dominant cycle in degrees, from one cycle of smoothed prices.
func (h *hilbert) phase() float64 {
	length := int(h.smoothPeriod + 0.5)
	re, im := 0.0, 0.0
	// Sine and cosine of the angle, turned by one bar's part of the cycle at each step.
	s, c := 0.0, 1.0
	turnS, turnC := sine(360/float64(length)), sine(360/float64(length)+90)
	for k := range min(length, h.i-h.from+1) {
		v := h.smooth[h.i-k]
		re += float64(s * v)
		im += float64(c * v)
		s, c = float64(s*turnC)+float64(c*turnS), float64(c*turnC)-float64(s*turnS)
	}
	a := h.lastPhase
	switch {
	case math.Abs(im) > 0:
		a = atan(re / im)
	case re < 0:
		a -= 90
	case re > 0:
		a += 90
	}
	a += 90 + 360/h.smoothPeriod
	if im < 0 {
		a += 180
	}
	if a > 315 {
		a -= 360
	}
	return a
}

// trendline is the average over one cycle, smoothed over four bars.
func (h *hilbert) trendline() float64 {
	length := min(int(h.smoothPeriod+0.5), h.i-h.from+1)
	average := h.price[h.i]
	if length > 0 {
		average = mean(h.price[h.i-length+1 : h.i+1])
	}
	if !h.started {
		h.trend, h.started = [3]float64{average, average, average}, true
	}
	line := (float64(4*average) + float64(3*h.trend[0]) + float64(2*h.trend[1]) + h.trend[2]) / 10
	h.trend = [3]float64{average, h.trend[0], h.trend[1]}
	return line
}

// trendMode is 1 in a trend and 0 in a cycle.
func (h *hilbert) trendMode() float64 {
	a := h.phase()
	wave, lead := sine(a), sine(a+45)
	line := h.trendline()
	mode := 1.0
	if (wave > lead && h.lastSine <= h.lastLead) || (wave < lead && h.lastSine >= h.lastLead) {
		h.days, mode = 0, 0
	}
	h.days++
	if h.days < h.smoothPeriod/2 {
		mode = 0
	}
	turn := a - h.lastPhase
	if pace := 360 / h.smoothPeriod; h.smoothPeriod != 0 && turn > float64(0.67*pace) && turn < float64(1.5*pace) {
		mode = 0
	}
	if line != 0 && math.Abs((h.smooth[h.i]-line)/line) >= 0.015 {
		mode = 1
	}
	h.lastPhase, h.lastSine, h.lastLead = a, wave, lead
	return mode
}

// adaptive is mama and fama; they begin at the price of their first bar.
func (h *hilbert) adaptive(fast, slow float64) (mama, fama float64) {
	x, angle := h.price[h.i], 0.0
	if h.inPhase != 0 {
		angle = atan(h.quadrature / h.inPhase)
	}
	if !h.started {
		h.mama, h.fama, h.lastPhase, h.started = x, x, angle, true
	}
	a := max(fast/max(h.lastPhase-angle, 1), slow)
	h.lastPhase = angle
	h.mama += float64(a * (x - h.mama))
	h.fama += float64(a / 2 * (h.mama - h.fama))
	return h.mama, h.fama
}
