package expr

import (
	"sort"
	"strconv"
	"strings"
)

// Pos is a place in a strategy file, 1-based. File may be empty; a zero Line means that the place is
// unknown and the message is printed without it.
type Pos struct {
	File         string
	Line, Column int
}

// String is FILE:LINE:COLUMN, as far as known.
func (p Pos) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		if p.File != "" {
			b.WriteByte(':')
		}
		b.WriteString(strconv.Itoa(p.Line))
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(p.Column))
	}
	return b.String()
}

// Diagnostic is one fault (or, from Program.Notes, one remark) with its place. Code is a stable word
// for tools; Hint is what the person probably wanted, possibly empty; Length is in characters.
type Diagnostic struct {
	Pos
	Length              int
	Code, Message, Hint string
}

// Error is "FILE:LINE:COLUMN: message (did you mean X?)".
func (d Diagnostic) Error() string {
	s := d.Message
	if d.Hint != "" {
		s += " (" + d.Hint + ")"
	}
	if p := d.Pos.String(); p != "" {
		return p + ": " + s
	}
	return s
}

// Diagnostics are all faults found, in the order of their places.
type Diagnostics []Diagnostic

// Error is one line a fault.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}

// Err is ds as an error, nil when there is no fault.
func (ds Diagnostics) Err() error {
	if len(ds) == 0 {
		return nil
	}
	return ds
}

// Unwrap gives errors.Is and errors.As every fault.
func (ds Diagnostics) Unwrap() []error {
	errs := make([]error, len(ds))
	for i, d := range ds {
		errs[i] = d
	}
	return errs
}

var _ interface{ Unwrap() []error } = Diagnostics(nil)

// sorted puts faults in the order of their places, keeping the order of those at one place.
func (ds Diagnostics) sorted() Diagnostics {
	sort.SliceStable(ds, func(i, j int) bool {
		a, b := ds[i], ds[j]
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	return ds
}
