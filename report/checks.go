package report

import (
	"fmt"

	"backtester/backtest/fill"
	"backtester/backtest/stats"
)

// check is one of the seven ways in which backtests deceive, and what this run says about it.
type check struct{ Name, State, Text string }

// checks follow the seven sins of quantitative investing (Luo et al., Deutsche Bank 2014). A state
// is checked, open or n/a: open means that the reader has to answer it.
func (v *view) checks() []check {
	if v.external() {
		return v.externalChecks()
	}
	return []check{v.survivorship(), v.lookAhead(), v.story(), v.snooping(), v.turnover(), v.outliers(), v.shorting()}
}

// externalChecks are those of a curve from elsewhere, which says next to nothing about how it was made.
func (v *view) externalChecks() []check {
	out := []check{v.survivorship(), v.lookAhead(), v.story(), v.snooping(), v.turnover(), v.outliers(), v.shorting()}
	for i := range out {
		switch out[i].Name {
		case "Survivorship", "Look-ahead", "Turnover and costs", "Shorting":
			out[i].State, out[i].Text = "open", "The curve comes from elsewhere and does not tell."
		}
	}
	return out
}

func (v *view) survivorship() check {
	ended := 0
	for _, c := range v.Data.Coverage {
		if c.Ended != "" {
			ended++
		}
	}
	text := fmt.Sprintf("The universe is a list of %d symbols fixed beforehand, %d of which ended within the run.", len(v.Data.Symbols), ended)
	return check{"Survivorship", "open", text + " Whether they were chosen for having survived is not known to the report."}
}

func (v *view) lookAhead() check {
	text := "Expressions see only bars that have ended, and orders fill later than they are decided."
	if n := v.Counts.SameBarFills; n > 0 || v.Config != nil && v.Config.Fills.Market == fill.ThisClose {
		return check{"Look-ahead", "open", count(n, "fill") + " happened at the close of the bar that decided."}
	}
	return check{"Look-ahead", "checked", text}
}

func (v *view) story() check {
	return check{"Story-telling", "open", "A rule that was thought of after seeing the prices explains them too well. Only data from after the idea can test it."}
}

func (v *view) snooping() check {
	if s := v.selection; s != nil && s.DSR != nil {
		state := "checked"
		if *s.DSR < .95 {
			state = "open"
		}
		return check{"Overfitting", state, fmt.Sprintf("The history counts %s trials on this data; deflated by them the probability of a true edge is %s. Trials made elsewhere are not in it.",
			whole(s.Trials), inUnit(stats.Probability, *s.DSR))}
	}
	return check{"Overfitting", "open", "The Sharpe ratio of this page is that of a single trial: trials are not recorded for it, and it is not deflated. Each one tried makes the best of them look better than it is."}
}

func (v *view) turnover() check {
	costs := v.value("total_costs")
	if costs == 0 && v.value("traded_value") > 0 {
		return check{"Turnover and costs", "open", "Nothing was charged for trading."}
	}
	text := fmt.Sprintf("%s were charged on %s traded (turnover %s a year, costs %s of equity a year).", money(costs), money(v.value("traded_value")), v.text("turnover"), v.text("cost_drag"))
	if x := v.value("break_even_cost"); x > 0 {
		text += fmt.Sprintf(" The profit would be gone at a further %s of every dollar traded.", percent(x))
	}
	if n := v.Counts.LargeFills; n > 0 {
		return check{"Turnover and costs", "open", text + " " + count(n, "fill") + " took more than 10% of the volume of the bar."}
	}
	return check{"Turnover and costs", "checked", text}
}

func (v *view) outliers() check {
	x := v.text("top_5_trades_share")
	if x == undefinedText {
		return check{"Outliers", "n/a", "There is no profit of closed trades to take apart."}
	}
	state := "checked"
	if v.value("top_5_trades_share") > 0.5 {
		state = "open"
	}
	return check{"Outliers", state, fmt.Sprintf("The best trade made %s of the closed profit, the best five %s. The best session was %s, the worst %s.",
		v.text("top_trade_share"), x, v.text("best_day"), v.text("worst_day"))}
}

func (v *view) shorting() check {
	if v.Config == nil || v.Config.Short == nil {
		return check{"Shorting", "n/a", "The strategy does not sell short."}
	}
	if t := v.Config.Costs.Borrow.Table; t != "" {
		return check{"Shorting", "checked", fmt.Sprintf("Borrowing costs what %s says (%s in all); that shares were always to be had is assumed.", t, v.text("total_borrow"))}
	}
	if v.Config.Costs.Borrow.Annual == 0 {
		return check{"Shorting", "open", "Borrowed shares cost nothing here, and were always to be had."}
	}
	return check{"Shorting", "checked", fmt.Sprintf("Borrowing costs %s a year (%s in all); that shares were always to be had is assumed.", share(v.Config.Costs.Borrow.Annual), v.text("total_borrow"))}
}
