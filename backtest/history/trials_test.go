package history_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// market is random walks of symbols A, B, C and D.
func market(t testing.TB) bar.Source {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	var list []*bar.Series
	for _, name := range []string{"A", "B", "C", "D"} {
		s := &bar.Series{Symbol: name, Frame: bar.Daily, Delisted: instrument.None}
		c := 50.0
		for _, day := range bar.NYSE().Sessions(instrument.NewDate(2018, 1, 2), instrument.NewDate(2020, 12, 31)) {
			c = max(1, c*(1+0.02*r.NormFloat64()))
			s.Time = append(s.Time, day.Nanos())
			s.Open, s.High, s.Low = append(s.Open, c), append(s.High, c*1.01), append(s.Low, c*0.99)
			s.Close, s.Volume = append(s.Close, c), append(s.Volume, 1e6)
		}
		list = append(list, s)
	}
	src, err := bar.NewMemory(bar.NYSE(), list...)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func result(t testing.TB, src bar.Source, text string) *backtest.Result {
	t.Helper()
	cfg, faults := strategy.Parse("x.yaml", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	r, err := backtest.Run(t.Context(), cfg, src)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func dip(name, symbols string, n int, from, to string) string {
	return fmt.Sprintf("name: %s\nuniverse: {symbols: [%s]}\ndata: {from: %s, to: %s}\nparams: {n: %d}\nentry: close < sma(close, n)\nexit: {max_bars: 5}\n",
		name, symbols, from, to, n)
}

func count(t *testing.T, d *history.DB, owner, run string, r *backtest.Result) {
	t.Helper()
	b, err := history.TrialOf(r)
	if err != nil {
		t.Fatal(err)
	}
	b.Owner, b.Run = owner, run
	write(t, d, func(tx *history.Tx) error { return tx.AddTrials(b) })
}

func trialsOf(t *testing.T, d *history.DB, owner string, r *backtest.Result, atLeast int64) (n int64, dsr float64) {
	t.Helper()
	read(t, d, func(tx *history.Tx) error {
		s, err := tx.Select(owner, r, atLeast)
		if err == nil {
			n = s.Trials
			dsr = math.NaN()
			if s.DSR != nil {
				dsr = *s.DSR
			}
		}
		return err
	})
	return n, dsr
}

func TestTrialsAreCountedOnceUnderAnyName(t *testing.T) {
	d, src := open(t, newClock()), market(t)
	judged := result(t, src, dip("mine", "A, B", 10, "2018-06-01", "2020-06-30"))
	if n, dsr := trialsOf(t, d, "ann", judged, 0); n != 1 || math.IsNaN(dsr) {
		t.Errorf("a first run has %d trials and DSR %v", n, dsr)
	}
	count(t, d, "ann", "r1", judged)
	count(t, d, "ann", "r1", judged) // the same run
	count(t, d, "ann", "r2", judged) // the same work
	other := result(t, src, "notes: other words\n"+dip("another name", "A, B", 10, "2018-06-01", "2020-06-30")+"benchmark: C\n")
	count(t, d, "ann", "r3", other)
	spaced := dip("third", "A, B", 10, "2018-06-01", "2020-06-30")
	spaced = spaced[:len(spaced)-len("entry: close < sma(close, n)\nexit: {max_bars: 5}\n")] + "entry: close<sma( close,n )\nexit: {max_bars: 5}\n"
	count(t, d, "ann", "r4", result(t, src, spaced))
	if n, _ := trialsOf(t, d, "ann", judged, 0); n != 1 {
		t.Errorf("%d trials, want 1", n)
	}
	for i, n := range []int{11, 12, 13} {
		count(t, d, "ann", fmt.Sprint("p", i), result(t, src, dip("mine", "A, B", n, "2018-06-01", "2020-06-30")))
	}
	count(t, d, "bob", "b", result(t, src, dip("mine", "A, B", 14, "2018-06-01", "2020-06-30")))
	if n, _ := trialsOf(t, d, "ann", judged, 0); n != 4 {
		t.Errorf("%d trials of ann, want 4", n)
	}
	if n, _ := trialsOf(t, d, "", judged, 0); n != 5 {
		t.Errorf("%d trials of all, want 5", n)
	}
	if n, _ := trialsOf(t, d, "ann", judged, 100); n != 100 {
		t.Errorf("%d trials, want the 100 that were claimed", n)
	}
	if n, _ := trialsOf(t, d, "ann", judged, 2); n != 4 {
		t.Errorf("%d trials: a claim may only raise them", n)
	}
}

// A trial competes when it has at least half of the judged run's symbols and sessions.
func TestHalfOfTheSymbolsAndSessions(t *testing.T) {
	src := market(t)
	judged := result(t, src, dip("mine", "A, B", 10, "2019-01-02", "2019-12-31"))
	for text, want := range map[string]int64{
		dip("x", "A", 11, "2019-01-02", "2019-12-31"):       2, // half of the symbols
		dip("x", "A, C, D", 11, "2019-01-02", "2019-12-31"): 2,
		dip("x", "C, D", 11, "2019-01-02", "2019-12-31"):    1,
		dip("x", "A, B", 11, "2018-01-02", "2019-07-02"):    2, // 126 of 252 sessions
		dip("x", "A, B", 11, "2018-01-02", "2019-07-01"):    1, // 125
		dip("x", "A, B", 11, "2019-07-03", "2020-12-31"):    2, // 126
		dip("x", "A, B", 11, "2019-07-05", "2020-12-31"):    1, // 125
		dip("x", "A, B", 11, "2018-01-02", "2020-12-31"):    2,
		dip("x", "A, B", 11, "2020-01-02", "2020-12-31"):    1,
	} {
		d := open(t, newClock())
		count(t, d, "", "r", result(t, src, text))
		if n, _ := trialsOf(t, d, "", judged, 0); n != want {
			t.Errorf("%d trials, want %d, for\n%s", n, want, text)
		}
	}
}

func TestSelectionIsTheFormula(t *testing.T) {
	d, src := open(t, newClock()), market(t)
	var all []*backtest.Result
	var ratios []float64
	for i, n := range []int{5, 10, 20, 40} {
		r := result(t, src, dip("x", "A, B, C", n, "2018-06-01", "2020-06-30"))
		count(t, d, "", fmt.Sprint(i), r)
		all = append(all, r)
		_, returns := history.SessionReturns(r)
		ratios = append(ratios, r.SharpeOf(returns).SR)
	}
	_, returns := history.SessionReturns(all[1])
	s := all[1].SharpeOf(returns)
	mean, m2 := 0.0, 0.0
	for _, x := range returns {
		mean += x / float64(len(returns))
	}
	for _, x := range returns {
		m2 += (x - mean) * (x - mean)
	}
	if direct := mean / math.Sqrt(m2/float64(len(returns)-1)); math.Abs(direct-s.SR) > 1e-12 {
		t.Fatalf("SR %v, directly %v", s.SR, direct)
	}
	centre, spread := 0.0, 0.0
	for _, x := range ratios {
		centre += x / 4
	}
	for _, x := range ratios {
		spread += (x - centre) * (x - centre) / 3
	}
	want, luck := s.DSR(spread, 4)
	read(t, d, func(tx *history.Tx) error {
		got, err := tx.Select("", all[1], 0)
		if err != nil {
			return err
		}
		if got.Trials != 4 || math.Abs(*got.Variance-spread) > 1e-15 || math.Abs(*got.DSR-want) > 1e-12 || math.Abs(*got.Luck-luck) > 1e-12 {
			t.Errorf("%+v, want variance %v DSR %v", got, spread, want)
		}
		if got.Sampled != 4 || *got.Rho <= 0 || *got.Rho >= 1 || math.Abs(*got.Effective-(*got.Rho+(1-*got.Rho)*4)) > 1e-12 {
			t.Errorf("rho %v of %d, effective %v", *got.Rho, got.Sampled, *got.Effective)
		}
		low, _ := s.DSR(spread, *got.Effective)
		if math.Abs(*got.DSRLow-low) > 1e-12 || *got.DSRLow < *got.DSR {
			t.Errorf("with effective trials %v, want %v", *got.DSRLow, low)
		}
		again, err := tx.Select("", all[1], 0)
		if err != nil || *again.Rho != *got.Rho || again.Snapshot != got.Snapshot {
			t.Errorf("%+v, then %+v, %v", got, again, err)
		}
		return nil
	})
}

// A sweep counts the same trials as its combinations run one by one.
func TestASweepCountsWhatItsRunsWouldCount(t *testing.T) {
	src := market(t)
	one, many := open(t, newClock()), open(t, newClock())
	text := dip("x", "A, B", 5, "2018-06-01", "2020-06-30")
	cfg, faults := strategy.Parse("x.yaml", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	s, err := history.NewSearch(cfg, []string{"n"}, bar.NYSE().SessionsPerYear())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Add("", []float64{5}, 1); err == nil {
		t.Error("a row without sessions was counted")
	}
	var last *backtest.Result
	for i, n := range []int{5, 6, 7, 8, 9} {
		r := result(t, src, dip("x", "A, B", n, "2018-06-01", "2020-06-30"))
		count(t, one, "", fmt.Sprint(i), r)
		days, returns := history.SessionReturns(r)
		if err := s.Sessions("", []string{"A", "B"}, days); err != nil {
			t.Fatal(err)
		}
		sharpe, _ := r.Metrics.Get("sharpe")
		if err := s.Add("", []float64{float64(n)}, sharpe); err != nil {
			t.Fatal(err)
		}
		if history.Wanted(i, 5) {
			if err := s.Returns("", []float64{float64(n)}, returns); err != nil {
				t.Fatal(err)
			}
		}
		last = r
	}
	write(t, many, func(tx *history.Tx) error {
		for range 2 { // the second time nothing is counted
			for _, b := range s.Batches("", "sweep") {
				if err := tx.AddTrials(b); err != nil {
					return err
				}
			}
		}
		return nil
	})
	read(t, one, func(tx *history.Tx) error {
		want, err := tx.Select("", last, 0)
		if err != nil {
			return err
		}
		read(t, many, func(tx *history.Tx) error {
			got, err := tx.Select("", last, 0)
			if err == nil && (got.Trials != 5 || got.Trials != want.Trials || math.Abs(*got.DSR-*want.DSR) > 1e-12 || math.Abs(*got.Rho-*want.Rho) > 1e-12) {
				t.Errorf("%+v, want %+v", got, want)
			}
			return err
		})
		return nil
	})
}

func TestTheSampleIsAboutAsLargeAsItShouldBe(t *testing.T) {
	for _, n := range []int{10, 1000, 100_000} {
		k := 0
		for i := range n {
			if history.Wanted(i, n) {
				k++
			}
		}
		if k < min(n, 16) || k > 64 {
			t.Errorf("%d of %d", k, n)
		}
	}
}

func TestRemovedRunsStayCounted(t *testing.T) {
	d, src := open(t, newClock()), market(t)
	r := result(t, src, dip("x", "A", 10, "2018-06-01", "2020-06-30"))
	run := queued("ann", "x", "A")
	run.State = history.Succeeded
	write(t, d, func(tx *history.Tx) error { return tx.Insert(run) })
	count(t, d, "ann", run.ID, r)
	write(t, d, func(tx *history.Tx) error { _, err := tx.Remove("ann", run.ID); return err })
	if n, _ := trialsOf(t, d, "ann", result(t, src, dip("x", "A", 11, "2018-06-01", "2020-06-30")), 0); n != 2 {
		t.Errorf("%d trials", n)
	}
}

// A strategy that never trades has no ratio, and says so.
func TestNoSharpeRatio(t *testing.T) {
	d, src := open(t, newClock()), market(t)
	r := result(t, src, "name: idle\nuniverse: {symbols: [A]}\nentry: close < 0\n")
	read(t, d, func(tx *history.Tx) error {
		s, err := tx.Select("", r, 0)
		if err == nil && (s.DSR != nil || s.Reason == "" || s.Trials != 1) {
			t.Errorf("%+v", s)
		}
		return err
	})
}
