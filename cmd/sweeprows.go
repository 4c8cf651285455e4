package cmd

import (
	"errors"
	"io"

	"backtester/backtest/sweep"
)

// sweepRows hands the rows of a sweep to all that want them.
type sweepRows struct {
	file    *sweep.File    // nil: none
	resumed int            // the first combination that the file had not when it was opened
	out     io.Writer      // of lines; nil: none
	surface *sweep.Surface // nil: none
	next    int            // the first combination that has no row yet
	broken  error          // of the file, found between rows
	line    []byte
}

// take hands out one row, played or found in the file.
func (s *sweepRows) take(r *sweep.Row) error {
	if s.surface != nil {
		s.surface.Add(r)
	}
	if !r.Kept {
		return nil
	}
	if s.file != nil && r.Index >= s.resumed {
		if err := s.file.Add(r); err != nil {
			return err
		}
	}
	if s.out == nil {
		return nil
	}
	s.line = sweep.AppendCSV(s.line[:0], r)
	_, err := s.out.Write(s.line)
	return err
}

// add takes a row that was played.
func (s *sweepRows) add(r *sweep.Row) error {
	if s.broken != nil {
		return s.broken
	}
	s.next = r.Index + 1
	return s.take(r)
}

// reached is the first combination that is not in the file.
func (s *sweepRows) reached() int { return max(s.next, s.resumed) }

// commit makes durable what came since it did so before.
func (s *sweepRows) commit() {
	if s.file != nil && s.reached() > s.file.Next() {
		s.broken = s.file.Commit(s.reached())
	}
}

func (s *sweepRows) close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Commit(s.reached()), s.file.Close())
}
