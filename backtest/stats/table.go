package stats

import "slices"

// table has a row for every metric, in the order in which they are written. To add a metric, add a
// row: encoding, documentation, conditions and reports follow, and a test asks for its vector.
var table = slices.Concat(returnRows, moreReturnRows, beyondReturnRows, riskRows, moreRiskRows, beyondRiskRows, rareRiskRows, ratioRows, beyondRatioRows, rareRatioRows,
	drawdownRows, moreDrawdownRows, rareDrawdownRows, tailRows, moreTailRows, extremeTailRows, beyondTailRows, rareTailRows, tradeRows, moreTradeRows, extremeTradeRows, beyondTradeRows,
	rareTradeRows, benchmarkRows, moreBenchmarkRows, beyondBenchmarkRows, rareBenchmarkRows, exposureRows, concentrationRows, beyondExposureRows, rareExposureRows, costRows)

// What rows need, said once.
const (
	needsSession  = "at least one session"
	needsTwo      = "at least two session returns"
	needsVary     = "at least two session returns that vary"
	needsYear     = "at least 365 calendar days and equity that stays positive"
	needsMonth    = "at least one complete month"
	needsDrawdown = "a drawdown"
	needsTrade    = "at least one closed trade"
	needsWin      = "at least one winning trade"
	needsLoss     = "at least one losing trade"
	needsBoth     = "at least one winning and one losing trade"
	needsBench    = "a benchmark with a price at every session"
	needsHold     = "the buy-and-hold run"
	needsExposure = "exposure at the session closes"
)
