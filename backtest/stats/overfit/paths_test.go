package overfit_test

import (
	"slices"
	"testing"

	"backtester/backtest/stats/overfit"

	"pgregory.net/rapid"
)

// Lopez de Prado (2018), chapter 12: C(n,k) splits and k/n C(n,k) paths.
func TestCombinations(t *testing.T) {
	for _, c := range [][4]int{{6, 2, 15, 5}, {10, 2, 45, 9}, {10, 8, 45, 36}, {5, 1, 5, 1}} {
		splits, paths := overfit.Combinations(c[0], c[1])
		if splits != c[2] || paths != c[3] {
			t.Errorf("%d groups, %d tested: %d splits and %d paths, want %d and %d", c[0], c[1], splits, paths, c[2], c[3])
		}
		v, err := overfit.NewCPCV(1000, c[0], c[1], overfit.Purge{})
		if err != nil {
			t.Fatal(err)
		}
		if len(v.Splits) != splits || len(v.Paths) != paths {
			t.Errorf("made %d splits and %d paths, want %d and %d", len(v.Splits), len(v.Paths), splits, paths)
		}
	}
}

func TestCPCVProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := rapid.IntRange(2, 8).Draw(t, "groups")
		tested := rapid.IntRange(1, groups-1).Draw(t, "tested")
		sessions := rapid.IntRange(20*groups, 600).Draw(t, "sessions")
		purge := overfit.Purge{Sessions: rapid.IntRange(0, 6).Draw(t, "purge"), Embargo: rapid.IntRange(0, 6).Draw(t, "embargo")}
		v, err := overfit.NewCPCV(sessions, groups, tested, purge)
		if err != nil {
			t.Fatal(err)
		}
		if v.Groups[0].From != 0 || v.Groups[groups-1].To != sessions {
			t.Fatalf("groups %v of %d sessions", v.Groups, sessions)
		}
		for _, s := range v.Splits {
			ok := make([]bool, sessions) // what may be trained on, session by session
			for i := range ok {
				ok[i] = true
			}
			for _, g := range s.Test {
				r := v.Groups[g]
				for i := max(0, r.From-purge.Sessions); i < min(sessions, r.To+purge.Sessions+purge.Embargo); i++ {
					ok[i] = false
				}
			}
			trained := make([]bool, sessions)
			for _, r := range s.Train {
				for i := r.From; i < r.To; i++ {
					trained[i] = true
				}
			}
			if !slices.Equal(ok, trained) {
				t.Fatalf("tested %v: trained on %v", s.Test, s.Train)
			}
		}
		used := map[[2]int]bool{}
		for _, path := range v.Paths {
			for g, split := range path {
				if !slices.Contains(v.Splits[split].Test, g) {
					t.Fatalf("group %d of path %v is not tested by its split", g, path)
				}
				if used[[2]int{g, split}] {
					t.Fatalf("group %d of split %d is in two paths", g, split)
				}
				used[[2]int{g, split}] = true
			}
		}
		if len(used) != len(v.Splits)*tested {
			t.Fatalf("%d tested groups are in paths, want all %d", len(used), len(v.Splits)*tested)
		}
	})
}

func TestCPCVRefuses(t *testing.T) {
	for _, c := range []struct {
		sessions, groups, tested int
		purge                    overfit.Purge
	}{{100, 1, 1, overfit.Purge{}}, {100, 5, 5, overfit.Purge{}}, {100, 5, 0, overfit.Purge{}}, {9, 5, 2, overfit.Purge{}}, {100, 5, 2, overfit.Purge{Sessions: -1}},
		{100, 5, 2, overfit.Purge{Sessions: 100}}, {1000, 30, 15, overfit.Purge{}}} {
		if _, err := overfit.NewCPCV(c.sessions, c.groups, c.tested, c.purge); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
