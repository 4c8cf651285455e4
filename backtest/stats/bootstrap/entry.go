package bootstrap

import (
	"math"
	"slices"
)

// Spell is one position in plain numbers: held in one symbol over consecutive sessions.
type Spell struct {
	Symbol int     // column of returns
	From   int     // first session whose return it earned
	Hold   int     // sessions, at least 1
	Weight float64 // value at entry as a fraction of equity, negative when short
	Cost   float64 // of entering and leaving together, as a fraction of equity
}

// Entries is what the same number of positions in the same symbols, as large, as long and as dear, would
// have made from entries at random.
type Entries struct {
	Draws    int
	Seed     uint64
	Spells   int
	Observed float64   // Sharpe ratio of one session of the spells where they were
	Growth   float64   // their growth, session by session
	Null     []float64 // Sharpe ratios of the random ones, sorted rising
	P        float64   // share that did as well or better, the real one counted among them
	Better   float64   // share of random ones that grew more
}

// RandomEntries draws a new place for every spell, evenly among those where its symbol has a return for
// every session of the hold and where it does not overlap an earlier spell of the symbol; a spell that
// finds no free place in 32 tries stays where it may overlap. Places that hold no position earn nothing.
// The real spells are valued in the same way, so that what this leaves out is left out on both sides.
//
// returns[s][t] is the return of symbol s over session t, NaN where it had none. draws <= 0 means
// 2,000, or fewer where there is so much to add up that it would take long. nil under 5 spells or 30
// sessions. Cost: O(draws x (sessions + total hold)).
func RandomEntries(spells []Spell, returns [][]float64, draws int, seed uint64) *Entries {
	if len(spells) < 5 || len(returns) == 0 || len(returns[0]) < 30 {
		return nil
	}
	n := len(returns[0])
	work := n
	for i := range spells {
		work += spells[i].Hold
	}
	if draws <= 0 {
		draws = min(2000, max(200, 40_000_000/work))
	}
	places := placesOf(spells, returns)
	e := &Entries{Draws: draws, Seed: seed, Spells: len(spells), Null: make([]float64, draws)}
	path := make([]float64, n)
	from := make([]int, len(spells))
	for i := range spells {
		from[i] = spells[i].From
	}
	e.Observed, e.Growth = held(path, spells, from, returns)
	taken := make([][]bool, len(returns))
	for s := range taken {
		taken[s] = make([]bool, n)
	}
	d := newDice(seed)
	reached, better := 0, 0
	for b := range e.Null {
		for s := range taken {
			clear(taken[s])
		}
		for i := range spells {
			from[i] = place(d, &spells[i], places[i], taken[spells[i].Symbol])
		}
		x, growth := held(path, spells, from, returns)
		e.Null[b] = x
		if x >= e.Observed {
			reached++
		}
		if growth > e.Growth {
			better++
		}
	}
	slices.Sort(e.Null)
	e.P = float64(1+reached) / float64(draws+1)
	e.Better = float64(better) / float64(draws)
	return e
}

// placesOf lists for every spell the sessions at which it could begin; spells of one symbol and length
// share their list.
func placesOf(spells []Spell, returns [][]float64) [][]int32 {
	type key struct{ symbol, hold int }
	have := map[key][]int32{}
	out := make([][]int32, len(spells))
	for i := range spells {
		k := key{spells[i].Symbol, spells[i].Hold}
		list, ok := have[k]
		if !ok {
			run := 0
			for t, r := range returns[k.symbol] {
				if math.IsNaN(r) {
					run = 0
					continue
				}
				if run++; run >= k.hold {
					list = append(list, int32(t-k.hold+1))
				}
			}
			have[k] = list
		}
		out[i] = list
	}
	return out
}

// place finds a start for a spell and marks its sessions as taken.
func place(d *dice, s *Spell, places []int32, taken []bool) int {
	if len(places) == 0 {
		return s.From // its own sessions have gaps: it cannot be elsewhere
	}
	at := 0
	for range 32 {
		at = int(places[d.below(len(places))])
		if !slices.Contains(taken[at:at+s.Hold], true) {
			break
		}
	}
	for t := at; t < at+s.Hold; t++ {
		taken[t] = true
	}
	return at
}

// held adds up what spells that begin at from earn, and returns the Sharpe ratio of a session and the
// growth. Half of a cost is paid on the first session, half on the last.
func held(path []float64, spells []Spell, from []int, returns [][]float64) (sharpe, growth float64) {
	clear(path)
	for i := range spells {
		s := &spells[i]
		col := returns[s.Symbol]
		last := min(from[i]+s.Hold, len(path)) - 1
		for t := from[i]; t <= last; t++ {
			if r := col[t]; !math.IsNaN(r) {
				path[t] += float64(s.Weight * r)
			}
		}
		path[from[i]] -= s.Cost / 2
		path[last] -= s.Cost / 2
	}
	var sum, squares float64
	growth = 1
	for _, r := range path {
		sum += r
		squares += float64(r * r)
		growth *= 1 + math.Max(r, -1)
	}
	return sharpeOf(float64(len(path)), sum, squares, 0), growth
}
