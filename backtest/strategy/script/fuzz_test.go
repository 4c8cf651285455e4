package script_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"backtester/backtest/expr"
	"backtester/backtest/strategy/hook"
	"backtester/backtest/strategy/script"
)

// Whatever the text, nothing panics, every fault has a place, and every intent that comes out makes
// sense.
func FuzzScript(f *testing.F) {
	for _, seed := range []string{
		"", "x", "def on_bar(now):\n  pass\n", "def on_bar(now):\n  for b in now.bars:\n    if b.ready and not b.shares:\n      now.enter(b, weight=0.1, stop=b.close * 0.9)\n",
		"history = 3\nrebalance = 'week'\ndef on_rebalance(now):\n  for b in now.bars: now.target(b, 1.0 / len(now.bars))\n",
		"def on_fill(now, fill):\n  print(fill.symbol, fill.price)\n", "state = {}\ndef on_bar(now):\n  state.setdefault('n', []).append(now.equity)\n",
		"def on_bar(now):\n  x = [i for i in range(1000000) if i % 7 == 0]\n", "def on_bar(now):\n  x = 'a' * (1 << 40)\n",
		"def on_bar(now):\n  a = b = [1]\n", "def on_bar(now):\n  x = {(1, 2): [3]}\n  x[(1, 2)] += [4]\n  x.update([((5,), 6)])\n",
		"def f(n):\n  return f(n)\ndef on_bar(now):\n  f(1)\n", "def on_bar(now):\n  now.enter('S0', price=float('nan'), order='limit')\n",
		"def on_bar(now):\n  x, (y, z) = 1, (2, 3)\n  (x) += 1\n  [p, q] = [x, y]\n", "if True:\n  on_bar = lambda now: now.exit('S0')\n",
		"def on_bar(now):\n  x = '%s' % ((1, 2),)\n  y = x[::-1] + str(now) + repr(now.bars[0]) + type(now)\n  now.bar(y)\n",
		"def on_bar(now):\n  x = set([1, 2]) | set([3])\n  x.union([4])\n  now.cancel(now.bars[0].symbol)\n",
		"load('a', 'b')", "def on_bar(*now): pass", "def on_bar(now):\n  now.bars[0].history('close', -1 << 3)\n", "\x00", "def on_bar(now):\n  return \"\\", strings.Repeat("(", 200),
		"def on_bar(now):\n  x = 1\n  x[0].y += (1,)\n", "def on_bar(now, x=[1] * 3):\n  x += x\n", "a = 1\na += 1\n" + "def on_bar(now): pass",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		from := time.Now()
		defer func() {
			if took := time.Since(from); took > 20*time.Second {
				t.Fatalf("took %s", took)
			}
		}()
		p, wrong := script.Compile("my.star", text, []string{"fast", "up"})
		checkPlaces(t, wrong)
		if (p == nil) != (len(wrong) > 0) {
			t.Fatalf("program %v with faults %v", p != nil, wrong)
		}
		if p == nil {
			return
		}
		r, err := p.WithLimits(script.Limits{CallSteps: 20_000, Bytes: 1 << 20}).New()
		if err != nil {
			return // the top level took more steps than these
		}
		v := market(3)
		for i := range 4 {
			at(v, i)
			for _, call := range []func() ([]hook.Intent, error){
				func() ([]hook.Intent, error) { return r.OnFill(v, hook.Fill{Symbol: 1, Quantity: 3}) },
				func() ([]hook.Intent, error) { return r.OnRebalance(v) },
				func() ([]hook.Intent, error) { return r.OnBar(v) },
			} {
				out, err := call()
				if err != nil {
					var faults expr.Diagnostics
					if !errors.As(err, &faults) {
						t.Fatalf("%v has no place", err)
					}
					checkPlaces(t, faults)
					return
				}
				for k := range out {
					if err := out[k].Check(v.Allowed()); err != nil {
						t.Fatalf("intent %+v: %v", out[k], err)
					}
				}
			}
		}
	})
}

func checkPlaces(t *testing.T, wrong expr.Diagnostics) {
	t.Helper()
	for _, d := range wrong {
		if d.File != "my.star" || d.Line < 1 || d.Column < 1 || d.Message == "" {
			t.Fatalf("fault without a place or a word: %+v", d)
		}
	}
}

// The cost of a call: one that does nothing, and one that looks at each of 500 symbols.
func BenchmarkCall(b *testing.B) {
	b.Run("nothing", func(b *testing.B) {
		r, v := start(b, onBar("pass")), at(market(1), 5)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.OnBar(v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("500 symbols", func(b *testing.B) {
		r, v := start(b, onBar("for b in now.bars:\n  if b.fast and b.fast > b.close and not b.shares:\n    now.enter(b, stop=b.close * 0.9)")), at(market(500), 5)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.OnBar(v); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/500, "ns/symbol")
	})
}
