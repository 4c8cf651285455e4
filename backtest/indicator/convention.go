package indicator

import "math"

// Tools differ in how a recursive average begins, in what a "smoothed" range or movement is, and in
// whether a deviation divides by n or n-1. Rows where that matters take it as a secondary parameter
// named seed, smoothing or ddof; what most tools do is the default.

// The choices of seed.
const (
	seedAverage  = iota // the simple average of the first n values
	seedFirst           // the first value
	seedWeighted        // none: all values so far, with weights that add up to 1
)

// The choices of smoothing.
const (
	smoothWilder = iota
	smoothSimple
	smoothExponential
)

// choice is an option that takes one of some words.
func choice(name, doc string, words ...string) Param {
	p := whole(name, 0, 0, float64(len(words)-1), doc)
	p.Words = words
	return p
}

// seed is the option of everything that holds a recursive average.
func seed() Param {
	return choice("seed", `how a recursive average begins: "average" of its first n values (TA-Lib, TradingView), "first" value (pandas ewm(adjust=False)), or "weighted", all values so far with weights that add up to 1 (pandas ewm()); no matter after the warm-up`,
		"average", "first", "weighted")
}

// smoothing is the option of everything that is averaged Wilder's way.
func smoothing() Param {
	return choice("smoothing", `what is averaged over n bars: "wilder" (rma), "simple" (sma) or "exponential" (ema)`, "wilder", "simple", "exponential")
}

// warmSmoothed is the warm-up of an average of n that is smoothed by choice.
func warmSmoothed(n, smoothing float64) int {
	switch int(smoothing) {
	case smoothSimple:
		return int(n) - 1
	case smoothExponential:
		return warmEMA(n)
	}
	return warmRMA(n)
}

// smoothed is the Warmup of an average whose length is parameter k and whose smoothing is parameter
// at, shifted by extra bars.
func smoothed(k, at, extra int) func(p []float64) int {
	return func(p []float64) int { return warmSmoothed(p[k], p[at]) + extra }
}

// conventions are those of one evaluation. The zero value is what the exported functions keep.
type conventions struct{ seed, smoothing int }

// conventional lets Scratch know what the parameters named seed and smoothing say while eval runs.
func conventional(params []Param, eval func(*Scratch, [][]float64, [][]float64, []float64)) func(*Scratch, [][]float64, [][]float64, []float64) {
	seed, smoothing := -1, -1
	for k, p := range params {
		switch p.Name {
		case "seed":
			seed = k
		case "smoothing":
			smoothing = k
		}
	}
	if seed < 0 && smoothing < 0 {
		return eval
	}
	return func(s *Scratch, dst, in [][]float64, p []float64) {
		if seed >= 0 {
			s.conventions.seed = int(p[seed])
		}
		if smoothing >= 0 {
			s.conventions.smoothing = int(p[smoothing])
		}
		eval(s, dst, in, p)
		s.conventions = conventions{}
	}
}

// ema is EMA with the seed of this evaluation.
func (s *Scratch) ema(dst, x []float64, n int) []float64 {
	return s.fading(dst, x, n, keepEMA(float64(n)))
}

// rma is RMA with the seed of this evaluation, or the average that stands in its place.
func (s *Scratch) rma(dst, x []float64, n int) []float64 {
	switch s.conventions.smoothing {
	case smoothSimple:
		return SMA(dst, x, n)
	case smoothExponential:
		return s.ema(dst, x, n)
	}
	return s.fading(dst, x, n, keepRMA(float64(n)))
}

// atr is ATR with the conventions of this evaluation.
func (s *Scratch) atr(dst, h, l, c []float64, n int) []float64 {
	if s.conventions == (conventions{}) {
		return ATR(dst, h, l, c, n)
	}
	mark := s.used
	dst = s.rma(dst, TrueRange(s.column(len(c)), h, l, c), n)
	s.release(mark)
	return dst
}

// rsi is RSI with the conventions of this evaluation.
func (s *Scratch) rsi(dst, x []float64, n int) []float64 {
	if s.conventions == (conventions{}) {
		return RSI(dst, x, n)
	}
	mark := s.used
	up, down := changes(s.column(len(x)), x, 1), s.column(len(x))
	for i, v := range up {
		up[i], down[i] = max(v, 0), max(-v, 0)
	}
	fall := s.rma(s.column(len(x)), down, n)
	for i, v := range s.rma(dst, up, n) {
		dst[i] = share(100, v, v+fall[i])
	}
	s.release(mark)
	return dst
}

// fading is smooth with the seed of this evaluation. The first value is at n-1 whatever the seed.
func (s *Scratch) fading(dst, x []float64, n int, keep float64) []float64 {
	if s.conventions.seed == seedAverage {
		return smooth(dst, x, n, keep)
	}
	count, away, last, weight := 0, 0.0, 0.0, 0.0
	for i, v := range x {
		if v-v != 0 {
			dst[i], count = math.NaN(), 0
			continue
		}
		if count == 0 {
			away, last, weight = 0, v, 0
		}
		// The share of the distance that is kept: constant, or what all weights so far leave of it.
		part := keep
		if s.conventions.seed == seedWeighted {
			old := float64(keep * weight)
			weight = 1 + old
			part = old / weight
		}
		away = float64(part * ((v - last) + away))
		last = v
		e := v - away
		if count++; count < n {
			e = math.NaN()
		} else if e-e != 0 {
			e, count = math.NaN(), 0
		}
		dst[i] = e
	}
	return dst
}
