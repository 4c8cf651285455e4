package backtest_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// eachRandom plays n random strategies on random markets.
func eachRandom(t *testing.T, n int, f func(t *testing.T, r *rand.Rand, text string, series []*bar.Series)) {
	t.Helper()
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 7))
		text, series := randomStrategy(r), randomMarket(r, 1+r.IntN(5), 120+r.IntN(120))
		f(t, r, text, series)
		if t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, text)
		}
	}
}

// The past does not know the future: on data cut at any session, everything that happened before the
// cut is the same.
func TestTruncationChangesNoPast(t *testing.T) {
	eachRandom(t, 120, func(t *testing.T, r *rand.Rand, text string, series []*bar.Series) {
		if cfg := parse(t, text); cfg.Fills.End != "mark" {
			return // liquidation at the end moves with the end
		}
		whole := play(t, text, series)
		if len(whole.Equity.Value) < 20 {
			return
		}
		cutAt := whole.Equity.Time.Date(10 + r.IntN(len(whole.Equity.Value)-12))
		cut := make([]*bar.Series, 0, len(series))
		for _, s := range series {
			n := 0
			for n < s.Len() && s.Date(n) <= cutAt {
				n++
			}
			if n > 0 {
				cut = append(cut, s.Slice(0, n))
			}
		}
		short := play(t, text, cut)
		past := fillsUpTo(whole, cutAt)
		if got := fillsUpTo(short, cutAt); !slices.Equal(got, past) {
			t.Errorf("cut at %s: %s", cutAt, firstDifference(got, past))
		}
		for i := range short.Equity.Value {
			if short.Equity.Value[i] != whole.Equity.Value[i] {
				t.Errorf("cut at %s: equity %d is %g, was %g", cutAt, i, short.Equity.Value[i], whole.Equity.Value[i])
				return
			}
		}
	})
}

func fillsUpTo(r *backtest.Result, d instrument.Date) []backtest.Fill {
	var out []backtest.Fill
	for _, f := range r.Fills {
		if f.Time <= d.String() {
			out = append(out, f)
		}
	}
	return out
}

func firstDifference(a, b []backtest.Fill) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("fill %d is\n%+v, was\n%+v", i, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d fills, were %d", len(a), len(b))
}

// A split, or a dividend, that is added later changes nothing before it.
func TestLaterActionChangesNothingEarlier(t *testing.T) {
	eachRandom(t, 80, func(t *testing.T, r *rand.Rand, text string, series []*bar.Series) {
		before := play(t, text, series)
		s := series[r.IntN(len(series))]
		if s.Len() < 40 {
			return
		}
		at := s.Date(s.Len() - 1 - r.IntN(20))
		changed := *s
		changed.Actions.Splits = append(slices.Clone(s.Actions.Splits), instrument.Split{Ex: at, From: 1, To: 4})
		slices.SortStableFunc(changed.Actions.Splits, func(a, b instrument.Split) int { return int(a.Ex - b.Ex) })
		with := slices.Clone(series)
		with[slices.Index(series, s)] = &changed
		after := play(t, text, with)
		if got, want := fillsUpTo(after, at-1), fillsUpTo(before, at-1); !slices.Equal(got, want) {
			t.Errorf("split of %s on %s: %s", s.Symbol, at, firstDifference(got, want))
		}
	})
}

// Equity is what independently summed flows say: start + sales - purchases - commissions + dividends
// + marks. (Interest and borrow fees are switched off here; cash in lieu is counted from the splits.)
func TestFlowsSumToEquity(t *testing.T) {
	eachRandom(t, 120, func(t *testing.T, _ *rand.Rand, text string, series []*bar.Series) {
		cfg := parse(t, text)
		cfg.Costs.Borrow.Annual = 0
		if cfg.Size.Lot > 1 || cfg.Size.Risk > 0 {
			return
		}
		cfg.Size.Fractional = true // no cash in lieu
		res, err := backtest.Run(t.Context(), cfg, source(t, cfg, series))
		if err != nil {
			t.Fatal(err)
		}
		want := cfg.Account.Cash
		for _, f := range res.Fills {
			v := f.Quantity * f.Price
			if f.Side == "buy" || f.Side == "cover" {
				v = -v
			}
			want += v - f.Commission
		}
		for _, x := range res.Trades {
			want += x.Dividends
			if x.Open {
				v := x.Quantity * x.ExitPrice
				if x.Side == "short" {
					v = -v
				}
				want += v
			}
		}
		got := res.Equity.Value[len(res.Equity.Value)-1]
		if math.Abs(got-want) > 1e-9*math.Max(1, cfg.Account.Cash)*float64(1+len(res.Fills)) {
			t.Errorf("equity %.10g, flows %.10g after %d fills", got, want, len(res.Fills))
		}
		profit := 0.0
		for _, x := range res.Trades {
			profit += x.PnL
		}
		if math.Abs(cfg.Account.Cash+profit-got) > 1e-6*math.Max(1, got) {
			t.Errorf("trades sum to %.10g, equity grew by %.10g", profit, got-cfg.Account.Cash)
		}
	})
}

// No fill has a reference price outside a bar that traded on its day, no cash account spends what it
// does not have, and positions never exceed the slots.
func TestFillsAreReachable(t *testing.T) {
	eachRandom(t, 120, func(t *testing.T, _ *rand.Rand, text string, series []*bar.Series) {
		res := play(t, text, series)
		bars := map[string]*bar.Series{}
		for _, s := range series {
			bars[s.Symbol] = s
		}
		for _, f := range res.Fills {
			if f.Rule == "delisted" || f.Rule == "split" {
				continue
			}
			s := bars[f.Symbol]
			i := slices.IndexFunc(s.Time, func(ns int64) bool { return instrument.DateOfNanos(ns).String() == f.Time })
			if i < 0 || s.Volume[i] == 0 || f.Reference < s.Low[i] || f.Reference > s.High[i] {
				t.Errorf("unreachable fill %+v", f)
				return
			}
			if cap := res.Config.Costs.VolumeCap.Bar; cap > 0 && f.Quantity > cap*s.Volume[i]*(1+1e-12) {
				t.Errorf("fill %+v takes more than %g of volume %g", f, cap, s.Volume[i])
				return
			}
			if f.Decided > f.Time || f.Decided == f.Time && f.Reason != "end" && f.Rule != "stop" && f.Rule != "limit" {
				t.Errorf("fill before its decision: %+v", f)
				return
			}
		}
		if res.Config.Account.Kind == "cash" && res.Config.Size.Weight <= 1 {
			checkCash(t, res)
		}
	})
}

// checkCash replays the fills of a cash account: cash never goes below zero.
func checkCash(t *testing.T, res *backtest.Result) {
	t.Helper()
	cash := res.Config.Account.Cash
	for _, x := range res.Trades {
		cash += math.Max(0, x.Dividends) + math.Max(0, x.InLieu) // an upper bound on what actions may add
	}
	for _, f := range res.Fills {
		v := f.Quantity*f.Price + f.Commission
		if f.Side != "buy" {
			v = -(f.Quantity*f.Price - f.Commission)
		}
		if cash -= v; cash < -1e-6 {
			t.Errorf("cash fell to %g by %+v", cash, f)
			return
		}
	}
}

// The same run gives the same bytes with 1, 2 and 8 processors, again, and with symbols in any order.
func TestDeterministicBytes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	eachRandom(t, 40, func(t *testing.T, r *rand.Rand, text string, series []*bar.Series) {
		var first []byte
		for _, procs := range []int{1, 2, 8, 8} {
			runtime.GOMAXPROCS(procs)
			b, err := play(t, text, series).EncodeJSON()
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = b
			}
			if !bytes.Equal(b, first) {
				t.Errorf("other bytes with %d processors", procs)
				return
			}
		}
		mixed := slices.Clone(series)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if b, _ := play(t, text, mixed).EncodeJSON(); !bytes.Equal(b, first) {
			t.Error("other bytes with symbols in another order")
		}
	})
}

// For the same fills a higher cost never raises equity: with a fixed number of shares and plenty of
// cash, costs change no fill's quantity.
func TestHigherCostNeverRaisesEquity(t *testing.T) {
	const text = "entry: close > sma(close, 5)\nexit: close < sma(close, 5)\nsize: {shares: 10}\ncash: 10000000\n"
	for seed := range uint64(40) {
		series := randomMarket(rand.New(rand.NewPCG(seed, 9)), 2, 150)
		last := math.Inf(1)
		for _, costs := range []string{"", "costs: {commission: {per_share: 0.01}}", "costs: {commission: {per_share: 0.01}, slippage: {bps: 5}}", "costs: {commission: {per_share: 0.02, min: 1}, slippage: {bps: 20}}"} {
			res := play(t, text+costs, series)
			if final := res.Equity.Value[len(res.Equity.Value)-1]; final > last {
				t.Fatalf("seed %d: %s raised equity from %g to %g", seed, costs, last, final)
			} else {
				last = final
			}
		}
	}
}

// With fractional sizes, proportional fees and no price levels, splitting bars leaves equity alone.
func TestSplitInvariance(t *testing.T) {
	const text = "entry: close > sma(close, 5)\nexit: {when: close < sma(close, 5), stop: entry_price - 2 * atr(5)}\nsize: {weight: 0.4, fractional: true}\ncosts: {commission: {bps: 5}}\n"
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 11))
		series := randomMarket(r, 2, 150)
		plain := play(t, text, series)
		split := slices.Clone(series)
		split[0] = splitSeries(series[0], series[0].Len()/2, 2)
		with := play(t, text, split)
		for i := range plain.Equity.Value {
			if a, b := plain.Equity.Value[i], with.Equity.Value[i]; math.Abs(a-b) > 1e-9*a {
				t.Fatalf("seed %d: equity on %s is %.12g with the split, %.12g without", seed, plain.Equity.Time.At(i), b, a)
			}
		}
	}
}

// splitSeries is s as if one share had become ratio new ones on bar k.
func splitSeries(s *bar.Series, k int, ratio float64) *bar.Series {
	c := *s
	scale := func(x []float64, f float64) []float64 {
		y := slices.Clone(x)
		for i := k; i < len(y); i++ {
			y[i] *= f
		}
		return y
	}
	c.Open, c.High, c.Low, c.Close = scale(s.Open, 1/ratio), scale(s.High, 1/ratio), scale(s.Low, 1/ratio), scale(s.Close, 1/ratio)
	c.Volume = scale(s.Volume, ratio)
	c.Actions.Splits = append(slices.Clone(s.Actions.Splits), instrument.Split{Ex: s.Date(k), From: 1, To: ratio})
	slices.SortStableFunc(c.Actions.Splits, func(a, b instrument.Split) int { return int(a.Ex - b.Ex) })
	c.Actions.Dividends = slices.Clone(s.Actions.Dividends)
	for i := range c.Actions.Dividends {
		if c.Actions.Dividends[i].Ex >= s.Date(k) {
			c.Actions.Dividends[i].Cash /= ratio
		}
	}
	return &c
}
