// Package backtest is the engine's one door: a Config and a bar.Source go in, a Result comes out.
//
//	res, err := backtest.Run(ctx, cfg, source)
//
// The command line and the HTTP API fill the same Config and get the same bytes. The package refuses
// a Config with faults (all at once, with positions), and a run without data (a *NoDataError that
// says what was asked for, what there is and what is missing).
//
// # Words
//
// A bar is a period's open, high, low, close and volume. A decision is made at the close of a bar. An
// order is an intent that works from a decision on. A fill is our execution of an order. A trade is
// a round trip, from shares bought to the same shares sold (or sold short to bought back), matched
// first in, first out. A print, a trade of the market, never appears here.
//
// # What expressions see
//
// The market is evaluated before it is played, in passes: columns of each symbol, what compares the
// symbols at one time, what is made of that. A universe that changes is chosen at every close from all
// that traded; see candidates.go, universe.go, evaluate.go and outlook.go.
//
// # One bar
//
// The engine is a plain loop over time steps. The body of one step reads in this order:
//
//	new session   interest, splits, dividends, delistings
//	open          exits, then entries, at the open
//	within        entries, then exits, at limits and stops
//	close         exits, then entries, at the close
//	mark          positions at the close: equity
//	decide        exits and entries for the next bar
//
// Money and slots that an exit frees are usable by entries of the same auction and of later phases,
// never of earlier ones. Only symbols with a position or a working order are visited.
package backtest
