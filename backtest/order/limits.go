package order

// Limits bound what new orders may bring about, at the marks and prices of the decision. An order that
// would go beyond is cut, at nothing refused; what is held is never sold because of them.
type Limits struct {
	Position  float64 `json:"position,omitempty" min:"0" max:"10" unit:"fraction of equity" doc:"most in one symbol; 0 = no limit"`
	Group     float64 `json:"group,omitempty" min:"0" max:"10" unit:"fraction of equity" doc:"most in one group, longs and shorts together; needs group_by"`
	PerGroup  int     `json:"per_group,omitempty" min:"0" max:"100000" unit:"positions" doc:"most positions plus working entries in one group; needs group_by"`
	Groups    string  `json:"group_by,omitempty" doc:"what makes a group: type or exchange of reference data, or a CSV file with the columns symbol and group (or sic_code, of which the division is taken), such as sectors.csv; what has none is bound by no group"`
	Gross     float64 `json:"gross,omitempty" min:"0" max:"10" unit:"fraction of equity" doc:"most of longs and shorts together"`
	Net       float64 `json:"net,omitempty" min:"0" max:"10" unit:"fraction of equity" doc:"most of longs less shorts, either way"`
	LongSide  int     `json:"longs,omitempty" min:"0" max:"100000" unit:"positions" doc:"most long positions plus working entries"`
	ShortSide int     `json:"shorts,omitempty" min:"0" max:"100000" unit:"positions" doc:"most short positions plus working entries"`
}

// Categories in the place of a file in Limits.Groups.
const (
	ByType     = "type"
	ByExchange = "exchange"
)

// File is the name of the file that says the groups; "" without one.
func (l *Limits) File() string {
	if l.Groups == ByType || l.Groups == ByExchange {
		return ""
	}
	return l.Groups
}

// Exposure is what is held and what works already, and of it what a new order would join: USD, positive.
type Exposure struct {
	Long, Short   float64 // all
	Symbol, Group float64
	Longs, Shorts int
	InGroup       int
	Grouped, Held bool // the symbol has a group; it is held or ordered on that side already
	Equity        float64
}

// Room is the value that a new order of a side may have, USD, +Inf without limits, and which limit says so.
func (l *Limits) Room(side Side, x Exposure, room float64) (float64, Refusal) {
	why := Accepted
	bound := func(limit, used float64, name Refusal) {
		if left := float64(limit*x.Equity) - float64(used); limit > 0 && left < room {
			room, why = max(0, left), name
		}
	}
	bound(l.Position, x.Symbol, LimitPosition)
	if x.Grouped {
		bound(l.Group, x.Group, LimitGroup)
	}
	bound(l.Gross, x.Long+x.Short, LimitGross)
	bound(l.Net, float64(side)*(x.Long-x.Short), LimitNet)
	if x.Held {
		return room, why
	}
	if l.PerGroup > 0 && x.Grouped && x.InGroup >= l.PerGroup {
		return 0, LimitGroup
	}
	if side == Buy && l.LongSide > 0 && x.Longs >= l.LongSide || side == Sell && l.ShortSide > 0 && x.Shorts >= l.ShortSide {
		return 0, LimitSide
	}
	return room, why
}
