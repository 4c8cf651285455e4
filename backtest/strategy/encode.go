package strategy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"

	"backtester/backtest/instrument"
	"backtester/backtest/order"
)

// MarshalJSON is the canonical form: keys in the order of the struct, every key that has a default,
// what is absent left out, parameters and signals as mappings in file order. It is a strategy file
// itself, and equal Files have equal bytes.
func (f File) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.Grow(2048)
	e := encoder{out: &b, alone: f.Short == nil}
	e.profile, _ = FindProfile(f.Profile)
	e.object(reflect.ValueOf(f), describeFile())
	return b.Bytes(), e.err
}

// UnmarshalJSON reads what MarshalJSON wrote, or any other strategy file in JSON. Faults are an error
// of type Diagnostics.
func (f *File) UnmarshalJSON(b []byte) error {
	g, wrong := Parse("strategy", b)
	if len(wrong) > 0 {
		return wrong
	}
	*f = *g
	return nil
}

// Equal reports whether two files describe the same run: names, notes and all, but not where each
// key stood.
func (f *File) Equal(g *File) bool {
	if f == nil || g == nil {
		return f == g
	}
	a, errA := json.Marshal(f)
	b, errB := json.Marshal(g)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// encoder writes structs by the description of their keys.
type encoder struct {
	out   *bytes.Buffer
	json  *json.Encoder // into out, made when it is needed
	alone bool          // no short side: the long one stands at the top level

	profile Profile // of the file, whose settings it may have turned off again
	err     error
}

func (e *encoder) object(v reflect.Value, fields []field) {
	e.out.WriteByte('{')
	first := true
	var idle []string
	if v.Type() == reflect.TypeFor[order.Rebalance]() {
		r := v.Interface().(order.Rebalance)
		idle = idleKeys(&r)
	}
	for i := range fields {
		f := &fields[i]
		if f.hidden(e.alone) || slices.Contains(idle, f.key) {
			continue
		}
		x := f.at(v, false)
		if !x.IsValid() || f.absent(x) && !e.turnedOff(f) {
			continue
		}
		e.key(f.key, &first)
		e.value(x, f)
	}
	e.out.WriteByte('}')
}

// idleKeys are the defaults for which the weights of a rebalance have no use: a file that states them is refused.
func idleKeys(r *order.Rebalance) []string {
	var out []string
	if r.History() == 0 {
		out = append(out, "lookback")
	}
	if r.Unit != order.Proportional && !r.Named() {
		out = append(out, "gross", "buffer")
	}
	return out
}

// turnedOff reports a flag that the profile would turn on where the file says nothing.
func (e *encoder) turnedOff(f *field) bool {
	return f.form == formFlag && slices.ContainsFunc(e.profile.Settings, func(s Override) bool { return s.Path == f.key })
}

// hidden picks one of the two ways to write the long side. Only the top level has these keys and
// indices of these lengths.
func (f *field) hidden(alone bool) bool {
	switch {
	case f.key == "long" && f.form == formMapping:
		return alone
	case (f.key == "entry" || f.key == "exit") && len(f.index) == 2:
		return !alone
	}
	return false
}

// absent reports a value that needs no key: reading a file without the key gives the same.
func (f *field) absent(x reflect.Value) bool {
	switch f.form {
	case formMapping:
		return x.Kind() == reflect.Pointer && x.IsNil() || !f.short.none && allAbsent(x, f.fields) || lacking(x, f.fields)
	case formDate:
		return instrument.Date(x.Int()) == instrument.None
	}
	return f.def == "" && (x.IsZero() || x.Kind() == reflect.Slice && x.Len() == 0)
}

// lacking reports a section without the condition that makes it one: the entry of a side that only has
// ways out.
func lacking(v reflect.Value, fields []field) bool {
	if v.Kind() == reflect.Pointer {
		return false
	}
	for i := range fields {
		if f := &fields[i]; f.required && f.form == formExpr && f.at(v, false).IsZero() {
			return true
		}
	}
	return false
}

// allAbsent reports a section of which nothing would be written.
func allAbsent(v reflect.Value, fields []field) bool {
	if v.Kind() == reflect.Pointer {
		return false
	}
	for i := range fields {
		if x := fields[i].at(v, false); x.IsValid() && !fields[i].absent(x) {
			return false
		}
	}
	return true
}

func (e *encoder) key(key string, first *bool) {
	if !*first {
		e.out.WriteByte(',')
	}
	*first = false
	e.text(key)
	e.out.WriteByte(':')
}

// text writes a string.
func (e *encoder) text(s string) {
	if !plain(s) {
		e.any(s)
		return
	}
	e.out.WriteByte('"')
	e.out.WriteString(s)
	e.out.WriteByte('"')
}

// any writes a value as package json does, but without escaping < and >, which expressions are full
// of.
func (e *encoder) any(x any) {
	if v, ok := x.(float64); ok && (math.IsNaN(v) || math.IsInf(v, 0)) && e.err == nil {
		e.err = fmt.Errorf("encode strategy file: %v is no number that a file can hold", v)
	}
	if e.json == nil {
		e.json = json.NewEncoder(e.out)
		e.json.SetEscapeHTML(false)
	}
	if err := e.json.Encode(x); err != nil {
		if e.err == nil {
			e.err = fmt.Errorf("encode strategy file: %w", err)
		}
		return
	}
	e.out.Truncate(e.out.Len() - 1) // the newline
}

// plain reports whether JSON writes a text as it stands.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (e *encoder) value(x reflect.Value, f *field) {
	if x.Kind() == reflect.Pointer {
		x = x.Elem()
	}
	switch f.form {
	case formMapping:
		if f.short.none && allAbsent(x, f.fields) {
			e.text("none")
			return
		}
		e.object(x, f.fields)
	case formMappings:
		if x.Len() == 1 {
			e.object(x.Index(0), f.fields)
			return
		}
		e.out.WriteByte('[')
		for i := range x.Len() {
			if i > 0 {
				e.out.WriteByte(',')
			}
			e.object(x.Index(i), f.fields)
		}
		e.out.WriteByte(']')
	case formParams:
		e.params(x.Interface().([]Param))
	case formSignals, formFiles:
		e.out.WriteByte('{')
		first := true
		for _, s := range x.Interface().([]Signal) {
			e.key(s.Name, &first)
			e.text(s.Expr)
		}
		e.out.WriteByte('}')
	case formText, formExpr, formWord:
		e.text(x.String())
	case formFlag:
		e.out.Write(strconv.AppendBool(e.out.AvailableBuffer(), x.Bool()))
	case formWhole:
		e.out.Write(strconv.AppendInt(e.out.AvailableBuffer(), x.Int(), 10))
	default:
		e.any(x.Interface())
	}
}

func (e *encoder) params(list []Param) {
	e.out.WriteByte('{')
	first := true
	for _, p := range list {
		e.key(p.Name, &first)
		if len(p.Values) == 0 || len(p.Values) == 1 && p.Values[0] == p.Default {
			e.any(p.Default)
			continue
		}
		e.out.WriteString(`{"default":`)
		e.any(p.Default)
		e.out.WriteString(`,"values":`)
		e.any(p.Values)
		e.out.WriteByte('}')
	}
	e.out.WriteByte('}')
}

// Setting is one key with the value that is in force. Value is as it would be written in the file,
// "" for what is absent; Default says that no file and no flag gave it; Origin is where it came from:
// "default", "profile NAME", "--set PATH=VALUE", or FILE:LINE.
type Setting struct {
	Path, Value string
	Default     bool
	Origin      string
	Doc, Unit   string
}

// Effective lists every setting of the run in the order of the file, defaults included.
func (f *File) Effective() []Setting {
	c := effective{file: f}
	fields := describeFile()
	if f.Short == nil && f.nodes["long"] == nil {
		fields = without(fields, "long", "short")
	} else {
		fields = without(fields, "entry", "exit")
	}
	c.walk(reflect.ValueOf(f).Elem(), fields, "")
	return c.out
}

func without(fields []field, keys ...string) []field {
	var out []field
	for _, f := range fields {
		if i := sort.SearchStrings(keys, f.key); i == len(keys) || keys[i] != f.key {
			out = append(out, f)
		}
	}
	return out
}

type effective struct {
	file *File
	out  []Setting
}

func (c *effective) walk(v reflect.Value, fields []field, prefix string) {
	for i := range fields {
		f := &fields[i]
		at := join(prefix, f.key)
		x := f.at(v, false)
		if !x.IsValid() {
			continue
		}
		switch {
		case f.form == formMapping && x.Kind() == reflect.Pointer && x.IsNil():
			continue
		case f.form == formMapping:
			if x.Kind() == reflect.Pointer {
				x = x.Elem()
			}
			c.walk(x, f.fields, at)
		case f.form == formMappings:
			for j := range x.Len() {
				element := at
				if n := c.file.nodes[at]; x.Len() > 1 || n != nil && n.kind == listNode {
					element = join(at, itoa(j))
				}
				c.walk(x.Index(j), f.fields, element)
			}
		case f.form == formParams:
			for _, p := range x.Interface().([]Param) {
				c.add(join(at, p.Name), shortest(p.Default), &field{doc: "parameter"})
			}
		case f.form == formSignals, f.form == formFiles:
			for _, s := range x.Interface().([]Signal) {
				c.add(join(at, s.Name), s.Expr, &field{doc: map[string]string{"signals": "signal", "functions": "function", "series": "outside series"}[f.key]})
			}
		default:
			c.add(at, plainText(x, f), f)
		}
	}
}

func (c *effective) add(path, value string, f *field) {
	s := Setting{Path: path, Value: value, Default: true, Origin: "default", Doc: f.doc, Unit: f.unit}
	n := c.file.nodes[path]
	for at, more := path, true; n == nil && more; {
		// costs: none speaks for all below it.
		if at, _, more = cutLast(at); c.file.nodes[at] != nil && c.file.nodes[at].text == "none" {
			n = c.file.nodes[at]
		}
	}
	if n != nil {
		s.Default, s.Origin = strings.HasPrefix(n.pos.File, profilePrefix), n.pos.File
		if n.pos.Line > 0 {
			s.Origin += ":" + itoa(n.pos.Line)
		}
	}
	c.out = append(c.out, s)
}

// plainText is a value as it would be written in the file.
func plainText(x reflect.Value, f *field) string {
	if f.absent(x) {
		return ""
	}
	switch f.form {
	case formNumber:
		return shortest(x.Float())
	case formTickers, formTypes, formTexts:
		b := encoder{out: &bytes.Buffer{}}
		b.out.WriteByte('[')
		for i := range x.Len() {
			if i > 0 {
				b.out.WriteString(", ")
			}
			b.out.WriteString(x.Index(i).String())
		}
		b.out.WriteByte(']')
		return b.out.String()
	}
	return fmt.Sprint(x.Interface())
}
