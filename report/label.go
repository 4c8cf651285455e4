package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// label is what a run is called: its strategy, and its symbol where it has one.
func label(v *view) string {
	if len(v.Data.Symbols) == 1 {
		return v.title() + " " + v.symbols()[0]
	}
	return v.title()
}

// labels tell runs apart: by their label; where that repeats by up to two settings that differ, parameters
// first; where those do not suffice by the beginning of the fingerprint, which is the result's own id; and at last by number.
func labels(views []*view) []string {
	out := make([]string, len(views))
	for i, v := range views {
		out[i] = cut(label(v), 40)
	}
	flat := flattened(views)
	for _, alike := range repeated(out) {
		keys := unlike(flat, alike)
		for _, i := range alike {
			if s := settingsText(flat[i], keys); s != "" {
				out[i] += " (" + s + ")"
			}
		}
	}
	for _, alike := range repeated(out) {
		if !slices.ContainsFunc(alike, func(i int) bool { return views[i].Fingerprint != views[alike[0]].Fingerprint }) {
			continue // one result, several times
		}
		for _, i := range alike {
			out[i] += fmt.Sprintf(" (%.8s)", clean(views[i].Fingerprint))
		}
	}
	for _, alike := range repeated(out) {
		for n, i := range alike {
			out[i] += fmt.Sprintf(" (%d)", n+1)
		}
	}
	return out
}

// played has of every parameter the value that the run had, under the parameter's own name.
func played(flat map[string]string) map[string]string {
	out := make(map[string]string, len(flat))
	for k, v := range flat {
		if strings.HasPrefix(k, "params.") {
			if strings.HasSuffix(k, ".values") {
				continue
			}
			k = strings.TrimSuffix(k, ".default")
		}
		out[k] = v
	}
	return out
}

// shorter is a label in at most so many characters: what tells it apart, at its end, stays.
func shorter(label string, most int) string {
	tail := strings.LastIndex(label, " (")
	if n := len([]rune(label)); n <= most || tail < 0 || !strings.HasSuffix(label, ")") || len([]rune(label[tail:])) > most-4 {
		return cut(label, most)
	}
	return cut(label[:tail], most-len([]rune(label[tail:]))) + label[tail:]
}

// repeated are the places of names that occur more than once, in order.
func repeated(names []string) [][]int {
	at := map[string][]int{}
	for i, n := range names {
		at[n] = append(at[n], i)
	}
	var out [][]int
	for _, n := range names {
		if len(at[n]) > 1 {
			out = append(out, at[n])
			delete(at, n)
		}
	}
	return out
}

// mostTold is how many settings a label names.
const mostTold = 2

// unlike are the settings that tell some runs apart, those first that people vary.
func unlike(flat []map[string]string, runs []int) []string {
	differ := map[string]bool{}
	for _, i := range runs {
		for k, v := range flat[i] {
			for _, j := range runs {
				differ[k] = differ[k] || flat[j][k] != v
			}
		}
	}
	rank := func(k string) int {
		for n, prefix := range []string{"params.", "data.", "universe.", "size.", "costs."} {
			if strings.HasPrefix(k, prefix) {
				return n
			}
		}
		return 9
	}
	var keys []string
	for k, yes := range differ {
		if yes && k != "name" {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b)) })
	return keys[:min(mostTold, len(keys))]
}

func settingsText(flat map[string]string, keys []string) string {
	var parts []string
	for _, k := range keys {
		name, ok := strings.CutPrefix(k, "params.")
		if !ok {
			path := strings.Split(k, ".")
			name = strings.Join(path[max(0, len(path)-2):], ".") // the whole path is in the table of settings
		}
		value := flat[k]
		if value == "" {
			value = "not set"
		}
		parts = append(parts, clean(name)+" "+cut(clean(value), 16))
	}
	return strings.Join(parts, ", ")
}

// flattened are the settings of runs by dotted path, empty where a run has none.
func flattened(views []*view) []map[string]string {
	flat := make([]map[string]string, len(views))
	for i, v := range views {
		flat[i] = map[string]string{}
		if v.Config == nil {
			continue
		}
		b, err := json.Marshal(v.Config)
		var doc any
		if err != nil || json.Unmarshal(b, &doc) != nil {
			continue
		}
		flatten("", doc, flat[i])
		flat[i] = played(flat[i])
	}
	return flat
}

// flatten writes the leaves of a JSON document by dotted path; a list of plain values is one leaf.
func flatten(path string, doc any, into map[string]string) {
	join := func(k string) string { return strings.TrimPrefix(path+"."+k, ".") }
	switch x := doc.(type) {
	case map[string]any:
		for k, v := range x {
			flatten(join(k), v, into)
		}
	case []any:
		var leaves []string
		for i, v := range x {
			switch v.(type) {
			case map[string]any, []any:
				flatten(join(fmt.Sprint(i)), v, into)
			default:
				leaves = append(leaves, fmt.Sprint(v))
			}
		}
		if len(leaves) > 0 {
			into[path] = strings.Join(leaves, ", ")
		}
	default:
		into[path] = fmt.Sprint(x)
	}
}
