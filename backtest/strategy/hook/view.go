package hook

import (
	"math"
	"sort"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
)

// Account answers for the books of the run, by the place of a symbol in the View. Money is USD at the
// latest mark.
type Account interface {
	Equity() float64
	Cash() float64
	Position(symbol int) *Position // at this close; asking again at a later one may change it
	Working(symbol int) bool       // an entry order works
	Held() []int32                 // symbols with a position, ascending; valid until the next call
}

// Position in one symbol. The zero Position is none; but for Shares its numbers mean nothing then.
type Position struct {
	Shares     float64 // negative when short
	EntryPrice float64 // USD a share, in today's share basis
	BarsHeld   int     // 1 at the close of the entry bar
	HighSince  float64 // USD a share, from the entry on
	LowSince   float64
	Stop       float64 // levels set by intents, 0 for none
	Target     float64
}

// Market is what a View looks at. The engine makes one for each run.
type Market struct {
	Symbols []Symbol // in byte order of their names
	Signals []string // names of the signals of the strategy file, in its order
	Account Account
	Clock   Clock
	Allowed Allowed
}

// Clock tells the closes of the run by their numbers.
type Clock interface{ Moment(step int32) Moment }

// Symbol is one instrument of a Market.
type Symbol struct {
	Name   string
	Bars   *bar.Series
	Step   []int32 // number of the close of each row; nil: row r is at r + Offset
	Offset int32
	Basis  bar.Basis
	Floor  int      // first row that may be seen: what else is loaded depends on other rules
	Member []uint64 // rows at which it belongs to the universe, as a bitset; nil is all
	Values []Values // of Market.Signals
}

// Values are a signal of one symbol: numbers, or a condition as bitsets.
type Values struct {
	Number       []float64
	True, Absent []uint64
}

// Column of the bars.
type Column = expr.ColumnSet

// Columns by their names.
const (
	Open   = expr.OpenColumn
	High   = expr.HighColumn
	Low    = expr.LowColumn
	Close  = expr.CloseColumn
	Volume = expr.VolumeColumn
)

// Moment is the close that a View stands at.
type Moment struct {
	Time  int64           // start of the bars that ended, ns UTC; for bars of a day and longer midnight UTC of the session
	End   int64           // their end, ns UTC; for bars of a day and longer midnight UTC of the last session
	Date  instrument.Date // the last session
	Daily bool            // the bars are of a day and longer
}

// Stamp is the close as text: the session, or the instant in RFC 3339.
func (m Moment) Stamp() string {
	if m.Daily {
		return m.Date.String()
	}
	return time.Unix(0, m.End).UTC().Format(time.RFC3339)
}

// View is the market and the account at the close of a bar. Nothing in it is later than that close:
// columns end at the symbol's last bar. It is valid during a call, and read only. Reading costs no
// allocation; the first look at a symbol after n bars costs O(n), once.
type View struct {
	m     *Market
	step  int32
	seats []seat
}

// seat is where the View stands among the bars of a symbol.
type seat struct {
	bars   *bar.Series
	step   []int32
	offset int32
	row    int32 // with steps: last row at or before now; moves forward only
	last   int32 // of all rows
	floor  int32 // first row that may be seen
}

// NewView stands before the first bar of m; Move it to a close.
func NewView(m *Market) *View {
	v := &View{m: m, seats: make([]seat, len(m.Symbols))}
	for i := range v.seats {
		x := &m.Symbols[i]
		v.seats[i] = seat{bars: x.Bars, step: x.Step, offset: x.Offset, row: -1, last: int32(x.Bars.Len() - 1), floor: int32(max(0, x.Floor))}
	}
	return v
}

// Move to a later close, by its number. For the engine, at every bar: what else there is to know of the close
// is found out when somebody asks.
func (v *View) Move(step int32) { v.step = step }

// Now is the close the View stands at.
func (v *View) Now() Moment { return v.m.Clock.Moment(v.step) }

// Len is the number of symbols.
func (v *View) Len() int { return len(v.m.Symbols) }

// Name of symbol i.
func (v *View) Name(i int) string { return v.m.Symbols[i].Name }

// Find is the place of a symbol, ok false when the run does not have it.
func (v *View) Find(name string) (i int, ok bool) {
	i = sort.Search(len(v.m.Symbols), func(k int) bool { return v.m.Symbols[k].Name >= name })
	return i, i < len(v.m.Symbols) && v.m.Symbols[i].Name == name
}

// Signals are the names of the strategy file's signals; Signal takes a place in it.
func (v *View) Signals() []string { return v.m.Signals }

// Account of the run.
func (v *View) Account() Account { return v.m.Account }

// Allowed says what intents may ask for.
func (v *View) Allowed() Allowed { return v.m.Allowed }

// row is the symbol's last row at or before now, negative before its first.
func (v *View) row(i int) int32 {
	s := &v.seats[i]
	if s.step != nil {
		return s.seek(v.step)
	}
	return min(v.step-s.offset, s.last)
}

func (s *seat) seek(step int32) int32 {
	for int(s.row)+1 < len(s.step) && s.step[s.row+1] <= step {
		s.row++
	}
	return s.row
}

// Bars is how many bars of symbol i there are to see, the last one included; 0 before its first.
func (v *View) Bars(i int) int { return max(0, int(v.row(i))-v.m.Symbols[i].Floor+1) }

// Traded reports whether symbol i has a bar that ends now. Only then can it be entered.
func (v *View) Traded(i int) bool {
	r, s := v.row(i), &v.seats[i]
	return r >= 0 && (s.step == nil && r+s.offset == v.step || s.step != nil && s.step[r] == v.step)
}

// Member reports whether symbol i belongs to the universe at its last bar. Only then can it be entered.
func (v *View) Member(i int) bool {
	r, set := v.row(i), v.m.Symbols[i].Member
	return r >= 0 && (set == nil || set[r>>6]>>(r&63)&1 != 0)
}

// Last is a column of symbol i at its last bar, as traded; NaN before its first.
func (v *View) Last(i int, c Column) float64 {
	r, s := v.row(i), &v.seats[i]
	if r < s.floor {
		return math.NaN()
	}
	return value(s.bars, c, int(r))
}

// Ago is a column of symbol i n bars before its last, in the share basis of the last: restated for
// splits (and with adjust: total for dividends) executed in between. NaN where there is no such bar.
func (v *View) Ago(i int, c Column, n int) float64 {
	s, last := &v.m.Symbols[i], int(v.row(i))
	r := last - n
	if n < 0 || r < s.Floor || r < 0 {
		return math.NaN()
	}
	return s.seen(c, r, last)
}

// Window appends the last n bars of a column of symbol i to dst, oldest first, fewer when there are
// fewer, all in the share basis of the last.
func (v *View) Window(dst []float64, i int, c Column, n int) []float64 {
	s, last := &v.m.Symbols[i], int(v.row(i))
	for r := max(s.Floor, last-n+1, 0); r <= last; r++ {
		dst = append(dst, s.seen(c, r, last))
	}
	return dst
}

// seen is bar r of a column in the share basis of bar last.
func (s *Symbol) seen(c Column, r, last int) float64 {
	x := value(s.Bars, c, r)
	if s.Basis.Price == nil || r == last {
		return x
	}
	if c == Volume {
		return x * (s.Basis.Share[last] / s.Basis.Share[r])
	}
	return x * (s.Basis.Price[r] / s.Basis.Price[last])
}

// value of a column at a row; NaN where there is no such column.
func value(b *bar.Series, c Column, r int) float64 {
	switch c {
	case Open:
		return b.Open[r]
	case High:
		return b.High[r]
	case Low:
		return b.Low[r]
	case Close:
		return b.Close[r]
	case Volume:
		return b.Volume[r]
	}
	return math.NaN()
}

// Signal k of symbol i at its last bar, as the file's expressions see it; conditions are 1 and 0. NaN
// is absent. Its past is for the language to say: a signal that is fast[1].
func (v *View) Signal(i, k int) float64 {
	r := v.row(i)
	if r < 0 || int(r) < v.m.Symbols[i].Floor {
		return math.NaN()
	}
	x := &v.m.Symbols[i].Values[k]
	switch {
	case x.Number != nil:
		return x.Number[r]
	case x.Absent[r>>6]>>(r&63)&1 != 0:
		return math.NaN()
	}
	return float64(x.True[r>>6] >> (r & 63) & 1)
}

// IsCondition reports whether signal k is a condition.
func (v *View) IsCondition(k int) bool {
	return len(v.m.Symbols) > 0 && v.m.Symbols[0].Values[k].Number == nil
}
