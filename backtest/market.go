package backtest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// market is everything a run reads: symbols in byte order of their tickers, their columns, and the
// time steps they share.
type market struct {
	cal      *bar.Calendar
	daily    bool // stamps are session dates
	frame    bar.Frame
	from, to instrument.Date // first and last session asked for, or none
	extended bool            // minutes outside the regular session are among the bars
	syms     []symbol
	time     []int64           // start of each step's bars, ns UTC, increasing
	date     []instrument.Date // session of each step
	dates    []instrument.Date // the same with that of the start in front
	session  []int32           // number of that session: sessions of the calendar since step 0
	ends     []int64           // stamps of the curve's points, nil until they are asked for
	first    int               // first step that may trade; the step before it, if any, only decides
	last     int               // last step with bars; one after it is there for delistings only
	dated    dated             // rates that change over time
	missing  []Missing         // symbols asked for without a bar in range
	also     []symbol          // what else was read: other symbols, and those never chosen
	arena    *expr.Arena       // of the worker that this market is for alone, or nil
	history  int               // bars before the first decision at which symbols are compared; -1: never
	look     *outlook          // what expressions read besides a symbol's own bars
	notes    []bar.Note        // about what was read
	universe *UniverseInfo     // of a universe that changes over time
	plays    []play            // strategies that share the account, nil for one alone
	line     []play            // rules that follow each other in the account, nil for one alone
	reign    []int32           // which of them decide at each step, -1 for none
	twins    []int32           // of each symbol the first one that is the same security, nil for one strategy alone
}

// newMarket is the market of a Config on a calendar, without bars yet.
func newMarket(cfg *Config, cal *bar.Calendar) *market {
	return &market{cal: cal, daily: !cfg.Data.Bars.Intraday(), frame: cfg.Data.Bars, from: cfg.Data.From, to: cfg.Data.To, extended: cfg.Data.Session == bar.Extended}
}

// twin is the first symbol of the market that is the same security.
func (m *market) twin(i int32) int32 {
	if m.twins == nil {
		return i
	}
	return m.twins[i]
}

// symbol is one instrument's bars on the shared steps. Bars without volume are not in it: nothing
// traded, so nothing may fill and no window counts them.
type symbol struct {
	name string
	*security
	facts   [expr.NumCategories]string
	sum     []byte // digest of what was read, nil until it is asked for
	basis   bar.Basis
	bars    *bar.Series // from here to member is what an engine looks at all the time, close together
	bound   *expr.Bound
	offset  int32
	play    int32                 // which strategy may trade it
	step    []int32               // step of each row; nil when row r is at step r + offset
	member  []uint64              // rows at which it is in the universe, as a bitset; nil: always
	dropped int                   // bars without volume
	skipped []instrument.Dividend // dividends that could not restate prices
}

// at is the step of row r.
func (s *symbol) at(r int32) int32 {
	if s.step == nil {
		return r + s.offset
	}
	return s.step[r]
}

// rowsBefore is the number of rows at steps < t.
func (s *symbol) rowsBefore(t int32) int32 {
	if s.step == nil {
		if t <= s.offset {
			return 0 // without a look at the bars, which are far away in memory
		}
		return min(t-s.offset, int32(s.bars.Len()))
	}
	i, _ := slices.BinarySearch(s.step, t)
	return int32(i)
}

// load reads every symbol of the universe with its warm-up, in parallel, lays the shared steps, chooses
// the members of a universe that changes over time, and evaluates the rules. w is a worker that loads one single
// symbol after another, nil for none.
func load(ctx context.Context, cfg *Config, rules *strategy.Rules, src bar.Source, w *worker) (*market, error) {
	if len(cfg.Strategies) > 0 {
		return loadPlays(ctx, cfg, rules, src)
	}
	l := &loader{ctx: ctx, cfg: cfg, rules: rules, src: src, worker: w}
	return l.load()
}

// load is the market of one strategy.
func (l *loader) load() (*market, error) {
	ctx, cfg, rules, src := l.ctx, l.cfg, l.rules, l.src
	l.m = newMarket(cfg, src.Calendar())
	var err error
	if l.m.dated, err = readDated(cfg); err != nil {
		return nil, err
	}
	list, err := securities(ctx, cfg, rules, src)
	if err != nil {
		return nil, err
	}
	if list, err = l.identify(list); err != nil {
		return nil, err
	}
	l.typed = typed(list)
	l.changes = l.typed || cfg.Universe.Dynamic()
	if len(cfg.Universe.Type) > 0 {
		l.noteTypes(list)
	}
	var days *market
	if l.changes && cfg.Data.Bars.Intraday() {
		if days, err = l.days(list); err != nil {
			return nil, err
		}
		l.m.notes = append(l.m.notes, days.notes...)
		list = slices.DeleteFunc(list, func(c security) bool { return !days.has(c.name) })
	}
	warmup := rules.Warmup
	if rules.Universe != nil && days == nil {
		warmup = max(warmup, rules.Universe.Warmup)
	}
	if err := l.lay(list, warmup); err != nil {
		return nil, err
	}
	if days != nil {
		l.m.follow(days)
	} else if err := l.choose(); err != nil {
		return nil, err
	}
	return l.m, l.bind()
}

// lay loads the bars and lays the steps. What was not asked for by name is not missed.
func (l *loader) lay(list []security, warmup int) error {
	m := l.m
	if err := l.bars(list, warmup+1); err != nil {
		return err
	}
	if len(m.syms) == 0 {
		return m.noData(l.ctx, l.cfg, l.src)
	}
	if len(l.cfg.Universe.Symbols) == 0 {
		m.missing = nil
	}
	var before *market
	if w := l.worker; w != nil {
		before, w.market, m.arena = w.market, m, w.arena
	}
	m.steps(before)
	if m.first >= len(m.time) {
		return m.noData(l.ctx, l.cfg, l.src)
	}
	return l.deepen(warmup + 1)
}

// days is the market of day bars on which the universe of a run within the day is chosen.
func (l *loader) days(list []security) (*market, error) {
	cfg := *l.cfg
	cfg.Data.Bars, cfg.Data.Session = bar.Daily, bar.Regular
	if h := l.history(); h > 0 && cfg.Data.From != instrument.None { // who was a member counts there too
		perSession := max(1, int(6*time.Hour/l.cfg.Data.Bars.Duration()))
		for range h/perSession + 3 {
			cfg.Data.From = max(l.m.cal.Prev(cfg.Data.From), instrument.None+1)
		}
	}
	nothing, _ := expr.NewCompiler(expr.Scope{}).Program()
	d := &loader{ctx: l.ctx, cfg: &cfg, rules: &strategy.Rules{Program: nothing, Universe: l.rules.Universe}, src: l.src, typed: l.typed, changes: l.changes, keep: l.keep,
		m: newMarket(&cfg, l.m.cal)}
	warmup := 0
	if u := l.rules.Universe; u != nil {
		warmup = u.Warmup
	}
	if err := d.lay(list, warmup); err != nil {
		return nil, err
	}
	return d.m, d.choose()
}

// has reports whether a symbol is in the market.
func (m *market) has(name string) bool {
	_, found := slices.BinarySearchFunc(m.syms, name, func(s symbol, name string) int { return cmp.Compare(s.name, name) })
	return found
}

// bind evaluates the rules.
func (l *loader) bind() error {
	if err := l.outlook(l.rules.Program); err != nil {
		return err
	}
	bounds, err := l.m.evaluate(l.ctx, l.rules.Program, l.m.isMember())
	if err != nil {
		return err
	}
	for i := range bounds {
		l.m.syms[i].bound = bounds[i]
	}
	l.m.notes = append(l.m.notes, l.m.seriesNotes(l.rules.Program.Series(), l.cfg.Data.To == instrument.None)...)
	return nil
}

var errUntraded = fmt.Errorf("%w: no bar with volume in range", bar.ErrNoData)

// loadTraded loads bars without those of zero volume, with as many traded bars of warm-up as asked for
// where there are that many.
func loadTraded(ctx context.Context, src bar.Source, r bar.Request) (*bar.Series, int, error) {
	want := r.Warmup
	for {
		whole, err := src.Load(ctx, r)
		if err != nil {
			return nil, 0, err
		}
		s, dropped := traded(whole)
		if s.Warm == s.Len() && whole.Warm < whole.Len() {
			return nil, 0, errUntraded
		}
		if s.Warm >= want || whole.Warm < r.Warmup {
			return s.Slice(max(0, s.Warm-want), s.Len()), dropped, nil
		}
		r.Warmup += want - s.Warm
	}
}

// dateOf is the session date of a bar that starts at ns; for weeks and months their last session,
// whose share basis their prices are in, not later than the end of the run.
func (m *market) dateOf(ns int64) instrument.Date {
	if !m.daily {
		return m.cal.DateOf(ns)
	}
	d := instrument.DateOfNanos(ns)
	switch m.frame.Unit {
	case bar.Week:
		d = m.cal.Prev(d + 7 - instrument.Date((d.Weekday()+6)%7))
	case bar.Month:
		y, month, _ := d.Time().Date()
		d = m.cal.Prev(instrument.NewDate(y, month+1, 1))
	}
	if m.to != instrument.None {
		d = min(d, m.to)
	}
	return d
}

// traded is s without its bars of zero volume, s itself when there are none.
func traded(s *bar.Series) (*bar.Series, int) {
	if s.NoVolume || !slices.Contains(s.Volume, 0) {
		return s, 0
	}
	c := *s
	n := s.Len()
	c.Time = make([]int64, 0, n)
	columns := []*[]float64{&c.Open, &c.High, &c.Low, &c.Close, &c.Volume}
	from := [][]float64{s.Open, s.High, s.Low, s.Close, s.Volume}
	for _, col := range columns {
		*col = make([]float64, 0, n)
	}
	warm := 0
	for i := range n {
		if s.Volume[i] == 0 {
			continue
		}
		c.Time = append(c.Time, s.Time[i])
		for k, col := range columns {
			*col = append(*col, from[k][i])
		}
		if i < s.Warm {
			warm++
		}
	}
	c.Warm = warm
	return &c, n - len(c.Time)
}

// steps merges the symbols' times into the shared steps. Warm-up bars take no step, except that the
// last one before the range, of the symbols that have it, decides for the first. A market before of the same settings
// and times has the same sessions, which nobody writes to.
func (m *market) steps(before *market) {
	decide := int64(math.MinInt64)
	for i := range m.syms {
		if s := m.syms[i].bars; s.Warm > 0 && s.Warm < s.Len() {
			decide = max(decide, s.Time[s.Warm-1])
		}
	}
	for i := range m.syms {
		s := m.syms[i].bars
		m.time = union(m.time, s.Time[s.Warm:])
	}
	if decide != math.MinInt64 && len(m.time) > 0 && m.dateOf(decide) >= m.cal.Prev(bar.PeriodStart(m.frame, m.from)) {
		m.time = append(append(make([]int64, 0, len(m.time)+1), decide), m.time...)
		m.first = 1
	}
	traded := slices.Clone(m.time[max(0, len(m.time)-1):])
	m.goodbyes()
	for m.last = len(m.time) - 1; m.last >= 0 && m.time[m.last] > traded[0]; m.last-- {
	}
	if before != nil && before.first == m.first && slices.Equal(before.time, m.time) {
		m.dates, m.session, m.ends = before.dates, before.session, before.ends
	} else {
		m.sessions()
	}
	m.date = m.dates[1:]
	for i := range m.syms {
		m.syms[i].align(m.time)
	}
}

// sessions finds the session of each step.
func (m *market) sessions() {
	m.dates = make([]instrument.Date, len(m.time)+1)
	m.date, m.session = m.dates[1:], make([]int32, len(m.time))
	midnight, d := int64(math.MinInt64), instrument.Date(0) // of the day after the one in hand
	for t, ns := range m.time {
		if ns < midnight {
			m.date[t], m.session[t] = d, m.session[t-1]
			continue
		}
		switch {
		case m.frame == bar.Daily:
			d = instrument.DateOfNanos(ns)
			if m.to != instrument.None {
				d = min(d, m.to)
			}
		case m.daily:
			d = m.dateOf(ns)
		default:
			d = m.dateOf(ns)
			midnight = m.cal.Midnight(d + 1)
		}
		m.date[t] = d
		if t > 0 {
			m.session[t] = m.session[t-1]
			if prev := m.date[t-1]; m.frame.Unit == bar.Week || m.frame.Unit == bar.Month {
				m.session[t]++ // an order for the next session is one for the next bar
			} else if d == prev+1 {
				m.session[t]++
			} else if d != prev {
				m.session[t] += int32(max(1, m.cal.Count(prev+1, d)))
			}
		}
	}
	if len(m.date) > 0 {
		m.dates[0] = m.sessionStart()
	}
}

// sessionEnd is the last step of the session of step t; t itself where there is no such step. Cost: the
// logarithm of the steps between.
func (m *market) sessionEnd(t int32) int32 {
	hop := 1
	end := int(t)
	for ; end+hop < len(m.session) && m.session[end+hop] == m.session[t]; hop *= 2 {
		end += hop
	}
	for ; hop > 0; hop /= 2 {
		if end+hop < len(m.session) && m.session[end+hop] == m.session[t] {
			end += hop
		}
	}
	return int32(end)
}

// union merges two increasing lists into one. Equal lists, the common case, cost no allocation.
func union(a, b []int64) []int64 {
	if len(a) == 0 {
		return b[:len(b):len(b)] // shared: whoever adds to it makes a copy
	}
	if len(b) == 0 || len(b) <= len(a) && subset(a, b) {
		return a
	}
	out := make([]int64, 0, len(a)+len(b)/4)
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case j == len(b) || i < len(a) && a[i] < b[j]:
			out = append(out, a[i])
			i++
		case i == len(a) || b[j] < a[i]:
			out = append(out, b[j])
			j++
		default:
			out = append(out, a[i])
			i, j = i+1, j+1
		}
	}
	return out
}

// subset reports whether every element of b is in a.
func subset(a, b []int64) bool {
	i := 0
	for _, x := range b {
		for i < len(a) && a[i] < x {
			i++
		}
		if i == len(a) || a[i] != x {
			return false
		}
	}
	return true
}

// align finds the step of each row. Rows before the first step get negative ones: they are history.
func (s *symbol) align(steps []int64) {
	time := s.bars.Time
	k := s.bars.Warm
	if k > 0 && len(steps) > 0 && time[k-1] == steps[0] {
		k--
	}
	if k == len(time) {
		s.offset = math.MinInt32 / 2
		return
	}
	at, _ := slices.BinarySearch(steps, time[k])
	s.offset = int32(at - k)
	if (at == 0 || k == 0) && at+len(time)-k <= len(steps) && steps[at+len(time)-k-1] == time[len(time)-1] {
		return // increasing and as many steps as rows between equal ends: no gap, and history is before step 0
	}
	s.step = make([]int32, len(time))
	for r := range k {
		s.step[r] = int32(r - k)
	}
	t := at
	for r := k; r < len(time); r++ {
		for steps[t] != time[r] {
			t++
		}
		s.step[r] = int32(t)
	}
}
