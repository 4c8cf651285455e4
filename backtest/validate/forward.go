package validate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"backtester/backtest"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

// WalkForward chooses parameters on a stretch of history by the search of the file, trades the next one with
// them, and moves on by it. Every test starts flat on the equity that the ones before left, decides first at the
// close before it, and is liquidated with costs at its last close. With Carry there is one account: a position keeps
// the parameters under which it was entered until they close it, of a rebalance until its next date, as backtest.Succeed
// says, and only the last close liquidates.
type WalkForward struct {
	Train    strategy.Span `json:"train"`
	Test     strategy.Span `json:"test"`
	Anchored bool          `json:"anchored"`
	Carry    bool          `json:"carry"`
	Windows  []Window      `json:"windows"`

	// Mean log returns of a session over all windows in which something was chosen, and their ratio, which is
	// undefined unless the one in sample is positive.
	InSample    Number `json:"in_sample"`
	OutOfSample Number `json:"out_of_sample"`
	Efficiency  Number `json:"efficiency"`

	TotalReturn Number         `json:"total_return"` // of all tests one after another
	CAGR        Number         `json:"cagr"`
	Sharpe      Number         `json:"sharpe"`
	MaxDrawdown Number         `json:"max_drawdown"`
	Equity      backtest.Curve `json:"equity"`
}

// Window is one choice and its test. Dates are the first and the last of each stretch, sessions or not.
type Window struct {
	TrainFrom string `json:"train_from"`
	TrainTo   string `json:"train_to"`
	TestFrom  string `json:"test_from"`
	TestTo    string `json:"test_to"`
	Short     bool   `json:"short,omitempty"` // the data ends before the test does

	Combinations int         `json:"combinations"`
	Eligible     int         `json:"eligible"`
	Chosen       []Parameter `json:"chosen"` // null: none was eligible, the test stays in cash
	Objective    Number      `json:"objective"`
	InSample     Number      `json:"in_sample"` // mean log returns of a session
	OutOfSample  Number      `json:"out_of_sample"`
	Efficiency   Number      `json:"efficiency"`
	Sessions     int         `json:"sessions"` // of the test
	TotalReturn  Number      `json:"total_return"`
	Trades       int         `json:"trades"`            // entered in the test
	Carried      int         `json:"carried,omitempty"` // trades of earlier windows that were still open when the test began
	EquityFrom   float64     `json:"equity_from"`
	EquityTo     float64     `json:"equity_to"`
	Reason       string      `json:"reason,omitempty"` // why it stays in cash

	test stretch
	sum  [2]float64 // log returns in and out of sample
	n    [2]int     // their sessions
}

// stretch is the dates [from, to).
type stretch struct{ from, to instrument.Date }

// windows divides [from, to): train, test, test, ... The last test may be short.
func windows(from, to instrument.Date, w *strategy.WalkForward) (trains, tests []stretch) {
	origin := w.Train.After(from, 1)
	for k := 0; ; k++ {
		train := stretch{w.Test.After(from, k), w.Test.After(origin, k)}
		test := stretch{train.to, w.Test.After(origin, k+1)}
		if test.from >= to {
			return trains, tests
		}
		if w.Anchored {
			train.from = from
		}
		trains, tests = append(trains, train), append(tests, test)
	}
}

// walk makes the walk-forward.
func (t *tester) walk(ctx context.Context) error {
	w := t.want.WalkForward
	from, to := t.m.days[1], t.m.days[len(t.m.days)-1]+1
	if d := t.cfg.Data.From; d != instrument.None && t.src.Calendar().Next(d-1) == from {
		from = d // so that stretches begin on the day that the file says
	}
	trains, tests := windows(from, to, w)
	if len(tests) == 0 {
		t.undefined("walk_forward", fmt.Sprintf("%s..%s has nothing left to test after %s of training: shorten validate.walk_forward.train", from, to-1, w.Train))
		return nil
	}
	f := &WalkForward{Train: w.Train, Test: w.Test, Anchored: w.Anchored, Carry: w.Carry, Windows: make([]Window, len(tests))}
	configs := make([]*backtest.Config, len(tests))
	for k := range tests {
		t.progress("walk-forward", k, len(tests))
		f.Windows[k] = Window{TrainFrom: trains[k].from.String(), TrainTo: (trains[k].to - 1).String(), TestFrom: tests[k].from.String(), TestTo: (min(tests[k].to, to) - 1).String(),
			Short: tests[k].to > to, test: stretch{tests[k].from, min(tests[k].to, to)}, Objective: nan, InSample: nan, OutOfSample: nan, Efficiency: nan, TotalReturn: nan}
		var err error
		if configs[k], err = t.choose(ctx, &f.Windows[k], trains[k]); err != nil {
			return err
		}
	}
	trade := t.apart
	if w.Carry {
		trade = t.together
	}
	days, equity, err := trade(ctx, f, configs)
	if no := (*backtest.NoSuccession)(nil); errors.As(err, &no) {
		t.undefined("walk_forward", "positions cannot live on under their old parameters (validate.walk_forward.carry): "+no.Reason)
		return nil
	}
	if err != nil {
		return err
	}
	f.total(t, days, equity)
	t.r.WalkForward = f
	return nil
}

var nan = Number(math.NaN())

// before is the day before d in a list that holds d.
func before(days []instrument.Date, d instrument.Date) instrument.Date {
	if i, _ := slices.BinarySearch(days, d); i > 0 {
		return days[i-1]
	}
	return d - 1
}

// curve is equity by session that stays where it is between its dates.
type curve struct {
	days  []instrument.Date
	value []float64
	start float64
}

func (c *curve) at(d instrument.Date) float64 {
	i, found := slices.BinarySearch(c.days, d)
	if found {
		i++
	}
	if i == 0 {
		return c.start
	}
	return c.value[i-1]
}

// choose searches the train and returns what won there; nil, with the reason, if nothing did.
func (t *tester) choose(ctx context.Context, win *Window, train stretch) (*backtest.Config, error) {
	cfg := *t.cfg
	cfg.Data.From, cfg.Data.To = train.from, train.to-1
	plan, err := sweep.NewPlan(ctx, &cfg, t.src, sweep.Options{Memory: t.o.Memory})
	var s *sweep.Summary
	if err == nil {
		s, err = t.play(ctx, plan, sweep.Options{})
	}
	switch {
	case noData(err):
		win.Reason = "there are no bars to train on"
		return nil, nil
	case err != nil:
		return nil, err
	}
	win.Combinations, win.Eligible = s.Combinations, s.Eligible
	if len(s.Best) == 0 {
		win.Reason = "no combination is eligible: " + plan.Eligibility()
		return nil, nil
	}
	best := s.Best[0]
	win.Objective = Number(best.Value)
	learned, err := backtest.Run(ctx, plan.ConfigOf(best.Params, best.Symbol), t.src)
	if err != nil {
		return nil, err
	}
	_, in := learned.Equity.Sessions()
	win.Chosen = named(plan.Space.Names, best.Params)
	win.sum[0], win.n[0] = math.Log(in[len(in)-1]/in[0]), len(in)-1
	return plan.ConfigOf(best.Params, best.Symbol), nil
}

// apart trades each test for itself on the cash that the ones before left.
func (t *tester) apart(ctx context.Context, f *WalkForward, configs []*backtest.Config) (days []instrument.Date, equity []float64, err error) {
	now := t.cfg.Account.Cash
	for k := range f.Windows {
		win, c := &f.Windows[k], &curve{start: now}
		if configs[k] != nil {
			later := *configs[k]
			later.Data.From, later.Data.To = win.test.from, win.test.to-1
			later.Account.Cash, later.Fills.End = now, fill.EndClose
			r, err := backtest.Run(ctx, &later, t.src)
			switch {
			case noData(err):
				win.Reason = "there are no bars to trade"
			case err != nil:
				return nil, nil, err
			default:
				win.Trades = len(r.Trades)
				c.days, c.value = r.Equity.Sessions()
			}
		}
		if days, equity, now = t.extend(win, c, days, equity, now); !(now > 0) {
			f.Windows = f.Windows[:k+1]
			break
		}
	}
	return days, equity, nil
}

// together trades all tests in one account.
func (t *tester) together(ctx context.Context, f *WalkForward, configs []*backtest.Config) (days []instrument.Date, equity []float64, err error) {
	now := t.cfg.Account.Cash
	account := *t.cfg
	account.Data.From, account.Data.To = f.Windows[0].test.from, f.Windows[len(f.Windows)-1].test.to-1
	account.Fills.End = fill.EndClose
	same := map[string]*backtest.Config{}
	tenures := make([]backtest.Tenure, len(configs))
	any := false
	for k, c := range configs {
		tenures[k] = backtest.Tenure{From: f.Windows[k].test.from, To: f.Windows[k].test.to}
		if c == nil {
			continue
		}
		key := fmt.Sprint(f.Windows[k].Chosen)
		if same[key] == nil {
			same[key] = c
		}
		tenures[k].Config, any = same[key], true
	}
	all := &backtest.Succession{}
	if any {
		all, err = backtest.Succeed(ctx, &account, tenures, t.src)
	}
	c := &curve{start: now}
	switch {
	case noData(err):
		for k := range f.Windows {
			f.Windows[k].Reason = cmp.Or(f.Windows[k].Reason, "there are no bars to trade")
		}
	case err != nil:
		return nil, nil, err
	default:
		c.days, c.value = all.Equity.Sessions()
	}
	for k := range f.Windows {
		win := &f.Windows[k]
		from, to := win.test.from.String(), win.test.to.String()
		for i := range all.Trades {
			entry, exit := t.dayOf(all.Trades[i].EntryTime), t.dayOf(all.Trades[i].ExitTime)
			if entry >= from && entry < to {
				win.Trades++
			}
			if entry < from && exit >= from {
				win.Carried++
			}
		}
		if days, equity, now = t.extend(win, c, days, equity, now); !(now > 0) {
			f.Windows = f.Windows[:k+1]
			break
		}
	}
	return days, equity, nil
}

// dayOf is the session of a stamp of a trade.
func (t *tester) dayOf(stamp string) string {
	if at, err := time.Parse(time.RFC3339, stamp); err == nil {
		return t.src.Calendar().DateOf(at.UnixNano()).String()
	}
	return stamp
}

// extend appends the sessions of a test to the curve of the walk, which stands at now, and measures the test.
func (t *tester) extend(win *Window, c *curve, days []instrument.Date, equity []float64, now float64) ([]instrument.Date, []float64, float64) {
	win.EquityFrom = now
	for _, d := range t.m.days {
		if d < win.test.from || d >= win.test.to {
			continue
		}
		if len(days) == 0 {
			days, equity = append(days, before(t.m.days, d)), append(equity, now)
		}
		days, equity = append(days, d), append(equity, c.at(d))
		win.Sessions++
	}
	if win.Sessions > 0 {
		now = equity[len(equity)-1]
	}
	win.finish(now)
	return days, equity, now
}

// finish measures the test.
func (w *Window) finish(now float64) {
	w.EquityTo = now
	w.TotalReturn = Number(now/w.EquityFrom - 1)
	if w.Sessions == 0 {
		return
	}
	w.sum[1], w.n[1] = math.Log(now/w.EquityFrom), w.Sessions
	w.OutOfSample = ratio(w.sum[1], float64(w.n[1]))
	if w.Chosen != nil && w.n[0] > 0 {
		w.InSample = ratio(w.sum[0], float64(w.n[0]))
		w.Efficiency = efficiency(w.InSample, w.OutOfSample)
	}
}

func ratio(a, b float64) Number {
	if x := a / b; !math.IsInf(x, 0) {
		return Number(x)
	}
	return nan
}

// efficiency is undefined where nothing was made in sample.
func efficiency(in, out Number) Number {
	if in > 0 {
		return ratio(float64(out), float64(in))
	}
	return nan
}

// total puts the windows together.
func (f *WalkForward) total(t *tester, days []instrument.Date, equity []float64) {
	var sum, n [2]float64
	chosen := 0
	for i := range f.Windows {
		w := &f.Windows[i]
		if w.Chosen == nil || w.n[0] == 0 || w.n[1] == 0 {
			continue
		}
		chosen++
		for k := range 2 {
			sum[k], n[k] = sum[k]+w.sum[k], n[k]+float64(w.n[k])
		}
	}
	f.InSample, f.OutOfSample = ratio(sum[0], n[0]), ratio(sum[1], n[1])
	f.Efficiency = efficiency(f.InSample, f.OutOfSample)
	f.TotalReturn, f.CAGR, f.Sharpe, f.MaxDrawdown = nan, nan, nan, nan
	if len(equity) > 1 {
		m := t.measure(days, equity)
		get := func(key string) Number {
			if v, ok := m.Get(key); ok {
				return Number(v)
			}
			return nan
		}
		f.TotalReturn, f.CAGR, f.Sharpe, f.MaxDrawdown = get("total_return"), get("cagr"), get("sharpe"), get("max_drawdown")
	}
	f.Equity = backtest.Curve{Time: backtest.Times{Daily: true}, Value: equity}
	for _, d := range days {
		f.Equity.Time.Nanos = append(f.Equity.Time.Nanos, d.Nanos())
	}
}
