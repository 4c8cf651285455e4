package backtest_test

import (
	"math"
	"strings"
	"testing"

	"backtester/backtest"
)

// checkBooks compares the stated lines of the books, KEY VALUE, and of what trades paid and got besides
// their prices: SYMBOL dividends|in_lieu|borrow VALUE, over all trades of the symbol. Stated or not,
// the lines must add up.
func (sc *scenario) checkBooks(t *testing.T, r *backtest.Result) {
	t.Helper()
	b := r.Books
	got := map[string]float64{"start": b.Start, "closed": b.Closed, "open": b.Open, "interest": b.Interest, "borrow": b.Borrow, "end": b.End,
		"commission": b.Commission, "dividends": b.Dividends, "in_lieu": b.InLieu}
	sums := map[string]float64{}
	for _, x := range r.Trades {
		part := "closed"
		if x.Open {
			part = "open"
		}
		for key, v := range map[string]float64{part: x.PnL, "commission": x.Commission, "dividends": x.Dividends, "in_lieu": x.InLieu, "borrow": x.Borrow} {
			sums[key] += v
			sums[x.Symbol+" "+key] += v
		}
	}
	gross := b.Start
	for _, f := range r.Fills {
		gross += math.Abs(f.Quantity * f.Price)
	}
	agree := func(what string, x, y float64) {
		if !(math.Abs(x-y) <= 1e-9*max(1, gross)) {
			t.Errorf("%s: %.12g is not %.12g", what, x, y)
		}
	}
	agree("start, trades, interest and borrow against the end", b.Start+b.Closed+b.Open+b.Interest-b.Borrow, b.End)
	agree("end of the books against the equity", b.End, r.Equity.Value[len(r.Equity.Value)-1])
	for _, key := range []string{"closed", "open", "commission", "dividends", "in_lieu", "borrow"} {
		agree(key+" of all trades against the books", sums[key], got[key])
	}
	for _, f := range sc.lines("books") {
		x, ok := got[f[0]]
		if len(f) == 3 {
			x, ok = sums[strings.Join(f[:2], " ")], true
		}
		if want := f[len(f)-1]; !ok || !sameNumbers(num(x), want) {
			t.Errorf("books: %s is %.12g, want %s", strings.Join(f[:len(f)-1], " "), x, want)
		}
	}
}
