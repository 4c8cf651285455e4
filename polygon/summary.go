package polygon

import (
	"errors"
	"fmt"
	"strings"

	"backtester/backtest/instrument"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// What a caller can act on, by errors.Is. See package bucket for the rest.
var (
	ErrForbidden    = bucket.ErrForbidden   // the vendor's plan does not include what was asked for
	ErrUnauthorized = bucket.ErrCredentials // keys missing or not accepted
	ErrBusy         = bucket.ErrBusy        // another fetch is at work in the same folder
)

// Summary says what was done. It is filled as far as the work got, also beside an error.
type Summary struct {
	Bars      []BarSummary   // one a dataset of bars
	Reference *ReferenceInfo // nil when reference data was not touched
	Warnings  []Warning
	Faults    []Fault // files that could not be had or used, in the order met
	Damaged   []Damage
	Pruned    Pruned
	DryRun    bool     // nothing was fetched or stored: Missing, Bytes, Requests and Due say what would be
	Due       []string // with DryRun: lists of reference data that would be asked for
}

// Damage is one file on disk whose bytes had changed, found by Options.Verify.
type Damage struct {
	File   string // of the store, or the key of a download
	What   string
	First  instrument.Date // sessions it held; both None for what holds none
	Last   instrument.Date
	Healed bool // the sessions were put again, from the download or a fresh one
}

// Pruned counts what Options.Prune removed.
type Pruned struct {
	Files int
	Bytes int64
}

// BarSummary of one dataset.
type BarSummary struct {
	Dataset     flatfile.Dataset
	Listed      int // sessions the vendor has in the range, or files found on disk
	First, Last instrument.Date
	Missing     int   // files not on disk, or changed since
	Bytes       int64 // of those
	Requests    int   // with DryRun, from REST: at least so many would be made
	Fetched     int   // files downloaded now
	Loaded      int   // sessions put into the store now
	Rows        int64 // bars in those
	LeftOut     int64 // rows in those that were left out as impossible
	Notes       []FileNote
}

// FileNote is a Note and the file it is about.
type FileNote struct {
	Key string
	flatfile.Note
}

// ReferenceInfo counts what is known apart from bars.
type ReferenceInfo struct {
	Instruments, Splits, Dividends, Holidays int
	Calls                                    int // REST requests made
	Notes                                    []reference.Note
}

// Warning is something a careful reader must know. Codes are stable words: no_actions,
// insecure_endpoint, no_file, extra_file, plan_limit, damaged.
type Warning struct{ Code, Message string }

// String says what was found in one line.
func (d Damage) String() string {
	held := ""
	if d.First != instrument.None {
		held = fmt.Sprintf(" (sessions %s to %s)", d.First, d.Last)
	}
	return fmt.Sprintf("damaged: %s%s: %s", d.File, held, d.What)
}

// Fault is one file or dataset that failed while the rest went on.
type Fault struct {
	Key string
	Err error
}

func (f Fault) Error() string { return f.Err.Error() }
func (f Fault) Unwrap() error { return f.Err }

func (s *Summary) warn(code, format string, args ...any) {
	for _, w := range s.Warnings {
		if w.Code == code {
			return
		}
	}
	s.Warnings = append(s.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}

func (s *Summary) fault(key string, err error) { s.Faults = append(s.Faults, Fault{key, err}) }

// maxShown faults are written out in an error; the Summary has them all.
const maxShown = 10

// err joins the faults and impossible rows into one error, or nil.
func (s *Summary) err() error {
	var lines []string
	for i, f := range s.Faults {
		if i == maxShown {
			lines = append(lines, fmt.Sprintf("and %d more", len(s.Faults)-i))
			break
		}
		lines = append(lines, f.Error())
	}
	for _, d := range s.Damaged {
		if !d.Healed {
			lines = append(lines, d.String())
		}
	}
	rows, first := 0, ""
	for _, b := range s.Bars {
		for _, n := range b.Notes {
			if n.Code.Fault() {
				if rows += n.Rows; first == "" {
					first = n.Key + " " + n.String()
				}
			}
		}
	}
	if rows > 0 {
		lines = append(lines, fmt.Sprintf("%d impossible rows left out, the first: %s", rows, first))
	}
	if lines == nil {
		return nil
	}
	return &syncError{strings.Join(lines, "\n"), s.Faults}
}

// syncError shows the first faults and matches all of them.
type syncError struct {
	text   string
	faults []Fault
}

func (e *syncError) Error() string { return e.text }

func (e *syncError) Is(target error) bool {
	for _, f := range e.faults {
		if errors.Is(f.Err, target) {
			return true
		}
	}
	return false
}
