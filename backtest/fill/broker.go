package fill

import "slices"

// Broker is a named price list for US stocks, as it was published on a day.
type Broker struct {
	Name   string     `json:"name"`
	Title  string     `json:"title"`
	Date   string     `json:"date"` // the list is that of this day
	Source string     `json:"source"`
	Leaves string     `json:"leaves_out,omitempty"` // what the broker charges besides
	Fees   Commission `json:"-"`
}

// Brokers lists the presets of Commission.Broker, by name. Read only.
func Brokers() []Broker { return brokers }

var brokers = []Broker{
	{Name: "alpaca", Title: "Alpaca, stocks by API", Date: "2024-12-31", Source: "https://alpaca.markets/support/commission-clearing-fees: no commission on US listed securities by API",
		Leaves: "regulatory fees (costs.regulatory) and the fee of the consolidated audit trail"},
	{Name: "ibkr_fixed", Title: "Interactive Brokers Pro, US stocks, fixed", Date: "2024-12-31", Source: "https://www.interactivebrokers.com/en/pricing/commissions-stocks.php",
		Leaves: "regulatory fees (costs.regulatory) and the fee of the consolidated audit trail", Fees: Commission{PerShare: 0.005, Min: 1, MaxBPS: 100}},
	{Name: "ibkr_tiered", Title: "Interactive Brokers Pro, US stocks, tiered, each share by its tier", Date: "2024-12-31", Source: "https://www.interactivebrokers.com/en/pricing/commissions-stocks.php",
		Leaves: "exchange, clearing and pass-through fees; regulatory fees (costs.regulatory) and the fee of the consolidated audit trail",
		Fees:   Commission{PerShare: 0.0035, Min: 0.35, MaxBPS: 100, Tiers: []Tier{{300_000, 0.002}, {3_000_000, 0.0015}, {20_000_000, 0.001}, {100_000_000, 0.0005}}}},
	{Name: "schwab", Title: "Charles Schwab, listed US stocks online", Date: "2024-12-31", Source: "https://www.schwab.com/pricing, in force since 2019-10-07 (announced on 2019-10-01)",
		Leaves: "regulatory fees (costs.regulatory), over-the-counter stocks and orders by telephone"},
}

// Preset is the price list that a commission names.
func (c *Commission) Preset() (Broker, bool) {
	k := slices.IndexFunc(brokers, func(b Broker) bool { return b.Name == c.Broker })
	if k < 0 {
		return Broker{}, false
	}
	return brokers[k], true
}

// Complete is the commission with what its broker charges filled in; what it says itself stays.
func (c Commission) Complete() Commission {
	b, ok := c.Preset()
	if !ok {
		return c
	}
	f := b.Fees
	set := func(own *float64, theirs float64) {
		if *own == 0 {
			*own = theirs
		}
	}
	set(&c.PerShare, f.PerShare)
	set(&c.PerOrder, f.PerOrder)
	set(&c.BPS, f.BPS)
	set(&c.Min, f.Min)
	set(&c.Max, f.Max)
	set(&c.MaxBPS, f.MaxBPS)
	if len(c.Tiers) == 0 {
		c.Tiers = f.Tiers
	}
	return c
}

// At is the commission of an account that has traded so many shares in the calendar month so far. Tiers are
// marginal: each share is charged by the tier that it falls in.
func (c Commission) At(month float64) Commission {
	c.Traded = month
	return c
}

// Tiered is what tiers charge for so many further shares, USD; 0 without tiers.
func (c *Commission) Tiered(qty float64) float64 {
	if len(c.Tiers) == 0 {
		return 0
	}
	sum, at, end, rate := 0.0, c.Traded, c.Traded+qty, c.PerShare
	for _, t := range c.Tiers {
		if upTo := min(t.Above, end); upTo > at {
			sum += float64((upTo - at) * rate)
			at = upTo
		}
		rate = t.PerShare
	}
	return sum + float64((end-at)*rate)
}

// None reports whether nothing is ever charged.
func (c Commission) None() bool {
	c = c.Complete()
	return c.PerShare == 0 && c.PerOrder == 0 && c.BPS == 0 && c.Min == 0 && len(c.Tiers) == 0
}
