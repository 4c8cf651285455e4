package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"backtester/backtest"
	"backtester/backtest/strategy"
	"backtester/backtest/strategy/lint"
	"backtester/backtest/sweep"
)

// lintOptions of `backtester strategy lint`.
type lintOptions struct {
	*app
	selection
	format string
	data   bool
}

func newStrategyLint(a *app) *cobra.Command {
	o := &lintOptions{app: a}
	c := &cobra.Command{
		Use: "lint FILE|NAME...", Aliases: []string{"check"}, Short: "Find what is wrong or probably not meant in strategy files",
		Long: `Find what is wrong, and what is allowed and probably not meant: names that nothing uses, conditions
that are always or never true, contradict each other or compare a price with a volume, costs of
zero, choices left to the alphabet.

With --symbols or --bars (or --data, for the file's own universe) the conditions are also counted
on data: which part of them never decides anything there, and which entry never fires.

Exit code 0 when there is nothing to say, 1 with findings, 2 when a file cannot be run.`,
		Example: "  backtester strategy lint my.yaml\n  backtester strategy lint my.yaml --symbols ACME\n  backtester strategy lint *.yaml --format json",
		Args:    arguments(1, -1, "a strategy file or name"),
		RunE:    func(cmd *cobra.Command, args []string) error { return o.run(cmd.Context(), args) },

		ValidArgsFunction: completeBuiltins,
	}
	o.selection.flags(c.Flags())
	c.Flags().BoolVar(&o.data, "data", false, "count conditions on the data of the file's own universe")
	formatFlag(c.Flags(), &o.format, "table", "json")
	return c
}

func (o *lintOptions) run(ctx context.Context, args []string) error {
	if err := checkFormat(o.format, "table", "json"); err != nil {
		return err
	}
	infos := []findingInfo{}
	code := exitOK
	for _, arg := range args {
		name, text, err := readStrategy(o.io.In, arg)
		if err != nil {
			return err
		}
		list, err := o.lint(ctx, name, text)
		if err != nil {
			return err
		}
		for _, f := range list {
			if f.Severity == lint.Error {
				code = exitUsage
			} else if code == exitOK {
				code = exitFailure
			}
			infos = append(infos, findingInfoOf(f))
			if o.format == "table" {
				if err := o.print(f, text); err != nil {
					return err
				}
			}
		}
	}
	if o.format == "json" {
		if err := writeJSON(o.io.Out, infos); err != nil {
			return err
		}
	}
	if code != exitOK {
		return &codeError{code}
	}
	return nil
}

// lint finds everything about one file.
func (o *lintOptions) lint(ctx context.Context, name string, text []byte) ([]lint.Finding, error) {
	file, list := lint.Text(name, text)
	if file == nil {
		return list, nil
	}
	err := o.apply(file)
	var faults strategy.Diagnostics
	if errors.As(err, &faults) {
		for _, d := range faults {
			list = append(list, lint.Finding{Diagnostic: d, Severity: lint.Error})
		}
		return list, nil
	} else if err != nil {
		return nil, err
	}
	list = lint.Check(file)
	for _, d := range sweep.Faults(file) {
		list = append(list, lint.Finding{Diagnostic: d, Severity: lint.Error})
	}
	if !o.data && o.symbols == "" && len(o.bars) == 0 {
		return list, nil
	}
	more, err := o.count(ctx, file, list)
	return append(list, more...), err
}

// count evaluates the parts of the conditions on data.
func (o *lintOptions) count(ctx context.Context, file *strategy.File, already []lint.Finding) ([]lint.Finding, error) {
	probe := lint.NewProbe(file)
	if probe == nil {
		return nil, nil
	}
	src, err := o.openSource(ctx, o.bars)
	if err != nil {
		return nil, o.noStore(err, []*strategy.File{file})
	}
	defer src.Close()
	p, err := backtest.NewPreview(ctx, probe.File(), src)
	if err != nil {
		return nil, o.explain(err)
	}
	at := map[string]int{}
	for i, name := range probe.Names() {
		at[name] = i
	}
	counts := make([]lint.Count, len(at))
	for _, s := range p.Symbols {
		for _, c := range s.Columns {
			if i, ok := at[c.Name]; ok {
				tally(&counts[i], c.Values[min(s.Warm, len(c.Values)):])
			}
		}
	}
	return probe.Judge(counts, already), nil
}

// tally counts a column of a condition.
func tally(n *lint.Count, values backtest.Values) {
	for _, v := range values {
		switch {
		case v == 1:
			n.True++
		case v == 0:
			n.False++
		default:
			n.Absent++
		}
	}
}

// print writes a finding as compilers do, with the line that is meant.
func (o *lintOptions) print(f lint.Finding, text []byte) error {
	excerpt := ""
	if f.Line > 0 {
		excerpt = strategy.Excerpt(text, f.Diagnostic)
	}
	message := f.Diagnostic.Error()
	if f.Severity == lint.Warning {
		message = fmt.Sprintf("%s [%s]", message, f.Code)
	}
	_, err := io.WriteString(o.io.Out, message+"\n"+excerpt)
	return err
}

// findingInfo is a finding as JSON. Line and column count from 1, and are 0 for what concerns the
// whole file; length is in characters.
type findingInfo struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Length   int    `json:"length"`
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

func findingInfoOf(f lint.Finding) findingInfo {
	return findingInfo{f.File, f.Line, f.Column, f.Length, string(f.Severity), f.Code, f.Message, f.Hint}
}
