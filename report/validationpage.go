package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"backtester/backtest/stats"
	"backtester/backtest/validate"
)

//go:embed page/validation.html
var validationHTML string

var validationTemplate = parse("validation", panelHTML+validationHTML)

// validationPage is the model of its template.
type validationPage struct {
	page
	Synthetic  bool
	Verdict    string
	State      string
	Search     string
	Questions  []askedQuestion
	Panels     []panel
	Settings   string
	Provenance string
}

type askedQuestion struct{ Question, State, Answer, On string }

// ValidationHTML writes a validation as one self-contained page: no network, readable without scripts, with the
// whole document as JSON in it.
func ValidationHTML(w io.Writer, r *validate.Report) error {
	p, err := newValidationPage(r)
	if err == nil {
		err = validationTemplate.Execute(w, p)
	}
	if err != nil {
		return fmt.Errorf("write the validation of %s: %w", clean(r.Strategy), err)
	}
	return nil
}

func newValidationPage(r *validate.Report) (*validationPage, error) {
	data, err := json.Marshal(map[string]any{"series": nil, "validation": r})
	if err != nil {
		return nil, err
	}
	p := &validationPage{page: newPage("validation", "Validation of "+clean(r.Strategy), data), Synthetic: r.Data.Synthetic, Verdict: verdictLine(r), State: string(r.Verdict), Search: searchLine(r)}
	p.Subtitle = strings.Join(validationSubtitle(r), " · ")
	for i := range r.Questions {
		q := &r.Questions[i]
		answer, on := questionText(q)
		p.Questions = append(p.Questions, askedQuestion{q.Question, string(q.Verdict), answer, on})
	}
	v := newView(r.Judged)
	v.stress, v.selection = r.Stress, r.Selection
	p.Panels = filled(walkPanel(r), pboPanel(r, v), crossPanel("cpcv", "Combinatorial purged cross-validation", r.CPCV), crossPanel("kfold", "Purged cross-validation by folds", r.KFold),
		superiorPanel(r), v.selected(), noisePanel(r))
	p.Panels = append(append(p.Panels, v.stressed()...), figuresPanel(r))
	b, err := json.MarshalIndent(r.Config, "", "  ")
	if err != nil {
		return nil, err
	}
	p.Settings = clean2(string(b))
	p.Provenance = fmt.Sprintf("Engine %s, data %s, seed %d.", clean(r.Engine), head(r.Data.SHA256), r.Seed)
	return p, nil
}

// walkPanel draws the equity of the tests one after another, every other window shaded.
func walkPanel(r *validate.Report) panel {
	f := r.WalkForward
	if f == nil {
		return panel{}
	}
	p := panel{ID: "walk", Title: "Walk-forward"}
	p.Intro = "Parameters are chosen on each training stretch by the search of the file and traded on the test behind it, which starts flat on the equity left by the ones before and is liquidated with costs at its last close."
	if f.Carry {
		p.Intro = "Parameters are chosen on each training stretch by the search of the file and decide who is entered in the test behind it. All tests are one account: positions live on under the parameters they were entered with, those of a rebalance until its next date, and only the last close liquidates."
	}
	p.fact("Out of sample", fmt.Sprintf("total return %s, growth a year %s, Sharpe ratio %s, maximum drawdown %s", percent(float64(f.TotalReturn)), percent(float64(f.CAGR)), number(float64(f.Sharpe), 2), percent(float64(f.MaxDrawdown))))
	p.fact("Efficiency", fmt.Sprintf("%s: %s a session out of sample, %s in sample (mean log returns)", number(float64(f.Efficiency), 2), daily(f.OutOfSample), daily(f.InSample)))
	days, equity := f.Equity.Sessions()
	if len(days) > 1 {
		c := curveChart{id: "walk", label: "Equity of the walk-forward out of sample", dates: days, h: 300, unit: compact, lines: []curveLine{{class: "run", values: equity}}}
		at := 0
		for i, w := range f.Windows {
			if i%2 == 1 {
				c.shade = append(c.shade, [2]int{at, min(at+w.Sessions, len(days)-1)})
			}
			at += w.Sessions
		}
		p.figure(figure{Title: "Equity out of sample, every other window shaded", Drawing: c.both()})
	}
	p.Tables = append(p.Tables, windowTable(f))
	return p
}

// pboPanel draws where the best of each split came out.
func pboPanel(r *validate.Report, v *view) panel {
	b := r.PBO
	if b == nil {
		return panel{}
	}
	p := panel{ID: "pbo", Title: "Probability of backtest overfitting"}
	p.Intro = fmt.Sprintf("Combinatorially symmetric cross-validation of %s combinations: %d blocks, %s splits, %d of the oldest sessions left out so that blocks are equally long, %d splits in which nothing moved.",
		number(float64(b.Configurations), 0), b.Blocks, number(float64(b.Splits), 0), b.Dropped, b.Undecided)
	p.fact("Probability", inUnit(stats.Probability, float64(b.Probability))+" that the best of one half is at the median or under it on the other")
	p.fact("Loss", percent(float64(b.Loss))+" of splits lose out of sample")
	p.fact("Degradation", fmt.Sprintf("slope %s, R² %s of what it is worth out of sample on the one in sample", number(float64(b.Slope), 2), number(float64(b.R2), 2)))
	p.fact("Judged by", b.By)
	if b.Dominance == b.Dominance {
		p.fact("Dominance", number(float64(b.Dominance), 3)+": above 0 choosing did worse somewhere than taking any")
	}
	var logits []float64
	for _, l := range b.Logits {
		for range l.Count {
			logits = append(logits, l.Value)
		}
	}
	if len(logits) > 0 {
		p.half(figure{Title: "Logit of the rank out of sample", Drawing: histogramChart{label: "Distribution of the logit of the rank of the chosen combination", h: stats.HistogramOf(logits), unit: compact, marks: []mark{{"median", 0}}}.both()})
	}
	year, title := 1.0, "In sample against out of sample"
	if validate.Ratio(b.By) {
		year, title = math.Sqrt(v.value("periods_per_year")), title+", a year"
	}
	p.half(figure{Title: title, Drawing: scatterChart{label: b.By + " of the chosen combination in and out of sample", across: "in sample", up: "out of sample",
		dots: []dots{{class: "run", x: thinned(b.In, year), y: thinned(b.Out, year)}}, xUnit: compact, yUnit: compact, slope: float64(b.Slope), intercept: float64(b.Intercept) * year, zero: true}.both()})
	return p
}

// mostDots is how many splits are drawn.
const mostDots = 2000

// thinned takes an even part of values, scaled.
func thinned(x []float64, by float64) []float64 {
	n := min(len(x), mostDots)
	out := make([]float64, n)
	for i := range out {
		out[i] = x[i*len(x)/n] * by
	}
	return out
}

// crossPanel draws the distribution of paths.
func crossPanel(id, title string, c *validate.Cross) panel {
	if c == nil {
		return panel{}
	}
	p := panel{ID: id, Title: title}
	p.Intro = fmt.Sprintf("%d groups, %d tested at a time: %d splits, %d whole histories. Nothing is run again: combinations are chosen by %s on the training sessions; %d sessions are purged on both sides of what is tested, %d embargoed behind it.",
		c.Groups, c.Tested, len(c.Splits), len(c.Paths), c.By, c.Purge, c.Embargo)
	p.fact("Sharpe ratio", fmt.Sprintf("median %s, 90%% between %s and %s", number(float64(c.Median), 2), number(float64(c.Low), 2), number(float64(c.High), 2)))
	p.fact("Loss", percent(float64(c.Loss))+" of histories lose")
	var ratios []float64
	t := panelTable{Title: "Paths", Head: []string{"Path", "Sharpe", "Return", "Drawdown"}}
	for i, q := range c.Paths {
		if x := float64(q.Sharpe); x == x {
			ratios = append(ratios, x)
		}
		t.Rows = append(t.Rows, []string{number(float64(i+1), 0), number(float64(q.Sharpe), 2), percent(float64(q.TotalReturn)), percent(float64(q.MaxDrawdown))})
	}
	if len(c.Dates) > 1 {
		var lines []curveLine
		for i, q := range c.Paths {
			values := make([]float64, len(q.Equity))
			for k, x := range q.Equity {
				values[k] = float64(x)
			}
			lines = append(lines, curveLine{fmt.Sprintf("s%d", i%MostRuns), values})
		}
		p.figure(figure{Title: "Equity of the paths", Drawing: curveChart{label: "Equity of each path out of sample", dates: c.Dates, lines: lines, unit: compact, h: 260}.both()})
	}
	if len(ratios) > 1 {
		p.half(figure{Title: "Sharpe ratios of the paths", Drawing: histogramChart{label: "Distribution of the Sharpe ratios of paths", h: stats.HistogramOf(ratios), unit: compact, marks: []mark{{"0", 0}}}.both()})
	}
	if len(t.Rows) <= 40 {
		p.half(figure{Title: "Paths", Table: &t})
	}
	return p
}

// superiorPanel lists the tests against what costs no skill.
func superiorPanel(r *validate.Report) panel {
	p := panel{ID: "superior", Title: "Better than cash, better than holding"}
	t := panelTable{Title: "Tests over all combinations", Head: []string{"Against", "Hansen p", "Lower", "Upper", "Reality check p", "Combinations", "Idle", "Best"}}
	for _, s := range []struct {
		name string
		x    *validate.Superiority
	}{{"cash", r.Cash}, {"buy and hold at the same average exposure", r.Holding}} {
		if x := s.x; x != nil {
			p.Intro = fmt.Sprintf("%s resamples in blocks of %.1f sessions on average, drawn once for all combinations.", number(float64(x.Draws), 0), x.Block)
			t.Rows = append(t.Rows, []string{s.name, inUnit(stats.Probability, float64(x.Consistent)), inUnit(stats.Probability, float64(x.Lower)), inUnit(stats.Probability, float64(x.Upper)),
				inUnit(stats.Probability, float64(x.RealityCheck)), number(float64(x.Models), 0), number(float64(x.Idle), 0), parameterWords(x.Best)})
		}
	}
	if len(t.Rows) > 0 {
		p.Tables = append(p.Tables, t)
	}
	return p
}

// noisePanel lists the runs on noisy prices.
func noisePanel(r *validate.Report) panel {
	if len(r.Noise) == 0 {
		return panel{}
	}
	p := panel{ID: "noise", Title: "If prices had been a little different"}
	p.Intro = "Every bar moved as a whole by a random fraction; sizes are standard deviations as a share of what the symbol typically moves from bar to bar."
	t := panelTable{Title: "Runs on noisy prices", Head: []string{"Noise", "Runs", "Median Sharpe", "5%", "95%", "Runs with a profit"}}
	for _, n := range r.Noise {
		t.Rows = append(t.Rows, []string{percent(n.Size), number(float64(n.Runs), 0), number(float64(n.Median), 2), number(float64(n.Low), 2), number(float64(n.High), 2), percent(float64(n.Profit))})
	}
	p.Tables = append(p.Tables, t)
	return p
}

// figuresPanel lists the numbers behind the verdicts by the keys that programs use.
func figuresPanel(r *validate.Report) panel {
	p := panel{ID: "figures", Title: "Figures by their keys"}
	t := panelTable{Title: "Figures", Words: true, Head: []string{"Key", "Value", "Meaning"}}
	for _, key := range validate.FigureKeys() {
		value := undefinedText
		if x, ok := r.Figures.Get(key); ok {
			value = fmt.Sprintf("%.6g", x)
		}
		t.Rows = append(t.Rows, []string{key, value, validate.FigureDoc(key)})
	}
	p.Tables = append(p.Tables, t)
	return p
}
