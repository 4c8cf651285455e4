package backtest_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
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

// What is meant for one strategy says so of a portfolio.
func TestPortfolioIsRefused(t *testing.T) {
	cfg := portfolioOf(t, 0.5, "entry: close > 0", "entry: close > 1")
	src := memory(t, randomMarket(rand.New(rand.NewPCG(1, 93)), 2, 30))
	for what, err := range map[string]error{
		"preview": second(backtest.NewPreview(t.Context(), cfg, src)),
		"each":    second(backtest.Each(t.Context(), cfg, src)),
		"prove":   second(backtest.Follow(t.Context(), cfg, src, backtest.Following{})),
	} {
		if err == nil {
			t.Errorf("%s of a portfolio is not refused", what)
		}
	}
	bare := backtest.Default()
	bare.Strategies = []backtest.Part{{File: "gone.yaml"}}
	if _, err := backtest.Run(t.Context(), bare, bar.Source(src)); err == nil {
		t.Error("a portfolio without its files ran")
	}
}

func second[T any](_ T, err error) error { return err }
