package stats

import (
	"math"

	"backtester/backtest/instrument"
)

var drawdownRows = []Metric{
	{Key: "max_drawdown", Name: "Max drawdown", Unit: Fraction, Group: DrawdownGroup, Formula: "min(V_t/max(V_0..V_t) - 1) over bar closes", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Deepest fall from a peak, the starting equity included. Negative.",
		of:  func(w *work) float64 { return w.maxDrawdown() }},
	{Key: "max_drawdown_usd", Name: "Max drawdown, money", Unit: USD, Group: DrawdownGroup, Formula: "V_t - peak at the trough of the deepest drawdown", Source: "definition", Sense: Higher, Needs: needsDrawdown,
		Doc: "Money below the peak at that trough. Negative.",
		of:  func(w *work) float64 { return w.worst(func(e Episode) float64 { return e.USD }) }},
	{Key: "max_drawdown_peak", Name: "Max drawdown, peak", Unit: CivilDate, Group: DrawdownGroup, Formula: "session of the last bar at the peak", Source: "definition", Sense: None, Needs: needsDrawdown,
		Doc: "Where the deepest drawdown began.",
		of:  func(w *work) float64 { return w.worst(func(e Episode) float64 { return dated(e.PeakDate) }) }},
	{Key: "max_drawdown_trough", Name: "Max drawdown, trough", Unit: CivilDate, Group: DrawdownGroup, Formula: "session of its lowest bar", Source: "definition", Sense: None, Needs: needsDrawdown,
		Doc: "Where it was deepest.",
		of:  func(w *work) float64 { return w.worst(func(e Episode) float64 { return dated(e.TroughDate) }) }},
	{Key: "max_drawdown_recovery", Name: "Max drawdown, recovered", Unit: CivilDate, Group: DrawdownGroup, Formula: "session of the first bar back at the peak", Source: "definition", Sense: None, Needs: "a deepest drawdown that was recovered",
		Doc: "Empty while the drawdown is open.",
		of: func(w *work) float64 {
			return w.worst(closedOnly(func(e Episode) float64 { return dated(e.RecoveryDate) }))
		}},
	{Key: "max_drawdown_days", Name: "Max drawdown, length", Unit: Days, Group: DrawdownGroup, Formula: "peak to recovery, or to the end while open", Source: "definition", Sense: Lower, Needs: needsDrawdown,
		Doc: "Calendar days of the deepest drawdown.",
		of:  func(w *work) float64 { return w.worst(Episode.Days) }},
	{Key: "max_drawdown_bars", Name: "Max drawdown, bars", Unit: Bars, Group: DrawdownGroup, Formula: "peak to recovery, or to the end while open", Source: "definition", Sense: Lower, Needs: needsDrawdown,
		Doc: "Bars of the deepest drawdown.",
		of:  func(w *work) float64 { return w.worst(func(e Episode) float64 { return float64(e.Bars()) }) }},
	{Key: "max_drawdown_fall_days", Name: "Max drawdown, fall", Unit: Days, Group: DrawdownGroup, Formula: "peak to trough", Source: "definition", Sense: None, Needs: needsDrawdown,
		Doc: "Calendar days down.",
		of: func(w *work) float64 {
			return w.worst(func(e Episode) float64 { return daysBetween(e.PeakDate, e.TroughDate) })
		}},
	{Key: "max_drawdown_recovery_days", Name: "Max drawdown, way back", Unit: Days, Group: DrawdownGroup, Formula: "trough to recovery", Source: "definition", Sense: Lower, Needs: "a deepest drawdown that was recovered",
		Doc: "Calendar days up again. Empty while the drawdown is open.",
		of: func(w *work) float64 {
			return w.worst(closedOnly(func(e Episode) float64 { return daysBetween(e.TroughDate, e.RecoveryDate) }))
		}},
	{Key: "longest_drawdown_days", Name: "Longest drawdown", Unit: Days, Group: DrawdownGroup, Formula: "max length in calendar days, open one included", Source: "definition", Sense: Lower, Needs: needsDrawdown,
		Doc: "How long a holder waited for a new high.",
		of:  func(w *work) float64 { return most(w.lengths(Episode.Days)) }},
	{Key: "longest_drawdown_bars", Name: "Longest drawdown in bars", Unit: Bars, Group: DrawdownGroup, Formula: "max length in bars, open one included", Source: "definition", Sense: Lower, Needs: needsDrawdown,
		Doc: "The same in bars.",
		of:  func(w *work) float64 { return most(w.lengths(func(e Episode) float64 { return float64(e.Bars()) })) }},
	{Key: "current_drawdown", Name: "Current drawdown", Unit: Fraction, Group: DrawdownGroup, Formula: "V_n/max(V) - 1", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Depth at the end of the run; 0 at a high.",
		of: func(w *work) float64 {
			if w.underwater().n < 1 {
				return math.NaN()
			}
			return below(w.last(), w.underwater().peakEquity)
		}},
	{Key: "average_drawdown", Name: "Average drawdown", Unit: Fraction, Group: DrawdownGroup, Formula: "mean depth of the episodes", Source: "definition", Sense: Higher, Needs: needsDrawdown,
		Doc: "An open drawdown counts with its depth so far.",
		of:  func(w *work) float64 { return mean(w.lengths(func(e Episode) float64 { return e.Depth })) }},
	{Key: "average_drawdown_days", Name: "Average drawdown length", Unit: Days, Group: DrawdownGroup, Formula: "mean length of the episodes", Source: "definition", Sense: Lower, Needs: needsDrawdown,
		Doc: "Calendar days from peak to recovery, open one to the end.",
		of:  func(w *work) float64 { return mean(w.lengths(Episode.Days)) }},
	{Key: "drawdowns", Name: "Drawdowns", Unit: Count, Group: DrawdownGroup, Formula: "number of episodes", Source: "definition", Sense: None,
		Doc: "Times equity left its high.",
		of:  func(w *work) float64 { return float64(len(w.underwater().episodes)) }},
	{Key: "time_under_water", Name: "Time under water", Unit: Fraction, Group: DrawdownGroup, Formula: "bars below the peak / bars", Source: "definition", Sense: Lower, Needs: needsSession,
		Doc: "Share of bars at which equity was below an earlier high.",
		of:  func(w *work) float64 { return safeDiv(float64(w.underwater().under), float64(w.underwater().n)) }},
	{Key: "ulcer_index", Name: "Ulcer index", Unit: Fraction, Group: DrawdownGroup, Formula: "sqrt(mean(dd^2)) over bars", Source: "Martin and McCann 1989", Sense: Lower, Needs: needsSession,
		Doc: "Depth and length of all drawdowns in one number.",
		of:  func(w *work) float64 { return w.ulcer() }},
	{Key: "pain_index", Name: "Pain index", Unit: Fraction, Group: DrawdownGroup, Formula: "mean|dd| over bars", Source: "Becker and Moore 2006", Sense: Lower, Needs: needsSession,
		Doc: "Average depth.",
		of:  func(w *work) float64 { return w.pain() }},
	{Key: "dar_95", Name: "Drawdown at risk, 95%", Unit: Fraction, Group: DrawdownGroup, Formula: "5% quantile of dd over bars, type 7", Source: "Chekhlov, Uryasev and Zabarankin 2005", Sense: Higher, Needs: needsSession,
		Doc: "Depth exceeded at one bar in twenty.",
		of:  func(w *work) float64 { return w.depths().quantile(0.05) }},
	{Key: "cdar_95", Name: "Conditional drawdown at risk, 95%", Unit: Fraction, Group: DrawdownGroup, Formula: "mean of the deepest 5% of dd over bars, exact tail", Source: "Chekhlov, Uryasev and Zabarankin 2005", Sense: Higher, Needs: needsSession,
		Doc: "Average depth of the worst bar in twenty.",
		of:  func(w *work) float64 { return w.cdar() }},
	{Key: "recovery_factor", Name: "Recovery factor", Unit: Ratio, Group: DrawdownGroup, Formula: "net_profit/|max_drawdown_usd|", Source: "definition", Sense: Higher, Needs: needsDrawdown,
		Doc: "Negative for a loss.",
		of: func(w *work) float64 {
			return w.worst(func(e Episode) float64 { return safeDiv(w.last()-w.first(), -e.USD) })
		}},
	{Key: "max_run_up", Name: "Max run-up", Unit: Fraction, Group: DrawdownGroup, Formula: "max(V_t/min(V_0..V_{t-1}) - 1) over bar closes", Source: "definition", Sense: Higher, Needs: needsSession,
		Doc: "Largest rise from an earlier low.",
		of: func(w *work) float64 {
			if w.underwater().n < 1 {
				return math.NaN()
			}
			return w.underwater().runUp
		}},
}

var tailRows = []Metric{
	{Key: "var_95", Name: "Value at risk, 95%", Unit: Fraction, Group: TailGroup, Formula: "5% quantile of r, type 7", Source: "historical", Sense: Higher, Needs: needsSession,
		Doc: "One session in twenty is worse. Negative is a loss.",
		of:  func(w *work) float64 { return w.ends().low.quantile(0.05) }},
	{Key: "var_99", Name: "Value at risk, 99%", Unit: Fraction, Group: TailGroup, Formula: "1% quantile of r, type 7", Source: "historical", Sense: Higher, Needs: needsSession,
		Doc: "One session in a hundred is worse.",
		of:  func(w *work) float64 { return w.ends().low.quantile(0.01) }},
	{Key: "es_95", Name: "Expected shortfall, 95%", Unit: Fraction, Group: TailGroup, Formula: "mean of the worst 5% of r, exact tail", Source: "Rockafellar and Uryasev 2002", Sense: Higher, Needs: needsSession,
		Doc: "Average of the worst session in twenty.",
		of:  func(w *work) float64 { return w.ends().low.mean(0.05) }},
	{Key: "es_99", Name: "Expected shortfall, 99%", Unit: Fraction, Group: TailGroup, Formula: "mean of the worst 1% of r, exact tail", Source: "Rockafellar and Uryasev 2002", Sense: Higher, Needs: needsSession,
		Doc: "Average of the worst session in a hundred.",
		of:  func(w *work) float64 { return w.ends().low.mean(0.01) }},
	{Key: "var_95_normal", Name: "Value at risk, 95%, normal", Unit: Fraction, Group: TailGroup, Formula: "mean(r) - 1.645 sd(r)", Source: "parametric", Sense: Higher, Needs: needsTwo,
		Doc: "What the normal law would say.",
		of:  func(w *work) float64 { return w.raw.mean + PhiInv(0.05)*w.raw.sd() }},
	{Key: "var_95_cornish_fisher", Name: "Value at risk, 95%, Cornish-Fisher", Unit: Fraction, Group: TailGroup, Formula: "mean + h sd, h expanded in skewness and kurtosis, population moments", Source: "Cornish and Fisher 1937", Sense: Higher, Needs: "moments for which the expansion rises",
		Doc: "The normal figure corrected for skewness and fat tails.",
		of:  func(w *work) float64 { return cornishFisher(w.raw, 0.05) }},
	{Key: "var_99_cornish_fisher", Name: "Value at risk, 99%, Cornish-Fisher", Unit: Fraction, Group: TailGroup, Formula: "as var_95_cornish_fisher", Source: "Cornish and Fisher 1937", Sense: Higher, Needs: "moments for which the expansion rises",
		Doc: "The same at 99%.",
		of:  func(w *work) float64 { return cornishFisher(w.raw, 0.01) }},
	{Key: "es_95_normal", Name: "Expected shortfall, 95%, normal", Unit: Fraction, Group: TailGroup, Formula: "mean(r) - phi(1.645)/0.05 sd(r)", Source: "parametric", Sense: Higher, Needs: needsTwo,
		Doc: "What the normal law would say.",
		of: func(w *work) float64 {
			return w.raw.mean - density(PhiInv(0.05))/0.05*w.raw.sd()
		}},
	{Key: "tail_ratio", Name: "Tail ratio", Unit: Ratio, Group: TailGroup, Formula: "|95% quantile| / |5% quantile| of r, type 7", Source: "empyrical", Sense: Higher, Needs: "a 5% quantile other than 0",
		Doc: "Above 1: large gains exceed large losses.",
		of:  func(w *work) float64 { return w.tailRatio() }},
}

// dated is a date as a number, NaN for none.
func dated(d instrument.Date) float64 {
	if d == instrument.None {
		return math.NaN()
	}
	return float64(d)
}

// closedOnly leaves open episodes undefined.
func closedOnly(f func(Episode) float64) func(Episode) float64 {
	return func(e Episode) float64 {
		if e.Open {
			return math.NaN()
		}
		return f(e)
	}
}

// lengths is one number of every episode.
func (w *work) lengths(f func(Episode) float64) []float64 {
	out := make([]float64, len(w.underwater().episodes))
	for i, e := range w.underwater().episodes {
		out[i] = f(e)
	}
	return out
}

func (w *work) ulcer() float64 {
	return math.Sqrt(safeDiv(w.underwater().sum2, float64(w.underwater().n)))
}
func (w *work) pain() float64 { return safeDiv(-w.underwater().sum, float64(w.underwater().n)) }
func (w *work) cdar() float64 { return w.depths().mean(0.05) }

func (w *work) rootOfDepths() float64 {
	var s sum
	for _, e := range w.underwater().episodes {
		s = s.add(e.Depth * e.Depth)
	}
	return math.Sqrt(s.value())
}

func (w *work) tailRatio() float64 {
	low := math.Abs(w.ends().low.quantile(0.05))
	if !(low > dust) {
		return math.NaN()
	}
	return math.Abs(w.ends().high.quantile(0.05)) / low
}
