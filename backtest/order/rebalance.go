package order

// Rebalance says how a portfolio is brought to target weights from time to time.
type Rebalance struct {
	Every    string  `json:"every,omitempty" enum:"never,day,week,month,quarter,year" default:"never" doc:"at the last close of each such period, as the calendar knew it beforehand"`
	Drift    float64 `json:"drift,omitempty" min:"0" max:"1" unit:"fraction of equity" doc:"also at a close at which something held is further than this from its target"`
	Weights  string  `json:"weights,omitempty" expr:"number" default:"equal" doc:"equal, inverse_volatility, risk_parity, or an expression that each symbol's share is proportional to; absent or 0 is not held, less than 0 is short"`
	Unit     Unit    `json:"unit,omitempty" enum:"proportional,weight,value,shares" default:"proportional" doc:"what an expression in weights is: a share of the whole, or itself the target as a fraction of equity, in USD, or in shares"`
	Where    string  `json:"where,omitempty" expr:"bool" doc:"only symbols for which this is true take part; default: all members of the universe"`
	Top      int     `json:"top,omitempty" min:"1" unit:"symbols" doc:"of these the highest by are bought"`
	Bottom   int     `json:"bottom,omitempty" min:"1" unit:"symbols" doc:"and the lowest by are sold short; with both, half of the whole goes to each side"`
	By       string  `json:"by,omitempty" expr:"number" doc:"what top and bottom compare; absent = takes no part, of equal ones the first by symbol"`
	Lookback int     `json:"lookback,omitempty" min:"3" max:"2000" unit:"bars" default:"60" doc:"returns that inverse_volatility and risk_parity are measured on"`
	Gross    float64 `json:"gross,omitempty" min:"0.01" max:"10" unit:"fraction of equity" default:"1" doc:"sum of the weights without their signs, before the buffer"`
	Buffer   float64 `json:"buffer,omitempty" min:"0" max:"0.99" unit:"fraction" default:"0" doc:"part of gross that stays in cash, for gaps and costs"`
	Band     float64 `json:"band,omitempty" min:"0" max:"1" unit:"fraction of equity" default:"0" doc:"what is no further than this from its target is left alone"`
	Start    bool    `json:"start,omitempty" default:"true" doc:"also at the first close at which there is a target, not only when a period ends"`
}

// Unit of the expression in Rebalance.Weights.
type Unit string

const (
	Proportional Unit = "proportional"
	OfEquity     Unit = "weight"
	OfMoney      Unit = "value"
	OfShares     Unit = "shares"
)

// Words in the place of an expression in Rebalance.Weights.
const (
	EqualWeights      = "equal"
	InverseVolatility = "inverse_volatility"
	RiskParity        = "risk_parity"
)

// Named reports whether the weights follow a rule that has a name.
func (r *Rebalance) Named() bool {
	return r.Weights == EqualWeights || r.Weights == InverseVolatility || r.Weights == RiskParity
}

// History is how many bars the rule needs before its first decision.
func (r *Rebalance) History() int {
	if r.Weights == InverseVolatility || r.Weights == RiskParity {
		return r.Lookback
	}
	return 0
}
