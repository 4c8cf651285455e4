package report_test

import (
	"fmt"
	"math"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
)

// dice is a small generator whose numbers are the same on every machine.
type dice uint64

// normal is about a standard normal number: the sum of 12 uniform ones.
func (d *dice) normal() float64 {
	s := -6.0
	for range 12 {
		*d = *d*6364136223846793005 + 1442695040888963407
		s += float64(*d>>11) / (1 << 53)
	}
	return s
}

func tradingDays(from instrument.Date, n int) []instrument.Date {
	var out []instrument.Date
	for d := from; len(out) < n; d++ {
		if wd := d.Weekday(); wd != time.Saturday && wd != time.Sunday {
			out = append(out, d)
		}
	}
	return out
}

func times(dates []instrument.Date) backtest.Times {
	t := backtest.Times{Daily: true}
	for _, d := range dates {
		t.Nanos = append(t.Nanos, d.Nanos())
	}
	return t
}

// pullback is a run over n sessions that looks like a real one: a market with crises, a strategy that
// is in it some of the time.
func pullback(n int) *backtest.Result {
	d := dice(42)
	dates := tradingDays(instrument.NewDate(2014, 12, 31), n+1)
	bench, equity := []float64{100000}, []float64{100000}
	in := stats.Input{Dates: dates, PeriodsPerYear: 252, TotalBars: int64(n), Complete: true}
	r := &backtest.Result{Schema: 1, EngineVersion: "1", Strategy: "pullback"}
	vol, held, symbols := .01, 0, []string{"AAPL", "MSFT", "JPM", "XOM", "JNJ", "KO"}
	for t := 1; t <= n; t++ {
		vol += .05*(.009-vol) + .0009*d.normal()*boolean(t%7 == 0)
		vol = math.Min(math.Max(vol, .004), .035)
		m := .0005 + vol*d.normal()
		if t%1100 > 1040 {
			m -= .006
		}
		bench = append(bench, bench[t-1]*(1+m))
		x := .00002
		if held > 0 {
			x += .55*m + .0003 + .003*d.normal()
			held--
		}
		equity = append(equity, equity[t-1]*(1+x))
		if held == 0 && t+12 < n && d.normal() > .8 {
			held = 2 + int(math.Abs(d.normal())*6)
			r.Trades = append(r.Trades, trade(&d, dates, t, held, symbols[t%len(symbols)]))
		}
		if held > 0 {
			in.InMarketBars++
		}
	}
	finish(r, in, equity, bench, symbols)
	return r
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func trade(d *dice, dates []instrument.Date, t, held int, symbol string) backtest.Trade {
	p := 60 + 40*math.Abs(d.normal())
	ret := .006 + .03*d.normal()
	q := math.Floor(10000 / p)
	reasons := []string{"signal", "stop", "max_bars"}
	reason := reasons[0]
	if ret < -.03 {
		reason = reasons[1]
	} else if held > 8 {
		reason = reasons[2]
	}
	return backtest.Trade{Symbol: symbol, Side: "long", Quantity: q, EntryTime: dates[t].String(), EntryPrice: p,
		ExitTime: dates[t+held].String(), ExitPrice: p * (1 + ret), PnL: q*p*ret - 2, Return: ret - 2/(q*p), Commission: 2,
		Bars: held, MAE: math.Min(ret, 0) - .01*math.Abs(d.normal()), MFE: math.Max(ret, 0) + .01*math.Abs(d.normal()), ExitReason: reason}
}

// finish fills in what follows from equity and trades.
func finish(r *backtest.Result, in stats.Input, equity, bench []float64, symbols []string) {
	if n := len(r.Trades); n > 0 {
		r.Trades[n-1].Open, r.Trades[n-1].ExitReason = true, ""
	}
	in.Equity, in.Benchmark = equity, bench
	for _, t := range r.Trades {
		in.Trades = append(in.Trades, stats.Trade{PnL: t.PnL, Return: t.Return, EntryValue: t.Quantity * t.EntryPrice, Bars: t.Bars,
			Long: true, Open: t.Open, MAE: t.MAE, MFE: t.MFE})
		in.Commission += t.Commission
		in.Slippage += 1.5
		in.Traded += 2 * t.Quantity * t.EntryPrice
		side := []string{"buy", "sell"}
		r.Fills = append(r.Fills, backtest.Fill{Time: t.EntryTime, Decided: t.EntryTime, Symbol: t.Symbol, Side: side[0], Quantity: t.Quantity,
			Reference: t.EntryPrice, Price: t.EntryPrice, Commission: 1, Rule: "open", Reason: "entry"})
	}
	r.Metrics = stats.Compute(in)
	r.Equity = backtest.Curve{Time: times(in.Dates), Value: equity}
	r.Benchmark = &backtest.Curve{Time: times(in.Dates), Value: bench}
	cfg := backtest.Default()
	cfg.Name, cfg.Benchmark = r.Strategy, "SPY"
	cfg.Notes = "Buy dips of strong stocks, sell into strength."
	cfg.Data.From, cfg.Data.To, cfg.Data.Bars = in.Dates[1], in.Dates[len(in.Dates)-1], bar.Daily
	cfg.Universe.Symbols = symbols
	cfg.Signals = append(cfg.Signals, signal("up", "close > sma(close, 200)"), signal("dip", "rsi(close, 14) < 30"))
	cfg.Long = side(order.Entry{When: "up and dip", Order: order.Limit, Price: "close * 0.99", TIF: order.DayOrder},
		order.Exit{When: "close > sma(close, 20)", Stop: "entry_price - 2 * atr(14)", MaxBars: 10})
	cfg.Size = order.Size{Weight: .1, MaxPositions: 10, Lot: 1}
	cfg.Costs = fill.Costs{Commission: fill.Commission{PerShare: .005, Min: 1}, Slippage: fill.Slippage{BPS: 2}}
	r.Config = cfg
	r.Fingerprint = "b1946ac92492d2347c6235b4d2611184c5b0a0b6a3bd2b4b8d1d0e5a2d6f3c11"
	r.Data = backtest.DataInfo{Symbols: symbols, From: in.Dates[1].String(), To: in.Dates[len(in.Dates)-1].String(),
		Universe: &backtest.UniverseInfo{Candidates: len(symbols), Members: len(symbols), Dead: 1, DeadShare: 1 / float64(len(symbols))},
		Decision: backtest.Session(in.Dates[0].String()), Warmup: 200, SHA256: "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}
	for i, s := range symbols {
		c := backtest.Coverage{Symbol: s, First: "2014-03-14", Last: r.Data.To, Bars: len(equity) + 199, Warm: 200}
		if i == 3 {
			c.Last, c.Bars, c.Ended, c.Missing = "2022-06-30", 1886+200, "delisted", 2
		}
		r.Data.Bars += int64(c.Bars)
		r.Data.Coverage = append(r.Data.Coverage, c)
	}
	r.Counts = backtest.Counts{Bars: int64(6 * len(equity)), Signals: map[string]int64{"up": 9120, "dip": 814, "entry": 402}, Orders: 402,
		Refused: map[string]int64{"max_positions": 12}, Expired: 61, AmbiguousBars: 9}
	r.Path = "event: reference engine"
	r.Warnings = []backtest.Warning{{Code: "order_by_symbol", Message: "cash or slots did not suffice for every entry and no rank says which come first: symbols in alphabetical order did (set entry.rank)"}}
}

// demo is pullback on made-up data.
func demo(n int) *backtest.Result {
	r := pullback(n)
	r.Data.Synthetic = true
	r.Warnings = append([]backtest.Warning{{Code: "synthetic_data", Message: "the prices are made up by the demo market: results mean nothing about real ones"}}, r.Warnings...)
	return r
}

// still is a run in which nothing happened.
func still() *backtest.Result {
	r := pullback(300)
	for i := range r.Equity.Value {
		r.Equity.Value[i] = 100000
	}
	r.Trades, r.Fills, r.Benchmark, r.Config.Benchmark = []backtest.Trade{}, nil, nil, ""
	dates := tradingDays(instrument.NewDate(2014, 12, 31), 301)
	r.Metrics = stats.Compute(stats.Input{Dates: dates, Equity: r.Equity.Value, PeriodsPerYear: 252, TotalBars: 300})
	r.Counts = backtest.Counts{Bars: 1800, Warming: 1190, Signals: map[string]int64{"up": 0, "dip": 41, "entry": 0}}
	return r
}

// hostile is a run whose names try to break out of wherever they are shown.
func hostile() *backtest.Result {
	r := demo(260)
	evil := "</script><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\x1b]0;owned\x07\u202Egnp.exe"
	r.Strategy, r.Config.Name, r.Config.Notes, r.Config.Benchmark = evil, evil, evil, "\"><svg onload=alert(3)>"
	for i := range r.Trades {
		r.Trades[i].Symbol, r.Trades[i].ExitReason = "=cmd|' /C calc'!A0", "@SUM(1+1)*cmd"
	}
	r.Data.Symbols = []string{evil, "=1+1", "+1", "-1", "@x", "\t=1", "a\nb"}
	r.Data.Coverage[0].Symbol, r.Data.Coverage[0].Ended = evil, evil
	r.Warnings = append(r.Warnings, backtest.Warning{Code: "x", Message: evil})
	r.Counts.Refused[evil] = 3
	r.Fingerprint, r.Data.SHA256, r.EngineVersion, r.Path = evil, evil, evil, evil
	return r
}

// minutes is a run on 5-minute bars with n sessions.
func minutes(n int) *backtest.Result {
	r := pullback(n)
	dates := tradingDays(instrument.NewDate(2014, 12, 31), n+1)
	c := backtest.Curve{}
	d := dice(7)
	for i, day := range dates {
		for k := range 78 {
			if i == 0 && k < 77 {
				continue
			}
			// 09:35 to 16:00 in New York, taken as UTC-5.
			c.Time.Nanos = append(c.Time.Nanos, day.Nanos()+int64((14*60+35+5*k)*60)*1e9)
			c.Value = append(c.Value, r.Equity.Value[i]*(1+.001*d.normal()*boolean(k < 77)))
		}
	}
	r.Equity = c
	return r
}

func named(r *backtest.Result, f string, a ...any) *backtest.Result {
	r.Strategy = fmt.Sprintf(f, a...)
	return r
}

func signal(name, expr string) strategy.Signal { return strategy.Signal{Name: name, Expr: expr} }

func side(e order.Entry, x ...order.Exit) *strategy.Side {
	return &strategy.Side{Entry: e, Exits: x}
}

// datesOf are the first n session dates of a daily run.
func datesOf(r *backtest.Result, n int) []instrument.Date {
	out := make([]instrument.Date, n)
	for i := range out {
		out[i] = r.Equity.Time.Date(i)
	}
	return out
}
