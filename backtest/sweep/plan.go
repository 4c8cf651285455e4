package sweep

import (
	"context"
	"fmt"
	"runtime"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/strategy"
)

// Path names the evaluator of a combination.
type Path uint8

// Paths, the fastest first.
const (
	Sorted Path = iota
	Sparse
	Fused
	Event
)

// String is the word of the path in results.
func (p Path) String() string { return [...]string{"sorted", "sparse", "fused", "event"}[p] }

// Options of a sweep. The zero value plays everything the fastest way.
type Options struct {
	Independent bool   // each symbol alone with the full cash, one row each
	Method      string // grid, random, sobol or tpe; "" is what the file says
	Workers     int    // 0 is as many as there are processors
	Memory      int64  // bytes that the program may take with the sweep, see Program; 0 is 2 GiB
	Metrics     []string
	Fastest     Path // the fastest path that may be taken: Event plays everything in the reference

	From, To int // combinations [From, To) of the plan only; To 0 is all

	// Row is called for every row, in the order of the plan, by one goroutine at a time. What it gets is
	// valid during the call.
	Row func(*Row) error
	// Returns is called with the session returns of every row, before Row is. Asking for them costs a pass
	// over the sessions of each combination.
	Returns func(*Returns) error
	// Judge, if given, is the objective instead of that of the file; more is better, NaN is not eligible.
	Judge func(*Row) float64
	// Progress is called now and then.
	Progress func(Progress)
	Before   *Summary // what the combinations before From came to: the best of Progress may be one of them
}

// Row is the outcome of one combination on one symbol, or on all of them at once.
type Row struct {
	Index   int    // of the combination in the plan
	Symbol  string // "" when symbols share the cash
	Params  []float64
	Metrics []float64 // in the order of Plan.Metrics; NaN is undefined
	Path    Path
	Reason  string // why not the next faster path; "" when it is the path of the plan
	Kept    bool   // it meets every `require` of the file
	Value   float64
}

// Returns are the session returns of a row.
type Returns struct {
	Index  int
	Symbol string
	Axis   *Axis
	Values []float64 // one a session of the axis
}

// Progress of a sweep.
type Progress struct {
	Done, Total int     // rows
	Best        float64 // so far, by the objective as the file says it; NaN while no row is eligible
	BestParams  []float64
}

// PlanError is a fault of what a Config says about its sweep.
type PlanError struct{ err error }

func (e *PlanError) Error() string { return e.err.Error() }
func (e *PlanError) Unwrap() error { return e.err }

// Plan is what a sweep is going to do. Immutable once made, safe for concurrent use.
type Plan struct {
	Config  *backtest.Config
	Space   *Space
	Symbols []string // each alone; one "" when they share the cash
	Metrics []string // columns of rows
	Method  string
	Path    Path
	Reasons []string // all that keeps it off the next faster path

	picks []int64 // combinations of the space, in order; nil is all of it
	src   *held
	score func() *Score
	rules *strategy.Rules // of the defaults
	pairs *pairing        // what the sorted path compares, nil when it cannot
	lanes lanes
	bars  int   // to play at once, see measure
	room  int64 // bytes that may live at once
	asked Options
}

// Asked is what the plan was made with: NewPlan makes the same one of it elsewhere.
func (p *Plan) Asked() Options { return p.asked }

// NewPlan checks cfg and lists what has to be played. A search by tpe is not known beforehand: its plan has
// the number of combinations only.
func NewPlan(ctx context.Context, cfg *backtest.Config, src bar.Source, o Options) (*Plan, error) {
	cfg = cfg.On(src.Calendar())
	rules, faults := cfg.Compile()
	if err := faults.Err(); err != nil {
		return nil, err
	}
	p := &Plan{Config: cfg, rules: rules, src: newHeld(src), Symbols: []string{""}, room: room(o)}
	p.asked = Options{Independent: o.Independent, Method: o.Method, Metrics: o.Metrics, Memory: o.Memory, Fastest: o.Fastest}
	p.src.depth, p.src.most = rules.Warmup+1, p.room/8/seriesBytes
	var err error
	if p.Space, err = NewSpace(cfg); err != nil {
		return nil, &PlanError{err}
	}
	score, err := NewScore(cfg, o.Metrics...)
	if err != nil {
		return nil, &PlanError{err}
	}
	p.Metrics = score.Keys
	p.score = func() *Score {
		s, _ := NewScore(cfg, o.Metrics...) // it was made once without a fault
		return s
	}
	names, err := backtest.Alone(ctx, cfg, src)
	switch {
	case o.Independent && err != nil:
		return nil, err
	case o.Independent && len(names) > 0, err == nil && len(names) == 1 && !cfg.Universe.Dynamic():
		p.Symbols = names
	}
	if err := p.choose(o); err != nil {
		return nil, &PlanError{err}
	}
	p.classify(o, score.Basic())
	p.bars = p.measure(ctx)
	return p, p.fits()
}

// choose lists the combinations.
func (p *Plan) choose(o Options) error {
	search := searchOf(p.Config)
	if p.Method = search.Method; o.Method != "" {
		p.Method = o.Method
	}
	most := max(p.room, 64<<20) / 4 / 8 // a list that is too long for less is refused with the figure
	var err error
	switch p.Method {
	case "", "grid":
		p.Method = "grid"
		if p.Space.constraint != nil || p.Space.size > most {
			p.picks, err = p.Space.all(most)
		}
	case "random":
		p.picks, err = p.Space.random(search.Samples, uint64(search.Seed))
	case "sobol":
		p.picks, err = p.Space.sobol(search.Samples)
	case "tpe":
		p.picks = make([]int64, min(int64(search.Samples), p.Space.size))
	default:
		err = noMethod(p.Method)
	}
	if err == nil && p.Len() == 0 {
		err = fmt.Errorf("sweep %s: no combination of parameters meets the constraint", p.Config.Name)
	}
	return err
}

func noMethod(name string) error {
	return fmt.Errorf("search method is %q, want grid, random, sobol or tpe", name)
}

// searchOf is what the file says about its search, or the defaults.
func searchOf(cfg *backtest.Config) strategy.Search {
	s := strategy.Search{Method: "grid", Samples: 200, Seed: 1, Objective: "sharpe", MinTrades: 30}
	if cfg.Search != nil {
		s = *cfg.Search
	}
	if s.Samples == 0 {
		s.Samples = 200
	}
	return s
}

// Len is the number of combinations.
func (p *Plan) Len() int {
	if p.picks == nil {
		return int(p.Space.size)
	}
	return len(p.picks)
}

// pick is combination i as a place in the grid.
func (p *Plan) pick(i int) int64 {
	if p.picks == nil {
		return int64(i)
	}
	return p.picks[i]
}

// Combination writes the parameters of combination i into dst and returns it.
func (p *Plan) Combination(i int, dst []float64) []float64 { return p.Space.At(p.pick(i), dst) }

// ConfigOf is the Config that plays one combination in the event engine, on one symbol or, for "", on all
// of them: what backtest.Run gives for it is the reference for the row.
func (p *Plan) ConfigOf(params []float64, symbol string) *backtest.Config {
	c := p.Config.With(params)
	if symbol != "" {
		c.Universe.Symbols = []string{symbol}
	}
	return c
}

func workers(o Options) int {
	if o.Workers > 0 {
		return o.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// Run plays cfg with every combination of its parameters: NewPlan and Plan.Run.
func Run(ctx context.Context, cfg *backtest.Config, src bar.Source, o Options) (*Summary, error) {
	p, err := NewPlan(ctx, cfg, src, o)
	if err != nil {
		return nil, err
	}
	return p.Run(ctx, o)
}

// pieceSize is how many combinations are worked on at a time: as many as there is memory for, so that they
// have in common what they can, and enough pieces for every worker.
func (p *Plan) pieceSize(n, workers int) int {
	switch {
	case p.Path == Event:
		return p.fit(min(64, (n+4*workers-1)/(4*workers)), workers)
	case p.Path == Sorted:
		share := min(n, mostPairs)                            // rows are kept from time to time, however many there are
		most := int64(256<<20) / 8 / int64(max(p.bars, 1000)) // columns; counting those that differ takes time
		for share > 64 && 2*int64(share) > most && p.width(share) > most {
			share = (share + 1) / 2
		}
		return p.fit(share, workers)
	case len(p.Symbols) == 1: // all workers are on each piece, and while one begins or ends, on the next one
		return p.fit(min(2048, (n+3)/4), workers)
	}
	return p.fit(min(2048, (n+2*workers-1)/(2*workers)), workers)
}

// width is how many different numbers the first combinations compare.
func (p *Plan) width(n int) int64 {
	seen := map[[maxKey + 1]float64]bool{}
	var at []float64
	for k := range min(n, p.Len()) {
		at = p.Combination(k, at)
		for s, d := range []*side{&p.pairs.left, &p.pairs.right} {
			var key [maxKey + 1]float64
			key[maxKey] = float64(s)
			for i, j := range d.params[:min(len(d.params), maxKey)] {
				key[i] = at[j]
			}
			seen[key] = true
		}
	}
	return int64(len(seen))
}
