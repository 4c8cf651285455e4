package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// rows of one ticker in session order, with the index of each session.
func (m *world) rows(ticker string) (rows []listed, sessions []int) {
	for i, list := range m.bySymbol {
		for _, l := range list {
			if l.ticker == ticker {
				rows, sessions = append(rows, l), append(sessions, i)
			}
		}
	}
	return rows, sessions
}

func TestMarketIsWhatItPromises(t *testing.T) {
	m := generate(bar.NYSE())
	if got := m.sessions[0].String() + " " + m.sessions[len(m.sessions)-1].String(); got != FirstSession+" "+LastSession {
		t.Errorf("sessions %s, want %s %s", got, FirstSession, LastSession)
	}
	if len(m.paths) < 20 {
		t.Errorf("%d securities, want at least 20", len(m.paths))
	}
	first := m.bySymbol[0][0].ticker
	if rows, _ := m.rows(first); len(rows) != len(m.sessions) {
		t.Errorf("%s, listed first, has %d bars of %d sessions", first, len(rows), len(m.sessions))
	}
	for _, c := range []struct {
		ticker      string
		first, last string
	}{
		{"GONE", FirstSession, "2019-06-28"},
		{"OLDCO", FirstSession, "2021-06-08"},
		{"NEWCO", "2021-06-09", LastSession},
		{"LATE", "2018-09-20", LastSession},
		{"NA", FirstSession, LastSession},
		{"BCpC", FirstSession, LastSession},
		{"BCPC", FirstSession, LastSession},
	} {
		_, at := m.rows(c.ticker)
		if len(at) == 0 {
			t.Fatalf("no bars of %s", c.ticker)
		}
		if a, b := m.sessions[at[0]].String(), m.sessions[at[len(at)-1]].String(); a != c.first || b != c.last {
			t.Errorf("%s trades %s to %s, want %s to %s", c.ticker, a, b, c.first, c.last)
		}
	}
	if rows, _ := m.rows("HALT"); len(rows) != len(m.sessions)-1 {
		t.Errorf("HALT has %d bars of %d sessions, want one halted", len(rows), len(m.sessions))
	}
}

func TestBarsArePossible(t *testing.T) {
	m := generate(bar.NYSE())
	fractions := day(fractionsFrom, instrument.None)
	fractional := 0
	for i, list := range m.bySymbol {
		for k, l := range list {
			b, d := l.bar, m.sessions[i]
			if k > 0 && list[k-1].ticker >= l.ticker {
				t.Fatalf("%s: %s stands before %s", d, list[k-1].ticker, l.ticker)
			}
			if !(0 < b.low && b.low <= min(b.open, b.close) && max(b.open, b.close) <= b.high) || b.volume < 1 {
				t.Fatalf("%s %s: impossible bar %+v", d, l.ticker, b)
			}
			for _, p := range []float64{b.open, b.high, b.low, b.close} {
				if p != math.Round(p*100)/100 {
					t.Fatalf("%s %s: price %v is not in cents", d, l.ticker, p)
				}
			}
			if b.volume != math.Trunc(b.volume) {
				fractional++
				if d < fractions {
					t.Fatalf("%s %s: fractional volume %v before %s", d, l.ticker, b.volume, fractions)
				}
			}
			if gap := b.open/b.before - 1; math.Abs(gap) > 0.4 {
				t.Errorf("%s %s: gap of %.2f would be taken for a missing split", d, l.ticker, gap)
			}
		}
	}
	if fractional == 0 {
		t.Error("no fractional volume anywhere")
	}
}

// The day bar's prices come from the regular minutes, its volume from all of them.
func TestMinutesAgreeWithTheDay(t *testing.T) {
	cal := bar.NYSE()
	m := generate(cal)
	symbols, halfDays := map[string]int{}, 0
	for i, list := range m.bySymbol {
		open, close, early, _ := cal.Hours(m.sessions[i])
		for _, l := range list {
			x := l.minutes
			if len(x.time) == 0 {
				continue
			}
			symbols[l.ticker]++
			if early {
				halfDays++
			}
			d := dayBar{low: math.Inf(1)}
			for k, at := range x.time {
				d.volume += x.volume[k]
				if k > 0 && at <= x.time[k-1] {
					t.Fatalf("%s %s: minutes out of order", m.sessions[i], l.ticker)
				}
				if at < open || at >= close {
					continue
				}
				if d.open == 0 {
					d.open = x.open[k]
				}
				d.high, d.low, d.close = max(d.high, x.high[k]), min(d.low, x.low[k]), x.close[k]
			}
			b := l.bar
			if d.open != b.open || d.high != b.high || d.low != b.low || d.close != b.close || d.volume != b.volume {
				t.Fatalf("%s %s: day %+v, minutes give %+v", m.sessions[i], l.ticker, b, d)
			}
		}
	}
	if len(symbols) < 3 || symbols["ACME"] < 63 || halfDays == 0 {
		t.Errorf("minutes of %v with %d half days, want three symbols for three months and a half day", symbols, halfDays)
	}
}

// Prices jump by the ratio of a split, and by nothing else of that size.
func TestSplitsShowInPrices(t *testing.T) {
	m := generate(bar.NYSE())
	up, down := 0, 0
	for _, p := range m.paths {
		for _, s := range p.splits {
			ex := day(s.date, instrument.None)
			for i, b := range p.bars {
				if m.sessions[b.session] != ex {
					continue
				}
				ratio := b.open / p.bars[i-1].close * s.to / s.from
				if math.Abs(ratio-1) > 0.15 {
					t.Errorf("%s split %v:%v on %s: prices %v then %v", p.name, s.from, s.to, s.date, p.bars[i-1].close, b.open)
				}
				if s.to > s.from {
					up++
				} else {
					down++
				}
			}
		}
	}
	if up < 3 || down < 1 {
		t.Errorf("%d forward and %d reverse splits show in prices, want both", up, down)
	}
}

// Securities move with the market factor by their beta, more or less: without that a portfolio of
// them would look safer than any real one.
func TestSecuritiesMoveTogether(t *testing.T) {
	m := generate(bar.NYSE())
	market, _ := m.rows(Benchmark)
	for _, ticker := range []string{"ACME", "SURGE", "STEEL", "UTILY"} {
		rows, at := m.rows(ticker)
		var x, y []float64
		for k := 1; k < len(rows); k++ {
			x = append(x, market[at[k]].bar.close/market[at[k]].bar.before-1)
			y = append(y, rows[k].bar.close/rows[k].bar.before-1)
		}
		if c := correlation(x, y); c < 0.2 || c > 0.95 {
			t.Errorf("correlation of %s with the market is %.2f", ticker, c)
		}
	}
}

func correlation(x, y []float64) float64 {
	var mx, my, xy, xx, yy float64
	for i := range x {
		mx, my = mx+x[i]/float64(len(x)), my+y[i]/float64(len(x))
	}
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my)
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
	}
	return xy / math.Sqrt(xx*yy)
}

func TestDividends(t *testing.T) {
	m := generate(bar.NYSE())
	special := 0
	for _, p := range m.paths {
		for _, d := range p.dividends {
			if d.usd < 0.01 || d.pay <= d.ex {
				t.Errorf("%s: dividend %+v", p.name, d)
			}
			if d.special {
				special++
			}
		}
		if p.yield > 0 && len(p.dividends) < 40 {
			t.Errorf("%s paid %d dividends in eleven years, want one a quarter", p.name, len(p.dividends))
		}
	}
	if special != 1 {
		t.Errorf("%d special dividends, want 1", special)
	}
}

// A ticker that two companies used names the one that traded on the day.
func TestTickerReuse(t *testing.T) {
	m := generate(bar.NYSE())
	rows, at := m.rows("REUSE")
	names := map[string]bool{}
	for k, l := range rows {
		p := m.paths[l.path]
		names[p.name] = true
		if old := m.sessions[at[k]].String() < "2017"; old != strings.Contains(p.name, "Rail") {
			t.Fatalf("%s: REUSE is %s", m.sessions[at[k]], p.name)
		}
	}
	if len(names) != 2 {
		t.Errorf("REUSE was used by %v, want two companies", names)
	}
}

// Every bit of the market belongs to its edition. When this fails after a change of the generator,
// raise Edition, so that markets made by older programs are made again, and write the new sum here.
// On another processor it must not fail: no operation may be fused or differ there.
func TestEditionNamesTheBits(t *testing.T) {
	m := generate(bar.NYSE())
	h := sha256.New()
	put := func(values ...float64) {
		for _, v := range values {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
		}
	}
	for i, list := range m.bySymbol {
		for _, l := range list {
			fmt.Fprintln(h, m.sessions[i], l.ticker)
			put(l.bar.open, l.bar.high, l.bar.low, l.bar.close, l.bar.volume)
			for k := range l.minutes.time {
				put(float64(l.minutes.time[k]), l.minutes.open[k], l.minutes.high[k], l.minutes.low[k], l.minutes.close[k], l.minutes.volume[k])
			}
		}
	}
	for _, p := range m.paths {
		if len(p.was) > 0 {
			fmt.Fprintln(h, p.figi, p.was)
		}
		for _, d := range p.dividends {
			fmt.Fprintln(h, p.figi, d.ex, d.pay, d.usd)
		}
	}
	want := map[string]string{"2": "6d1cfef74463d6d0920b87670f3f162a992e854961a42bb7100ec4e0d33e44a1"}
	if got := hex.EncodeToString(h.Sum(nil)); got != want[Edition] {
		t.Errorf("edition %s has the sum %s, want %s", Edition, got, want[Edition])
	}
}
