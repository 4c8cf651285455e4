package script_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/strategy/hook"
	"backtester/backtest/strategy/script"
)

// books is an account with one position, in symbol 1.
type books struct{}

func (books) Equity() float64    { return 100_000 }
func (books) Cash() float64      { return 40_000 }
func (books) Working(i int) bool { return i == 0 }
func (books) Held() []int32      { return []int32{1} }
func (books) Position(i int) *hook.Position {
	if i != 1 {
		return &hook.Position{}
	}
	return &hook.Position{Shares: 50, EntryPrice: 90, BarsHeld: 3, HighSince: 99, LowSince: 88, Stop: 80}
}

// market is n symbols of 10 daily bars with the closes 100, 101, ...; symbol 2 has every second bar
// only. The signal fast is absent on the first bar, up is true on odd ones.
func market(n int) *hook.View {
	m := &hook.Market{Signals: []string{"fast", "up"}, Account: books{}, Clock: days{}, Allowed: hook.Allowed{Symbols: n, Short: true}}
	for k := range n {
		s := &bar.Series{Symbol: fmt.Sprintf("S%d", k), Frame: bar.Daily, Delisted: instrument.None}
		for i := range 10 {
			if k == 2 && i%2 == 1 {
				continue
			}
			x := float64(100 + i)
			s.Time = append(s.Time, instrument.Date(1000+i).Nanos())
			s.Open, s.High, s.Low = append(s.Open, x), append(s.High, x+2), append(s.Low, x-2)
			s.Close, s.Volume = append(s.Close, x), append(s.Volume, 1e6)
		}
		var steps []int32
		if k == 2 {
			steps = []int32{0, 2, 4, 6, 8}
		}
		fast := make([]float64, s.Len())
		for i := range fast {
			fast[i] = s.Close[i] / 2
		}
		m.Symbols = append(m.Symbols, hook.Symbol{Name: s.Symbol, Bars: s, Step: steps, Values: []hook.Values{{Number: fast}, {True: []uint64{0xAAAA}, Absent: []uint64{1}}}})
	}
	return hook.NewView(m)
}

func at(v *hook.View, i int) *hook.View {
	v.Move(int32(i))
	return v
}

// days are closes of days in a row.
type days struct{}

func (days) Moment(step int32) hook.Moment {
	d := instrument.Date(1000 + step)
	return hook.Moment{Time: d.Nanos(), Date: d, Daily: true}
}

func start(t testing.TB, text string) *script.Run {
	t.Helper()
	p, wrong := script.Compile("my.star", text, []string{"fast", "up"})
	if len(wrong) > 0 {
		t.Fatalf("%v in\n%s", wrong, text)
	}
	r, err := p.New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// onBar is a script of one hook with an indented body.
func onBar(body string) string {
	return "def on_bar(now):\n  " + strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n  ") + "\n"
}

// Every attribute, as the script sees it at the close of the sixth bar.
func TestReading(t *testing.T) {
	for read, want := range map[string]string{
		"now.date":                             `"1972-10-02"`,
		"now.time":                             `"1972-10-02"`,
		"now.equity":                           "100000.0",
		"now.cash":                             "40000.0",
		"[b.symbol for b in now.bars]":         `["S0", "S1"]`,
		"[b.symbol for b in now.held]":         `["S1"]`,
		`now.bar("S1").close`:                  "105.0",
		`now.bar("XX")`:                        "None",
		`now.bar("S2").close`:                  "104.0",
		`now.bar("S2").traded`:                 "False",
		`now.bar("S0").traded`:                 "True",
		"b0.open":                              "105.0",
		"b0.high":                              "107.0",
		"b0.low":                               "103.0",
		"b0.volume":                            "1e+06",
		"b0.fast":                              "52.5",
		"b0.up":                                "True",
		"b0.ready":                             "True",
		"b0.member":                            "True",
		"b0.working":                           "True",
		"b0.shares":                            "0.0",
		"b0.entry_price":                       "None",
		"b1.shares":                            "50.0",
		"b1.entry_price":                       "90.0",
		"b1.bars_held":                         "3",
		"b1.high_since":                        "99.0",
		"b1.low_since":                         "88.0",
		"b1.stop":                              "80.0",
		"b1.target":                            "None",
		`b0.history("close", 3)`:               "[103.0, 104.0, 105.0]",
		`len(b0.history("high", 99))`:          "6",
		`max(b0.history("low", 2))`:            "103.0",
		"sqrt(2.25) + floor(-1.5) + ceil(1.2)": "1.5",
		"isfinite(1e300) and not isfinite(1e300 * 1e300)": "True",
		`"%s=%d" % ("n", 5) + "!"`:                        `"n=5!"`,
		`",".join(["a", "b"]).replace("a", "c")`:          `"c,b"`,
		"sorted([3, 1, 2])[1:]":                           "[2, 3]",
		"(1, 2) + (3,)":                                   "(1, 2, 3)",
		"[x * y for x, y in zip([1, 2], [3, 4])]":         "[3, 8]",
		"{'a': 1}.get('a') + 2 * len('xy') % 3":           "2",
	} {
		r := start(t, onBar("b0 = now.bar('S0')\nb1 = now.bar('S1')\nprint(repr("+read+"))"))
		v := market(3)
		if _, err := r.OnBar(at(v, 5)); err != nil {
			t.Errorf("%s: %v", read, err)
			continue
		}
		if lines, _ := r.Prints(); len(lines) != 1 || lines[0] != want {
			t.Errorf("%s is %v, want %s", read, lines, want)
		}
	}
}

func TestDeciding(t *testing.T) {
	for call, want := range map[string]hook.Intent{
		"now.enter(b)":    {Do: hook.Enter, Side: order.Buy, Order: order.Market, TIF: order.DayOrder},
		"now.enter('S1')": {Do: hook.Enter, Symbol: 1, Side: order.Buy, Order: order.Market, TIF: order.DayOrder},
		"now.enter(b, side='short', order='limit', price=b.close, tif='gtc', shares=10, rank=-1, stop=110, target=None)": {Do: hook.Enter, Side: order.Sell,
			Order: order.Limit, Price: 105, TIF: order.GTC, Shares: 10, Rank: -1, Stop: 110},
		"now.enter(b, order='stop_limit', price=106, limit=107, tif='gtd', until='2024-01-31', weight=0.5)": {Do: hook.Enter, Side: order.Buy,
			Order: order.StopLimit, Price: 106, Limit: 107, TIF: order.GTD, Until: instrument.NewDate(2024, 1, 31), Weight: 0.5},
		"now.enter(b, max_wait=3, risk=0.01, stop=100)": {Do: hook.Enter, Side: order.Buy, Order: order.Market, TIF: order.DayOrder, MaxWait: 3, Risk: 0.01, Stop: 100},
		"now.exit(b, fraction=0.5, reason='half')":      {Do: hook.Exit, Fraction: 0.5, Reason: "half"},
		"now.target(b, -0.25)":                          {Do: hook.Target, Weight: -0.25},
		"now.protect(b, stop=99.5)":                     {Do: hook.Protect, Stop: 99.5},
		"now.cancel(b)":                                 {Do: hook.Cancel},
	} {
		r := start(t, onBar("b = now.bar('S0')\n"+call))
		got, err := r.OnBar(at(market(2), 5))
		if err != nil || !slices.Equal(got, []hook.Intent{want}) {
			t.Errorf("%s: %+v, %v; want %+v", call, got, err, want)
		}
	}
}

// Lists and dicts of the top level live on from call to call, and runs share none of it.
func TestStateSurvives(t *testing.T) {
	p, wrong := script.Compile("my.star", "seen = []\nn = {'fills': 0}\nrebalance = 'quarter'\nhistory = 7\n"+
		onBar("seen.append(now.date)\nprint(len(seen), n['fills'])")+
		"def on_fill(now, fill):\n  n['fills'] += 1\n  print(fill.symbol, fill.side, fill.quantity, fill.price, fill.fee, fill.entry, fill.reason)\n"+
		"def on_rebalance(now):\n  now.target('S0', 1)\n", nil)
	if len(wrong) > 0 {
		t.Fatal(wrong)
	}
	if p.History() != 7 {
		t.Errorf("history %d", p.History())
	}
	for range 2 {
		r, err := p.New()
		if err != nil {
			t.Fatal(err)
		}
		v := market(2)
		for i := range 2 {
			if _, err := r.OnFill(at(v, i), hook.Fill{Symbol: 1, Side: order.Sell, Quantity: 5, Price: 9.5, Fee: 1, Reason: "stop"}); err != nil {
				t.Fatal(err)
			}
			if _, err := r.OnBar(at(v, i)); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"S1 sell 5.0 9.5 1.0 False stop", "1 1", "S1 sell 5.0 9.5 1.0 False stop", "2 2"}
		if lines, _ := r.Prints(); !slices.Equal(lines, want) {
			t.Errorf("printed %q, want %q", lines, want)
		}
		if in, err := r.OnRebalance(at(v, 3)); err != nil || len(in) != 1 || r.Every() != hook.Quarter {
			t.Errorf("rebalance %v, %v, every %s", in, err, r.Every())
		}
		if r.Steps() == 0 {
			t.Error("no steps were counted")
		}
	}
}

// Faults of texts have their places.
func TestWrongScripts(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
		want         string
	}{
		{"", 1, 1, "defines none of"},
		{"x = 1", 1, 1, "defines none of"},
		{"def on_bar(now)\n  pass", 2, 1, "got newline"},
		{"def on_bar(now):\n  retrun 1", 2, 11, "got int literal"},
		{"def on_bar(now):\n  x = clsoe", 2, 7, "undefined: clsoe"},
		{"def on_bar(now):\n  x = a1 + a2", 2, 7, "undefined: a1"},
		{"def on_bar():\n  pass", 1, 1, "on_bar has 0 parameters"},
		{"def on_fill(now):\n  pass", 1, 1, "on_fill has 1 parameters"},
		{"on_bar = 5", 1, 1, "on_bar is not a function"},
		{"load('x.star', 'y')\n" + onBar("pass"), 1, 1, "load is not available"},
		{onBar("while True:\n  pass"), 2, 3, "does not support while"},
		{onBar("f = lambda *a: a"), 2, 14, "*args and **kwargs"},
		{"def f(**k):\n  pass\n" + onBar("pass"), 1, 7, "*args and **kwargs"},
		{onBar("f(*[1])\n") + "def f(a):\n  pass\n", 2, 5, "*args and **kwargs"},
		{onBar("x = {}\nx[len([1])] += 1"), 3, 8, "a call stands on the left"},
		{"rebalance = 'fortnight'\n" + onBar("pass"), 1, 1, `rebalance is "fortnight"`},
		{"history = -1\n" + onBar("pass"), 1, 1, "history is -1"},
		{"x = 1 // 0\n" + onBar("pass"), 1, 7, "division by zero"},
		{"def on_bar(now):\n\tx = now[\n", 3, 1, "got outdent"},
		{"x = " + strings.Repeat("[", 500) + strings.Repeat("]", 500), 1, 1, "nested more than"},
		{strings.Repeat("x = 1\n", 20_000), 1, 1, "at most 65536"},
	} {
		p, wrong := script.Compile("my.star", c.text, nil)
		if p != nil || len(wrong) == 0 {
			t.Errorf("%.60q is taken", c.text)
			continue
		}
		if d := wrong[0]; d.File != "my.star" || d.Line != c.line || d.Column != c.column || !strings.Contains(d.Message, c.want) {
			t.Errorf("%.60q: %d:%d %s\nwant %d:%d %s", c.text, d.Line, d.Column, d.Message, c.line, c.column, c.want)
		}
	}
	if _, wrong := script.Compile("my.star", onBar("x = unknown1\ny = unknown2"), nil); len(wrong) != 2 {
		t.Errorf("%d faults at once, want 2: %v", len(wrong), wrong)
	}
}

// Faults of calls say when and where.
func TestFaultsOfCalls(t *testing.T) {
	for _, c := range []struct {
		body         string
		line, column int
		want         string
	}{
		{"x = now.bar('S0').clsoe", 2, 20, "did you mean .close?"},
		{"x = now.bar('S0').fats", 2, 20, "no .fats field"},
		{"b = now.bar('S0')\nif b.entry_price > 5:\n  pass", 3, 20, "None is an absent value"},
		{"b = now.bar('S0')\nb.close = 5", 3, 4, "can't assign"},
		{"now.enter('S9')", 2, 12, `no symbol "S9"`},
		{"now.enter(5)", 2, 12, "want a bar or a symbol, not a int"},
		{"now.enter()", 2, 12, "which bar?"},
		{"now.enter('S0', side='up')", 2, 12, `side is "up"`},
		{"now.enter('S0', order='limit')", 2, 12, "a limit order needs a price"},
		{"now.enter('S0', wieght=1)", 2, 12, `unexpected keyword argument "wieght"`},
		{"now.enter('S0', price='x')", 2, 12, "want a number, not a string"},
		{"now.enter('S0', until='soon')", 2, 12, "until"},
		{"now.target('S0', None)", 2, 13, ""},
		{"now.exit('S0', reason='x' * 61)", 2, 11, "at most 60"},
		{"now.bar('S0').history('clsoe', 5)", 2, 24, `no column "clsoe"`},
		{"now.bar('S0').history('close', 0)", 2, 24, "n is 0"},
		{"now.bar('S0').history('close', -3)", 2, 24, "n is -3"}, // nothing reads a later bar
		{"now.bars.append(1)", 2, 18, "frozen list"},
		{"getattr(now, 'x')", 2, 10, "not available"},
		{"fail('stop', 'here')", 2, 7, "stop here"},
	} {
		r := start(t, onBar(c.body))
		_, err := r.OnBar(at(market(2), 5))
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.body, err)
			}
			continue
		}
		var wrong expr.Diagnostics
		if !errors.As(err, &wrong) || wrong[0].Line != c.line || wrong[0].Column != c.column || !strings.Contains(wrong[0].Message, c.want) ||
			!strings.Contains(wrong[0].Message, "on_bar at the close of "+instrument.Date(1005).String()) {
			t.Errorf("%s: %v\nwant %d:%d %s", c.body, err, c.line, c.column, c.want)
		}
	}
}

// Whatever a script does, it ends soon and small.
func TestLimits(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{"for i in range(10000000):\n  pass", "one call took"},
		{"x = 'x' * 1000000000", "items are possible"},
		{"x = [0] * 1000000000", "items are possible"},
		{"x = (0,) * 2000", "use a list"},
		{"x = 'xy'\nfor i in range(60):\n  x = x + x", "a text of more than"},
		{"x = 'xy'\nfor i in range(60):\n  x += x", "a text of more than"},
		{"x = [1]\nfor i in range(60):\n  x += x", "this makes"},
		{"x = [1]\nfor i in range(60):\n  x.extend(x)", "this makes"},
		{"x = 3\nfor i in range(60):\n  x = x * x", "a number of more than"},
		{"x = 3\nfor i in range(60):\n  x *= x", "a number of more than"},
		{"x = 'ab'\nfor i in range(60):\n  x = '%s%s' % (x, x)", "use a list"},
		{"x = 'ab'\nfor i in range(60):\n  x = 'abc%sdef' % (x + x)", "a text of more than"},
		{"x = 'ab'\nfor i in range(60):\n  x = '{}{}'.format(x, x)", "a text of more than"},
		{"x = 'ab'\nfor i in range(60):\n  x = x.join([x, x, x])", "a text of more than"},
		{"x = 'aa'\nfor i in range(60):\n  x = x.replace('a', x)", "a text of more than"},
		{"x = list(range(1000000000))", "are possible"},
		{"x = sorted(range(1000000000))", "are possible"},
		{"x = [0]\nfor i in range(60):\n  x = [x, x]\ny = str(x)", "a text of more than"},
		{"x = [0]\nfor i in range(60):\n  x = [x, x]\nprint(x)", "a text of more than"},
		{"x = 0\nfor i in range(60):\n  x = (x, x)\ny = {x: 1}", "use a list"},
		{"x = [0]\nfor i in range(60):\n  x = zip(x, x)", "use a list"},
		{"for i in range(1000000):\n  keep.append('a' + str(i))", "one call took"},
		{"for j in range(100):\n  keep.append('ab' * 30000)", "keeps more than"},
		{"for j in range(100):\n  keep.append([0] * 90000)", "keeps more than"},
		{"for j in range(100):\n  x = [0] * 90000\n  keep.append(lambda: x)\n  f(x)", "keeps more than"},
	} {
		r := start(t, "keep = []\ndef f(x):\n  keep.append(lambda: x)\n"+onBar(c.body))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		from := time.Now()
		var err error
		for i := 0; i < 40 && err == nil; i++ {
			_, err = r.OnBar(at(market(1), 5))
		}
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.body, err, c.want)
		}
		if took := time.Since(from); took > 20*time.Second {
			t.Errorf("%s: took %s", c.body, took)
		}
		if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 1500 {
			t.Errorf("%s: made %d MB", c.body, mb)
		}
	}
	p, _ := script.Compile("my.star", onBar("for i in range(1000):\n  pass"), nil)
	r, err := p.WithLimits(script.Limits{RunSteps: 20_000}).New()
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err = r.OnBar(at(market(1), 5)); err != nil {
			break
		}
	}
	if err == nil || !strings.Contains(err.Error(), "20000 steps in all") {
		t.Errorf("limit of the whole run: %v", err)
	}
}

// Guarded operators mean what Starlark's own mean.
func TestGuardsKeepMeaning(t *testing.T) {
	r := start(t, onBar(`
a = [1, 2]
b = a
a += [3]
d = {'k': 1, 'n': [1]}
i = 0
d['k'] += 4
d['n'][i] *= 7
s = 'x'
s *= 3
n = 17
n %= 5
m = 1
m <<= 4
def twice(x, y = 2 * 3):
  return x * y, x
u, w = twice(2)
c = [p + q for p, q in [(1, 2), (3, 4)] if p * q > 2]
e = {k + 'z': v * 2 for k, v in {'a': 1}.items()}
print(b, d, s, n, m, u, w, c, e, -3 * 2, 7 // 2 - 1, 1.5 * 2, 'a' in 'ab', (1,) + (2,), 'x%dy' % 5, [1, 2, 3][1:][0])
`))
	if _, err := r.OnBar(at(market(1), 5)); err != nil {
		t.Fatal(err)
	}
	want := `[1, 2, 3] {"k": 5, "n": [7]} xxx 2 16 12 2 [7] {"az": 2} -6 2 3.0 True (1, 2) x5y 2`
	if lines, _ := r.Prints(); len(lines) != 1 || lines[0] != want {
		t.Errorf("%s\nwant\n%s", lines, want)
	}
}
