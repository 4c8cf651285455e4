package stats

import "math"

// Rows of trades that few ask for.

var rareTradeRows = []Metric{
	{Key: "median_win", Name: "Median win", Unit: USD, Group: TradeGroup, Formula: "median of winning trades", Source: "definition", Sense: Higher, Needs: needsWin,
		Doc: "Far below the average win: few trades carry the result.",
		of:  func(w *work) float64 { return median(onSide(w.trades().pnl, 1)) }},
	{Key: "median_loss", Name: "Median loss", Unit: USD, Group: TradeGroup, Formula: "median of losing trades", Source: "definition", Sense: Higher, Needs: needsLoss,
		Doc: "Negative. Far above the average loss: a few losses are large.",
		of:  func(w *work) float64 { return median(onSide(w.trades().pnl, -1)) }},
	{Key: "median_trade_return", Name: "Median return of a trade", Unit: Fraction, Group: TradeGroup, Formula: "median return on entry value", Source: "definition", Sense: Higher, Needs: needsTrade,
		Doc: "What every second trade did not reach.",
		of:  func(w *work) float64 { return median(w.trades().ret) }},
	{Key: "best_trade_equity", Name: "Best trade on equity", Unit: Fraction, Group: TradeGroup, Formula: "max(profit/V before the entry)", Source: "definition", Sense: None, Needs: needsDated,
		Doc: "The most that one trade added to the account.",
		of:  func(w *work) float64 { return most(w.onEquity()) }},
	{Key: "expected_win_streak", Name: "Winning streak to expect", Unit: Count, Group: TradeGroup, Formula: "ln(n(1-p))/ln(1/p), p the share of winning trades", Source: "Schilling 1990", Sense: None, Needs: needsBoth,
		Doc: "Longest run of wins among so many independent trades.",
		of: func(w *work) float64 {
			n, p := float64(w.trades().closed), safeDiv(float64(w.trades().wins), float64(w.trades().closed))
			return streakOf(n, p)
		}},
	{Key: "max_win_bars", Name: "Longest holding of a winner", Unit: Bars, Group: TradeGroup, Formula: "max bars held", Source: "definition", Sense: None, Needs: needsWin,
		Doc: "Bars from entry to exit.",
		of:  func(w *work) float64 { return most(w.trades().winBars) }},
	{Key: "max_loss_bars", Name: "Longest holding of a loser", Unit: Bars, Group: TradeGroup, Formula: "max bars held", Source: "definition", Sense: None, Needs: needsLoss,
		Doc: "Far above that of winners: losses were sat out.",
		of:  func(w *work) float64 { return most(w.trades().lossBars) }},
	{Key: "median_days", Name: "Median holding, days", Unit: Days, Group: TradeGroup, Formula: "median of exit date - entry date", Source: "definition", Sense: None, Needs: needsTrade,
		Doc: "Calendar days.",
		of:  func(w *work) float64 { return median(w.trades().days) }},
	{Key: "max_days", Name: "Longest holding, days", Unit: Days, Group: TradeGroup, Formula: "max of exit date - entry date", Source: "definition", Sense: None, Needs: needsTrade,
		Doc: "Calendar days.",
		of:  func(w *work) float64 { return most(w.trades().days) }},
	{Key: "average_win_days", Name: "Average holding of winners, days", Unit: Days, Group: TradeGroup, Formula: "mean of exit date - entry date", Source: "definition", Sense: None, Needs: needsWin,
		Doc: "Calendar days.",
		of:  func(w *work) float64 { return mean(w.trades().winDays) }},
	{Key: "average_loss_days", Name: "Average holding of losers, days", Unit: Days, Group: TradeGroup, Formula: "mean of exit date - entry date", Source: "definition", Sense: None, Needs: needsLoss,
		Doc: "Compare with that of winners.",
		of:  func(w *work) float64 { return mean(w.trades().lossDays) }},
	{Key: "worst_end_trade_drawdown", Name: "Most given back before exit", Unit: Fraction, Group: TradeGroup, Formula: "min(return - best open profit)", Source: "definition", Sense: Higher, Needs: needsTrade,
		Doc: "The most that one trade lost from its best moment to its exit.",
		of: func(w *work) float64 {
			worst := math.NaN()
			for i, v := range w.trades().ret {
				if d := v - w.trades().mfe[i]; !(d >= worst) {
					worst = d
				}
			}
			return worst
		}},
	{Key: "intra_trade_drawdown", Name: "Intratrade drawdown", Unit: USD, Group: TradeGroup, Formula: "min(closed profit before + worst open profit - highest of closed profit and of closed profit + best open profit of the trades before)", Source: "definition", Sense: Higher, Needs: "closed trades of which each began when the one before had ended",
		Doc: "Deepest fall of the profit, open profit included. Best and worst moment of one and the same trade are not set against each other, as which came first is not kept: it was at least so deep.",
		of:  func(w *work) float64 { return intraTrade(w.in.Trades) }},
	{Key: "probability_of_edge", Name: "Probability of an edge", Unit: Probability, Group: TradeGroup, Formula: "P(p > 1/(1 + payoff)), p of Beta(1 + winning, 1 + losing)", Source: "Bayes 1763, uniform prior", Sense: Higher, Needs: needsBoth,
		Doc: "Probability that wins are frequent enough for the payoff, for independent trades and a payoff that stays as it was.",
		of:  func(w *work) float64 { return w.trades().edge() }},
	{Key: "cpc", Name: "CPC index", Unit: Ratio, Group: TradeGroup, Formula: "profit_factor win_rate payoff", Source: "quantstats, of trades", Sense: Higher, Needs: needsBoth,
		Doc: "Its factors are not independent: a large one is counted twice.",
		of: func(w *work) float64 {
			t := w.trades()
			return safeDiv(t.profit, -t.loss) * safeDiv(float64(t.wins), float64(t.closed)) * safeDiv(t.avgWin(), -t.avgLoss())
		}},
	{Key: "common_sense", Name: "Common sense ratio", Unit: Ratio, Group: TradeGroup, Formula: "profit_factor tail_ratio", Source: "quantstats, of trades", Sense: Higher, Needs: needsLoss + " and a loss in the lower tail",
		Doc: "Below 1: trades or tails lose. What pyfolio calls so is the tail ratio times 1 + its annual return.",
		of:  func(w *work) float64 { return safeDiv(w.trades().profit, -w.trades().loss) * w.tailRatio() }},
}

// streakOf is the longest run to expect of an event of probability p among n independent ones (Schilling
// 1990); NaN where the event is sure, impossible or too rare for the approximation.
func streakOf(n, p float64) float64 {
	if !(p > 0 && p < 1) || n*(1-p) < 1 {
		return math.NaN()
	}
	return math.Log(n*(1-p)) / -math.Log(p)
}

// intraTrade is the deepest fall of the running profit of trades that follow each other, each taken at
// its worst; NaN when there is none or two were held at once.
func intraTrade(trades []Trade) float64 {
	closed, peak, fall := 0.0, 0.0, math.NaN()
	var last *Trade
	for i := range trades {
		t := &trades[i]
		if t.Open {
			continue
		}
		if last != nil && t.Entry < last.Exit {
			return math.NaN()
		}
		last = t
		d := min(closed+t.MAE*t.EntryValue, closed+t.PnL) - peak
		if !(d >= fall) {
			fall = d
		}
		peak = max(peak, closed+t.MFE*t.EntryValue, closed+t.PnL)
		closed += t.PnL
	}
	return fall
}
