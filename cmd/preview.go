package cmd

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"backtester/backtest"
	"backtester/backtest/strategy"
	"backtester/report"
)

// previewOptions of `backtester preview`.
type previewOptions struct {
	*app
	selection
	format    string
	effective bool
	proof     bool
}

func newPreview(a *app) *cobra.Command {
	o := &previewOptions{app: a}
	c := &cobra.Command{
		Use:   "preview FILE|NAME",
		Short: "See bars, indicators, signals and coverage before any money moves",
		Long: `See what a strategy sees before any money moves: the bars, every indicator, where entries and
exits would signal, how many bars warm up, which data there is, and with --effective every
setting with its default. Nothing is traded. With --prove the strategy is played instead, on data
that ends at many moments, whose future is absent and another one, and with more history: a
decision that changes is shown with what it knew.`,
		Example: `  backtester preview golden-cross --symbols ACME
  backtester preview my.yaml --symbols ACME --format html > preview.html
  backtester preview my.yaml --effective
  backtester preview my.yaml --symbols ACME --prove`,
		Args:              arguments(1, 1, "a strategy file or name"),
		RunE:              func(cmd *cobra.Command, args []string) error { return o.preview(cmd.Context(), args[0]) },
		ValidArgsFunction: completeStrategies,
	}
	o.selection.flags(c.Flags())
	serverFlag(c.Flags())
	formatFlag(c.Flags(), &o.format, "table", "json", "html")
	c.Flags().BoolVar(&o.effective, "effective", false, "show every setting with its value, default and meaning instead")
	c.Flags().BoolVar(&o.proof, "prove", false, "prove that no decision depends on the future instead; exit with code 1 when one does")
	return c
}

func (o *previewOptions) preview(ctx context.Context, arg string) error {
	if err := checkFormat(o.format, "table", "json", "html"); err != nil {
		return err
	}
	file, err := o.read(o.app, arg)
	if err != nil {
		return err
	}
	if o.effective {
		return o.showEffective(file)
	}
	if c, err := o.remote(); err != nil || c != nil {
		if err != nil {
			return err
		}
		p, err := o.previewRemote(ctx, c, file)
		if err != nil {
			return err
		}
		return o.show(p)
	}
	src, err := o.openSource(ctx, o.bars)
	if err != nil {
		return o.noStore(err, []*strategy.File{file})
	}
	defer src.Close()
	if o.proof {
		if o.format == "html" {
			return usagef("--prove has no --format html: want table or json")
		}
		return o.prove(ctx, o.io.Out, file, src, o.format)
	}
	p, err := backtest.NewPreview(ctx, file, src)
	if err != nil {
		return o.explain(err)
	}
	return o.show(p)
}

// show writes a preview to standard output.
func (o *previewOptions) show(p *backtest.Preview) error {
	switch o.format {
	case "json":
		b, err := json.Marshal(p) // in one line: columns are long
		if err != nil {
			return fmt.Errorf("encode the preview: %w", err)
		}
		_, err = o.io.Out.Write(append(b, '\n'))
		return err
	case "html":
		return report.PreviewHTML(o.io.Out, p)
	}
	return report.Preview(o.io.Out, p, o.reportOptions())
}

// settingInfo is one effective setting as JSON.
type settingInfo struct {
	Path    string `json:"path"`
	Value   string `json:"value"`
	Default bool   `json:"default"` // nobody set it
	Origin  string `json:"origin"`
	Unit    string `json:"unit,omitempty"`
	Doc     string `json:"doc"`
}

func (o *previewOptions) showEffective(file *strategy.File) error {
	infos := []settingInfo{}
	var rows [][]string
	for _, s := range file.Effective() {
		infos = append(infos, settingInfo{s.Path, s.Value, s.Default, s.Origin, s.Unit, s.Doc})
		rows = append(rows, []string{s.Path, s.Value, s.Unit, s.Origin, s.Doc})
	}
	switch o.format {
	case "json":
		return writeJSON(o.io.Out, infos)
	case "html":
		return usagef("--effective has no --format html: want table or json")
	}
	return o.table(o.io.Out, []string{"setting", "value", "unit", "from", "meaning"}, rows)
}
