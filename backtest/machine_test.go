package backtest_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var (
	writeResults   = flag.String("write-results", "", "write the results of every scenario and of random strategies to this file, for another machine to compare")
	compareResults = flag.String("compare-results", "", "compare with the results that another machine wrote to this file")
)

// A result does not depend on the processor: what this machine makes of every scenario and of random strategies is
// what another one wrote. Data, fills, trades and equity are the same bit for bit, metrics to 1e-12 (k_ratio to 1e-8), because
// logarithms and powers may end in another bit. See .ci/arm64/run; without -compare-results results are
// compared with those of this machine, which shows that the comparison sees what differs.
func TestResultsOfAnotherMachine(t *testing.T) {
	var here bytes.Buffer
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	seeds := uint64(30)
	if *writeResults == "" && *compareResults == "" {
		files, seeds = files[:20], 5
	}
	for _, file := range files {
		if r, err := readScenario(t, file).run(false); err == nil {
			writeResult(t, &here, filepath.Base(file), r)
		}
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 19))
		text, series := randomStrategy(r), randomMarket(r, 1+r.IntN(5), 160)
		writeResult(t, &here, fmt.Sprintf("random %d", seed), play(t, text, series))
	}
	if *writeResults != "" {
		if err := os.WriteFile(*writeResults, here.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	there := here.Bytes()
	if *compareResults != "" {
		if there, err = os.ReadFile(*compareResults); err != nil {
			t.Fatal(err)
		}
	}
	n, faults := compareMachines(here.Bytes(), there)
	for _, f := range faults {
		t.Error(f)
	}
	if n < 20 {
		t.Errorf("only %d results compared", n)
	}
	t.Logf("%d results compared", n)
	// The comparison is not blind: one digit of a fill, an equity or a metric is seen.
	for _, what := range []string{`"fills":[{"`, `"equity":{"`, `"metrics":{"`} {
		at := bytes.Index(there, []byte(what))
		digit := at + bytes.IndexAny(there[at+len(what):], "123456789") + len(what)
		wrong := bytes.Clone(there)
		wrong[digit] = '0' + (wrong[digit]-'0')%9 + 1
		if _, faults := compareMachines(here.Bytes(), wrong); len(faults) == 0 {
			t.Errorf("a changed digit in %s is not seen", what)
		}
	}
}

func writeResult(t *testing.T, to *bytes.Buffer, name string, r interface{ EncodeJSON() ([]byte, error) }) {
	t.Helper()
	b, err := r.EncodeJSON()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(to, "%s\t%s", name, b)
}

// compareMachines compares results line by line, and says how many there were and what differs.
func compareMachines(here, there []byte) (int, []string) {
	type result struct {
		Data    json.RawMessage `json:"data"`
		Fills   json.RawMessage `json:"fills"`
		Trades  json.RawMessage `json:"trades"`
		Equity  json.RawMessage `json:"equity"`
		Metrics map[string]any  `json:"metrics"`
	}
	var faults []string
	a, b := bufio.NewScanner(bytes.NewReader(here)), bufio.NewScanner(bytes.NewReader(there))
	a.Buffer(nil, 1<<26)
	b.Buffer(nil, 1<<26)
	n := 0
	for a.Scan() {
		if !b.Scan() {
			return n, append(faults, "the other machine wrote fewer results")
		}
		name, one, _ := strings.Cut(a.Text(), "\t")
		other, two, _ := strings.Cut(b.Text(), "\t")
		if name != other {
			return n, append(faults, name+" stands beside "+other)
		}
		n++
		var x, y result
		if json.Unmarshal([]byte(one), &x) != nil || json.Unmarshal([]byte(two), &y) != nil {
			faults = append(faults, name+" cannot be read")
			continue
		}
		for _, part := range []struct {
			what string
			x, y json.RawMessage
		}{{"data", x.Data, y.Data}, {"fills", x.Fills, y.Fills}, {"trades", x.Trades, y.Trades}, {"equity", x.Equity, y.Equity}} {
			if !bytes.Equal(part.x, part.y) {
				faults = append(faults, fmt.Sprintf("%s: %s differ at character %d", name, part.what, firstByte(part.x, part.y)))
			}
		}
		for key, v := range x.Metrics {
			one, isNumber := v.(float64)
			other, too := y.Metrics[key].(float64)
			near := 1e-12
			if key == "k_ratio" { // divides by what the straight line leaves over of sums of logarithms
				near = max(1e-8, 1e-15*one*one) // which is a part in its square
			}
			if isNumber != too || isNumber && math.Abs(one-other) > near*max(1, math.Abs(one)) || !isNumber && v != y.Metrics[key] {
				faults = append(faults, name+": metric "+key+" differs")
			}
		}
	}
	if b.Scan() {
		faults = append(faults, "the other machine wrote more results")
	}
	return n, faults
}

func firstByte(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
