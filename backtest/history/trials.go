package history

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// A trial is a distinct (rules, parameters, universe, costs, fills, dates) whose result was computed. What
// it is called, what it is compared with and how it was searched for does not make it another one.

// TrialKey names a trial.
type TrialKey [16]byte

// Batch is trials of one search on the same symbols and sessions.
type Batch struct {
	Owner, Run string // Run is the row they belong to: the same run and symbols are counted once
	Symbols    []string
	Days       []instrument.Date // sessions that could trade
	Keys       []TrialKey
	Sharpes    []float64 // of one session; NaN undefined
	Returns    []Sampled // of some of them
}

// Sampled is a return series of a trial.
type Sampled struct {
	Key    TrialKey
	Days   []instrument.Date
	Values []float64
}

// Rules names everything of a Config on so many symbols that makes a trial, but its parameters, symbols
// and dates.
func Rules(cfg *backtest.Config, symbols int) (string, error) {
	c := *backtest.Settled(cfg, symbols)
	c.Name, c.Notes, c.Profile, c.Benchmark = "", "", "", ""
	c.Constraint, c.Require, c.Search, c.Validate, c.Params = nil, nil, nil, nil, nil
	c.Universe.Symbols = nil
	c.Data.From, c.Data.To = instrument.None, instrument.None
	c.Signals = slices.Clone(c.Signals)
	for i := range c.Signals {
		c.Signals[i].Expr = plainText(c.Signals[i].Expr)
	}
	for _, side := range []**strategy.Side{&c.Long, &c.Short} {
		if *side != nil {
			s := **side
			s.Entry.When, s.Exits = plainText(s.Entry.When), slices.Clone(s.Exits)
			for i := range s.Exits {
				s.Exits[i].When = plainText(s.Exits[i].When)
			}
			*side = &s
		}
	}
	b, err := c.MarshalJSON()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(b)
	for _, name := range cfg.Files() {
		data, _ := cfg.Attached(name)
		fmt.Fprintf(h, "%d %d\n", len(name), len(data))
		h.Write(data)
	}
	h.Write([]byte(backtest.EngineVersion))
	return hex.EncodeToString(h.Sum(nil)), nil
}

// plainText is an expression without the writer's taste.
func plainText(text string) string {
	if out, err := expr.Format(text); err == nil && text != "" {
		return out
	}
	return text
}

// KeyOf is the trial of rules, parameters, symbols and dates.
func KeyOf(rules string, names []string, values []float64, symbols []string, first, last instrument.Date) TrialKey {
	return newKeyer(rules, names, symbols, first, last).key(values)
}

// keyer makes the keys of trials that differ in the values of their parameters only. Not safe for concurrent
// use.
type keyer struct {
	names  []string
	order  []int // of the names: how they were listed makes no other trial
	prefix []byte
	text   []byte
}

func newKeyer(rules string, names, symbols []string, first, last instrument.Date) *keyer {
	k := &keyer{names: names, order: make([]int, len(names))}
	for i := range k.order {
		k.order[i] = i
	}
	slices.SortFunc(k.order, func(a, b int) int { return strings.Compare(names[a], names[b]) })
	k.prefix = fmt.Appendf(nil, "%s\n%s\n%s..%s\n", rules, setSum(symbols), first, last)
	return k
}

func (k *keyer) key(values []float64) TrialKey {
	b := append(k.text[:0], k.prefix...)
	for _, i := range k.order {
		b = append(append(b, k.names[i]...), '=')
		b = append(strconv.AppendUint(b, math.Float64bits(values[i]), 16), '\n')
	}
	k.text = b
	sum := sha256.Sum256(b)
	return TrialKey(sum[:16])
}

func setSum(symbols []string) string {
	sum := sha256.Sum256([]byte(joinList(slices.Compact(slices.Sorted(slices.Values(symbols))))))
	return hex.EncodeToString(sum[:])
}

// TrialOf is the trial that a result is.
func TrialOf(r *backtest.Result) (*Batch, error) {
	rules, err := Rules(r.Config, len(r.Data.Symbols))
	if err != nil {
		return nil, fmt.Errorf("count the trial of %s: %w", r.Strategy, err)
	}
	days, returns := SessionReturns(r)
	if len(days) == 0 {
		return nil, fmt.Errorf("count the trial of %s: it has no sessions", r.Strategy)
	}
	var names []string
	var values []float64
	for _, p := range r.Config.Params {
		names, values = append(names, p.Name), append(values, p.Default)
	}
	key := KeyOf(rules, names, values, r.Data.Symbols, days[0], days[len(days)-1])
	return &Batch{Symbols: r.Data.Symbols, Days: days, Keys: []TrialKey{key}, Sharpes: []float64{r.SharpeOf(returns).SR},
		Returns: []Sampled{{key, days, returns}}}, nil
}

// SessionReturns are the returns of a result by session, and their sessions.
func SessionReturns(r *backtest.Result) ([]instrument.Date, []float64) {
	days, equity := r.Equity.Sessions()
	if len(days) < 2 {
		return nil, nil
	}
	returns := stats.Returns(nil, equity)
	return days[1:], append(returns, make([]float64, len(days)-1-len(returns))...) // after ruin nothing happens
}

// AddTrials counts trials; the same run and symbols a second time are not counted again.
func (t *Tx) AddTrials(b *Batch) error {
	if len(b.Keys) == 0 {
		return nil
	}
	if len(b.Keys) != len(b.Sharpes) || len(b.Days) == 0 || len(b.Symbols) == 0 {
		return fmt.Errorf("count trials: %d keys, %d ratios, %d sessions, %d symbols do not go together", len(b.Keys), len(b.Sharpes), len(b.Days), len(b.Symbols))
	}
	sum := setSum(b.Symbols)
	set := joinList(slices.Compact(slices.Sorted(slices.Values(b.Symbols))))
	if _, err := t.Exec(`INSERT INTO symbol_sets (sha256, symbols) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING`, sum, set); err != nil {
		return fmt.Errorf("count trials: %w", err)
	}
	keys, sharpes := make([]byte, 0, 16*len(b.Keys)), make([]byte, 0, 8*len(b.Keys))
	for i, k := range b.Keys {
		keys = append(keys, k[:]...)
		sharpes = binary.LittleEndian.AppendUint64(sharpes, math.Float64bits(b.Sharpes[i]))
	}
	id := t.NewID()
	n, err := t.Exec(`INSERT INTO trials (id, owner, run, symbols, first_day, last_day, sessions, amount, keys, sharpes, created_at)
 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (run, symbols) DO NOTHING`, id, b.Owner, b.Run, sum, int64(b.Days[0]), int64(b.Days[len(b.Days)-1]),
		len(b.Days), len(b.Keys), keys, sharpes, millis(t.Now()))
	if err != nil {
		return fmt.Errorf("count trials: %w", err)
	}
	if n == 0 {
		return nil
	}
	for _, s := range b.Returns {
		if len(s.Days) == 0 || len(s.Days) != len(s.Values) {
			return fmt.Errorf("count trials: a return series has %d sessions and %d values", len(s.Days), len(s.Values))
		}
		_, err := t.Exec(`INSERT INTO trial_returns (batch, key, first_day, series) VALUES (?, ?, ?, ?) ON CONFLICT (batch, key) DO NOTHING`,
			id, hex.EncodeToString(s.Key[:]), int64(s.Days[0]), packSeries(s))
		if err != nil {
			return fmt.Errorf("count trials: %w", err)
		}
	}
	return nil
}

// packSeries writes a series as its number of sessions, the days from each to the next, and the returns.
func packSeries(s Sampled) []byte {
	b := binary.AppendUvarint(nil, uint64(len(s.Days)))
	for i := 1; i < len(s.Days); i++ {
		b = binary.AppendUvarint(b, uint64(s.Days[i]-s.Days[i-1]))
	}
	for _, v := range s.Values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

func unpackSeries(first instrument.Date, b []byte) (days []instrument.Date, values []float64, err error) {
	next := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			err, b = fmt.Errorf("a return series is damaged"), nil
			return 0
		}
		b = b[n:]
		return v
	}
	count := next()
	if count > uint64(len(b)) {
		return nil, nil, fmt.Errorf("a return series is damaged")
	}
	days = append(days, first)
	for range int(count) - 1 {
		days = append(days, days[len(days)-1]+instrument.Date(next()))
	}
	if err == nil && uint64(len(b)) != 8*count {
		err = fmt.Errorf("a return series is damaged")
	}
	for ; err == nil && len(b) > 0; b = b[8:] {
		values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(b)))
	}
	return days, values, err
}
