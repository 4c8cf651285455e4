// Package flatfile reads and writes the vendor's flat files: one gzipped CSV file a market session,
// either all daily bars (day_aggs_v1) or all minute bars (minute_aggs_v1) of an asset class: US stocks,
// options, indices, crypto, forex.
//
// In: bytes as downloaded. Out: a store.Batch of that session and Notes on whatever was not as it
// should be. Write goes the other way, in the vendor's exact format:
//
//	func Write(w io.Writer, d Dataset, b store.Batch) error           // vendor's compression level
//	func NewEncoder(level int) *Encoder                               // reusable, level 1 is fastest
//	func (e *Encoder) Encode(w io.Writer, d Dataset, b store.Batch) error
//	func Key(d Dataset, session instrument.Date) string               // where the file belongs below raw/
//
// # Rules
//
// The session of a file is the date in its name. Daily rows are stamped with midnight in New York;
// rows stamped otherwise are kept under the file's name and noted, because the vendor has published
// such files. Minute rows must lie on a minute of that New York date, by the daylight saving then in
// force, or they are refused.
//
// Other classes than stocks: dates of crypto and forex are in UTC, those of options and indices in New
// York; tickers have the class's prefix; index files have neither volume nor transactions, and values at
// or below zero, which some indices take, are left out and counted.
//
// Columns are found by the name in the header, in any order. Tickers are case-significant text: NA is
// a ticker, BCpC is not BCPC. Volume may be fractional, transactions may be empty.
//
// A file that is not what it says it is gives a *FileError with line and byte and no batch at all:
// damaged or truncated gzip, a missing or repeated column, a wrong number of fields, a number that is
// none. A single row that is well formed but impossible (a price not above zero, low above high,
// another day, a conflicting duplicate) is left out and noted with its line; too many of those refuse the file. Rows
// without volume, the exchanges' test symbols, and exact repetitions are left out and counted.
package flatfile
