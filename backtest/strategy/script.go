package strategy

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"backtester/backtest/expr"
	"backtester/backtest/strategy/script"
)

// scriptFile reports whether the script stands in a file of its own: its text has several lines, the
// name of a file has one.
func (f *File) scriptFile() bool { return f.Script != "" && !strings.Contains(f.Script, "\n") }

// ScriptText is the script and the name it is shown by; ok is false without one, or when its file was
// not handed over.
func (f *File) ScriptText() (name, text string, ok bool) {
	switch {
	case f.Script == "":
		return "", "", false
	case f.scriptFile():
		data, ok := f.Attached(f.Script)
		return f.Script, string(data), ok
	}
	return "script", f.Script, true
}

// ScriptSum is the sha256 of the script's text, in hexadecimal; "" without one.
func (f *File) ScriptSum() string {
	_, text, ok := f.ScriptText()
	if !ok {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("%x", sum)
}

// script checks what can be said of a script without its text.
func (c *checker) script() {
	f := c.file
	if f.Script == "" {
		return
	}
	if f.scriptFile() && !strings.HasSuffix(f.Script, ".star") {
		c.fault("wrong_type", "", "script is neither a script nor the name of one: want a file that ends in .star, or several lines of Starlark", "script")
	}
	for _, s := range f.Signals {
		if slices.Contains(script.Reserved(), s.Name) {
			c.fault("conflict", "", "signals."+s.Name+" has the name of something that every bar has in scripts: choose another", "signals."+s.Name)
		}
	}
}

// compileScript checks the script. Faults in a text that stands in the strategy file have their places
// there, others in the script.
func (f *File) compileScript() (*script.Program, Diagnostics) {
	name, text, ok := f.ScriptText()
	if !ok {
		return nil, nil
	}
	signals := make([]string, len(f.Signals))
	for i, s := range f.Signals {
		signals[i] = s.Name
	}
	p, wrong := script.Compile(name, text, signals)
	return p, f.InScript(wrong)
}

// InScript gives faults of a script whose text stands in the strategy file their places there.
func (f *File) InScript(wrong Diagnostics) Diagnostics {
	n := f.nodes["script"]
	if n == nil || f.scriptFile() || f.origin == nil || n.pos.File != f.origin.name {
		return wrong
	}
	out := slices.Clone(wrong)
	for i := range out {
		out[i].Pos = f.origin.text.locate(n, placeIn(f.Script, out[i].Pos))
	}
	return out
}

// placeIn is which character of text, counted from 0, a position is.
func placeIn(text string, at Position) int {
	n := 0
	for line := 1; line < at.Line; line++ {
		k := strings.IndexByte(text, '\n')
		if k < 0 {
			break
		}
		n += utf8.RuneCountInString(text[:k+1])
		text = text[k+1:]
	}
	return n + at.Column - 1
}

// readByScript makes rules of the signals: a script may read each of them, so that their history is
// loaded and they count as used.
func (c *compilation) readByScript() {
	for _, s := range c.file.Signals {
		if !c.broken[s.Name] {
			c.Add("is_absent("+s.Name+")", expr.Pos{}, expr.Bool, expr.NoVars)
		}
	}
}

// standIn is a script that decides nothing.
const standIn = "def on_bar(now):\n  pass\n"

// CompileCoded is Compile for a file whose decisions are made in Go: it needs no entry, and its signals
// are there to be read.
func (f *File) CompileCoded() (*Rules, Diagnostics) {
	if f.Script != "" {
		return nil, Diagnostics{{Pos: f.Positions["script"], Length: 1, Code: "conflict", Message: "both a script and a strategy in Go make decisions: keep one"}}
	}
	coded := *f
	coded.Script = standIn
	rules, wrong := coded.Compile()
	if rules != nil {
		rules.Script = nil
	}
	return rules, wrong
}
