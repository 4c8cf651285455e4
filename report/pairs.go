package report

import (
	"cmp"
	"slices"

	"backtester/backtest"
)

// TradePair is a trade of two runs that is not the same in both.
type TradePair struct {
	A, B int      // places in the trades of the runs; -1 in the run that did not make it
	In   []string // what differs when both made it: quantity, entry_price, exit_time, exit_price, exit_reason, commission, dividends, borrow
	At   string   // since when the runs differ here: at the entry, or at the first of the two exits
}

// PairedTrades are the trades of two runs A and B held against each other. Profits are in USD, open trades with
// theirs so far.
type PairedTrades struct {
	Same, Differ, OnlyA, OnlyB int            // trades that both made alike and with differences, and that one made
	BothA, BothB, RestA, RestB float64        // profits of what both made in each, and of what only one made
	In                         map[string]int // of the trades with differences, how many differ in what
	Pairs                      []TradePair    // all that are not the same, in the order of At
}

// PairTrades finds the trades that both runs made: same symbol, side and time of entry, the first with the first
// where a run has several. They are the same when everything that In of TradePair names is equal, bit for bit; of
// trades still open in both runs the last mark is no part of that. Quantities and prices of a trade are in the
// share basis of its exit, so that a split between two exits shows in them too. It takes time linear in the
// trades, apart from putting the differences in order.
func PairTrades(a, b []backtest.Trade) PairedTrades {
	type key struct{ symbol, side, entry string }
	of := func(t *backtest.Trade) key { return key{t.Symbol, t.Side, t.EntryTime} }
	waiting := make(map[key][]int, len(b))
	for k := range b {
		waiting[of(&b[k])] = append(waiting[of(&b[k])], k)
	}
	p := PairedTrades{In: map[string]int{}}
	for k := range a {
		x := of(&a[k])
		if len(waiting[x]) == 0 {
			p.OnlyA++
			p.RestA += a[k].PnL
			p.Pairs = append(p.Pairs, TradePair{A: k, B: -1, At: a[k].EntryTime})
			continue
		}
		other := waiting[x][0]
		waiting[x] = waiting[x][1:]
		p.BothA, p.BothB = p.BothA+a[k].PnL, p.BothB+b[other].PnL
		in, at := unlikeTrades(&a[k], &b[other])
		if len(in) == 0 {
			p.Same++
			continue
		}
		p.Differ++
		for _, what := range in {
			p.In[what]++
		}
		p.Pairs = append(p.Pairs, TradePair{A: k, B: other, In: in, At: at})
	}
	for k := range b {
		if x := of(&b[k]); len(waiting[x]) > 0 && waiting[x][0] == k {
			waiting[x] = waiting[x][1:]
			p.OnlyB++
			p.RestB += b[k].PnL
			p.Pairs = append(p.Pairs, TradePair{A: -1, B: k, At: b[k].EntryTime})
		}
	}
	slices.SortStableFunc(p.Pairs, func(x, y TradePair) int { return cmp.Compare(x.At, y.At) })
	return p
}

// unlikeTrades names what differs between two trades that began alike, and since when they do.
func unlikeTrades(a, b *backtest.Trade) (in []string, at string) {
	at = min(a.ExitTime, b.ExitTime)
	if a.Open != b.Open { // the last mark of the open one says nothing of when
		at = a.ExitTime
		if a.Open {
			at = b.ExitTime
		}
	}
	marks := a.Open && b.Open
	for _, f := range []struct {
		name        string
		same, entry bool
	}{{"quantity", a.Quantity == b.Quantity, true}, {"entry_price", a.EntryPrice == b.EntryPrice, true},
		{"exit_time", marks || a.ExitTime == b.ExitTime && a.Open == b.Open, false}, {"exit_price", marks || a.ExitPrice == b.ExitPrice, false},
		{"exit_reason", a.ExitReason == b.ExitReason, false}, {"commission", a.Commission == b.Commission, false},
		{"dividends", a.Dividends == b.Dividends, false}, {"borrow", marks || a.Borrow == b.Borrow, false}} {
		if f.same {
			continue
		}
		in = append(in, f.name)
		if f.entry {
			at = a.EntryTime
		}
	}
	return in, at
}
