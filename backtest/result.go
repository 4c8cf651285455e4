package backtest

import (
	"bytes"
	"encoding/json"
	"io"

	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// Result of a run: a function of Config, data and engine only. Nothing in it depends on the clock,
// the host, the number of threads or earlier runs. Encoded by EncodeJSON it is the same bytes from
// the command line and from the API.
type Result struct {
	Schema        int            `json:"schema"`           // version of this shape
	EngineVersion string         `json:"engine_version"`   // version of the simulated market's rules
	Fingerprint   string         `json:"fingerprint"`      // sha256 of canonical config, data.sha256 and engine version
	Strategy      string         `json:"strategy"`         // the strategy's name
	Config        *strategy.File `json:"config"`           // effective settings, every default filled in
	Script        *ScriptInfo    `json:"script,omitempty"` // where code made decisions
	Data          DataInfo       `json:"data"`
	Metrics       stats.Metrics  `json:"metrics"`
	Trades        []Trade        `json:"trades"`
	Fills         []Fill         `json:"fills"`
	FillsSHA256   string         `json:"fills_sha256"` // the same fills, the same value
	Equity        Curve          `json:"equity"`
	Benchmark     *Curve         `json:"benchmark,omitempty"`    // total return, scaled to the starting equity
	BuyAndHold    *Holding       `json:"buy_and_hold,omitempty"` // where the Config asks for it
	Strategies    []Sleeve       `json:"strategies,omitempty"`   // where several share the account
	Charges       *Charges       `json:"charges,omitempty"`      // where prices of trading come from, if not from the Config
	Books         *Books         `json:"books,omitempty"`        // how the trades and other flows make up the equity
	Counts        Counts         `json:"counts"`
	Rebalance     *RebalanceInfo `json:"rebalance,omitempty"` // where a portfolio was brought to target weights
	Ambiguity     *Ambiguity     `json:"ambiguity,omitempty"` // the run with the other answers, where a rule decided what came first in a bar
	Path          string         `json:"path"`                // which evaluator ran and why
	Warnings      []Warning      `json:"warnings"`
}

// Warning is something a careful reader must know. Codes are stable words.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// DataInfo says what the run stood on.
type DataInfo struct {
	Synthetic bool       `json:"synthetic,omitempty"`
	Symbols   []string   `json:"symbols"`
	From      string     `json:"from"` // first and last session that could trade
	To        string     `json:"to"`
	Decision  Session    `json:"first_decision"` // session whose close could decide first; null when none could
	Warmup    int        `json:"warmup_bars"`    // bars of own history that the expressions need
	Bars      int64      `json:"bars"`           // bars read, warm-up included
	SHA256    string     `json:"sha256"`         // over every column and action read
	Coverage  []Coverage `json:"coverage"`
	// Universe says who could be traded, and how many of them did not live to the end.
	Universe *UniverseInfo `json:"universe"`
}

// Session is the date of a session, "" for none, which JSON says as null.
type Session string

// MarshalJSON gives null for no session.
func (s Session) MarshalJSON() ([]byte, error) {
	if s == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(s))
}

// Coverage of one symbol.
type Coverage struct {
	Symbol  string `json:"symbol"`
	First   string `json:"first"` // first and last bar read, warm-up included
	Last    string `json:"last"`
	Bars    int    `json:"bars"`
	Warm    int    `json:"warm"`              // bars before `from`
	Missing int    `json:"missing,omitempty"` // calendar sessions between first and last without a bar
	Ended   string `json:"ended,omitempty"`   // delisted | not traded | data ended: why bars stop before the end of the run; the last one where nobody can tell
}

// Trade is a round trip: shares bought and sold again (or sold short and bought back), matched first
// in, first out. Prices are USD as traded, after slippage, in the share basis of the exit (an entry
// before a split is restated, so that pnl = quantity x exit price - value at entry - commission + dividends + in lieu, mirrored for
// shorts).
type Trade struct {
	Symbol     string  `json:"symbol"`
	Strategy   string  `json:"strategy,omitempty"` // which of several
	Side       string  `json:"side"`               // long | short
	Quantity   float64 `json:"quantity"`           // shares, > 0, in the basis of the exit
	EntryTime  string  `json:"entry_time"`
	EntryPrice float64 `json:"entry_price"`
	ExitTime   string  `json:"exit_time"` // of the last mark while open
	ExitPrice  float64 `json:"exit_price"`
	PnL        float64 `json:"pnl"`        // after commissions, with dividends received or paid and cash in lieu; borrow fees are apart
	Return     float64 `json:"return"`     // pnl / value at entry
	Commission float64 `json:"commission"` // both ways
	Dividends  float64 `json:"dividends,omitempty"`
	InLieu     float64 `json:"in_lieu,omitempty"` // cash for the fraction of a share that splits left, whose cost stays in the value at entry
	Borrow     float64 `json:"borrow,omitempty"`  // fees for the borrowed shares; not in pnl
	Bars       int     `json:"bars"`              // bars held
	MAE        float64 `json:"mae"`               // worst and best open profit as a fraction of the value at entry, from bar extremes
	MFE        float64 `json:"mfe"`
	ExitReason string  `json:"exit_reason"` // name of the exit, or end, delisted, margin_call, reversal; "" while open
	Open       bool    `json:"open"`
	Tag        string  `json:"tag,omitempty"` // what code called its entry
}

// Books say how the equity at the end came about, in USD: start + closed + open + interest - borrow = end,
// to 1e-9 of everything that was bought and sold. Commission, dividends and in_lieu are parts of closed and
// open, borrow is the sum of that of all trades.
type Books struct {
	Start      float64 `json:"start"`
	Closed     float64 `json:"closed"`   // pnl of closed trades
	Open       float64 `json:"open"`     // pnl of open trades at the last marks
	Interest   float64 `json:"interest"` // earned - paid on cash
	Borrow     float64 `json:"borrow"`   // fees for borrowed shares
	End        float64 `json:"end"`
	Commission float64 `json:"commission"`
	Dividends  float64 `json:"dividends"` // received - paid on shorts
	InLieu     float64 `json:"in_lieu"`   // cash for fractions of shares at splits
}

// Fill is one execution.
type Fill struct {
	Time       string  `json:"time"`    // of the bar it happened in
	Decided    string  `json:"decided"` // of the bar that decided it
	Symbol     string  `json:"symbol"`
	Strategy   string  `json:"strategy,omitempty"` // which of several
	Side       string  `json:"side"`               // buy | sell | short | cover
	Quantity   float64 `json:"quantity"`
	Reference  float64 `json:"reference"` // price before slippage, within the bar's range
	Price      float64 `json:"price"`
	Commission float64 `json:"commission"`           // with regulatory fees
	Regulatory float64 `json:"regulatory,omitempty"` // of it
	Slippage   float64 `json:"slippage"`             // USD lost to slippage
	Rule       string  `json:"rule"`                 // open, close, limit, limit_gap, stop, stop_gap, ...
	Reason     string  `json:"reason"`               // entry, or the exit's name
}

// Curve is a value at every bar close of the run; element 0 is the start, stamped at the close before.
type Curve struct {
	Time  Times     `json:"time"`
	Value []float64 `json:"value"`
}

// Counts explain what happened, above all when nothing did.
type Counts struct {
	Bars          int64            `json:"bars"`                     // symbol-bars at which a decision was possible
	Warming       int64            `json:"warming"`                  // symbol-bars at which some entry value was still absent
	Signals       map[string]int64 `json:"signals"`                  // how often each named condition held (entry.when included)
	Orders        int64            `json:"orders"`                   // entries placed
	Refused       map[string]int64 `json:"refused"`                  // entries not placed or not filled, by reason
	Short         Shortfall        `json:"short,omitzero"`           // entries that money paid in part or not at all
	Expired       int64            `json:"expired"`                  // entries whose time ran out unfilled
	Cancelled     int64            `json:"cancelled,omitempty"`      // entries cancelled unfilled: by entry.cancel_when, a script, a later target, the fill of the other order of a pair, a reverse split, a delisting
	Waiting       int64            `json:"waiting,omitempty"`        // entries that still work unfilled when the run ends
	AbsentExits   int64            `json:"absent_exits"`             // stops and targets not placed because their price was absent
	AmbiguousBars int64            `json:"ambiguous_bars"`           // bars in which stop and target could both have filled, and a rule decided
	SettledBars   int64            `json:"settled_bars,omitempty"`   // bars of which minutes said what came first
	UnsettledBars int64            `json:"unsettled_bars,omitempty"` // bars of which they could not: none stored, or both in one
	ExDateStops   int64            `json:"ex_date_stops"`            // stops hit on an ex-date within the dividend
	LargeFills    int64            `json:"large_fills"`              // fills of more than 10 % of the bar's volume
	SameBarFills  int64            `json:"same_bar_fills"`
	LastBar       int64            `json:"last_bar,omitempty"` // entry conditions that held at the last bar: no bar is left for their orders
}

// Shortfall is what entries asked for and money did not pay: refused or cut at the decision by the cash or
// margin that was free, or at the fill by the cash that there was.
type Shortfall struct {
	Orders int64   `json:"orders"`
	Most   float64 `json:"most"` // largest value that one of them lacked, USD, without fees
}

// EncodeJSON is the canonical encoding: one line, keys in the order of the struct, floats in Go's
// shortest form, absent metrics as null, one trailing newline.
func (r *Result) EncodeJSON() ([]byte, error) {
	var b bytes.Buffer
	err := r.WriteJSON(&b)
	return b.Bytes(), err
}

// WriteJSON writes what EncodeJSON returns. Of a million bars nearly all of it is the equity curve, which is written
// piece by piece: package json would hold all of it at once, and go through the times once more. Writes after an error
// are to be thrown away.
func (r *Result) WriteJSON(w io.Writer) error {
	rest := *r
	rest.Equity = Curve{Value: []float64{}}
	text, err := json.Marshal(&rest)
	if err != nil {
		return err
	}
	const key, empty = `"equity":`, `{"time":[],"value":[]}`
	at := bytes.Index(text, []byte(key+empty)) + len(key) // nothing like it comes before: quotes within texts are escaped
	if _, err := w.Write(text[:at]); err != nil {
		return err
	}
	if err := r.Equity.write(w); err != nil {
		return err
	}
	_, err = w.Write(append(text[at+len(empty):], '\n'))
	return err
}

// write c as package json does, a few thousand points at a time.
func (c *Curve) write(w io.Writer) error {
	const piece = 4096
	b := []byte(`{"time":[`)
	for lo := 0; lo < len(c.Time.Nanos); lo += piece {
		b = c.Time.append(b, lo, min(lo+piece, len(c.Time.Nanos)))
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	if c.Value == nil {
		_, err := w.Write(append(b, `],"value":null}`...))
		return err
	}
	b = append(b, `],"value":[`...)
	for lo := 0; lo < len(c.Value); lo += piece {
		text, err := json.Marshal(c.Value[lo:min(lo+piece, len(c.Value))])
		if err != nil {
			return err
		}
		if lo > 0 {
			b = append(b, ',')
		}
		if _, err := w.Write(append(b, text[1:len(text)-1]...)); err != nil {
			return err
		}
		b = b[:0]
	}
	_, err := w.Write(append(b, `]}`...))
	return err
}
