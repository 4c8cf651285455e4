package stats

import (
	"math"
	"slices"

	"backtester/backtest/instrument"
)

// YearFigure is one calendar year by itself.
type YearFigure struct {
	Period
	Volatility, Sharpe   float64 // scaled to a year; NaN where undefined
	BestDay, WorstDay    float64
	Benchmark, Multiple  float64 // its return in the same year, and the year's return over it; NaN without one
	BenchmarkFall, Ahead float64 // its deepest fall, and the year's return less its own
}

// YearFigures takes the years of a run apart. benchmark may be nil. Cost: O(sessions).
func YearFigures(in *Input, benchmark []float64) []YearFigure {
	years := Years(in.Dates, in.Equity)
	r := Returns(nil, in.Equity)
	perYear := in.PeriodsPerYear
	rf := perPeriod(in.RiskFreeAnnual, perYear)
	var theirs []Period
	if sound(benchmark, len(in.Dates)) {
		theirs = Years(in.Dates, benchmark)
	}
	out := make([]YearFigure, len(years))
	at := 0
	for i, y := range years {
		x := r[at:min(at+y.Sessions, len(r))]
		at += y.Sessions
		m := momentsOf(x)
		nan := math.NaN()
		f := YearFigure{Period: y, Volatility: finite(m.sd() * math.Sqrt(perYear)), Sharpe: finite(safeDiv(m.mean-rf, m.sd()) * math.Sqrt(perYear)),
			BestDay: most(x), WorstDay: least(x), Benchmark: nan, Multiple: nan, BenchmarkFall: nan, Ahead: nan}
		if i < len(theirs) && theirs[i].Year == y.Year {
			b := theirs[i]
			f.Benchmark, f.BenchmarkFall, f.Ahead, f.Multiple = b.Return, b.Drawdown, y.Return-b.Return, safeDiv(y.Return, b.Return)
		}
		out[i] = f
	}
	return out
}

// Horizon is how every stretch of so many years turned out, whenever it began.
type Horizon struct {
	Years, Windows          int
	Low, P5, Median, P95    float64 // growth a year, fractions
	High, Loss              float64 // share of stretches that lost
	Behind                  float64 // share that did worse than the benchmark, NaN without one
	WorstStart, WorstFinish instrument.Date
}

// Horizons are the stretches of one, three, five and ten years that begin at every session; those that the
// run is too short for are left out. They overlap, so that they are far fewer than they seem. benchmark may
// be nil. Cost: O(sessions log sessions).
func Horizons(dates []instrument.Date, equity, benchmark []float64) []Horizon {
	var out []Horizon
	withBench := sound(benchmark, len(dates))
	for _, years := range []int{1, 3, 5, 10} {
		h := Horizon{Years: years, Behind: math.NaN(), Low: math.Inf(1)}
		var rates []float64
		lost, behind, end := 0, 0, 0
		for t := range dates {
			target := instrument.Date(float64(dates[t]) + math.Round(365.25*float64(years)))
			for end < len(dates) && dates[end] < target {
				end++
			}
			if end >= len(dates) || !(equity[t] > 0) || !(equity[end] >= 0) {
				break
			}
			x := math.Pow(equity[end]/equity[t], 1/float64(years)) - 1
			rates = append(rates, x)
			if x < 0 {
				lost++
			}
			if withBench && equity[end]/equity[t] < benchmark[end]/benchmark[t] {
				behind++
			}
			if x < h.Low {
				h.Low, h.WorstStart, h.WorstFinish = x, dates[t], dates[end]
			}
		}
		if len(rates) < 2 {
			continue
		}
		slices.Sort(rates)
		n := float64(len(rates))
		h.Windows, h.Loss = len(rates), float64(lost)/n
		h.P5, h.Median, h.P95, h.High = Quantile(rates, .05), Quantile(rates, .5), Quantile(rates, .95), rates[len(rates)-1]
		if withBench {
			h.Behind = float64(behind) / n
		}
		out = append(out, h)
	}
	return out
}

// Stress is a time that many remember, and what happened to a run in it.
type Stress struct {
	Name              string
	From, To          instrument.Date
	Return, Benchmark float64 // from the close of From to the close of To; Benchmark is NaN without one
	Drawdown          float64 // deepest fall from a close since From
}

// stresses are peaks and troughs of the S&P 500 by closes, and days that are remembered.
func stresses() []Stress {
	d := instrument.NewDate
	return []Stress{
		{Name: "End of the internet boom", From: d(2000, 3, 24), To: d(2002, 10, 9)},
		{Name: "11 September 2001", From: d(2001, 9, 10), To: d(2001, 9, 21)},
		{Name: "Financial crisis", From: d(2007, 10, 9), To: d(2009, 3, 9)},
		{Name: "Flash crash", From: d(2010, 5, 5), To: d(2010, 5, 7)},
		{Name: "Downgrade of US debt", From: d(2011, 7, 22), To: d(2011, 10, 3)},
		{Name: "August 2015", From: d(2015, 8, 17), To: d(2015, 8, 25)},
		{Name: "Start of 2016", From: d(2015, 12, 31), To: d(2016, 2, 11)},
		{Name: "Brexit vote", From: d(2016, 6, 23), To: d(2016, 6, 27)},
		{Name: "Short volatility, 2018", From: d(2018, 1, 26), To: d(2018, 2, 8)},
		{Name: "End of 2018", From: d(2018, 9, 20), To: d(2018, 12, 24)},
		{Name: "Covid, the fall", From: d(2020, 2, 19), To: d(2020, 3, 23)},
		{Name: "Covid, the recovery", From: d(2020, 3, 23), To: d(2020, 8, 18)},
		{Name: "Rising interest, 2022", From: d(2022, 1, 3), To: d(2022, 10, 12)},
		{Name: "Regional banks, 2023", From: d(2023, 3, 6), To: d(2023, 3, 13)},
		{Name: "August 2024", From: d(2024, 7, 16), To: d(2024, 8, 5)},
		{Name: "Tariffs, 2025", From: d(2025, 2, 19), To: d(2025, 4, 8)},
	}
}

// Stresses are those times that a run covers whole. benchmark may be nil.
func Stresses(dates []instrument.Date, equity, benchmark []float64) []Stress {
	var out []Stress
	for _, s := range stresses() {
		from, to := firstFrom(dates, s.From+1)-1, firstFrom(dates, s.To+1)-1 // the last closes until then
		if from < 0 || to <= from || s.To > dates[len(dates)-1] || !(equity[from] > 0) {
			continue
		}
		s.Return, s.Benchmark = change(equity[from], equity[to]), math.NaN()
		if sound(benchmark, len(dates)) {
			s.Benchmark = change(benchmark[from], benchmark[to])
		}
		peak := equity[from]
		for _, v := range equity[from : to+1] {
			peak = math.Max(peak, v)
			s.Drawdown = math.Min(s.Drawdown, below(v, peak))
		}
		out = append(out, s)
	}
	return out
}

// Holding is what one symbol held of equity at each session close, by the value of positions at entry.
type Holding struct {
	Symbol string
	Share  []float64 // fraction of equity, positive for short ones too
}

// Holdings are those of the symbols that held most over the run, in that order, and of all others together
// under the name "others" when there are more than so many.
func Holdings(dates []instrument.Date, equity []float64, trades []Trade, symbols int) []Holding {
	type part struct {
		name   string
		trades []Trade
		weight float64
	}
	place := map[string]int{}
	var parts []part
	for i := range trades {
		name := trades[i].Symbol
		k, ok := place[name]
		if !ok {
			k = len(parts)
			place[name] = k
			parts = append(parts, part{name: name})
		}
		parts[k].trades = append(parts[k].trades, trades[i])
		to := trades[i].Exit
		if trades[i].Open {
			to = dates[len(dates)-1]
		}
		parts[k].weight += trades[i].EntryValue * math.Max(1, float64(to)-float64(trades[i].Entry))
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	if len(parts) > symbols {
		rest := part{name: "others"}
		for _, p := range parts[symbols:] {
			rest.trades = append(rest.trades, p.trades...)
		}
		parts = append(parts[:symbols:symbols], rest)
	}
	var out []Holding
	for _, p := range parts {
		h := HeldOf(dates, equity, p.trades)
		for t := range h.Long {
			h.Long[t] += h.Short[t]
		}
		out = append(out, Holding{p.name, h.Long})
	}
	return out
}
