package sweep

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
)

// Earlier says what the rows came to that were in the file when it was opened, and hands them to add, in the order of
// the plan. Rows that a `require` left out are not among them, and by which path a row was played is not known any more.
// To be called before rows are added.
func (o *File) Earlier(p *Plan, add func(*Row) error) (*Summary, error) {
	t := p.NewTally(Options{Row: add})
	t.Combinations(o.state.Next - o.state.From)
	if err := o.earlier(p, t); err != nil {
		return nil, fmt.Errorf("resume %s: %w: start it anew without --resume", o.path, err)
	}
	s := t.Summary()
	s.Paths = nil
	return s, nil
}

func (o *File) earlier(p *Plan, t *Tally) error {
	in, err := os.Open(o.path)
	if err != nil {
		return err
	}
	defer in.Close()
	r := csv.NewReader(bufio.NewReaderSize(io.LimitReader(in, o.state.Bytes), 1<<18))
	r.ReuseRecord = true
	if _, err := r.Read(); err != nil {
		return err
	}
	row := Row{Index: o.state.From, Metrics: make([]float64, len(p.Metrics))}
	params := make([]float64, len(p.Space.Names))
	var own []float64
	for {
		record, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			row.Symbol = record[0]
			err = numbers(params, record[1:])
		}
		if err == nil {
			err = numbers(row.Metrics, record[1+len(params):])
		}
		if err != nil {
			return err
		}
		for own = p.Combination(row.Index, own[:0]); !slices.Equal(own, params); own = p.Combination(row.Index, own[:0]) {
			if row.Index++; row.Index >= o.state.Next {
				return fmt.Errorf("the row of %s is not one of this sweep, or not in its place", p.name(params))
			}
		}
		if err := t.Add(&row); err != nil {
			return err
		}
	}
}

// numbers reads cells as AppendCSV writes them.
func numbers(dst []float64, cells []string) (err error) {
	for i := range dst {
		dst[i] = math.NaN()
		if cells[i] != "" {
			if dst[i], err = strconv.ParseFloat(cells[i], 64); err != nil {
				return err
			}
		}
	}
	return nil
}

// Join adds what the rows behind those of s came to. Every combination has as many rows as those of next, whether a
// file kept them or not.
func (s *Summary) Join(next *Summary) {
	if next.Combinations > 0 {
		s.Rows = s.Combinations * (next.Rows / next.Combinations)
	}
	s.Combinations += next.Combinations
	s.Rows += next.Rows
	s.Kept += next.Kept
	s.Eligible += next.Eligible
	s.Paths, s.Faults = next.Paths, next.Faults
	for _, b := range next.Best {
		s.rank(b)
	}
}
