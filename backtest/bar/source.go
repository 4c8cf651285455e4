package bar

import (
	"context"
	"errors"

	"backtester/backtest/instrument"
)

// ErrNoData is matched (errors.Is) by every error of a Source that means: the source works, but has
// no bars for what was asked.
var ErrNoData = errors.New("no data")

// Request asks a Source for one instrument's bars.
type Request struct {
	Symbol   string          // ticker, case-sensitive, as of To (or today's)
	Frame    Frame           // what to return; the source resamples if it only has finer bars
	From, To instrument.Date // sessions, both inclusive
	Warmup   int             // bars wanted before From; fewer come when history is short
	Session  Session         // which minutes of a day count for intraday frames
}

// Bounds of the request with open ends resolved: From is instrument.None when unset, To is Forever when
// unset. None and the zero Date count as unset, the latter only for a To that is before From or where
// both are zero, so that 1970-01-01 stays a date.
func (r Request) Bounds() (from, to instrument.Date) {
	from, to = r.From, r.To
	if to == instrument.None || to == 0 && from >= 0 {
		to = instrument.Forever
	}
	if from == 0 && r.To == 0 {
		from = instrument.None
	}
	return from, to
}

// Coverage says what a source holds of one instrument in one frame.
type Coverage struct {
	Instrument  instrument.Instrument
	Frame       Frame
	First, Last instrument.Date // sessions, inclusive
	Bars        int64
}

// Note is something a source has to say about the bars it gave, for the warnings of a result: a stable
// word and a sentence. The sentence names symbols, never paths, so that it does not depend on the host.
type Note struct{ Code, Message string }

// Checked is implemented by sources that vouch for every bar they give: 0 < low <= open, close <= high,
// volume >= 0 or unknown, times increasing. The engine checks the bars of all others.
type Checked interface{ Checked() }

// Owner is one company that used a ticker: from when to when, both inclusive, as far as it has bars.
type Owner struct {
	Ticker     string
	Instrument *instrument.Instrument
	From, To   instrument.Date
}

// Reuser is implemented by sources that know who used a ticker when.
type Reuser interface {
	// Owners lists the companies that used a ticker, and have bars in frame, one after the other, the
	// earliest first; none when at most one did. Cost where that is so: a few look-ups a file.
	Owners(ctx context.Context, ticker string, frame Frame) ([]Owner, error)
}

// Source gives bars to the engine. Implementations are safe for concurrent use. Every answer comes
// from one consistent state of the data for as long as the Source is open.
type Source interface {
	// Name says where the data comes from, for messages: "store /path", "AAPL.csv".
	Name() string
	// Calendar of the market the bars come from.
	Calendar() *Calendar
	// Coverage lists everything held in frame, sorted by ticker. Cost: no bar is read.
	Coverage(ctx context.Context, frame Frame) ([]Coverage, error)
	// Load returns bars as asked. An unknown symbol or an empty range is an error matching
	// ErrNoData. Cost: a range within one stored segment is a view, otherwise one copy.
	Load(ctx context.Context, r Request) (*Series, error)
	// Synthetic reports whether the prices are made up (the demo market): everything that shows
	// results must then say so.
	Synthetic() bool
}
