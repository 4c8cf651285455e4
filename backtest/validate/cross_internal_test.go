package validate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

// sheet is a tester on returns that stand in the test.
func sheet(returns ...[]float64) *tester {
	cfg := backtest.Default()
	n := len(returns[0])
	t := &tester{cfg: cfg, want: settingsOf(cfg), r: &Report{Judged: &backtest.Result{}}, perYear: 252}
	t.m = &matrix{plan: &sweep.Plan{Config: cfg, Method: "grid", Space: &sweep.Space{Names: []string{"k"}}}, returns: returns}
	for i := range n + 1 {
		t.m.days = append(t.m.days, instrument.Date(16000+i))
	}
	for k := range returns {
		t.m.params = append(t.m.params, []float64{float64(k)})
	}
	t.r.Judged.Equity.Time.Nanos = make([]int64, n+1)
	return t
}

// Three groups of four sessions; k = 0 is best on the first two, k = 1 on the last. With one session purged and one
// embargoed, testing group 0 trains on sessions 6 to 11, group 1 on 0 to 2 and 10 to 11, group 2 on 0 to 6.
func TestCrossValidationByHand(t *testing.T) {
	a := []float64{.02, .01, .02, .01, .02, .01, .02, .01, -.03, -.02, -.03, -.02}
	b := []float64{-.01, 0, -.01, 0, -.01, 0, -.01, 0, .05, .04, .05, .04}
	s := sheet(a, b)
	s.m.longest = 1
	c, err := s.purged(3, 1)
	if err != nil {
		t.Fatal(err)
	}
	if c.Purge != 1 || c.Embargo != 1 || len(c.Splits) != 3 || len(c.Paths) != 1 {
		t.Fatalf("%+v", c)
	}
	for i, want := range []struct {
		train  int
		chosen float64
	}{{6, 1}, {5, 1}, {7, 0}} {
		if g := c.Splits[i]; g.Train != want.train || g.Chosen[0].Value != want.chosen {
			t.Errorf("split %d trains on %d sessions and chooses %v, want %d and %v", i, g.Train, g.Chosen[0].Value, want.train, want.chosen)
		}
	}
	total := 1.0
	for _, r := range [][]float64{b[:4], b[4:8], a[8:]} {
		for _, x := range r {
			total *= 1 + x
		}
	}
	if got := float64(c.Paths[0].TotalReturn); math.Abs(got-(total-1)) > 1e-12 || c.Loss != 1 {
		t.Errorf("the path returns %v and %v of paths lose, want %v and 1", got, c.Loss, total-1)
	}
	if p := c.Paths[0]; len(c.Dates) != 13 || len(p.Equity) != 13 || c.Dates[12] != s.m.days[12] || math.Abs(float64(p.Equity[12]/p.Equity[0])-total) > 1e-12 {
		t.Errorf("the curve of the path has %d points at %d dates, from %v to %v", len(p.Equity), len(c.Dates), p.Equity[0], p.Equity[len(p.Equity)-1])
	}
	s.m.longest = 12
	if _, err := s.purged(3, 1); err == nil {
		t.Error("a purge that leaves nothing to train on was let pass")
	}
}

// The probability of backtest overfitting of a matrix that anybody can write down, in agreement with another
// implementation of the paper.
func TestPBOOfAKnownMatrix(t *testing.T) {
	columns := make([][]float64, 6)
	for n := range columns {
		for i := range 48 {
			columns[n] = append(columns[n], float64((7*i*i+13*i*n+29*n*n+31*i+17*n)%101-50)/1000+.001*float64(n))
		}
	}
	s := sheet(columns...)
	s.want.PBO = 8
	if err := s.cscv(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := s.r.PBO
	if math.Abs(float64(p.Probability)-.3714285714) > 1e-9 || math.Abs(float64(p.Loss)-.1857142857) > 1e-9 || math.Abs(float64(p.Slope)+.6850560044) > 1e-9 {
		t.Errorf("%+v", p)
	}
	n := 0
	for _, l := range p.Logits {
		n += l.Count
	}
	if n != 70 || !slices.IsSortedFunc(p.Logits, func(a, b Count) int { return int(math.Copysign(1, a.Value-b.Value)) }) {
		t.Errorf("%d logits: %v", n, p.Logits)
	}
}

// Stretches follow the calendar, whatever the lengths of months.
func TestWindowsFollowTheCalendar(t *testing.T) {
	date := func(text string) instrument.Date {
		d, err := instrument.ParseDate(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	trains, tests := windows(date("2015-01-31"), date("2015-05-01"), &strategy.WalkForward{Train: "1m", Test: "1m"})
	var got []string
	for k := range tests {
		got = append(got, trains[k].from.String()+" "+tests[k].from.String()+" "+tests[k].to.String())
	}
	want := []string{"2015-01-31 2015-02-28 2015-03-28", "2015-02-28 2015-03-28 2015-04-28", "2015-03-31 2015-04-28 2015-05-28"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, c := range []struct {
		span strategy.Span
		want string
	}{{"3d", "2024-03-03"}, {"2w", "2024-03-14"}, {"12m", "2025-02-28"}, {"4y", "2028-02-29"}} {
		if got := c.span.After(date("2024-02-29"), 1).String(); got != c.want {
			t.Errorf("%s after 2024-02-29 is %s, want %s", c.span, got, c.want)
		}
	}
}

// Objectives that session returns suffice for judge the parts of history as a run over just these sessions would be.
func TestPartsAreJudgedByTheObjective(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	columns := make([][]float64, 5)
	for k := range columns {
		for range 803 {
			columns[k] = append(columns[k], .0005*float64(k)+.01*r.NormFloat64())
		}
	}
	columns[4] = make([]float64, 803) // one that does not move
	for _, objective := range []string{"total_return", "sortino", "max_drawdown", "calmar", "volatility", "total_return / volatility + max_drawdown"} {
		s := sheet(columns...)
		s.cfg.Search = &strategy.Search{Objective: objective, MinTrades: 30}
		s.want.PBO = 8
		if err := s.cscv(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := s.r.PBO
		if p == nil || p.By != objective || p.Splits != 70 || len(p.In) != 70 || p.Dropped != 3 {
			t.Fatalf("%s: %+v %v", objective, p, s.reasons)
		}
		// The first split chooses on blocks 0 to 3 and is judged on blocks 4 to 7.
		in, best, out := math.Inf(-1), 0, 0.0
		worth := func(k, from, to int) float64 {
			returns := columns[k][from:to]
			equity := []float64{s.cfg.Account.Cash}
			for _, x := range returns {
				equity = append(equity, equity[len(equity)-1]*(1+x))
			}
			m := s.measure(s.m.days[from:to+1], equity)
			get := func(key string) float64 { v, _ := m.Get(key); return v }
			switch objective {
			case "volatility": // less is better
				return -get(objective)
			case "total_return / volatility + max_drawdown":
				return get("total_return")/get("volatility") + get("max_drawdown")
			}
			return get(objective)
		}
		for k := range 4 {
			if x := worth(k, 3, 403); x > in {
				in, best = x, k
			}
		}
		if out = worth(best, 403, 803); math.Abs(p.In[0]-in) > 1e-9 || math.Abs(p.Out[0]-out) > 1e-9 {
			t.Errorf("%s: the first split is worth %v in sample and %v out of it, want %v and %v", objective, p.In[0], p.Out[0], in, out)
		}
		c, err := s.purged(4, 1)
		if err != nil {
			t.Fatal(err)
		}
		if c.By != objective {
			t.Errorf("chosen by %s, want %s", c.By, objective)
		}
		// Group 3 (sessions 603 to 802, the older ones being shorter or equal) is tested, the rest before it is trained on.
		first := c.Splits[3]
		in, best = math.Inf(-1), 0
		for k := range 4 {
			if x := worth(k, 0, first.Train); x > in {
				in, best = x, k
			}
		}
		if math.Abs(float64(first.Worth)-in) > 1e-9 || first.Chosen[0].Value != float64(best) {
			t.Errorf("%s: split 3 chose %v for %v, want %d for %v", objective, first.Chosen, first.Worth, best, in)
		}
	}
	s := sheet(columns...)
	s.cfg.Search = &strategy.Search{Objective: "profit_factor"}
	if err := s.cscv(t.Context()); err != nil || s.r.PBO.By != "Sharpe ratio (profit_factor needs the trades of each part)" {
		t.Errorf("%+v %v", s.r.PBO, err)
	}
}

// Curves that are looked at have their ends, even steps between, and never more points than are kept.
func TestSampled(t *testing.T) {
	for _, n := range []int{1, 2, 3, 299, 300, 301, 598, 599, 600, 601, 2516, 100_000} {
		list := make([]int, n)
		for i := range list {
			list[i] = i
		}
		got := sampled(list)
		if len(got) > mostPoints || len(got) < min(n, mostPoints/2) || got[0] != 0 || got[len(got)-1] != n-1 {
			t.Errorf("of %d there are %d, from %d to %d", n, len(got), got[0], got[len(got)-1])
		}
		for i := 2; i < len(got)-1; i++ {
			if got[i]-got[i-1] != got[1]-got[0] {
				t.Errorf("of %d the steps are %d and %d", n, got[1]-got[0], got[i]-got[i-1])
			}
		}
	}
}
