// Package stats is the only place where a ratio is computed: every statistic of a run, in one table
// with its unit, formula, source and sense.
//
// In: plain numbers (an equity curve with its dates, trades, flows). Out: Metrics, the tables of a
// report (drawdowns, months, years, groups of trades), and conditions on metrics. It refuses
// nothing: a statistic that the input does not define stays undefined, with its reason, and is never
// replaced by a sentinel, NaN or infinity in what it writes.
//
// Conventions. The base series is the simple return of marked-to-market equity from session close to
// session close, every session included. Drawdown is taken from bar-close equity including the
// starting equity. Losses are negative numbers. Standard deviations divide by n-1, volatility-like
// figures are annualised by the square root of the sessions in a year, and money statistics of
// trades use closed round trips after costs. All sums run in input order and are compensated, so
// equal input gives equal bits.
package stats

import (
	"fmt"
	"math"

	"backtester/backtest/instrument"
)

// Input is what a run leaves behind. Slices are read, never written or kept.
type Input struct {
	// Dates of the sessions, strictly increasing, n+1 long. Element 0 is the session at whose close
	// the run started, the session of V_0.
	Dates []instrument.Date
	// Equity at the session closes, USD, as long as Dates. Equity[0] is V_0, the starting equity.
	Equity []float64

	// BarEquity is the equity at every bar close, V_0 first; nil when bars are sessions. Drawdown
	// is taken from it.
	BarEquity []float64
	// BarDates are the sessions of BarEquity, as long as it. Without them the drawdowns of bars have
	// lengths in bars but not in days.
	BarDates []instrument.Date

	PeriodsPerYear float64 // sessions in a year; 0 = found from Dates, see PeriodsPerYear
	RiskFreeAnnual float64 // fraction a year, de-annualised once as (1+rf)^(1/N)-1

	// Benchmark is a total-return level aligned with Dates, nil without one; its scale is free.
	Benchmark []float64
	// BuyAndHold is the equity of holding the run's symbols under the run's rules, aligned with
	// Dates, nil when it was not computed.
	BuyAndHold []float64

	Trades []Trade // round trips in order of exit, open ones included

	Gross, Net              []float64      // exposure at each session close as a fraction of equity, long + |short| and long - |short|
	Concentration           *Concentration // nil = not known
	InMarketBars, TotalBars int64          // bars with a position, all bars

	VolumeShare float64 // largest fill as a fraction of its bar's volume; 0 = not known
	Capacity    float64 // USD: least over fills of the equity before them at which they would be a tenth of their bar's volume; 0 = not known

	Traded                                            float64 // USD bought plus USD sold
	Commission, Slippage, Dividends, Interest, Borrow float64 // USD; costs positive, Dividends and Interest negative when paid

	Complete bool // false when equity ran out before the end

	// NoTrades and NoCosts say that trades, or exposure and costs, are not known rather than none: the
	// metrics of those groups are undefined. So it is for curves from elsewhere.
	NoTrades, NoCosts bool
}

// check panics on slices that do not belong together.
func (in *Input) check() {
	if len(in.Dates) != len(in.Equity) {
		panic(fmt.Sprintf("BUG: %d dates for %d values of equity", len(in.Dates), len(in.Equity)))
	}
}

// Concentration of the positions at session closes.
type Concentration struct {
	Most      float64 // largest |position| of any close, fraction of equity; 0 without one
	Largest   float64 // mean of the largest |position| at closes with one, fraction of equity; NaN without any
	Effective float64 // mean of 1/sum of squared shares of gross at closes with a position; NaN without any
}

// unknown reports whether nothing is known of what the metrics of a group are about.
func (in *Input) unknown(g Group) bool {
	switch g {
	case TradeGroup:
		return in.NoTrades
	case ExposureGroup, CostGroup:
		return in.NoCosts
	}
	return false
}

// Trade is a round trip in plain numbers.
type Trade struct {
	Symbol      string
	Reason      string  // name of the exit
	PnL         float64 // USD after costs, dividends included
	Return      float64 // PnL / EntryValue
	EntryValue  float64 // USD, positive
	Commission  float64 // USD, both ways
	Bars        int     // bars held
	Entry, Exit instrument.Date
	Long        bool
	Open        bool    // not closed at the end of the run; left out of all trade statistics but open_trades and open_pnl
	MAE, MFE    float64 // worst and best open profit, fraction of EntryValue
}

// Compute returns every metric of the table. Cost: O(bars + trades); quantiles select, only tails are sorted.
func Compute(in Input) Metrics {
	in.check()
	m := Metrics{value: make([]float64, len(table))}
	w := newWork(&in)
	for i := range table {
		m.value[i] = rowOf(w, i)
	}
	return m
}

// rowOf computes row i of the table.
func rowOf(w *work, i int) float64 {
	if w.in.unknown(table[i].Group) {
		return math.NaN()
	}
	return finite(table[i].of(w))
}
