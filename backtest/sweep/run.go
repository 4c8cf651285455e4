package sweep

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// Summary is what a sweep came to.
type Summary struct {
	Combinations, Rows, Kept int
	Eligible                 int     // rows that could be the best one
	Best                     []Best  // the best rows, the first one first; ties in the order of the plan
	Paths                    []Taken // how rows were evaluated, in the order of the paths
	Faults                   error   // symbols that could not be played, and why
}

// Best is one of the best rows.
type Best struct {
	Index   int
	Symbol  string
	Params  []float64
	Metrics []float64
	Value   float64 // the objective; more is better, whatever the sense of the metric
}

// Taken says how many rows took a path, and why not a faster one.
type Taken struct {
	Path   Path
	Reason string
	Rows   int
}

// mostBest is how many of the best rows are kept.
const mostBest = 10

// piece is a range of combinations on every symbol of the plan.
type piece struct {
	params [][]float64
	from   int // number of the first combination
	blocks []*block
	common compiled
	left   atomic.Int32 // symbols that are not done
	done   chan struct{}
}

// runner plays pieces with several workers and hands their rows out in order.
type runner struct {
	plan    *Plan
	o       Options
	score   *Score
	summary Summary
	free    sync.Pool // of *block
	row     Row
	total   int
	workers []*worker
	mu      sync.Mutex
	missing map[string]error // symbols that could not be played
}

func newRunner(p *Plan, o Options) *runner {
	r := &runner{plan: p, o: o, score: p.score(), missing: map[string]error{}}
	r.free.New = func() any { return &block{} }
	for range p.crew(workers(o)) {
		r.workers = append(r.workers, &worker{plan: p, returns: o.Returns != nil, crew: 1})
	}
	return r
}

// crew is how many processors work on a symbol at once: when symbols can be dealt out evenly, each worker has one to
// itself, and all of them work on each of those that are left over.
func (r *runner) crew(symbol int) int {
	n, w := len(r.plan.Symbols), len(r.workers)
	if r.plan.Path == Event || symbol < n-n%w {
		return 1 // pieces of the event engine are small: there are enough of them
	}
	return w
}

// Run plays the plan, or the range of it that o names. Cancelling ctx stops it; rows that were handed out
// stay right, and a run from the combination after them on gives the rest. The error joins what went wrong
// with symbols; those that can be played are.
func (p *Plan) Run(ctx context.Context, o Options) (*Summary, error) {
	r := newRunner(p, o)
	if p.Method == "tpe" {
		if o.From != 0 || o.To != 0 && o.To != p.Len() {
			return nil, errors.New("sweep: what tpe tries depends on all that came before: it cannot be cut into ranges")
		}
		err := r.learn(ctx)
		return r.finish(), err
	}
	to := o.To
	if to == 0 {
		to = p.Len()
	}
	if o.From < 0 || o.From > to || to > p.Len() {
		return nil, fmt.Errorf("sweep combinations %d to %d: the plan has %d", o.From, to, p.Len())
	}
	r.total = (to - o.From) * len(p.Symbols)
	err := r.play(ctx, o.From, to, p.Combination)
	return r.finish(), err
}

// play plays combinations [from, to).
func (r *runner) play(ctx context.Context, from, to int, combination func(i int, dst []float64) []float64) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	size := r.plan.pieceSize(to-from, len(r.workers))
	type task struct {
		p   *piece
		sym int
	}
	tasks, pieces := make(chan task), make(chan *piece, inFlight-1)
	var wg sync.WaitGroup
	for _, w := range r.workers {
		wg.Go(func() {
			for t := range tasks {
				if ctx.Err() == nil {
					b := r.free.Get().(*block)
					t.p.blocks[t.sym] = b
					w.common, w.crew = &t.p.common, r.crew(t.sym)
					if err := w.play(ctx, r.plan.Symbols[t.sym], t.p.params, b); err != nil {
						t.p.blocks[t.sym] = nil
						if err := r.fault(r.plan.Symbols[t.sym], err); err != nil {
							cancel(err)
						}
					}
				}
				if t.p.left.Add(-1) == 0 {
					close(t.p.done)
				}
			}
		})
	}
	go func() {
		defer close(pieces)
		defer close(tasks)
		for lo := from; lo < to && ctx.Err() == nil; lo += size {
			hi := min(lo+size, to)
			c := &piece{from: lo, params: make([][]float64, hi-lo), blocks: make([]*block, len(r.plan.Symbols)), done: make(chan struct{})}
			c.left.Store(int32(len(r.plan.Symbols)))
			flat := make([]float64, (hi-lo)*len(r.plan.Space.Names))
			for i := range c.params {
				n := len(r.plan.Space.Names)
				c.params[i] = combination(lo+i, flat[i*n:i*n:(i+1)*n])
			}
			pieces <- c
			for s := range r.plan.Symbols {
				tasks <- task{c, s}
			}
		}
	}()
	next := from
	for c := range pieces {
		<-c.done
		if ctx.Err() != nil {
			continue // the rest of the pieces comes to its end
		}
		if err := r.emit(c); err != nil {
			cancel(err)
			continue
		}
		next = c.from + len(c.params)
	}
	wg.Wait()
	if next == to {
		return nil // whoever interrupts now is too late
	}
	return context.Cause(ctx)
}

// fault keeps what is wrong with one symbol of several. Anything else ends the sweep.
func (r *runner) fault(symbol string, err error) error {
	if symbol == "" || len(r.plan.Symbols) == 1 || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.missing[symbol] == nil {
		r.missing[symbol] = fmt.Errorf("%s: %w", symbol, err)
	}
	return nil
}

// emit hands the rows of a piece out.
func (r *runner) emit(c *piece) error {
	for i, params := range c.params {
		r.summary.Combinations++
		for s, b := range c.blocks {
			if b == nil {
				continue
			}
			if r.o.Returns != nil {
				if err := r.o.Returns(&Returns{Index: c.from + i, Symbol: r.plan.Symbols[s], Axis: b.axis, Values: b.returnsOf(i)}); err != nil {
					return err
				}
			}
			r.row = Row{Index: c.from + i, Symbol: r.plan.Symbols[s], Params: params, Metrics: b.row(i), Path: b.path[i], Reason: b.reason[i]}
			r.row.Kept = r.score.Required(r.row.Metrics)
			if r.row.Value = r.score.Value(r.row.Metrics); r.o.Judge != nil {
				r.row.Value = r.o.Judge(&r.row)
			}
			r.count(&r.row)
			if r.o.Row != nil {
				if err := r.o.Row(&r.row); err != nil {
					return err
				}
			}
		}
	}
	for _, b := range c.blocks {
		if b != nil {
			r.free.Put(b)
		}
	}
	if r.o.Progress != nil {
		r.o.Progress(r.progress(r.total))
	}
	return nil
}

// progress is how far the rows that were counted are, of a total.
func (r *runner) progress(total int) Progress {
	p := Progress{Done: r.summary.Rows, Total: total, Best: math.NaN()}
	best := r.summary.Best
	if b := r.o.Before; b != nil && len(b.Best) > 0 && (len(best) == 0 || !(best[0].Value > b.Best[0].Value)) {
		best = b.Best
	}
	if len(best) > 0 {
		p.Best, p.BestParams = r.score.Raw(best[0].Metrics), best[0].Params
	}
	return p
}

// count adds a row to the summary.
func (r *runner) count(row *Row) {
	s := &r.summary
	s.Rows++
	if row.Kept {
		s.Kept++
	}
	k := slices.IndexFunc(s.Paths, func(t Taken) bool { return t.Path == row.Path && t.Reason == row.Reason })
	if k < 0 {
		k = len(s.Paths)
		s.Paths = append(s.Paths, Taken{Path: row.Path, Reason: row.Reason})
	}
	s.Paths[k].Rows++
	if math.IsNaN(row.Value) {
		return
	}
	s.Eligible++
	if len(s.Best) == mostBest && !(row.Value > s.Best[mostBest-1].Value) {
		return
	}
	s.rank(Best{row.Index, row.Symbol, slices.Clone(row.Params), slices.Clone(row.Metrics), row.Value})
}

// rank gives b its place among the best, behind its equals: ties in the order of the plan.
func (s *Summary) rank(b Best) {
	at := len(s.Best)
	for at > 0 && b.Value > s.Best[at-1].Value {
		at--
	}
	s.Best = slices.Insert(s.Best, at, b)
	s.Best = s.Best[:min(len(s.Best), mostBest)]
}

func (r *runner) finish() *Summary {
	slices.SortStableFunc(r.summary.Paths, func(a, b Taken) int { return int(a.Path) - int(b.Path) })
	var faults []error
	for _, symbol := range r.plan.Symbols {
		faults = append(faults, r.missing[symbol])
	}
	r.summary.Faults = errors.Join(faults...)
	return &r.summary
}
