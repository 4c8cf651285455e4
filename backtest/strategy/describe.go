package strategy

import (
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"backtester/backtest/bar"
	"backtester/backtest/fill"
	"backtester/backtest/instrument"
	"backtester/backtest/order"
)

// form is how a key is written in the file.
type form uint8

const (
	formText     form = iota // one line of text, or several for notes
	formExpr                 // an expression
	formNumber               // a decimal number
	formWhole                // a whole number
	formFlag                 // true or false
	formWord                 // one of a few words
	formFrame                // a bar length
	formDate                 // YYYY-MM-DD
	formSpan                 // a length of calendar time
	formTicker               // one ticker
	formTickers              // a list of tickers
	formTexts                // a text or a list of them
	formParams               // mapping of names to numbers, lists or ranges
	formSignals              // mapping of names to expressions
	formFiles                // mapping of names to files
	formTypes                // a list of kinds of security
	formMapping              // a mapping with known keys
	formMappings             // such a mapping or a list of them
)

// field describes one key of the file. The fields of a struct are read from its tags once; decoder,
// encoder, schema and documentation all walk them, so that they cannot disagree.
type field struct {
	key, doc, unit string
	def            string // text of the default, "" for none
	kind           string // of an expression: bool or number
	enum           []string
	min, max       float64 // inclusive, infinite when open
	form           form
	required       bool
	index          []int // path to the Go field, from the struct that was described
	fields         []field
	short          shorthand
}

// shorthand says what may stand in place of a mapping.
type shorthand struct {
	text   string // a scalar sets this key
	number string // a number sets this key
	list   string // a list (or a scalar) sets this key
	none   bool   // the word none means: nothing of it
}

// describeFile is the whole grammar of the strategy file. Read once, never written.
var describeFile = sync.OnceValue(func() []field { return describe(reflect.TypeFor[File]()) })

// describe reads the fields of a struct type in their order.
func describe(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		if sf.Tag.Get("inline") != "" {
			for _, f := range describe(sf.Type) {
				f.index = append([]int{i}, f.index...)
				out = append(out, f)
			}
			continue
		}
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if !sf.IsExported() || name == "-" {
			continue
		}
		f := describeField(sf)
		f.key, f.index = name, []int{i}
		// What is always written is needed, unless a default or an empty section can stand in.
		f.required = options == "" && f.def == "" && (f.form == formExpr || f.form == formSpan)
		if t == reflect.TypeFor[File]() && name == "long" {
			// entry and exit at the top level are those of long.
			for j, side := range f.fields {
				side.index = []int{i, j}
				out = append(out, side)
			}
		}
		out = append(out, f)
	}
	return out
}

func describeField(sf reflect.StructField) field {
	tag := sf.Tag
	f := field{
		doc: tag.Get("doc"), unit: tag.Get("unit"), def: tag.Get("default"), kind: tag.Get("expr"),
		min: bound(tag.Get("min"), math.Inf(-1)), max: bound(tag.Get("max"), math.Inf(1)),
	}
	if e := tag.Get("enum"); e != "" {
		f.enum = strings.Split(e, ",")
	}
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch tag.Get("as") {
	case "ticker":
		f.form = formTicker
	case "tickers":
		f.form = formTickers
	case "types":
		f.form = formTypes
	case "files":
		f.form = formFiles
	default:
		f.form = formOf(t, f)
	}
	switch f.form {
	case formMapping:
		f.fields, f.short = describe(t), shorthandOf(t)
	case formMappings:
		f.fields, f.short = describe(t.Elem()), shorthandOf(t.Elem())
	}
	return f
}

func formOf(t reflect.Type, f field) form {
	switch t {
	case reflect.TypeFor[bar.Frame]():
		return formFrame
	case reflect.TypeFor[instrument.Date]():
		return formDate
	case reflect.TypeFor[Span]():
		return formSpan
	case reflect.TypeFor[[]Param]():
		return formParams
	case reflect.TypeFor[[]Signal]():
		return formSignals
	case reflect.TypeFor[[]order.Exit](), reflect.TypeFor[[]fill.Tier](), reflect.TypeFor[[]Part]():
		return formMappings
	}
	switch t.Kind() {
	case reflect.Struct:
		return formMapping
	case reflect.Bool:
		return formFlag
	case reflect.Float64:
		return formNumber
	case reflect.Int:
		return formWhole
	case reflect.String:
		switch {
		case f.kind != "":
			return formExpr
		case f.enum != nil:
			return formWord
		}
		return formText
	case reflect.Slice:
		return formTexts
	}
	panic("BUG: no way to write a " + t.String() + " in a strategy file")
}

func shorthandOf(t reflect.Type) shorthand {
	switch t {
	case reflect.TypeFor[order.Entry](), reflect.TypeFor[order.Exit]():
		return shorthand{text: "when"}
	case reflect.TypeFor[fill.Costs](), reflect.TypeFor[fill.Commission](), reflect.TypeFor[fill.Slippage](), reflect.TypeFor[fill.Borrow]():
		return shorthand{none: true}
	case reflect.TypeFor[order.Volatility]():
		return shorthand{number: "target"}
	case reflect.TypeFor[order.Kelly]():
		return shorthand{number: "fraction"}
	case reflect.TypeFor[order.Rebalance]():
		return shorthand{text: "every"}
	case reflect.TypeFor[Part]():
		return shorthand{text: "file"}
	case reflect.TypeFor[fill.VolumeCap]():
		return shorthand{none: true, number: "bar"}
	case reflect.TypeFor[Universe]():
		return shorthand{list: "symbols"}
	}
	return shorthand{}
}

func bound(text string, open float64) float64 {
	if text == "" {
		return open
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		panic("BUG: bound " + text + " of a setting is no number")
	}
	return v
}

// at is the Go field of f inside v, a struct. With make, absent pointers on the way are filled in
// with their defaults; without, the zero Value means: not there.
func (f *field) at(v reflect.Value, create bool) reflect.Value {
	for _, i := range f.index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				if !create {
					return reflect.Value{}
				}
				v.Set(reflect.New(v.Type().Elem()))
				setDefaults(v.Elem(), describe(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}

// find returns the field of a key.
func find(fields []field, key string) *field {
	for i := range fields {
		if fields[i].key == key {
			return &fields[i]
		}
	}
	return nil
}

// lookup returns the field of a dotted path and the ones above it, outermost first. Positions in
// lists ("exit.0.stop") are stepped over. Nil when there is no such key.
func lookup(fields []field, path []string) []*field {
	var out []*field
	for _, part := range path {
		if len(out) > 0 && isIndex(part) {
			continue
		}
		f := find(fields, part)
		if f == nil {
			return nil
		}
		out = append(out, f)
		fields = f.fields
	}
	return out
}

func isIndex(s string) bool {
	_, err := strconv.ParseUint(s, 10, 31)
	return err == nil
}
