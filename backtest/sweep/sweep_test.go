package sweep_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

// walk is a random walk of whole cents, so that averages tie now and then.
func walk(seed uint64, name string, n int) *bar.Series {
	r := rand.New(rand.NewPCG(seed, 7))
	s := &bar.Series{Symbol: name, ID: instrument.ID(name), Frame: bar.Daily, Delisted: instrument.None}
	cents := func(x float64) float64 { return math.Max(1, math.Round(x*100)) / 100 }
	price := 20 + 60*r.Float64()
	for i := range n {
		price = math.Max(1, price*(1+0.02*r.NormFloat64()))
		open, closing := cents(price*(1+0.005*r.NormFloat64())), cents(price)
		s.Time = append(s.Time, instrument.Date(min(12000, 60000-n)+i).Nanos())
		s.Open, s.Close = append(s.Open, open), append(s.Close, closing)
		s.High = append(s.High, cents(math.Max(open, closing)*(1+0.01*r.Float64())))
		s.Low = append(s.Low, cents(math.Min(open, closing)*(1-0.01*r.Float64())))
		s.Volume = append(s.Volume, float64(1000+r.IntN(100_000)))
		k := len(s.Time) - 1
		s.High[k], s.Low[k] = math.Max(s.High[k], math.Max(open, closing)), math.Min(s.Low[k], math.Min(open, closing))
	}
	return s
}

func source(t testing.TB, series ...*bar.Series) bar.Source {
	t.Helper()
	src, err := bar.NewMemory(bar.Always(), series...)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func parse(t testing.TB, text string) *backtest.Config {
	t.Helper()
	cfg, faults := strategy.Parse("test", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return cfg
}

// rows plays cfg and keeps its rows.
func rows(t testing.TB, cfg *backtest.Config, src bar.Source, o sweep.Options) ([]sweep.Row, *sweep.Summary) {
	t.Helper()
	var out []sweep.Row
	o.Row = func(r *sweep.Row) error {
		c := *r
		c.Params, c.Metrics = slices.Clone(r.Params), slices.Clone(r.Metrics)
		out = append(out, c)
		return nil
	}
	s, err := sweep.Run(context.Background(), cfg, src, o)
	if err != nil {
		t.Fatal(err)
	}
	return out, s
}

const portfolio = `
params: {n: [5, 12, 20], m: 2..4}
entry: {when: "close > sma(close, n)", rank: "roc(close, n)"}
exit: {when: "close < sma(close, n)", stop: entry_price - m * atr(5)}
size: {weight: 0.5, max_positions: 2}
costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}}
search: {min_trades: 1}
`

// Symbols that share the cash take the event engine; rows are what Run gives.
func TestRowsAreThoseOfRun(t *testing.T) {
	src := source(t, walk(1, "A", 300), walk(2, "B", 300), walk(3, "C", 280))
	for _, from := range []string{"", "data: {from: 2003-02-01}\n"} {
		cfg := parse(t, portfolio+from)
		got, _ := rows(t, cfg, src, sweep.Options{Metrics: []string{"omega", "turnover"}})
		if len(got) != 9 {
			t.Fatalf("%d rows", len(got))
		}
		plan, err := sweep.NewPlan(context.Background(), cfg, src, sweep.Options{Metrics: []string{"omega", "turnover"}})
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range got {
			r, err := backtest.Run(context.Background(), plan.ConfigOf(plan.Combination(i, nil), ""), src)
			if err != nil {
				t.Fatal(err)
			}
			for k, key := range plan.Metrics {
				want, ok := r.Metrics.Get(key)
				if !ok {
					want = math.NaN()
				}
				if got := row.Metrics[k]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
					t.Errorf("%v: %s is %v, Run says %v", row.Params, key, got, want)
				}
			}
		}
	}
}

const pairs = `
params: {fast: 2..9, slow: 4..20 step 2}
constraint: fast < slow
entry: crosses_above(sma(close, fast), sma(close, slow))
exit: sma(close, fast) < sma(close, slow)
size: {weight: 1, fractional: true}
costs: {commission: {bps: 10}}
search: {min_trades: 1}
`

func write(t *testing.T, path string, plan *sweep.Plan, o sweep.Options, resume bool, stopAt int) {
	t.Helper()
	to := o.To
	if to == 0 {
		to = plan.Len()
	}
	identity, err := plan.Identity(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	f, err := sweep.Create(path, plan, identity, o.From, to, resume)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.From, o.To = f.Next(), to
	next := o.From
	o.Row = func(r *sweep.Row) error {
		if stopAt > 0 && r.Index >= stopAt {
			cancel()
			return context.Canceled
		}
		next = r.Index + 1
		return f.Add(r)
	}
	_, err = plan.Run(ctx, o)
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err == nil {
		next = to
	}
	if err := errors.Join(f.Commit(next), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// However a sweep is cut up, interrupted and spread over workers, the file has the same bytes.
func TestFilesAreTheSame(t *testing.T) {
	src := source(t, walk(4, "A", 400), walk(5, "B", 400))
	cfg := parse(t, pairs)
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.csv")
	o := sweep.Options{Independent: true, Workers: 1}
	plan, err := sweep.NewPlan(context.Background(), cfg, src, o)
	if err != nil {
		t.Fatal(err)
	}
	write(t, whole, plan, o, false, 0)
	want := read(t, whole)
	again(t, whole, plan, want)

	o.Workers = 3
	many := filepath.Join(dir, "many.csv")
	write(t, many, plan, o, false, 0)
	if read(t, many) != want {
		t.Error("three workers write other bytes")
	}

	cut := filepath.Join(dir, "cut.csv")
	write(t, cut, plan, o, false, 17)
	write(t, cut, plan, o, true, 31)
	write(t, cut, plan, o, true, 0)
	if read(t, cut) != want {
		t.Error("a resumed sweep has other bytes")
	}

	var shards []string
	for i, r := range [][2]int{{0, 13}, {13, 40}, {40, plan.Len()}} {
		name := filepath.Join(dir, string(rune('a'+i))+".csv")
		o.From, o.To = r[0], r[1]
		write(t, name, plan, o, false, 0)
		shards = append(shards, name)
	}
	merged := filepath.Join(dir, "merged.csv")
	if _, err := sweep.Merge(merged, []string{shards[2], shards[0], shards[1]}); err != nil {
		t.Fatal(err)
	}
	if read(t, merged) != want {
		t.Error("merged shards have other bytes")
	}
	if _, err := sweep.Merge(merged, shards[1:]); err == nil {
		t.Error("a gap was merged")
	}
	if _, err := sweep.Merge(filepath.Join(dir, "m.parquet"), shards); err != nil {
		t.Error(err)
	}

	// What is put in place of a sweep's rows is not taken for them, and neither is a Parquet file whose rows were
	// never made into it.
	columns := filepath.Join(dir, "p.parquet")
	o.From, o.To = 0, 0
	write(t, columns, plan, o, false, 0)
	identity, err := plan.Identity(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	taken := func() bool {
		f, err := sweep.Create(columns, plan, identity, 0, plan.Len(), true)
		if err != nil {
			t.Fatal(err)
		}
		return f.Whole()
	}
	if !taken() {
		t.Error("a complete Parquet file is not taken for what it is")
	}
	if err := os.WriteFile(columns+".rows.csv", []byte(want), 0o666); err != nil {
		t.Fatal(err)
	}
	if taken() {
		t.Error("rows that are not in the Parquet file yet are taken for written")
	}
	if _, err := sweep.Merge(columns, shards); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(columns + ".state"); err == nil {
		t.Error("a merged file keeps the state of what was there before")
	}
}

// again asks for the sweep whose rows are in a file: they are not played twice, as long as nobody changed them.
func again(t *testing.T, path string, plan *sweep.Plan, want string) {
	t.Helper()
	identity, err := plan.Identity(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, resume := range []bool{false, true} {
		f, err := sweep.Create(path, plan, identity, 0, plan.Len(), resume)
		if err != nil || !f.Whole() || f.Next() != plan.Len() || read(t, path) != want {
			t.Errorf("resume %v: the rows of a complete sweep are not taken for what they are: %v", resume, err)
		}
	}
	if err := os.WriteFile(path, []byte(want+"A,1,2\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	write(t, path, plan, sweep.Options{Independent: true}, false, 0)
	if read(t, path) != want {
		t.Error("a file that was changed is not made anew")
	}
}

// An interrupted sweep is not started anew by a slip.
func TestInterruptedRowsAreNotLost(t *testing.T) {
	src := source(t, walk(4, "A", 200))
	path := filepath.Join(t.TempDir(), "rows.csv")
	plan, err := sweep.NewPlan(context.Background(), parse(t, pairs), src, sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, plan, sweep.Options{}, false, 10)
	before := read(t, path)
	identity, err := plan.Identity(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	_, err = sweep.Create(path, plan, identity, 0, plan.Len(), false)
	if err == nil || !strings.Contains(err.Error(), "--resume goes on") || read(t, path) != before {
		t.Errorf("an interrupted sweep was started anew: %v", err)
	}
}

// A file of another sweep is not continued.
func TestResumeRefusesAnotherSweep(t *testing.T) {
	src := source(t, walk(4, "A", 200))
	dir := filepath.Join(t.TempDir(), "rows.csv")
	o := sweep.Options{}
	plan, err := sweep.NewPlan(context.Background(), parse(t, pairs), src, o)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, plan, o, false, 10)
	other, err := sweep.NewPlan(context.Background(), parse(t, pairs+"cash: 5000\n"), src, o)
	if err != nil {
		t.Fatal(err)
	}
	identity, err := other.Identity(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sweep.Create(dir, other, identity, 0, other.Len(), true); err == nil {
		t.Error("the file of one sweep was continued by another")
	}
}

// Every method tries what meets the constraint, no combination twice, the same ones every time.
func TestMethods(t *testing.T) {
	src := source(t, walk(6, "A", 300))
	for _, method := range []string{"random", "sobol", "tpe"} {
		cfg := parse(t, "params: {a: 2..40, b: 2..60, c: 1..5}\nconstraint: a < b\nentry: \"sma(close, a) > sma(close, b) + 0 * c\"\nexit: sma(close, a) < sma(close, b)\nsearch: {method: "+method+", samples: 40, min_trades: 1, objective: sharpe + 0 * trades}\n")
		first, s := rows(t, cfg, src, sweep.Options{Workers: 1})
		again, _ := rows(t, cfg, src, sweep.Options{Workers: 4})
		if len(first) != 40 || s.Combinations != 40 {
			t.Fatalf("%s: %d rows", method, len(first))
		}
		seen := map[[3]float64]bool{}
		for i, r := range first {
			k := [3]float64(r.Params)
			if seen[k] || !(k[0] < k[1]) {
				t.Errorf("%s tries %v", method, k)
			}
			seen[k] = true
			if !slices.Equal(again[i].Params, r.Params) || again[i].Metrics[0] != r.Metrics[0] {
				t.Errorf("%s: row %d is another one with four workers", method, i)
			}
		}
	}
}

// On a smooth hill the search that learns ends nearer to the top than chance.
func TestTPELearns(t *testing.T) {
	src := source(t, walk(8, "A", 60))
	mean := map[string]float64{}
	for _, method := range []string{"random", "tpe"} {
		cfg := parse(t, "params: {a: 1..60, b: 1..60}\nentry: close > 0 * a * b\nexit: false\ncash: 1000\nsize: {weight: 1, fractional: true}\ncosts: {commission: {per_order: 0}}\nsearch: {method: "+method+", samples: 120, min_trades: 0, objective: \"total_return\"}\n")
		plan, err := sweep.NewPlan(context.Background(), cfg, src, sweep.Options{})
		if err != nil {
			t.Fatal(err)
		}
		sum, n := 0.0, 0
		o := sweep.Options{Row: func(r *sweep.Row) error {
			r.Value = -math.Hypot(r.Params[0]-45, r.Params[1]-12)
			if r.Index >= 80 {
				sum += r.Value
				n++
			}
			return nil
		}}
		if method == "tpe" {
			o.Judge = func(r *sweep.Row) float64 { return -math.Hypot(r.Params[0]-45, r.Params[1]-12) }
		}
		if _, err := plan.Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		mean[method] = sum / float64(n)
	}
	if mean["tpe"] < mean["random"]*0.6 {
		t.Errorf("the last third lies %.1f from the top, by chance %.1f", -mean["tpe"], -mean["random"])
	}
}

// The best that a resumed sweep shows as it goes on is that of all rows, whichever run they are of; less is better
// where the metric says so.
func TestProgressKnowsWhatWasBefore(t *testing.T) {
	src := source(t, walk(5, "A", 300))
	for _, objective := range []string{"sharpe", "volatility"} {
		cfg := parse(t, pairs+"\n")
		cfg.Search.Objective = objective
		last := func(o sweep.Options) (p sweep.Progress, s *sweep.Summary) {
			o.Progress = func(now sweep.Progress) { p = now }
			s, err := sweep.Run(context.Background(), cfg, src, o)
			if err != nil {
				t.Fatal(err)
			}
			return p, s
		}
		want, whole := last(sweep.Options{})
		for _, cut := range []int{1, whole.Best[0].Index, whole.Best[0].Index + 1, whole.Combinations - 1} {
			_, before := last(sweep.Options{To: cut})
			if got, _ := last(sweep.Options{From: cut, Before: before}); got.Best != want.Best || !slices.Equal(got.BestParams, want.BestParams) {
				t.Errorf("%s, from combination %d on: the best is %v at %v, want %v at %v", objective, cut, got.Best, got.BestParams, want.Best, want.BestParams)
			}
		}
	}
}
