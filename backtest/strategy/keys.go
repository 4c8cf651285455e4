package strategy

import (
	"math"
	"slices"
)

// Key documents one key of the strategy file.
type Key struct {
	Path     string   // dotted: costs.commission.per_share; <name> stands for a name of one's own
	Type     string   // what it takes, in words
	Unit     string   // USD, fraction, bps of traded value, ...; "" for none
	Default  string   // what an absent key means, "" for nothing
	Enum     []string // the words it takes
	Min, Max float64  // inclusive, infinite when open
	Required bool     // within its section
	Doc      string
}

// Keys documents every key of the strategy file, in its order. The keys below long and short are
// those of entry and exit and are not repeated.
func Keys() []Key { return keysOf(describeFile(), "") }

func keysOf(fields []field, prefix string) []Key {
	var out []Key
	for i := range fields {
		f := &fields[i]
		k := Key{Path: join(prefix, f.key), Type: f.typeWords(), Unit: f.unit, Default: f.def, Enum: slices.Clone(f.enum),
			Min: f.min, Max: f.max, Required: f.required, Doc: f.doc}
		if f.form == formFlag && k.Default == "" {
			k.Default = "false"
		}
		out = append(out, k)
		switch {
		case f.form == formParams:
			out = append(out, Key{Path: k.Path + ".<name>", Type: "number, list, range or mapping", Min: math.Inf(-1), Max: math.Inf(1),
				Doc: "5, [5, 10], 20..60 step 5, or {default: 5, values: ...}"})
		case f.form == formFiles:
			out = append(out, Key{Path: k.Path + ".<name>", Type: "file", Min: math.Inf(-1), Max: math.Inf(1),
				Doc: "a CSV file beside the strategy file; the name stands for the value last known"})
		case f.form == formSignals && f.key == "functions":
			out = append(out, Key{Path: k.Path + ".<name>", Type: "expression", Min: math.Inf(-1), Max: math.Inf(1),
				Doc: "the key is NAME(ARGUMENTS), such as pullback(x, n); what a call stands for, arguments put in as they are written there"})
		case f.form == formSignals:
			out = append(out, Key{Path: k.Path + ".<name>", Type: "expression", Min: math.Inf(-1), Max: math.Inf(1),
				Doc: "a condition or a number, shown in previews and counted in results"})
		case prefix == "" && (f.key == "long" || f.key == "short"):
		default:
			out = append(out, keysOf(f.fields, k.Path)...)
		}
	}
	return out
}

// typeWords says what a key takes, for tables.
func (f *field) typeWords() string {
	switch f.form {
	case formExpr:
		if f.kind == "bool" {
			return "condition"
		}
		return "number expression"
	case formNumber:
		return "number"
	case formWhole:
		return "whole number"
	case formFlag:
		return "true or false"
	case formWord:
		return "word"
	case formFrame:
		return "bar length"
	case formDate:
		return "date"
	case formSpan:
		return "length of time"
	case formTicker:
		return "ticker"
	case formTickers:
		return "tickers"
	case formTexts:
		return "condition or list"
	case formTypes:
		return "words"
	case formParams, formSignals, formFiles:
		return "mapping of names"
	case formMapping:
		switch {
		case f.short.number != "":
			return "mapping, number or none"
		case f.short.none:
			return "mapping or none"
		case f.short.text != "" && find(f.fields, f.short.text).form == formWord:
			return "mapping or word"
		case f.short.text != "":
			return "mapping or condition"
		case f.short.list != "":
			return "mapping or list"
		}
		return "mapping"
	case formMappings:
		return "mapping, condition or list"
	}
	return "text"
}
