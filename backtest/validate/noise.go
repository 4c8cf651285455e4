package validate

import (
	"context"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/stats"
)

// Noisy is the judged run on prices with noise: every bar moved as a whole by a random fraction.
type Noisy struct {
	Size   float64 `json:"size"` // standard deviation, as a share of what the symbol typically moves from bar to bar
	Runs   int     `json:"runs"`
	Faults int     `json:"faults,omitempty"` // runs that could not be made
	Median Number  `json:"sharpe_median"`
	Low    Number  `json:"sharpe_p05"`
	High   Number  `json:"sharpe_p95"`
	Profit Number  `json:"profit_share"` // of runs that made money
}

// noiseSizes are the sizes tried; the verdict is about the middle one.
var noiseSizes = [...]float64{.05, .1, .25}

// noise runs the judged run on noisy prices.
func (t *tester) noise(ctx context.Context) error {
	draws := t.want.Noise
	type outcome struct{ sharpe, total float64 }
	got := make([]outcome, len(noiseSizes)*draws)
	faults := make([]error, len(got))
	var next, done atomic.Int64
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range min(len(got), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(got) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				src := &haze{Source: t.src, size: noiseSizes[i/draws], seed: t.r.Seed + uint64(i%draws)}
				r, err := backtest.Run(ctx, t.r.Judged.Config, src)
				if faults[i] = err; err == nil {
					got[i] = outcome{metric(r, "sharpe"), metric(r, "total_return")}
				}
				mu.Lock()
				t.progress("noisy prices", int(done.Add(1)), len(got))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for l, size := range noiseSizes {
		row := Noisy{Size: size, Median: nan, Low: nan, High: nan}
		var ratios []float64
		profit := 0.0
		for i := l * draws; i < (l+1)*draws; i++ {
			if faults[i] != nil {
				row.Faults++
				continue
			}
			row.Runs++
			if got[i].total > 0 {
				profit++
			}
			if x := got[i].sharpe; x == x {
				ratios = append(ratios, x)
			}
		}
		row.Profit = ratio(profit, float64(row.Runs))
		if len(ratios) > 0 {
			slices.Sort(ratios)
			row.Median, row.Low, row.High = Number(stats.Quantile(ratios, .5)), Number(stats.Quantile(ratios, .05)), Number(stats.Quantile(ratios, .95))
		}
		t.r.Noise = append(t.r.Noise, row)
	}
	return nil
}

// haze is a source whose prices have noise. A bar keeps its shape, so that it stays one; volumes and actions are
// as they were. The noise of a bar is the same whenever it is read.
type haze struct {
	bar.Source
	size float64
	seed uint64
}

// Load adds the noise.
func (h *haze) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	s, err := h.Source.Load(ctx, r)
	if err != nil {
		return nil, err
	}
	c := *s
	c.Open, c.High, c.Low, c.Close = slices.Clone(s.Open), slices.Clone(s.High), slices.Clone(s.Low), slices.Clone(s.Close)
	scale := h.size * typicalMove(s.Close[s.Warm:])
	name := fnv.New64a()
	name.Write([]byte(r.Symbol))
	seed := name.Sum64() ^ h.seed*0x9e3779b97f4a7c15
	var pcg rand.PCG
	z := rand.New(&pcg)
	for i, at := range s.Time {
		pcg.Seed(seed, uint64(at))
		f := max(.1, 1+float64(scale*z.NormFloat64()))
		c.Open[i], c.High[i], c.Low[i], c.Close[i] = c.Open[i]*f, c.High[i]*f, c.Low[i]*f, c.Close[i]*f
	}
	return &c, nil
}

// typicalMove is the standard deviation of a normal variable with the median size of the changes from close to
// close: splits and gaps do not move it.
func typicalMove(closes []float64) float64 {
	var moves []float64
	for i := 1; i < len(closes); i++ {
		if m := math.Abs(closes[i]/closes[i-1] - 1); m == m {
			moves = append(moves, m)
		}
	}
	if len(moves) == 0 {
		return 0
	}
	slices.Sort(moves)
	return 1.4826 * stats.Quantile(moves, .5)
}
