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
	t.Header(slices.Concat([]string{"indicator, 100,000 bars", "ns/bar", "A/bar", "gate A"}, peers))
	for _, k := range kernels() {
		ns, unit, values := timeKernel(k, s)
		cells := []string{k.name, fmt.Sprintf("%.2f", ns), fmt.Sprintf("%.2f", ns/unit), fmt.Sprint(k.gate)}
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
	fmt.Println("kernels: the fastest of many runs, A is one dependent addition measured between them (2 to 4 cycles, by processor; the gates were set where it is 3);")
	fmt.Println("bbands has five outputs, its gate is for three; of libraries how many times ours, where values agree to 1e-9")
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

// timeKernel is the time a bar of one of our kernels and of an addition, ns, and the kernel's values.
func timeKernel(k kernel, s *bar.Series) (ns, unit float64, values []float64) {
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
	for range spec.Outputs {
		out = append(out, make([]float64, s.Len()))
	}
	var scratch indicator.Scratch
	spec.Eval(&scratch, out, in, p)
	ns, unit = fastest(s.Close, 1000, func() { spec.Eval(&scratch, out, in, p) })
	return ns, unit, out[k.output]
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
