package flatfile

import (
	"errors"
	"fmt"

	"backtester/backtest/instrument"
)

// Code says what kind of thing a Note is about.
type Code string

const (
	ZeroVolume    Code = "zero_volume"   // rows without volume: left out
	TestSymbol    Code = "test_symbol"   // rows of the exchanges' test symbols: left out
	Repeated      Code = "repeated_row"  // exact repetitions: one is kept
	Unsorted      Code = "unsorted"      // rows were not in order of ticker and time: sorted
	WrongStamp    Code = "wrong_date"    // daily rows stamped with another session: kept under the file's, unless all are of one other
	NotPositive   Code = "not_positive"  // values of an index at or below zero: left out
	BadPrice      Code = "bad_price"     // a price not above zero, low above high, open or close outside: left out
	BadVolume     Code = "bad_volume"    // negative volume, transactions negative or beyond 2^31: left out
	BadTicker     Code = "bad_ticker"    // not letters, digits, dots: left out
	OtherDay      Code = "other_day"     // minute rows of another New York date: left out
	OffMinute     Code = "off_minute"    // minute rows that do not start on a minute: left out
	Contradiction Code = "contradiction" // several different rows for one ticker and time: all left out
)

// Fault reports whether the code means that the file held something wrong, so that a bar may be
// missing from the batch; the other codes are routine.
func (c Code) Fault() bool {
	switch c {
	case BadPrice, BadVolume, BadTicker, OtherDay, OffMinute, Contradiction:
		return true
	}
	return false
}

// Note sums up all rows of one file with the same Code.
type Note struct {
	Code  Code
	Rows  int    // how many
	Line  int    // of the first, 1-based with the header as line 1
	Byte  int64  // where that line starts in the uncompressed text
	First string // the first, in words
}

// String is one line for people.
func (n Note) String() string {
	return fmt.Sprintf("%s: %d rows, first at line %d (byte %d): %s", n.Code, n.Rows, n.Line, n.Byte, n.First)
}

// Notes of one file, in order of first appearance, one a Code.
type Notes []Note

func (ns *Notes) add(c Code, line int, offset int64, first func() string) {
	for i := range *ns {
		if (*ns)[i].Code == c {
			(*ns)[i].Rows++
			return
		}
	}
	*ns = append(*ns, Note{Code: c, Rows: 1, Line: line, Byte: offset, First: first()})
}

// Rows is how many rows carry the code.
func (ns Notes) Rows(c Code) int {
	for _, n := range ns {
		if n.Code == c {
			return n.Rows
		}
	}
	return 0
}

// Faults is how many rows were left out because they were wrong.
func (ns Notes) Faults() int {
	rows := 0
	for _, n := range ns {
		if n.Code.Fault() {
			rows += n.Rows
		}
	}
	return rows
}

// ErrDamaged is matched by a FileError that a fresh download may cure: the bytes are not what the
// vendor compressed.
var ErrDamaged = errors.New("file is damaged")

// FileError refuses a whole file.
type FileError struct {
	Session instrument.Date
	Dataset Dataset
	Line    int   // 1-based, the header is line 1; the line being read
	Byte    int64 // offset in the uncompressed text
	Err     error // matches ErrDamaged, or says what the text holds
}

func (e *FileError) Error() string {
	return fmt.Sprintf("read %s line %d (byte %d): %v", Key(e.Dataset, e.Session), e.Line, e.Byte, e.Err)
}

func (e *FileError) Unwrap() error { return e.Err }
