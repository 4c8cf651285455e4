// Package expr is the expression language of strategy files: it reads, checks, formats, compiles and
// evaluates texts such as `close > sma(close, 200) and rsi(close, 14) < level`.
//
// In: texts with their positions, parameters, named signals and functions; then bars, a share basis and
// a calendar, and columns from elsewhere where the texts ask for them. Out: a Program (warm-up, columns
// needed, the graph for people to read), bound to one instrument as columns and bitsets, and a small
// program per exit rule that takes the position's numbers bar by bar. It refuses, all at once and with positions, unknown names, wrong kinds and
// counts of arguments, window lengths that are not constant, anything that would look into the future,
// and texts beyond the limits.
//
// # Grammar
//
// Loosest first; operators of one line bind alike, from left to right.
//
//	x or y
//	x and y
//	not x
//	x < y   x <= y   x > y   x >= y   x == y   x != y     do not chain: a < b and b < c
//	x + y   x - y
//	x * y   x / y
//	-x
//	x[n]    f(x, n)    f(x, name = n)    macd(close, 12, 26, 9).signal    (x)
//	5   0.5   5e6   1_000   name   "text"
//
//	sym("SPY").close   sym("SPY", sma(close, 200))   tf("1w", x, stale = 2)   rank(x)   type == "CS"
//
// Names are those of Functions, of parameters, signals, series and functions of the file; they cannot
// hide one another. Numbers after an indicator's name are constants or made of parameters.
//
// # Values
//
// An expression is a number or a condition. Either may be absent (NaN, or neither true nor false):
// while windows fill, on undefined results such as x/0 or log(-1), and where an operand is absent.
// Conditions follow three-valued logic: `false and absent` is false, `true or absent` is true,
// everything else with an absent operand is absent. A rule acts only on true.
//
// x[n] is the value x had n of the symbol's own traded bars ago. n is constant and never negative:
// nothing in the language can read a later bar.
//
// # Elsewhere
//
// sym and tf evaluate what they enclose on other bars, whose own bars its windows count, and give the
// value of the last one that had ended; rank and its like compare the symbols of a universe that have
// a bar at the same time. Both are Inputs of a Program: what they enclose is a Program of its own, or a
// pass over all symbols, and whoever binds a Program fills in their columns. A function of the file is
// its body with the arguments put in as they are written at the call: names in them mean what they mean
// there, and inside of sym("SPY", x) the argument is evaluated on SPY's bars.
//
// # Share basis
//
// At bar t every price is in the share basis of bar t: history is restated for splits (and dividends,
// with adjust: total) executed on or before t and never for later ones. Each number therefore has a
// Unit: the power with which it follows the price of a share and the power with which it follows the
// number of shares. Numbers of one unit are combined on columns restated to one constant basis; where
// a price meets a bare number (close > 5, close + 1, log(close)) the traded price is used; the sum is
// a price again, so that (close + 1)[1] is yesterday's sum in today's shares. What looks at one bar
// only is computed from its raw prices and is exact. Without corporate actions none of this costs
// anything. Prices of several instruments have a power for each, so that a ratio of two symbols is
// restated for the splits of both.
//
// # Way
//
// lexer and parser make a tree, checker makes terms of the graph (equal terms once), plan lays the
// graph out as steps on columns, run computes them, rule holds what has to be done bar by bar.
package expr
