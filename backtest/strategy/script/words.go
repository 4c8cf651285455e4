package script

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// predeclared is what scripts find besides Starlark's own words.
func predeclared() starlark.StringDict {
	d := starlark.StringDict{}
	add := func(name string, f func(m *meter, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)) {
		d[name] = starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return f(t.Local(meterKey).(*meter), args, kwargs)
		})
	}
	add(guardAdd, binaryOf(syntax.PLUS))
	add(guardExtend, extended)
	add(guardMul, binaryOf(syntax.STAR))
	add(guardMod, binaryOf(syntax.PERCENT))
	add(guardShift, binaryOf(syntax.LTLT))
	for _, op := range []syntax.Token{syntax.IN, syntax.NOT_IN, syntax.PIPE, syntax.AMP, syntax.CIRCUMFLEX, syntax.MINUS, syntax.EQL, syntax.NEQ,
		syntax.LT, syntax.LE, syntax.GT, syntax.GE} {
		add(op.String(), binaryOf(op))
	}
	add(guardTuple, func(m *meter, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return args, m.small(args)
	})
	add(guardSlice, func(m *meter, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return args[0], m.take(starlark.Len(args[0]))
	})
	add(guardMethod, method)
	for _, name := range []string{"list", "tuple", "sorted", "zip", "enumerate", "reversed", "set", "dict", "min", "max", "any", "all"} {
		d[name] = sized(name)
	}
	for _, name := range []string{"str", "repr", "fail", "int"} {
		d[name] = spelled(name)
	}
	for _, name := range []string{"hash", "bytes", "getattr", "dir", "chr", "ord"} {
		d[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			return nil, fmt.Errorf("%s is not available in scripts", b.Name())
		})
	}
	d["print"] = starlark.NewBuiltin("print", printed)
	mathematics(d)
	return d
}

// mathematics adds what needs no approximation: these are exact on every processor.
func mathematics(d starlark.StringDict) {
	add := func(name string, f func(x float64) starlark.Value) {
		d[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			var v starlark.Value
			if err := starlark.UnpackPositionalArgs(b.Name(), args, kwargs, 1, &v); err != nil {
				return nil, err
			}
			x, ok := starlark.AsFloat(v)
			if !ok {
				return nil, fmt.Errorf("%s: want a number, not a %s", b.Name(), kindOf(v))
			}
			return f(x), nil
		})
	}
	whole := func(x float64) starlark.Value {
		if math.Abs(x) < 1<<53 {
			return starlark.MakeInt64(int64(x))
		}
		return starlark.Float(x)
	}
	add("sqrt", func(x float64) starlark.Value { return number64(math.Sqrt(x)) })
	add("floor", func(x float64) starlark.Value { return whole(math.Floor(x)) })
	add("ceil", func(x float64) starlark.Value { return whole(math.Ceil(x)) })
	add("isfinite", func(x float64) starlark.Value { return starlark.Bool(!math.IsNaN(x) && !math.IsInf(x, 0)) })
}

// number64 is a number, None where it is absent.
func number64(x float64) starlark.Value {
	if math.IsNaN(x) {
		return starlark.None
	}
	return starlark.Float(x)
}

func kindOf(v starlark.Value) string {
	if v == starlark.None {
		return "NoneType"
	}
	return v.Type()
}
