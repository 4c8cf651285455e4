// Package audit judges market data: whether bars can have traded as they stand, whether they fit the
// calendar, the corporate actions and each other, and which companies a ticker may have joined.
//
// In: the raw series of one symbol with its actions, and what its source holds in general. Out:
// findings and a verdict, OK, WARN or FAIL, for each symbol and over all. Every check is a row of one
// table (see Checks) with its threshold and its severity. It changes nothing, and refuses nothing:
// data however broken gets a verdict. It cannot see an error that looks like a price.
package audit

import (
	"fmt"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Severity of a finding.
type Severity int

const (
	Info Severity = iota // worth knowing, nothing is wrong
	Warn                 // look at it before you trust a result
	Fail                 // the data is wrong, or a run on it would be
)

// String is "info", "warn" or "fail".
func (s Severity) String() string { return [...]string{"info", "warn", "fail"}[s] }

// MarshalText is String.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Verdict is the word for the worst of several findings: OK, WARN or FAIL.
func (s Severity) Verdict() string { return [...]string{"OK", "WARN", "FAIL"}[s] }

// Finding is what one check found in one symbol, or in the market as a whole.
type Finding struct {
	Check    string          `json:"check"` // id of a row of Checks
	Severity Severity        `json:"severity"`
	Count    int             `json:"count"` // places at which it holds
	First    instrument.Date `json:"first"` // the first and the last of them, instrument.None where no date applies
	Last     instrument.Date `json:"last"`
	Message  string          `json:"message"`
}

// Subject is what is to be judged.
type Subject struct {
	Instrument instrument.Instrument
	Days       *bar.Series // raw daily bars, all there are; nil when there are none
	Minutes    *bar.Series // raw minute bars with the extended session; nil when there are none
}

// Market is what holds for all symbols of a source.
type Market struct {
	Calendar *bar.Calendar
	// Days and Minutes are the sessions of which the source holds any daily or minute bar, sorted.
	// A symbol is blamed only for what it lacks in these.
	Days, Minutes []instrument.Date
}

// Report is the judgement of one symbol.
type Report struct {
	Symbol   string          `json:"symbol"`
	ID       instrument.ID   `json:"id"`
	Verdict  string          `json:"verdict"`
	First    instrument.Date `json:"first"` // session of the first daily bar, else of the first minute bar
	Last     instrument.Date `json:"last"`
	Bars     int             `json:"bars"`    // daily
	Minutes  int             `json:"minutes"` // minute bars
	Findings []Finding       `json:"findings"`
}

// Check judges one symbol by all checks of the table that concern symbols. Cost: some 50 ns a daily
// bar, 5 ns a minute bar.
func (m Market) Check(s Subject) Report {
	r := Report{Symbol: s.Instrument.Ticker, ID: s.Instrument.ID, First: instrument.None, Last: instrument.None, Findings: []Finding{}}
	w := &work{market: m, subject: s, days: s.Days, minutes: s.Minutes}
	if w.days != nil && w.days.Len() == 0 {
		w.days = nil
	}
	if w.minutes != nil && w.minutes.Len() == 0 {
		w.minutes = nil
	}
	if d := w.days; d != nil {
		r.Bars, r.First, r.Last = d.Len(), d.Date(0), d.Date(d.Len()-1)
	}
	if x := w.minutes; x != nil {
		r.Minutes = x.Len()
		if w.days == nil {
			r.First, r.Last = m.Calendar.DateOf(x.Time[0]), m.Calendar.DateOf(x.Time[x.Len()-1])
		}
	}
	w.findGaps()
	worst := Info
	for _, row := range table() {
		if row.find == nil || !w.can(row) {
			continue
		}
		h := row.find(w)
		if h.n == 0 {
			continue
		}
		worst = max(worst, row.Severity)
		r.Findings = append(r.Findings, Finding{row.ID, row.Severity, h.n, h.first, h.last, h.text()})
	}
	r.Verdict = worst.Verdict()
	return r
}

// work is one symbol being judged.
type work struct {
	market        Market
	subject       Subject
	days, minutes *bar.Series
	gaps          []gap
	missing       int  // sessions in the gaps
	broken        bool // prices or times are not even numbers in order: what builds on them is left out
}

// can reports whether the symbol has what a check needs.
func (w *work) can(r row) bool {
	switch r.needs {
	case daily:
		return w.days != nil && (!w.broken || r.basic)
	case minutely:
		return w.minutes != nil && w.days != nil && !w.broken
	}
	return true
}

// hits are the places at which a check holds.
type hits struct {
	n           int // what is counted: sessions, rows, bars
	places      int // where: a gap of several sessions is one
	first, last instrument.Date
	what        string   // of what there are n, in words
	shown       []string // the first few places, in words
}

// shownHits are spelt out; the rest is counted.
const shownHits = 3

func found(what string) hits { return hits{first: instrument.None, last: instrument.None, what: what} }

func (h *hits) add(d instrument.Date, format string, args ...any) {
	h.n++
	h.places++
	if h.first == instrument.None || d < h.first {
		h.first = d
	}
	h.last = max(h.last, d)
	if len(h.shown) < shownHits {
		text := fmt.Sprintf(format, args...)
		if d != instrument.None {
			text = strings.TrimSpace(d.String() + " " + text)
		}
		h.shown = append(h.shown, text)
	}
}

func (h hits) text() string {
	s := h.what
	if len(h.shown) > 0 {
		s += ": " + strings.Join(h.shown, "; ")
	}
	if more := h.places - len(h.shown); more > 0 {
		s += fmt.Sprintf("; and %d more", more)
	}
	return s
}

// Worst severity of symbols and market together, for the overall verdict.
func Worst(reports []Report, market []Finding) Severity {
	worst := Info
	for _, f := range market {
		worst = max(worst, f.Severity)
	}
	for _, r := range reports {
		for _, f := range r.Findings {
			worst = max(worst, f.Severity)
		}
	}
	return worst
}

// distance of a positive ratio from 1, in either direction: 2 for 2 and for 0.5.
func distance(x float64) float64 { return max(x, 1/x) }
