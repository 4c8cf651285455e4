package strategy

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"backtester/backtest/bar/spell"
)

//go:embed builtin/*.yaml
var builtinFiles embed.FS

// Builtin is a strategy that comes with the tool.
type Builtin struct {
	Name   string // by which run finds it: golden-cross
	Title  string
	Source string // where the idea was published
	Doc    string // what it does and why it might work, and where it does not
}

// Builtins lists the strategies that come with the tool, sorted by name.
func Builtins() []Builtin {
	entries, err := builtinFiles.ReadDir("builtin")
	if err != nil {
		panic("BUG: list built-in strategies: " + err.Error())
	}
	out := make([]Builtin, 0, len(entries))
	for _, e := range entries {
		data, err := builtinFiles.ReadFile(path.Join("builtin", e.Name()))
		if err != nil {
			panic("BUG: read built-in strategy: " + err.Error())
		}
		out = append(out, describeBuiltin(strings.TrimSuffix(e.Name(), ".yaml"), string(data)))
	}
	return out
}

// describeBuiltin reads the comment at the head of a built-in file.
func describeBuiltin(name, text string) Builtin {
	b := Builtin{Name: name}
	var doc []string
	for line := range strings.Lines(text) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "# ")
		if !ok {
			break
		}
		if title, ok := strings.CutPrefix(comment, "title: "); ok {
			b.Title = title
		} else if source, ok := strings.CutPrefix(comment, "source: "); ok {
			b.Source = source
		} else {
			doc = append(doc, comment)
		}
	}
	b.Doc = strings.Join(doc, " ")
	return b
}

// FindBuiltin is the file of a built-in strategy. An unknown name is an error that says which one was
// probably meant. The bytes belong to the caller.
func FindBuiltin(name string) ([]byte, error) {
	if data, err := builtinFiles.ReadFile(path.Join("builtin", name+".yaml")); err == nil && path.Base(name) == name {
		return data, nil
	}
	var names []string
	for _, b := range Builtins() {
		names = append(names, b.Name)
	}
	lower := strings.ToLower(strings.NewReplacer("_", "-", " ", "-").Replace(strings.TrimSuffix(name, ".yaml")))
	if w := spell.Nearest(lower, names); w != "" {
		return nil, fmt.Errorf("there is no built-in strategy %q (did you mean %s?)", clip(name, 60), w)
	}
	return nil, fmt.Errorf("there is no built-in strategy %q; all are listed by strategy ls", clip(name, 60))
}

// New is the text of a new strategy file called name: the built-in template under that name, or with
// template "" a commented first file that runs as it is.
func New(name, template string) ([]byte, error) {
	quoted, err := yamlName(name)
	if err != nil {
		return nil, err
	}
	if template == "" {
		return []byte(strings.Replace(starter, "name: first", "name: "+quoted, 1)), nil
	}
	data, err := FindBuiltin(template)
	if err != nil {
		return nil, err
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		switch {
		case strings.HasPrefix(line, "# title: "):
			line = "# " + strings.TrimPrefix(line, "# title: ")
		case strings.HasPrefix(line, "name: "):
			line = "name: " + quoted + "\n"
		}
		out = append(out, line)
	}
	return []byte(strings.Join(out, "")), nil
}

// yamlName writes a name so that YAML reads it back.
func yamlName(name string) (string, error) {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7F }) {
		return "", fmt.Errorf("make strategy file %q: want a name of one line", name)
	}
	plain := strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ") == ""
	if plain && name == strings.TrimSpace(name) && !strings.HasPrefix(name, "-") && !strings.HasPrefix(name, ".") &&
		!(&node{text: name}).null() {
		return name, nil
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`, nil
}

// starter is the first file of a new user: every section that one needs, and why.
const starter = `# A strategy file is one complete run: data, symbols, rules, size and costs.
#
#   backtester run THIS-FILE            trade it
#   backtester preview THIS-FILE        see bars, indicators and signals first
#   backtester strategy schema          every key there is
name: first

# Daily bars, restated for splits. Without from and to: all there is.
data: {bars: 1d, from: 2015-01-01}

# Replace by your own, or give --symbols A,B on the command line.
universe: {symbols: [AAPL, MSFT]}

# Named numbers. run uses the default, sweep tries all values.
params:
  fast: {default: 50, values: 20..80 step 10}
  slow: {default: 200, values: 100..300 step 50}
constraint: fast < slow

# Named expressions. x[1] is the value of the bar before; nothing can look ahead. What they are made
# of: backtester indicators, and backtester indicators --words
signals:
  trend: sma(close, fast) > sma(close, slow)

# Decided at the close of a bar, filled at the next open.
entry: trend

# The first way out that comes closes the position.
exit: {when: not trend, stop: entry_price - 4 * at_entry(atr(20))}

# A tenth of equity each, at most ten at a time.
size: {weight: 0.1, max_positions: 10}

# Costs decide whether an idea is one. These are those of a small account.
costs:
  commission: {per_share: 0.005, min: 1} # USD
  slippage: {bps: 2}                     # of the price, against you
  volume_cap: 0.1                        # a tenth of a bar's volume at most, 0.01 of it at the open

cash: 100000
benchmark: SPY
`
