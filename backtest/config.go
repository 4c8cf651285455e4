package backtest

import (
	"fmt"
	"strings"

	"backtester/backtest/strategy"
)

// Config is one complete description of a run: a strategy file with every default filled in. Start
// from Default or from strategy.Parse; the command line and the API do the same.
type Config = strategy.File

// Part of a Config is one of several strategies in its account.
type Part = strategy.Part

// Default is a Config without rules: daily bars, a cash account of 100,000 USD, no costs.
func Default() *Config { return strategy.Default() }

// Settled is cfg with the defaults filled in that depend on how many symbols it runs on, as its Result
// shows it.
func Settled(cfg *Config, symbols int) *Config { return settled(cfg, symbols, cfg.Decides()) }

// settled is cfg with the defaults that depend on the number of symbols filled in: weight 1 for one
// symbol, else 1 / max_positions with 10 positions; the parts of a volume cap that were not given, and the price list of a broker.
// Code that says its own weights has as many positions as it wants; a rebalance by rules takes no size at all.
func settled(cfg *Config, symbols int, coded bool) *Config {
	c := *cfg
	s := &c.Size
	if !s.Sized() && len(c.Strategies) == 0 && c.Rebalance == nil {
		if s.MaxPositions == 0 && symbols > 1 && !coded {
			s.MaxPositions = 10
		}
		s.Weight = 1
		switch {
		case symbols > 1 && s.MaxPositions == 0:
			s.Weight = 0.1
		case symbols > 1:
			s.Weight = 1 / float64(s.MaxPositions)
		}
	}
	c.Costs.VolumeCap, c.Costs.Commission = c.Costs.VolumeCap.Complete(), c.Costs.Commission.Complete()
	return &c
}

// EngineVersion names the rules of the simulated market as built here. It changes whenever the same
// Config on the same data could give another fill, so that stored results are not compared blindly.
const EngineVersion = "7"

// resultSchema is the version of Result's shape.
const resultSchema = 1

// NoDataError says that a run has nothing to run on: what was asked for, what there is and what is
// missing. It matches bar.ErrNoData.
type NoDataError struct {
	Source string // where was looked
	Frame  string
	From   string // asked for; "" = all there is
	To     string
	Rows   []Missing
	Held   []string // tickers that the source has
	Err    error
}

// Missing is one symbol of a NoDataError.
type Missing struct {
	Symbol string `json:"symbol"`
	Have   string `json:"have"`   // "2014-01-02..2024-12-31", "" when nothing is held
	Reason string `json:"reason"` // what is missing, in words
}

// Error names every symbol that has no data.
func (e *NoDataError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "no %s bars in %s", e.Frame, e.Source)
	if e.From != "" || e.To != "" {
		fmt.Fprintf(&b, " for %s..%s", e.From, e.To)
	}
	for i, r := range e.Rows {
		sep := ", "
		if i == 0 {
			sep = ": "
		}
		if i == 5 {
			fmt.Fprintf(&b, ", and %d more", len(e.Rows)-i)
			break
		}
		fmt.Fprintf(&b, "%s%s (%s)", sep, r.Symbol, r.Reason)
	}
	return b.String()
}

// Unwrap makes errors.Is(err, bar.ErrNoData) hold.
func (e *NoDataError) Unwrap() error { return e.Err }
