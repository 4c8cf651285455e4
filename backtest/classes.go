package backtest

import "backtester/backtest/instrument"

// The engine trades everything as it trades stocks: units of something that is paid in full in US dollars,
// at prices in US dollars. Where that is not what the market does, the result says so.

// classWarnings are those about securities that are no stocks.
func (e *engine) classWarnings(add func(code, format string, args ...any)) {
	var options, indices, foreign, quoted []string
	traded := map[int32]bool{}
	for k := range e.fills {
		traded[e.fills[k].Sym] = true
	}
	for i := range e.m.syms {
		s := &e.m.syms[i]
		if e.m.twin(int32(i)) != int32(i) || !traded[int32(i)] {
			continue
		}
		switch instrument.ClassOf(s.ticker) {
		case instrument.Option:
			options = append(options, s.name)
		case instrument.Index:
			indices = append(indices, s.name)
		case instrument.Forex:
			quoted = append(quoted, s.name)
		}
		if !instrument.InDollars(s.ticker) {
			foreign = append(foreign, s.name)
		}
	}
	if len(options) > 0 {
		add("options_as_shares", "a unit of %s is an option on one share, a hundredth of a contract; nothing is exercised, and after the last bar a position stays at its last price", list(options))
	}
	if len(indices) > 0 {
		add("index_traded", "nobody can trade %s: it is an index, without costs, dividends or volume", list(indices))
	}
	if len(foreign) > 0 {
		add("foreign_currency", "prices of %s are not in US dollars and are taken as if they were: profits are in its second currency", list(foreign))
	}
	if len(quoted) > 0 {
		add("quote_volume", "volume of %s counts quotes, not what was traded: volume caps and measures of liquidity mean nothing, and no interest is paid or earned overnight", list(quoted))
	}
}
