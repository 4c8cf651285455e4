package script

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"

	"backtester/backtest/expr"
	"backtester/backtest/strategy/hook"
)

// Run is a script at work: a hook.Strategy with the optional hooks. It serves one run, in one goroutine.
type Run struct {
	program *Program
	thread  *starlark.Thread
	meter   meter
	globals starlark.StringDict

	onBar, onRebalance, onFill *starlark.Function

	view *hook.View
	now  *now
	bars []*barValue // by symbol, made when first asked for
	out  []hook.Intent
	args [2]starlark.Value
}

// New starts a run: the top level of the script is executed again, so that runs share nothing.
func (p *Program) New() (*Run, error) { return p.start() }

func (p *Program) start() (*Run, error) {
	r := &Run{program: p, thread: &starlark.Thread{Name: p.name}}
	r.meter.thread = r.thread
	r.thread.SetLocal(meterKey, &r.meter)
	r.now = &now{run: r}
	r.allow()
	globals, err := p.program.Init(r.thread, predeclared())
	if err != nil {
		return nil, p.diagnose(err)
	}
	r.globals = globals
	for _, h := range []struct {
		name string
		to   **starlark.Function
	}{{"on_bar", &r.onBar}, {"on_rebalance", &r.onRebalance}, {"on_fill", &r.onFill}} {
		*h.to, _ = globals[h.name].(*starlark.Function)
	}
	return r, r.retained()
}

// allow sets how far the next call may go.
func (r *Run) allow() {
	l := &r.program.limits
	r.thread.SetMaxExecutionSteps(min(r.thread.Steps+l.CallSteps, max(l.RunSteps, 1)))
	r.thread.OnMaxSteps = func(t *starlark.Thread) {
		if t.Steps >= l.RunSteps {
			t.Cancel(fmt.Sprintf("the script took %d steps in all, which is its limit", l.RunSteps))
			return
		}
		t.Cancel(fmt.Sprintf("one call took %d steps, which is its limit", l.CallSteps))
	}
}

// settings reads and checks what the top level declares.
func (r *Run) settings(p *Program) expr.Diagnostics {
	var wrong expr.Diagnostics
	fault := func(fn *starlark.Function, format string, args ...any) {
		at := expr.Pos{File: p.name, Line: 1, Column: 1}
		if fn != nil {
			at.Line, at.Column = int(fn.Position().Line), int(fn.Position().Col)
		}
		wrong = append(wrong, expr.Diagnostic{Pos: at, Length: 1, Code: "script", Message: fmt.Sprintf(format, args...)})
	}
	takes := func(fn *starlark.Function, name string, n int, usage string) {
		_, there := r.globals[name]
		switch {
		case fn == nil && there:
			fault(nil, "%s is not a function: want def %s", name, usage)
		case fn != nil && fn.NumParams() != n:
			fault(fn, "%s has %d parameters: want def %s", name, fn.NumParams(), usage)
		}
	}
	takes(r.onBar, "on_bar", 1, "on_bar(now)")
	takes(r.onRebalance, "on_rebalance", 1, "on_rebalance(now)")
	takes(r.onFill, "on_fill", 2, "on_fill(now, fill)")
	if r.onBar == nil && r.onRebalance == nil && r.onFill == nil && len(wrong) == 0 {
		fault(nil, "the script defines none of on_bar(now), on_rebalance(now) and on_fill(now, fill): nothing would ever be called")
	}
	if r.onRebalance != nil {
		p.every = hook.Month
	}
	if v, ok := r.globals["rebalance"]; ok {
		word, isText := starlark.AsString(v)
		if p.every = hook.Period(word); !isText || !p.every.Valid() || p.every == hook.Never {
			fault(nil, `rebalance is %s, want "session", "week", "month", "quarter" or "year"`, shown(v))
		}
	}
	if v, ok := r.globals["history"]; ok {
		n, err := starlark.AsInt32(v)
		if p.history = n; err != nil || n < 0 || n > maxHistory {
			fault(nil, "history is %s, want a number of bars within 0..%d", shown(v), maxHistory)
		}
	}
	return wrong
}

// shown is a value in a message.
func shown(v starlark.Value) string {
	if weigh(v, 20) > 20 {
		return "a " + kindOf(v)
	}
	return v.String()
}

// Every is the period of on_rebalance.
func (r *Run) Every() hook.Period {
	if r.onRebalance == nil {
		return hook.Never
	}
	return r.program.every
}

// OnBar calls on_bar.
func (r *Run) OnBar(v *hook.View) ([]hook.Intent, error) { return r.call(v, r.onBar, nil) }

// OnRebalance calls on_rebalance.
func (r *Run) OnRebalance(v *hook.View) ([]hook.Intent, error) { return r.call(v, r.onRebalance, nil) }

// OnFill calls on_fill.
func (r *Run) OnFill(v *hook.View, f hook.Fill) ([]hook.Intent, error) {
	if r.onFill == nil {
		return nil, nil
	}
	return r.call(v, r.onFill, r.fill(v, f))
}

// call of a hook; a fault is a Diagnostic at its place in the script.
func (r *Run) call(v *hook.View, fn *starlark.Function, extra starlark.Value) ([]hook.Intent, error) {
	if fn == nil {
		return nil, nil
	}
	r.see(v)
	r.out = r.out[:0]
	args := starlark.Tuple(append(r.args[:0], r.now))
	if extra != nil {
		args = append(args, extra)
	}
	r.allow()
	from := r.thread.Steps
	_, err := starlark.Call(r.thread, fn, args, nil)
	r.meter.made += 8 * int64(r.thread.Steps-from)
	if err == nil && r.meter.made > r.program.limits.Bytes/4 {
		err = r.retained()
	}
	if err != nil {
		wrong := r.program.diagnose(err)
		for i := range wrong {
			if wrong[i].Line == 1 && wrong[i].Column == 1 {
				wrong[i].Line, wrong[i].Column = int(fn.Position().Line), int(fn.Position().Col)
			}
			wrong[i].Message = fmt.Sprintf("%s at the close of %s: %s", fn.Name(), v.Now().Stamp(), wrong[i].Message)
		}
		return nil, wrong
	}
	return r.out, nil
}

// see prepares for the view of a run, which is one for all its calls.
func (r *Run) see(v *hook.View) {
	if r.view != v {
		r.view = v
		r.bars = make([]*barValue, v.Len())
	}
	if at := v.Now().Time; !r.now.fresh || r.now.at != at {
		r.now.at, r.now.fresh, r.now.list, r.now.held = at, true, nil, nil
	}
}

// Cancel ends a call that is going on, and all later ones. Safe to call from another goroutine.
func (r *Run) Cancel(reason string) { r.thread.Cancel(reason) }

// Steps is how many steps of the interpreter were taken so far: the same on every machine.
func (r *Run) Steps() uint64 { return r.thread.Steps }

// Prints are the first lines that the script printed, and how many more there were.
func (r *Run) Prints() (lines []string, more int) { return r.meter.prints, r.meter.dropped }

// retained weighs what the script keeps, each thing once, and refuses more than its limit.
func (r *Run) retained() error {
	w := weighing{seen: map[any]bool{}, left: r.program.limits.Bytes}
	for _, name := range r.globals.Keys() {
		w.push(r.globals[name])
	}
	for len(w.todo) > 0 && w.left >= 0 {
		v := w.todo[len(w.todo)-1]
		w.todo = w.todo[:len(w.todo)-1]
		w.open(v)
	}
	r.meter.made = 0
	if w.left < 0 {
		return fmt.Errorf("the script keeps more than %d MB in its lists and dicts", r.program.limits.Bytes>>20)
	}
	return nil
}

// weighing visits values without recursion: lists may be nested as deep as there are steps.
type weighing struct {
	seen map[any]bool
	todo []starlark.Value
	left int64
}

// push takes a value in, unless it was seen.
func (w *weighing) push(v starlark.Value) {
	w.left -= 16
	switch v := v.(type) {
	case starlark.String:
		w.left -= int64(len(v))
	case starlark.Int:
		if _, small := v.Int64(); !small {
			w.left -= int64(v.BigInt().BitLen() / 8)
		}
	case starlark.Tuple:
		w.todo = append(w.todo, v) // tuples are small; one that is shared counts again
	case *starlark.List, *starlark.Dict, *starlark.Set, *starlark.Function:
		if !w.seen[v] {
			w.seen[v] = true
			w.left -= 48
			w.todo = append(w.todo, v)
		}
	}
}

// open takes in what a value holds.
func (w *weighing) open(v starlark.Value) {
	switch v := v.(type) {
	case starlark.Tuple:
		for i := 0; i < len(v) && w.left >= 0; i++ {
			w.push(v[i])
		}
	case *starlark.List:
		for i := 0; i < v.Len() && w.left >= 0; i++ {
			w.push(v.Index(i))
		}
	case *starlark.Dict:
		for key, value := range v.Entries() {
			w.left -= 32
			w.push(key)
			w.push(value)
			if w.left < 0 {
				return
			}
		}
	case *starlark.Set:
		for x := range v.Elements() {
			w.left -= 32
			w.push(x)
			if w.left < 0 {
				return
			}
		}
	case *starlark.Function:
		for i := range v.NumFreeVars() {
			_, x := v.FreeVar(i)
			w.push(x)
		}
		for i := range v.NumParams() {
			if x := v.ParamDefault(i); x != nil {
				w.push(x)
			}
		}
	}
}

// fill is what on_fill is told.
func (r *Run) fill(v *hook.View, f hook.Fill) starlark.Value {
	side := starlark.String("buy")
	if f.Side < 0 {
		side = "sell"
	}
	return &record{kind: "fill", names: fillNames(), values: []starlark.Value{starlark.Bool(f.Entry), starlark.Float(f.Fee),
		starlark.Float(f.Price), starlark.Float(f.Quantity), starlark.String(f.Reason), side, starlark.String(v.Name(f.Symbol))}}
}

func fillNames() []string {
	return []string{"entry", "fee", "price", "quantity", "reason", "side", "symbol"}
}

// absent reports a price that is not there.
func absent(x float64) bool { return x == 0 || math.IsNaN(x) }
