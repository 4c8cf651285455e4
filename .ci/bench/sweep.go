package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

// Sweeps, on one core. Equality comes first: rows are compared with backtest.Run before a time is printed.

const sweepRules = `
size: {weight: 1, fractional: true}
costs: {commission: {bps: 10}, slippage: none}
search: {min_trades: 0}
`

const pairRules = `
constraint: fast < slow
entry: sma(close, fast) > sma(close, slow)
exit: sma(close, fast) < sma(close, slow)
` + sweepRules

// sweepCase is a sweep with its goal in CPU seconds.
type sweepCase struct {
	name    string
	text    string
	symbols int
	bars    int
	goal    float64
	repeat  int
	scale   float64 // of peers: the part of the combinations that they play
	rate    float64 // bar-combinations a second and core that are asked for; 0 for none
}

func sweeps(python string) ([]row, error) {
	cases := []sweepCase{
		{name: "c: 4,851 SMA pairs x 3 symbols x 2,520 bars", text: "params: {fast: 2..100, slow: 2..100}" + pairRules, symbols: 3, bars: 2520, goal: 0.10, repeat: 7, scale: 1},
		{name: "d: 4,851 SMA pairs x 100,000 bars", text: "params: {fast: 2..100, slow: 2..100}" + pairRules, symbols: 1, bars: 100_000, goal: 0.6, repeat: 3, scale: 0.05},
		{name: "m1: 5,000 SMA pairs x 20,000 bars", text: "params: {fast: 2..51, slow: 60..159}" + pairRules, symbols: 1, bars: 20_000, goal: 0.5, repeat: 3, scale: 0.1},
		{name: "m2: 10,000 SMA pairs x 200,000 bars", text: "params: {fast: 2..101, slow: 110..209}" + pairRules, symbols: 1, bars: 200_000, goal: 5, repeat: 1, scale: 0.01},
		{name: "brackets: 10,000 stop and target pairs x 100,000 bars", text: `params: {s: 1..100, t: 1..100}
entry: crosses_above(sma(close, 20), sma(close, 60))
exit: {stop: entry_price * (1 - s / 1000), target: entry_price * (1 + t / 1000)}
` + sweepRules, symbols: 1, bars: 100_000, repeat: 1},
		{name: "general: RSI + Bollinger entry, ATR stop, 1,000 x 50,000 bars", text: `params: {n: 5..29, level: [20, 25, 30, 35, 40], k: [1.5, 2, 2.5, 3, 3.5, 4, 5, 6]}
entry: rsi(close, n) < level and close < bbands(close, 20, 2).lower
exit: {when: "close > bbands(close, 20, 2).middle", stop: entry_price - k * atr(14)}
` + sweepRules, symbols: 1, bars: 50_000, repeat: 3, rate: 200e6},
	}
	var rows []row
	for _, c := range cases {
		more, err := c.measure(python)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// long is a walk that may be of more days than there are since 2015.
func long(seed uint64, name string, bars int) *bar.Series {
	s := walk(seed, name, bar.Daily, bars)
	if bars > 80_000 {
		first := instrument.NewDate(2015, 1, 1) - instrument.Date(bars) + 80_000
		for i := range s.Time {
			s.Time[i] = (first + instrument.Date(i)).Nanos()
		}
	}
	return s
}

func (c *sweepCase) measure(python string) ([]row, error) {
	cfg, faults := strategy.Parse("sweep", []byte(c.text))
	if err := faults.Err(); err != nil {
		return nil, err
	}
	var series []*bar.Series
	for i := range c.symbols {
		series = append(series, long(uint64(i+1), string(rune('A'+i)), c.bars))
	}
	src, err := bar.NewMemory(bar.Always(), series...)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	var times []float64
	var kept []sweep.Row
	var summary *sweep.Summary
	for i := range c.repeat + 1 {
		kept = kept[:0]
		runtime.GC()
		o := sweep.Options{Independent: true, Workers: 1}
		if i == c.repeat { // once more for the rows, untimed
			o.Row = func(r *sweep.Row) error {
				if len(kept) < 60_000 {
					kept = append(kept, sweep.Row{Index: r.Index, Symbol: r.Symbol, Params: slices.Clone(r.Params), Metrics: slices.Clone(r.Metrics)})
				}
				return nil
			}
		}
		start := cpu()
		if summary, err = sweep.Run(ctx, cfg, src, o); err != nil {
			return nil, err
		}
		if i < c.repeat {
			times = append(times, cpu()-start)
		}
	}
	slices.Sort(times)
	ours := times[len(times)/2]
	plan, err := sweep.NewPlan(ctx, cfg, src, sweep.Options{Independent: true})
	if err != nil {
		return nil, err
	}
	equal, err := equalRows(ctx, plan, src, kept, 12)
	if err != nil {
		return nil, err
	}
	cells := float64(summary.Rows) * float64(c.bars)
	name := fmt.Sprintf("%s [%s]", c.name, summary.Paths[0].Path)
	if c.rate > 0 {
		c.goal = cells / c.rate
	}
	fmt.Fprintf(os.Stderr, "%s: %.0f M bar-combinations a second, largest memory of this process so far %d MiB\n", name, cells/ours/1e6, largest())
	rows := []row{{scenario: name, who: "backtester", cpu: ours, goal: c.goal, equal: equal, first: ours}}
	if runtime.NumCPU() > 1 {
		r, err := c.twoCores(ctx, plan)
		if err != nil {
			return nil, err
		}
		r.scenario, r.first = name, ours
		rows = append(rows, r)
	}
	if python == "" || c.scale == 0 {
		return rows, nil
	}
	if err := writeBinary(dir("sweep.bin"), series); err != nil {
		return nil, err
	}
	for _, peer := range []string{"vectorbt", "raptorbt", "phasor"} {
		r, err := c.peer(python, peer, name, kept, ours)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: %s cannot play %s: %v\n", peer, c.name, err)
			continue
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// twoCores measures how much sooner two workers are done, by the fastest of several turns of one and of two, one after
// the other, for a second at the least; the time of the row is what both of them spent. Others on the machine spoil it, so their load is said.
func (c *sweepCase) twoCores(ctx context.Context, plan *sweep.Plan) (row, error) {
	var best [2]time.Duration
	var spent float64
	begin := time.Now()
	for i := 0; i < 2*max(3, c.repeat) || time.Since(begin) < time.Second; i++ {
		w := i % 2
		runtime.GC()
		start, before := time.Now(), cpu()
		if _, err := plan.Run(ctx, sweep.Options{Independent: true, Workers: w + 1}); err != nil {
			return row{}, err
		}
		if took := time.Since(start); best[w] == 0 || took < best[w] {
			if best[w] = took; w == 1 {
				spent = cpu() - before
			}
		}
	}
	load := "unknown"
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		load, _, _ = strings.Cut(string(b), " ")
	}
	return row{who: "on two cores", cpu: spent, equal: fmt.Sprintf("%.2f times as soon as one: %.0f ms, load of the machine %s", best[0].Seconds()/best[1].Seconds(), best[1].Seconds()*1e3, load)}, nil
}

// equalRows compares some rows with whole runs.
func equalRows(ctx context.Context, p *sweep.Plan, src bar.Source, kept []sweep.Row, n int) (string, error) {
	worst := 0.0
	for i := range n {
		r := kept[i*(len(kept)-1)/(n-1)]
		res, err := backtest.Run(ctx, p.ConfigOf(r.Params, r.Symbol), src)
		if err != nil {
			return "", err
		}
		for k, key := range p.Metrics {
			want, ok := res.Metrics.Get(key)
			if !ok {
				want = math.NaN()
			}
			if !sweep.Near(r.Metrics[k], want) {
				return "", fmt.Errorf("%s of %v is %v, Run says %v", key, r.Params, r.Metrics[k], want)
			}
			if d := math.Abs(r.Metrics[k]-want) / max(1, math.Abs(want)); d > worst {
				worst = d
			}
		}
	}
	return fmt.Sprintf("as Run, to %.0e", max(worst, 1e-16)), nil
}

// swept is what a peer prints: for each combination that it played, by symbol.
type swept struct {
	CPU    float64      `json:"cpu"`
	Pairs  [][2]float64 `json:"pairs"`
	Return [][]float64  `json:"return"` // by pair, then by symbol
}

// peer plays a part of the pairs and is scaled to all of them.
func (c *sweepCase) peer(python, who, name string, kept []sweep.Row, ours float64) (row, error) {
	every := int(math.Round(1 / c.scale))
	cmd := exec.Command(python, ".ci/bench/sweeps.py", who, dir("sweep.bin"), fmt.Sprint(c.bars), fmt.Sprint(every), c.text[strings.Index(c.text, "{"):strings.Index(c.text, "}")+1])
	out, err := cmd.Output()
	if err != nil {
		return row{}, fmt.Errorf("%w: %.300s", err, stderrOf(err))
	}
	var theirs swept
	if err := json.Unmarshal(out, &theirs); err != nil {
		return row{}, err
	}
	r := row{scenario: name, who: who, first: ours}
	worst, seen := 0.0, 0
	for _, k := range kept {
		at := slices.Index(theirs.Pairs, [2]float64{k.Params[0], k.Params[1]})
		if at < 0 {
			continue
		}
		seen++
		// Of money that has grown, relatively; of money that is all but lost, to the same digit of what there was.
		worst = max(worst, math.Abs(theirs.Return[at][int(k.Symbol[0]-'A')]-k.Metrics[0])/max(1, 1+k.Metrics[0]))
	}
	switch {
	case seen == 0 || !(worst <= 1e-6):
		r.equal = fmt.Sprintf("no: returns of %d pairs differ by %.1e", seen, worst)
	default:
		r.equal = fmt.Sprintf("yes, to %.0e", max(worst, 1e-16))
		r.cpu = theirs.CPU * float64(every)
		if every > 1 {
			r.equal += fmt.Sprintf(", 1 in %d played", every)
		}
	}
	return r, nil
}

func stderrOf(err error) string {
	if e, ok := err.(*exec.ExitError); ok {
		return string(e.Stderr[max(0, len(e.Stderr)-300):])
	}
	return ""
}

// largest is the most memory that this process has had, MiB.
func largest() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return u.Maxrss >> 10
}
