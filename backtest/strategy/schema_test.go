package strategy_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
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

// beyond is what no schema can know, as Schema says: by the code, or by a file of the corpus whose code
// it could otherwise know.
var beyond = map[string]string{
	// the language
	"argument_name": "", "chained": "", "cycle": "", "future": "", "needs_call": "", "nested": "", "no_member": "", "no_position": "",
	"not_callable": "", "not_constant": "", "position_past": "", "syntax": "", "text": "", "unknown_choice": "", "unknown_function": "",
	"unknown_name": "", "unknown_output": "", "units": "", "wrong_count": "", "wrong_kind": "",
	"objective.yaml": "an expression", "constraint.yaml": "an expression", "universe-within-the-day.yaml": "an expression",
	// YAML that a validator no longer sees
	"alias": "", "tag": "",
	// two values compared with each other
	"time-backwards.yaml": "from and to", "commission-limits.yaml": "min and max", "lot.yaml": "shares and lot",
	"taken-by-param.yaml": "params and signals", "february.yaml": "leap years", "many.yaml": "the length of a range",
}

// TestSchemaRefusesWrongFiles: every file that is wrong for another reason than the above. The validator
// is not ours.
func TestSchemaRefusesWrongFiles(t *testing.T) {
	schema := validator(t)
	refused, used := 0, map[string]bool{}
	for _, w := range wrongFiles(t) {
		outside := true
		for _, want := range w.want {
			code, _, _ := strings.Cut(want, " ")
			_, known := beyond[code]
			used[code], outside = true, outside && known
		}
		_, known := beyond[w.name]
		used[w.name] = true
		v, ok := generic(t, string(w.data))
		if !ok {
			continue // no validator gets to see it
		}
		accepted := schema.Validate(v) == nil
		switch {
		case known && !accepted:
			t.Errorf("%s is refused by the schema: it is no exception", w.name)
		case outside || known:
		case accepted:
			t.Errorf("%s is accepted by the schema\n%s", w.name, w.data)
		default:
			refused++
		}
	}
	for what := range beyond {
		if !used[what] {
			t.Errorf("%s is an exception, and nothing in the corpus is", what)
		}
	}
	if refused < 80 {
		t.Errorf("only %d wrong files were refused", refused)
	}
}

// TestSchemaRefusesMisspeltKeys: all of them.
func TestSchemaRefusesMisspeltKeys(t *testing.T) {
	schema, tried := validator(t), 0
	eachMisspeltKey(func(m mistyped) {
		v, ok := generic(t, m.text)
		if !ok {
			return
		}
		tried++
		if schema.Validate(v) == nil {
			t.Errorf("accepted by the schema:\n%s", m.text)
		}
	})
	if tried < 1000 {
		t.Errorf("only %d files", tried)
	}
}

var commaInFlow = regexp.MustCompile(`\{.*\([^)]*,`)

// TestSchemaAcceptsScenarios: no rule of the schema is stricter than the reader, on the strategies of the
// engine's scenarios.
func TestSchemaAcceptsScenarios(t *testing.T) {
	schema, tried := validator(t), 0
	files, err := filepath.Glob("../testdata/scenarios/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		_, text, ok := strings.Cut(read(t, file), "-- strategy --\n")
		text, _, _ = strings.Cut(text, "\n-- ")
		// Expressions inside { } may hold commas here, which YAML takes for the next key.
		if _, wrong := strategy.Parse(file, []byte(text)); !ok || len(wrong) > 0 || commaInFlow.MatchString(text) {
			continue
		}
		if v, ok := generic(t, text); ok {
			tried++
			if err := schema.Validate(v); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d scenarios", tried)
	}
}

func TestSchemaGolden(t *testing.T) {
	golden(t, "testdata/schema.golden.json", string(strategy.Schema()))
}
