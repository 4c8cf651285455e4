package overfit

import (
	"fmt"
	"math/bits"
)

// Range is the sessions [From, To).
type Range struct{ From, To int }

// Split is one way to divide the history: what is trained on, and the groups that are tested.
type Split struct {
	Test  []int   // numbers of the tested groups, rising
	Train []Range // sessions to train on, rising: purged and embargoed around the tested groups
}

// CPCV is combinatorial purged cross-validation (Lopez de Prado 2018, Advances in Financial Machine
// Learning, chapter 12): every choice of k of n groups is tested once on what the others taught, and
// the tested parts together make whole histories, none of which saw itself in training.
type CPCV struct {
	Groups []Range
	Splits []Split
	Paths  [][]int // the split that tests each group, a row a path
}

// Purge says how much is taken from the training sessions next to tested ones.
type Purge struct {
	Sessions int // on both sides: the longest time a position is held
	Embargo  int // after a tested group besides: about 1 % of all sessions
}

// Combinations of k tested groups out of n: how many splits there are and how many paths they make,
// C(n, k) and C(n-1, k-1).
func Combinations(n, k int) (splits, paths int) { return choose(n, k), choose(n-1, k-1) }

func choose(n, k int) int {
	if k < 0 || k > n {
		return 0
	}
	c := 1
	for i := 1; i <= k; i++ {
		c = c * (n - k + i) / i
	}
	return c
}

// mostSplits keeps a mistake from asking for millions of fits.
const mostSplits = 200_000

// NewCPCV divides so many sessions into groups as equal as they can be. It refuses groups that would
// hold fewer than 2 sessions, and choices that leave nothing to train on.
func NewCPCV(sessions, groups, tested int, purge Purge) (*CPCV, error) {
	switch {
	case groups < 2 || groups > 30 || tested < 1 || tested >= groups:
		return nil, fmt.Errorf("cross-validate with %d of %d groups tested: want 2 to 30 groups and at least one left to train on", tested, groups)
	case sessions < 2*groups:
		return nil, fmt.Errorf("cross-validate %d sessions in %d groups: every group needs 2 sessions or more", sessions, groups)
	case purge.Sessions < 0 || purge.Embargo < 0:
		return nil, fmt.Errorf("cross-validate with %d sessions purged and %d embargoed: want 0 or more", purge.Sessions, purge.Embargo)
	case choose(groups, tested) > mostSplits:
		return nil, fmt.Errorf("cross-validate with %d of %d groups tested: %d splits, at most %d", tested, groups, choose(groups, tested), mostSplits)
	}
	c := &CPCV{}
	for g := range groups {
		c.Groups = append(c.Groups, Range{g * sessions / groups, (g + 1) * sessions / groups})
	}
	for mask := uint32(0); mask < 1<<groups; mask++ {
		if bits.OnesCount32(mask) != tested {
			continue
		}
		s := Split{Train: c.train(mask, purge)}
		if len(s.Train) == 0 {
			return nil, fmt.Errorf("cross-validate %d sessions: purging %d and embargoing %d leaves nothing to train on", sessions, purge.Sessions, purge.Embargo)
		}
		for g := range groups {
			if mask>>g&1 == 1 {
				s.Test = append(s.Test, g)
			}
		}
		c.Splits = append(c.Splits, s)
	}
	c.paths()
	return c, nil
}

// train is what remains of the groups outside mask.
func (c *CPCV) train(mask uint32, purge Purge) []Range {
	var out []Range
	for g, r := range c.Groups {
		if mask>>g&1 == 1 {
			continue
		}
		for k, t := range c.Groups { // cut by every tested group: a purge may reach past a neighbour
			if mask>>k&1 == 0 {
				continue
			}
			if k > g {
				r.To = min(r.To, t.From-purge.Sessions)
			} else {
				r.From = max(r.From, t.To+purge.Sessions+purge.Embargo)
			}
		}
		if r.From >= r.To {
			continue
		}
		if n := len(out); n > 0 && out[n-1].To == r.From {
			out[n-1].To = r.To
			continue
		}
		out = append(out, r)
	}
	return out
}

// paths gives each path, of every group, the next split that tests it and is not yet used for it.
func (c *CPCV) paths() {
	next := make([][]int, len(c.Groups))
	for i, s := range c.Splits {
		for _, g := range s.Test {
			next[g] = append(next[g], i)
		}
	}
	for p := range next[0] {
		row := make([]int, len(c.Groups))
		for g := range row {
			row[g] = next[g][p]
		}
		c.Paths = append(c.Paths, row)
	}
}
