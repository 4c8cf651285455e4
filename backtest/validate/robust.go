package validate

import (
	"fmt"
	"math"
	"strings"
)

// The questions about what the judged run hangs on.

func (t *tester) askEntries() Question {
	q := t.begin("random_entry", "Are its entries better than entries at random?", "random_entry", "passes to p = 0.05, fails from 0.2")
	e := t.r.Stress.Entries
	if e == nil {
		q.Reason = "it needs 5 positions or more that lasted over a close, and 30 sessions"
		return q
	}
	t.r.Figures.set("random_entry", e.P, "")
	q.Verdict = grade(e.P, .05, .2)
	q.Answer = fmt.Sprintf("As many positions as large, as long and as dear in the same symbols, entered at random, do as well in %.1f%% of draws.", 100*e.P)
	q.On = fmt.Sprintf("%d positions of the judged run, %d draws", e.Spells, e.Draws)
	return q
}

func (t *tester) askNoise() Question {
	q := t.begin("noise", "Does it stand when prices are a little different?", "noise_sharpe", "passes from half of the Sharpe ratio, fails at 0")
	base := t.sharpe()
	if !(base > 0) || len(t.r.Noise) == 0 {
		q.Reason = "the judged run has no positive Sharpe ratio to keep"
		return q
	}
	n := t.r.Noise[len(t.r.Noise)/2]
	kept := float64(n.Median) / base
	t.r.Figures.set("noise_sharpe", kept, "no run on noisy prices could be made")
	q.Verdict = grade(kept, .5, 0)
	q.Answer = fmt.Sprintf("With noise of %.0f%% of a typical move the median Sharpe ratio is %s instead of %.2f; 90%% lie between %s and %s.", 100*n.Size, decimal(n.Median), base, decimal(n.Low), decimal(n.High))
	q.On = fmt.Sprintf("%d runs for each of %d sizes of noise, every bar moved as a whole", t.want.Noise, len(noiseSizes))
	return q
}

func (t *tester) askCosts() Question {
	q := t.begin("costs", "Does it stand when trading is dearer?", "break_even_bps", "passes from 10 bps, fails to 5")
	list := t.r.Stress.Costs
	if len(list) == 0 || list[0].TotalReturn != list[0].TotalReturn {
		q.Reason = "the run cannot be made at other costs"
		return q
	}
	even, most := t.r.Stress.BreakEven(), list[len(list)-1].At
	q.On = fmt.Sprintf("the judged run again with up to %g bps more slippage", most)
	switch { // the figure is a number in each case: whoever asks for 10 bps or more is not told that it is undefined
	case !(list[0].TotalReturn > 0):
		even = 0
		q.Verdict, q.Answer = Failing, "There is no profit to lose."
	case math.IsNaN(even):
		even = most
		q.Verdict, q.Answer = Passes, fmt.Sprintf("Even %g bps more leave a profit: the figure is at least that.", most)
	default:
		q.Verdict = grade(even, 10, 5)
		q.Answer = fmt.Sprintf("The profit is gone at about %.1f bps more.", even)
	}
	t.r.Figures.set("break_even_bps", even, "")
	return q
}

func (t *tester) askDelay() Question {
	q := t.begin("delay", "Does it stand when it acts a bar later?", "delay_sharpe", "passes from half of the Sharpe ratio, fails at 0")
	list := t.r.Stress.Delay
	if len(list) < 2 {
		q.Reason = t.left("execution delay")
		return q
	}
	base := float64(list[0].Sharpe)
	if !(base > 0) {
		q.Reason = "the judged run has no positive Sharpe ratio to keep"
		return q
	}
	kept := float64(list[1].Sharpe) / base
	t.r.Figures.set("delay_sharpe", kept, "the run one bar later has no Sharpe ratio")
	q.Verdict = grade(kept, .5, 0)
	q.Answer = fmt.Sprintf("One bar later the Sharpe ratio is %s instead of %.2f.", decimal(list[1].Sharpe), base)
	q.On = fmt.Sprintf("the judged run again, 1 to %d bars later", len(list)-1)
	return q
}

// left is why something was not tried.
func (t *tester) left(what string) string {
	for _, l := range t.r.Stress.Left {
		if strings.HasPrefix(l, what) {
			return l
		}
	}
	return "it was not tried"
}

func (t *tester) askNeighbours() Question {
	q := t.begin("parameters", "Do the neighbours of its parameters do as well?", "fragile_parameters", "passes if no neighbour loses more than half of the Sharpe ratio")
	n := len(t.r.Stress.Params)
	if n == 0 {
		q.Reason = "it has no parameters"
		return q
	}
	if !(t.sharpe() > 0) {
		q.Reason = "the judged run has no positive Sharpe ratio to keep"
		return q
	}
	fragile := 0.0
	q.Verdict, q.Answer = Passes, "No neighbour loses more than half of the Sharpe ratio."
	for _, c := range t.r.Stress.Caveats(nil) {
		if c.Code == "parameter_fragile" {
			if fragile++; fragile == 1 {
				q.Verdict, q.Answer = Doubtful, c.Message
			}
		}
	}
	t.r.Figures.set("fragile_parameters", fragile, "")
	q.On = fmt.Sprintf("the judged run again with neighbours of %d parameters, one at a time", n)
	return q
}

func (t *tester) askCausality() Question {
	q := t.begin("causality", "Could it have been traded without knowing the future?", "leaks", "passes if no check fails")
	p := t.r.Proof
	failed, skipped := 0, 0
	for _, c := range p.Checks {
		switch {
		case c.Name == "warmup":
		case c.Outcome == Fails:
			if failed++; failed == 1 {
				q.Answer = c.Detail
			}
		case c.Outcome == Skipped:
			skipped++
		}
	}
	t.r.Figures.set("leaks", float64(failed), "")
	q.On = fmt.Sprintf("%d checks on the judged run, %d of them had nothing to check", len(p.Checks)-1, skipped)
	q.Verdict = Failing
	if failed == 0 {
		q.Verdict, q.Answer = Passes, "Nothing that it decided depends on later data."
	}
	return q
}

func (t *tester) askWarmup() Question {
	q := t.begin("warmup", "Is it independent of how much history lies before it?", "warmup_error", "passes if the check holds")
	worst := 0.0
	for _, c := range t.r.Proof.Warmup.Columns {
		worst = max(worst, c.Error)
	}
	for _, c := range t.r.Proof.Checks {
		if c.Name != "warmup" {
			continue
		}
		q.Answer = c.Detail
		switch c.Outcome {
		case Holds:
			q.Verdict = Passes
		case Fails:
			q.Verdict = Failing
		case Skipped:
			q.Reason = c.Detail
			return q
		}
	}
	t.r.Figures.set("warmup_error", worst, "")
	q.On = fmt.Sprintf("the judged run with up to %d more bars of history than the %d it needs", t.r.Proof.Warmup.Extra, t.r.Proof.Warmup.Bars)
	return q
}
