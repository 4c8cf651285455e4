package indicator

import (
	"math"
	"strings"
)

// Candlestick patterns compare candles with the average of the candles before each of them, so that
// long and short mean something in any market. The measures are TA-Lib's:
//
//	long, short   the body against the mean body of the ten candles before
//	doji          a body of at most a tenth of the mean range of the ten before
//	tiny shadow   less than a tenth of that range; short shadow: less than half the mean of both shadows of the ten before
//	long shadow   longer than the candle's own body; very long: than twice the body
//	near, equal   a fifth, a twentieth of the mean range of the five before; far: three fifths

// pattern is a row of the chapter. It looks at the last bars candles.
type pattern struct {
	name, title, shape string
	bars               int
	depth              float64 // default of the option depth, which exists if it is not 0
	is                 func(k *candles, p []float64) float64
}

// candles are the columns that patterns look at, and the bar they look from.
type candles struct {
	i                       int
	o, h, l, c              []float64
	body10, hl10, hl5, tail []float64 // means of the candles before each bar
}

const candleAverage = 10 // the longest mean

// patterns is the chapter of candlestick patterns.
func patterns() []Spec {
	var rows []Spec
	for _, q := range append(shortPatterns(), longPatterns()...) {
		s := Spec{
			Name: "cdl_" + q.name, Aliases: []string{"cdl" + strings.ReplaceAll(q.name, "_", "")}, Title: q.title, Oracle: "TA-Lib",
			Doc:     "100 where the pattern ends on this bar and is bullish, -100 where it is bearish, else 0 (80 where edges touch, 200 where a hikkake is confirmed). Sizes are relative to the ten candles before.",
			Formula: q.shape, Source: "Steve Nison, Japanese Candlestick Charting Techniques, 1991; Gregory Morris, Candlestick Charting Explained, 1992; sizes as in TA-Lib",
			Columns: ohlc(), Picture: Overlay,
			Outputs: []Output{{Name: "value", Draw: Marker, Min: -200, Max: 200}},
			Warmup:  func([]float64) int { return q.bars - 1 + candleAverage },
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				look(s, dst[0], in, p, q)
			},
		}
		if q.depth > 0 {
			s.Params = []Param{option("depth", q.depth, 0, 1, "how far into the first body the last must close, a fraction of it")}
		}
		rows = append(rows, s)
	}
	return chapter(Pattern, rows)
}

// look tries one pattern on every bar.
func look(s *Scratch, dst []float64, in [][]float64, p []float64, q pattern) {
	bars := len(dst)
	k := &s.candles
	*k = candles{o: in[0], h: in[1], l: in[2], c: in[3], body10: s.column(bars), hl10: s.column(bars), hl5: s.column(bars), tail: s.column(bars)}
	one := s.column(bars)
	for i := range one {
		one[i] = math.Abs(k.c[i] - k.o[i])
	}
	before := s.column(bars)
	delayed(k.body10, SMA(before, one, candleAverage), 1)
	for i, h := range k.h {
		one[i] = h - k.l[i]
	}
	delayed(k.hl10, SMA(before, one, candleAverage), 1)
	delayed(k.hl5, SMA(before, one, 5), 1)
	for i := range one {
		one[i] -= math.Abs(k.c[i] - k.o[i])
	}
	delayed(k.tail, SMA(before, one, candleAverage), 1)
	for i := 0; i < bars; {
		from, to := run(one, i)
		start := from + q.bars - 1 + candleAverage
		absent(dst[i:min(start, to)])
		for i = start; i < to; i++ {
			k.i = i
			dst[i] = q.is(k, p)
		}
		i = to
	}
}

// Candle j bars ago: its color (1 for a close at or above the open), body, edges and shadows.

func (k *candles) open(j int) float64  { return k.o[k.i-j] }
func (k *candles) high(j int) float64  { return k.h[k.i-j] }
func (k *candles) low(j int) float64   { return k.l[k.i-j] }
func (k *candles) close(j int) float64 { return k.c[k.i-j] }
func (k *candles) body(j int) float64  { return math.Abs(k.close(j) - k.open(j)) }
func (k *candles) top(j int) float64   { return max(k.open(j), k.close(j)) }
func (k *candles) floor(j int) float64 { return min(k.open(j), k.close(j)) }
func (k *candles) upper(j int) float64 { return k.high(j) - k.top(j) }
func (k *candles) lower(j int) float64 { return k.floor(j) - k.low(j) }
func (k *candles) white(j int) bool    { return k.close(j) >= k.open(j) }
func (k *candles) black(j int) bool    { return k.close(j) < k.open(j) }

func (k *candles) color(j int) float64 {
	if k.white(j) {
		return 1
	}
	return -1
}

// verdict is the value of a pattern told by candle j bars ago: 100 if white, -100 if black.
func (k *candles) verdict(j int) float64 {
	if k.white(j) {
		return 100
	}
	return -100
}

// Sizes of candle j bars ago.

func (k *candles) long(j int) bool       { return k.body(j) > k.body10[k.i-j] }
func (k *candles) short(j int) bool      { return k.body(j) < k.body10[k.i-j] }
func (k *candles) notLong(j int) bool    { return k.body(j) <= k.body10[k.i-j] }
func (k *candles) doji(j int) bool       { return k.body(j) <= float64(0.1*k.hl10[k.i-j]) }
func (k *candles) tinyUpper(j int) bool  { return k.upper(j) < float64(0.1*k.hl10[k.i-j]) }
func (k *candles) tinyLower(j int) bool  { return k.lower(j) < float64(0.1*k.hl10[k.i-j]) }
func (k *candles) someUpper(j int) bool  { return k.upper(j) > float64(0.1*k.hl10[k.i-j]) }
func (k *candles) someLower(j int) bool  { return k.lower(j) > float64(0.1*k.hl10[k.i-j]) }
func (k *candles) longUpper(j int) bool  { return k.upper(j) > k.body(j) }
func (k *candles) longLower(j int) bool  { return k.lower(j) > k.body(j) }
func (k *candles) shortUpper(j int) bool { return k.upper(j) < k.tail[k.i-j]/2 }
func (k *candles) shortLower(j int) bool { return k.lower(j) < k.tail[k.i-j]/2 }

// Distances that count as near, equal and far after candle j bars ago.

func (k *candles) near(j int) float64  { return float64(0.2 * k.hl5[k.i-j]) }
func (k *candles) equal(j int) float64 { return float64(0.05 * k.hl5[k.i-j]) }
func (k *candles) far(j int) float64   { return float64(0.6 * k.hl5[k.i-j]) }

// same reports whether v is equal to w as candle j bars ago measures it.
func (k *candles) same(v, w float64, j int) bool {
	return v <= w+k.equal(j) && v >= w-k.equal(j)
}

// Gaps between the bodies of candles a and b bars ago, a the younger; between whole candles.

func (k *candles) gapUp(a, b int) bool     { return k.floor(a) > k.top(b) }
func (k *candles) gapDown(a, b int) bool   { return k.top(a) < k.floor(b) }
func (k *candles) clearUp(a, b int) bool   { return k.low(a) > k.high(b) }
func (k *candles) clearDown(a, b int) bool { return k.high(a) < k.low(b) }

// between reports whether v lies strictly between a and b.
func between(v, a, b float64) bool { return v > min(a, b) && v < max(a, b) }

// says is value where the pattern holds, else 0.
func says(holds bool, value float64) float64 {
	if holds {
		return value
	}
	return 0
}
