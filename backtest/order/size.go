package order

import "math"

// Basis of a sizing decision: plain numbers taken at the decision bar.
type Basis struct {
	Equity float64 // account equity, USD
	Price  float64 // the order's price, or the decision close for market orders, USD
	Stop   float64 // protective stop if entered at Price; NaN when there is none
	Side   Side
	Sigma  float64 // annual volatility of the symbol, a fraction; for sizes that ask for it
	Record Record  // of the run's last closed trades, likewise
}

// Record is how trades went.
type Record struct {
	Trades       int     // all of them
	Wins, Losses int     // of these the trades with a profit and with a loss; some may have neither
	Won, Lost    float64 // sums of their returns, both positive
}

// Kelly is the weight that maximises the growth of trades that win and lose as these did on average:
// p / mean loss - (1-p) / mean win, with p of those that won or lost, since what broke even moves no growth. -Inf
// without a win, else +Inf without a loss.
func (r Record) Kelly() float64 {
	switch {
	case r.Won == 0:
		return math.Inf(-1)
	case r.Lost == 0:
		return math.Inf(1)
	}
	n := float64(r.Wins + r.Losses)
	return float64(r.Wins)/n/(r.Lost/float64(r.Losses)) - float64(r.Losses)/n/(r.Won/float64(r.Wins))
}

// Refusal says why no order came of a decision; "" means none.
type Refusal string

const (
	Accepted        Refusal = ""
	NoCash          Refusal = "no_cash"
	NoSlot          Refusal = "no_slot"
	BelowLot        Refusal = "below_lot"
	WrongStop       Refusal = "stop_wrong_side"
	AbsentPrice     Refusal = "absent_price"
	AbsentRank      Refusal = "absent_rank"
	AbsentWeight    Refusal = "absent_weight"
	BothSides       Refusal = "both_sides"
	OutsideUniverse Refusal = "outside_universe"
	CutAllOrNone    Refusal = "all_or_none"
	NoMargin        Refusal = "no_margin"
	NotTraded       Refusal = "not_traded"
	NoVolume        Refusal = "volume_cap"
	NotMember       Refusal = "not_member"
	Held            Refusal = "held"
	Cooling         Refusal = "cooldown"
	NotRearmed      Refusal = "not_rearmed"
	NoEdge          Refusal = "no_edge"
	LimitPosition   Refusal = "limit_position"
	LimitGroup      Refusal = "limit_group"
	LimitGross      Refusal = "limit_gross"
	LimitNet        Refusal = "limit_net"
	LimitSide       Refusal = "limit_side"
	LastBar         Refusal = "last_bar"
	UntilOver       Refusal = "until_over"
	NothingLeft     Refusal = "nothing_left"
)

// words say what each refusal means.
var words = map[Refusal]string{
	NoCash:          "less than one lot could be paid",
	NoSlot:          "max_positions reached",
	BelowLot:        "the size itself is less than one lot",
	WrongStop:       "risk size with a stop on the wrong side of the price",
	AbsentPrice:     "order price, stop or size not known yet",
	AbsentRank:      "rank not known: no candidate",
	AbsentWeight:    "target weight not known: takes no part in a rebalance",
	BothSides:       "long and short entries true at once",
	OutsideUniverse: "the symbol was no member of the universe",
	CutAllOrNone:    "cash or volume would have cut an all-or-none order",
	NoMargin:        "Regulation T initial margin",
	NotTraded:       "the symbol did not trade while the order worked",
	NoVolume:        "the volume cap left less than one lot",
	NotMember:       "the symbol is not in the universe",
	Held:            "a position or a working entry is in the way",
	Cooling:         "entry.cooldown after an exit",
	NotRearmed:      "entry.rearm: the condition held ever since the exit",
	NoEdge:          "Kelly size after trades that lost more than they won",
	LimitPosition:   "limits.position",
	LimitGroup:      "limits.group or per_group",
	LimitGross:      "limits.gross",
	LimitNet:        "limits.net",
	LimitSide:       "limits.longs or shorts",
	NothingLeft:     "slippage would have left nothing of the price of a sale",
	UntilOver:       "entry.until had passed: no session was left for a gtd order",
	LastBar:         "decided on the last bar: nothing left to fill it",
}

// Words say what it means, "" for none.
func (r Refusal) Words() string { return words[r] }

// Quantity is the size wanted for an entry, before cash, margin and volume cut it.
//
//	shares: as given    value: value / price    weight: weight x equity / price
//	risk:   risk x equity / |price - stop|, at most weight x equity / price
//	volatility, kelly: a weight of their own
//
// Whole lots are floored. With Fractional the amount of money is returned instead (qty NaN) for
// value and weight, because such an order is divided by the fill price.
func (s Size) Quantity(b Basis) (qty, amount float64, why Refusal) {
	nan := math.NaN()
	if !(b.Price > 0) || math.IsNaN(b.Equity) {
		return nan, nan, AbsentPrice
	}
	s, why = s.weighed(b)
	switch {
	case why != Accepted:
		return nan, nan, why
	case s.Risk > 0:
		distance := (b.Price - b.Stop) * float64(b.Side)
		if math.IsNaN(distance) {
			return nan, nan, AbsentPrice
		}
		if distance <= 0 {
			return nan, nan, WrongStop
		}
		qty = min(s.Risk*b.Equity/distance, s.weightCap()*b.Equity/b.Price)
	case s.Shares > 0:
		qty = s.Shares
	case s.Fractional:
		amount = s.Value
		if s.Value == 0 {
			amount = s.Weight * b.Equity
		}
		if amount <= 0 {
			return nan, nan, BelowLot
		}
		return nan, amount, Accepted
	case s.Value > 0:
		qty = s.Value / b.Price
	default:
		qty = s.Weight * b.Equity / b.Price
	}
	if qty = s.Floor(qty); !(qty > 0) {
		return nan, nan, BelowLot
	}
	return qty, nan, Accepted
}

// weighed is s with the weight that a volatility or Kelly size comes to.
func (s Size) weighed(b Basis) (Size, Refusal) {
	switch k := s.Kelly; {
	case s.Volatility != nil:
		if !(b.Sigma > 0) {
			return s, AbsentWeight
		}
		s.Weight = min(s.Volatility.Target/b.Sigma, s.Volatility.Most)
	case k != nil && b.Record.Trades < k.Trades:
		s.Weight = min(k.Start, k.Most)
	case k != nil:
		s.Weight = min(k.Fraction*b.Record.Kelly(), k.Most)
	default:
		return s, Accepted
	}
	if !(s.Weight > 0) {
		return s, NoEdge
	}
	return s, Accepted
}

// Sized reports whether anything says how much.
func (s *Size) Sized() bool {
	return s.Shares > 0 || s.Value > 0 || s.Weight > 0 || s.Risk > 0 || s.Volatility != nil || s.Kelly != nil
}

// weightCap bounds a risk size: the stated weight, else all of the equity.
func (s Size) weightCap() float64 {
	if s.Weight > 0 {
		return s.Weight
	}
	return 1
}

// Floor rounds toward zero to whole lots; fractional sizes pass unchanged. A quantity within 1e-9
// of a lot counts as that lot, so that 99.9999999999 shares born of division are 100.
func (s Size) Floor(qty float64) float64 {
	if s.Fractional {
		return qty
	}
	lot := s.Lot
	if lot <= 0 {
		lot = 1
	}
	n := math.Floor(qty / lot)
	if r := math.Round(qty / lot); r > n && r-qty/lot <= 1e-9+float64(1e-13*r) {
		n = r
	}
	return n * lot
}
