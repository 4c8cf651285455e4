package backtest

import (
	"cmp"
	"fmt"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Who is meant by a ticker. A ticker belongs to one company after another, and a company goes from one
// ticker to the next; a run is about companies. A ticker that is named means whoever had it last in the
// range, under all the tickers that this one ever had. TICKER@SESSION means whoever had it on that day.
// A ticker in a members file means, on each of its days, whoever had it on that day.

// seat is the time in which a ticker of a members file was a security's.
type seat struct {
	ticker   string
	from, to instrument.Date // both inclusive
}

// seatsOf a security: under its name, always, unless it was found out to be otherwise.
func (c *security) seatsOf() []seat {
	if c.seats == nil {
		return []seat{{c.name, instrument.None, instrument.Forever}}
	}
	return c.seats
}

// identify finds the tickers asked for that several companies used within the range. Those of a
// members file become a security for each; those of a list keep their last owner, and a note says so.
func (l *loader) identify(list []security) ([]security, error) {
	src, ok := l.src.(bar.Reuser)
	roll := l.cfg.Universe.Members != ""
	if !ok || len(l.cfg.Universe.Symbols) == 0 && !roll {
		return list, nil
	}
	from, to := bar.Request{From: l.cfg.Data.From, To: l.cfg.Data.To}.Bounds()
	var out []security
	for _, c := range list {
		if c.name != c.ticker { // a former owner, asked for as such
			out = append(out, c)
			continue
		}
		held, err := src.Owners(l.ctx, c.ticker, l.cfg.Data.Bars)
		if err != nil {
			return nil, err
		}
		owners := tenantsIn(held, from, to)
		if len(owners) < 2 {
			out = append(out, c)
			continue
		}
		former := owners[:len(owners)-1]
		if roll {
			for _, o := range former {
				x := named(o.name(), l.cfg.Data.To)
				x.describe(o.Instrument, o.From)
				x.seats = []seat{{o.Ticker, o.From, o.To}}
				if x.ofType(l.cfg.Universe.Type) {
					out = append(out, x)
				}
			}
			last := owners[len(former)]
			c.seats = []seat{{c.ticker, last.From, instrument.Forever}}
			out = append(out, c)
			continue
		}
		for _, o := range former {
			if slices.ContainsFunc(list, func(x security) bool { return x.name == o.name() }) {
				continue
			}
			l.m.note("ticker_reused", "until %s %s was the ticker of another company (%s), which is not in the run: name it as %s",
				o.To, c.ticker, o.who(), o.name())
		}
		out = append(out, c)
	}
	return out, nil
}

// tenantsIn keeps the owners whose time with the ticker touches the range.
func tenantsIn(owners []bar.Owner, from, to instrument.Date) []tenant {
	var out []tenant
	for _, o := range owners {
		if o.From <= to && o.To >= from {
			out = append(out, tenant{o})
		}
	}
	return out
}

type tenant struct{ bar.Owner }

// name by which somebody can ask for a former owner of a ticker.
func (o tenant) name() string { return o.Ticker + "@" + o.To.String() }

// who it is, for people.
func (o tenant) who() string {
	if o.Instrument.Name != "" {
		return o.Instrument.Name
	}
	return string(o.Instrument.ID)
}

// once leaves each security in the market once, by whatever number of tickers it was asked for: under
// the one with the latest bars, of these the one it has at its last bar, of these the first. It would
// be bought twice otherwise.
func (l *loader) once() {
	m := l.m
	at := map[instrument.ID]int{}
	twins := map[int][]string{} // names left out, by place in kept
	kept := m.syms[:0:0]
	for i := range m.syms {
		s := &m.syms[i]
		k, twice := at[s.bars.ID]
		if !twice || s.bars.ID == "" {
			at[s.bars.ID] = len(kept)
			kept = append(kept, *s)
			continue
		}
		stays, goes := &kept[k], s
		if better(s.bars, kept[k].bars) {
			stays, goes = s, &kept[k]
		}
		twins[k] = append(twins[k], goes.name)
		stays.security.seats = append(stays.seatsOf(), goes.seatsOf()...)
		kept[k] = *stays
	}
	if len(kept) == len(m.syms) {
		return
	}
	for k := range kept {
		if names := twins[k]; len(names) > 0 {
			m.note("same_security", "%s and %s are one security, which is in the run once", list(names), kept[k].name)
		}
	}
	slices.SortFunc(kept, func(a, b symbol) int { return cmp.Compare(a.name, b.name) }) // another one may have stayed
	m.syms = kept
}

// better reports whether a series is the one to keep of two of the same security.
func better(a, b *bar.Series) bool {
	if x, y := a.Time[a.Len()-1], b.Time[b.Len()-1]; x != y {
		return x > y
	}
	return a.Symbol == a.Ticker && b.Symbol != b.Ticker
}

// note adds something to say about what was read.
func (m *market) note(code, format string, args ...any) {
	m.notes = append(m.notes, bar.Note{Code: code, Message: fmt.Sprintf(format, args...)})
}
