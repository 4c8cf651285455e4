package report

import (
	"fmt"
	"slices"

	"backtester/backtest"
	"backtester/backtest/order"
)

// explanation says in sentences what became of the decisions of a run: how often each condition held,
// what became of the orders.
func explanation(c *backtest.Counts) []string { return append(conditionCounts(c), orderCounts(c)...) }

// orderCounts says what became of entries and exits.
func orderCounts(c *backtest.Counts) []string {
	out := []string{fmt.Sprintf("%s placed, %s ran out unfilled.", were(c.Orders, "entry order", "entry orders"), whole(c.Expired))}
	if n := c.Cancelled; n > 0 {
		out = append(out, fmt.Sprintf("%s cancelled unfilled, by cancel_when, a script, a later target, the fill of the other order of a pair, a reverse split or a delisting.", were(n, "entry", "entries")))
	}
	for _, k := range sortedKeys(c.Refused) {
		out = append(out, fmt.Sprintf("%s refused: %s.", were(c.Refused[k], "entry", "entries"), refusal(k)))
	}
	if n := c.Short.Orders; n > 0 {
		out = append(out, fmt.Sprintf("%s cut or refused for want of money: the largest gap was %s at its price, fees apart.", were(n, "entry", "entries"), money(c.Short.Most)))
	}
	for _, x := range []struct {
		n         int64
		one, many string
		what      string
	}{
		{c.Waiting, "entry order", "entry orders", "still worked unfilled at the end of the run"},
		{c.AmbiguousBars, "bar", "bars", "held both the stop and the target of a position, and a rule decided which came first"},
		{c.SettledBars, "bar was", "bars were", "settled by minutes: what came first within"},
		{c.UnsettledBars, "bar", "bars", "could not be settled by minutes: none are stored, or one holds both levels"},
		{c.AbsentExits, "stop or target was", "stops or targets were", "not placed because the price was absent"},
		{c.ExDateStops, "stop was", "stops were", "hit on an ex-date within the dividend"},
		{c.LastBar, "entry condition", "entry conditions", "held at the last bar: orders would work on the next one, which the run does not have"},
		{c.LargeFills, "fill", "fills", "took more than 10% of the volume of its bar"},
	} {
		switch {
		case x.n == 1:
			out = append(out, fmt.Sprintf("1 %s %s.", x.one, x.what))
		case x.n > 0:
			out = append(out, fmt.Sprintf("%s %s %s.", whole(x.n), x.many, x.what))
		}
	}
	return out
}

// were is so many things that something was done to: 1 entry was, 2 entries were.
func were(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one + " was"
	}
	return whole(n) + " " + many + " were"
}

// refusal is the word of a result with what it means.
func refusal(word string) string {
	if means := order.Refusal(word).Words(); means != "" {
		return word + " (" + means + ")"
	}
	return clean(word)
}

// conditionCounts says how many bars were warming up and how often each condition held.
func conditionCounts(c *backtest.Counts) []string {
	out := []string{fmt.Sprintf("Of %s bars at which entries were looked at, %s could decide; at %s some value was still warming up or absent.", whole(c.Bars), whole(c.Bars-c.Warming), whole(c.Warming))}
	switch {
	case c.Warming == 0:
		out[0] = fmt.Sprintf("Entries were looked at and could be decided at %s.", count(c.Bars, "bar"))
	case c.Bars > 0 && c.Warming == c.Bars:
		out[0] = fmt.Sprintf("None of %s bars could decide: at each some value was absent, because its window is longer than the history, or undefined, as after a division by zero.", whole(c.Bars))
	}
	for _, k := range sortedKeys(c.Signals) {
		out = append(out, fmt.Sprintf("%s held at %s.", clean(k), count(c.Signals[k], "bar")))
	}
	return out
}

// firstDecision says when a run could decide.
func firstDecision(s backtest.Session) string {
	if s == "" {
		return "no bar could decide"
	}
	return "first decision at the close of " + string(s)
}

// count names so many things: 1 bar, 2 bars.
func count(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return whole(n) + " " + thing
}

func whole(n int64) string { return number(float64(n), 0) }

func sortedKeys(m map[string]int64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
