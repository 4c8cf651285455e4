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
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
)

// The random markets and strategies of the property tests. All prices are whole cents, so that books
// add up exactly where they should.

// randomMarket is n symbols over the given number of sessions, with missing bars, bars without
// volume, splits and dividends.
func randomMarket(r *rand.Rand, n, sessions int) []*bar.Series {
	days := bar.NYSE().Sessions(instrument.NewDate(2015, 1, 1), instrument.NewDate(2030, 1, 1))[:sessions]
	out := make([]*bar.Series, n)
	for k := range out {
		out[k] = randomSeries(r, fmt.Sprintf("S%02d", k), days)
	}
	return out
}

func cents(x float64) float64 { return math.Max(1, math.Round(x*100)) / 100 }

func randomSeries(r *rand.Rand, name string, days []instrument.Date) *bar.Series {
	s := &bar.Series{Symbol: name, ID: instrument.ID(name), Frame: bar.Daily, Delisted: instrument.None}
	price, vol := 20+80*r.Float64(), 0.005+0.03*r.Float64()
	for i, d := range days {
		if i > 0 && r.IntN(25) == 0 {
			continue // no trade that day
		}
		if i > 5 && r.IntN(120) == 0 {
			ratio := []float64{2, 3, 1.5, 0.1, 0.5}[r.IntN(5)]
			from := map[float64][2]float64{2: {1, 2}, 3: {1, 3}, 1.5: {2, 3}, 0.1: {10, 1}, 0.5: {2, 1}}[ratio]
			s.Actions.Splits = append(s.Actions.Splits, instrument.Split{Ex: d, From: from[0], To: from[1]})
			price /= ratio
		}
		if i > 5 && r.IntN(40) == 0 {
			cash := cents(price * 0.01 * r.Float64())
			s.Actions.Dividends = append(s.Actions.Dividends, instrument.Dividend{Ex: d, Pay: d + instrument.Date(r.IntN(20)), Cash: cash})
		}
		price = math.Max(0.5, price*(1+vol*r.NormFloat64()))
		open := cents(price * (1 + vol*r.NormFloat64()))
		closing := cents(price)
		hi := cents(math.Max(open, closing) * (1 + vol*r.Float64()))
		lo := cents(math.Min(open, closing) * (1 - vol*r.Float64()))
		volume := float64(1000 + r.IntN(200_000))
		if r.IntN(60) == 0 {
			volume = 0
		}
		s.Time = append(s.Time, d.Nanos())
		s.Open, s.High, s.Low = append(s.Open, open), append(s.High, math.Max(hi, math.Max(open, closing))), append(s.Low, math.Min(lo, math.Min(open, closing)))
		s.Close, s.Volume = append(s.Close, closing), append(s.Volume, volume)
	}
	return s
}

// minutesOf is three minutes of two days in three that make up their bars: from the open to one end of the
// range, then to the other, then to the close. They depend on nothing but the bar.
func minutesOf(s *bar.Series) *bar.Series {
	m := &bar.Series{Symbol: s.Symbol, ID: s.ID, Frame: bar.Minutely, Delisted: instrument.None}
	for i := range s.Len() {
		d := s.Date(i)
		open, _, _, ok := bar.NYSE().Hours(d)
		if !ok || d%3 == 0 {
			continue
		}
		first, second := s.High[i], s.Low[i]
		if d%2 == 0 {
			first, second = second, first
		}
		path := []float64{s.Open[i], first, second, s.Close[i]}
		for k := range 3 {
			a, b := path[k], path[k+1]
			m.Time = append(m.Time, open+int64(k)*60e9)
			m.Open, m.Close, m.Volume = append(m.Open, a), append(m.Close, b), append(m.Volume, s.Volume[i]/3)
			m.High, m.Low = append(m.High, max(a, b)), append(m.Low, min(a, b))
		}
	}
	return m
}

// randomStrategy is a strategy file made of ordinary parts.
func randomStrategy(r *rand.Rand) string {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	if r.IntN(6) == 0 {
		return randomRebalance(pick)
	}
	var b strings.Builder
	short := r.IntN(3) == 0
	entry := pick(
		"close > sma(close, 10)", "crosses_above(sma(close, 5), sma(close, 20))", "rsi(close, 5) < 40",
		"close > highest(high, 10)[1]", "close < close[1] and close[1] < close[2]", "close > 25", "roc(close, 5) > 0")
	exit := pick("close < sma(close, 10)", "rsi(close, 5) > 60", "close < entry_price * 0.97", "open_profit > 0.03", "bars_held >= 4 and close < high_since * 0.98")
	order := pick("", "", "order: limit, price: close * 0.995, ", "order: stop, price: high * 1.002, ", "order: limit, tif: gtc, price: close - atr(5), ", "order: limit, max_wait: 2, price: close, ")
	rank := pick("", "rank: -rsi(close, 5), ", "rank: roc(close, 10), ")
	rank += pick("", "", "rearm: true, ", "cooldown: 4, ", "cancel_when: close < sma(close, 20), ", "add: {most: 2}, ", "add: {most: 3, when: open_profit > 0.02}, ", "rearm: true, add: {when: close > high_since * 0.99}, ")
	if strings.Contains(order, "price:") {
		rank += pick("", "requote: true, ")
	}
	exits := "when: " + exit
	if r.IntN(2) == 0 {
		exits += ", stop: entry_price - 1.5 * atr(5)"
	}
	if r.IntN(2) == 0 {
		exits += ", target: entry_price + 2 * atr(5)"
	}
	if r.IntN(3) == 0 {
		exits += pick(", trail: {fraction: 0.05}", ", trail: {amount: 2 * atr(5)}", ", trail: {fraction: 0.04, intrabar: true}")
	}
	if r.IntN(3) == 0 {
		exits += ", max_bars: 7"
	}
	if short {
		exits = strings.Replace(strings.Replace(exits, "entry_price - 1.5", "entry_price + 1.5", 1), "target: entry_price + 2", "target: entry_price - 2", 1)
		fmt.Fprintf(&b, "account: regt\nshort:\n  entry: {when: %q, %s%s}\n  exit: {%s}\n", entry, order, rank, exits)
		if r.IntN(2) == 0 {
			b.WriteString("long:\n  entry: close < lowest(low, 8)[1]\n  exit: {max_bars: 3}\n")
		}
		b.WriteString("borrow: 1\n")
	} else {
		fmt.Fprintf(&b, "entry: {when: %q, %s%s}\nexit: {%s}\n", entry, order, rank, exits)
		if r.IntN(4) == 0 {
			b.WriteString("account: regt\n")
		}
	}
	text := strings.Replace(b.String(), "borrow: 1\n", "", 1)
	sizes := []string{"weight: 0.3", "weight: 0.25, fractional: true", "shares: 100", "value: 20000", "weight: 0.5, max_positions: 2", "weight: 0.2, max_positions: 4, all_or_none: true", "weight: 0.2, lot: 10", "volatility: {target: 0.1, lookback: 10}", "volatility: {target: 0.2, lookback: 15, most: 0.4}, fractional: true", "kelly: {fraction: 0.3, trades: 5, most: 0.5}", "risk: 0.01"}
	size := sizes[r.IntN(len(sizes)-1)]
	if strings.Contains(exits, "stop:") && !strings.Contains(text, "max_bars: 3") {
		size = sizes[r.IntN(len(sizes))]
	}
	if strings.Contains(size, "max_positions") && strings.Contains(order, "price:") && r.IntN(2) == 0 {
		text = strings.Replace(text, order, order+"overplace: 3, ", 1)
	}
	costs := pick("costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}}", "costs: {commission: {bps: 5}, volume_cap: 0.1}", "costs: {slippage: {bps: 10}, borrow: {annual: 0.05}, volume_cap: {bar: 0.05, open: 0.02, close: 0.02}}", "costs: {commission: {per_order: 1}}")
	fills := pick("", "fills: {ambiguity: best}", "fills: {ambiguity: magnify}", "fills: {ambiguity: nearest, limit_touch: true}", "fills: {market: next_close}", "fills: {end: close}", "fills: {slippage_clip: true}")
	fills += pick("", "", "", "\nlimits: {position: 0.2, gross: 0.7}", "\nlimits: {longs: 2, shorts: 2, net: 0.4}")
	adjust := pick("split", "total", "raw")
	return text + "size: {" + size + "}\n" + costs + "\n" + fills + "\ndata: {adjust: " + adjust + pick("}", ", from: 2015-02-20}") + "\n"
}

// randomRebalance is a strategy file that rebalances.
func randomRebalance(pick func(words ...string) string) string {
	when := pick("every: day", "every: week", "every: month", "every: quarter, drift: 0.05", "drift: 0.08")
	account := pick("", "", "account: regt\n")
	what := []string{"weights: equal", "weights: equal, by: roc(close, 20), top: 2", "weights: inverse_volatility, lookback: 20", "weights: risk_parity, lookback: 30",
		"weights: close", "weights: 0.2, unit: weight", "weights: 15000, unit: value", "weights: 100, unit: shares", "weights: risk_parity, lookback: 25, by: rsi(close, 5), top: 3"}
	if account != "" {
		what = append(what, "weights: rank(close) - 0.5", "by: roc(close, 10), top: 1, bottom: 1", "weights: inverse_volatility, by: roc(close, 10), top: 2, bottom: 2, gross: 1.5", "weights: -50, unit: shares")
	}
	parts := when + ", " + pick(what...) + pick("", ", where: close > sma(close, 20)", ", where: close < sma(close, 5)") + pick("", ", band: 0.02", ", start: false")
	exits := pick("", "", "exit: {stop: entry_price * 0.9}\n", "exit: {trail: {fraction: 0.1}, target: entry_price * 1.1}\n")
	size := pick("", "size: {fractional: true}\n", "size: {lot: 10}\n", "size: {max_positions: 2}\n")
	costs := pick("", "costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}}\n", "costs: {volume_cap: 0.02}\n")
	fills := pick("", "", "limits: {position: 0.15, gross: 0.9}\n") + pick("", "fills: {market: next_close}\n", "fills: {end: close}\n", "fills: {ambiguity: magnify}\n")
	return account + "rebalance: {" + parts + "}\n" + exits + size + costs + fills + "data: {adjust: " + pick("split", "total", "raw") + pick("}", ", from: 2015-02-20}") + "\n"
}

func parse(t testing.TB, text string) *backtest.Config {
	t.Helper()
	cfg, faults := strategy.Parse("random", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return cfg
}

func memory(t testing.TB, series []*bar.Series) bar.Source {
	t.Helper()
	return source(t, nil, series)
}

// source is series, and the minutes within them if cfg looks at any.
func source(t testing.TB, cfg *backtest.Config, series []*bar.Series) bar.Source {
	t.Helper()
	all := slices.Clone(series)
	for _, s := range series {
		if cfg != nil && cfg.Fills.Ambiguity == fill.Magnify && s.Frame == bar.Daily {
			all = append(all, minutesOf(s))
		}
	}
	src, err := bar.NewMemory(bar.NYSE(), all...)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func play(t testing.TB, text string, series []*bar.Series) *backtest.Result {
	t.Helper()
	cfg := parse(t, text)
	res, err := backtest.Run(t.Context(), cfg, source(t, cfg, series))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return res
}
