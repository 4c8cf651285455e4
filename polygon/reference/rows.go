package reference

import "backtester/backtest/instrument"

// File names below the reference folder.
const (
	SplitsFile    = "splits.json"
	DividendsFile = "dividends.json"
	TickersFile   = "tickers.json"
	EventsFile    = "events.json"
	HolidaysFile  = "holidays.json"
	ClosuresFile  = "closures.json" // of our own making: see SetClosures
	TypesFolder   = "types"         // YYYY-MM-DD.json: the tickers of that date with their types
)

// SplitRow is a row of /stocks/v1/splits: From old shares became To new ones on the execution date.
type SplitRow struct {
	ID        string  `json:"id"`
	Ticker    string  `json:"ticker"`
	Execution string  `json:"execution_date"`
	From      float64 `json:"split_from"`
	To        float64 `json:"split_to"`
	Kind      string  `json:"adjustment_type,omitempty"`
}

// DividendRow is a row of /stocks/v1/dividends: cash for one share as it was on the ex-date.
type DividendRow struct {
	ID       string  `json:"id"`
	Ticker   string  `json:"ticker"`
	Cash     float64 `json:"cash_amount"`
	Currency string  `json:"currency,omitempty"`
	Ex       string  `json:"ex_dividend_date"`
	Pay      string  `json:"pay_date,omitempty"`
	Declared string  `json:"declaration_date,omitempty"`
	Kind     string  `json:"distribution_type,omitempty"`
}

// TickerRow is a row of /v3/reference/tickers.
type TickerRow struct {
	Ticker        string `json:"ticker"`
	Name          string `json:"name,omitempty"`
	Exchange      string `json:"primary_exchange,omitempty"`
	Type          string `json:"type,omitempty"`
	Active        bool   `json:"active"`
	CompositeFIGI string `json:"composite_figi,omitempty"`
	ShareFIGI     string `json:"share_class_figi,omitempty"`
	Delisted      string `json:"delisted_utc,omitempty"` // RFC 3339; see Build about the day it names
}

// TypeRow is what a ticker was on a date: a row of /v3/reference/tickers?date=.
type TypeRow struct {
	Date      instrument.Date `json:"-"` // of the list
	Ticker    string          `json:"ticker"`
	Type      string          `json:"type,omitempty"` // the vendor lacks many before 2019
	ShareFIGI string          `json:"share_class_figi,omitempty"`
}

// EventsRow is the answer of /vX/reference/tickers/{id}/events: the day each ticker came into use.
type EventsRow struct {
	Name          string  `json:"name,omitempty"`
	CompositeFIGI string  `json:"composite_figi,omitempty"`
	Events        []Event `json:"events"`
	AskedAs       string  `json:"asked_as,omitempty"` // the security's ticker when it was asked for, added by us
}

// Event is one ticker change.
type Event struct {
	Type   string `json:"type"`
	Date   string `json:"date"`
	Change struct {
		Ticker string `json:"ticker"`
	} `json:"ticker_change"`
}

// HolidayRow is an element of /v1/marketstatus/upcoming, which knows the future only.
type HolidayRow struct {
	Date     string `json:"date"`
	Exchange string `json:"exchange"`
	Name     string `json:"name"`
	Status   string `json:"status"` // closed | early-close
	Close    string `json:"close,omitempty"`
}

// Data is everything known, as the vendor says it.
type Data struct {
	Splits    []SplitRow
	Dividends []DividendRow
	Tickers   []TickerRow
	Types     []TypeRow // in order of dates
	Events    []EventsRow
	Holidays  []HolidayRow
	Closures  []HolidayRow
}

// Actions reports whether splits and dividends were asked for at all: without them, prices jump at
// splits and nobody may believe that there were none.
func (d *Data) Actions() bool { return d.Splits != nil && d.Dividends != nil }

// Empty reports that there is no file at all.
func (d *Data) Empty() bool {
	return d.Splits == nil && d.Dividends == nil && d.Tickers == nil && d.Events == nil && d.Holidays == nil && d.Closures == nil
}
