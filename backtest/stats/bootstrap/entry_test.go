package bootstrap_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest/stats/bootstrap"
)

// market is a column of independent returns.
func market(seed uint64, n int, drift float64) []float64 {
	d := rand.New(rand.NewPCG(seed, 1))
	out := make([]float64, n)
	for i := range out {
		out[i] = drift + .01*d.NormFloat64()
	}
	return out
}

// Spells that hold exactly what was about to rise cannot be matched at random; spells put at random are
// like any other; spells that are merely long in a rising market must not look like skill.
func TestRandomEntriesTellTimingFromDrift(t *testing.T) {
	r := market(7, 1000, .001)
	var foresight, blind []bootstrap.Spell
	for k := 0; k+5 <= len(r) && len(foresight) < 40; k += 5 {
		if r[k]+r[k+1]+r[k+2]+r[k+3]+r[k+4] > .02 {
			foresight = append(foresight, bootstrap.Spell{From: k, Hold: 5, Weight: 1})
		}
	}
	for k := range 40 {
		blind = append(blind, bootstrap.Spell{From: 25 * k, Hold: 5, Weight: 1})
	}
	if e := bootstrap.RandomEntries(foresight, [][]float64{r}, 400, 1); e.P > .01 || e.Better > .01 {
		t.Errorf("foresight: p %g, %g grew more", e.P, e.Better)
	}
	e := bootstrap.RandomEntries(blind, [][]float64{r}, 400, 1)
	if e.P < .05 {
		t.Errorf("entries every 25 sessions: p %g", e.P)
	}
	if !slices.IsSorted(e.Null) || e.Draws != 400 || e.Spells != 40 {
		t.Errorf("draws %d, spells %d, sorted %v", e.Draws, e.Spells, slices.IsSorted(e.Null))
	}
	again := bootstrap.RandomEntries(blind, [][]float64{r}, 400, 1)
	if !slices.Equal(e.Null, again.Null) {
		t.Error("the same seed gives other draws")
	}
}

// Nulls are uniform: under random entries about a twentieth of p-values lie below 5 %.
func TestRandomEntriesKeepTheirLevel(t *testing.T) {
	below, tries := 0, 200
	d := rand.New(rand.NewPCG(3, 3))
	for k := range tries {
		r := market(uint64(100+k), 250, .0005)
		var s []bootstrap.Spell
		for b := range 10 {
			s = append(s, bootstrap.Spell{From: 25*b + d.IntN(20), Hold: 4, Weight: .5})
		}
		if bootstrap.RandomEntries(s, [][]float64{r}, 99, uint64(k)).P <= .05 {
			below++
		}
	}
	if below < 2 || below > 22 { // 10 expected, sd 3.1
		t.Errorf("%d of %d p-values at or below 5%%", below, tries)
	}
}

// A pencil is enough for the real spells: weights, costs, short positions and gaps.
func TestRandomEntriesValueTheRealOnes(t *testing.T) {
	r := make([]float64, 30)
	r[3], r[4], r[10] = .1, -.05, .02
	r[20] = math.NaN()
	s := []bootstrap.Spell{{From: 3, Hold: 2, Weight: .5, Cost: .002}, {From: 10, Hold: 1, Weight: -1}, {From: 15, Hold: 2, Weight: 1}, {From: 17, Hold: 2, Weight: 1}, {From: 25, Hold: 2, Weight: 1}}
	e := bootstrap.RandomEntries(s, [][]float64{r}, 10, 1)
	want := (1 + .05 - .001) * (1 - .025 - .001) * (1 - .02)
	if math.Abs(e.Growth-want) > 1e-12 {
		t.Errorf("growth %.15f, want %.15f", e.Growth, want)
	}
	if bootstrap.RandomEntries(s[:4], [][]float64{r}, 10, 1) != nil || bootstrap.RandomEntries(s, [][]float64{r[:29]}, 10, 1) != nil {
		t.Error("too few spells or sessions give a distribution")
	}
}
