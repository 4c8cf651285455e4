package flatfile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"backtester/backtest/store"
)

// table holds rows as columns of equal capacity, of which n are filled, and the runs of equal tickers
// in them.
type table struct {
	n                              int
	time                           []int64
	open, high, low, close, volume []float64
	transactions                   []int64
	at                             []uint32 // where the row's line starts in the text
	runs                           []run
	gaps                           []int32 // number of rows kept before each line that was not
}

// run is a range of rows of one ticker; it ends where the next one starts.
type run struct {
	id    int32
	start int32
}

func (t *table) reset(want int) {
	t.n, t.runs, t.gaps = 0, t.runs[:0], t.gaps[:0]
	if want > len(t.time) {
		t.grow(want)
	}
}

// grow makes room for n rows and keeps those there are.
func (t *table) grow(n int) {
	t.time = append(make([]int64, 0, n), t.time[:t.n]...)[:n]
	t.transactions = append(make([]int64, 0, n), t.transactions[:t.n]...)[:n]
	t.at = append(make([]uint32, 0, n), t.at[:t.n]...)[:n]
	for _, c := range []*[]float64{&t.open, &t.high, &t.low, &t.close, &t.volume} {
		*c = append(make([]float64, 0, n), (*c)[:t.n]...)[:n]
	}
}

func (t *table) begin(id int32) { t.runs = append(t.runs, run{id, int32(t.n)}) }

func (t *table) gap() { t.gaps = append(t.gaps, int32(t.n)) }

func (t *table) add(r *row, at int64, offset uint32) {
	i := t.n
	if i == len(t.time) {
		t.grow(max(1024, i+i/2))
	}
	t.time[i], t.transactions[i], t.at[i] = at, r.transactions, offset
	t.open[i], t.high[i], t.low[i] = r.number[open], r.number[high], r.number[low]
	t.close[i], t.volume[i] = r.number[closing], r.number[volume]
	t.n = i + 1
}

// copyRow appends row i of from.
func (t *table) copyRow(from *table, i int32) {
	k := t.n
	t.time[k], t.transactions[k], t.at[k] = from.time[i], from.transactions[i], from.at[i]
	t.open[k], t.high[k], t.low[k] = from.open[i], from.high[i], from.low[i]
	t.close[k], t.volume[k] = from.close[i], from.volume[i]
	t.n = k + 1
}

// same reports whether two rows hold the same bar.
func (t *table) same(i, j int32) bool {
	return t.open[i] == t.open[j] && t.high[i] == t.high[j] && t.low[i] == t.low[j] &&
		t.close[i] == t.close[j] && t.volume[i] == t.volume[j] && t.transactions[i] == t.transactions[j]
}

// line of a row, 1-based, the header being line 1.
func (t *table) line(i int32) int {
	left, _ := slices.BinarySearch(t.gaps, i+1) // lines left out before it
	return 2 + int(i) + left
}

// end of run k.
func (t *table) end(k int) int32 {
	if k+1 < len(t.runs) {
		return t.runs[k+1].start
	}
	return int32(t.n)
}

// order sorts the rows by ticker and time and settles rows for the same ticker and time. It keeps the
// order of the file among equals. O(n) for files ordered by time, O(n log n) at worst.
func (p *parser) order() {
	t, names := &p.rows, p.names
	byName := make([]int32, 0, len(t.runs)) // runs in order of ticker, then of the file
	for k := range t.runs {
		byName = append(byName, int32(k))
	}
	slices.SortStableFunc(byName, func(a, b int32) int {
		return cmp.Compare(names[t.runs[a].id], names[t.runs[b].id])
	})
	out := &p.spare
	out.reset(t.n)
	index := make([]int32, 0, 1024) // rows of one ticker
	for k := 0; k < len(byName); {
		id := t.runs[byName[k]].id
		index = index[:0]
		for ; k < len(byName) && t.runs[byName[k]].id == id; k++ {
			for i := t.runs[byName[k]].start; i < t.end(int(byName[k])); i++ {
				index = append(index, i)
			}
		}
		slices.SortStableFunc(index, func(a, b int32) int { return cmp.Compare(t.time[a], t.time[b]) })
		out.begin(id)
		p.settle(index, names[id])
	}
	p.rows, p.spare = *out, *t
}

// settle copies one ticker's rows, sorted by time, to the spare table: of equal rows the first, of
// rows that contradict each other none.
func (p *parser) settle(index []int32, name string) {
	t := &p.rows
	for len(index) > 0 {
		i, k, agree := index[0], 1, true
		for ; k < len(index) && t.time[index[k]] == t.time[i]; k++ {
			agree = agree && t.same(i, index[k])
		}
		if agree {
			p.spare.copyRow(t, i)
		}
		for _, j := range index[1:k] {
			words := func() string { return fmt.Sprintf("%s at %s, as in line %d", name, utc(t.time[j]), t.line(i)) }
			if agree {
				p.notes.add(Repeated, t.line(j), int64(t.at[j]), words)
			} else {
				p.notes.add(Contradiction, t.line(j), int64(t.at[j]), words)
			}
		}
		index = index[k:]
	}
}

// batch presents the sorted table.
func (p *parser) batch() store.Batch {
	t := &p.rows
	b := store.Batch{
		Session: p.Session,
		Symbols: make([]string, 0, len(t.runs)), Start: make([]int32, 0, len(t.runs)+1),
		Time: t.time[:t.n], Open: t.open[:t.n], High: t.high[:t.n], Low: t.low[:t.n],
		Close: t.close[:t.n], Volume: t.volume[:t.n], Transactions: t.transactions[:t.n], NoVolume: p.index,
	}
	if b.NoVolume {
		for i := range b.Volume {
			b.Volume[i] = math.NaN()
		}
	}
	for k, r := range t.runs {
		if r.start < t.end(k) { // every row of the ticker may have been left out
			b.Symbols, b.Start = append(b.Symbols, p.names[r.id]), append(b.Start, r.start)
		}
	}
	b.Start = append(b.Start, int32(t.n))
	return b
}

func utc(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339) }
