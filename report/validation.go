package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"backtester/backtest/validate"
)

// ValidationJSON writes a validation as one object, one line.
func ValidationJSON(w io.Writer, r *validate.Report) error {
	b, err := json.Marshal(r)
	if err == nil {
		_, err = w.Write(append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write the validation of %s: %w", clean(r.Strategy), err)
	}
	return nil
}

// Validation writes a validation to a terminal: the verdict, then each question with its answer, the figure
// behind it and what it was computed on, then the windows of the walk-forward.
func Validation(w io.Writer, r *validate.Report, o Options) error {
	s := &screen{w: w, o: o}
	s.printf("%s\n", s.bold(cut("Validation of "+clean(r.Strategy), o.width())))
	s.text(strings.Join(validationSubtitle(r), "  "))
	if r.Data.Synthetic {
		s.printf(" %s\n", s.paint("33", "SYNTHETIC DATA: these prices are made up by the demo market"))
	}
	s.printf("\n")
	for _, l := range wrap(verdictLine(r), s.o.width()-2) {
		s.printf(" %s\n", s.paint(verdictColor(r.Verdict), l))
	}
	s.text(searchLine(r))
	for i := range r.Questions {
		s.question(&r.Questions[i])
	}
	if f := r.WalkForward; f != nil {
		s.heading("Walk-forward")
		t := windowTable(f)
		cols := make([]column, len(t.Head))
		for i, h := range t.Head {
			cols[i] = column{head: h, right: i > 2}
		}
		cols[0].drop, cols[3].drop, cols[5].drop = 1, 2, 3
		s.table(cols, t.Rows)
	}
	s.printf("\n")
	s.text(fmt.Sprintf("Simulated. Seed %d, engine %s, data %s. The searches of the walk-forward count as trials of their dates; runs of other tests are none.", r.Seed, clean(r.Engine), head(r.Data.SHA256)))
	return s.err
}

func (s *screen) question(q *validate.Question) {
	word := string(q.Verdict)
	s.printf("\n %s%s %s\n", s.paint(verdictColor(q.Verdict), word), strings.Repeat(" ", max(0, 9-len(word))), s.bold(cut(q.Question, s.o.width()-12)))
	answer, on := questionText(q)
	for _, l := range wrap(answer, s.o.width()-12) {
		s.printf("           %s\n", l)
	}
	for _, l := range wrap(on, s.o.width()-12) {
		s.printf("           %s\n", s.dim(l))
	}
}

// questionText is the answer or why there is none, and what stands behind it.
func questionText(q *validate.Question) (answer, on string) {
	if q.Verdict == validate.Undefined {
		return "No answer: " + clean(q.Reason) + ".", q.Figure + " undefined; " + q.Rule
	}
	value := undefinedText
	if x := float64(q.Value); x == x {
		value = number(x, 3)
	}
	on = fmt.Sprintf("%s %s; %s", q.Figure, value, q.Rule)
	if q.On != "" {
		on += ". On " + clean(q.On)
	}
	return clean(q.Answer), on + "."
}

func verdictColor(v validate.Verdict) string {
	switch v {
	case validate.Failing:
		return "1;31"
	case validate.Doubtful:
		return "33"
	case validate.Passes:
		return "34"
	}
	return "2"
}

// verdictLine is the whole in one sentence.
func verdictLine(r *validate.Report) string {
	count := map[validate.Verdict]int{}
	for _, q := range r.Questions {
		count[q.Verdict]++
	}
	line := map[validate.Verdict]string{
		validate.Passes:    "It stands: nothing that could be tested speaks against it.",
		validate.Doubtful:  "It is doubtful: nothing fails, but not everything holds.",
		validate.Failing:   "It does not stand: do not trade this on these numbers.",
		validate.Undefined: "There is no verdict: nothing could be tested.",
	}[r.Verdict]
	return fmt.Sprintf("%s %d pass, %d doubtful, %d fail, %d undefined.", line, count[validate.Passes], count[validate.Doubtful], count[validate.Failing], count[validate.Undefined])
}

func validationSubtitle(r *validate.Report) []string {
	symbols := make([]string, len(r.Data.Symbols))
	for i, s := range r.Data.Symbols {
		symbols[i] = clean(s)
	}
	return []string{r.Data.From + " to " + r.Data.To, number(float64(r.Data.Sessions), 0) + " sessions", list(symbols, 8)}
}

// searchLine says which run is judged.
func searchLine(r *validate.Report) string {
	s := &r.Search
	line := fmt.Sprintf("%s by %s, %s eligible (%s).", count(int64(s.Combinations), "combination"), clean(s.Method), number(float64(s.Eligible), 0), clean(s.Eligibility))
	judged := parameterWords(s.Chosen)
	switch {
	case len(s.Chosen) == 0:
		return line + " Judged is the run of the file, which has no parameters."
	case s.Default:
		return line + " None is eligible, so that the values of the file are judged: " + judged + "."
	}
	return line + " Judged is the best by " + clean(s.Objective) + ": " + judged + "."
}

func parameterWords(list []validate.Parameter) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = fmt.Sprintf("%s=%g", clean(p.Name), p.Value)
	}
	return strings.Join(words, " ")
}

// windowTable lists the windows of a walk-forward.
func windowTable(f *validate.WalkForward) panelTable {
	t := panelTable{Title: "Windows", Head: []string{"Trained on", "Tested on", "Chosen", "In sample", "Out of sample", "Efficiency", "Return", "Trades"}}
	if f.Carry {
		t.Head = append(t.Head, "Carried in")
	}
	for _, w := range f.Windows {
		chosen := parameterWords(w.Chosen)
		if w.Chosen == nil {
			chosen = "cash: " + clean(w.Reason)
		} else if chosen == "" {
			chosen = "the file's"
		}
		if w.Reason != "" && w.Chosen != nil {
			chosen += " (" + clean(w.Reason) + ")"
		}
		tested := w.TestFrom + ".." + w.TestTo
		if w.Short {
			tested += " (short)"
		}
		row := []string{w.TrainFrom + ".." + w.TrainTo, tested, chosen, daily(w.InSample), daily(w.OutOfSample), number(float64(w.Efficiency), 2), percent(float64(w.TotalReturn)), number(float64(w.Trades), 0)}
		if f.Carry {
			row = append(row, number(float64(w.Carried), 0))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// daily is a mean log return of a session in basis points.
func daily(x validate.Number) string {
	if x != x {
		return undefinedText
	}
	return number(1e4*float64(x), 2) + " bps"
}
