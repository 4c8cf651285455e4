package history

import (
	"fmt"
	"math"
	"slices"

	"github.com/cespare/xxhash/v2"

	"backtester/backtest"
	"backtester/backtest/instrument"
)

// Search collects the trials of one sweep.
//
//	s, err := history.NewSearch(cfg, plan.Space.Names, perYear)
//	err = s.Sessions(symbol, symbols, dates) // once a symbol, before its rows
//	err = s.Add(symbol, params, sharpe)      // every row
//	if history.Wanted(index, n) { err = s.Returns(symbol, params, returns) }
//	err = tx.AddTrials(each of s.Batches(owner, run))
//
// It is for one goroutine.
type Search struct {
	cfg     *backtest.Config
	names   []string
	root    float64 // of the sessions in a year
	batches map[string]*searched
	order   []string
}

// searched is the part of a search on one symbol, or on all that share the cash.
type searched struct {
	Batch
	keys *keyer // nil without sessions
}

// NewSearch begins a search of cfg over the named parameters. perYear is what annual Sharpe ratios were
// made with: Calendar.SessionsPerYear for daily and shorter bars.
func NewSearch(cfg *backtest.Config, names []string, perYear float64) (*Search, error) {
	if !(perYear > 0) {
		return nil, fmt.Errorf("count the trials of %s: a year has %v sessions", cfg.Name, perYear)
	}
	return &Search{cfg, names, math.Sqrt(perYear), map[string]*searched{}, nil}, nil
}

// Sessions says which symbols the rows of symbol stand for ("" is all that share the cash), and which
// sessions could trade.
func (s *Search) Sessions(symbol string, symbols []string, days []instrument.Date) error {
	if s.batches[symbol] != nil {
		return nil
	}
	rules, err := Rules(s.cfg, len(symbols))
	if err != nil {
		return fmt.Errorf("count the trials of %s: %w", s.cfg.Name, err)
	}
	if n := len(s.order); n > 0 && slices.Equal(days, s.batches[s.order[n-1]].Days) {
		days = s.batches[s.order[n-1]].Days // most symbols trade in the same sessions: held once
	} else {
		days = slices.Clone(days)
	}
	b := &searched{Batch: Batch{Symbols: slices.Clone(symbols), Days: days}}
	if len(days) > 0 {
		b.keys = newKeyer(rules, s.names, symbols, days[0], days[len(days)-1])
	}
	s.batches[symbol] = b
	s.order = append(s.order, symbol)
	return nil
}

// knows reports whether the sessions of symbol are known.
func (s *Search) knows(symbol string) bool { return s.batches[symbol] != nil }

// fits reports whether returns go with the sessions of symbol: a combination that needs more history than there
// is begins later, and is no part of the sample.
func (s *Search) fits(symbol string, returns []float64) bool {
	return len(returns) > 0 && s.knows(symbol) && len(returns) == len(s.batches[symbol].Days)
}

// Add counts a row; sharpe is annual, NaN where it is undefined. Rows of unknown symbols are refused.
func (s *Search) Add(symbol string, params []float64, sharpe float64) error {
	b := s.batches[symbol]
	if b == nil || b.keys == nil {
		return fmt.Errorf("count a trial of %q: its sessions are unknown", symbol)
	}
	b.Keys, b.Sharpes = append(b.Keys, b.keys.key(params)), append(b.Sharpes, sharpe/s.root)
	return nil
}

// samples is how many return series of a sweep are kept, about.
const samples = 32

// Wanted reports whether the returns of a combination belong to the sample: the same ones of n whatever
// the order and the number of workers.
func Wanted(index, n int) bool {
	if n <= samples {
		return true
	}
	var b [8]byte
	for i := range b {
		b[i] = byte(index >> (8 * i))
	}
	return float64(xxhash.Sum64(b[:])) < math.MaxUint64/float64(n)*samples
}

// Returns adds a return series to the sample: one value a session.
func (s *Search) Returns(symbol string, params, returns []float64) error {
	b := s.batches[symbol]
	if b == nil || b.keys == nil || len(returns) != len(b.Days) {
		return fmt.Errorf("keep the returns of a trial of %q: %d values do not go with its sessions", symbol, len(returns))
	}
	b.Returns = append(b.Returns, Sampled{b.keys.key(params), b.Days, slices.Clone(returns)})
	return nil
}

// Batches are what was collected, in the order of the symbols.
func (s *Search) Batches(owner, run string) []*Batch {
	var list []*Batch
	for _, symbol := range s.order {
		b := s.batches[symbol].Batch
		b.Owner, b.Run = owner, run
		list = append(list, &b)
	}
	return list
}

// forget starts anew with the same symbols and sessions.
func (s *Search) forget() {
	for _, symbol := range s.order {
		b := s.batches[symbol]
		b.Keys, b.Sharpes, b.Returns = nil, nil, nil // whoever got them has them
	}
}

// span is the first and the last session of all symbols.
func (s *Search) span() (first, last instrument.Date) {
	first, last = instrument.None, instrument.None
	for _, symbol := range s.order {
		d := s.batches[symbol].Days
		if len(d) == 0 {
			continue
		}
		if first == instrument.None || d[0] < first {
			first = d[0]
		}
		if last == instrument.None || d[len(d)-1] > last {
			last = d[len(d)-1]
		}
	}
	return first, last
}
