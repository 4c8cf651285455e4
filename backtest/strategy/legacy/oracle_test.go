package legacy_test

import (
	"math"
	"math/rand/v2"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// The application's mathematics, written apart from the formulas that pandas documents for
// ewm(adjust=False), rolling().mean() and rolling().std(): nothing here is taken from package
// indicator.

type column []float64

// market is a random walk with prices in cents.
func market(n int) *bar.Series {
	r := rand.New(rand.NewPCG(5, 8))
	s := &bar.Series{Symbol: "TEST", Frame: bar.Daily}
	cents := func(x float64) float64 { return math.Round(x*100) / 100 }
	d, last := instrument.NewDate(2001, 1, 1), 100.0
	for range n {
		d = bar.NYSE().Next(d)
		o := cents(last * (1 + 0.01*(r.Float64()-0.5)))
		c := cents(o * (1 + 0.05*(r.Float64()-0.498)))
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.Close = append(s.Open, o), append(s.Close, c)
		s.High = append(s.High, cents(max(o, c)*(1+0.01*r.Float64())))
		s.Low = append(s.Low, cents(min(o, c)*(1-0.01*r.Float64())))
		s.Volume = append(s.Volume, float64(1+r.IntN(200)))
		last = c
	}
	return s
}

func fill(n int, f func(i int) float64) column {
	out := make(column, n)
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// ewm starts from the first value that is there.
func ewm(x column, alpha float64) column {
	e := math.NaN()
	return fill(len(x), func(i int) float64 {
		switch {
		case math.IsNaN(x[i]):
		case math.IsNaN(e):
			e = x[i]
		default:
			e = alpha*x[i] + (1-alpha)*e
		}
		return e
	})
}

func span(x column, n int) column { return ewm(x, 2/float64(n+1)) }

// rolling applies f to each full window.
func rolling(x column, n int, f func(w column) float64) column {
	return fill(len(x), func(i int) float64 {
		if i < n-1 {
			return math.NaN()
		}
		return f(x[i-n+1 : i+1])
	})
}

func mean(w column) float64 {
	sum := 0.0
	for _, v := range w {
		sum += v
	}
	return sum / float64(len(w))
}

func sampleDeviation(w column) float64 {
	m, sum := mean(w), 0.0
	for _, v := range w {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(w)-1))
}

func weighted(w column) float64 {
	sum, weights := 0.0, 0.0
	for i, v := range w {
		sum += v * float64(i+1)
		weights += float64(i + 1)
	}
	return sum / weights
}

func rsi(c column, n int) column {
	change := func(sign float64) column {
		return fill(len(c), func(i int) float64 {
			if i == 0 {
				return math.NaN()
			}
			return max(0, sign*(c[i]-c[i-1]))
		})
	}
	up, down := ewm(change(1), 1/float64(n)), ewm(change(-1), 1/float64(n))
	return fill(len(c), func(i int) float64 {
		v := 100 - 100/(1+up[i]/down[i])
		if math.IsNaN(v) {
			return 50
		}
		return v
	})
}

func trueRange(s *bar.Series) column {
	return fill(s.Len(), func(i int) float64 {
		r := s.High[i] - s.Low[i]
		if i > 0 {
			r = max(r, math.Abs(s.High[i]-s.Close[i-1]), math.Abs(s.Low[i]-s.Close[i-1]))
		}
		return r
	})
}

func kama(c column, n int) column {
	k := math.NaN()
	return fill(len(c), func(i int) float64 {
		if i < n {
			return math.NaN()
		}
		if math.IsNaN(k) {
			k = c[i-1]
		}
		path := 0.0
		for j := i - n + 1; j <= i; j++ {
			path += math.Abs(c[j] - c[j-1])
		}
		er := math.Abs(c[i]-c[i-n]) / path
		a := er*(2.0/3-2.0/31) + 2.0/31
		k += a * a * (c[i] - k)
		return k
	})
}

// application is every series by the name it had.
func application(s *bar.Series) map[string]column {
	c := column(s.Close)
	n := len(c)
	plus := func(a column, k float64, b column) column {
		return fill(n, func(i int) float64 { return a[i] + k*b[i] })
	}
	mid, dev := rolling(c, 20, mean), rolling(c, 20, sampleDeviation)
	range20, line := span(trueRange(s), 20), plus(span(c, 12), -1, span(c, 26))
	signal := span(line, 9)
	half := rolling(c, 8, weighted)
	hull := rolling(plus(plus(half, 1, half), -1, rolling(c, 16, weighted)), 4, weighted)
	r := rsi(c, 14)
	low := rolling(r, 14, func(w column) float64 {
		m := math.Inf(1)
		for _, v := range w {
			m = min(m, v)
		}
		return m
	})
	high := rolling(r, 14, func(w column) float64 {
		m := math.Inf(-1)
		for _, v := range w {
			m = max(m, v)
		}
		return m
	})
	k := rolling(fill(n, func(i int) float64 { return 100 * (r[i] - low[i]) / (high[i] - low[i]) }), 3, mean)
	return map[string]column{
		"open": s.Open, "high": s.High, "low": s.Low, "close": c, "price": c, "volume": s.Volume,
		"sma_50": rolling(c, 50, mean), "ema_200": span(c, 200), "wma_10": rolling(c, 10, weighted), "hma_16": hull, "kama_20": kama(c, 20),
		"rsi_14": r, "RSI": r, "atr_14": span(trueRange(s), 14), "ATR": span(trueRange(s), 14),
		"bb_top_20": plus(mid, 2, dev), "bb_mid_20": mid, "bb_bottom_20": plus(mid, -2, dev), "BB_UPPER": plus(mid, 2, dev),
		"kc_top_20": plus(span(c, 20), 2, range20), "kc_mid_20": span(c, 20), "kc_bottom_20": plus(span(c, 20), -2, range20),
		"MACD": line, "MACD_SIGNAL": signal, "MACD_HIST": plus(line, -1, signal),
		"STOCH_RSI_K": k, "stoch_rsi_d": rolling(k, 3, mean),
	}
}

// holds is the application's comparison at bar i > 0.
func holds(op string, percent float64, src, tgt column, i int) bool {
	up, down := tgt[i]*(1+percent/100), tgt[i]*(1-percent/100)
	crossUp, crossDown := src[i-1] <= tgt[i-1], src[i-1] >= tgt[i-1]
	switch op {
	case "above", ">":
		return percent == 0 && src[i] > tgt[i] || percent > 0 && src[i] >= up
	case "below", "<":
		return percent == 0 && src[i] < tgt[i] || percent > 0 && src[i] <= down
	case "crosses_above":
		return crossUp && (percent == 0 && src[i] > tgt[i] || percent > 0 && src[i] >= up)
	case "crosses_below":
		return crossDown && (percent == 0 && src[i] < tgt[i] || percent > 0 && src[i] <= down)
	case "equals", "==":
		return src[i] == tgt[i]
	case "greater_equal", ">=":
		return src[i] >= up
	}
	return src[i] <= down
}
