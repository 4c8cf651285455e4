package cmd

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"backtester/backtest/strategy"
)

func newStrategy(a *app) *cobra.Command {
	return group("strategy", "List, show, start, lay out and explain strategy files",
		newStrategyList(a), newStrategyShow(a), newStrategyNew(a), newStrategyFmt(a), newStrategyLint(a), newStrategyConvert(a), newStrategyProfiles(a), newStrategySchema(a), newStrategyExplain(a))
}

func newStrategyList(a *app) *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use: "ls", Short: "List the built-in strategies",
		Long: `List the built-in strategies. With --format html each comes with its rationale, its source, its
file and pictures of what its rules do on the made-up market of the demo.`,
		Example: "  backtester strategy ls\n  backtester strategy ls --format html > strategies.html",
		Args:    arguments(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format, "table", "json", "html"); err != nil {
				return err
			}
			if format == "html" {
				return a.pictures(cmd.Context(), strategy.Builtins())
			}
			list := []builtinInfo{}
			var rows [][]string
			for _, b := range strategy.Builtins() {
				list = append(list, builtinInfo(b))
				rows = append(rows, []string{b.Name, b.Title, b.Source})
			}
			if format == "json" {
				return writeJSON(a.io.Out, list)
			}
			return a.table(a.io.Out, []string{"strategy", "idea", "source"}, rows)
		},
	}
	formatFlag(c.Flags(), &format, "table", "json", "html")
	return c
}

// builtinInfo is a built-in strategy as JSON.
type builtinInfo struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Source string `json:"source"`
	Doc    string `json:"doc"`
}

func newStrategyShow(a *app) *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use: "show NAME|FILE", Short: "Print the file of a built-in strategy, to read or to change; or a JSON file as YAML",
		Long: `Print the file of a built-in strategy, to read or to change; or a JSON file as YAML. With
--format html a built-in strategy is shown as a page: its rationale, its source, its file and
pictures of what its rules do on the made-up market of the demo.`,
		Example: "  backtester strategy show golden-cross > my.yaml\n  backtester strategy show golden-cross --format html > golden-cross.html\n  backtester strategy show from-the-api.json > my.yaml",
		Args:    arguments(1, 1, "the name of a built-in strategy"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkFormat(format, "yaml", "html"); err != nil {
				return err
			}
			if format == "html" {
				b, err := builtinNamed(args[0])
				if err != nil {
					return err
				}
				return a.pictures(cmd.Context(), []strategy.Builtin{b})
			}
			name, text, err := readStrategy(a.io.In, args[0])
			if err != nil {
				return err
			}
			if json.Valid(text) {
				out, faults := strategy.Format(name, text)
				if len(faults) > 0 {
					return a.faults(faults, text)
				}
				text = out
			}
			_, err = a.io.Out.Write(text)
			return err
		},
		ValidArgsFunction: completeBuiltins,
	}
	formatFlag(c.Flags(), &format, "yaml", "html")
	return c
}

func completeBuiltins(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, b := range strategy.Builtins() {
		names = append(names, b.Name+"\t"+b.Title)
	}
	return names, cobra.ShellCompDirectiveDefault
}

func newStrategyNew(a *app) *cobra.Command {
	template := ""
	c := &cobra.Command{
		Use: "new FILE.yaml", Short: "Write a commented strategy file to start from",
		Long: `Write a commented strategy file to start from. An existing file is never overwritten.

With - instead of a file name it goes to standard output.`,
		Example: "  backtester strategy new my.yaml\n  backtester strategy new my.yaml --template rsi-dip",
		Args:    arguments(1, 1, "the name of the new file"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.newStrategyFile(args[0], template) },
	}
	c.Flags().StringVar(&template, "template", "", "start from this built-in strategy: `NAME`")
	return c
}

func (a *app) newStrategyFile(path, template string) error {
	name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".yaml"), ".yml")
	if path == "-" {
		name = "my-strategy"
	}
	text, err := strategy.New(name, template)
	if err != nil {
		return &usageError{err}
	}
	if path == "-" {
		_, err := a.io.Out.Write(text)
		return err
	}
	if err := createFile(path, text); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.io.Err, "wrote %s; try: backtester run %s --symbols ACME\n", path, path)
	return err
}

func newStrategySchema(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of strategy files, for editors and programs",
		Long: `Print the JSON Schema (2020-12) of strategy files, for editors and programs: keys, types, words,
bounds, and which settings need or exclude each other. What is inside expressions, and two values
held against each other (from and to, min and max, a name given twice), strategy lint says.`,
		Example: "  backtester strategy schema > strategy.schema.json",
		Args:    arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.io.Out.Write(append([]byte(strings.TrimSpace(string(strategy.Schema()))), '\n'))
			return err
		},
	}
}

func newStrategyExplain(a *app) *cobra.Command {
	format := ""
	c := &cobra.Command{
		Use: "explain [FILE|NAME|KEY]", Short: "Say in words what a strategy does, or what a key means",
		Long: `Say in words what a strategy file or a built-in strategy does; or explain a key of strategy
files and those below it: meaning, unit, default. Without an argument every key is explained.`,
		Example: "  backtester strategy explain my.yaml\n  backtester strategy explain golden-cross\n  backtester strategy explain costs.commission",
		Args:    arguments(0, 1, ""),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := checkFormat(format, "table", "json"); err != nil {
				return err
			}
			if len(args) == 0 {
				return a.explainKeys(format, strategy.Keys())
			}
			return a.explainArgument(format, args[0])
		},
		ValidArgsFunction: completeBuiltins,
	}
	formatFlag(c.Flags(), &format, "table", "json")
	return c
}

// explainArgument takes a word for a file if there is one, then for a key, then for a built-in.
func (a *app) explainArgument(format, word string) error {
	var keys []strategy.Key
	var known []string
	for _, k := range strategy.Keys() {
		known = append(known, k.Path)
		if k.Path == word || strings.HasPrefix(k.Path, word+".") {
			keys = append(keys, k)
		}
	}
	_, err := os.Stat(word)
	if err != nil && len(keys) > 0 {
		return a.explainKeys(format, keys)
	}
	var s selection
	file, err := s.read(a, word)
	if err != nil {
		if len(words(word)) > 0 {
			return usagef("there is no strategy and no key %q; the word of the language is explained by indicators %s", word, word)
		}
		if hint := suggest(word, known); hint != "" && looksLikeName(strings.ReplaceAll(word, ".", "-")) {
			return usagef("there is no strategy and no key %q%s", word, hint)
		}
		return err
	}
	text, faults := file.Explain()
	if err := faults.Err(); err != nil {
		return err
	}
	if format == "json" {
		return writeJSON(a.io.Out, map[string]string{"name": file.Name, "text": text})
	}
	return a.prose(a.io.Out, text)
}

func (a *app) explainKeys(format string, keys []strategy.Key) error {
	if format == "json" {
		infos := make([]keyInfo, len(keys))
		for i, k := range keys {
			infos[i] = keyInfo{k.Path, k.Type, k.Unit, k.Default, k.Enum, finite(k.Min), finite(k.Max), k.Required, k.Doc}
		}
		return writeJSON(a.io.Out, infos)
	}
	rows := make([][]string, len(keys))
	for i, k := range keys {
		value := k.Type
		if len(k.Enum) > 0 {
			value = strings.Join(k.Enum, "|")
		}
		rows[i] = []string{k.Path, value, k.Default, k.Unit, k.Doc}
	}
	return a.table(a.io.Out, []string{"key", "value", "default", "unit", "meaning"}, rows)
}

// keyInfo is a key of strategy files as JSON.
type keyInfo struct {
	Path     string   `json:"path"`
	Type     string   `json:"type"`
	Unit     string   `json:"unit,omitempty"`
	Default  string   `json:"default,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	Min      *float64 `json:"min,omitempty"` // inclusive; absent when there is no bound
	Max      *float64 `json:"max,omitempty"`
	Required bool     `json:"required,omitempty"`
	Doc      string   `json:"doc"`
}

// finite is a bound, nil when there is none.
func finite(x float64) *float64 {
	if math.IsInf(x, 0) {
		return nil
	}
	return &x
}
