// Package demo makes up a small US stock market: 26 companies and funds with daily bars from
// 2014-01-02 to 2024-12-31 and minute bars of four of them from 2024-09-03, with everything that
// makes real data awkward: splits both ways, quarterly and special dividends, a delisting, a ticker
// change, a change of type, a ticker used by two companies, half days, a halted session, fractional volume, tickers
// called NA and BCpC.
//
// In: nothing. Out: flat files and reference files exactly as the vendor delivers them, to be loaded
// by the code that loads real ones. The same bytes on every machine: the generator is its own, sums
// are written so that they are never fused, and prices are whole cents. All of it is synthetic, and
// a store made from it must be marked so.
package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"sync"
	"sync/atomic"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"
)

// Edition names the content of the market. It changes whenever the generator does, so that a market
// made by an older program is made again.
const Edition = "2"

// Write puts the whole market below rawDir, under the keys of the vendor's bucket, with workers
// goroutines. Files that are there are overwritten. It does not sync them to disk: they can be made
// again at any time. Cost: some 2,900 files, 6 MB, well under a second.
func Write(ctx context.Context, rawDir string, workers int) error {
	m := generate(bar.NYSE())
	if err := m.writeReference(rawDir); err != nil {
		return err
	}
	var (
		next atomic.Int64
		wg   sync.WaitGroup
		errs = make([]error, max(workers, 1))
	)
	for w := range errs {
		wg.Go(func() {
			enc := flatfile.NewEncoder(1)
			for i := int(next.Add(1)) - 1; i < len(m.sessions) && errs[w] == nil; i = int(next.Add(1)) - 1 {
				errs[w] = errors.Join(ctx.Err(), m.writeSession(enc, rawDir, i))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("write the demo market: %w", err)
	}
	return nil
}

// world is the generated market.
type world struct {
	sessions []instrument.Date
	paths    []path
	bySymbol [][]listed // of each session: its bars in byte order of tickers
}

// listed is one bar of a session's file.
type listed struct {
	ticker  string
	path    int
	bar     dayBar
	minutes minuteBars // empty where the day has none
}

// generate is the whole market in memory: some 70,000 daily bars and 130,000 minutes.
func generate(cal *bar.Calendar) *world {
	from, to := day(FirstSession, instrument.None), day(LastSession, instrument.None)
	m := &world{sessions: cal.Sessions(from, to)}
	m.bySymbol = make([][]listed, len(m.sessions))
	f := newFactor(m.sessions)
	withMinutes := day(FirstMinutes, instrument.None)
	for k, s := range market() {
		p := newPath(s, m.sessions, f)
		for i := range p.bars {
			b := &p.bars[i]
			d := m.sessions[b.session]
			l := listed{ticker: s.ticker(d), path: k}
			open, close, early, _ := cal.Hours(d)
			if s.minutes > 0 && d >= withMinutes {
				from, to, _ := cal.ExtendedHours(d)
				l.minutes = minutes(s, b, d, hours{early: from, open: open, close: close, late: to})
			} else {
				if early {
					b.volume *= 0.45
				}
				rnd := seeded(s.figi + d.String())
				quarters := s
				quarters.fractional = s.fractional && d >= day(fractionsFrom, instrument.None)
				b.volume = shares(b.volume, quarters, &rnd)
			}
			l.bar = *b
			m.bySymbol[b.session] = append(m.bySymbol[b.session], l)
		}
		m.paths = append(m.paths, p)
	}
	for _, rows := range m.bySymbol {
		sort.Slice(rows, func(i, j int) bool { return rows[i].ticker < rows[j].ticker })
	}
	return m
}

// writeSession writes the day file of session i and, where there are minutes, the minute file.
func (m *world) writeSession(enc *flatfile.Encoder, rawDir string, i int) error {
	daily := store.Batch{Session: m.sessions[i], Start: []int32{0}}
	fine := store.Batch{Session: m.sessions[i], Start: []int32{0}}
	for _, l := range m.bySymbol[i] {
		b := l.bar
		appendRow(&daily, m.sessions[i].Nanos(), b.open, b.high, b.low, b.close, b.volume)
		daily.Symbols, daily.Start = append(daily.Symbols, l.ticker), append(daily.Start, int32(len(daily.Time)))
		x := l.minutes
		if len(x.time) == 0 {
			continue
		}
		for k, t := range x.time {
			appendRow(&fine, t, x.open[k], x.high[k], x.low[k], x.close[k], x.volume[k])
		}
		fine.Symbols, fine.Start = append(fine.Symbols, l.ticker), append(fine.Start, int32(len(fine.Time)))
	}
	if err := writeFile(enc, rawDir, flatfile.Day, daily); err != nil || len(fine.Time) == 0 {
		return err
	}
	return writeFile(enc, rawDir, flatfile.Minute, fine)
}

func appendRow(b *store.Batch, t int64, o, h, l, c, v float64) {
	b.Time = append(b.Time, t)
	b.Open, b.High = append(b.Open, o), append(b.High, h)
	b.Low, b.Close = append(b.Low, l), append(b.Close, c)
	b.Volume = append(b.Volume, v)
	b.Transactions = append(b.Transactions, int64(v/110)+1)
}

func writeFile(enc *flatfile.Encoder, rawDir string, d flatfile.Dataset, b store.Batch) error {
	name := filepath.Join(rawDir, filepath.FromSlash(flatfile.Key(d, b.Session)))
	f, err := os.Create(name)
	if errors.Is(err, os.ErrNotExist) { // first file of its month
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		f, err = os.Create(name)
	}
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 32<<10)
	return errors.Join(enc.Encode(w, d, b), w.Flush(), f.Close())
}
