package indicator

import "math"

// statistics is the chapter of statistics of a window.
func statistics() []Spec {
	return chapter(Statistic, []Spec{
		{
			Name: "sum", Title: "Sum",
			Doc:     "The sum of the last n values.",
			Formula: "x + x[1] + ... + x[n-1]", Source: "common knowledge", Oracle: "TA-Lib SUM",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX),
			Warmup: before(0, 0),
			Eval:   func(_ *Scratch, dst, in [][]float64, p []float64) { Sum(dst[0], in[0], int(p[0])) },
		},
		{
			Name: "highest", Aliases: []string{"max_n"}, Title: "Highest Value",
			Doc:     "The greatest of the last n values, this one included.",
			Formula: "max(x, x[1], ..., x[n-1])", Source: "common knowledge", Oracle: "TA-Lib MAX",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval:   func(_ *Scratch, dst, in [][]float64, p []float64) { Highest(dst[0], in[0], int(p[0])) },
		},
		{
			Name: "lowest", Aliases: []string{"min_n"}, Title: "Lowest Value",
			Doc:     "The least of the last n values, this one included.",
			Formula: "min(x, x[1], ..., x[n-1])", Source: "common knowledge", Oracle: "TA-Lib MIN",
			Series: x(), Params: lengths(1), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval:   func(_ *Scratch, dst, in [][]float64, p []float64) { Lowest(dst[0], in[0], int(p[0])) },
		},
		{
			Name: "highest_bar", Title: "Bars Since Highest",
			Doc:     "How many bars ago the greatest of the last n values was: 0 is this bar; of equal ones the newest. (TradingView's highestbars counts the same below zero.)",
			Formula: "the least k with x[k] = highest(x, n)", Source: "common knowledge", Oracle: "numpy argmax from the newest bar",
			Series: x(), Params: lengths(1), Outputs: only(None),
			Warmup: before(0, 0),
			Eval:   func(s *Scratch, dst, in [][]float64, p []float64) { HighestBar(s, dst[0], in[0], int(p[0])) },
		},
		{
			Name: "lowest_bar", Title: "Bars Since Lowest",
			Doc:     "How many bars ago the least of the last n values was: 0 is this bar; of equal ones the newest.",
			Formula: "the least k with x[k] = lowest(x, n)", Source: "common knowledge", Oracle: "numpy argmin from the newest bar",
			Series: x(), Params: lengths(1), Outputs: only(None),
			Warmup: before(0, 0),
			Eval:   func(s *Scratch, dst, in [][]float64, p []float64) { LowestBar(s, dst[0], in[0], int(p[0])) },
		},
		{
			Name: "variance", Aliases: []string{"var"}, Title: "Variance",
			Doc:     "The mean square distance of the last n values from their mean.",
			Formula: "sum((x - mean)^2) / (n - ddof)", Source: "common knowledge", Oracle: "TA-Lib VAR",
			Series: x(), Params: []Param{length("n", 2, "bars in the window"), ddof()}, Outputs: only(SquareOfX),
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				Variance(s, dst[0], in[0], int(p[0]), int(p[1]))
			},
		},
		{
			Name: "stdev", Aliases: []string{"stddev"}, Title: "Standard Deviation",
			Doc:     "The square root of the variance of the last n values.",
			Formula: "sqrt(variance(x, n))", Source: "common knowledge", Oracle: "TA-Lib STDDEV",
			Series: x(), Params: []Param{length("n", 2, "bars in the window"), ddof()}, Outputs: only(SameAsX),
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				Stdev(s, dst[0], in[0], int(p[0]), int(p[1]))
			},
		},
		{
			Name: "zscore_n", Title: "Z-Score Over Time",
			Doc:     "How many standard deviations the value is from the mean of the last n. 0 where all are equal.",
			Formula: "(x - sma(x, n)) / stdev(x, n)", Source: "common knowledge", Oracle: "numpy, from the formula",
			Series: x(), Params: []Param{length("n", 2, "bars in the window"), ddof()}, Outputs: only(None), Levels: []float64{-2, 0, 2},
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				mean := s.column(len(dst[0]))
				MeanVariance(mean, dst[0], in[0], int(p[0]), int(p[1]))
				for i, v := range dst[0] {
					if v != 0 {
						dst[0][i] = (in[0][i] - mean[i]) / math.Sqrt(v)
					}
				}
			},
		},
		{
			Name: "percentile_n", Aliases: []string{"percent_rank_n"}, Title: "Percentile Over Time",
			Doc:     "The rank of the value among the last n, itself included, as a fraction in (0, 1]; equal values share the mean of their ranks. O(n) a bar at worst.",
			Formula: "(count of less + (count of equal + 1)/2) / n", Source: "common knowledge", Oracle: "pandas rolling rank(pct=True)",
			Series: x(), Params: lengths(1), Outputs: within(0, 1),
			Warmup: before(0, 0),
			Eval:   percentile,
		},
		{
			Name: "linreg", Aliases: []string{"lsma"}, Title: "Linear Regression",
			Doc:     "The end of the straight line fitted by least squares through the last n values.",
			Formula: "3*wma(x, n) - 2*sma(x, n)", Source: "common knowledge", Oracle: "TA-Lib LINEARREG",
			Series: x(), Params: lengths(2), Outputs: only(SameAsX), Picture: Overlay,
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				LinearFit(dst[0], s.column(len(dst[0])), in[0], int(p[0]))
			},
		},
		{
			Name: "linreg_slope", Aliases: []string{"slope"}, Title: "Linear Regression Slope",
			Doc:     "The rise a bar of the straight line fitted by least squares through the last n values.",
			Formula: "6 * (wma(x, n) - sma(x, n)) / (n - 1)", Source: "common knowledge", Oracle: "TA-Lib LINEARREG_SLOPE",
			Series: x(), Params: lengths(2), Outputs: only(SameAsX), Levels: []float64{0},
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				LinearFit(s.column(len(dst[0])), dst[0], in[0], int(p[0]))
			},
		},
		{
			Name: "correlation", Aliases: []string{"correl", "corr"}, Title: "Correlation",
			Doc:     "Pearson's coefficient of the last n pairs. Absent where one of them did not move.",
			Formula: "covariance(x, y) / (stdev(x, n) * stdev(y, n))", Source: "Karl Pearson, 1895", Oracle: "TA-Lib CORREL",
			Series: []string{"x", "y"}, Params: lengths(2), Outputs: within(-1, 1), Levels: []float64{0},
			Warmup: before(0, 0),
			Eval: func(s *Scratch, dst, in [][]float64, p []float64) {
				pairs(s, in[0], in[1], int(p[0])).correlation(dst[0])
			},
		},
	})
}

// moments of the pairs of a window: means, and sums of products of distances from them.
type moments struct{ x, y, xx, yy, xy []float64 }

// correlation is Pearson's coefficient, absent where one of the two did not move.
func (m moments) correlation(dst []float64) {
	for i, c := range m.xy {
		r := ratio(c, float64(math.Sqrt(m.xx[i])*math.Sqrt(m.yy[i])))
		dst[i] = min(max(r, -1), 1)
	}
}

// pairs is the moments of the last n pairs, in scratch columns. Blocks and pivots as in MeanVariance.
func pairs(s *Scratch, x, y []float64, n int) moments {
	bars := len(x)
	m := moments{s.column(bars), s.column(bars), s.column(bars), s.column(bars), s.column(bars)}
	both := s.column(bars)
	for i, v := range x {
		both[i] = v + y[i]
		if y[i]-y[i] != 0 || v-v != 0 {
			both[i] = math.NaN()
		}
	}
	for i := 0; i < bars; {
		from, to := run(both, i)
		for _, c := range [...][]float64{m.x, m.y, m.xx, m.yy, m.xy} {
			absent(c[i:min(from+n-1, to)])
		}
		if to-from >= n {
			c := moments{m.x[from:to], m.y[from:to], m.xx[from:to], m.yy[from:to], m.xy[from:to]}
			c.fill(x[from:to], y[from:to], n)
		}
		i = to
	}
	return m
}

// five are sums of x, y, x^2, y^2 and xy, relative to pivots.
type five struct{ x, y, xx, yy, xy float64 }

func (f *five) add(dx, dy float64) {
	f.x += dx
	f.y += dy
	f.xx += float64(dx * dx)
	f.yy += float64(dy * dy)
	f.xy += float64(dx * dy)
}

// put stores the moments of a window with the sums f at bar i.
func (m moments) put(i int, f five, px, py, inv float64) {
	mx, my := float64(inv*f.x), float64(inv*f.y)
	m.x[i], m.y[i] = px+mx, py+my
	m.xx[i] = max(0, f.xx-float64(f.x*mx))
	m.yy[i] = max(0, f.yy-float64(f.y*my))
	m.xy[i] = f.xy - float64(f.x*my)
}

// fill computes the moments of at least n present pairs.
func (m moments) fill(x, y []float64, n int) {
	inv := 1 / float64(n)
	var f five
	px, py := x[n-1], y[n-1]
	for k := range n {
		f.add(x[k]-px, y[k]-py)
	}
	m.put(n-1, f, px, py, inv)
	for b := n; b < len(x); b += n {
		end := min(b+n, len(x))
		px, py := x[b], y[b]
		var right, left five
		for j := b - 1; j > b-n; j-- {
			right.add(x[j]-px, y[j]-py)
			if i := j + n - 1; i < len(x) {
				m.x[i], m.y[i], m.xx[i], m.yy[i], m.xy[i] = right.x, right.y, right.xx, right.yy, right.xy
			}
		}
		for i := b; i < end; i++ {
			left.add(x[i]-px, y[i]-py)
			f := left
			if i < b+n-1 {
				f.x += m.x[i]
				f.y += m.y[i]
				f.xx += m.xx[i]
				f.yy += m.yy[i]
				f.xy += m.xy[i]
			}
			m.put(i, f, px, py, inv)
		}
	}
}

// percentile keeps the window sorted.
func percentile(s *Scratch, dst, in [][]float64, p []float64) {
	x, n := in[0], int(p[0])
	sorted := s.column(n)
	for i := 0; i < len(x); {
		from, to := run(x, i)
		absent(dst[0][i:min(from+n-1, to)])
		w := sorted[:0]
		for i = from; i < to; i++ {
			if len(w) == n {
				w = remove(w, x[i-n])
			}
			var less int
			w, less = insert(w, x[i])
			if len(w) == n {
				equal := 0
				for _, v := range w[less:] {
					if v != x[i] {
						break
					}
					equal++
				}
				dst[0][i] = (float64(less) + float64(equal+1)/2) / p[0]
			}
		}
	}
}

// search is the number of values in sorted w less than v.
func search(w []float64, v float64) int {
	low, high := 0, len(w)
	for low < high {
		middle := (low + high) / 2
		if w[middle] < v {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// insert puts v into sorted w and says how many values are less; remove takes one v out.
func insert(w []float64, v float64) ([]float64, int) {
	k := search(w, v)
	w = w[:len(w)+1]
	copy(w[k+1:], w[k:])
	w[k] = v
	return w, k
}

func remove(w []float64, v float64) []float64 {
	k := search(w, v)
	copy(w[k:], w[k+1:])
	return w[:len(w)-1]
}
