// Package indicator computes technical indicators on columns, and describes every one of them in a
// single table.
//
// In: columns of float64 of equal length (prices, volume, or another indicator's output), oldest
// first, and numbers that Spec.Check accepts. Out: columns of the same length into memory that the
// caller owns. It refuses nothing at run time: numbers outside their bounds are a fault of the
// caller, who asks Spec.Check first.
//
// # Absent values
//
// A value that does not exist is NaN, and so is every value before an indicator has warmed up.
// NaN and infinities in the input are absent values: a window that contains one is absent, and a
// recursive indicator starts anew after one, with a fresh seed. The prices of a bar are absent together. Leading ones are therefore harmless:
// an indicator of an indicator starts where its input does.
//
// Where a range or a movement is zero, a place in it is its middle (stoch 50, rsi 50, pct_b 0.5) and a
// distance in units of it is 0 (cci, zscore_n); what has no natural answer is absent (vwma without
// volume, correlation with a constant).
//
// # Rules all kernels keep
//
// The value at a bar depends on that bar and earlier ones only. It does not depend on where the
// columns begin, beyond Spec.Warmup, except for rounding and for what is marked Cumulative. Windows
// never subtract what left them: they add up afresh, block by block (O(1) a bar all the same), so an
// outlier leaves no residue and a window of equal values has a deviation of exactly 0. Recursive
// averages are seeded with the simple average of their first n values, as TA-Lib and TradingView do
// (the parameter seed has the other ways), and carried as the distance from the price, so that a
// constant price is its own average, exactly.
//
// Multiplying prices by a power of two multiplies outputs by that power to the power of Output.Unit,
// bit for bit: there are no absolute thresholds. No kernel uses a fused multiply-add, nor exp, log or
// pow unless its Doc says so: results have the same bits on every architecture.
package indicator
