package expr

import (
	"strings"
	"testing"
)

// Every node says what it reads, and a graph that was tampered with is found out: these checks can fail.
func TestReadings(t *testing.T) {
	compile := func() *Program {
		c := NewCompiler(Scope{Signals: []Named{{Name: "up", Text: "close > sma(close, 20)"}}})
		c.Add(`up and close[3] < tf("1w", ema(close, 5)) and sym("SPY").close > 0 and rank(volume) > 0.5 and count_when(up, 4) > 1 and month == 3`, Pos{}, Bool, NoVars)
		c.Add("entry_price - at_entry(close) * 0.1", Pos{}, Number, PositionVars)
		p, wrong := c.Program()
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		return p
	}
	reads := map[string]string{}
	for _, r := range compile().Readings() {
		if r.Fault != "" {
			t.Errorf("%s: %s", r.Text, r.Fault)
		}
		reads[r.Text] = r.Reads
	}
	for text, want := range map[string]string{
		"close": "its own bar", "close[3]": "3 bars back", "sma(close, 20)": "bars up to its own (window)", "ema(close, 5)": "bars up to its own (fading)",
		`tf("1w", ema(close, 5))`: "the last bar that had ended", `sym("SPY", close)`: "the last bar that had ended",
		"rank(volume)": "members of the universe with a bar at the same close", "count_when(close > sma(close, 20), 4)": "the last 4 bars",
		"entry_price": "the position at the close", "at_entry(close)": "the close that decided the entry", "month": "the calendar, as known beforehand, and actions executed by then",
	} {
		if reads[text] != want {
			t.Errorf("%s reads %q, want %q (known: %v)", text, reads[text], want, reads)
		}
	}
	for name, tamper := range map[string]func(p *Program, id termID, x *term) bool{
		"bars back": func(_ *Program, _ termID, x *term) bool {
			if x.op != opShift {
				return false
			}
			x.n = -1
			return true
		},
		"not come before": func(_ *Program, id termID, x *term) bool {
			if x.op != opGT {
				return false
			}
			x.args = []termID{x.args[0], id}
			return true
		},
		"not known": func(_ *Program, _ termID, x *term) bool {
			if x.op != opColumn {
				return false
			}
			x.op = opScale
			return true
		},
		"by the end of its bars": func(p *Program, _ termID, x *term) bool {
			if x.op != opGiven || p.g.givens[x.n].kind != OtherInput {
				return false
			}
			p.g.givens[x.n].stale = 0
			return true
		},
	} {
		p := compile()
		done := false
		for i := 1; i < len(p.g.terms) && !done; i++ {
			done = tamper(p, termID(i), p.g.at(termID(i)))
		}
		found := false
		for _, r := range p.Readings() {
			found = found || strings.Contains(r.Fault, name)
		}
		if !done || !found {
			t.Errorf("tampering with %q is not found", name)
		}
	}
}
