package script

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"backtester/backtest/strategy/hook"
)

// now is the argument of hooks: the market and the account at a close.
type now struct {
	run        *Run
	at         int64
	fresh      bool
	list, held *starlark.List // made when first asked for at a close
}

func (*now) String() string        { return "now" }
func (*now) Type() string          { return "now" }
func (*now) Freeze()               {}
func (*now) Truth() starlark.Bool  { return true }
func (*now) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: now") }
func (*now) AttrNames() []string {
	return []string{"bar", "bars", "cancel", "cash", "date", "enter", "equity", "exit", "held", "protect", "target", "time"}
}

// Attr reads the view. Outside of a call there is nothing to see.
func (n *now) Attr(name string) (starlark.Value, error) {
	r := n.run
	if r.view == nil {
		return nil, fmt.Errorf("now is there during calls only")
	}
	switch name {
	case "bars":
		if n.list == nil {
			n.list = r.collect(func(i int) bool { return r.view.Traded(i) && r.view.Member(i) })
		}
		return n.list, nil
	case "held":
		if n.held == nil {
			var list []starlark.Value
			for _, i := range r.view.Account().Held() {
				list = append(list, r.bar(int(i)))
			}
			n.held = starlark.NewList(list)
			n.held.Freeze()
		}
		return n.held, nil
	case "date":
		return starlark.String(r.view.Now().Date.String()), nil
	case "time":
		return starlark.String(r.view.Now().Stamp()), nil
	case "equity":
		return starlark.Float(r.view.Account().Equity()), nil
	case "cash":
		return starlark.Float(r.view.Account().Cash()), nil
	}
	return r.verb(name), nil
}

// collect lists the symbols for which keep holds. Nobody may write to the list: it is shared.
func (r *Run) collect(keep func(i int) bool) *starlark.List {
	var list []starlark.Value
	for i := range r.view.Len() {
		if keep(i) {
			list = append(list, r.bar(i))
		}
	}
	l := starlark.NewList(list)
	l.Freeze()
	return l
}

// bar of a symbol, one value for the whole run: it always shows the latest close.
func (r *Run) bar(i int) *barValue {
	if r.bars[i] == nil {
		r.bars[i] = &barValue{run: r, i: i}
	}
	return r.bars[i]
}

// barValue is one symbol as scripts see it.
type barValue struct {
	run *Run
	i   int
}

func (b *barValue) String() string        { return "bar of " + b.run.view.Name(b.i) }
func (*barValue) Type() string            { return "bar" }
func (*barValue) Freeze()                 {}
func (*barValue) Truth() starlark.Bool    { return true }
func (b *barValue) Hash() (uint32, error) { return uint32(b.i), nil }

func barNames() []string {
	return []string{"bars_held", "close", "entry_price", "high", "high_since", "history", "low", "low_since", "member", "open", "ready",
		"shares", "stop", "symbol", "target", "traded", "volume", "working"}
}

// AttrNames are the names of bars and of the signals.
func (b *barValue) AttrNames() []string {
	names := append(barNames(), b.run.program.signals...)
	slices.Sort(names)
	return slices.Compact(names)
}

// Attr reads the view. A signal may not have the name of something that every bar has; the strategy
// file is checked for that.
func (b *barValue) Attr(name string) (starlark.Value, error) {
	v, i := b.run.view, b.i
	switch name {
	case "open":
		return number64(v.Last(i, hook.Open)), nil
	case "high":
		return number64(v.Last(i, hook.High)), nil
	case "low":
		return number64(v.Last(i, hook.Low)), nil
	case "close":
		return number64(v.Last(i, hook.Close)), nil
	case "volume":
		return number64(v.Last(i, hook.Volume)), nil
	case "symbol":
		return starlark.String(v.Name(i)), nil
	case "traded":
		return starlark.Bool(v.Traded(i)), nil
	case "member":
		return starlark.Bool(v.Member(i)), nil
	case "working":
		return starlark.Bool(v.Account().Working(i)), nil
	case "ready":
		return starlark.Bool(b.ready()), nil
	case "history":
		return starlark.NewBuiltin("history", b.history), nil
	case "shares", "entry_price", "bars_held", "high_since", "low_since", "stop", "target":
		return position(v.Account().Position(i), name), nil
	}
	for k, signal := range v.Signals() {
		if signal == name {
			return b.signal(k), nil
		}
	}
	return nil, nil
}

// position is one number of it, None without one.
func position(p *hook.Position, name string) starlark.Value {
	if name == "shares" {
		return starlark.Float(p.Shares)
	}
	if p.Shares == 0 {
		return starlark.None
	}
	switch name {
	case "entry_price":
		return starlark.Float(p.EntryPrice)
	case "bars_held":
		return starlark.MakeInt(p.BarsHeld)
	case "high_since":
		return starlark.Float(p.HighSince)
	case "low_since":
		return starlark.Float(p.LowSince)
	}
	level := p.Stop
	if name == "target" {
		level = p.Target
	}
	if absent(level) {
		return starlark.None
	}
	return starlark.Float(level)
}

func (b *barValue) signal(k int) starlark.Value {
	x := b.run.view.Signal(b.i, k)
	if x == x && b.run.view.IsCondition(k) {
		return starlark.Bool(x == 1)
	}
	return number64(x)
}

// ready reports whether every signal has a value.
func (b *barValue) ready() bool {
	for k := range b.run.view.Signals() {
		if x := b.run.view.Signal(b.i, k); x != x {
			return false
		}
	}
	return b.run.view.Bars(b.i) > 0
}

// history(name, n) is the last n values of a column, oldest first.
func (b *barValue) history(_ *starlark.Thread, fn *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	var n int
	if err := starlark.UnpackArgs(fn.Name(), args, kwargs, "name", &name, "n", &n); err != nil {
		return nil, err
	}
	column, ok := map[string]hook.Column{"open": hook.Open, "high": hook.High, "low": hook.Low, "close": hook.Close, "volume": hook.Volume}[name]
	if !ok {
		return nil, fmt.Errorf("history: there is no column %q: want open, high, low, close or volume", name)
	}
	if n < 1 || n > maxItems {
		return nil, fmt.Errorf("history: n is %d, want 1..%d bars", n, maxItems)
	}
	values := b.run.view.Window(nil, b.i, column, n)
	if err := b.run.meter.take(2 * len(values)); err != nil {
		return nil, err
	}
	list := make([]starlark.Value, len(values))
	for k, x := range values {
		list[k] = number64(x)
	}
	return starlark.NewList(list), nil
}

// record is a value with a few fixed fields.
type record struct {
	kind   string
	names  []string
	values []starlark.Value
}

func (r *record) String() string        { return r.kind }
func (r *record) Type() string          { return r.kind }
func (r *record) Freeze()               {}
func (r *record) Truth() starlark.Bool  { return true }
func (r *record) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: %s", r.kind) }
func (r *record) AttrNames() []string   { return r.names }

// Attr finds a field.
func (r *record) Attr(name string) (starlark.Value, error) {
	if i := slices.Index(r.names, name); i >= 0 {
		return r.values[i], nil
	}
	return nil, nil
}

// Reserved are the names that every bar has: no signal may have one of them.
func Reserved() []string { return barNames() }
