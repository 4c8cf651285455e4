package indicator

import (
	"cmp"
	"slices"
	"strings"

	"backtester/backtest/bar/spell"
)

// Table is all indicators, sorted by name. The copy belongs to the caller.
func Table() []Spec {
	out := make([]Spec, len(table))
	for i, s := range table {
		out[i] = s.clone()
	}
	return out
}

// Lookup finds an indicator by name or alias, in lower case.
func Lookup(name string) (Spec, bool) {
	if i, ok := slices.BinarySearchFunc(names, name, func(e entry, n string) int { return strings.Compare(e.name, n) }); ok {
		return table[names[i].row].clone(), true
	}
	return Spec{}, false
}

// Suggest is the name or alias nearest to what was typed, or "" if none is near: for "did you mean".
func Suggest(name string) string {
	known := make([]string, len(names))
	for i, e := range names {
		known[i] = e.name
	}
	return spell.Nearest(name, known)
}

// entry is a name or alias and the row of the table it stands for.
type entry struct {
	name string
	row  int
}

// Written once, before anyone can read them.
var (
	table = rows()
	names = index(table)
)

func rows() []Spec {
	all := slices.Concat(averages(), averages2(), transforms(), pivots(), momentum(), momentum2(), momentum3(), trend(), trend2(), swings(), volatility(), volatility2(), flow(), flow2(), statistics(), statistics2(), cycles(), patterns())
	for i := range all {
		all[i].Eval = framed(conventional(all[i].Params, all[i].Eval))
	}
	slices.SortFunc(all, func(a, b Spec) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// framed gives scratch memory back after a call, and has nothing to do for empty columns.
func framed(eval func(*Scratch, [][]float64, [][]float64, []float64)) func(*Scratch, [][]float64, [][]float64, []float64) {
	return func(s *Scratch, dst, in [][]float64, p []float64) {
		if len(dst[0]) == 0 {
			return
		}
		mark := s.used
		eval(s, dst, in, p)
		s.release(mark)
	}
}

func index(table []Spec) []entry {
	var all []entry
	for i, s := range table {
		all = append(all, entry{s.Name, i})
		for _, a := range s.Aliases {
			all = append(all, entry{a, i})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.name, b.name) })
	return all
}
