package strategy

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"backtester/backtest/bar"
	"backtester/backtest/expr"
	"backtester/backtest/order"
)

// Compile checks and compiles every expression of the file, with the parameters at their defaults.
// All faults come at once, in the order of their places; Rules is nil when there are any. A File that
// was built by hand is checked whole, its faults have no places.
func (f *File) Compile() (*Rules, Diagnostics) {
	if f.nodes == nil {
		b, err := json.Marshal(f)
		if err != nil {
			return nil, Diagnostics{{Code: "wrong_type", Message: err.Error()}}
		}
		if _, wrong := Parse("", b); len(wrong) > 0 {
			for i := range wrong {
				wrong[i].Pos = Position{}
			}
			return nil, wrong
		}
	}
	rules, wrong := f.compile(nil)
	if wrong = sortFaults(append(f.check(unread{}), wrong...)); len(wrong) > 0 {
		return nil, wrong
	}
	return rules, nil
}

// compile makes the rules. Faults about names in broken are left out: they were reported before.
func (f *File) compile(broken map[string]bool) (*Rules, Diagnostics) {
	c := &compilation{file: f, broken: broken}
	scope := c.scope()
	c.Compiler = expr.NewCompiler(scope)

	rules, alone := &Rules{}, f.Short == nil
	rules.Long = c.side(f.Long, "long", alone)
	rules.Short = c.side(f.Short, "short", false)
	rules.Rebalance = c.rebalance()
	c.constraints()
	if f.Script != "" {
		c.readByScript()
	}
	program, wrong := c.Program()
	chosen, more := c.universe(scope)
	wrong = c.placed(append(append(wrong, more...), c.wrong...))
	var faults Diagnostics
	rules.Script, faults = f.compileScript()
	if wrong = append(wrong, faults...); len(wrong) > 0 || program == nil {
		return nil, wrong
	}
	if rules.Parts, faults = f.parts(); len(faults) > 0 {
		return nil, faults
	}
	rules.Universe = chosen
	rules.Program, rules.Warmup = program, max(program.Warmup(), f.history())
	switch f.Data.Begin {
	case BeginAll:
		rules.Begins = program.Begins(false)
	case BeginAfterAll:
		rules.Begins = program.Begins(true) + 1
	}
	if chosen != nil && !f.Data.Bars.Intraday() { // one history for both
		rules.Warmup = max(rules.Warmup, chosen.Warmup)
	}
	for i := range rules.Parts {
		rules.Warmup = max(rules.Warmup, rules.Parts[i].Rules.Warmup)
	}
	if rules.Script != nil {
		rules.Warmup = max(rules.Warmup, rules.Script.History())
	}
	rules.Notes = sortFaults(c.placed(program.Notes()))
	for _, s := range f.Signals {
		if ref, ok := program.SignalRef(s.Name); ok && program.Kind(ref) == expr.Bool {
			rules.Conditions = append(rules.Conditions, NamedRef{s.Name, ref})
		}
	}
	rules.Conditions = append(rules.Conditions, c.conditions...)
	return rules, nil
}

// compilation hands texts to the compiler with their number as the line, so that its faults can be
// brought back to the file through quotes, escapes and folded lines.
type compilation struct {
	*expr.Compiler
	file       *File
	broken     map[string]bool
	texts      []written
	conditions []NamedRef
	wrong      Diagnostics // of constraints

	again map[textKey]flatText // texts that were registered before; nil where each is compiled once
}

type textKey struct{ path, text string }

type flatText struct {
	flat string
	pos  expr.Pos
}

// written is an expression and the value in the file that holds it.
type written struct {
	text string
	at   *node // nil for a File without places
}

// scope is what expressions may refer to.
func (c *compilation) scope() expr.Scope {
	f := c.file
	s := expr.Scope{Frame: f.Data.Bars, Session: f.Data.Session, Calendar: f.market, Crossing: f.Data.Cross, EMASeed: f.Data.EMASeed}
	for _, p := range f.Params {
		s.Params = append(s.Params, expr.Param{Name: p.Name, Value: p.Default})
	}
	for _, x := range f.Series {
		s.Series = append(s.Series, x.Name)
	}
	for _, x := range f.Functions {
		name, args, ok := signature(x.Name)
		if !ok {
			continue // a File built by hand, which is parsed again
		}
		text, pos := c.text(x.Expr, "functions."+x.Name)
		s.Functions = append(s.Functions, expr.Definition{Name: name, Args: args, Text: text, Pos: pos})
	}
	for _, x := range f.Signals {
		text, pos := c.text(x.Expr, "signals."+x.Name)
		s.Signals = append(s.Signals, expr.Named{Name: x.Name, Text: text, Pos: pos})
	}
	return s
}

// universe compiles the expressions that choose the members, on day bars when the run's are shorter,
// with the signals that they mention.
func (c *compilation) universe(scope expr.Scope) (*UniverseRules, Diagnostics) {
	u := c.file.Universe
	if u.Where == "" && u.By == "" {
		return nil, nil
	}
	if scope.Frame.Intraday() {
		scope.Frame, scope.Session = bar.Daily, bar.Regular
	}
	scope.Signals = mentioned(u.Where+" "+u.By, scope.Signals)
	c.Compiler = expr.NewCompiler(scope)
	out := &UniverseRules{
		Where: c.add(u.Where, expr.Bool, expr.NoVars, "universe.where"),
		By:    c.add(u.By, expr.Number, expr.NoVars, "universe.by"),
	}
	program, wrong := c.Program()
	if len(wrong) > 0 || program == nil {
		return nil, wrong
	}
	out.Program, out.Warmup = program, program.Warmup()
	return out, nil
}

// mentioned are the signals whose names stand in text, or in the text of such a signal.
func mentioned(text string, signals []expr.Named) []expr.Named {
	in := map[string]bool{}
	for again := true; again; {
		again = false
		words := strings.FieldsFunc(text, func(r rune) bool {
			return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		})
		for _, s := range signals {
			if !in[s.Name] && slices.Contains(words, s.Name) {
				in[s.Name], again = true, true
				text += " " + s.Text
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(signals), func(s expr.Named) bool { return !in[s.Name] })
}

// text registers one expression that stands at the first of the paths that is there.
func (c *compilation) text(s string, paths ...string) (string, expr.Pos) {
	t := written{text: s}
	for i := 0; i < len(paths) && t.at == nil; i++ {
		t.at = c.file.nodes[paths[i]]
	}
	c.texts = append(c.texts, t)
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(s), expr.Pos{Line: len(c.texts), Column: 1}
}

// add compiles an expression, none for an empty text.
func (c *compilation) add(s string, want expr.Kind, allow expr.Vars, paths ...string) expr.Ref {
	if s == "" {
		return 0
	}
	if c.again == nil {
		flat, pos := c.text(s, paths...)
		return c.Add(flat, pos, want, allow)
	}
	key := textKey{paths[0], s}
	t, ok := c.again[key]
	if !ok {
		t.flat, t.pos = c.text(s, paths...)
		c.again[key] = t
	}
	return c.Add(t.flat, t.pos, want, allow)
}

func (c *compilation) side(s *Side, name string, alone bool) *SideRules {
	if s == nil {
		return nil
	}
	shown := name + "."
	if alone {
		shown = ""
	}
	paths := func(key string) []string {
		if name == "long" {
			return []string{key, "long." + key}
		}
		return []string{"short." + key}
	}
	e := s.Entry
	rule := EntryRule{Settings: e,
		When:  c.add(e.When, expr.Bool, expr.NoVars, paths("entry.when")...),
		Price: c.add(e.Price, expr.Number, expr.NoVars, paths("entry.price")...),
		Limit: c.add(e.Limit, expr.Number, expr.NoVars, paths("entry.limit")...),
		Rank:  c.add(e.Rank, expr.Number, expr.NoVars, paths("entry.rank")...),

		Cancel: c.add(e.Cancel, expr.Bool, expr.NoVars, paths("entry.cancel_when")...),
	}
	if o := e.Or; o != nil {
		rule.Other.Price = c.add(o.Price, expr.Number, expr.NoVars, paths("entry.or.price")...)
		rule.Other.Limit = c.add(o.Limit, expr.Number, expr.NoVars, paths("entry.or.limit")...)
	}
	if a := e.Add; a != nil {
		if rule.Add = c.add(a.When, expr.Bool, expr.PositionVars, paths("entry.add.when")...); a.When == "" {
			rule.Add = rule.When
		}
	}
	if e.When == "" { // a script enters, these are the ways out
		rule.When = c.Add("false", expr.Pos{}, expr.Bool, expr.NoVars)
	} else {
		c.conditions = append(c.conditions, NamedRef{shown + "entry.when", rule.When})
	}
	out := &SideRules{Entry: rule}
	for i, x := range s.Exits {
		key := "exit"
		if len(s.Exits) > 1 {
			key = join(key, itoa(i))
		}
		at := func(what string) []string {
			return append(paths("exit."+what), paths("exit."+itoa(i)+"."+what)...)
		}
		rules := c.exit(x, at)
		for k := range rules {
			if rules[k].Item, rules[k].Part = i, x.Fraction; x.Fraction == 0 {
				rules[k].Part = 1
			}
		}
		if x.When != "" {
			c.conditions = append(c.conditions, NamedRef{shown + key + ".when", rules[0].When})
		}
		out.Exits = append(out.Exits, rules...)
	}
	return out
}

// exit cuts an exit of the file into its ways out.
func (c *compilation) exit(x order.Exit, at func(key string) []string) []ExitRule {
	var out []ExitRule
	add := func(r ExitRule) {
		if r.Name = x.Name; r.Name == "" {
			r.Name = string(r.Kind)
		}
		out = append(out, r)
	}
	if x.When != "" {
		add(ExitRule{Kind: ExitSignal, When: c.add(x.When, expr.Bool, expr.PositionVars, at("when")...)})
	}
	if x.Stop != "" {
		add(ExitRule{Kind: ExitStop, Ratchet: x.Ratchet, Level: c.add(x.Stop, expr.Number, expr.PositionVars, at("stop")...)})
	}
	if x.Target != "" {
		add(ExitRule{Kind: ExitTarget, Level: c.add(x.Target, expr.Number, expr.PositionVars, at("target")...)})
	}
	if x.Trail != nil {
		add(ExitRule{Kind: ExitTrail, Fraction: x.Trail.Fraction, Intrabar: x.Trail.Intrabar,
			Level: c.add(x.Trail.Amount, expr.Number, expr.PositionVars, at("trail.amount")...)})
	}
	if x.MaxBars > 0 {
		add(ExitRule{Kind: ExitMaxBars, MaxBars: x.MaxBars})
	}
	return out
}

// constraints compiles the conditions on parameters, which may read nothing else.
func (c *compilation) constraints() {
	for i, s := range c.file.Constraint {
		scope := expr.Scope{}
		for _, p := range c.file.Params {
			scope.Params = append(scope.Params, expr.Param{Name: p.Name, Value: p.Default})
		}
		flat, pos := c.text(s, "constraint."+itoa(i), "constraint")
		apart := expr.NewCompiler(scope)
		apart.Add(flat, pos, expr.Bool, expr.NoVars)
		program, wrong := apart.Program()
		if len(wrong) == 0 && (program.Columns() != 0 || program.NeedsCalendar()) {
			wrong = Diagnostics{{Pos: pos, Length: utf8.RuneCountInString(s), Code: "conflict",
				Message: "constraint compares parameters with each other and with numbers: it cannot read prices or dates"}}
		}
		c.wrong = append(c.wrong, wrong...)
	}
}

// placed brings faults from the numbered texts back to the file.
func (c *compilation) placed(wrong Diagnostics) Diagnostics {
	var out Diagnostics
	for _, d := range wrong {
		if d.Line < 1 || d.Line > len(c.texts) {
			if len(c.broken) == 0 {
				out = append(out, d) // about the whole, such as a limit
			}
			continue
		}
		t, from := c.texts[d.Line-1], d.Column-1
		runes := []rune(t.text)
		from = max(0, min(from, len(runes)))
		to := min(len(runes), from+max(d.Length, 0))
		if c.broken[string(runes[from:to])] {
			continue
		}
		d.Pos = Position{}
		if t.at != nil {
			d.Pos = t.at.pos
			if doc := c.file.origin; doc != nil && t.at.pos.File == doc.name {
				start := doc.text.locate(t.at, from)
				if to > from {
					if end := doc.text.locate(t.at, to-1); end.Line == start.Line {
						d.Length = end.Column - start.Column + 1
					} else {
						d.Length = len([]rune(string(doc.text.line(start.Line)))) - start.Column + 1
					}
				}
				d.Pos = start
			}
		}
		out = append(out, d)
	}
	return out
}
