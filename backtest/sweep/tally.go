package sweep

// Tally makes the summary of rows that were played elsewhere: in ranges of the plan, on other machines.
type Tally struct{ r *runner }

// NewTally begins a summary of the range of p that o names. Options.Row is called as by Run.
func (p *Plan) NewTally(o Options) *Tally {
	o.Workers = 1
	return &Tally{newRunner(p, o)}
}

// Add counts a row with its index, symbol, metrics, path and reason; rows come in the order of the plan.
func (t *Tally) Add(row *Row) error {
	r := t.r
	row.Params = r.plan.Combination(row.Index, row.Params[:0])
	row.Kept = r.score.Required(row.Metrics)
	if row.Value = r.score.Value(row.Metrics); r.o.Judge != nil {
		row.Value = r.o.Judge(row)
	}
	r.count(row)
	if r.o.Row != nil {
		return r.o.Row(row)
	}
	return nil
}

// Combinations says how many combinations the rows added belong to.
func (t *Tally) Combinations(n int) { t.r.summary.Combinations += n }

// Fault keeps what is wrong with a symbol.
func (t *Tally) Fault(symbol string, err error) {
	if t.r.missing[symbol] == nil {
		t.r.missing[symbol] = err
	}
}

// Summary is what the rows came to.
func (t *Tally) Summary() *Summary { return t.r.finish() }

// Progress is how far the rows added are, of a total.
func (t *Tally) Progress(total int) Progress { return t.r.progress(total) }
