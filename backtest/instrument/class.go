package instrument

import "strings"

// Class is what kind of thing a ticker names. The vendor writes it in front of all but stocks.
type Class string

// Classes by prefix.
const (
	Stock  Class = ""
	Option Class = "O:" // O:SPY251219C00650000: the price is for one share, a contract is about 100
	Index  Class = "I:" // I:SPX: a number, nothing that anybody can buy
	Crypto Class = "X:" // X:BTCUSD
	Forex  Class = "C:" // C:EUR-USD, C:EURUSD
)

// ClassOf a ticker.
func ClassOf(ticker string) Class {
	if len(ticker) > 2 && ticker[1] == ':' {
		switch c := Class(ticker[:2]); c {
		case Option, Index, Crypto, Forex:
			return c
		}
	}
	return Stock
}

// InDollars reports whether prices of the ticker are in US dollars; of a pair of currencies, its second
// one says so.
func InDollars(ticker string) bool {
	c := ClassOf(ticker)
	return c != Crypto && c != Forex || strings.HasSuffix(ticker, "USD")
}
