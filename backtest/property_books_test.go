package backtest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/portfolio"
	"backtester/backtest/strategy"
)

// conventions are settings of other tools, one of which each random strategy gets besides its own.
var conventions = []strategy.Override{
	{}, {}, {}, {Path: "fills.ambiguity", Value: "stop_first"}, {Path: "fills.entry_bar", Value: "next_bar"}, {Path: "fills.entry_bar", Value: "market"},
	{Path: "fills.levels", Value: "close"}, {Path: "fills.level_slippage", Value: "none"}, {Path: "size.at", Value: "fill"}, {Path: "account", Value: "covered"},
	{Path: "account", Value: "proceeds"}, {Path: "overdraft", Value: "true"}, {Path: "data.begin", Value: "all"}, {Path: "data.begin", Value: "after_all"},
	{Path: "data.crossing", Value: "side"}, {Path: "data.crossing", Value: "ever"}, {Path: "data.ema_seed", Value: "first"}, {Path: "dividends", Value: "pay_date"},
	{Path: "debit_rate", Value: "0.05"}, {Path: "credit_rate", Value: "0.03"},
}

// eachConvention plays n random strategies, each with a convention, on random markets.
func eachConvention(t *testing.T, n int, f func(t *testing.T, r *rand.Rand, cfg *backtest.Config, series []*bar.Series)) {
	t.Helper()
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 23))
		text, series := randomStrategy(r), randomMarket(r, 1+r.IntN(4), 120+r.IntN(100))
		cfg, with := parse(t, text), conventions[r.IntN(len(conventions))]
		if with.Path != "" {
			if changed := parse(t, text); changed.SetAll([]strategy.Override{with}) == nil { // some do not go together
				cfg = changed
			}
		}
		f(t, r, cfg, series)
		if t.Failed() {
			t.Fatalf("seed %d, %s=%s:\n%s", seed, with.Path, with.Value, text)
		}
	}
}

// After every single event the cash and the shares of the run are what flows come to that are summed here, from the
// fills, dividends, interest and fees of the journal alone; books that replay it agree with their own flows and
// trades after each; and at the end they are the books of the run.
func TestBooksAfterEveryEvent(t *testing.T) {
	events := map[backtest.Happening]int{}
	eachConvention(t, 120, func(t *testing.T, _ *rand.Rand, cfg *backtest.Config, series []*bar.Series) {
		var entries []backtest.Entry
		res, err := backtest.RunWith(t.Context(), cfg, source(t, cfg, series), backtest.Options{Journal: func(x *backtest.Entry) { entries = append(entries, *x) }})
		if err != nil {
			t.Fatal(err)
		}
		symbols := res.Data.Symbols
		books := portfolio.NewBooks(cfg.Account.Cash, len(symbols), res.Config.Size.Fractional)
		cash, moved, shares := cfg.Account.Cash, cfg.Account.Cash, map[string]float64{}
		for k, x := range entries {
			events[x.What]++
			switch value := x.Quantity * x.Price; {
			case x.What == backtest.Filled && (x.Side == "buy" || x.Side == "cover"):
				cash -= value + x.Commission
				moved += value
				shares[x.Symbol] += x.Quantity
			case x.What == backtest.Filled:
				cash += value - x.Commission
				moved += value
				shares[x.Symbol] -= x.Quantity
			case x.What == backtest.Split:
				whole := shares[x.Symbol] * x.Ratio
				if !res.Config.Size.Fractional {
					whole = math.Trunc(whole + math.Copysign(1e-9, whole))
					cash += (shares[x.Symbol]*x.Ratio - whole) * x.Price
				}
				shares[x.Symbol] = whole
			case x.What == backtest.Dividend && x.Due == "":
				cash += shares[x.Symbol] * x.Price
			case x.What == backtest.Dividend: // comes as Paid
			default:
				cash += x.Amount
			}
			tolerance := 1e-9 * math.Max(1, moved)
			if math.Abs(cash-x.Cash) > tolerance || x.Symbol != "" && math.Abs(shares[x.Symbol]-x.Shares) > 1e-6 {
				t.Errorf("entry %d, %+v: flows come to %.10g USD and %.10g shares", k, x, cash, shares[x.Symbol])
				return
			}
			replay(t, books, int32(slices.Index(symbols, x.Symbol)), x)
			if err := books.Check(); err != nil {
				t.Errorf("after entry %d, %+v: %v", k, x, err)
				return
			}
		}
		(&scenario{}).compareBooks(t, books, res)
	})
	for _, what := range []backtest.Happening{backtest.Filled, backtest.Split, backtest.Dividend, backtest.Paid, backtest.Interest, backtest.Borrowed} {
		if events[what] < 5 {
			t.Errorf("%d events %q: the markets do not test them", events[what], what)
		}
	}
}

// Whatever comes after a day changes nothing up to it: later bars become nonsense, with splits and dividends that
// nobody could know of.
func TestPoisonedFutureChangesNoPast(t *testing.T) {
	compared := 0
	eachConvention(t, 120, func(t *testing.T, r *rand.Rand, cfg *backtest.Config, series []*bar.Series) {
		if cfg.Fills.End != "mark" {
			return // liquidation at the end moves with the end
		}
		clean, err := backtest.Run(t.Context(), cfg, source(t, cfg, series))
		if err != nil {
			t.Fatal(err)
		}
		if len(clean.Equity.Value) < 20 {
			return
		}
		cut := clean.Equity.Time.Date(10 + r.IntN(len(clean.Equity.Value)-12))
		poisoned := make([]*bar.Series, len(series))
		for k, s := range series {
			poisoned[k] = poison(r, s, cut)
		}
		after, err := backtest.Run(t.Context(), cfg, source(t, cfg, poisoned))
		if err != nil {
			t.Fatal(err)
		}
		past := fillsUpTo(clean, cut)
		compared += len(past)
		if got := fillsUpTo(after, cut); !slices.Equal(got, past) {
			t.Errorf("poisoned after %s: %s", cut, firstDifference(got, past))
		}
		for i, x := range clean.Equity.Value {
			if clean.Equity.Time.Date(i) > cut {
				break
			}
			if i >= len(after.Equity.Value) || after.Equity.Value[i] != x {
				t.Errorf("poisoned after %s: equity %d was %g", cut, i, x)
				return
			}
		}
	})
	if compared < 500 {
		t.Errorf("only %d fills before the poison", compared)
	}
}

// poison is s with bars after a day that have nothing to do with it.
func poison(r *rand.Rand, s *bar.Series, cut instrument.Date) *bar.Series {
	c := *s
	c.Open, c.High, c.Low, c.Close, c.Volume = slices.Clone(s.Open), slices.Clone(s.High), slices.Clone(s.Low), slices.Clone(s.Close), slices.Clone(s.Volume)
	c.Actions.Splits, c.Actions.Dividends = slices.Clone(s.Actions.Splits), slices.Clone(s.Actions.Dividends)
	c.Actions.Splits = slices.DeleteFunc(c.Actions.Splits, func(x instrument.Split) bool { return x.Ex > cut })
	c.Actions.Dividends = slices.DeleteFunc(c.Actions.Dividends, func(x instrument.Dividend) bool { return x.Ex > cut })
	for i := range s.Len() {
		d := s.Date(i)
		if d <= cut {
			continue
		}
		open, close := cents(1+200*r.Float64()), cents(1+200*r.Float64())
		c.Open[i], c.Close[i], c.Volume[i] = open, close, float64(r.IntN(300_000))
		c.High[i], c.Low[i] = cents(max(open, close)*1.2), cents(min(open, close)*0.8)
		if r.IntN(15) == 0 {
			c.Actions.Splits = append(c.Actions.Splits, instrument.Split{Ex: d, From: 1, To: float64(1 + r.IntN(5))})
		}
		if r.IntN(15) == 0 {
			c.Actions.Dividends = append(c.Actions.Dividends, instrument.Dividend{Ex: d, Pay: d, Cash: cents(r.Float64())})
		}
	}
	return &c
}

// A split changes nothing for strategies with fractional sizes, proportional costs and no level in dollars: also with
// brackets, trailing stops, resting orders, adding, volatility sizes and rebalancing. (Maintenance margin has levels:
// $5 and $2.50 a share.)
func TestSplitInvarianceOfEverything(t *testing.T) {
	const costs = "costs: {commission: {bps: 5}, slippage: {bps: 2}}\n"
	for name, text := range map[string]string{
		"bracket":     "entry: close > sma(close, 5)\nexit: {stop: entry_price * 0.97, target: entry_price + 1.5 * atr(5)}\nsize: {weight: 0.4, fractional: true}\n",
		"at entry":    "entry: close > highest(high, 5)[1]\nexit: {stop: at_entry(low), target: at_entry(close) * 1.05}\nsize: {weight: 0.4, fractional: true}\n",
		"trail":       "entry: close > sma(close, 5)\nexit: {trail: {fraction: 0.04}}\nsize: {weight: 0.4, fractional: true}\n",
		"trail atr":   "entry: close > sma(close, 5)\nexit: {trail: {amount: 2 * atr(5)}, max_bars: 12}\nsize: {weight: 0.4, fractional: true}\n",
		"intrabar":    "entry: close > sma(close, 5)\nexit: {trail: {fraction: 0.04, intrabar: true}}\nsize: {weight: 0.4, fractional: true}\n",
		"ratchet":     "entry: close > sma(close, 5)\nexit: {stop: low - atr(5), ratchet: true}\nsize: {weight: 0.4, fractional: true}\n",
		"limit":       "entry: {when: close > sma(close, 5), order: limit, price: close * 0.99, max_wait: 2}\nexit: {when: close < sma(close, 5), stop: entry_price * 0.95}\nsize: {weight: 0.4, fractional: true}\n",
		"stop":        "entry: {when: close > sma(close, 5), order: stop, price: high}\nexit: {when: close < sma(close, 5)}\nsize: {weight: 0.4, fractional: true}\n",
		"parts":       "entry: close > sma(close, 5)\nexit: [{fraction: 0.5, target: entry_price * 1.03}, {stop: entry_price * 0.95}]\nsize: {weight: 0.4, fractional: true}\n",
		"adding":      "entry: {when: close > sma(close, 5), add: {most: 2, when: open_profit > 0.02}}\nexit: {when: close < high_since * 0.95}\nsize: {weight: 0.2, fractional: true}\n",
		"short":       "account: covered\nshort: {entry: close < sma(close, 5), exit: {stop: entry_price * 1.05, target: entry_price - 2 * atr(5)}}\nsize: {weight: 0.3, fractional: true}\n",
		"volatility":  "entry: close > sma(close, 5)\nexit: {when: close < sma(close, 5)}\nsize: {volatility: {target: 0.1, lookback: 10}, fractional: true}\n",
		"rebalance":   "rebalance: {every: week, weights: inverse_volatility, lookback: 10}\nsize: {fractional: true}\n",
		"risk parity": "rebalance: {every: month, weights: risk_parity, lookback: 15, drift: 0.05}\nsize: {fractional: true}\n",
		"closes":      "entry: {when: close > sma(close, 5), order: limit, price: close * 0.99, tif: gtc}\nexit: {stop: entry_price * 0.97, target: entry_price * 1.03}\nsize: {weight: 0.4, fractional: true}\nfills: {levels: close, market: next_close}\n",
	} {
		trades := 0
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 29))
			series := randomMarket(r, 3, 140)
			for _, s := range series {
				s.Actions.Dividends, s.Actions.Splits = nil, nil // resting orders are cancelled or reduced by them
			}
			plain := play(t, text+costs, series)
			split := slices.Clone(series)
			split[0] = splitSeries(series[0], 40+r.IntN(60), 2)
			split[1] = splitSeries(splitSeries(series[1], 50, 4), 90, 2)
			with := play(t, text+costs, split)
			trades += len(plain.Trades)
			for i := range plain.Equity.Value {
				if a, b := plain.Equity.Value[i], with.Equity.Value[i]; math.Abs(a-b) > 1e-9*math.Abs(a) {
					t.Errorf("%s, seed %d: equity on %s is %.12g with the split, %.12g without", name, seed, plain.Equity.Time.At(i), b, a)
					break
				}
			}
		}
		if trades < 20 {
			t.Errorf("%s: only %d trades", name, trades)
		}
	}
}

// Other names in another order, and another order of the source, change nothing but the names.
func TestPermutedSymbolsChangeNothing(t *testing.T) {
	eachConvention(t, 40, func(t *testing.T, r *rand.Rand, cfg *backtest.Config, series []*bar.Series) {
		a, err := backtest.Run(t.Context(), cfg, source(t, cfg, series))
		if err != nil {
			t.Fatal(err)
		}
		shuffled := slices.Clone(series)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		b, err := backtest.Run(t.Context(), cfg, source(t, cfg, shuffled))
		if err != nil {
			t.Fatal(err)
		}
		one, _ := a.EncodeJSON()
		other, _ := b.EncodeJSON()
		if string(one) != string(other) {
			t.Error("another order of the source gives another result")
		}
		// With a rank that tells them apart, or one alone, names do not matter either.
		renamed := make([]*bar.Series, len(series))
		for k, s := range series {
			c := *s
			c.Symbol = fmt.Sprintf("Z%02d", len(series)-k)
			c.ID = instrument.ID(c.Symbol)
			renamed[k] = &c
		}
		if len(series) > 1 {
			return
		}
		c, err := backtest.Run(t.Context(), cfg, source(t, cfg, renamed))
		if err != nil {
			t.Fatal(err)
		}
		for i := range a.Fills {
			x, y := a.Fills[i], c.Fills[i]
			if x.Symbol = y.Symbol; x != y {
				t.Errorf("renamed: %+v became %+v", a.Fills[i], y)
				return
			}
		}
		if !slices.Equal(a.Equity.Value, c.Equity.Value) || strings.Contains(fmt.Sprint(c.Data.Symbols), "S0") {
			t.Error("another name gives another curve")
		}
	})
}
