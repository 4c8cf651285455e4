package store

import (
	"fmt"
	"math"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// check refuses a batch that Put must not take, naming symbol and row (0-based, within the batch).
func (b *Batch) check(dataset byte, cal *bar.Calendar) error {
	n := len(b.Time)
	if len(b.Open) != n || len(b.High) != n || len(b.Low) != n || len(b.Close) != n || len(b.Volume) != n || len(b.Transactions) != n {
		return fmt.Errorf("columns have different lengths")
	}
	if len(b.Start) != len(b.Symbols)+1 || b.Start[0] != 0 || int(b.Start[len(b.Symbols)]) != n {
		return fmt.Errorf("row ranges of %d symbols do not cover %d rows", len(b.Symbols), n)
	}
	from, to := b.Session.Nanos(), b.Session.Nanos()+1
	if dataset == minuteDataset {
		from, to = cal.Midnight(b.Session), cal.Midnight(b.Session+1)
	}
	for k, sym := range b.Symbols {
		if err := instrument.CheckTicker(sym); err != nil {
			return err
		}
		if k > 0 && b.Symbols[k-1] >= sym {
			return fmt.Errorf("symbol %s comes after %s: symbols must be sorted by bytes, each once", sym, b.Symbols[k-1])
		}
		i, j := int(b.Start[k]), int(b.Start[k+1])
		if i >= j {
			return fmt.Errorf("symbol %s has no rows", sym)
		}
		for ; i < j; i++ {
			if t := b.Time[i]; t < from || t >= to {
				return fmt.Errorf("symbol %s row %d: its time %d ns is not of this session", sym, i, t)
			}
			if i > int(b.Start[k]) && b.Time[i] <= b.Time[i-1] {
				return fmt.Errorf("symbol %s row %d: its time is not after that of the row before", sym, i)
			}
			v := b.Volume[i]
			if b.NoVolume && math.IsNaN(v) {
				v = 0
			}
			if fault := barFault(b.Open[i], b.High[i], b.Low[i], b.Close[i], v); fault != "" {
				return fmt.Errorf("symbol %s row %d: %s (open %v high %v low %v close %v volume %v)",
					sym, i, fault, b.Open[i], b.High[i], b.Low[i], b.Close[i], b.Volume[i])
			}
			if b.Transactions[i] < -1 || b.Transactions[i] > math.MaxInt32 {
				return fmt.Errorf("symbol %s row %d: %d transactions", sym, i, b.Transactions[i])
			}
		}
	}
	return nil
}

// barFault says why a bar cannot be; "" when it can. NaN fails every comparison that must hold.
func barFault(o, h, l, c, v float64) string {
	switch {
	case !(l > 0) || !(h <= math.MaxFloat64):
		return "a price is not a positive number"
	case !(l <= o && l <= c):
		return "the low is above open or close"
	case !(o <= h && c <= h):
		return "the high is below open or close"
	case !(v >= 0 && v <= math.MaxFloat64):
		return "the volume is not a number of at least 0"
	}
	return ""
}

// batch is a checked Batch in the store's own form.
type batch struct {
	symbols []string
	start   []int32
	c       columns
}

// viewBatch is a batch on the caller's columns.
func viewBatch(b Batch) *batch {
	trans := make([]int32, len(b.Transactions))
	for i, v := range b.Transactions {
		trans[i] = int32(v)
	}
	return &batch{b.Symbols, b.Start, columns{b.Time, b.Open, b.High, b.Low, b.Close, b.Volume, trans}}
}

// clone of a batch, to be kept.
func (b *batch) clone() *batch {
	c := b.c
	return &batch{slices.Clone(b.symbols), slices.Clone(b.start), columns{
		slices.Clone(c.time), slices.Clone(c.open), slices.Clone(c.high), slices.Clone(c.low),
		slices.Clone(c.close), slices.Clone(c.volume), c.trans,
	}}
}

func (b *batch) tickers() int        { return len(b.symbols) }
func (b *batch) ticker(i int) string { return b.symbols[i] }

func (b *batch) run(i int) (columns, error) {
	return b.c.slice(int(b.start[i]), int(b.start[i+1])), nil
}
