package strategy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	yaml "go.yaml.in/yaml/v4"

	"backtester/backtest/strategy"
)

func validator(t testing.TB) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(strategy.Schema(), &s); err != nil {
		t.Fatal(err)
	}
	r, err := s.Resolve(&jsonschema.ResolveOptions{ValidateDefaults: true})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// generic reads YAML the way an editor does, which knows nothing of strategy files.
func generic(t testing.TB, text string) (any, bool) {
	t.Helper()
	var v any
	if err := yaml.Load([]byte(text), &v); err != nil {
		return nil, false
	}
	b, err := json.Marshal(datesAsText(v))
	if err != nil {
		return nil, false
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v, true
}

// datesAsText undoes what YAML 1.1 makes of dates; validators in editors see the text.
func datesAsText(v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(time.DateOnly)
	case map[string]any:
		for k := range v {
			v[k] = datesAsText(v[k])
		}
	case []any:
		for i := range v {
			v[i] = datesAsText(v[i])
		}
	}
	return v
}

// TestSchemaAcceptsShippedFiles, as written and in canonical form. The validator is not ours.
func TestSchemaAcceptsShippedFiles(t *testing.T) {
	schema := validator(t)
	files := map[string]string{}
	for _, b := range strategy.Builtins() {
		data, err := strategy.FindBuiltin(b.Name)
		if err != nil {
			t.Fatal(err)
		}
		files[b.Name] = string(data)
	}
	first, err := strategy.New("first", "")
	if err != nil {
		t.Fatal(err)
	}
	files["starter"] = string(first)
	for name, text := range files {
		v, ok := generic(t, text)
		if !ok {
			t.Errorf("%s is no plain YAML", name)
			continue
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	files["design"] = read(t, "testdata/design.yaml")
	for name, text := range files {
		canonical, err := json.Marshal(parse(t, text))
		if err != nil {
			t.Fatal(err)
		}
		v, _ := generic(t, string(canonical))
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s, canonical: %v", name, err)
		}
	}
}

// byShape are the codes of faults that a schema can see.
const byShape = " unknown_key wrong_type unknown_word out_of_range bad_bars bad_date bad_span bad_ticker bad_name bad_range empty not_built missing_key "

// TestSchemaRefusesWrongFiles: what is wrong by its shape is wrong by the schema.
func TestSchemaRefusesWrongFiles(t *testing.T) {
	schema := validator(t)
	// Faults that depend on another key or on the calendar, or on how a value is quoted.
	beyond := " limit-no-price.yaml no-way-out.yaml no-distance.yaml exit-only.yaml zero-size.yaml trail-zero.yaml blocks.yaml" +
		" february.yaml huge.yaml long-name.yaml objective.yaml repeated.yaml" +
		" universe-within-the-day.yaml order-kinds.yaml order-lives.yaml rebalance-when.yaml "
	refused := 0
	for _, w := range wrongFiles(t) {
		shape := false
		for _, want := range w.want {
			code, _, _ := strings.Cut(want, " ")
			shape = shape || strings.Contains(byShape, " "+code+" ")
		}
		v, ok := generic(t, string(w.data))
		// Contradictions that the schema knows: keys that exclude each other or need another.
		shape = shape || strings.Contains(" two-sizes.yaml size-and-limits.yaml long-twice.yaml universe-top-without-by.yaml universe-by-without-top.yaml ", " "+w.name+" ")
		if !shape || !ok || strings.Contains(beyond, " "+w.name+" ") {
			continue
		}
		refused++
		if err := schema.Validate(v); err == nil {
			t.Errorf("%s is accepted by the schema\n%s", w.name, w.data)
		}
	}
	if refused < 30 {
		t.Errorf("only %d wrong files were tried", refused)
	}
}

func TestSchemaGolden(t *testing.T) {
	golden(t, "testdata/schema.golden.json", string(strategy.Schema()))
}
