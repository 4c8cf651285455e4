package stats

// Formulas with a threshold that the table fixes at 0, opened for published vectors.

// WithThreshold computes downside deviation, Kappa 3, upside potential ratio and omega of returns.
func WithThreshold(r []float64, mar float64) (downside, kappa3, upside, omega float64) {
	w := &work{r: r, raw: momentsOf(r)}
	return w.downside(mar), w.kappa3(mar), w.upsidePotential(mar), w.omega(mar)
}

// SquaredRuns are the squared runs of losses of returns times unit, in units.
func SquaredRuns(r []float64, unit float64) float64 {
	scaled := make([]float64, len(r))
	for i, v := range r {
		scaled[i] = v * unit
	}
	return squaredRuns(scaled) / unit / unit
}

// Select is the selection of the k lowest values.
func Select(x []float64, k int) { lower(x, k) }

// TailMean is the exact mean of the lowest share p.
func TailMean(sorted []float64, p float64) float64 { return tail{len(sorted), sorted}.mean(p) }

// Ascending are the values of x sorted.
func Ascending(x []float64) []float64 { return ascending(x, momentsOf(x)) }

// Entropic is the entropic value at risk of returns at 5 %.
func Entropic(r []float64) float64 { return entropic(r, variance(r).sd(), 0.05) }
