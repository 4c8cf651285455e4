package stats

import "math"

// Rows about extremes: tails beyond the sample, forecasts that are checked, excursions in money, and how
// much of the market and of the account single positions take.

var extremeTailRows = []Metric{
	{Key: "var_99_gpd", Name: "Value at risk, 99%, extreme value", Unit: Fraction, Group: TailGroup, Formula: "-(u + b/x ((n/k 1%)^-x - 1)), generalised Pareto law of losses beyond their 95% quantile u, by probability-weighted moments", Source: "Hosking and Wallis 1987; McNeil and Frey 2000", Sense: Higher, Needs: needsTail,
		Doc: "What the shape of the tail says of one session in a hundred, where the sample has few.",
		of:  func(w *work) float64 { return -w.pareto().quantile(0.01) }},
	{Key: "es_99_gpd", Name: "Expected shortfall, 99%, extreme value", Unit: Fraction, Group: TailGroup, Formula: "-(VaR + b - x u)/(1 - x)", Source: "Hosking and Wallis 1987; McNeil and Frey 2000", Sense: Higher, Needs: needsTail + ", with a tail that has a mean",
		Doc: "Average loss of the sessions beyond that.",
		of:  func(w *work) float64 { return -w.pareto().shortfall(0.01) }},
	{Key: "tail_index", Name: "Tail index", Unit: Ratio, Group: TailGroup, Formula: "shape x of the generalised Pareto law of var_99_gpd", Source: "Hosking and Wallis 1987", Sense: Lower, Needs: needsTail,
		Doc: "0: losses thin out as in the normal law; above 0.3: large losses come that nothing in the sample announces.",
		of:  func(w *work) float64 { return w.pareto().shape }},
	{Key: "var_breaches", Name: "Sessions beyond the forecast VaR", Unit: Fraction, Group: TailGroup, Formula: "count(r < m - 1.645 s)/count, m and s of the 252 sessions before", Source: "Kupiec 1995", Sense: None, Needs: needsForecast,
		Doc: "0.05 when a normal law of the year before forecasts the risk of the next session; more when it hides some.",
		of:  func(w *work) float64 { return w.forecast().rate() }},
	{Key: "kupiec_p", Name: "Kupiec p", Unit: Probability, Group: TailGroup, Formula: "P(chi2_1 > -2 ln L(0.05)/L(var_breaches))", Source: "Kupiec 1995", Sense: None, Needs: needsForecast,
		Doc: "Small: the forecast of var_breaches has the wrong level.",
		of:  func(w *work) float64 { return w.forecast().kupiec() }},
	{Key: "christoffersen_p", Name: "Christoffersen p", Unit: Probability, Group: TailGroup, Formula: "P(chi2_1 > -2 ln L(independent)/L(first-order Markov)) of the breaches", Source: "Christoffersen 1998", Sense: None, Needs: needsForecast + " and a breach",
		Doc: "Small: breaches follow breaches, losses come in clusters.",
		of:  func(w *work) float64 { return w.forecast().christoffersen() }},
}

var extremeTradeRows = []Metric{
	{Key: "average_mae_usd", Name: "Average adverse excursion, money", Unit: USD, Group: TradeGroup, Formula: "mean of the worst open profit", Source: "Sweeney 1996", Sense: Higher, Needs: needsTrade,
		Doc: "Negative: money a trade was behind at its worst.",
		of:  func(w *work) float64 { return mean(w.trades().maeUSD) }},
	{Key: "worst_mae_usd", Name: "Worst adverse excursion, money", Unit: USD, Group: TradeGroup, Formula: "min of the worst open profit", Source: "Sweeney 1996", Sense: Higher, Needs: needsTrade,
		Doc: "The most that any trade was behind.",
		of:  func(w *work) float64 { return least(w.trades().maeUSD) }},
	{Key: "average_mfe_usd", Name: "Average favourable excursion, money", Unit: USD, Group: TradeGroup, Formula: "mean of the best open profit", Source: "Sweeney 1996", Sense: Higher, Needs: needsTrade,
		Doc: "Money a trade was ahead at its best.",
		of:  func(w *work) float64 { return mean(w.trades().mfeUSD) }},
	{Key: "best_mfe_usd", Name: "Best favourable excursion, money", Unit: USD, Group: TradeGroup, Formula: "max of the best open profit", Source: "Sweeney 1996", Sense: None, Needs: needsTrade,
		Doc: "The most that any trade was ahead.",
		of:  func(w *work) float64 { return most(w.trades().mfeUSD) }},
	{Key: "average_mae_r", Name: "Average adverse excursion, multiples of the average loss", Unit: Ratio, Group: TradeGroup, Formula: "average_mae/|average_loss_return|", Source: "Tharp 1998", Sense: Higher, Needs: needsLoss,
		Doc: "Below -1: trades are deeper under water on average than losers are when they are closed.",
		of:  func(w *work) float64 { return safeDiv(mean(w.trades().mae), w.trades().unitLoss()) }},
	{Key: "average_mfe_r", Name: "Average favourable excursion, multiples of the average loss", Unit: Ratio, Group: TradeGroup, Formula: "average_mfe/|average_loss_return|", Source: "Tharp 1998", Sense: Higher, Needs: needsLoss,
		Doc: "How many average losses a trade was ahead at its best.",
		of:  func(w *work) float64 { return safeDiv(mean(w.trades().mfe), w.trades().unitLoss()) }},
}

var concentrationRows = []Metric{
	{Key: "max_weight", Name: "Largest position", Unit: Fraction, Group: ExposureGroup, Formula: "max over session closes of max|value|/V", Source: "definition", Sense: Lower, Needs: needsExposure,
		Doc: "What one company could take at once.",
		of:  func(w *work) float64 { return w.concentration().Most }},
	{Key: "average_largest", Name: "Average largest position", Unit: Fraction, Group: ExposureGroup, Formula: "mean of max|value|/V at session closes with a position", Source: "definition", Sense: Lower, Needs: "a position at a session close",
		Doc: "Near average_gross: one position is the whole portfolio.",
		of:  func(w *work) float64 { return w.concentration().Largest }},
	{Key: "effective_positions", Name: "Effective number of positions", Unit: Count, Group: ExposureGroup, Formula: "mean of 1/sum (|value|/gross)^2 at session closes with a position", Source: "Herfindahl 1950", Sense: None, Needs: "a position at a session close",
		Doc: "How many positions of equal size are as concentrated. 1 when there is one.",
		of:  func(w *work) float64 { return w.concentration().Effective }},
	{Key: "max_volume_share", Name: "Largest fill of its bar's volume", Unit: Fraction, Group: ExposureGroup, Formula: "max of quantity/volume over fills", Source: "definition", Sense: Lower, Needs: needsVolume,
		Doc: "Above 0.1 the market would have moved.",
		of:  func(w *work) float64 { return above0(w.in.VolumeShare) }},
	{Key: "capacity", Name: "Capacity", Unit: USD, Group: ExposureGroup, Formula: "least over fills of equity 0.1 volume/quantity", Source: "definition", Sense: Higher, Needs: needsVolume,
		Doc: "Equity at which the first order would have been a tenth of its bar's volume, if sizes grow with equity.",
		of:  func(w *work) float64 { return above0(w.in.Capacity) }},
}

const (
	needsTail     = "at least 400 sessions, the losses among the worst 5% not all equal"
	needsForecast = "at least 352 sessions"
	needsVolume   = "a fill on a bar with volume"
)

// pareto is a generalised Pareto law of losses (positive numbers) beyond a threshold, which share of
// all sessions exceed.
type pareto struct{ threshold, share, scale, shape float64 }

// pareto fits the losses beyond their 95 % quantile by probability-weighted moments (Hosking and Wallis
// 1987): with the excesses y rising, a0 = mean(y) and a1 = mean((1-p) y) for p = (i-0.35)/k, shape =
// 2 - a0/(a0-2 a1) and scale = 2 a0 a1/(a0-2 a1). All NaN where that is undefined.
func (w *work) pareto() *pareto {
	return w.memo.pareto.get(func() pareto { return paretoOf(w.ends().low) })
}

func paretoOf(t tail) pareto {
	nan := math.NaN()
	none := pareto{nan, nan, nan, nan}
	if t.n < 400 {
		return none
	}
	low := t.lowest
	u := -t.quantile(0.05)
	k := 0
	for k < len(low) && -low[k] > u {
		k++
	}
	var s0, s1 sum
	for i := range k {
		y := -low[k-1-i] - u // rising
		s0 = s0.add(y)
		s1 = s1.add((1 - (float64(i+1)-0.35)/float64(k)) * y)
	}
	a0, a1 := s0.value()/float64(k), s1.value()/float64(k)
	d := a0 - 2*a1
	if !(a0 > dust) || !(d > 1e-9*a0) { // no excess, or excesses that do not vary
		return none
	}
	return pareto{threshold: u, share: float64(k) / float64(t.n), scale: 2 * a0 * a1 / d, shape: 2 - a0/d}
}

// quantile is the loss that the share p of sessions exceeds.
func (g pareto) quantile(p float64) float64 {
	x := math.Log(g.share / p)
	if math.Abs(g.shape) < 1e-9 { // the limit, an exponential law
		return g.threshold + g.scale*x
	}
	return g.threshold + g.scale*math.Expm1(g.shape*x)/g.shape
}

// shortfall is the mean loss beyond that.
func (g pareto) shortfall(p float64) float64 {
	if !(g.shape < 1) {
		return math.NaN()
	}
	return (g.quantile(p) + g.scale - g.shape*g.threshold) / (1 - g.shape)
}

// breaches are how a forecast of the 5 % value at risk did: [before][now] counts sessions by whether
// the one before and the session itself were beyond it.
type breaches struct{ next [2][2]float64 }

const (
	forecastWindow = 252
	forecastLevel  = 0.05
)

// forecast is the value at risk of the normal law with the moments of the year before, followed from
// session to session. Sums of deviations are begun anew once a window, so that no error adds up.
func (w *work) forecast() *breaches {
	return w.memo.forecast.get(func() breaches { return forecast(w.r) })
}

func forecast(r []float64) breaches {
	var b breaches
	if len(r) < forecastWindow+100 {
		return b
	}
	const n = float64(forecastWindow)
	z := PhiInv(forecastLevel)
	near := 0.99 * z * z / (n - 1)
	before := -1
	var pivot, s1, s2 float64
	for t := forecastWindow; t < len(r); t++ {
		if (t-forecastWindow)%forecastWindow == 0 {
			past := r[t-forecastWindow : t]
			pivot, s1, s2 = mean(past), 0, 0
			for _, v := range past {
				d := v - pivot
				s1, s2 = s1+d, s2+float64(d*d)
			}
		}
		now := 0
		square := s2 - float64(s1*s1)*(1/n)
		if d := r[t] - pivot - s1*(1/n); d < 0 && d*d > near*square { // no root where it cannot matter
			variance := max(s2-float64(s1*s1)/n, 0) / (n - 1)
			now = b2i(r[t] < pivot+s1/n+float64(z*math.Sqrt(variance))-dust)
		}
		if before >= 0 {
			b.next[before][now]++
		}
		before = now
		in, out := r[t]-pivot, r[t-forecastWindow]-pivot
		s1, s2 = s1+(in-out), s2+(float64(in*in)-float64(out*out))
	}
	return b
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// counts are the sessions that had one before them: within the forecast, and beyond it.
func (b breaches) counts() (within, beyond float64) {
	return b.next[0][0] + b.next[1][0], b.next[0][1] + b.next[1][1]
}

func (b breaches) rate() float64 {
	in, out := b.counts()
	return safeDiv(out, in+out)
}

func (b breaches) kupiec() float64 {
	in, out := b.counts()
	if in+out == 0 {
		return math.NaN()
	}
	return chiP(2*(likelihood(in, out)-in*math.Log(1-forecastLevel)-out*math.Log(forecastLevel)), 1)
}

func (b breaches) christoffersen() float64 {
	in, out := b.counts()
	if out == 0 {
		return math.NaN()
	}
	return chiP(2*(likelihood(b.next[0][0], b.next[0][1])+likelihood(b.next[1][0], b.next[1][1])-likelihood(in, out)), 1)
}

// likelihood is the logarithm of that of n sessions within and k beyond at the rate k/(n+k).
func likelihood(n, k float64) float64 {
	l := 0.0
	if n > 0 {
		l += n * math.Log(n/(n+k))
	}
	if k > 0 {
		l += k * math.Log(k/(n+k))
	}
	return l
}

// unitLoss is the average losing trade as a positive fraction of its entry value.
func (t *tally) unitLoss() float64 { return -safeDiv(t.lossReturn, float64(t.losses)) }

// concentration of the positions, NaN where it is not known.
func (w *work) concentration() Concentration {
	if w.in.Concentration == nil {
		return Concentration{math.NaN(), math.NaN(), math.NaN()}
	}
	return *w.in.Concentration
}

// above0 is x where it is known, which 0 says it is not.
func above0(x float64) float64 {
	if !(x > 0) {
		return math.NaN()
	}
	return x
}
