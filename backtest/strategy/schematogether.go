package strategy

import (
	"slices"
	"strings"

	"backtester/backtest/expr"
	"backtester/backtest/order"
	"backtester/backtest/strategy/script"
)

// What settings say of each other, as far as a schema can ask it: which keys need or exclude which, given
// the words and numbers beside them. The same rules, with places and advice, are those of checker.

// The conditions: a key is there; it has such a value, true or a number above another; so for a path of
// keys; and what is made of conditions.
func has(key string) schema { return schema{"type": "object", "required": []string{key}} }

func is(key string, value schema) schema {
	return schema{"type": "object", "required": []string{key}, "properties": schema{key: value}}
}

func yes(key string) schema { return is(key, schema{"const": true}) }
func more(key string, than float64) schema {
	return is(key, schema{"type": "number", "exclusiveMinimum": than})
}
func word(words ...string) schema { return schema{"enum": words} }
func not(s schema) schema         { return schema{"not": s} }
func all(ways ...any) schema      { return schema{"allOf": ways} }
func either(ways ...any) schema   { return schema{"anyOf": ways} }

func among(path string, value schema) schema {
	key, rest, deeper := strings.Cut(path, ".")
	if deeper {
		value = among(rest, value)
	}
	return is(key, value)
}

// always adds conditions to a mapping.
func (s schema) always(conditions ...any) {
	before, _ := s["allOf"].([]any)
	s["allOf"] = append(before, conditions...)
}

// when adds conditions that hold only where another does.
func (s schema) when(condition schema, then ...any) {
	for _, t := range then {
		s.always(schema{"if": condition, "then": t})
	}
}

// restrict says more of the values of a key, in whichever form it may be written.
func (s schema) restrict(key, what string, value any) {
	p := s["properties"].(schema)[key].(schema)
	if ways, ok := p["anyOf"].([]any); ok {
		for _, w := range ways {
			if t := w.(schema)["type"]; t == "number" || t == "integer" {
				w.(schema)[what] = value
			}
		}
		return
	}
	p[what] = value
}

// together adds all conditions.
func (root schema) together() {
	sides := []schema{root}
	for _, key := range []string{"long", "short"} {
		sides = append(sides, root.at(key)...)
	}
	for _, side := range sides {
		for _, e := range side.at("entry") {
			e.entries()
		}
		for _, x := range side.at("exit") {
			x.exits()
		}
	}
	root.deciding()
	root.bars()
	root.pairs()
	root.borrowing()
	root.caps()
	root.risks()
	for _, s := range root.at("size") {
		s.sizes()
	}
	for _, r := range root.at("rebalance") {
		r.rebalances()
	}
	root.properties("rebalance")["anyOf"].([]any)[1].(schema)["not"] = schema{"const": "never"}
	for _, u := range root.at("universe") {
		u.exclude("symbols", "members")
		u["dependentRequired"] = schema{"top": []string{"by"}, "by": []string{"top"}}
	}
	for _, l := range root.at("limits") {
		groups := either(more("group", 0), more("per_group", 0))
		l.when(groups, has("group_by"))
		l.when(has("group_by"), groups)
		l.properties("group_by")["pattern"] = `^(type|exchange)?$|[./\\]`
	}
	for _, v := range root.at("validate") {
		v.restrict("pbo", "multipleOf", 2)
	}
	root.properties("name")["pattern"] = line(120)
	root.properties("script")["pattern"] = `\n|\.star$`
}

func (s schema) properties(key string) schema { return s["properties"].(schema)[key].(schema) }

// line is the pattern of one line of text.
func line(most int) string { return `^[^\x00-\x1F\x7F-\x9F]{0,` + itoa(most) + `}$` }

// kinds are the kinds of orders that pass.
func kinds(pass func(order.Kind) bool) schema {
	var out []string
	for _, f := range describeFile() {
		if f.key == "entry" {
			for _, k := range find(f.fields, "order").enum {
				if pass(order.Kind(k)) {
					out = append(out, k)
				}
			}
		}
	}
	return word(out...)
}

func (e schema) entries() {
	priced := is("order", kinds(order.Kind.Priced))
	e.orders()
	e.when(priced, has("price"))
	e.when(not(priced), not(has("price")))
	e.when(either(has("or"), yes("requote"), more("overplace", 0)), priced)
	e.when(has("or"), not(is("tif", word("cls", "opg"))))
	for _, o := range e.at("or") {
		o.orders()
	}
	e.when(is("tif", word("gtd")), has("until"))
	e.when(has("until"), is("tif", word("gtd")))
	e.when(is("tif", word("gtc", "gtd")), not(more("max_wait", 0)))
	e.when(yes("dnr"), is("tif", word("gtc")))
	e.when(is("tif", word("ioc")), not(yes("requote")), not(has("cancel_when")))
	e.when(all(is("tif", word("cls")), has("order")), is("order", word("market", "limit", "moc")))
	e.when(all(is("tif", word("opg")), has("order")), is("order", word("market", "limit", "moo")))
}

// orders are the prices of an order and of the second beside it.
func (e schema) orders() {
	triggered := is("order", kinds(order.Kind.Triggered))
	e.when(triggered, has("limit"))
	e.when(has("limit"), triggered)
}

func (x schema) exits() {
	x.always(either(has("when"), has("stop"), has("target"), has("trail"), more("max_bars", 0)))
	x.when(yes("ratchet"), has("stop"))
	x.properties("name")["pattern"] = line(60)
	for _, t := range x.at("trail") {
		t.exclude("fraction", "amount")
		t.always(either(has("fraction"), has("amount")))
		t.restrict("fraction", "exclusiveMinimum", 0)
	}
}

// deciding is what decides what is held.
func (root schema) deciding() {
	decides := either(has("script"), has("rebalance"), has("strategies"))
	root.always(either(has("entry"), has("long"), has("short"), decides))
	root.exclude("entry", "long")
	root.exclude("exit", "long")
	root.when(has("exit"), either(has("entry"), decides))
	for _, side := range []string{"long", "short"} {
		root.when(is(side, not(has("entry"))), decides)
	}
	for _, entry := range []string{"entry", "long.entry", "short.entry", "script"} {
		root.when(has("rebalance"), not(among(entry, schema{})))
	}
	for _, own := range []string{"entry", "exit", "long", "short", "rebalance", "script", "search", "validate"} {
		root.exclude("strategies", own)
	}
	for _, p := range root.at("strategies") {
		p["required"] = []string{"file"}
	}
	var sizes []any
	for _, way := range sized {
		sizes = append(sizes, has(way))
	}
	root.when(has("rebalance"), not(is("size", either(sizes...))))
	for _, entry := range []string{"entry", "long.entry", "short.entry"} {
		root.when(all(among(entry, more("overplace", 0)), is("size", either(sizes...))), is("size", has("max_positions")))
	}
	root.when(yes("universe_exit"), is("universe", either(has("where"), has("top"), has("type"), has("members"))))
	root.when(has("script"), schema{"properties": schema{"signals": schema{"propertyNames": not(word(script.Reserved()...))}}})
	for _, key := range []string{"params", "signals", "series"} {
		root.properties(key)["propertyNames"].(schema)["not"] = schema{"$ref": "#/$defs/taken"}
	}
	root["$defs"] = schema{"taken": schema{"description": "names of the language", "enum": taken()}}
}

// taken are the names that mean something already.
func taken() []string {
	out := []string{"and", "or", "not"}
	for _, f := range expr.Functions() {
		for _, name := range append([]string{f.Name}, f.Aliases...) {
			if expr.CheckName(name) != nil {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// bars is what depends on the length of bars and the session.
func (root schema) bars() {
	extended := is("session", word("extended"))
	for _, d := range root.at("data") {
		d.when(extended, is("bars", text(`[mh]$`)))
	}
	root.when(among("fills.extended", schema{}), is("data", extended))
	root.when(among("fills.ambiguity", word("magnify")), not(among("data.bars", text(`^1[mwM]$`))))
	for _, f := range root.at("fills") {
		f.when(has("levels"), not(has("both_sides")), not(has("extended")))
	}
}

// pairs are orders on both sides that cancel each other.
func (root schema) pairs() {
	alone := all(is("order", kinds(order.Kind.Priced)), not(has("or")))
	root.when(among("fills.both_sides", schema{}), among("short.entry", alone), either(is("entry", alone), among("long.entry", alone)))
}

// caps asks for the share within the bar, without which no other counts, unless a profile has it.
func (root schema) caps() {
	part := among("costs.volume_cap", either(more("open", 0), more("close", 0)))
	root.when(all(part, not(has("profile"))), among("costs.volume_cap", is("bar", not(schema{"const": 0}))))
}

// borrowing is what a cash account cannot: an account is one unless the file or its profile says otherwise.
func (root schema) borrowing() {
	cash := either(is("account", word("cash")), not(either(has("account"), has("profile"))))
	root.when(cash, not(has("short")), not(among("rebalance.bottom", schema{})))
	for _, weight := range []string{"size.weight", "size.volatility.most", "size.kelly.most", "rebalance.gross"} {
		root.when(cash, not(among(weight, schema{"type": "number", "exclusiveMinimum": 1})))
	}
}

// sized are the ways to say how much an entry trades.
var sized = []string{"shares", "value", "weight", "risk", "volatility", "kelly"}

func (s schema) sizes() {
	s.exclude(sized...)
	for _, key := range append([]string{"lot"}, sized...) {
		s.restrict(key, "exclusiveMinimum", 0)
	}
	for _, o := range s.at("volatility") {
		o["required"] = []string{"target"}
		o.restrict("target", "exclusiveMinimum", 0)
	}
	for _, o := range s.at("kelly") {
		o["required"] = []string{"fraction"}
		o.restrict("fraction", "exclusiveMinimum", 0)
	}
	s.when(yes("fractional"), not(is("lot", not(schema{"const": 1}))))
	s.when(is("at", word("fill")), not(has("risk")), not(has("volatility")), not(has("kelly")))
}

// risks asks for the stop that a risk is measured to.
func (root schema) risks() {
	stop := either(has("stop"), schema{"type": "array", "contains": has("stop")})
	risk := among("size.risk", schema{})
	root.when(all(risk, either(has("entry"), has("exit"))), is("exit", stop))
	for _, side := range []string{"long", "short"} {
		root.when(all(risk, has(side)), among(side+".exit", stop))
	}
}

func (r schema) rebalances() {
	named := not(is("weights", not(word(order.EqualWeights, order.InverseVolatility, order.RiskParity))))
	absolute := is("unit", word(string(order.OfEquity), string(order.OfMoney), string(order.OfShares)))
	buckets := either(has("top"), has("bottom"))
	r.always(either(is("every", not(schema{"const": "never"})), more("drift", 0)))
	r.when(buckets, has("by"))
	r.when(has("by"), buckets)
	r.when(absolute, not(named), not(has("gross")), not(has("buffer")))
	r.when(has("lookback"), is("weights", word(order.InverseVolatility, order.RiskParity)))
}
