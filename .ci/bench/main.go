// Bench measures the product against its goals and, where they can be installed, against peers. A peer
// whose results differ gets no time.
//
//	go run ./.ci/bench [-peers=false]
//
// It prints one table, and below it the rows that a peer wins and the goals that are missed. CPU seconds are user +
// system of the whole process, the median of several runs; the fastest of several for peers, after their own warm-up.
// RESULTS.txt is a run of it.
//
// Peers are what PyPI gives for this machine. Of newer engines for bars raptorbt and phasor-trader are here. Three more
// install and cannot play the crossing that these rows play, in or out with all the cash in fractions of a share:
// qrucible 1.0.0 turns an exit into a short position, no signal of it says flat; akquant 0.3.71 buys whole shares and refuses an
// order for all the cash at the deciding close, though it fills at the next open; openquanter 2.0.1 plays ticks, not bars,
// with quantities said beforehand. pip finds no release of Manifold-BT (manifoldbt, manifold-bt); VectorBT PRO is sold only.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/olekukonko/tablewriter"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/strategy"
)

const rules = `
entry: crosses_above(sma(close, 10), sma(close, 50))
exit: sma(close, 10) < sma(close, 50)
size: {weight: 1, fractional: true}
costs: {commission: {bps: 1}, slippage: none}
`

func main() {
	peers := flag.Bool("peers", true, "install and run vectorbt, raptorbt, phasor, backtesting.py and libraries of indicators beside it")
	only := flag.String("only", "", "measure these alone: engine, data, run, statistics, kernels, sweep or serve")
	load := flag.String("load", "", "load the flat files below this folder into a store beside it, and end: what measures that calls itself")
	flag.Parse()
	var err error
	if *load != "" {
		err = loadFiles(*load)
	} else {
		err = run(*peers, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// row of the table.
type row struct {
	scenario string
	who      string
	cpu      float64
	goal     float64 // 0 = none
	equal    string
	first    float64 // CPU of ours in the same scenario
}

func run(withPeers bool, only string) error {
	if err := os.MkdirAll(dir(""), 0o777); err != nil {
		return err
	}
	python := ""
	if withPeers {
		var err error
		if python, err = installPeers(); err != nil {
			fmt.Fprintln(os.Stderr, "bench: peers cannot be had, ours alone:", err)
		}
	}
	fmt.Printf("%s, %d cores, %s, %s\n", processor(), runtime.NumCPU(), runtime.Version(), time.Now().UTC().Format(time.DateOnly))
	fmt.Printf("yardstick A (one dependent float add): %.2f ns\n", yardstick())
	var rows []row
	all := []func(string) ([]row, error){oneSymbol, manySymbols, language, statistics, wholeProcess, engines, ingest, month, wholeMarket, sweeps}
	switch only {
	case "serve":
		return served()
	case "kernels":
		if err := compareKernels(python); err != nil {
			return err
		}
		all = []func(string) ([]row, error){language}
	case "statistics":
		all = []func(string) ([]row, error){statistics}
	case "engine":
		all = []func(string) ([]row, error){engines}
	case "data":
		all = []func(string) ([]row, error){ingest, month, wholeMarket}
	case "run":
		all = all[:len(all)-1]
	case "sweep":
		all = all[len(all)-1:]
	case "":
	default:
		return fmt.Errorf("measure %q: there are engine, data, run, statistics, kernels, sweep and serve", only)
	}
	for _, f := range all {
		more, err := f(python)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	if err := print(rows); err != nil || only != "" {
		return err
	}
	if err := compareKernels(python); err != nil {
		return err
	}
	return served()
}

// yardstick is the latency of a dependent float64 addition, ns.
func yardstick() float64 {
	best := math.Inf(1)
	for range 9 {
		x, start := 1.0, time.Now()
		for range 1 << 22 {
			x += 1e-9
		}
		best = min(best, float64(time.Since(start).Nanoseconds())/(1<<22))
		if x < 0 {
			panic(x)
		}
	}
	return best
}

// processor is the model of the first core as Linux names it; elsewhere what it is built for.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, found := strings.CutPrefix(line, "model name"); found {
			return strings.Trim(name, "\t :\n")
		}
	}
	return runtime.GOARCH
}

// oneSymbol is scenario a: a million bars of one symbol.
func oneSymbol(python string) ([]row, error) {
	const bars = 1_000_000
	s := walk(1, "A", bar.Minutely, bars)
	if err := errors.Join(writeBinary(dir("a.bin"), []*bar.Series{s}), writeCSV(dir("a.csv.gz"), s)); err != nil {
		return nil, err
	}
	return compare("a: 1 symbol x 1,000,000 bars", 0.05, python, []string{"a", dir("a.bin"), fmt.Sprint(bars)}, []*bar.Series{s})
}

// manySymbols is scenario b: 500 symbols of ten years of days, each alone.
func manySymbols(python string) ([]row, error) {
	const symbols, bars = 500, 2520
	var series []*bar.Series
	for i := range symbols {
		series = append(series, walk(uint64(i+2), fmt.Sprintf("S%03d", i), bar.Daily, bars))
	}
	if err := writeBinary(dir("b.bin"), series); err != nil {
		return nil, err
	}
	return compare("b: 500 symbols x 2,520 bars", 0.06, python, []string{"b", dir("b.bin"), fmt.Sprint(bars)}, series)
}

// outcome is what a peer prints.
type outcome struct {
	CPU      float64   `json:"cpu"`
	Final    []float64 `json:"final"`
	Trades   int       `json:"trades"`
	Sharpe   []float64 `json:"sharpe"`
	Drawdown []float64 `json:"drawdown"`
}

// compare plays one scenario with us and with each peer on the same data.
func compare(name string, goal float64, python string, args []string, series []*bar.Series) ([]row, error) {
	ours, err := play(series)
	if err != nil {
		return nil, err
	}
	rows := []row{{scenario: name, who: "backtester", cpu: ours.CPU, goal: goal, equal: "-", first: ours.CPU}}
	if python == "" {
		return rows, nil
	}
	for _, peer := range []string{"vectorbt", "backtesting"} {
		theirs, err := callPeer(python, append([]string{peer}, args...))
		if err != nil {
			return nil, err
		}
		r := row{scenario: name, who: peer, cpu: theirs.CPU, first: ours.CPU, equal: same(ours, theirs)}
		if !strings.HasPrefix(r.equal, "yes") {
			r.cpu = 0
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// play measures ours: everything Run does, statistics and fingerprint of the data included.
func play(series []*bar.Series) (*outcome, error) {
	text := rules
	if series[0].Frame.Intraday() {
		text += "data: {bars: 1m}\n"
	}
	return outcomeOf("crossing", text, series, backtest.Each)
}

// outcomeOf runs a strategy seven times and takes the median. Its metrics are computed within the time: they are
// the peers' too, and computed only when they are read.
func outcomeOf(name, text string, series []*bar.Series, run func(context.Context, *backtest.Config, bar.Source) ([]*backtest.Result, error)) (*outcome, error) {
	cfg, faults := strategy.Parse(name, []byte(text))
	if err := faults.Err(); err != nil {
		return nil, err
	}
	src, err := bar.NewMemory(bar.Always(), series...)
	if err != nil {
		return nil, err
	}
	var out *outcome
	took := measure(7, func() error {
		all, fault := run(context.Background(), cfg, src)
		if err = fault; err == nil {
			out = summary(all)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out.CPU = took
	return out, nil
}

func summary(all []*backtest.Result) *outcome {
	out := &outcome{}
	for _, r := range all {
		metric := func(key string) float64 { v, _ := r.Metrics.Get(key); return v }
		out.Final = append(out.Final, metric("final_equity"))
		out.Drawdown = append(out.Drawdown, metric("max_drawdown"))
		out.Sharpe = append(out.Sharpe, metric("sharpe"))
		for _, t := range r.Trades {
			if !t.Open {
				out.Trades++
			}
		}
	}
	return out
}

// same compares what matters: the number of closed trades and the final equity of every symbol.
// Whole-share peers round, with a million million dollars, to 1e-6.
func same(a, b *outcome) string {
	worst := 0.0
	if len(a.Final) != len(b.Final) {
		return "no: other number of runs"
	}
	for i := range a.Final {
		worst = max(worst, math.Abs(a.Final[i]/b.Final[i]-1))
	}
	if worst > 1e-6 {
		return fmt.Sprintf("no: final equity differs by %.1e", worst)
	}
	return fmt.Sprintf("yes, to %.0e", max(worst, 1e-16))
}

// wholeProcess starts a process, reads a gzip-compressed CSV of a million bars and plays it.
func wholeProcess(python string) ([]row, error) {
	const name = "process: start + read csv.gz + a"
	if out, err := exec.Command("make", "build").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("make build: %w\n%s", err, out)
	}
	file := dir("crossing.yaml")
	if err := os.WriteFile(file, []byte("name: crossing\nuniverse: {symbols: [A]}\ndata: {bars: 1m}\n"+rules), 0o666); err != nil {
		return nil, err
	}
	var times []float64
	var final float64
	for range 5 {
		c := exec.Command("bin/backtester", "run", file, "--bars", "A="+dir("a.csv.gz"), "--format", "csv", "--again", "--results-dir", dir("results"))
		out, err := c.Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c, err)
		}
		if final, err = metricOf(out, "final_equity"); err != nil {
			return nil, err
		}
		times = append(times, (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds())
	}
	if err := os.RemoveAll(dir("results")); err != nil {
		return nil, err
	}
	slices.Sort(times)
	ours := &outcome{CPU: times[2], Final: []float64{final}}
	rows := []row{{scenario: name, who: "backtester", cpu: ours.CPU, goal: 1, equal: "-", first: ours.CPU}}
	if python == "" {
		return rows, nil
	}
	for _, peer := range []string{"vectorbt", "backtesting"} {
		theirs, err := callPeer(python, []string{peer, "process", dir("a.csv.gz")})
		if err != nil {
			return nil, err
		}
		// The calendars differ (theirs has none), what is compared is the money.
		r := row{scenario: name, who: peer, cpu: theirs.CPU, first: ours.CPU, equal: same(ours, theirs)}
		if !strings.HasPrefix(r.equal, "yes") {
			r.cpu = 0
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// metricOf reads one column of the metrics CSV.
func metricOf(csv []byte, key string) (float64, error) {
	lines := strings.Split(strings.TrimSpace(string(csv)), "\n")
	if len(lines) != 2 {
		return 0, fmt.Errorf("metrics have %d lines", len(lines))
	}
	k := slices.Index(strings.Split(lines[0], ","), key)
	if k < 0 {
		return 0, fmt.Errorf("no metric %s", key)
	}
	var v float64
	_, err := fmt.Sscan(strings.Split(lines[1], ",")[k], &v)
	return v, err
}

// installPeers makes a virtual environment with the peers, once.
func installPeers() (python string, err error) {
	python = ".cache/bench/bin/python"
	if exec.Command(python, "-c", "import vectorbt, backtesting, raptorbt, bt, backtrader, talib, pandas_ta_classic, polars").Run() == nil {
		newest(python)
		return python, nil
	}
	fmt.Fprintln(os.Stderr, "bench: installing vectorbt, backtesting.py, raptorbt, bt, backtrader, TA-Lib, pandas-ta-classic and polars into .cache/bench")
	if out, err := exec.Command("python3", "-m", "venv", ".cache/bench").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	if out, err := exec.Command(".cache/bench/bin/pip", "install", "-q", "vectorbt", "backtesting", "raptorbt", "bt", "backtrader", "TA-Lib", "pandas-ta-classic", "polars").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	newest(python)
	return python, nil
}

// newest installs engines that are so new that they may be gone tomorrow: without them the others are still measured.
func newest(python string) {
	if exec.Command(python, "-c", "import phasor").Run() == nil {
		return
	}
	if out, err := exec.Command(".cache/bench/bin/pip", "install", "-q", "phasor-trader").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: phasor-trader cannot be had: %v: %s\n", err, out)
	}
}

func callPeer(python string, args []string) (*outcome, error) {
	return callTool(python, ".ci/bench/peers.py", args...)
}

// callTool runs a peer, and takes the CPU of the whole process where that is what is asked for.
func callTool(python, script string, args ...string) (*outcome, error) {
	c := exec.Command(python, append([]string{script}, args...)...)
	c.Stderr = nil
	out, err := c.Output()
	if err != nil {
		var ee *exec.ExitError
		if errors.As(err, &ee) {
			return nil, fmt.Errorf("%s: %w\n%s", c, err, ee.Stderr)
		}
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	o := &outcome{}
	if err := json.Unmarshal(out, o); err != nil {
		return nil, fmt.Errorf("read what %s printed: %w", args[0], err)
	}
	if args[1] == "process" {
		o.CPU = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
	}
	return o, nil
}

// cpu is the CPU time of this process so far, seconds.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func print(rows []row) error {
	t := tablewriter.NewTable(os.Stdout)
	t.Header("scenario", "who", "CPU s", "goal", "times ours", "same result")
	for _, r := range rows {
		cells := []string{r.scenario, r.who, "not timed", "", "", r.equal}
		if r.cpu > 0 {
			cells[2] = fmt.Sprintf("%.3f", r.cpu)
			cells[4] = fmt.Sprintf("%.1f", r.cpu/r.first)
		}
		if r.goal > 0 {
			cells[3] = fmt.Sprintf("%.2g", r.goal)
		}
		if err := t.Append(cells); err != nil {
			return err
		}
	}
	if err := t.Render(); err != nil {
		return err
	}
	lost(rows)
	return nil
}

// lost says which rows a peer wins and which goals are missed.
func lost(rows []row) {
	none := true
	for _, r := range rows {
		switch {
		case strings.HasPrefix(r.equal, "yes") && r.who != "backtester" && r.cpu > 0 && r.cpu < r.first: // a peer, no yardstick
			fmt.Printf("lost: %s: %s takes %.3f CPU s, backtester %.3f\n", r.scenario, r.who, r.cpu, r.first)
		case r.goal > 0 && r.cpu > r.goal:
			fmt.Printf("missed: %s: %s takes %.3f CPU s, the goal is %.2g\n", r.scenario, r.who, r.cpu, r.goal)
		default:
			continue
		}
		none = false
	}
	if none {
		fmt.Println("No peer wins a row, and no goal is missed.")
	}
}
