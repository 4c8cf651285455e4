package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"

	"backtester/backtest/bar"
	"backtester/backtest/indicator"
)

// kernel is an indicator whose cost has a gate, in dependent additions a bar.
type kernel struct {
	name   string
	row    string
	params []float64
	output int
	gate   float64
}

func kernels() []kernel {
	return []kernel{
		{"sma 20", "sma", []float64{20}, 0, 2},
		{"ema 20", "ema", []float64{20}, 0, 2.5},
		{"macd 12 26 9", "macd", []float64{12, 26, 9}, 2, 3},
		{"atr 14", "atr", []float64{14}, 0, 3},
		{"rsi 14", "rsi", []float64{14}, 0, 3},
		{"stdev 20", "stdev", []float64{20}, 0, 4.5},
		{"bbands 20", "bbands", []float64{20}, 0, 4.5},
		{"highest 20", "highest", []float64{20}, 0, 6},
		{"highest 252", "highest", []float64{252}, 0, 6},
	}
}

// timing is what a library says of one kernel.
type timing struct {
	NS     float64    `json:"ns"`
	Values []*float64 `json:"values"` // from bar 5000 on, every 997th
}

// compareKernels times single indicators on 100,000 bars, ours and those of libraries that can be
// installed, and prints a table of its own: the unit is ns a bar, not seconds.
func compareKernels(python string) error {
	const bars = 100_000
	s := walk(3, "K", bar.Minutely, bars)
	if err := writeBinary(dir("k.bin"), []*bar.Series{s}); err != nil {
		return err
	}
	peers := []string{"talib", "pandas_ta", "polars", "vectorbt"}
	theirs := map[string]map[string]timing{}
	for _, p := range peers {
		if python == "" {
			continue
		}
		got, err := callLibrary(python, p, dir("k.bin"), bars)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			continue
		}
		theirs[p] = got
	}
	t := tablewriter.NewTable(os.Stdout)
	t.Header(slices.Concat([]string{"indicator, 100,000 bars", "ns/bar", "A/bar", "gate A", "M/2 a bar"}, peers))
	unit, chain := chains(s.Close)
	for _, k := range kernels() {
		ns, values := timeKernel(k, s)
		cells := []string{k.name, fmt.Sprintf("%.2f", ns), fmt.Sprintf("%.2f", ns/unit), fmt.Sprint(k.gate), fmt.Sprintf("%.2f", 2*ns/chain)}
		if ns > k.gate*unit {
			cells[2] += " OVER"
		}
		for _, p := range peers {
			cells = append(cells, versus(theirs[p][k.name], values, ns))
		}
		if err := t.Append(cells); err != nil {
			return err
		}
	}
	fmt.Printf("kernels: the fastest of many runs. A is one dependent addition, %.2f ns here; M a dependent multiplication and addition, %.2f ns or %.1f A:\n", unit, chain, chain/unit)
	fmt.Println("bar after bar, the averages in atr, rsi and macd take one M each. The gates were set on a processor where M is 2 A: there A is the M/2 of the last column.")
	fmt.Println("All are timed on the same bars again and again, of which a processor learns by heart where a branch on values goes. On bars that are new to it a search")
	fmt.Println("for the greatest that begins anew when the last one has gone, as TA-Lib's, takes about twice as long; that of highest has no such branch and takes the same.")
	fmt.Println("bbands is the three bands; of libraries how many times ours, where values agree to 1e-9")
	return t.Render()
}

// fastest is the shortest time a bar of work, and of one dependent addition a bar, ns. Runs are short and
// alternate: on a shared machine the shortest are those that nobody interrupted.
func fastest(x []float64, runs int, work func()) (ns, unit float64) {
	best, yard := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for range runs {
		t0, s := time.Now(), 0.0
		for _, v := range x {
			s += v
		}
		t1 := time.Now()
		work()
		t2 := time.Now()
		sink += s
		yard, best = min(yard, t1.Sub(t0)), min(best, t2.Sub(t1))
	}
	return float64(best.Nanoseconds()) / float64(len(x)), float64(yard.Nanoseconds()) / float64(len(x))
}

// chains are the times of a dependent addition, and of a multiplication and addition, ns.
func chains(x []float64) (addition, both float64) {
	both, addition = fastest(x, 200, func() {
		s := 0.0
		for _, v := range x {
			s = float64(0.9*s) + v
		}
		sink += s
	})
	return addition, both
}

// timeKernel is the time a bar of one of our kernels, ns, and the kernel's values.
func timeKernel(k kernel, s *bar.Series) (ns float64, values []float64) {
	spec, ok := indicator.Lookup(k.row)
	if !ok {
		panic("BUG: no indicator " + k.row)
	}
	p := slices.Clone(k.params)
	for i := len(p); i < len(spec.Params); i++ {
		p = append(p, spec.Params[i].Default)
	}
	var in, out [][]float64
	for range spec.Series {
		in = append(in, s.Close)
	}
	columns := map[string][]float64{indicator.Open: s.Open, indicator.High: s.High, indicator.Low: s.Low, indicator.Close: s.Close}
	for _, c := range spec.Columns {
		in = append(in, columns[c])
	}
	for _, o := range spec.Outputs {
		var column []float64
		if !o.Spare {
			column = make([]float64, s.Len())
		}
		out = append(out, column)
	}
	var scratch indicator.Scratch
	spec.Eval(&scratch, out, in, p)
	ns, _ = fastest(s.Close, 1000, func() { spec.Eval(&scratch, out, in, p) })
	return ns, out[k.output]
}

// versus says how much longer a library takes, if its values are ours.
func versus(t timing, ours []float64, ns float64) string {
	if t.Values == nil {
		return "-"
	}
	scale, worst := 0.0, 0.0
	for i, v := range t.Values {
		at := 5000 + 997*i
		if v == nil {
			return "absent"
		}
		scale, worst = max(scale, math.Abs(ours[at])), max(worst, math.Abs(ours[at]-*v))
	}
	if worst > 1e-9*scale {
		return fmt.Sprintf("differs, %.0e", worst/scale)
	}
	return fmt.Sprintf("%.1f", t.NS/ns)
}

func callLibrary(python, who, file string, bars int) (map[string]timing, error) {
	c := exec.Command(python, ".ci/bench/kernels.py", who, file, fmt.Sprint(bars))
	out, err := c.Output()
	if err != nil {
		var ee *exec.ExitError
		if errors.As(err, &ee) {
			lines := strings.Split(strings.TrimSpace(string(ee.Stderr)), "\n")
			return nil, fmt.Errorf("%s cannot be timed: %s", who, lines[len(lines)-1])
		}
		return nil, fmt.Errorf("%s cannot be timed: %w", who, err)
	}
	got := map[string]timing{}
	return got, json.NewDecoder(bytes.NewReader(out)).Decode(&got)
}
