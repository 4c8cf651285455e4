package backtest_test

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// portfolioOf puts strategies into one account with the settings of the first.
func portfolioOf(t *testing.T, share float64, texts ...string) *backtest.Config {
	t.Helper()
	first := parse(t, texts[0])
	cfg := backtest.Default()
	cfg.Name, cfg.Data, cfg.Costs, cfg.Fills, cfg.Account = "portfolio", first.Data, first.Costs, first.Fills, first.Account
	for k, text := range texts {
		name := string(rune('a'+k)) + ".yaml"
		cfg.Strategies = append(cfg.Strategies, backtest.Part{File: name, Share: share})
		cfg.Attach(name, []byte(text))
	}
	return cfg
}

// A strategy that has the account for itself trades as it does alone.
func TestPortfolioOfOne(t *testing.T) {
	fills := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 91))
		series := randomMarket(r, 4, 160)
		text := randomStrategy(r)
		alone := play(t, text, series)
		cfg := portfolioOf(t, 1, text)
		together, err := backtest.Run(t.Context(), cfg, source(t, cfg, series))
		if err != nil {
			t.Fatalf("seed %d: %v in\n%s", seed, err, text)
		}
		for k := range together.Fills {
			if together.Fills[k].Strategy != "a" {
				t.Fatalf("seed %d: fill %+v has no strategy", seed, together.Fills[k])
			}
			together.Fills[k].Strategy = ""
		}
		fills += len(alone.Fills)
		if diff := firstOther(together, alone); diff != "" {
			t.Fatalf("seed %d: %s\n%s", seed, diff, text)
		}
		if !slices.Equal(together.Equity.Value, alone.Equity.Value) {
			t.Fatalf("seed %d: another equity in\n%s", seed, text)
		}
	}
	if fills < 1000 {
		t.Errorf("only %d fills: the test shows little", fills)
	}
}

// The profits of strategies that share an account, interest and borrow fees are all that changes its equity;
// their journal replays, and the order in which symbols come changes nothing.
func TestPortfolioAddsUp(t *testing.T) {
	both := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 92))
		series := randomMarket(r, 3, 160)
		whole := func() string { // an account trades fractions or none
			for {
				text := randomStrategy(r)
				if !bytes.Contains([]byte(text), []byte("fractional")) && !bytes.Contains([]byte(text), []byte("magnify")) {
					return text
				}
			}
		}
		cfg := portfolioOf(t, 0.5, whole(), whole(), whole())
		cfg.Account.Kind, cfg.Account.DebitRate, cfg.Account.CreditRate = "regt", 0.06, 0.02
		cfg.Costs.Borrow.Annual = 0.03
		interest := 0.0
		journal := func(x *backtest.Entry) {
			if x.What == backtest.Interest || x.What == backtest.Borrowed {
				interest += x.Amount
			}
		}
		res, err := backtest.RunWith(t.Context(), cfg, memory(t, series), backtest.Options{Journal: journal})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		last, sum, held := len(res.Equity.Value)-1, cfg.Account.Cash+interest, map[string]bool{}
		for _, s := range res.Strategies {
			sum += s.PnL
			if s.PnL != s.Profit[last] || len(s.Profit) != last+1 {
				t.Fatalf("seed %d: profit of %s is %g, its curve ends with %g", seed, s.Name, s.PnL, s.Profit[last])
			}
		}
		if got := res.Equity.Value[last]; math.Abs(got-sum) > 1e-6 {
			t.Fatalf("seed %d: equity is %.10g, profits, interest and fees come to %.10g", seed, got, sum)
		}
		for _, f := range res.Fills {
			held[f.Strategy] = true
		}
		if len(held) > 1 {
			both++
		}
		backwards := slices.Clone(series)
		slices.Reverse(backwards)
		again, err := backtest.Run(t.Context(), cfg, memory(t, backwards))
		if err != nil {
			t.Fatal(err)
		}
		a, _ := res.EncodeJSON()
		if b, _ := again.EncodeJSON(); !bytes.Equal(a, b) {
			t.Fatalf("seed %d: symbols handed over backwards give another result", seed)
		}
	}
	if both < 20 {
		t.Errorf("several strategies traded in %d runs only", both)
	}
}

// A preview of a portfolio shows every strategy what it would be shown alone, and a trace of it decides what
// its strategies decide: with money for both nothing comes between them.
func TestPortfolioPreviews(t *testing.T) {
	texts := []string{"signals: {up: close > sma(close, 5)}\nentry: up\nexit: not up\nsize: {weight: 0.1}\n",
		"signals: {dip: rsi(close, 3) < 30}\nentry: dip\nexit: {max_bars: 3, stop: entry_price * 0.9}\nsize: {weight: 0.1}\n"}
	series := randomMarket(rand.New(rand.NewPCG(1, 93)), 3, 120)
	cfg := portfolioOf(t, 0.5, texts...)
	together, err := backtest.NewPreview(t.Context(), cfg, memory(t, series))
	if err != nil {
		t.Fatal(err)
	}
	trace, err := backtest.Follow(t.Context(), cfg, memory(t, series), backtest.Following{})
	if err != nil {
		t.Fatal(err)
	}
	if len(together.Symbols) != 2*len(series) {
		t.Fatalf("%d columns of bars for 2 strategies on %d symbols", len(together.Symbols), len(series))
	}
	for k, text := range texts {
		name := string(rune('a' + k))
		alone, err := backtest.NewPreview(t.Context(), parse(t, text), memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		entries := 0
		for i, s := range alone.Symbols {
			got := together.Symbols[2*i+k]
			if got.Strategy != name {
				t.Fatalf("%s of %q stands where that of %q belongs", got.Symbol, got.Strategy, name)
			}
			s.Strategy = name
			if a, b := encode(t, got), encode(t, s); a != b {
				t.Errorf("strategy %s sees %s as %s, alone as %s", name, s.Symbol, a, b)
			}
			for _, on := range s.Entries {
				if on {
					entries++
				}
			}
		}
		if alone.Counts.Signals["entry.when"] == 0 || entries == 0 || together.Counts.Signals[name+": entry.when"] != alone.Counts.Signals["entry.when"] {
			t.Errorf("entry of %s held %d times, alone %d; %d are shown", name, together.Counts.Signals[name+": entry.when"], alone.Counts.Signals["entry.when"], entries)
		}
		decided := slices.ContainsFunc(trace.Events, func(e backtest.Event) bool { return e.What == name+": enter long market" })
		if !decided {
			t.Errorf("the trace has no decision of %s", name)
		}
	}
}

func encode(t *testing.T, x any) string {
	t.Helper()
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A scan of a portfolio lists whose condition holds, with the numbers of that strategy only.
func TestPortfolioScan(t *testing.T) {
	cfg := portfolioOf(t, 0.5, "signals: {up: close > sma(close, 5)}\nentry: up\n", "signals: {either: close > sma(close, 9) or close > 0}\nentry: either\n")
	series := randomMarket(rand.New(rand.NewPCG(1, 93)), 3, 120)
	scan, err := backtest.NewScan(t.Context(), cfg, memory(t, series), "either", instrument.None)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"close", "sma(close, 5)", "up", "sma(close, 9)", "either"}; !slices.Equal(scan.Columns, want) || len(scan.Rows) == 0 {
		t.Fatalf("columns %v, want %v; %d rows", scan.Columns, want, len(scan.Rows))
	}
	for _, r := range scan.Rows {
		if v := r.Values; r.Strategy != "b" || !math.IsNaN(v[1]) || !math.IsNaN(v[2]) || !(v[3] > 0) || v[4] != 1 {
			t.Errorf("row %+v", r)
		}
	}
	if _, err := backtest.NewScan(t.Context(), cfg, memory(t, series), "nothing", instrument.None); err == nil {
		t.Error("a signal that no strategy has was scanned for")
	}
}

// Each symbol alone: all strategies share the account that trades it. Without symbols of the account, or where
// a strategy compares them, that has no meaning.
func TestPortfolioEach(t *testing.T) {
	series := randomMarket(rand.New(rand.NewPCG(1, 94)), 3, 120)
	cfg := portfolioOf(t, 0.5, "entry: close > open\nexit: close < open\nsize: {weight: 0.5}\n", "entry: close < open\nexit: {max_bars: 2}\nsize: {weight: 0.5}\n")
	if _, err := backtest.Each(t.Context(), cfg, memory(t, series)); err == nil || !strings.Contains(err.Error(), "names no symbols") {
		t.Errorf("a portfolio without symbols of its own: %v", err)
	}
	for _, s := range series {
		cfg.Universe.Symbols = append(cfg.Universe.Symbols, s.Symbol)
	}
	all, err := backtest.Each(t.Context(), cfg, memory(t, series))
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range all {
		one := *cfg
		one.Universe.Symbols = cfg.Universe.Symbols[i : i+1]
		alone, err := backtest.Run(t.Context(), &one, memory(t, series))
		if err != nil {
			t.Fatal(err)
		}
		a, _ := r.EncodeJSON()
		if b, _ := alone.EncodeJSON(); !bytes.Equal(a, b) || len(r.Fills) == 0 {
			t.Errorf("%s alone differs from a run on it, with %d fills", series[i].Symbol, len(r.Fills))
		}
	}
	cfg = portfolioOf(t, 0.5, "entry: close > open\n", "entry: rank(close) > 0.5\n")
	cfg.Universe.Symbols = []string{series[0].Symbol}
	if _, err := backtest.Each(t.Context(), cfg, memory(t, series)); err == nil || !strings.Contains(err.Error(), "the strategy b compares") {
		t.Errorf("a strategy that compares symbols was played on one alone: %v", err)
	}
}

// A portfolio whose files were not handed over cannot be played.
func TestPortfolioWithoutFiles(t *testing.T) {
	src := memory(t, randomMarket(rand.New(rand.NewPCG(1, 93)), 2, 30))
	bare := backtest.Default()
	bare.Strategies = []backtest.Part{{File: "gone.yaml"}}
	if _, err := backtest.Run(t.Context(), bare, bar.Source(src)); err == nil {
		t.Error("a portfolio without its files ran")
	}
}
