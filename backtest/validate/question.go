package validate

import (
	"fmt"
	"math"
)

// undefined remembers why a question has no answer.
func (t *tester) undefined(key, reason string) {
	if t.reasons == nil {
		t.reasons = map[string]string{}
	}
	t.reasons[key] = reason
}

// conclude answers the questions, in the order in which they weigh.
func (t *tester) conclude() {
	for _, ask := range []func() Question{t.askWalk, t.askPBO, t.askCPCV, t.askKFold, t.askCash, t.askHolding, t.askTrials, t.askPaths, t.askEntries, t.askNoise,
		t.askCosts, t.askDelay, t.askNeighbours, t.askCausality, t.askWarmup} {
		q := ask()
		if v, ok := t.r.Figures.Get(q.Figure); ok {
			q.Value = Number(v)
		} else {
			q.Value = nan
		}
		if q.Verdict == Undefined && q.Reason == "" {
			q.Reason = t.r.Figures.Reason(q.Figure)
		}
		t.r.Questions = append(t.r.Questions, q)
	}
	counts := map[Verdict]float64{}
	for _, q := range t.r.Questions {
		counts[q.Verdict]++
	}
	t.r.Figures.set("failures", counts[Failing], "")
	t.r.Figures.set("doubts", counts[Doubtful], "")
	t.r.Figures.set("undecided", counts[Undefined], "")
	switch {
	case counts[Failing] > 0:
		t.r.Verdict = Failing
	case counts[Doubtful] > 0:
		t.r.Verdict = Doubtful
	case counts[Passes] > 0:
		t.r.Verdict = Passes
	default:
		t.r.Verdict = Undefined
	}
}

// grade is the verdict of a figure that passes on the good side of one limit and fails beyond another.
func grade(x, passes, fails float64) Verdict {
	if passes < fails {
		x, passes, fails = -x, -passes, -fails
	}
	switch {
	case math.IsNaN(x):
		return Undefined
	case x >= passes:
		return Passes
	case x > fails:
		return Doubtful
	}
	return Failing
}

// begin is a question whose figures are undefined for the reason that its test left.
func (t *tester) begin(key, question, figure, rule string, figures ...string) Question {
	for _, f := range append(figures, figure) {
		t.r.Figures.set(f, math.NaN(), t.reasons[key])
	}
	return Question{Key: key, Question: question, Figure: figure, Rule: rule, Verdict: Undefined, Reason: t.reasons[key]}
}

func (t *tester) period() string {
	return fmt.Sprintf("%s to %s, %d sessions", t.r.Data.From, t.r.Data.To, t.r.Data.Sessions)
}

func (t *tester) askWalk() Question {
	q := t.begin("walk_forward", "Do parameters that were chosen on the past make money afterwards?", "wf_efficiency",
		"passes with a profit and an efficiency of 0.5 or more, fails without a profit", "wf_total_return", "wf_sharpe", "wf_max_drawdown")
	f := t.r.WalkForward
	if f == nil {
		return q
	}
	set := t.r.Figures.set
	set("wf_efficiency", float64(f.Efficiency), "nothing was made in sample")
	set("wf_total_return", float64(f.TotalReturn), "there is no session to test")
	set("wf_sharpe", float64(f.Sharpe), "it needs two sessions that differ")
	set("wf_max_drawdown", float64(f.MaxDrawdown), "there is no session to test")
	switch {
	case f.TotalReturn != f.TotalReturn:
		q.Reason = "there is no session to test"
		return q
	case len(t.m.returns) < 2:
		q.Reason = oneCombination
		return q
	case !(f.TotalReturn > 0):
		q.Verdict = Failing
	case f.Efficiency >= .5:
		q.Verdict = Passes
	default:
		q.Verdict = Doubtful
	}
	cash, kind := 0, "rolling"
	for _, w := range f.Windows {
		if w.Chosen == nil {
			cash++
		}
	}
	if f.Anchored {
		kind = "anchored"
	}
	q.Answer = fmt.Sprintf("Out of sample it returned %s, with %s.", percent(f.TotalReturn), sharpe(f.Sharpe))
	if f.Efficiency == f.Efficiency {
		q.Answer += fmt.Sprintf(" A session there made %s of what it made in sample.", percent(f.Efficiency))
	}
	q.On = fmt.Sprintf("%d %s windows, %s of training and %s of testing; %d of them stayed in cash because nothing was eligible or to be had", len(f.Windows), kind, f.Train, f.Test, cash)
	if f.Carry {
		q.On = fmt.Sprintf("%d %s windows in one account, %s of training and %s of testing; positions live on from one to the next; in %d windows nothing was entered because nothing was eligible or to be had", len(f.Windows), kind, f.Train, f.Test, cash)
	}
	return q
}

func (t *tester) askPBO() Question {
	q := t.begin("pbo", "Is the best of the search still among the better half on data it was not chosen on?", "pbo", "passes to 0.2, fails from 0.5", "pbo_loss")
	p := t.r.PBO
	if p == nil {
		return q
	}
	t.r.Figures.set("pbo", float64(p.Probability), "no combination moves in any split")
	t.r.Figures.set("pbo_loss", float64(p.Loss), "no combination moves in any split")
	q.Verdict = grade(float64(p.Probability), .2, .5)
	q.Answer = fmt.Sprintf("In %s of the splits the best on one half of history was at the median or under it on the other; in %s it lost.", percent(p.Probability), percent(p.Loss))
	q.On = fmt.Sprintf("session returns of all %d combinations, %d blocks, %d splits, by %s; %s", p.Configurations, p.Blocks, p.Splits, p.By, t.period())
	return q
}

func (t *tester) askCPCV() Question {
	q := t.begin("cpcv", "Do other cuts of history tell the same?", "cpcv_loss", "passes if at most 5 % of paths lose, fails from half of them", "cpcv_sharpe", "cpcv_sharpe_low")
	c := t.r.CPCV
	if c == nil {
		return q
	}
	t.r.Figures.set("cpcv_loss", float64(c.Loss), "")
	t.r.Figures.set("cpcv_sharpe", float64(c.Median), "no path moves")
	t.r.Figures.set("cpcv_sharpe_low", float64(c.Low), "no path moves")
	q.Verdict = grade(float64(c.Loss), .05, .5)
	if c.Median != c.Median {
		q.Verdict, q.Reason = Undefined, "no path moves"
	}
	q.Answer = fmt.Sprintf("Of %d whole histories, none of which saw itself in training, %s lost; the median Sharpe ratio is %s, 90%% lie between %s and %s.", len(c.Paths), percent(c.Loss), decimal(c.Median), decimal(c.Low), decimal(c.High))
	q.On = t.crossed(c)
	return q
}

func (t *tester) crossed(c *Cross) string {
	return fmt.Sprintf("%d groups, %d tested at a time, %d splits; %d sessions purged on both sides, %d embargoed; chosen by %s of %d combinations; %s", c.Groups, c.Tested, len(c.Splits), c.Purge, c.Embargo, c.By, len(t.m.returns), t.period())
}

func (t *tester) askKFold() Question {
	q := t.begin("kfold", "Does what one part of history lacks follow from the others?", "kfold_sharpe", "passes from an annual Sharpe ratio of 0.5, fails at 0")
	c := t.r.KFold
	if c == nil {
		return q
	}
	t.r.Figures.set("kfold_sharpe", float64(c.Median), "nothing moves")
	q.Verdict = grade(float64(c.Median), .5, 0)
	q.Answer = fmt.Sprintf("Every fold traded with what was best on the others has %s and returns %s.", sharpe(c.Median), percent(c.Paths[0].TotalReturn))
	q.On = t.crossed(c)
	return q
}

func (t *tester) askCash() Question {
	return t.askSuperior("spa_cash", "Is the best of the search better than cash, given how many were tried?", "reality_check_cash", t.r.Cash, "cash")
}

func (t *tester) askHolding() Question {
	return t.askSuperior("spa_holding", "Is it better than holding the same symbols at the same average exposure?", "reality_check_holding", t.r.Holding, "buy and hold, scaled to each combination's average exposure")
}

func (t *tester) askSuperior(key, question, check string, s *Superiority, what string) Question {
	q := t.begin(key, question, key, "passes to p = 0.05, fails from 0.2", check)
	if s == nil {
		return q
	}
	t.r.Figures.set(key, float64(s.Consistent), "no combination differs from it")
	t.r.Figures.set(check, float64(s.RealityCheck), "no combination differs from it")
	q.Verdict = grade(float64(s.Consistent), .05, .2)
	q.Answer = fmt.Sprintf("The best of %d worthless combinations would do as well in %s of draws (Hansen); %s by White's reality check.", s.Models, percent(s.Consistent), percent(s.RealityCheck))
	q.On = fmt.Sprintf("session returns of all %d combinations less those of %s, %d draws in blocks of %.1f sessions; %s", s.Models, what, s.Draws, s.Block, t.period())
	return q
}

func (t *tester) askTrials() Question {
	q := t.begin("trials", "Is the Sharpe ratio more than the luck of so many trials?", "dsr", "passes from 0.95, fails to 0.5", "trials", "effective_trials", "psr", "dsr_effective")
	s := t.r.Selection
	if s == nil {
		return q
	}
	for _, f := range []struct {
		key string
		x   *float64
	}{{"dsr", s.DSR}, {"dsr_effective", s.DSRLow}, {"psr", s.PSR}, {"effective_trials", s.Effective}} {
		x := math.NaN()
		if f.x != nil {
			x = *f.x
		}
		t.r.Figures.set(f.key, x, s.Reason)
	}
	t.r.Figures.set("trials", float64(s.Trials), "")
	if s.DSR == nil {
		return q
	}
	q.Verdict = grade(*s.DSR, .95, .5)
	if q.Verdict == Failing && s.DSRLow != nil && *s.DSRLow >= .95 {
		q.Verdict = Doubtful
	}
	q.Answer = fmt.Sprintf("After %d trials the probability that the true ratio is above what the best worthless one shows is %.3f.", s.Trials, *s.DSR)
	if s.DSRLow != nil && s.Effective != nil {
		q.Answer += fmt.Sprintf(" They are worth %.1f independent ones, after which it is %.3f.", *s.Effective, *s.DSRLow)
	}
	q.On = "the judged run, and the trials of this search alone"
	if s.Snapshot != "" {
		q.On = "the judged run, and the history in state " + s.Snapshot
	}
	return q
}

func (t *tester) askPaths() Question {
	q := t.begin("monte_carlo", "Would the same sessions in another order have been as kind?", "mc_sharpe_low", "passes if the 95 % interval of the Sharpe ratio lies above 0, fails if a quarter of paths lose", "mc_loss", "mc_max_drawdown")
	m := t.r.MonteCarlo
	if m == nil {
		return q
	}
	t.r.Figures.set("mc_sharpe_low", float64(m.SharpeLow), "the run does not move")
	t.r.Figures.set("mc_loss", float64(m.Loss), "")
	t.r.Figures.set("mc_max_drawdown", float64(m.DrawdownLow), "")
	switch {
	case m.SharpeLow != m.SharpeLow:
		return q
	case m.SharpeLow > 0:
		q.Verdict = Passes
	case m.Loss < .25:
		q.Verdict = Doubtful
	default:
		q.Verdict = Failing
	}
	q.Answer = fmt.Sprintf("%s of paths lose; the Sharpe ratio lies between %s and %s; one path in twenty falls by more than %s.", percent(m.Loss), decimal(m.SharpeLow), decimal(m.SharpeHigh), percent(-m.DrawdownLow))
	q.On = fmt.Sprintf("sessions of the judged run, %d paths in blocks of %.1f sessions", m.Draws, m.Block)
	return q
}

func percent(x Number) string {
	if x != x {
		return "an undefined share"
	}
	return fmt.Sprintf("%.1f%%", 100*x)
}

// sharpe is a ratio in words.
func sharpe(x Number) string {
	if x != x {
		return "an undefined Sharpe ratio"
	}
	return "a Sharpe ratio of " + decimal(x)
}

func decimal(x Number) string {
	if x != x {
		return "undefined"
	}
	return fmt.Sprintf("%.2f", x)
}

// sharpe of the judged run, annual.
func (t *tester) sharpe() float64 { return metric(t.r.Judged, "sharpe") }
