// Package instrument names listed securities and what happens to them: permanent ids, the tickers
// they traded under, and their corporate actions.
//
// In: reference data. Out: plain values that the rooms above pass around. It refuses nothing by
// itself; the functions that parse say what they refuse.
package instrument

// ID names one security for ever, through renames. It is opaque: a share-class FIGI where the vendor
// gives one, else "TICKER@YYYY-MM-DD" with the first session known under that ticker. Two companies
// that used the same ticker at different times have different ids.
type ID string

// Span is a range of sessions, both ends inclusive, during which an instrument traded as Ticker.
type Span struct {
	Ticker   string
	From, To Date // To is Forever while the ticker is still in use
}

// Kind is the type of an instrument from a date on, as a list of that date says.
type Kind struct {
	From Date
	Type string
}

// Instrument is one security.
type Instrument struct {
	ID       ID
	Ticker   string // the latest ticker; case matters (BCpC is not BCPC)
	Name     string // may be empty
	Type     string // the vendor's latest type: CS, ADRC, ETF, PFD, ...; may be empty
	Types    []Kind `json:",omitempty"` // by date, oldest first; see TypeOn
	Exchange string // primary exchange, may be empty
	Spans    []Span // oldest first, never empty, never overlapping
	Delisted Date   // first day no longer listed, as reference data says; None when not known to be delisted
	Adjusted bool   `json:",omitempty"` // its bars were imported with prices adjusted already: no action applies
}

// Split is a change of the share basis: From old shares become To new shares. From and To are
// positive. Prices of sessions before Ex are multiplied by From/To to be comparable with later ones;
// the session Ex itself already trades in new shares.
type Split struct {
	Ex       Date
	From, To float64
}

// Dividend is cash paid for one share held at the close of the last session before Ex. Cash is USD
// for one share in the basis of that session's successor, the session Ex itself.
type Dividend struct {
	Ex   Date
	Pay  Date // None when unknown: then it is paid on Ex
	Cash float64
	// Declared is the day on which it was announced, 0 when unknown: then nobody knew of it before Ex.
	Declared Date
}

// Actions are all known corporate actions of one instrument, each list sorted by Ex. Several
// dividends on one Ex are legitimate and are summed by whoever applies them.
type Actions struct {
	Splits    []Split
	Dividends []Dividend
}
