package script

import (
	"fmt"

	"go.starlark.net/starlark"

	"backtester/backtest/instrument"
	"backtester/backtest/order"
	"backtester/backtest/strategy/hook"
)

// verb is a method of now that decides something; nil for other names.
func (r *Run) verb(name string) starlark.Value {
	var fill func(in *hook.Intent, bar starlark.Value, c arguments) error
	switch name {
	case "bar":
		return starlark.NewBuiltin(name, r.find)
	case "enter":
		fill = r.enter
	case "exit":
		fill = r.exit
	case "target":
		fill = r.target
	case "protect":
		fill = r.protect
	case "cancel":
		fill = r.cancel
	default:
		return nil
	}
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args) == 0 {
			return nil, fmt.Errorf("%s: which bar? give it, or its symbol, first", name)
		}
		var in hook.Intent
		if err := fill(&in, args[0], arguments{name, args, kwargs}); err != nil {
			return nil, err
		}
		if err := in.Check(r.view.Allowed()); err != nil {
			return nil, err
		}
		if len(r.out) >= maxItems {
			return nil, fmt.Errorf("%s: more than %d intents at one close", name, maxItems)
		}
		r.out = append(r.out, in)
		return starlark.None, nil
	})
}

// arguments of a call.
type arguments struct {
	name   string
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

func (c arguments) unpack(pairs ...any) error {
	return starlark.UnpackArgs(c.name, c.args, c.kwargs, pairs...)
}

// symbolOf is the place of a bar or a symbol.
func (r *Run) symbolOf(verb string, v starlark.Value) (int, error) {
	switch v := v.(type) {
	case *barValue:
		if v.run == r {
			return v.i, nil
		}
	case starlark.String:
		if i, ok := r.view.Find(string(v)); ok {
			return i, nil
		}
		return 0, fmt.Errorf("%s: the run has no symbol %q", verb, string(v))
	}
	return 0, fmt.Errorf("%s: want a bar or a symbol, not a %s", verb, kindOf(v))
}

// find is now.bar(name): None when the run does not have the symbol, or it has no bar yet.
func (r *Run) find(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var name string
	if err := starlark.UnpackArgs(b.Name(), args, kwargs, "name", &name); err != nil {
		return nil, err
	}
	i, ok := r.view.Find(name)
	if !ok || r.view.Bars(i) == 0 {
		return starlark.None, nil
	}
	return r.bar(i), nil
}

// amount is a number that may be None or left out: 0.
type amount float64

// Unpack reads a number.
func (a *amount) Unpack(v starlark.Value) error {
	if v == starlark.None {
		return nil
	}
	x, ok := starlark.AsFloat(v)
	if !ok {
		return fmt.Errorf("want a number, not a %s", kindOf(v))
	}
	*a = amount(x)
	return nil
}

func (r *Run) enter(in *hook.Intent, bar starlark.Value, c arguments) (err error) {
	var (
		any                                     starlark.Value
		side, kind, tif, until                  = "long", string(order.Market), string(order.DayOrder), ""
		price, limit, shares, value             amount
		weight, risk, stop, target, rank, waits amount
	)
	if err := c.unpack("bar", &any, "side?", &side, "order?", &kind, "price?", &price, "limit?", &limit, "tif?", &tif, "until?", &until,
		"max_wait?", &waits, "shares?", &shares, "value?", &value, "weight?", &weight, "risk?", &risk, "stop?", &stop, "target?", &target,
		"rank?", &rank, "tag?", &in.Tag); err != nil {
		return err
	}
	in.Do, in.Order, in.TIF, in.MaxWait = hook.Enter, order.Kind(kind), order.TIF(tif), int(waits)
	in.Price, in.Limit, in.Rank = float64(price), float64(limit), float64(rank)
	in.Shares, in.Value, in.Weight, in.Risk = float64(shares), float64(value), float64(weight), float64(risk)
	in.Stop, in.Target = float64(stop), float64(target)
	switch side {
	case "long":
		in.Side = order.Buy
	case "short":
		in.Side = order.Sell
	default:
		return fmt.Errorf("enter: side is %q, want long or short", side)
	}
	if until != "" {
		if in.Until, err = instrument.ParseDate(until); err != nil {
			return fmt.Errorf("enter: until: %w", err)
		}
	}
	in.Symbol, err = r.symbolOf(c.name, bar)
	return err
}

func (r *Run) exit(in *hook.Intent, bar starlark.Value, c arguments) (err error) {
	var any starlark.Value
	var fraction amount
	if err := c.unpack("bar", &any, "fraction?", &fraction, "reason?", &in.Reason); err != nil {
		return err
	}
	if len(in.Reason) > 60 {
		return fmt.Errorf("exit: the reason has %d bytes, at most 60 are kept", len(in.Reason))
	}
	in.Do, in.Fraction = hook.Exit, float64(fraction)
	in.Symbol, err = r.symbolOf(c.name, bar)
	return err
}

func (r *Run) target(in *hook.Intent, bar starlark.Value, c arguments) (err error) {
	var any starlark.Value
	var weight, value, shares amount
	if err := c.unpack("bar", &any, "weight?", &weight, "value?", &value, "shares?", &shares, "tag?", &in.Tag); err != nil {
		return err
	}
	if len(c.args)+len(c.kwargs) < 2 {
		return fmt.Errorf("target: how much? give it a weight, a value or shares; 0 closes")
	}
	in.Do, in.Weight, in.Value, in.Shares = hook.Target, float64(weight), float64(value), float64(shares)
	in.Symbol, err = r.symbolOf(c.name, bar)
	return err
}

func (r *Run) protect(in *hook.Intent, bar starlark.Value, c arguments) (err error) {
	var any starlark.Value
	var stop, target amount
	if err := c.unpack("bar", &any, "stop?", &stop, "target?", &target); err != nil {
		return err
	}
	in.Do, in.Stop, in.Target = hook.Protect, float64(stop), float64(target)
	in.Symbol, err = r.symbolOf(c.name, bar)
	return err
}

func (r *Run) cancel(in *hook.Intent, bar starlark.Value, c arguments) (err error) {
	var any starlark.Value
	if err := c.unpack("bar", &any); err != nil {
		return err
	}
	in.Do = hook.Cancel
	in.Symbol, err = r.symbolOf(c.name, bar)
	return err
}
