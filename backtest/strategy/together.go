package strategy

import (
	"path"
	"reflect"
	"slices"
	"strings"
)

// Part is one of several strategies that share an account.
type Part struct {
	Name  string   `json:"name,omitempty" doc:"shown with its orders, fills and trades; default: the name of its file"`
	File  string   `json:"file" doc:"a strategy file beside this one, or the name of a built-in strategy: its signals, rules, sizes and limits"`
	Share float64  `json:"share,omitempty" min:"0" max:"10" unit:"fraction of equity" doc:"of the account's equity, of which its sizes and limits are fractions; default: equal parts of 1"`
	Set   []string `json:"set,omitempty" doc:"settings of its file that are changed, KEY=VALUE each, such as [n=20, size.max_positions=5]"`
}

// PartRules is a strategy of a portfolio, compiled under the settings of the account.
type PartRules struct {
	Name  string
	Share float64
	File  *File // its rules, sizes and limits; bars, account, costs and fills are those of the portfolio
	Rules *Rules
	Aside []string // sections of its file that differ from those of the portfolio and do not count
}

// builtIn reports whether the part names a built-in strategy, not a file.
func (p *Part) builtIn() bool { return !strings.Contains(path.Base(p.File), ".") }

// read parses the file of a part, with its settings changed; ok is false when it was not handed over.
func (p *Part) read(f *File) (g *File, ok bool, wrong Diagnostics) {
	var text []byte
	if p.builtIn() {
		var err error
		if text, err = FindBuiltin(p.File); err != nil {
			return nil, true, Diagnostics{{Code: "bad_name", Message: err.Error()}}
		}
	} else if text, ok = f.Attached(p.File); !ok {
		return nil, false, nil
	}
	if g, wrong = Parse(p.File, text); len(wrong) > 0 {
		return nil, true, wrong
	}
	var sets []Override
	for _, kv := range p.Set {
		key, value, _ := strings.Cut(kv, "=")
		sets = append(sets, Override{Path: strings.TrimSpace(key), Value: strings.TrimSpace(value)})
	}
	if len(sets) > 0 {
		if err := g.SetAll(sets); err != nil {
			return nil, true, Diagnostics{{Code: "conflict", Message: p.File + ": " + err.Error()}}
		}
	}
	g.attached = f.attached
	return g, true, nil
}

// adopt puts a strategy under the settings of a portfolio, and says which of its own do not count.
func (g *File) adopt(f *File) (aside []string) {
	for _, x := range []struct {
		name     string
		own, all any
	}{
		{"data", g.Data, f.Data}, {"costs", g.Costs, f.Costs}, {"fills", g.Fills, f.Fills}, {"account", g.Account.Kind, f.Account.Kind}, {"cash", g.Account.Cash, f.Account.Cash},
	} {
		if g.nodes[x.name] != nil && !reflect.DeepEqual(x.own, x.all) {
			aside = append(aside, x.name)
		}
	}
	g.Data, g.Costs, g.Fills, g.Account, g.Profile, g.market = f.Data, f.Costs, f.Fills, f.Account, "", f.market
	g.Benchmark, g.BuyAndHold, g.Search, g.Validate, g.Constraint, g.Require = "", false, nil, nil, nil, nil
	if u := &f.Universe; len(u.Symbols) > 0 || len(u.Type) > 0 || u.Dynamic() {
		g.Universe = f.Universe
	}
	return aside
}

// parts compiles the strategies of a portfolio. Those whose files were not handed over are left out.
func (f *File) parts() ([]PartRules, Diagnostics) {
	var out []PartRules
	var wrong Diagnostics
	for i := range f.Strategies {
		p := &f.Strategies[i]
		fault := func(code, message string) {
			at := Diagnostic{Code: code, Message: message}
			for _, key := range []string{"strategies." + itoa(i) + ".file", "strategies.file"} {
				if n := f.nodes[key]; n != nil {
					at.Pos, at.Length = n.pos, len([]rune(n.text))
				}
			}
			wrong = append(wrong, at)
		}
		g, ok, faults := p.read(f)
		if len(faults) > 0 {
			for _, d := range faults {
				if d.Line == 0 {
					fault(d.Code, d.Message)
				} else {
					wrong = append(wrong, d)
				}
			}
			continue
		}
		if !ok {
			continue
		}
		if len(g.Strategies) > 0 {
			fault("conflict", p.File+" is a portfolio of strategies itself: name its strategies here instead")
			continue
		}
		x := PartRules{Name: p.Name, Share: p.Share, File: g}
		x.Aside = g.adopt(f)
		if x.Name == "" {
			x.Name = g.Name
		}
		if x.Share == 0 {
			x.Share = 1 / float64(len(f.Strategies))
		}
		switch {
		case slices.ContainsFunc(out, func(o PartRules) bool { return o.Name == x.Name }):
			fault("conflict", "two strategies are called "+x.Name+": give one of them another name")
			continue
		case len(out) > 0 && out[0].File.Size.Fractional != g.Size.Fractional:
			fault("conflict", "an account trades either fractions of shares or none, and the strategies differ in size.fractional: set it alike")
			continue
		}
		rules, bad := g.Compile()
		if len(bad) > 0 {
			wrong = append(wrong, bad...)
			continue
		}
		x.Rules = rules
		out = append(out, x)
	}
	return out, wrong
}

// together checks a portfolio of strategies.
func (c *checker) together() {
	f := c.file
	if len(f.Strategies) == 0 {
		return
	}
	for _, own := range []struct {
		key   string
		there bool
	}{
		{"entry", f.Long != nil}, {"short", f.Short != nil}, {"rebalance", f.Rebalance != nil}, {"script", f.Script != ""},
		{"params", len(f.Params) > 0}, {"signals", len(f.Signals) > 0}, {"series", len(f.Series) > 0}, {"functions", len(f.Functions) > 0},
		{"universe_exit", f.Leave}, {"size", f.Size.Sized() || f.Size.MaxPositions > 0 || f.Size.Fractional || f.Size.AllOrNone},
		{"search", f.Search != nil}, {"validate", f.Validate != nil}, {"constraint", len(f.Constraint) > 0}, {"require", len(f.Require) > 0},
	} {
		if own.there {
			c.fault("conflict", "", own.key+" belongs to one strategy, and this file puts several into one account: it stands in the file of a strategy", own.key, "long", "exit")
		}
	}
	total := 0.0
	for i := range f.Strategies {
		p, at := &f.Strategies[i], "strategies."+itoa(i)
		if !c.given(at) {
			at = "strategies"
		}
		if p.File == "" && !c.some {
			c.fault("missing_key", "", at+" has no file: name a strategy file or a built-in strategy", at)
		}
		for k, kv := range p.Set {
			if key, _, ok := strings.Cut(kv, "="); !ok || strings.TrimSpace(key) == "" {
				c.fault("wrong_type", "", at+".set: "+clip(kv, 40)+" changes nothing: want KEY=VALUE, such as n=20", at+".set."+itoa(k), at+".set")
			}
		}
		total += p.Share
	}
	if total > 1+1e-9 && f.Account.Kind == "cash" {
		c.fault("conflict", "", "the shares of the strategies come to "+shortest(total)+" of equity, which a cash account cannot pay: set account: regt, or at most 1 together", "strategies")
	}
}
