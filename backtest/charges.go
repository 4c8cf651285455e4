package backtest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/portfolio"
)

// Charges say where the prices of trading come from, as far as they are not numbers of the Config.
type Charges struct {
	Broker     *fill.Broker   `json:"broker,omitempty"`     // whose price list is used, as of which day
	Regulatory []fill.FeeRate `json:"regulatory,omitempty"` // what was in force in the run
}

// chargesOf is nil when the Config names no source.
func (e *engine) chargesOf() *Charges {
	c, m := &e.cfg.Costs, e.m
	out := Charges{Regulatory: c.Regulatory.Rates(m.date[0], m.date[len(m.date)-1])}
	if b, ok := c.Commission.Preset(); ok {
		out.Broker = &b
	}
	if out.Broker == nil && out.Regulatory == nil && c.Regulatory == "" {
		return nil
	}
	return &out
}

// quotedRates names the rates in force in the run that were not read at their source.
func (e *engine) quotedRates() []string {
	var out []string
	for _, r := range e.cfg.Costs.Regulatory.Rates(e.m.date[0], e.m.date[len(e.m.date)-1]) {
		if r.Quoted {
			out = append(out, fmt.Sprintf("%s from %s on", r.Fee, r.From))
		}
	}
	return out
}

// monthly counts the shares that the account has traded in a calendar month, for tiers of commissions.
type monthly struct {
	year, month int
	session     int32
	before      float64 // in sessions of the month before this one
	today       float64
}

// commission is that of now: with tiers, by what was traded in the month so far. It is good until the next call.
func (e *engine) commission() *fill.Commission {
	c := &e.cfg.Costs.Commission
	if len(c.Tiers) == 0 {
		return c
	}
	e.month(0)
	e.tiered = c.At(e.traded.before + e.traded.today)
	return &e.tiered
}

// month brings the count up to this session and adds shares.
func (e *engine) month(shares float64) {
	n := &e.traded
	y, m, _ := e.m.date[e.t].Civil()
	switch {
	case y != n.year || m != n.month:
		*n = monthly{year: y, month: m, session: e.m.session[e.t]}
	case e.m.session[e.t] != n.session:
		n.before, n.today, n.session = n.before+n.today, 0, e.m.session[e.t]
	}
	n.today += shares
}

// levy is the regulatory fees of a fill.
func (e *engine) levy(side order.Side, qty, price float64) float64 {
	if e.cfg.Costs.Regulatory == "" {
		return 0
	}
	return e.cfg.Costs.Regulatory.Charge(side, e.m.date[e.t], qty, float64(qty*price))
}

// dated are rates that change over time, read from the files that a Config names.
type dated struct {
	credit, debit series
	borrow        map[string]series // by symbol
}

// series is a rate from dates on, ascending.
type series []since

type since struct {
	from   instrument.Date
	annual float64
}

// at is the rate on a day, that of the Config before the first.
func (s series) at(d instrument.Date, before float64) float64 {
	k, found := slices.BinarySearchFunc(s, d, func(x since, d instrument.Date) int { return cmp.Compare(x.from, d) })
	if !found {
		k--
	}
	if k < 0 {
		return before
	}
	return s[k].annual
}

// mean is the average rate of the nights after each day of [from, to).
func (s series) mean(from, to instrument.Date, before float64) float64 {
	if len(s) == 0 || to <= from {
		return before
	}
	sum := 0.0
	for d := from; d < to; d++ {
		sum += s.at(d, before)
	}
	return sum / float64(to-from)
}

// readDated reads the files of rates.
func readDated(cfg *Config) (dated, error) {
	var d dated
	var err error
	if f := cfg.Account.CreditSeries; f != "" {
		if d.credit, err = seriesIn(cfg, f); err != nil {
			return d, err
		}
	}
	if f := cfg.Account.DebitSeries; f != "" {
		if d.debit, err = seriesIn(cfg, f); err != nil {
			return d, err
		}
	}
	if f := cfg.Costs.Borrow.Table; f != "" {
		d.borrow, err = borrowIn(cfg, f)
	}
	return d, err
}

// annualIn is the rate in column k of a row: a fraction a year.
func annualIn(s *sheet, k int, most float64) (float64, error) {
	x, err := strconv.ParseFloat(s.text(k), 64)
	if err != nil || !(x >= 0 && x <= most) {
		return 0, s.fault("column annual: %q is no rate: want a fraction a year from 0 to %g, such as 0.03 for 3 %%", s.text(k), most)
	}
	return x, nil
}

func seriesIn(cfg *Config, file string) (series, error) {
	s, err := attached(cfg, file, "date", "annual")
	if err != nil {
		return nil, err
	}
	var out series
	for {
		ok, err := s.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		var x since
		if x.from, err = instrument.ParseDate(s.text(0)); err != nil {
			return nil, s.fault("column date: %w", err)
		}
		if x.annual, err = annualIn(s, 1, 1); err != nil {
			return nil, err
		}
		if n := len(out); n > 0 && x.from <= out[n-1].from {
			return nil, s.fault("%s comes after %s: want dates that rise", x.from, out[n-1].from)
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, inputf("read %s: it has no rate", file)
	}
	return out, nil
}

func borrowIn(cfg *Config, file string) (map[string]series, error) {
	s, err := attached(cfg, file, "symbol", "from?", "annual")
	if err != nil {
		return nil, err
	}
	out := map[string]series{}
	for {
		ok, err := s.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		x := since{from: instrument.None}
		if s.has(1) {
			if x.from, err = dateOr(s.text(1), instrument.None); err != nil {
				return nil, s.fault("column from: %w", err)
			}
		}
		if x.annual, err = annualIn(s, 2, 10); err != nil {
			return nil, err
		}
		name := s.text(0)
		if n := len(out[name]); n > 0 && x.from <= out[name][n-1].from {
			return nil, s.fault("a rate of %s from %s on comes after one from %s on: want dates that rise", name, x.from, out[name][n-1].from)
		}
		out[name] = append(out[name], x)
	}
	if len(out) == 0 {
		return nil, inputf("read %s: it names no symbol", file)
	}
	return out, nil
}

// night is what money and shorts cost over the nights between two days.
func (e *engine) night(from, to instrument.Date) portfolio.Night {
	a, b, d := &e.cfg.Account, &e.cfg.Costs.Borrow, &e.m.dated
	n := portfolio.Night{Nights: float64(to - from), Debit: d.debit.mean(from, to, a.DebitRate), Credit: d.credit.mean(from, to, a.CreditRate), Borrow: b.Annual}
	if d.borrow == nil && b.Mark == "" {
		return n
	}
	n.Borrow, e.fees = 0, e.fees[:0]
	for next := 0; next < len(e.books.Held); {
		i, qty, price, after := e.books.Security(next)
		if next = after; qty >= 0 {
			continue
		}
		if b.Mark == fill.MarkCeil {
			price = math.Ceil(float64(1.02*price) - 1e-9)
		}
		rate := d.borrow[e.m.syms[i].name].mean(from, to, b.Annual)
		e.fees = append(e.fees, portfolio.Charge{Sym: i, Fee: float64(-qty*price) * rate * n.Nights / 360})
	}
	n.Fees = e.fees
	return n
}

// riskFree is the rate that cash earned, over the days of the run.
func (e *engine) riskFree() float64 {
	m := e.m
	return m.dated.credit.mean(m.date[0], m.date[len(m.date)-1], e.cfg.Account.CreditRate)
}

// leavingFee is the commission that is still to be charged for as many of those shares, at the last mark: each
// exit is one order over all its fills.
func (e *engine) leavingFee(i int32, closing float64) float64 {
	s, fee := &e.st[i], 0.0
	for k := range s.parts {
		if qty := min(e.left(i, k), closing); s.parts[k].working && qty > 0 {
			fee += e.commission().Next(s.parts[k].billed, qty, e.books.Pos[i].Mark)
			closing -= qty
		}
	}
	return fee
}

// affordable is as much of a further quantity of an order as money pays with its fees, in closed form where
// only commission counts, and once. Else the largest that fits is between nothing and what money would buy
// without fees, and is halved down to: more shares never cost less. What is asked for beyond it costs nothing.
func (e *engine) affordable(side order.Side, b fill.Billed, want, price, money float64) float64 {
	if e.cfg.Account.Kind == portfolio.Proceeds && side == order.Sell {
		return want
	}
	if e.cost(side, b, want, price) <= money {
		return want
	}
	if e.cfg.Account.Kind != portfolio.RegT && (side == order.Buy || e.cfg.Costs.Regulatory == "") {
		return min(want, e.commission().Affordable(b, money, price))
	}
	most := min(want, max(0, money)/price)
	if e.cost(side, b, most, price) <= money*(1+1e-13) {
		return most
	}
	fits := 0.0
	for range 64 {
		if q := fits + (most-fits)/2; e.cost(side, b, q, price) <= money {
			fits = q
		} else {
			most = q
		}
	}
	return fits
}

// cost is what a further quantity of an order takes of money.
func (e *engine) cost(side order.Side, b fill.Billed, qty, price float64) float64 {
	return float64(qty*price) + e.burden(e.commission().Next(b, qty, price)+e.levy(side, qty, price))
}

// dust is an amount of money that rounding leaves, USD: nothing is ordered or filled for it. It is a part of the
// equity, so that an account which has lost nearly all goes on by the same rules.
func (e *engine) dust() float64 { return 1e-12 * e.equity }

// burden is what commission and fees take of money. In a margin account they count twice: they come off
// equity, of which twice as much may be held.
func (e *engine) burden(fee float64) float64 {
	if e.cfg.Account.Kind == portfolio.RegT {
		return 2 * fee
	}
	return fee
}
