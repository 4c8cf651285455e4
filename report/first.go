package report

import (
	"fmt"
	"io"
	"strings"

	"backtester/backtest"
	"backtester/backtest/validate/stress"
)

// sameFills says how many fills are equal before the first that differs.
func sameFills(n int64) string {
	if n == 1 {
		return "The first fill is the same"
	}
	return "The first " + whole(n) + " fills are the same"
}

// FirstDifference says in the terminal which fill of two runs is the first that differs, and which setting is
// behind it. why says why no run was made to find out; "" when one was.
func FirstDifference(w io.Writer, a, b *backtest.Result, d *stress.Difference, why string, o Options) error {
	s := &screen{w: w, o: o}
	s.heading("First fill that differs")
	if d == nil {
		s.printf("None: both runs have the same %s fills.\n", whole(int64(len(a.Fills))))
		return s.err
	}
	if d.At == 0 {
		s.printf("The very first fill differs in %s.\n", strings.Join(d.In, ", "))
	} else {
		s.printf("%s. The next one differs in %s.\n", sameFills(int64(d.At)), strings.Join(d.In, ", "))
	}
	rows := [][]string{}
	names := labels([]*view{newView(a), newView(b)})
	for i, f := range []*backtest.Fill{d.A, d.B} {
		name := fmt.Sprintf("%c  %s", 'A'+i, shorter(names[i], 36))
		if f == nil {
			rows = append(rows, []string{name, "no more fills"})
			continue
		}
		rows = append(rows, []string{name, f.Time, f.Decided, clean(f.Symbol), f.Side, shortNumber(f.Quantity), shortNumber(f.Reference), shortNumber(f.Price), shortNumber(f.Commission), f.Rule, clean(f.Reason)})
	}
	s.table([]column{{head: "run"}, {head: "time"}, {head: "decided", drop: 2}, {head: "symbol"}, {head: "side"}, {head: "quantity", right: true}, {head: "reference", right: true, drop: 1},
		{head: "price", right: true}, {head: "commission", right: true, drop: 3}, {head: "rule"}, {head: "reason"}}, rows)
	switch {
	case len(d.Settings) == 0 && a.Data.SHA256 != b.Data.SHA256:
		s.printf("All settings are the same: the data differs.\n")
	case len(d.Settings) == 0:
		s.printf("All settings and the data are the same: the engine differs (versions %s and %s).\n", a.EngineVersion, b.EngineVersion)
	case len(d.Behind) == 1:
		s.printf("%s\n", s.bold("Setting behind it: "+d.Behind[0]))
		s.text("With this one as in B, A fills as B does.")
	case len(d.Behind) > 1:
		s.printf("%s\n", s.bold("Settings behind it, together: "+strings.Join(d.Behind, ", ")))
		s.text("With these as in B, A fills as B does; with none of them left out.")
	case d.Proved:
		s.text("With all settings of B, A on its own data does not fill as B does: the data differs too.")
	default:
		s.text("Which setting is behind it is not proved: " + why + ". Those that could be come first.")
	}
	rows = rows[:0]
	for _, x := range d.Settings {
		rows = append(rows, []string{clean(x.Path), cut(clean(orAbsent(x.A)), 48), cut(clean(orAbsent(x.B)), 48)})
	}
	s.table([]column{{head: "setting"}, {head: "A"}, {head: "B"}}, rows)
	return s.err
}

func orAbsent(text string) string {
	if text == "" {
		return "not set"
	}
	return text
}

func shortNumber(x float64) string { return strings.TrimSuffix(fmt.Sprintf("%.10g", x), ".") }
