package validate_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
	"backtester/backtest/validate"
)

// market is n symbols of daily bars, with missing bars, splits and dividends.
func market(t testing.TB, seed uint64, n, sessions int) bar.Source {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	days := bar.NYSE().Sessions(instrument.NewDate(2015, 1, 1), instrument.NewDate(2030, 1, 1))[:sessions]
	var all []*bar.Series
	for k := range n {
		s := &bar.Series{Symbol: fmt.Sprintf("S%02d", k), ID: instrument.ID(fmt.Sprint(k)), Frame: bar.Daily, Delisted: instrument.None}
		price := 40 + 60*r.Float64()
		for i, d := range days {
			if i > 0 && r.IntN(30) == 0 {
				continue
			}
			if i > 5 && r.IntN(90) == 0 {
				s.Actions.Splits = append(s.Actions.Splits, instrument.Split{Ex: d, From: 1, To: 2})
				price /= 2
			}
			if i > 5 && r.IntN(40) == 0 {
				s.Actions.Dividends = append(s.Actions.Dividends, instrument.Dividend{Ex: d, Pay: d + 9, Cash: math.Round(price) / 100, Declared: d - 20})
			}
			price = max(1, price*(1+0.02*r.NormFloat64()))
			open := price * (1 + 0.01*r.NormFloat64())
			s.Time = append(s.Time, d.Nanos())
			s.Open, s.Close = append(s.Open, open), append(s.Close, price)
			s.High, s.Low = append(s.High, max(open, price)*1.01), append(s.Low, min(open, price)*0.99)
			s.Volume = append(s.Volume, float64(10_000+r.IntN(90_000)))
		}
		all = append(all, s)
	}
	src, err := bar.NewMemory(bar.NYSE(), all...)
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func parse(t testing.TB, text string) *backtest.Config {
	t.Helper()
	cfg, faults := strategy.Parse("proof", []byte(text))
	if err := faults.Err(); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return cfg
}

func prove(t testing.TB, s validate.Subject, src bar.Source) *validate.Proof {
	t.Helper()
	p, err := validate.Prove(t.Context(), s, src, validate.Plan{Cuts: 6, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func outcome(p *validate.Proof, name string) validate.Check {
	for _, c := range p.Checks {
		if c.Name == name {
			return c
		}
	}
	return validate.Check{}
}

// What the product offers is proved on data with splits, dividends and gaps: rules, longer bars, other
// symbols, comparisons, universes, scripts.
func TestHonestStrategiesHold(t *testing.T) {
	for name, text := range map[string]string{
		"cross":     "entry: crosses_above(sma(close, 5), sma(close, 15))\nexit: {when: close < sma(close, 5), stop: entry_price - 2 * atr(5), trail: {fraction: 0.1}}\nsize: {weight: 0.3}\n",
		"limits":    "entry: {when: rsi(close, 5) < 40, order: limit, price: close * 0.99, rank: -rsi(close, 5)}\nexit: {target: entry_price * 1.03, max_bars: 5, stop: at_entry(low), ratchet: true}\nsize: {risk: 0.01, max_positions: 2}\n",
		"weekly":    "entry: close > tf(\"1w\").close and sym(\"S00\").close > sym(\"S00\").open\nexit: close < tf(\"1w\", sma(close, 3))\nsize: {weight: 0.4}\n",
		"ranks":     "universe: {where: volume > 12000, top: 2, by: roc(close, 10)}\nuniverse_exit: true\nentry: rank(close) > 0.3\nexit: {max_bars: 4}\nsize: {weight: 0.4}\n",
		"announced": "entry: days_to_dividend < 12 and days_to_dividend > 2\nexit: days_since_dividend > 1 and days_since_dividend < 5\nsize: {weight: 0.3}\n",
		"adjusted":  "data: {adjust: total}\nentry: ema(close, 3) > ema(close, 6)\nexit: ema(close, 3) < ema(close, 6)\nsize: {weight: 0.3, fractional: true}\n",
		"script": "signals: {fast: 'ema(close, 5)', slow: 'sma(close, 20)'}\nscript: |\n  history = 10\n  rebalance = \"week\"\n  def on_bar(now):\n    for b in now.bars:\n      if b.ready and b.fast > b.slow and not b.shares and not b.working:\n" +
			"        now.enter(b, weight=0.2, stop=min(b.history(\"low\", 5)))\n  def on_rebalance(now):\n    for b in now.held:\n      if b.slow and b.close < b.slow:\n        now.exit(b)\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := parse(t, text)
			src := market(t, 7, 4, 160)
			p := prove(t, validate.Subject{Config: cfg}, src)
			if !p.Holds || p.Leak != nil {
				b, _ := json.MarshalIndent(p, "", " ")
				t.Fatalf("%s", b)
			}
			for _, check := range []string{"fills", "static", "truncated", "absent", "random", "warmup"} {
				if c := outcome(p, check); c.Outcome != validate.Holds {
					t.Errorf("%s: %+v", check, c)
				}
			}
			full, err := backtest.Follow(t.Context(), cfg, src, backtest.Following{})
			if err != nil || len(full.Events) < 10 {
				t.Errorf("%v: only %d events: the proof shows little", err, len(full.Events))
			}
		})
	}
}

// cheat buys when a later bar of a symbol is higher. It loads the bars itself, and with them the future.
type cheat struct {
	closes map[int64]float64 // of the peeked symbol, by the start of its bars
	times  []int64
	ahead  int
}

func newCheat(src bar.Source, symbol, column string, ahead int) *cheat {
	s, err := src.Load(context.Background(), bar.Request{Symbol: symbol, Frame: bar.Daily, From: instrument.None, To: instrument.None})
	if err != nil {
		return &cheat{}
	}
	c := &cheat{closes: map[int64]float64{}, times: s.Time, ahead: ahead}
	for i, ns := range s.Time {
		c.closes[ns] = map[string][]float64{"close": s.Close, "volume": s.Volume, "low": s.Low}[column][i]
	}
	return c
}

func (c *cheat) OnBar(now *hook.View) ([]hook.Intent, error) {
	for k, ns := range c.times {
		if ns != now.Now().Time || k+c.ahead >= len(c.times) || !now.Traded(1) {
			continue
		}
		if c.closes[c.times[k+c.ahead]] > c.closes[ns]*1.02 {
			return []hook.Intent{{Do: hook.Enter, Symbol: 1, Side: order.Buy, Shares: 10}}, nil
		}
		return []hook.Intent{{Do: hook.Exit, Symbol: 1}}, nil
	}
	return nil, nil
}

// A look-ahead is found, with the decision, the bar and the value that leaked.
func TestCheatsAreCaught(t *testing.T) {
	src := market(t, 11, 3, 120)
	for _, c := range []struct {
		symbol, column string
		ahead          int
	}{{"S01", "close", 1}, {"S02", "close", 1}, {"S00", "volume", 3}, {"S01", "low", 2}} {
		cfg := strategy.Default()
		p := prove(t, validate.Subject{Config: cfg, Strategy: func(src bar.Source) hook.Strategy {
			return newCheat(src, c.symbol, c.column, c.ahead)
		}}, src)
		l := p.Leak
		if p.Holds || l == nil || outcome(p, "random").Outcome != validate.Fails && outcome(p, "absent").Outcome != validate.Fails {
			t.Errorf("%+v is not found: %+v", c, p)
			continue
		}
		if outcome(p, "static").Outcome != validate.Holds || outcome(p, "fills").Outcome != validate.Holds {
			t.Errorf("%+v: %+v", c, p.Checks)
		}
		series, err := src.Load(t.Context(), bar.Request{Symbol: c.symbol, Frame: bar.Daily, From: instrument.None, To: instrument.None})
		if err != nil {
			t.Fatal(err)
		}
		at := -1
		for i := range series.Time {
			if series.Date(i).String() == l.Time {
				at = i
			}
		}
		if at < 0 {
			t.Errorf("%+v: the decision of %s is not on a bar of %s", c, l.Time, c.symbol)
			continue
		}
		from := at + c.ahead
		want := map[string][]float64{"close": series.Close, "volume": series.Volume, "low": series.Low}[c.column][from]
		if l.Symbol != "S01" || l.FromTime != series.Date(from).String() || l.FromColumn != c.column || l.FromSymbol != c.symbol || l.FromValue == nil || *l.FromValue != want {
			b, _ := json.Marshal(l)
			t.Errorf("%+v: leak %s, want %s of %s on %s, %g", c, b, c.column, c.symbol, series.Date(from), want)
		}
	}
}

// counter decides by how many bars there will be.
type counter struct{ bars int }

func (c *counter) OnBar(now *hook.View) ([]hook.Intent, error) {
	if now.Bars(0) == c.bars-30 {
		return []hook.Intent{{Do: hook.Enter, Side: order.Buy, Shares: 1}}, nil
	}
	return nil, nil
}

// Knowing when the data ends is looking ahead as well, though no value leaks.
func TestKnowingTheEndIsCaught(t *testing.T) {
	src := market(t, 5, 1, 100)
	p := prove(t, validate.Subject{Config: strategy.Default(), Strategy: func(src bar.Source) hook.Strategy {
		s, err := src.Load(context.Background(), bar.Request{Symbol: "S00", Frame: bar.Daily, From: instrument.None, To: instrument.None})
		if err != nil {
			return &counter{}
		}
		return &counter{s.Len()}
	}}, src)
	if p.Holds || outcome(p, "truncated").Outcome != validate.Fails || outcome(p, "random").Outcome != validate.Holds || p.Leak == nil || p.Leak.FromTime != "" {
		t.Errorf("%+v, leak %+v", p.Checks, p.Leak)
	}
}

func TestThisCloseFails(t *testing.T) {
	p := prove(t, validate.Subject{Config: parse(t, "entry: close > sma(close, 5)\nexit: {max_bars: 2}\nfills: {market: this_close}\n")}, market(t, 2, 1, 80))
	if c := outcome(p, "fills"); p.Holds || c.Outcome != validate.Fails || !strings.Contains(c.Detail, "this_close") {
		t.Errorf("%+v", p.Checks)
	}
}

// Warm-up: the error of recursive averages is measured; a level that depends on all history there is, is
// found.
func TestWarmup(t *testing.T) {
	src := market(t, 4, 2, 700)
	p := prove(t, validate.Subject{Config: parse(t, "data: {from: 2017-01-03}\nentry: close > ema(close, 10)\nexit: close < ema(close, 10)\nsize: {weight: 0.4}\n")}, src)
	w := p.Warmup
	if !p.Holds || w.Extra < 300 || w.From != "2017-01-03" || len(w.Columns) != 1 || w.Columns[0].Name != "ema(close, 10)" || !(w.Columns[0].Error > 0 && w.Columns[0].Error < 1e-8) {
		t.Errorf("%+v, %+v", p.Checks, w)
	}
	p = prove(t, validate.Subject{Config: parse(t, "data: {from: 2017-01-03}\nentry: sma(close, 10) > sma(close, 30)\nexit: {max_bars: 3}\nsize: {weight: 0.4}\n")}, src)
	for _, c := range p.Warmup.Columns { // windows are exact but for the last bit of a sliding sum
		if c.Error > 1e-14 {
			t.Errorf("%s is off by %g", c.Name, c.Error)
		}
	}
	if !p.Holds || p.Warmup.Extra < 300 {
		t.Errorf("windows: %+v, %+v", p.Checks, p.Warmup)
	}
	p = prove(t, validate.Subject{Config: parse(t, "data: {from: 2017-01-03}\nentry: obv() > 500000\nexit: {max_bars: 3}\nsize: {weight: 0.4}\n")}, src)
	if c := outcome(p, "warmup"); p.Holds || c.Outcome != validate.Fails || outcome(p, "random").Outcome != validate.Holds {
		t.Errorf("levels of a sum without end: %+v", p.Checks)
	}
	p = prove(t, validate.Subject{Config: parse(t, "entry: close > sma(close, 60)\n")}, market(t, 4, 1, 62))
	if c := outcome(p, "warmup"); c.Outcome != validate.Skipped {
		t.Errorf("without further history: %+v", c)
	}
}

// Minutes: a day bar is readable at the close only, and so on; the proof cuts within sessions.
func TestMinutes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	s := &bar.Series{Symbol: "M", Frame: bar.Minutely, Session: bar.Regular, Delisted: instrument.None}
	price := 50.0
	for _, d := range bar.NYSE().Sessions(instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 1, 12)) {
		open, closing, _, _ := bar.NYSE().Hours(d)
		for at := open; at < closing; at += 60e9 {
			o := price
			price = max(1, price*(1+0.001*r.NormFloat64()))
			s.Time = append(s.Time, at)
			s.Open, s.Close = append(s.Open, o), append(s.Close, price)
			s.High, s.Low, s.Volume = append(s.High, max(o, price)), append(s.Low, min(o, price)), append(s.Volume, 1000)
		}
	}
	src, err := bar.NewMemory(bar.NYSE(), s)
	if err != nil {
		t.Fatal(err)
	}
	p := prove(t, validate.Subject{Config: parse(t, "data: {bars: 1m}\nentry: close > tf(\"1d\").close and close > tf(\"15m\", sma(close, 3))\nexit: {max_bars: 20, when: vwap() > close}\nsize: {weight: 0.5}\n")}, src)
	if !p.Holds {
		b, _ := json.MarshalIndent(p, "", " ")
		t.Errorf("%s", b)
	}
}

// The same proof twice is the same bytes.
func TestProofIsDeterministic(t *testing.T) {
	var first []byte
	for range 2 {
		p := prove(t, validate.Subject{Config: parse(t, "entry: ema(close, 5) > sma(close, 20)\nexit: {max_bars: 4}\n")}, market(t, 3, 2, 120))
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if string(b) != string(first) {
			t.Errorf("%s\n%s", b, first)
		}
	}
}

// leaked checks that a proof names the first bar that decided, and the value that it knew.
func leaked(t *testing.T, p *validate.Proof, s *bar.Series, what string, decides func(i int) bool) {
	t.Helper()
	first := 0
	for !decides(first) {
		first++
	}
	l := p.Leak
	if l == nil || l.What != what || l.Symbol != s.Symbol || l.Time != s.Date(first).String() || l.FromTime != s.Date(first+1).String() ||
		l.FromSymbol != s.Symbol || l.FromColumn != "close" || l.FromValue == nil || *l.FromValue != s.Close[first+1] {
		b, _ := json.Marshal(l)
		t.Errorf("leak %s, want %s at %s of the close of %s, %g", b, what, s.Date(first), s.Date(first+1), s.Close[first+1])
	}
}

// A script that was told the days before rises is found by its decisions; one that was told any days, or
// the days after rises, is not.
func TestScriptsWrittenInHindsightFail(t *testing.T) {
	src := market(t, 22, 1, 400)
	s, err := src.Load(t.Context(), bar.Request{Symbol: "S00", Frame: bar.Daily, From: instrument.None, To: instrument.None})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 1))
	for name, told := range map[string]func(i int) bool{
		"hindsight": func(i int) bool { return s.Close[i+1] > s.Close[i]*1.01 },
		"reaction":  func(i int) bool { return i > 0 && s.Close[i] > s.Close[i-1]*1.01 },
		"dice":      func(int) bool { return r.IntN(3) == 0 },
	} {
		var days strings.Builder
		for i := range s.Len() - 1 {
			if told(i) {
				fmt.Fprintf(&days, "%q: 1, ", s.Date(i))
			}
		}
		p := prove(t, validate.Subject{Config: parse(t, "script: |\n  days = {"+days.String()+"}\n  def on_bar(now):\n    b = now.bar(\"S00\")\n    if str(now.date) in days:\n"+
			"      if not b.shares:\n        now.enter(b)\n    elif b.shares:\n      now.exit(b)\n")}, src)
		c := outcome(p, "decisions")
		wrong := name == "hindsight"
		if wrong != (c.Outcome == validate.Fails) || p.Holds == wrong {
			t.Errorf("%s: %+v, holds %v", name, c, p.Holds)
		}
		if wrong {
			leaked(t, p, s, "decisions", told)
		}
	}
}

// A series that knows the next bar fails the proof, whoever reads it: the bars that the proof changes
// cannot show it.
func TestSeriesOfTheFutureFail(t *testing.T) {
	src := market(t, 21, 1, 260)
	s, err := src.Load(t.Context(), bar.Request{Symbol: "S00", Frame: bar.Daily, From: instrument.None, To: instrument.None})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	up := func(i, k int) float64 { // splits are two for one
		ratio := s.Close[k] / s.Close[i]
		if ratio < 0.7 {
			ratio *= 2
		}
		return ratio - 1
	}
	for name, value := range map[string]func(i int) float64{
		"tomorrow":  func(i int) float64 { return up(i, i+1) },
		"yesterday": func(i int) float64 { return up(max(i-1, 0), i) },
		"noise":     func(int) float64 { return r.NormFloat64() },
	} {
		var b strings.Builder
		b.WriteString("available,value\n")
		for i := range s.Len() - 1 {
			fmt.Fprintf(&b, "%s,%g\n", s.Date(i), value(i))
		}
		for _, text := range []string{
			"series: {x: x.csv}\nentry: x > 0\nexit: x < 0\n",
			"series: {x: x.csv}\nsignals: {up: x > 0}\nscript: |\n  def on_bar(now):\n    for b in now.bars:\n      if b.up and not b.shares:\n        now.enter(b)\n      elif b.shares and not b.up:\n        now.exit(b)\n",
		} {
			cfg := parse(t, text)
			cfg.Attach("x.csv", []byte(b.String()))
			p := prove(t, validate.Subject{Config: cfg}, src)
			c := outcome(p, "series")
			wrong := name == "tomorrow"
			if wrong != (c.Outcome == validate.Fails) || p.Holds == wrong {
				t.Errorf("%s: %+v, holds %v", name, c, p.Holds)
			}
			if wrong {
				leaked(t, p, s, "series x", func(i int) bool { return value(i) > 0 })
			}
		}
	}
	if c := outcome(prove(t, validate.Subject{Config: parse(t, "entry: close > 5\nexit: close < 5\n")}, src), "series"); c.Name != "" {
		t.Errorf("a strategy without series is checked for them: %+v", c)
	}
}

// portfolio puts strategies a, b ... into one account.
func portfolio(t testing.TB, texts ...string) *backtest.Config {
	t.Helper()
	cfg := parse(t, "account: regt\nstrategies: [{file: a.yaml}, {file: b.yaml}]\n")
	for k, text := range texts {
		cfg.Attach(string(rune('a'+k))+".yaml", []byte(text))
	}
	return cfg
}

// The proof of several strategies in one account looks at each of them, and says whose knowledge it was.
func TestPortfoliosAreProved(t *testing.T) {
	honest := "entry: crosses_above(sma(close, 5), sma(close, 15))\nexit: {when: close < sma(close, 5), trail: {fraction: 0.1}}\nsize: {weight: 0.3}\n"
	src := market(t, 22, 2, 400)
	s, err := src.Load(t.Context(), bar.Request{Symbol: "S00", Frame: bar.Daily, From: instrument.None, To: instrument.None})
	if err != nil {
		t.Fatal(err)
	}
	p := prove(t, validate.Subject{Config: portfolio(t, honest, "entry: ema(close, 4) > ema(close, 9)\nexit: {when: ema(close, 4) < ema(close, 9), max_bars: 9}\nsize: {weight: 0.2}\n")}, src)
	for _, check := range []string{"fills", "static", "truncated", "absent", "random", "warmup"} {
		if c := outcome(p, check); c.Outcome != validate.Holds {
			t.Errorf("%s: %+v", check, c)
		}
	}
	if c := outcome(p, "decisions"); c.Name != "" {
		t.Errorf("decisions of code are checked where no code decides: %+v", c)
	}
	var days strings.Builder
	for i := range s.Len() - 1 {
		if s.Close[i+1] > s.Close[i]*1.01 {
			fmt.Fprintf(&days, "%q: 1, ", s.Date(i))
		}
	}
	cheat := "script: |\n  days = {" + days.String() + "}\n  def on_bar(now):\n    b = now.bar(\"S00\")\n    if str(now.date) in days:\n" +
		"      if not b.shares:\n        now.enter(b, weight=0.2)\n    elif b.shares:\n      now.exit(b)\n"
	p = prove(t, validate.Subject{Config: portfolio(t, honest, cheat)}, src)
	c := outcome(p, "decisions")
	if c.Outcome != validate.Fails || p.Holds || p.Leak == nil || p.Leak.What != "b: decisions" || !strings.Contains(c.Detail, "b: the first") {
		t.Errorf("a script in an account with another strategy knew the next day: %+v, leak %+v", c, p.Leak)
	}
}
