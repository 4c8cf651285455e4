// Package validate puts strategies to the test: whether choosing parameters pays on data that they were not
// chosen on, how much of a result is luck, what it hangs on, and whether it could have been made by somebody who
// did not know the future.
//
// In: a Config, a source of bars, and for strategies in Go what makes one. Out: of Test a Report, a plain answer
// to every question with the figure behind it and what it was computed on; of Prove a Proof of causality, check
// by check, with the first decision that knew too much and the value that it knew. It refuses searches that
// cannot be played or whose returns need more memory than they may have, with the figure; a test that cannot be
// made is undefined, with its reason. Nothing depends on the clock or the number of processors: what is random
// comes from a seed.
package validate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/fill"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/hook"
)

// Subject is what is put to the test.
type Subject struct {
	Config *backtest.Config
	// Strategy makes the strategy in Go for one run on src, nil without one. A strategy that loads bars of
	// its own must load them from src: the proof changes what comes from there.
	Strategy func(src bar.Source) hook.Strategy
	History  int // see backtest.Options
}

// Plan says how thorough a proof is.
type Plan struct {
	Cuts int    // moments after which the future is changed; 0 is 12
	Seed uint64 // of where they lie and what the future becomes
}

// Outcome of a check.
type Outcome string

const (
	Holds   Outcome = "holds"
	Fails   Outcome = "fails"
	Skipped Outcome = "skipped" // there was nothing to check it on
)

// Proof is the outcome of all checks.
type Proof struct {
	Strategy string  `json:"strategy"`
	Holds    bool    `json:"holds"` // no check fails
	Checks   []Check `json:"checks"`
	Leak     *Leak   `json:"leak,omitempty"` // the first decision that knew too much
	Warmup   Warmup  `json:"warmup"`         // what more history changes
}

// Check is one of them.
type Check struct {
	Name    string  `json:"name"` // fills, static, series (where there are any), decisions (of code), truncated, absent, random, warmup
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail"`
}

// Prove runs all checks: the settings of fills, the graph of expressions node by node, series and decisions
// that go with the next bar, the run on data
// that ends at many moments, then on data whose future is absent and random from there on, and the run
// with more history than the rules need. Cost: about three runs for each moment, and some twenty more to
// find what leaked. The error is that of a run.
func Prove(ctx context.Context, s Subject, src bar.Source, plan Plan) (*Proof, error) {
	if plan.Cuts <= 0 {
		plan.Cuts = 12
	}
	p := &prover{ctx: ctx, subject: s, src: src, plan: plan, proof: &Proof{Strategy: s.Config.Name}}
	if err := p.compile(); err != nil {
		return nil, err
	}
	if err := p.follow(); err != nil {
		return nil, err
	}
	p.fills()
	p.static()
	p.foresight()
	for _, mode := range []mode{truncated, absent, random} {
		if err := p.dynamic(mode); err != nil {
			return nil, err
		}
	}
	if err := p.warmup(); err != nil {
		return nil, err
	}
	if p.proof.Leak == nil {
		p.proof.Leak = p.known
	}
	p.proof.Holds = true
	for _, c := range p.proof.Checks {
		p.proof.Holds = p.proof.Holds && c.Outcome != Fails
	}
	return p.proof, nil
}

// prover works on one Proof.
type prover struct {
	ctx     context.Context
	subject Subject
	src     bar.Source
	plan    Plan
	proof   *Proof

	rules []ruled         // what decides, strategy by strategy
	full  *backtest.Trace // of the run on all data
	ends  []int64         // of the bars of its steps, ns UTC
	known *Leak           // what series or decisions knew
}

func (p *prover) add(name string, o Outcome, format string, args ...any) {
	p.proof.Checks = append(p.proof.Checks, Check{name, o, fmt.Sprintf(format, args...)})
}

// ruled is a strategy and its compiled rules.
type ruled struct {
	name string // "" of one alone
	file *backtest.Config
	*strategy.Rules
}

// compile the rules of the subject, or of all strategies in its account.
func (p *prover) compile() error {
	cfg := p.subject.Config.On(p.src.Calendar())
	rules, faults := cfg.Compile()
	if p.subject.Strategy != nil {
		rules, faults = cfg.CompileCoded()
	}
	if err := faults.Err(); err != nil {
		return err
	}
	for k := range rules.Parts {
		part := &rules.Parts[k]
		p.rules = append(p.rules, ruled{part.Name, part.File, part.Rules})
	}
	if p.rules == nil {
		p.rules = []ruled{{"", cfg, rules}}
	}
	return nil
}

// whose is a text about a strategy, with its name where there are several.
func whose(strategy, text string) string {
	if strategy == "" {
		return text
	}
	return strategy + ": " + text
}

// follow plays the run on all data.
func (p *prover) follow() (err error) {
	if p.full, err = p.play(p.src, backtest.Following{}); err != nil {
		return err
	}
	d := &p.subject.Config.Data
	p.ends = bar.Ends(&bar.Series{Time: p.full.Time, Open: p.full.Equity, Frame: d.Bars, Session: d.Session}, p.src.Calendar())
	return nil
}

// play follows a run on some source.
func (p *prover) play(src bar.Source, f backtest.Following) (*backtest.Trace, error) {
	if p.subject.Strategy != nil {
		f.Strategy, f.History = p.subject.Strategy(src), p.subject.History
	}
	return backtest.Follow(p.ctx, p.subject.Config, src, f)
}

// fills looks at the settings of fills.
func (p *prover) fills() {
	if p.subject.Config.Fills.Market == fill.ThisClose {
		p.add("fills", Fails, "fills.market: this_close trades at the close that decides: nobody can trade at a price he waits for")
		return
	}
	when := "the next open"
	if p.subject.Config.Fills.Market == fill.NextClose {
		when = "the next close"
	}
	p.add("fills", Holds, "market orders fill at %s", when)
}

// static walks the graph of the expressions.
func (p *prover) static() {
	var all []expr.Reading
	for _, rules := range p.rules {
		list := rules.Program.Readings()
		if rules.Universe != nil {
			list = append(list, rules.Universe.Program.Readings()...)
		}
		for _, r := range list {
			if r.Fault != "" {
				p.add("static", Fails, "%s: %s", whose(rules.name, r.Text), r.Fault)
				return
			}
		}
		all = append(all, list...)
	}
	code := ""
	switch {
	case p.subject.Strategy != nil:
		code = "; what the strategy in Go reads, only the checks on data can tell"
	case p.scripted():
		code = "; the script sees bars that have ended, the checks on data try it"
	}
	p.add("static", Holds, "%s%s", nodes(all), code)
}

// scripted reports whether a script decides in some strategy.
func (p *prover) scripted() bool {
	return slices.ContainsFunc(p.rules, func(r ruled) bool { return r.file.Script != "" })
}

// foresight looks at what knows the bar that comes next: numbers from outside, and decisions of code. The
// proof changes bars, neither what a file said beforehand nor what is written in a script: whether that was
// known by then, nobody can prove. That it goes with what comes next is found.
func (p *prover) foresight() {
	n := 0
	for _, r := range p.rules {
		n += len(r.file.Series)
	}
	if n > 0 && !p.foreseen("series") {
		p.add("series", Holds, "values of %d series are read from the time in their column available on, and do not go with the return of the bar that comes next; that they were known by then is the files' word", n)
	}
	if coded := p.subject.Strategy != nil || p.scripted(); coded && !p.foreseen("decisions") {
		p.add("decisions", Holds, "%d entries do not go with the return of the bar that comes next", p.full.Entries)
	}
}

// foreseen reports that something knew the next bar: "series" or "decisions".
func (p *prover) foreseen(name string) bool {
	for _, x := range p.full.Foreseen {
		if !strings.HasPrefix(x.Source, name) {
			continue
		}
		example, was := "the first", ""
		if name == "series" {
			was = number(x.Value)
			example = whose(x.Strategy, x.Source) + ": " + was
		} else {
			example = whose(x.Strategy, example)
		}
		p.add(name, Fails, "%s; %s about %s at %s goes with the close of %s, %s: make sure that it was known by then", x.Words, example, x.Symbol, p.moment(x.At), p.moment(x.Next), number(x.Close))
		if p.known != nil {
			return true
		}
		p.known = &Leak{Time: p.moment(x.At), Symbol: x.Symbol, What: whose(x.Strategy, x.Source), Was: was, FromTime: p.moment(x.Next), FromColumn: "close", FromSymbol: x.Symbol, FromValue: &x.Close}
		return true
	}
	return false
}

// nodes says how many there are.
func nodes(list []expr.Reading) string {
	if len(list) == 0 {
		return "there are no expressions"
	}
	return fmt.Sprintf("none of %d nodes of the expressions reads past its own time", len(list))
}

// cuts are the steps after which the future is changed: spread over the run, each at random within its
// stretch.
func (p *prover) cuts() []int {
	n := len(p.full.Time) - 1 // the last step has no future
	if n < 1 {
		return nil
	}
	k := min(p.plan.Cuts, n)
	r := rand.New(rand.NewPCG(p.plan.Seed, 1))
	out := make([]int, k)
	for i := range out {
		from, to := i*n/k, (i+1)*n/k
		out[i] = from + r.IntN(to-from)
	}
	return out
}

// dynamic compares runs whose future was changed with the run on all data, up to where it was.
func (p *prover) dynamic(m mode) error {
	cuts := p.cuts()
	if len(cuts) == 0 {
		p.add(string(m), Skipped, "the run has one bar only")
		return nil
	}
	tried := 0
	for _, c := range cuts {
		d, err := p.differs(fog{mode: m, from: p.ends[c], seed: p.plan.Seed}, c)
		if errors.Is(err, bar.ErrNoData) {
			continue // nothing had a bar by then
		}
		if err != nil {
			return fmt.Errorf("play up to %s: %w", p.stamp(c), err)
		}
		tried++
		if d != nil {
			p.add(string(m), Fails, "at %s: %s", p.moment(d.at), d.words())
			return p.trace(d, m, c)
		}
	}
	if tried == 0 {
		p.add(string(m), Skipped, "no symbol has a bar before the moments tried")
		return nil
	}
	p.add(string(m), Holds, "columns, orders, fills and equity up to %d moments are the same, to the bit, %s", tried, m.words())
	return nil
}

// differs plays up to step c under a fog, and says what is other than in the run on all data.
func (p *prover) differs(f fog, c int) (*difference, error) {
	f.src, f.cal = p.src, p.src.Calendar()
	t, err := p.play(&f, backtest.Following{Until: p.full.Time[c]})
	if err != nil {
		return nil, err
	}
	return compare(p.full, t, p.full.Time[c]), nil
}

// stamp of step c.
func (p *prover) stamp(c int) string { return p.moment(p.full.Time[c]) }

// moment is a bar by its start, as results write it.
func (p *prover) moment(ns int64) string {
	t := backtest.Times{Daily: !p.subject.Config.Data.Bars.Intraday(), Nanos: []int64{ns}}
	return t.At(0)
}
