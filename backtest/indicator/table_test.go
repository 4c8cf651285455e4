package indicator_test

import (
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/indicator"
)

// TestRowsAreComplete wants every fact of every row, well formed.
func TestRowsAreComplete(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
	columns := []string{indicator.Open, indicator.High, indicator.Low, indicator.Close, indicator.Volume, indicator.Session}
	taken := map[string]string{}
	rows := indicator.Table()
	for _, s := range rows {
		for _, n := range slices.Concat([]string{s.Name}, s.Aliases) {
			if !name.MatchString(n) {
				t.Errorf("%s: %q is no name", s.Name, n)
			}
			if slices.Contains(columns, n) {
				t.Errorf("%s: %q is a column", s.Name, n)
			}
			if taken[n] != "" {
				t.Errorf("%s: %q is also %s", s.Name, n, taken[n])
			}
			taken[n] = s.Name
		}
		for what, text := range map[string]string{"Title": s.Title, "Doc": s.Doc, "Formula": s.Formula, "Source": s.Source, "Oracle": s.Oracle, "Family": string(s.Family)} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: no %s", s.Name, what)
			}
		}
		if !strings.HasSuffix(s.Doc, ".") && !strings.HasSuffix(s.Doc, ")") {
			t.Errorf("%s: Doc ends without a full stop: %q", s.Name, s.Doc)
		}
		if len(s.Series)+len(s.Columns) == 0 || len(s.Series) > 2 {
			t.Errorf("%s: takes %d series and %d columns", s.Name, len(s.Series), len(s.Columns))
		}
		for _, c := range s.Columns {
			if !slices.Contains(columns, c) {
				t.Errorf("%s: %q is no column", s.Name, c)
			}
		}
		if !slices.Contains([]indicator.Memory{indicator.Window, indicator.Fading, indicator.Path, indicator.Today, indicator.Cumulative}, s.Memory) {
			t.Errorf("%s: memory %q", s.Name, s.Memory)
		}
		if s.Picture != indicator.Overlay && s.Picture != indicator.Pane {
			t.Errorf("%s: picture %q", s.Name, s.Picture)
		}
		checkParams(t, s, name)
		checkOutputs(t, s, name)
	}
	if !slices.IsSortedFunc(rows, func(a, b indicator.Spec) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the table is not sorted")
	}
	if len(rows) < 200 {
		t.Errorf("%d rows", len(rows))
	}
}

func checkParams(t *testing.T, s indicator.Spec, name *regexp.Regexp) {
	var seen []string
	optional, choices := false, false
	for _, q := range s.Params {
		if !name.MatchString(q.Name) || slices.Contains(seen, q.Name) || q.Doc == "" {
			t.Errorf("%s: parameter %+v", s.Name, q)
		}
		seen = append(seen, q.Name)
		if q.Required && optional {
			t.Errorf("%s: required %s comes after an optional parameter", s.Name, q.Name)
		}
		if q.Words == nil && choices {
			t.Errorf("%s: %s comes after a choice, which usage leaves out", s.Name, q.Name)
		}
		optional, choices = optional || !q.Required, choices || q.Words != nil
		if n := len(q.Words); n > 0 && (n < 2 || q.Min != 0 || q.Max != float64(n-1) || !q.Integer || q.Required) {
			t.Errorf("%s: %s has the words %v and the bounds %v to %v", s.Name, q.Name, q.Words, q.Min, q.Max)
		}
		if !q.Required && q.Check(q.Default) != nil {
			t.Errorf("%s: the default of %s: %v", s.Name, q.Name, q.Check(q.Default))
		}
		if q.Min > q.Max || q.Check(q.Min) != nil || q.Check(q.Max) != nil {
			t.Errorf("%s: bounds of %s", s.Name, q.Name)
		}
	}
}

func checkOutputs(t *testing.T, s indicator.Spec, name *regexp.Regexp) {
	if len(s.Outputs) == 0 {
		t.Errorf("%s: no output", s.Name)
	}
	var seen []string
	for _, o := range s.Outputs {
		if !name.MatchString(o.Name) || slices.Contains(seen, o.Name) {
			t.Errorf("%s: output %q", s.Name, o.Name)
		}
		seen = append(seen, o.Name)
		if len(s.Outputs) > 1 && o.Doc == "" && o.Name != "value" {
			t.Errorf("%s.%s: no Doc", s.Name, o.Name)
		}
		if !slices.Contains([]indicator.Draw{indicator.Line, indicator.Histogram, indicator.Dots, indicator.Marker, indicator.Hidden}, o.Draw) {
			t.Errorf("%s.%s: draw %q", s.Name, o.Name, o.Draw)
		}
		for k := range o.Unit.Args {
			if o.Unit.Args[k] != 0 && k >= len(s.Series) {
				t.Errorf("%s.%s: unit of series argument %d", s.Name, o.Name, k)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	for _, s := range indicator.Table() {
		for _, n := range slices.Concat([]string{s.Name}, s.Aliases) {
			if got, ok := indicator.Lookup(n); !ok || got.Name != s.Name {
				t.Errorf("Lookup(%q) is %q, %v, want %q", n, got.Name, ok, s.Name)
			}
		}
	}
	for _, n := range []string{"", "SMA", "nonesuch", "sma "} {
		if got, ok := indicator.Lookup(n); ok {
			t.Errorf("Lookup(%q) is %q, want nothing", n, got.Name)
		}
	}
}

// TestTableIsACopy writes to everything a caller gets.
func TestTableIsACopy(t *testing.T) {
	s, _ := indicator.Lookup("bbands")
	s.Outputs[0].Name, s.Params[0].Name, s.Aliases[0], s.Series[0] = "broken", "broken", "broken", "broken"
	indicator.Table()[0].Outputs[0].Name = "broken"
	again, _ := indicator.Lookup("bbands")
	if again.Outputs[0].Name != "upper" || again.Params[0].Name != "n" || again.Aliases[0] != "bb" || again.Series[0] != "x" {
		t.Errorf("a caller changed the table: %+v", again)
	}
	if indicator.Table()[0].Outputs[0].Name == "broken" {
		t.Error("a caller changed the table's first row")
	}
}

func TestSuggest(t *testing.T) {
	for typed, want := range map[string]string{
		"smma_": "smma", "SMA": "sma", "stdv": "stdev", "macdd": "macd", "bolinger": "bollinger", "supertrnd": "supertrend",
		"highst": "highest", "corelation": "correlation", "rsii": "rsi", "xyzzyplugh": "", "": "",
	} {
		if got := indicator.Suggest(typed); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", typed, got, want)
		}
	}
}

func FuzzSuggest(f *testing.F) {
	f.Add("ema")
	f.Add("\x00é—")
	f.Fuzz(func(t *testing.T, name string) {
		got := indicator.Suggest(name)
		if _, ok := indicator.Lookup(got); got != "" && !ok {
			t.Errorf("Suggest(%q) = %q, which is no name", name, got)
		}
		if _, ok := indicator.Lookup(name); ok && got != name {
			t.Errorf("Suggest(%q) = %q, which is a name itself", name, got)
		}
	})
}

func TestCheck(t *testing.T) {
	s, _ := indicator.Lookup("bbands")
	for _, c := range []struct {
		p    []float64
		want string
	}{
		{[]float64{20, 2, 0}, ""},
		{[]float64{20, 2}, "bbands takes 3 numbers, got 2"},
		{[]float64{1, 2, 0}, "bbands: n must lie between 2 and 10000, got 1"},
		{[]float64{20.5, 2, 0}, "bbands: n must be a whole number, got 20.5"},
		{[]float64{20, math.NaN(), 0}, "bbands: k must lie between 0 and 100, got NaN"},
		{[]float64{20, math.Inf(1), 0}, "bbands: k must lie between 0 and 100, got +Inf"},
		{[]float64{20, 2, 2}, "bbands: ddof must lie between 0 and 1, got 2"},
	} {
		got := ""
		if err := s.Check(c.p); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("Check(%v) = %q, want %q", c.p, got, c.want)
		}
	}
}

// TestWarmup checks lengths worked out by hand: 1e-8 is reached after k bars when keep^k is below.
func TestWarmup(t *testing.T) {
	for _, c := range []struct {
		name string
		p    []float64
		want int
	}{
		{"sma", []float64{20}, 19},
		{"ema", []float64{1, 0}, 0},
		{"ema", []float64{3, 0}, 2 + 27},       // 0.5^27 = 7.5e-9
		{"ema", []float64{20, 0}, 19 + 185},    // (19/21)^185 = 9.1e-9, ^184 = 1.006e-8
		{"rma", []float64{14, 0}, 13 + 249},    // (13/14)^249 = 9.7e-9
		{"atr", []float64{14, 0, 0}, 14 + 249}, // and a bar for the close before
		{"atr", []float64{14, 1, 0}, 14},       // simple: the window and the close before
		{"atr", []float64{3, 2, 0}, 3 + 27},    // exponential
		{"rsi", []float64{2, 0, 0}, 2 + 27},
		{"hma", []float64{16}, 15 + 3},
		{"stoch", []float64{14, 3, 3}, 13 + 2 + 2},
	} {
		s, _ := indicator.Lookup(c.name)
		if got := s.Warmup(c.p); got != c.want {
			t.Errorf("%s%v: warm-up %d, want %d", c.name, c.p, got, c.want)
		}
	}
}

func TestUnitOf(t *testing.T) {
	price, volume := indicator.USD, indicator.Shares
	for _, c := range []struct {
		u    indicator.Unit
		args []indicator.Unit
		want indicator.Unit
	}{
		{indicator.SameAsX, []indicator.Unit{price}, price},
		{indicator.SquareOfX, []indicator.Unit{volume}, indicator.Unit{Share: 2}},
		{indicator.RatioXY, []indicator.Unit{price, volume}, indicator.Unit{Price: 1, Share: -1}},
		{indicator.USD, nil, price},
		{indicator.SameAsX, []indicator.Unit{{Price: 1, Share: 1}}, indicator.Dollars},
	} {
		if got := c.u.Of(c.args...); got != c.want {
			t.Errorf("%+v of %+v is %+v, want %+v", c.u, c.args, got, c.want)
		}
	}
}
