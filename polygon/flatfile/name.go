package flatfile

import (
	"fmt"
	"path"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Dataset is a kind of flat file: days or minutes of an asset class. Of puts them together.
type Dataset string

// The datasets of US stocks.
const (
	Day    Dataset = "day"    // one bar a session and ticker
	Minute Dataset = "minute" // bars of one minute, 04:00 to 20:00 New York time
)

// Asset is a class of what is traded.
type Asset string

// Asset classes of which the vendor has day and minute files.
const (
	Stocks  Asset = "stocks"  // New York sessions; the zero value means stocks, too
	Options Asset = "options" // New York sessions; tickers such as O:SPY251219C00650000
	Indices Asset = "indices" // New York sessions, no volume; tickers such as I:SPX
	Crypto  Asset = "crypto"  // every date, in UTC; tickers such as X:BTCUSD
	Forex   Asset = "forex"   // dates in UTC, none on Saturdays; volume counts quotes; tickers such as C:EURUSD
)

// Assets in the order in which they are shown.
func Assets() []Asset { return []Asset{Stocks, Options, Indices, Crypto, Forex} }

// Of is the dataset of days or minutes of an asset class.
func Of(a Asset, unit Dataset) Dataset {
	if a == "" || a == Stocks {
		return unit
	}
	return Dataset(string(a) + " " + string(unit))
}

// Asset class of the dataset.
func (d Dataset) Asset() Asset {
	a, _, ok := strings.Cut(string(d), " ")
	if !ok {
		return Stocks
	}
	return Asset(a)
}

// Unit is Day or Minute.
func (d Dataset) Unit() Dataset {
	if _, unit, ok := strings.Cut(string(d), " "); ok {
		return Dataset(unit)
	}
	return d
}

const suffix = ".csv.gz"

// folder of the dataset in the vendor's bucket.
func (d Dataset) folder() string {
	market := "us_stocks_sip"
	switch d.Asset() {
	case Options:
		market = "us_options_opra"
	case Indices:
		market = "us_indices"
	case Crypto:
		market = "global_crypto"
	case Forex:
		market = "global_forex"
	}
	return market + "/" + string(d.Unit()) + "_aggs_v1"
}

// prefix of the tickers of the class.
func (a Asset) prefix() string {
	switch a {
	case Options:
		return "O:"
	case Indices:
		return "I:"
	case Crypto:
		return "X:"
	case Forex:
		return "C:"
	}
	return ""
}

// Calendar of the class: that of the US exchanges, of currencies, or of markets that never close.
func (a Asset) Calendar() *bar.Calendar {
	switch a {
	case Crypto:
		return bar.Always()
	case Forex:
		return bar.Forex()
	}
	return bar.NYSE()
}

// Frame under which the bars are stored.
func (d Dataset) Frame() bar.Frame {
	if d.Unit() == Minute {
		return bar.Minutely
	}
	return bar.Daily
}

// Prefix of all keys of one year.
func Prefix(d Dataset, year int) string { return fmt.Sprintf("%s/%04d/", d.folder(), year) }

// Key of a session's file in the vendor's bucket, and its slash-separated path below the raw folder.
func Key(d Dataset, session instrument.Date) string {
	t := session.Time()
	return fmt.Sprintf("%s%02d/%s%s", Prefix(d, t.Year()), t.Month(), session, suffix)
}

// ParseKey is the inverse of Key; ok is false for every other name.
func ParseKey(key string) (d Dataset, session instrument.Date, ok bool) {
	date, found := strings.CutSuffix(path.Base(key), suffix)
	if !found {
		return "", instrument.None, false
	}
	session, err := instrument.ParseDate(date)
	if err != nil {
		return "", instrument.None, false
	}
	for _, a := range Assets() {
		for _, unit := range [...]Dataset{Day, Minute} {
			if d := Of(a, unit); strings.HasPrefix(key, d.folder()) && Key(d, session) == key {
				return d, session, true
			}
		}
	}
	return "", instrument.None, false
}

// window is the civil day of a session in its market as instants in ns UTC: [from, to).
func (d Dataset) window(session instrument.Date) (from, to int64) {
	market := d.Asset().Calendar()
	return market.Midnight(session), market.Midnight(session + 1)
}
