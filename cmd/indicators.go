package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"backtester/backtest/expr"
	"backtester/backtest/indicator"
)

func newIndicators(a *app) *cobra.Command {
	format, other := "", false
	c := &cobra.Command{
		Use:   "indicators [NAME]",
		Short: "List the indicators of the expression language, or explain one",
		Long: `List the indicators of the expression language, or explain one of them or another word of it. The
other words, such as close, weekday, crosses_above, bars_held, rank, sym and tf, are listed with --words.`,
		Example: `  backtester indicators
  backtester indicators rsi
  backtester indicators --words
  backtester indicators --format json | jq -r '.[].name'`,
		Args: arguments(0, 1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			if other {
				return a.showWords(format, args)
			}
			return a.showIndicators(format, args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var names []string
			for _, f := range expr.Functions() {
				names = append(names, f.Name)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	formatFlag(c.Flags(), &format, "table", "json")
	c.Flags().BoolVar(&other, "words", false, "list the words of the language that are no indicators")
	return c
}

// wordInfo is a word of the language that is no indicator, as JSON.
type wordInfo struct {
	Name    string   `json:"name"`
	Usage   string   `json:"usage"`
	Group   string   `json:"group"`
	Aliases []string `json:"aliases"`
	Doc     string   `json:"doc"`
}

// words are those of the language that are no indicators, or the one of a name.
func words(name string) []wordInfo {
	var out []wordInfo
	for _, f := range expr.Functions() {
		if f.Group != "indicator" && (name == "" || f.Name == name || slices.Contains(f.Aliases, name)) {
			out = append(out, wordInfo{f.Name, f.Signature, f.Group, append([]string{}, f.Aliases...), f.Doc})
		}
	}
	return out
}

// showWords lists words of the language, or the one that is named.
func (a *app) showWords(format string, args []string) error {
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	name := strings.Join(args, "")
	list := words(name)
	if len(list) == 0 {
		return usagef("there is no word %q but of an indicator; see backtester indicators --words", name)
	}
	if format == "json" {
		return writeJSON(a.io.Out, list)
	}
	rows := make([][]string, len(list))
	for i, w := range list {
		rows[i] = []string{w.Usage, w.Group, w.Doc}
	}
	return a.table(a.io.Out, []string{"word", "group", "meaning"}, rows)
}

// indicatorInfo is an indicator as JSON: an array of these is a contract with scripts.
type indicatorInfo struct {
	Name    string      `json:"name"`
	Usage   string      `json:"usage"`
	Title   string      `json:"title"`
	Family  string      `json:"family"`
	Aliases []string    `json:"aliases"`
	Doc     string      `json:"doc"`
	Formula string      `json:"formula"`
	Source  string      `json:"source"`
	Oracle  string      `json:"oracle"`  // the independent implementation that it is checked against
	Memory  string      `json:"memory"`  // on which bars a value depends
	Picture string      `json:"picture"` // overlay: on the price scale; pane: below
	Columns []string    `json:"columns"` // bar columns it reads by itself
	Params  []paramInfo `json:"params"`
	Outputs []string    `json:"outputs"` // the first is what the bare call means
}

type paramInfo struct {
	Name     string  `json:"name"`
	Required bool    `json:"required"`
	Default  float64 `json:"default"`
	Min      float64 `json:"min"`
	Max      float64 `json:"max"`
	Integer  bool    `json:"integer"`
	// Words are what 0, 1, ... stand for when the parameter is a choice; a call takes the words, in quotes.
	Words []string `json:"words"`
	Doc   string   `json:"doc"`
}

func infoOf(s indicator.Spec) indicatorInfo {
	info := indicatorInfo{
		Name: s.Name, Usage: usage(s, true), Title: s.Title, Family: string(s.Family), Aliases: append([]string{}, s.Aliases...), Doc: s.Doc, Formula: s.Formula,
		Source: s.Source, Oracle: s.Oracle, Memory: string(s.Memory), Picture: string(s.Picture), Columns: append([]string{}, s.Columns...), Params: []paramInfo{}, Outputs: []string{},
	}
	for _, p := range s.Params {
		info.Params = append(info.Params, paramInfo{p.Name, p.Required, p.Default, p.Min, p.Max, p.Integer, append([]string{}, p.Words...), p.Doc})
	}
	for _, o := range s.Outputs {
		info.Outputs = append(info.Outputs, o.Name)
	}
	return info
}

// usage is how a call is written: "sma(x, n)", "bbands(x, n, k = 2)". Choices such as seed are left out
// unless they are asked for: few calls need them.
func usage(s indicator.Spec, choices bool) string {
	words := append([]string{}, s.Series...)
	for _, p := range s.Params {
		if p.Required {
			words = append(words, p.Name)
		} else if p.Words == nil || choices {
			words = append(words, p.Name+" = "+p.Text(p.Default))
		}
	}
	return s.Name + "(" + strings.Join(words, ", ") + ")"
}

func (a *app) showIndicators(format string, args []string) error {
	if err := checkFormat(format, "table", "json"); err != nil {
		return err
	}
	specs := indicator.Table()
	if len(args) == 1 {
		s, ok := indicator.Lookup(strings.ToLower(args[0]))
		if !ok && len(words(args[0])) > 0 {
			return a.showWords(format, args)
		}
		if !ok {
			hint := ""
			if near := indicator.Suggest(args[0]); near != "" {
				hint = " (did you mean " + near + "?)"
			}
			return usagef("there is no indicator called %q%s; see backtester indicators, and for other words indicators --words", args[0], hint)
		}
		specs = []indicator.Spec{s}
	}
	switch {
	case format == "json":
		infos := make([]indicatorInfo, len(specs))
		for i, s := range specs {
			infos[i] = infoOf(s)
		}
		return writeJSON(a.io.Out, infos)
	case len(args) == 1:
		if err := a.prose(a.io.Out, describeIndicator(specs[0])); err != nil {
			return err
		}
		return a.chartIndicator(specs[0])
	}
	rows := make([][]string, len(specs))
	for i, s := range specs {
		rows[i] = []string{usage(s, false), s.Title, string(s.Family)}
	}
	return a.table(a.io.Out, []string{"indicator", "what it is", "family"}, rows)
}

// memory says how an indicator forgets.
func memory(m indicator.Memory) string {
	switch m {
	case indicator.Window:
		return "exact from then on"
	case indicator.Fading:
		return "by then its start weighs less than 1e-8"
	case indicator.Today:
		return "it begins anew with every session"
	case indicator.Path:
		return "by then paths that began elsewhere have met, as a rule"
	}
	return "it adds up from the first bar loaded: only changes mean something, never the level"
}

// describeIndicator is the manual page of one indicator.
func describeIndicator(s indicator.Spec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n  %s\n", usage(s, true), s.Title, s.Doc)
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", name, text)
		}
	}
	b.WriteByte('\n')
	line("formula", s.Formula)
	line("source", s.Source)
	p := usualNumbers(s)
	line("warm-up", fmt.Sprintf("%d bars for %s; %s", s.Warmup(p), usedCall(s, p), memory(s.Memory)))
	line("oracle", s.Oracle)
	line("aliases", strings.Join(s.Aliases, ", "))
	line("reads", strings.Join(s.Columns, ", "))
	var outputs []string
	for i, o := range s.Outputs {
		if i == 0 {
			outputs = append(outputs, s.Name+"(...)")
		} else {
			outputs = append(outputs, s.Name+"(...)."+o.Name)
		}
	}
	line("outputs", strings.Join(outputs, ", "))
	for _, p := range s.Params {
		needed := "default " + p.Text(p.Default)
		if p.Required {
			needed = "required"
		}
		if p.Words == nil { // the description of a choice tells what there is
			needed += ", " + p.Range()
		}
		line(p.Name, p.Doc+"; "+needed)
	}
	return b.String()
}
