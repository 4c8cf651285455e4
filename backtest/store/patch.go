package store

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// patch is bars of symbols, one run a symbol within one period, that replace the stored bars of these
// symbols and nobody else's.
type patch struct {
	names []string
	cols  []columns
	known map[string]bool
}

// patchKey names the patch that collects symbols of a period.
type patchKey struct {
	dataset byte
	period  int
}

func (p *patch) tickers() int               { return len(p.names) }
func (p *patch) ticker(i int) string        { return p.names[i] }
func (p *patch) run(i int) (columns, error) { return p.cols[i], nil }

func (p *patch) sort() { sort.Sort((*byName)(p)) }

type byName patch

func (p *byName) Len() int           { return len(p.names) }
func (p *byName) Less(i, j int) bool { return p.names[i] < p.names[j] }
func (p *byName) Swap(i, j int) {
	p.names[i], p.names[j] = p.names[j], p.names[i]
	p.cols[i], p.cols[j] = p.cols[j], p.cols[i]
}

// PutSeries takes the bars of one symbol over any number of sessions, for data that comes by symbol
// rather than by session. In each session that it has bars of, it replaces what the store has of this
// ticker; other sessions and other symbols stay as they are. It refuses what Put refuses, and to be
// mixed with Put in one commit. Where the series has no volume (Series.NoVolume), NaN is stored, by
// which Load knows it again. Cost: one copy.
func (w *Writer) PutSeries(ticker string, s *bar.Series) error {
	if s.Frame != bar.Daily && s.Frame != bar.Minutely {
		return fmt.Errorf("store bars of %s of %s: only 1d and 1m are stored; longer bars are made when read", s.Frame, ticker)
	}
	dataset := datasetOf(s.Frame)
	err := checkSeries(ticker, s)
	if err == nil {
		err = w.only(true)
	}
	if err != nil {
		return fmt.Errorf("store %s bars of %s: %w", s.Frame, ticker, err)
	}
	for i := 0; i < s.Len(); {
		k := period(dataset, w.dateOf(dataset, s.Time[i]))
		j := i + sort.Search(s.Len()-i, func(n int) bool { return period(dataset, w.dateOf(dataset, s.Time[i+n])) > k })
		w.addPiece(patchKey{dataset, k}, ticker, s.Slice(i, j))
		i = j
	}
	return w.buffer(s.Len())
}

func (w *Writer) dateOf(dataset byte, ns int64) instrument.Date {
	if dataset == minuteDataset {
		return w.cal.DateOf(ns)
	}
	return instrument.DateOfNanos(ns)
}

// checkSeries refuses rows that cannot be, naming the first.
func checkSeries(ticker string, s *bar.Series) error {
	if err := instrument.CheckTicker(ticker); err != nil {
		return err
	}
	if s.Len() == 0 {
		return fmt.Errorf("there are none: %w", bar.ErrNoData)
	}
	for i, t := range s.Time {
		v := s.Volume[i]
		if s.NoVolume {
			v = 0
		}
		switch fault := barFault(s.Open[i], s.High[i], s.Low[i], s.Close[i], v); {
		case fault != "":
			return fmt.Errorf("row %d: %s (open %v high %v low %v close %v volume %v)", i, fault, s.Open[i], s.High[i], s.Low[i], s.Close[i], v)
		case i > 0 && t <= s.Time[i-1]:
			return fmt.Errorf("row %d: its time is not after that of the row before", i)
		case s.Frame == bar.Daily && t != s.Date(i).Nanos():
			return fmt.Errorf("row %d: its time %d ns is not the midnight UTC that labels a day", i, t)
		}
	}
	return nil
}

// addPiece copies bars of one period into the patch of that period; a symbol that is in there already
// begins a new one, which wins.
func (w *Writer) addPiece(key patchKey, ticker string, s *bar.Series) {
	at, ok := w.patches[key]
	if ok && w.pending[at].src.(*patch).known[ticker] {
		ok = false
	}
	if !ok {
		if w.patches == nil {
			w.patches = map[patchKey]int{}
		}
		at = len(w.pending)
		w.patches[key] = at
		w.pending = append(w.pending, pending{dataset: key.dataset, src: &patch{known: map[string]bool{}}, patch: true})
	}
	p := &w.pending[at]
	x := p.src.(*patch)
	c := columns{slices.Clone(s.Time), slices.Clone(s.Open), slices.Clone(s.High), slices.Clone(s.Low), slices.Clone(s.Close),
		slices.Clone(s.Volume), slices.Repeat([]int32{-1}, s.Len())}
	if s.NoVolume {
		for i := range c.volume {
			c.volume[i] = math.NaN()
		}
	}
	x.names, x.cols, x.known[ticker] = append(x.names, ticker), append(x.cols, c), true
	var more []instrument.Date
	for i, t := range c.time {
		d := w.dateOf(key.dataset, t)
		if i > 0 && len(more) > 0 && more[len(more)-1] == d {
			continue
		}
		if _, known := slices.BinarySearch(p.sessions, d); !known {
			more = append(more, d)
		}
	}
	if more != nil {
		p.sessions = append(p.sessions, more...)
		slices.Sort(p.sessions)
	}
}
