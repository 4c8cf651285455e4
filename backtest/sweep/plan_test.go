package sweep_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/instrument"
	"backtester/backtest/sweep"
)

// plain is what the fastest paths ask of sizes and costs.
const plain = `
size: {weight: 1, fractional: true}
costs: {commission: {bps: 10}, slippage: none}
search: {min_trades: 0}
`

// Which strategies take which path, by family of indicators and way out; and rows are those of the event engine on
// every one.
func TestPathsByStrategy(t *testing.T) {
	src := source(t, walk(1, "A", 400), walk(2, "B", 400))
	for _, c := range []struct {
		name, text, rest string
		path             sweep.Path
		reason           string // how the first one begins
	}{
		{"two averages compared", "params: {a: 2..10, b: 11..20}\nentry: sma(close, a) > sma(close, b)\nexit: sma(close, a) < sma(close, b)", plain, sweep.Sorted, ""},
		{"averages of two kinds", "params: {a: 2..10, b: 11..20}\nentry: ema(close, a) > wma(close, b)\nexit: ema(close, a) < wma(close, b)", plain, sweep.Sorted, ""},
		{"a crossing", "params: {a: 2..10, b: 11..20}\nentry: crosses_above(hma(close, a), kama(close, b))\nexit: crosses_below(hma(close, a), kama(close, b))", plain, sweep.Sorted, ""},
		{"the price and an average", "params: {a: 2..11}\nentry: close > dema(close, a)\nexit: close < dema(close, a)", plain, sweep.Sorted, ""},
		{"two oscillators", "params: {a: 3..10, b: 11..19}\nentry: rsi(close, a) > mfi(b)\nexit: rsi(close, a) < mfi(b)", plain, sweep.Sorted, ""},
		{"momentum against zero", "params: {a: 3..12}\nentry: roc(close, a) > 0\nexit: roc(close, a) < 0", plain, sweep.Sorted, ""},
		{"no way out", "params: {a: 2..11}\nentry: close > sma(close, a)", plain, sweep.Sorted, ""},
		{"a threshold and back", "params: {a: 3..12, b: [25, 30]}\nentry: rsi(close, a) < b\nexit: rsi(close, a) > 60", plain, sweep.Sparse, "entry and exit compare different numbers"},
		{"two conditions", "params: {a: 3..12}\nentry: close > sma(close, a) and adx(14) > 20\nexit: close < sma(close, a)", plain, sweep.Sparse, "the entry is not one comparison"},
		{"Bollinger bands", "params: {a: 5..12, k: [1.5, 2]}\nentry: close < bbands(close, a, k).lower\nexit: close > bbands(close, a, k).middle", plain, sweep.Sparse, "entry and exit compare different numbers"},
		{"Donchian channel", "params: {a: 5..12, b: [3, 4]}\nentry: close > highest(high, a)[1]\nexit: close < lowest(low, b)[1]", plain, sweep.Sparse, "entry and exit compare different numbers"},
		{"Keltner channel", "params: {a: 5..12, k: [1, 2]}\nentry: close > ema(close, a) + k * atr(a)\nexit: close < ema(close, a)", plain, sweep.Sparse, "entry and exit compare different numbers"},
		{"a stop", "params: {a: 2..11}\nentry: close > sma(close, a)\nexit: {when: close < sma(close, a), stop: entry_price * 0.95}", plain, sweep.Sparse, "there are several ways out"},
		{"bracket", "params: {s: 1..4, u: 1..4}\nentry: crosses_above(sma(close, 3), sma(close, 8))\nexit: {stop: entry_price * (1 - s / 100), target: entry_price * (1 + u / 100)}", plain, sweep.Sparse, "there are several ways out"},
		{"stop and target of the range", "params: {a: 2..5, k: [1, 2]}\nentry: close > sma(close, a)\nexit: {stop: entry_price - k * atr(5), target: entry_price + 2 * atr(5)}", plain, sweep.Sparse, "there are several ways out"},
		{"a range of dates", "data: {from: 2003-02-01}\nparams: {a: 2..10, b: 11..20}\nentry: sma(close, a) > sma(close, b)\nexit: sma(close, a) < sma(close, b)", plain, sweep.Sparse, "with data.from each combination has a history"},
		{"a trailing stop", "params: {a: 2..11}\nentry: close > sma(close, a)\nexit: {trail: {fraction: 0.05}}", plain, sweep.Fused, "a trailing stop follows the position"},
		{"a ratchet", "params: {a: 2..11}\nentry: close > sma(close, a)\nexit: {ratchet: true, stop: close - 2 * atr(5)}", plain, sweep.Fused, "a stop or target is more than a column"},
		{"time in the position", "params: {a: 2..11}\nentry: close > sma(close, a)\nexit: bars_held >= 5", plain, sweep.Fused, "an exit looks at the position"},
		{"whole shares", "params: {a: 2..11}\nentry: close > sma(close, a)\nexit: close < sma(close, a)", "search: {min_trades: 0}\n", sweep.Fused, "a position is not all of the cash"},
		{"commission a share", "params: {a: 2..11}\nentry: close > sma(close, a)\nexit: close < sma(close, a)", strings.Replace(plain, "bps: 10", "per_share: 0.005, min: 1", 1), sweep.Fused, "commission is not proportional"},
		{"a limit order", "params: {a: 2..5}\nentry: {when: close > sma(close, a), order: limit, price: close * 0.99}\nexit: close < sma(close, a)", plain, sweep.Event, "entries are not market orders"},
		{"short", "params: {a: 2..5}\naccount: regt\nshort: {entry: close < sma(close, a), exit: close > sma(close, a)}", plain, sweep.Event, "it sells short"},
		{"a frozen level", "params: {a: 2..5}\nentry: close > sma(close, a)\nexit: {stop: at_entry(close - 2 * atr(5))}", plain, sweep.Event, "levels are frozen"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := parse(t, c.text+"\n"+c.rest)
			o := sweep.Options{Independent: true, Workers: 1}
			plan, err := sweep.NewPlan(context.Background(), cfg, src, o)
			if err != nil {
				t.Fatal(err)
			}
			first := ""
			if len(plan.Reasons) > 0 {
				first = plan.Reasons[0]
			}
			if plan.Path != c.path || !strings.HasPrefix(first, c.reason) || (c.reason == "") != (first == "") {
				t.Errorf("path %s: %q, want %s: %q", plan.Path, plan.Reasons, c.path, c.reason)
			}
			lines, err := plan.Explain(context.Background())
			if err != nil || c.reason != "" && !strings.Contains(strings.Join(lines, "\n"), "no faster one: "+c.reason) {
				t.Errorf("explained as %q (%v)", lines, err)
			}
			if c.path == sweep.Event {
				if !slices.Contains(lines, "path: event") {
					t.Errorf("explained as %q", lines)
				}
				return
			}
			got, s := rows(t, cfg, src, o)
			for _, taken := range s.Paths { // what rows did is what was said
				if !strings.Contains(strings.Join(lines, "\n"), "path: "+taken.Path.String()+" (of ") || taken.Reason != "" && !slices.Contains(lines, "no faster one: "+taken.Reason) {
					t.Errorf("explained as %q, rows took %+v", lines, taken)
				}
			}
			// With one number for each combination there is nothing to keep in order.
			if first := s.Paths[0]; first.Path != c.path && (len(plan.Space.Names) > 1 || first.Reason != "there are hardly more pairs than numbers") {
				t.Errorf("no row took the path of the plan: %+v", s.Paths)
			}
			o.Fastest = sweep.Event
			want, _ := rows(t, cfg, src, o)
			traded := false
			for i := range want {
				for k, key := range plan.Metrics {
					if !sweep.Near(got[i].Metrics[k], want[i].Metrics[k]) {
						t.Fatalf("%s of %v is %v, the event engine says %v", key, got[i].Params, got[i].Metrics[k], want[i].Metrics[k])
					}
					traded = traded || key == "trades" && want[i].Metrics[k] > 0 || key == "exposure" && want[i].Metrics[k] > 0
				}
			}
			if !traded {
				t.Error("nothing is ever traded")
			}
		})
	}
}

// Everything that keeps a strategy off the next faster path is named at once, so that taking away what was named is
// enough; and a row says what the path before its own could not do, not what one before that could not.
func TestEveryReasonIsNamed(t *testing.T) {
	const rules = "params: {a: 2..5}\nentry: close > sma(close, a)\n"
	src := source(t, walk(1, "A", 400))
	for _, c := range []struct {
		text string
		path sweep.Path
		want []string
	}{
		{rules + "account: regt\nshort: {entry: close < sma(close, a)}\nexit: {trail: {fraction: 0.05}}\ncosts: {regulatory: us}\n", sweep.Event,
			[]string{"it sells short", "the account has margin or interest", "costs are more than commission, slippage and a volume cap"}},
		{rules + "exit: {trail: {fraction: 0.05}, when: bars_held > 3}\ncosts: {commission: {per_share: 0.01}}\n", sweep.Fused,
			[]string{"commission is not proportional to the traded value", "a position is not all of the cash (size: {weight: 1, fractional: true})",
				"an exit looks at the position at every close", "a trailing stop follows the position"}},
		{rules + "data: {from: 2003-02-01}\nexit: {stop: entry_price * 0.9, target: entry_price * 1.1}\n" + plain, sweep.Sparse,
			[]string{"with data.from each combination has a history of its own", "there are several ways out"}},
	} {
		plan, err := sweep.NewPlan(context.Background(), parse(t, c.text), src, sweep.Options{Independent: true})
		if err != nil {
			t.Fatal(err)
		}
		if plan.Path != c.path || !slices.Equal(plan.Reasons, c.want) {
			t.Errorf("path %s: %q, want %s: %q", plan.Path, plan.Reasons, c.path, c.want)
		}
	}
	split := walk(1, "A", 400)
	split.Actions.Splits = []instrument.Split{{Ex: instrument.DateOfNanos(split.Time[200]), From: 1, To: 2}}
	split.Actions.Dividends = []instrument.Dividend{{Ex: instrument.DateOfNanos(split.Time[350]), Cash: 0.1}}
	got, _ := rows(t, parse(t, pairs), source(t, split), sweep.Options{Independent: true})
	seen := map[sweep.Path]bool{}
	for _, r := range got {
		seen[r.Path] = true
		if want := map[sweep.Path]string{sweep.Sparse: "prices are restated for corporate actions", sweep.Fused: "a dividend falls into a position"}[r.Path]; r.Reason != want {
			t.Errorf("%v took %s: %q, want %q", r.Params, r.Path, r.Reason, want)
		}
	}
	if !seen[sweep.Sparse] || !seen[sweep.Fused] {
		t.Errorf("the paths taken are %v", seen)
	}
}
