package cmd

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"backtester/backtest/history"
)

// historyOptions of `backtester history`.
type historyOptions struct {
	*app
	format string
	filter history.Filter
	kind   string
	state  string
	from   string
	to     string
	off    bool
	keep   int
	older  string
}

func newHistory(a *app) *cobra.Command {
	c := group("history", "Runs that were made before: list, show, label, remove",
		newHistoryList(a), newHistoryShow(a), newHistoryTag(a), newHistoryNote(a), newHistoryStar(a), newHistoryRemove(a), newHistoryPrune(a))
	c.Long = `Runs that were made before: list, show, label, remove.

Every run, sweep and validation is written down with its settings, data and metrics, in the
results folder (or in the database of --database-url's setting); the setting history: off stops
that. The metrics of a sweep are those of its best combination. RUN is the id of a run, or its first
characters. Removing runs does not undo that data was
searched: their trials stay counted in the deflated Sharpe ratio of later ones.`
	return c
}

func newHistoryList(a *app) *cobra.Command {
	o := &historyOptions{app: a}
	c := &cobra.Command{
		Use: "ls [WORD...]", Short: "List runs, the newest first",
		Long:    "List runs, the newest first: those that have every WORD in their name, strategy, notes or tags.",
		Example: "  backtester history ls\n  backtester history ls pullback --symbol AAPL --sort -sharpe --limit 5",
		Args:    cobra.ArbitraryArgs,
		RunE:    func(cmd *cobra.Command, args []string) error { return o.list(cmd.Context(), args) },
	}
	f := c.Flags()
	formatFlag(f, &o.format, "table", "json")
	serverFlag(f)
	f.StringVar(&o.filter.Symbol, "symbol", "", "only runs on this `TICKER`")
	f.StringVar(&o.filter.Strategy, "strategy", "", "only runs of the strategy with this `NAME`")
	f.StringVar(&o.filter.Tag, "tag", "", "only runs with this `TAG`")
	f.StringVar(&o.kind, "kind", "", "only this `KIND`: run, sweep, validate or fetch")
	f.StringVar(&o.state, "status", "", "only runs that are `queued`, running, succeeded, failed or cancelled")
	f.StringVar(&o.from, "since", "", "only runs made since this `DATE`")
	f.StringVar(&o.to, "until", "", "only runs made before this `DATE`")
	f.BoolVar(&o.filter.Starred, "starred", false, "only starred runs")
	f.StringVar(&o.filter.Sort, "sort", "-created", "`ORDER`: created or a metric such as sharpe, falling with a - before it")
	f.IntVar(&o.filter.Limit, "limit", 20, "at most `N` runs")
	return c
}

// read opens the history for looking at it.
func (a *app) readHistory(ctx context.Context, f func(tx *history.Tx) error) error {
	return a.useHistory(ctx, func(db *history.DB) error { return db.Read(ctx, f) })
}

func (a *app) useHistory(ctx context.Context, f func(db *history.DB) error) error {
	db, err := a.openHistory(ctx)
	if err != nil {
		return err
	}
	return errors.Join(f(db), db.Close())
}

func (o *historyOptions) list(ctx context.Context, words []string) error {
	if err := checkFormat(o.format, "table", "json"); err != nil {
		return err
	}
	o.filter.Query = strings.Join(words, " ")
	if o.kind != "" {
		o.filter.Kinds = []history.Kind{history.Kind(o.kind)}
	}
	if o.state != "" {
		o.filter.States = []history.State{history.State(o.state)}
	}
	for _, d := range []struct {
		flag, text string
		to         *time.Time
	}{{"since", o.from, &o.filter.From}, {"until", o.to, &o.filter.To}} {
		if d.text == "" {
			continue
		}
		at, err := time.Parse(time.DateOnly, d.text)
		if err != nil {
			return usagef("read --%s %q: want a date such as 2024-12-31", d.flag, d.text)
		}
		*d.to = at
	}
	var page history.Page
	c, err := o.remote()
	if err != nil {
		return err
	}
	if c != nil {
		if page.Runs, err = o.historyRemote(ctx, c); err != nil {
			return err
		}
	} else if err := o.readHistory(ctx, func(tx *history.Tx) (err error) {
		page, err = tx.Page(o.filter)
		return err
	}); err != nil {
		return &usageError{err}
	}
	if o.format == "json" {
		if page.Runs == nil {
			page.Runs = []*history.Run{}
		}
		return writeJSON(o.io.Out, page.Runs)
	}
	var rows [][]string
	for _, r := range page.Runs {
		rows = append(rows, []string{r.ID, r.Created.Format("2006-01-02 15:04"), string(r.Kind), string(r.State), titleOf(r), symbolsShown(r),
			metricShown(r, "total_return"), metricShown(r, "sharpe"), metricShown(r, "max_drawdown"), metricShown(r, "trades"), marks(r)})
	}
	return o.table(o.io.Out, []string{"run", "made (UTC)", "kind", "status", "strategy", "symbols", "return", "sharpe", "drawdown", "trades", "labels"}, rows, 6, 7, 8, 9)
}

func titleOf(r *history.Run) string {
	if r.Name != "" && r.Name != r.Strategy {
		return r.Name + " (" + r.Strategy + ")"
	}
	return r.Strategy
}

func symbolsShown(r *history.Run) string {
	if n := len(r.Symbols); n > 3 {
		return fmt.Sprintf("%s and %d more", r.Symbols[0], n-1)
	}
	return strings.Join(r.Symbols, ",")
}

func metricShown(r *history.Run, key string) string {
	if v := r.Metrics[key]; v != nil {
		return strconv.FormatFloat(*v, 'g', 4, 64)
	}
	return "-"
}

func marks(r *history.Run) string {
	tags := r.Tags
	if r.Starred {
		tags = append([]string{"*"}, tags...)
	}
	return strings.Join(tags, " ")
}

func newHistoryShow(a *app) *cobra.Command {
	o := &historyOptions{app: a}
	c := &cobra.Command{
		Use: "show RUN", Short: "Show everything that is known of a run but its result", Args: arguments(1, 1, "the id of a run"),
		Long:    "Show everything that is known of a run but its result, which `backtester report RUN` shows.",
		Example: "  backtester history show 01JD4ZQ8",
		RunE:    func(cmd *cobra.Command, args []string) error { return o.show(cmd.Context(), args[0]) },
	}
	formatFlag(c.Flags(), &o.format, "table", "json")
	return c
}

func (o *historyOptions) show(ctx context.Context, id string) error {
	if err := checkFormat(o.format, "table", "json"); err != nil {
		return err
	}
	var r *history.Run
	if err := o.readHistory(ctx, func(tx *history.Tx) (err error) {
		r, err = o.find(tx, id)
		return err
	}); err != nil {
		return err
	}
	if o.format == "json" {
		return writeJSON(o.io.Out, r)
	}
	rows := [][]string{{"run", r.ID}, {"kind", string(r.Kind)}, {"status", string(r.State)}, {"strategy", r.Strategy}, {"name", r.Name},
		{"symbols", strings.Join(r.Symbols, ",")}, {"from", r.From}, {"to", r.To}, {"made", r.Created.Format(time.RFC3339)},
		{"engine", r.Engine}, {"fingerprint", r.Fingerprint}, {"data", r.DataSum}, {"tags", strings.Join(r.Tags, ",")},
		{"starred", strconv.FormatBool(r.Starred)}, {"notes", r.Notes}}
	if r.Kind != history.KindSweep { // that of a sweep is shown below
		rows = append(rows, []string{"summary", string(r.Summary)})
	}
	for _, k := range history.SummaryKeys() {
		rows = append(rows, []string{k, metricShown(r, k)})
	}
	if p := r.Problem; p != nil {
		rows = append(rows, []string{"error", p.Code + ": " + p.Title + ": " + p.Detail})
	}
	for _, f := range r.Artifacts {
		rows = append(rows, []string{"file", fmt.Sprintf("%s (%d bytes)", f.Name, f.Bytes)})
	}
	if err := o.table(o.io.Out, []string{"what", "value"}, rows); err != nil || r.Kind != history.KindSweep {
		return err
	}
	return o.showSweep(r)
}

// find reads the run that somebody means; none is a mistake of the call.
func (a *app) find(tx *history.Tx, id string) (*history.Run, error) {
	r, err := tx.Find("", id)
	if err != nil {
		return nil, usagef("%w; see: backtester history ls", err)
	}
	return r, nil
}

// label changes labels of a run.
func (o *historyOptions) label(ctx context.Context, id string, change func(*history.Run) history.Label) error {
	return o.useHistory(ctx, func(db *history.DB) error {
		return db.Write(ctx, func(tx *history.Tx) error {
			r, err := o.find(tx, id)
			if err != nil {
				return err
			}
			l := change(r)
			if err := l.Check(); err != nil {
				return usagef("label run %s: %w", r.ID, err)
			}
			_, err = tx.SetLabel("", r.ID, 0, l)
			return err
		})
	})
}

func newHistoryTag(a *app) *cobra.Command {
	o := &historyOptions{app: a}
	c := &cobra.Command{
		Use: "tag RUN TAG...", Short: "Add tags to a run, or with --off take them away", Args: arguments(2, -1, "the id of a run and a tag"),
		Long:    "Add tags to a run, or with --off take them away. Runs with tags are never pruned.",
		Example: "  backtester history tag 01JD4ZQ8 candidate\n  backtester history tag 01JD4ZQ8 candidate --off",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.label(cmd.Context(), args[0], func(r *history.Run) history.Label {
				tags := append([]string{}, r.Tags...)
				if o.off {
					tags = without(tags, args[1:])
				} else {
					tags = append(tags, args[1:]...)
				}
				return history.Label{Tags: &tags}
			})
		},
	}
	c.Flags().BoolVar(&o.off, "off", false, "take the tags away")
	return c
}

func without(list, gone []string) []string {
	out := []string{}
	for _, s := range list {
		keep := true
		for _, g := range gone {
			keep = keep && s != g
		}
		if keep {
			out = append(out, s)
		}
	}
	return out
}

func newHistoryNote(a *app) *cobra.Command {
	o := &historyOptions{app: a}
	name := ""
	c := &cobra.Command{
		Use: "note RUN [TEXT]", Short: "Write a note on a run, or give it a name", Args: arguments(1, 2, "the id of a run"),
		Long:    "Write a note on a run, in place of the one that is there; an empty text removes it. --name gives it a name.",
		Example: "  backtester history note 01JD4ZQ8 'fills look too good'\n  backtester history note 01JD4ZQ8 --name 'before costs'",
		RunE: func(cmd *cobra.Command, args []string) error {
			l := history.Label{}
			if len(args) == 2 {
				l.Notes = &args[1]
			}
			if cmd.Flags().Changed("name") {
				l.Name = &name
			}
			if l.Notes == nil && l.Name == nil {
				return usagef("a note is missing: give a text or --name")
			}
			return o.label(cmd.Context(), args[0], func(*history.Run) history.Label { return l })
		},
	}
	c.Flags().StringVar(&name, "name", "", "give the run this `NAME`")
	return c
}

func newHistoryStar(a *app) *cobra.Command {
	o := &historyOptions{app: a}
	c := &cobra.Command{
		Use: "star RUN", Short: "Star a run, or with --off take its star away", Args: arguments(1, 1, "the id of a run"),
		Long:    "Star a run, or with --off take its star away. Starred runs are never pruned.",
		Example: "  backtester history star 01JD4ZQ8",
		RunE: func(cmd *cobra.Command, args []string) error {
			on := !o.off
			return o.label(cmd.Context(), args[0], func(*history.Run) history.Label { return history.Label{Starred: &on} })
		},
	}
	c.Flags().BoolVar(&o.off, "off", false, "take the star away")
	return c
}

func newHistoryRemove(a *app) *cobra.Command {
	o := &historyOptions{app: a}
	return &cobra.Command{
		Use: "rm RUN...", Short: "Remove runs and their files", Args: arguments(1, -1, "the id of a run"),
		Long:    "Remove runs and their files. Their trials stay counted.",
		Example: "  backtester history rm 01JD4ZQ8",
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.remove(cmd.Context(), func(tx *history.Tx) (gone []*history.Run, err error) {
				for _, id := range args {
					r, err := o.find(tx, id)
					if err == nil {
						r, err = tx.Remove("", r.ID)
					}
					if err != nil {
						return nil, err
					}
					gone = append(gone, r)
				}
				return gone, nil
			})
		},
	}
}

// remove deletes rows in one transaction, then their files.
func (o *historyOptions) remove(ctx context.Context, choose func(tx *history.Tx) ([]*history.Run, error)) error {
	var gone []*history.Run
	err := o.useHistory(ctx, func(db *history.DB) error {
		return db.Write(ctx, func(tx *history.Tx) (err error) {
			gone, err = choose(tx)
			return err
		})
	})
	if err != nil {
		return err
	}
	folder, err := o.openResults()
	for _, r := range gone {
		if err == nil {
			err = folder.Remove(r.Artifacts)
		}
	}
	fmt.Fprintf(o.io.Err, "removed %s; their trials stay counted\n", plural(len(gone), "run"))
	return err
}

func newHistoryPrune(a *app) *cobra.Command {
	o := &historyOptions{app: a}
	c := &cobra.Command{
		Use: "prune", Short: "Remove old runs that carry neither star nor tag", Args: arguments(0, 0, ""),
		Long:    "Remove old runs that carry neither star nor tag, and their files. Their trials stay counted.",
		Example: "  backtester history prune --older 90d\n  backtester history prune --keep 1000",
		RunE: func(cmd *cobra.Command, _ []string) error {
			k := history.Retention{Keep: o.keep}
			if o.older == "" && !cmd.Flags().Changed("keep") {
				return usagef("say what may go: --older 90d, --keep 1000, or both")
			}
			if o.keep < 0 {
				return usagef("--keep is %d, want how many of the newest runs stay", o.keep)
			}
			if o.older != "" {
				days, err := strconv.Atoi(strings.TrimSuffix(o.older, "d"))
				if err != nil || days < 0 || !strings.HasSuffix(o.older, "d") {
					return usagef("read --older %q: want a number of days such as 90d", o.older)
				}
				k.Before = o.io.Now().AddDate(0, 0, -days)
			}
			return o.remove(cmd.Context(), func(tx *history.Tx) ([]*history.Run, error) { return tx.Prune(k) })
		},
	}
	c.Flags().StringVar(&o.older, "older", "", "runs made more than so many `DAYS` ago, such as 90d")
	c.Flags().IntVar(&o.keep, "keep", 0, "the newest `N` stay")
	return c
}
