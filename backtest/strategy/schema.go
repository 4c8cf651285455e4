package strategy

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// Schema is the JSON Schema (2020-12) of the strategy file, for editors and the API, made from the
// same tags as the decoder: keys, types, words, bounds, and which settings need or exclude each other.
// One trailing newline.
//
// It accepts what Parse accepts, read as plain YAML. What it cannot know, Parse alone says: faults inside
// expressions (the codes of package expr, and of names that they use); anchors and tags, which are gone
// when a validator sees a file (alias, tag); and two values held against each other: from and to, min and
// max, tiers that rise, a lot and a multiple of it, shares of strategies and their sum, tested groups and
// groups, a name given in two sections, the length of a range, and 29 February.
func Schema() []byte {
	root := object(describeFile())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "backtester strategy file"
	root["description"] = "One file is one complete run: data, symbols, rules, size and costs."
	root.together()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		panic("BUG: encode the JSON Schema: " + err.Error())
	}
	return b.Bytes()
}

type schema map[string]any

// at are the mappings that may stand under a key.
func (s schema) at(key string) []schema { return s["properties"].(schema)[key].(schema).mappings() }

func (s schema) mappings() []schema {
	if s["properties"] != nil {
		return []schema{s}
	}
	var out []schema
	ways, _ := s["anyOf"].([]any)
	for _, w := range ways {
		out = append(out, w.(schema).mappings()...)
	}
	return out
}

// exclude lets at most one of some keys stand in a mapping.
func (s schema) exclude(keys ...string) {
	all, _ := s["allOf"].([]any)
	for i, a := range keys {
		for _, b := range keys[i+1:] {
			all = append(all, schema{"not": schema{"required": []string{a, b}}})
		}
	}
	s["allOf"] = all
}

// Names of parameters and signals, and tickers, as patterns of ECMA 262.
const (
	namePattern   = `^[A-Za-z_][A-Za-z0-9_]{0,63}$`
	tickerPattern = `^[A-Za-z0-9^][A-Za-z0-9.\-/:_^=+$]{0,31}(@[0-9]{4}-[0-9]{2}-[0-9]{2})?$`
	callPattern   = `^[A-Za-z_][A-Za-z0-9_]{0,63} *\( *[A-Za-z_][A-Za-z0-9_]{0,63} *(, *[A-Za-z_][A-Za-z0-9_]{0,63} *)*\)$`
	numberPattern = `-?[0-9]+(\.[0-9]+)?`
)

func object(fields []field) schema {
	properties, required := schema{}, []string{}
	for i := range fields {
		f := &fields[i]
		properties[f.key] = f.documented()
		if f.required {
			required = append(required, f.key)
		}
	}
	s := schema{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// documented is the schema of a key with its documentation and default.
func (f *field) documented() schema {
	s := f.schema()
	if doc := f.doc; doc != "" {
		s["description"] = doc + inUnit(f.unit)
	}
	if f.def != "" {
		s["default"] = f.def
		switch f.form {
		case formNumber, formWhole:
			s["default"] = bound(f.def, 0)
		case formFlag:
			s["default"] = f.def == "true"
		}
	}
	return s
}

func (f *field) schema() schema {
	switch f.form {
	case formExpr:
		return plainScalar()
	case formNumber, formWhole:
		s := schema{"type": map[bool]string{false: "number", true: "integer"}[f.form == formWhole]}
		if !math.IsInf(f.min, 0) {
			s["minimum"] = f.min
		}
		if !math.IsInf(f.max, 0) {
			s["maximum"] = f.max
		}
		return s
	case formFlag:
		return schema{"type": "boolean"}
	case formWord:
		return schema{"enum": f.enum}
	case formFrame:
		return text(`^([1-9]|[1-9][0-9]|[12][0-9][0-9]|3[0-8][0-9]|390)m$|^[1-6]h$|^1[dwM]$`)
	case formDate:
		return text(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$|^[0-9]{4}-(0[13-9]|1[0-2])-(29|30)$|^[0-9]{4}-(0[13578]|1[02])-31$|^[0-9]{4}-02-29$`)
	case formSpan:
		return text(`^[1-9][0-9]{0,4}[dwmy]$`)
	case formTicker:
		return ticker()
	case formTickers:
		return oneOrMany(schema{"type": []string{"string", "number", "boolean"}}, ticker())
	case formTypes:
		return oneOrMany(schema{"type": []string{"string", "number", "boolean"}}, ticker())
	case formTexts:
		return oneOrMany(plainScalar(), plainScalar())
	case formFiles:
		return schema{"type": "object", "propertyNames": text(namePattern), "additionalProperties": plainScalar()}
	case formParams:
		return schema{"type": "object", "propertyNames": text(namePattern), "additionalProperties": paramSchema()}
	case formSignals:
		if f.key == "functions" {
			return schema{"type": "object", "propertyNames": text(callPattern), "additionalProperties": plainScalar()}
		}
		return schema{"type": "object", "propertyNames": text(namePattern), "additionalProperties": plainScalar()}
	case formMapping:
		return f.sectionSchema()
	case formMappings:
		one := f.sectionSchema()
		return schema{"anyOf": []any{one, schema{"type": "array", "minItems": 1, "items": one}}}
	}
	return plainScalar()
}

// sectionSchema is a mapping and what may stand in its place.
func (f *field) sectionSchema() schema {
	ways := []any{object(f.fields)}
	if f.short.none {
		ways = append(ways, schema{"const": "none"})
	}
	for _, key := range []string{f.short.number, f.short.text, f.short.list} {
		if key != "" {
			ways = append(ways, find(f.fields, key).schema())
		}
	}
	if len(ways) == 1 {
		return ways[0].(schema)
	}
	return schema{"anyOf": ways}
}

func text(pattern string) schema { return schema{"type": "string", "pattern": pattern} }

// plainScalar is a text that YAML may take for something else: close, 100, true.
func plainScalar() schema {
	return schema{"type": []string{"string", "number", "boolean"}, "minLength": 1}
}

// ticker may look like a number or a truth value to YAML: 1e5, ON, TRUE.
func ticker() schema {
	return schema{"type": []string{"string", "number", "boolean"}, "pattern": tickerPattern}
}

func oneOrMany(one, item schema) schema {
	return schema{"anyOf": []any{one, schema{"type": "array", "minItems": 1, "items": item}}}
}

func paramSchema() schema {
	values := []any{
		schema{"type": "number"},
		text(`^` + numberPattern + ` *\.\. *` + numberPattern + `( *step *` + numberPattern + `)?$`),
		schema{"type": "array", "minItems": 1, "uniqueItems": true, "items": schema{"type": "number"}},
	}
	return schema{"anyOf": append(values, schema{
		"type": "object", "additionalProperties": false, "minProperties": 1,
		"properties": schema{"default": schema{"type": "number"}, "values": schema{"anyOf": values}},
	}), "description": "number, list, range such as 20..60 step 5 (at most " + strconv.Itoa(maxValues) + " values), or {default, values}"}
}
