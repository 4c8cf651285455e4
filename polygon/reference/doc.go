// Package reference reads the vendor's REST API: listed and delisted tickers, ticker changes, splits,
// dividends and holidays, also from files of the same shapes; and, as they come, bars of a session or of
// a ticker (Grouped, Aggregates), never adjusted ones.
//
// In: an API key, or a folder with splits.json, dividends.json, tickers.json, events.json and
// holidays.json, each {"results": [...]} with the vendor's rows; any of them may be missing. Out: a
// store.Reference, with every action attached to a permanent instrument, and Notes on rows that
// could not be used. It refuses files that are no JSON of that shape, and to follow the API to
// another host. The key is sent in a header only and appears in no error.
//
// Splits and dividends can be had in full, or those of late ex-dates only, which replace what was known
// of them. fetched.json says when each list was had, closures.json on which days the exchange was closed
// although no calendar knew it.
//
// # Who is who
//
// The vendor has no permanent ids. An instrument is a share-class FIGI where there is one, else
// TICKER@DATE with the first date it is known to use the ticker. Ticker changes make its spans;
// several companies under one ticker follow each other by their delisting dates. An action belongs to
// the company that used its ticker on its ex-date, else to the one that was listed on that day and
// used the ticker at another time, because the vendor files some old actions under the new ticker.
//
// # Which actions
//
// Repetitions by id are dropped; several dividends on one day are not repetitions. Of two splits of
// one company on one day that say different things, the first is kept and the others noted. A
// dividend in another currency than USD is left out and noted.
package reference
