package audit

import (
	"cmp"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Note is something that whoever read files or reference data noticed, for Overall.
type Note struct {
	Check string          // file_damaged, file_rows, wrong_date or reference
	Date  instrument.Date // session of the file; instrument.None where none applies
	Rows  int
	Text  string
}

// Overall judges what is not one symbol's: sessions that are missing or too many, tickers used by
// several companies (from everything that the source covers), and notes of reading. Findings come in
// the order of the table. It panics on a note whose check is not in the table.
func (m Market) Overall(coverage []bar.Coverage, notes []Note) []Finding {
	found := map[string]hits{
		"session_missing": m.missing(), "session_extra": m.extra(), "ticker_reuse": reuse(coverage),
	}
	for id, what := range map[string]string{
		"file_damaged": "files that cannot be read", "file_rows": "rows left out", "wrong_date": "rows stamped with another session",
		"reference": "reference data",
	} {
		found[id] = fromNotes(id, what, notes)
	}
	for _, n := range notes {
		if _, ok := found[n.Check]; !ok {
			panic("BUG: no check " + n.Check)
		}
	}
	out := []Finding{}
	for _, r := range table() {
		if h := found[r.ID]; r.needs == market && h.n > 0 {
			out = append(out, Finding{r.ID, r.Severity, h.n, h.first, h.last, h.text()})
		}
	}
	return out
}

func fromNotes(id, what string, notes []Note) hits {
	h := found(what)
	for _, n := range notes {
		if n.Check == id {
			h.add(n.Date, "%s", n.Text)
			h.n += max(0, n.Rows-1)
		}
	}
	return h
}

// missing are sessions of the calendar between the first and the last held, of days and of minutes.
func (m Market) missing() hits {
	h := found("sessions of which nothing is stored")
	for _, kind := range []struct {
		name string
		held []instrument.Date
	}{{"", m.Days}, {"(minutes)", m.Minutes}} {
		if len(kind.held) == 0 {
			continue
		}
		for _, d := range m.Calendar.Sessions(kind.held[0], kind.held[len(kind.held)-1]) {
			if _, ok := slices.BinarySearch(kind.held, d); !ok {
				h.add(d, "%s", kind.name)
			}
		}
	}
	return h
}

func (m Market) extra() hits {
	h := found("stored days on which the exchange was closed")
	first, last := m.Calendar.Known()
	for _, d := range m.Days {
		if d >= first && d <= last && !m.Calendar.IsSession(d) {
			h.add(d, "was a %s", d.Weekday())
		}
	}
	return h
}

// reuse lists the tickers that more than one instrument had.
func reuse(coverage []bar.Coverage) hits {
	type use struct {
		instrument.Span
		id instrument.ID
	}
	var uses []use
	for _, c := range coverage {
		for _, s := range c.Instrument.Spans {
			uses = append(uses, use{s, c.Instrument.ID})
		}
	}
	slices.SortFunc(uses, func(a, b use) int {
		return cmp.Or(strings.Compare(a.Ticker, b.Ticker), cmp.Compare(a.From, b.From))
	})
	h := found("tickers of several companies")
	for i := 1; i < len(uses); i++ {
		if a, b := uses[i-1], uses[i]; a.Ticker == b.Ticker && a.id != b.id {
			h.add(b.From, "%s passed from %s to %s", b.Ticker, a.id, b.id)
		}
	}
	return h
}
