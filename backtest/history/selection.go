package history

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/cespare/xxhash/v2"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/stats/overfit"
)

// most of a sample of return series, and least common sessions of a pair of them.
const (
	mostSeries  = 64
	leastCommon = 30
)

// Select says how often the data of a result was searched by owner ("" is everybody), and what its
// Sharpe ratio is worth then. atLeast may only raise the number of trials.
func (t *Tx) Select(owner string, r *backtest.Result, atLeast int64) (overfit.Selection, error) {
	own, err := TrialOf(r)
	if err != nil {
		return overfit.Selection{}, err
	}
	q := &selection{days: own.Days, symbols: map[string]bool{}, sets: map[string]bool{}, sharpes: map[TrialKey]float64{own.Keys[0]: own.Sharpes[0]},
		ledger: sha256.New()}
	for _, s := range own.Symbols {
		q.symbols[s] = true
	}
	if err := q.collect(t, owner); err != nil {
		return overfit.Selection{}, fmt.Errorf("count the trials of %s: %w", r.Strategy, err)
	}
	rho, sampled, err := q.correlation(t, own.Returns[0])
	if err != nil {
		return overfit.Selection{}, fmt.Errorf("compare the trials of %s: %w", r.Strategy, err)
	}
	n := max(int64(len(q.sharpes)), atLeast)
	out := overfit.Select(r.SharpeOf(own.Returns[0].Values), n, q.variance(), rho, sampled)
	out.Snapshot = hex.EncodeToString(q.ledger.Sum(nil)[:6])
	return out, nil
}

// selection gathers the trials that compete with a run.
type selection struct {
	days    []instrument.Date
	symbols map[string]bool
	sets    map[string]bool // by sum: shares at least half of the symbols
	sharpes map[TrialKey]float64
	batches []string
	ledger  interface {
		Write([]byte) (int, error)
		Sum([]byte) []byte
	}
}

// collect reads the ledger.
func (q *selection) collect(t *Tx, owner string) error {
	type row struct {
		id, set     string
		first, last int64
		keys, ratio []byte
	}
	var rows []row
	err := t.Each(func(r *sql.Rows) error {
		var x row
		err := r.Scan(&x.id, &x.set, &x.first, &x.last, &x.keys, &x.ratio)
		if err == nil && 2*q.common(instrument.Date(x.first), instrument.Date(x.last)) >= len(q.days) {
			rows = append(rows, x)
		}
		return err
	}, `SELECT id, symbols, first_day, last_day, keys, sharpes FROM trials WHERE (? = '' OR owner = ?) AND first_day <= ? AND last_day >= ? ORDER BY id`,
		owner, owner, int64(q.days[len(q.days)-1]), int64(q.days[0]))
	if err != nil {
		return err
	}
	for _, x := range rows {
		shares, err := q.shares(t, x.set)
		if err != nil {
			return err
		}
		if !shares {
			continue
		}
		if len(x.keys)%16 != 0 || len(x.ratio) != len(x.keys)/2 {
			return fmt.Errorf("row %s of the trials is damaged", x.id)
		}
		q.batches = append(q.batches, x.id)
		fmt.Fprintf(q.ledger, "%s\n", x.id)
		for i := 0; i < len(x.keys); i += 16 {
			key := TrialKey(x.keys[i : i+16])
			if _, known := q.sharpes[key]; !known {
				q.sharpes[key] = math.Float64frombits(binary.LittleEndian.Uint64(x.ratio[i/2:]))
			}
		}
	}
	return nil
}

// common is how many sessions of the run lie in a span.
func (q *selection) common(first, last instrument.Date) int {
	from := sort.Search(len(q.days), func(i int) bool { return q.days[i] >= first })
	to := sort.Search(len(q.days), func(i int) bool { return q.days[i] > last })
	return max(0, to-from)
}

// shares reports whether a set has at least half of the symbols of the run.
func (q *selection) shares(t *Tx, set string) (bool, error) {
	if known, ok := q.sets[set]; ok {
		return known, nil
	}
	var text string
	if err := t.QueryRow(`SELECT symbols FROM symbol_sets WHERE sha256 = ?`, set).Scan(&text); err != nil {
		return false, err
	}
	n := 0
	for s := range strings.SplitSeq(text, ",") {
		if q.symbols[s] {
			n++
		}
	}
	q.sets[set] = 2*n >= len(q.symbols)
	return q.sets[set], nil
}

// variance of the defined ratios, summed in the order of their keys.
func (q *selection) variance() float64 {
	keys := make([]TrialKey, 0, len(q.sharpes))
	for k := range q.sharpes {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b TrialKey) int { return bytes.Compare(a[:], b[:]) })
	n, mean, m2 := 0.0, 0.0, 0.0
	for _, k := range keys {
		if x := q.sharpes[k]; x == x {
			n++
			d := x - mean
			mean += d / n
			m2 += d * (x - mean)
		}
	}
	if n < 2 {
		return math.NaN()
	}
	return m2 / (n - 1)
}

// correlation is the mean of all pairs in a sample of the return series, which a fixed seed chooses.
func (q *selection) correlation(t *Tx, own Sampled) (rho float64, sampled int, err error) {
	type candidate struct {
		batch, key string
		rank       uint64
	}
	seen := map[string]bool{hex.EncodeToString(own.Key[:]): true}
	var list []candidate
	for part := range slices.Chunk(q.batches, 500) {
		var args []any
		for _, id := range part {
			args = append(args, id)
		}
		err := t.Each(func(r *sql.Rows) error {
			var c candidate
			err := r.Scan(&c.batch, &c.key)
			if err == nil && !seen[c.key] {
				seen[c.key] = true
				c.rank = xxhash.Sum64String("sample of trials\n" + c.key)
				list = append(list, c)
			}
			return err
		}, `SELECT batch, key FROM trial_returns WHERE batch IN (?`+strings.Repeat(", ?", len(part)-1)+`) ORDER BY batch, key`, args...)
		if err != nil {
			return 0, 0, err
		}
	}
	slices.SortFunc(list, func(a, b candidate) int { return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.key, b.key)) })
	place := make(map[instrument.Date]int, len(q.days))
	for i, d := range q.days {
		place[d] = i
	}
	series := [][]float64{aligned(place, own.Days, own.Values)}
	for _, c := range list[:min(len(list), mostSeries-1)] {
		var first int64
		var b []byte
		if err := t.QueryRow(`SELECT first_day, series FROM trial_returns WHERE batch = ? AND key = ?`, c.batch, c.key).Scan(&first, &b); err != nil {
			return 0, 0, err
		}
		days, values, err := unpackSeries(instrument.Date(first), b)
		if err != nil {
			return 0, 0, err
		}
		series = append(series, aligned(place, days, values))
	}
	return meanCorrelation(series), len(series), nil
}

// aligned puts values at the places of their days, NaN elsewhere.
func aligned(place map[instrument.Date]int, days []instrument.Date, values []float64) []float64 {
	out := make([]float64, len(place))
	for i := range out {
		out[i] = math.NaN()
	}
	for i, d := range days {
		if k, ok := place[d]; ok {
			out[k] = values[i]
		}
	}
	return out
}

// meanCorrelation of all pairs that have enough in common and that both vary; NaN without any.
func meanCorrelation(series [][]float64) float64 {
	sum, pairs := 0.0, 0.0
	for i := range series {
		for j := range i {
			if c := correlate(series[i], series[j]); c == c {
				sum += c
				pairs++
			}
		}
	}
	if pairs == 0 {
		return math.NaN()
	}
	return sum / pairs
}

func correlate(a, b []float64) float64 {
	n, ma, mb := 0.0, 0.0, 0.0
	for i := range a {
		if d := a[i] + b[i]; d == d {
			n++
			ma += a[i]
			mb += b[i]
		}
	}
	if n < leastCommon {
		return math.NaN()
	}
	ma, mb = ma/n, mb/n
	va, vb, ab := 0.0, 0.0, 0.0
	for i := range a {
		if d := a[i] + b[i]; d == d {
			x, y := a[i]-ma, b[i]-mb
			va, vb, ab = va+x*x, vb+y*y, ab+x*y
		}
	}
	return ab / math.Sqrt(va*vb) // NaN where one does not vary
}
