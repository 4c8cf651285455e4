package report

import (
	"math"
	"strings"

	"backtester/backtest"
)

// term of the sum that leads from the starting cash to the equity at the end.
type term struct {
	name string
	usd  float64 // as it counts: fees are negative
}

// terms are those of the books, without flows that there were none of.
func terms(b *backtest.Books) []term {
	all := []term{{"start", b.Start}, {"closed trades", b.Closed}}
	for _, t := range []term{{"open trades", b.Open}, {"interest", b.Interest}, {"borrow fees", -b.Borrow}} {
		if t.usd != 0 {
			all = append(all, t)
		}
	}
	return all
}

// sum is the books in one line: $100,000.00 start + $437.30 closed trades = $100,437.30.
func sum(b *backtest.Books) string {
	var s strings.Builder
	for i, t := range terms(b) {
		switch {
		case i > 0 && t.usd < 0:
			s.WriteString(" - ")
		case i > 0:
			s.WriteString(" + ")
		}
		s.WriteString(cents(math.Abs(t.usd)) + " " + t.name)
	}
	return s.String() + " = " + cents(b.End) + " equity"
}

// within is what the profits of the trades have in them beside prices.
func (v *view) within() string {
	b, fees := v.Books, 0.0
	for i := range v.Fills {
		fees += v.Fills[i].Regulatory
	}
	parts := []string{cents(b.Commission) + " of commission paid"}
	if fees > 0 {
		parts[0] = cents(b.Commission) + " of commission and regulatory fees paid (fees " + cents(fees) + ")"
	}
	for _, t := range []term{{" of dividends", b.Dividends}, {" in lieu of fractions of shares", b.InLieu}} {
		switch {
		case t.usd > 0:
			parts = append(parts, cents(t.usd)+t.name+" received")
		case t.usd < 0:
			parts = append(parts, cents(-t.usd)+t.name+" paid")
		}
	}
	return "In the trades: " + strings.Join(parts, ", ") + "."
}

// cents formats USD to the cent, whatever the amount.
func cents(x float64) string {
	s := number(x, 2)
	if s[0] == '-' {
		return "-$" + s[1:]
	}
	return "$" + s
}

// books shows how trades and other flows make up the equity.
func (s *screen) books(v *view) {
	if v.Books == nil {
		return
	}
	s.heading("Books")
	for _, l := range wrap(sum(v.Books), s.o.width()-1) {
		s.printf(" %s\n", l)
	}
	s.text(v.within())
}

// books is the chapter of the tearsheet that adds the equity up.
func (v *view) books() panel {
	p := panel{ID: "books", Title: "Books", Intro: "What the trades made and what else moved the account: together all of the change of equity."}
	b := v.Books
	if b == nil {
		return p
	}
	for _, t := range terms(b) {
		p.fact(strings.ToUpper(t.name[:1])+t.name[1:], cents(t.usd))
	}
	p.fact("Equity", cents(b.End))
	p.fact("In the trades", strings.TrimPrefix(v.within(), "In the trades: "))
	return p
}
