package indicator_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"backtester/backtest/indicator"
)

// vector is what an independent implementation says of one call; .ci/oracles makes them.
type vector struct {
	Row     string
	Params  []float64 // those left out have their defaults
	Data    string    // a file of bars
	Series  []string  // its columns that are the series arguments; default close, open
	Origin  string    // the implementation
	First   int       // bar of the first value; every is the step to the next
	Every   int
	Outputs map[string][]*float64 // null where the oracle has none
}

func readVectors(t *testing.T) []vector {
	files, err := filepath.Glob("testdata/vectors_*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("find vectors: %v, %v", files, err)
	}
	var all []vector
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var part []vector
		if err := json.Unmarshal(b, &part); err != nil {
			t.Fatalf("read %s: %v", f, err)
		}
		all = append(all, part...)
	}
	return all
}

func readMarket(t *testing.T, name string) market {
	f, err := os.Open(filepath.Join("testdata", name+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	m := market{}
	for _, row := range rows[1:] {
		for k, field := range row {
			v, err := strconv.ParseFloat(field, 64)
			if err != nil {
				t.Fatal(err)
			}
			m[rows[0][k]] = append(m[rows[0][k]], v)
		}
	}
	return m
}

// TestVectors compares every row with its oracles to 1e-9 of the column's size, and fails for a row
// or an output that has none.
func TestVectors(t *testing.T) {
	data := map[string]market{}
	covered := map[string]int{} // values compared, by row.output
	for _, v := range readVectors(t) {
		if data[v.Data] == nil {
			data[v.Data] = readMarket(t, v.Data)
		}
		s, ok := indicator.Lookup(v.Row)
		if !ok {
			t.Errorf("vectors for %s, which is not in the table", v.Row)
			continue
		}
		for k := len(v.Params); k < len(s.Params); k++ {
			v.Params = append(v.Params, s.Params[k].Default)
		}
		if err := s.Check(v.Params); err != nil {
			t.Errorf("vectors of %s: %v", v.Row, err)
			continue
		}
		in := data[v.Data].inputs(s)
		for k, name := range v.Series {
			in[k] = data[v.Data][name]
		}
		out := eval(s, in, v.Params)
		for name, want := range v.Outputs {
			k, ok := s.Output(name)
			if !ok {
				t.Errorf("vectors for %s.%s, which is not in the table", v.Row, name)
				continue
			}
			covered[s.Name+"."+name] += compare(t, v, name, out[k], want)
		}
	}
	for _, s := range indicator.Table() {
		if s.Family == indicator.Pattern {
			continue // TestCandles
		}
		for _, o := range s.Outputs {
			if covered[s.Name+"."+o.Name] < 100 {
				t.Errorf("%s.%s: %d values compared with an oracle, want at least 100", s.Name, o.Name, covered[s.Name+"."+o.Name])
			}
		}
	}
}

// compare says how many values were compared.
func compare(t *testing.T, v vector, name string, got []float64, want []*float64) int {
	scale, count, faults := scaleOf(got), 0, 0
	for j, w := range want {
		i := v.First + j*v.Every
		if w == nil {
			continue
		}
		count++
		if !near(got[i], *w, 1e-9, scale) {
			if faults++; faults == 1 {
				t.Errorf("%s%v %s on %s: bar %d is %v, %s says %v", v.Row, v.Params, name, v.Data, i, got[i], v.Origin, *w)
			}
		}
	}
	if faults > 1 {
		t.Errorf("%s%v %s on %s: %d of %d values differ", v.Row, v.Params, name, v.Data, faults, count)
	}
	return count
}

// TestOracleNamed wants every row's Oracle to be one that its vectors come from.
func TestOracleNamed(t *testing.T) {
	origins := map[string][]string{}
	for _, v := range readVectors(t) {
		origins[v.Row] = append(origins[v.Row], v.Origin)
	}
	for _, s := range indicator.Table() {
		if s.Family == indicator.Pattern {
			continue // TestCandles
		}
		if !slices.Contains(origins[s.Name], s.Oracle) {
			t.Errorf("%s names the oracle %q; its vectors come from %q", s.Name, s.Oracle, slices.Compact(origins[s.Name]))
		}
	}
}

// TestConventionsHaveOracles wants vectors for every choice of every convention: each seed, smoothing and
// divisor.
func TestConventionsHaveOracles(t *testing.T) {
	tried := map[string]bool{}
	for _, v := range readVectors(t) {
		s, _ := indicator.Lookup(v.Row)
		for k, p := range s.Params {
			value := p.Default
			if k < len(v.Params) {
				value = v.Params[k]
			}
			tried[fmt.Sprint(s.Name, p.Name, value)] = true
		}
	}
	choices := 0
	for _, s := range indicator.Table() {
		for _, p := range s.Params {
			if p.Words == nil && p.Name != "ddof" {
				continue
			}
			for v := p.Min; v <= p.Max; v++ {
				choices++
				if !tried[fmt.Sprint(s.Name, p.Name, v)] {
					t.Errorf("%s has no vectors with %s = %v", s.Name, p.Name, v)
				}
			}
		}
	}
	if choices < 150 {
		t.Errorf("only %d choices", choices)
	}
}
