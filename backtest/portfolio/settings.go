// Package portfolio keeps the books: cash, positions, round-trip trades, equity, margin.
//
// In: fills, corporate actions, marks. Out: equity at every bar close, trades, flows. Its invariant,
// checked against independently summed flows: equity = starting cash + realised + unrealised profit
// - costs + dividends + interest.
package portfolio

// Kind of account.
type Kind string

const (
	Cash Kind = "cash" // no shorts, no borrowed money
	RegT Kind = "regt" // Regulation T margin: 50 % initial, 25 % / 30 % maintenance

	// Two that no broker offers, for comparison with other tools.
	Covered  Kind = "covered"  // shorts allowed; equity covers longs plus shorts in full, nothing is called in
	Proceeds Kind = "proceeds" // proceeds of shorts are cash to spend; a purchase needs cash, a short sale nothing
)

// Account is the money side of a run.
type Account struct {
	Kind       Kind    `json:"account,omitempty" enum:"cash,regt,covered,proceeds" default:"cash" doc:"cash account, or Regulation T margin account (needed for shorts); for comparison with other tools covered, where equity covers longs plus shorts in full, and proceeds, where proceeds of shorts are cash to spend and short sales need nothing"`
	Cash       float64 `json:"cash,omitempty" min:"0.01" max:"1000000000000" default:"100000" unit:"USD" doc:"starting cash"`
	Overdraft  bool    `json:"overdraft,omitempty" doc:"orders are never cut or refused for want of cash, which may become negative: for comparison with other tools"`
	Dividends  PayOn   `json:"dividends,omitempty" enum:"ex_date,pay_date" default:"ex_date" doc:"when dividends on held shares become cash"`
	Haircut    float64 `json:"delisting_haircut,omitempty" min:"0" max:"1" default:"0" unit:"fraction" doc:"loss on the last close when a held symbol is delisted"`
	DebitRate  float64 `json:"debit_rate,omitempty" min:"0" max:"1" default:"0" unit:"fraction a year" doc:"interest paid on borrowed money"`
	CreditRate float64 `json:"credit_rate,omitempty" min:"0" max:"1" default:"0" unit:"fraction a year" doc:"interest earned on free cash; also the risk-free rate of the statistics"`
	// Series of rates: before their first date the plain rates above are in force.
	DebitSeries  string `json:"debit_series,omitempty" doc:"CSV file with the columns date and annual: debit_rate from each date on"`
	CreditSeries string `json:"credit_series,omitempty" doc:"CSV file with the columns date and annual: credit_rate from each date on"`
}

// PayOn says when a dividend becomes spendable.
type PayOn string

const (
	OnExDate  PayOn = "ex_date"
	OnPayDate PayOn = "pay_date"
)
