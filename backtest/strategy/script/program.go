// Package script runs strategies written in Starlark: the language of decisions that expressions cannot
// say.
//
// In: the text of a script and the names of the strategy file's signals; then, through package hook, the
// view of a market at each close. Out: intents. It refuses, with their places, texts that are not
// Starlark, hooks with wrong arguments, whatever could reach outside or grow without bound, and calls
// that make no sense. A script has no files, no network, no clock, no random numbers and no load: the
// same script on the same data makes the same decisions everywhere.
//
// # Hooks
//
// A script defines one or more of
//
//	def on_bar(now): ...          # at the close of every bar that decides
//	def on_rebalance(now): ...    # at the last close of each period: rebalance = "month"
//	def on_fill(now, fill): ...   # at the close of the bar of each fill, before the others
//
// Lists and dicts of the top level keep what they are given from call to call. Two names of the top
// level are settings: rebalance ("session", "week", "month", "quarter" or "year"; month without it) and
// history, the number of bars before the first decision that bar.history may see (0 without it).
//
// # Reading
//
// now.date, now.time; now.equity, now.cash in USD; now.bars, the symbols of the universe that traded in
// this bar; now.held, those with a position; now.bar(name), one symbol or None. Of a bar: symbol, open,
// high, low, close, volume of its last bar as traded; every signal of the strategy file by its name;
// history(name, n), the last n values of a price or volume column, oldest first, in today's share basis;
// traded, member, working, ready (no signal is absent); shares, entry_price, bars_held, high_since,
// low_since, stop, target of the position. Absent values are None, conditions True and False. Of a fill:
// symbol, side, quantity, price, fee, entry, reason.
//
// # Deciding
//
//	now.enter(bar, side="long", order="market", price=0, limit=0, tif="day", until="", max_wait=0,
//	          shares=0, value=0, weight=0, risk=0, stop=0, target=0, rank=0, tag="")
//	now.exit(bar, fraction=1, reason="")
//	now.target(bar, weight=0, value=0, shares=0, tag="")
//	now.protect(bar, stop=0, target=0)
//	now.cancel(bar)
//
// A target has one of the three, and 0 closes. Reports group trades by the tag of their entry. A bar may be given by its symbol. Orders, sizes and rules are
// those of strategy files; see hook.Intent. Beside what Starlark has there are sqrt, floor, ceil and isfinite.
//
// # Limits
//
// Steps of the interpreter are bounded for each call and for the whole run; work on long lists and
// texts counts as steps. What a script keeps is bounded, and so is what one operation makes. A failure
// says where it happened.
//
// # Cost
//
// A call of on_bar that looks at one symbol, compares two of its signals and decides nothing takes about
// 0.4 us on one core, the engine's share of a bar included; make bench measures it.
package script

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"backtester/backtest/expr"
	"backtester/backtest/strategy/hook"
)

// Limits of a script. The zero value means Default.
type Limits struct {
	CallSteps uint64 // of one call of a hook, and of the top level
	RunSteps  uint64 // of all calls of a run
	Bytes     int64  // what the script keeps from call to call, roughly
}

// Default limits: a call that visits 8,000 symbols with a hundred steps each stays within them, and a
// runaway loop ends in about a tenth of a second.
func Default() Limits {
	return Limits{CallSteps: 2_000_000, RunSteps: 20_000_000_000, Bytes: 64 << 20}
}

// Limits of texts.
const (
	maxText    = 64 << 10
	maxNesting = 100
	maxHistory = 10_000
)

// Program is a checked script. It is immutable: every run starts one of its own.
type Program struct {
	name    string
	program *starlark.Program
	signals []string
	every   hook.Period
	history int
	limits  Limits
}

// Compile checks a script. name is shown in messages; signals are the names that bars have besides
// their own. All faults of the text come at once; Program is nil when there are any.
func Compile(name, text string, signals []string) (*Program, expr.Diagnostics) {
	p := &Program{name: name, signals: signals, limits: Default()}
	at := func(line, col int32, code, message string) expr.Diagnostics {
		return expr.Diagnostics{{Pos: expr.Pos{File: name, Line: int(max(line, 1)), Column: int(max(col, 1))}, Length: 1, Code: code, Message: message}}
	}
	if len(text) > maxText {
		return nil, at(1, 1, "too_large", fmt.Sprintf("the script has %d bytes, at most %d are read", len(text), maxText))
	}
	if line, deep := nesting(text); deep {
		return nil, at(line, 1, "too_deep", fmt.Sprintf("brackets are nested more than %d deep", maxNesting))
	}
	options := &syntax.FileOptions{Set: true, TopLevelControl: true}
	file, err := options.Parse(name, text, 0)
	if err != nil {
		return nil, p.diagnose(err)
	}
	g := guard{name: name}
	g.file(file)
	if len(g.faults) > 0 {
		return nil, g.faults
	}
	words := predeclared()
	program, err := starlark.FileProgram(file, words.Has)
	if err != nil {
		return nil, p.diagnose(err)
	}
	p.program = program
	r, err := p.start()
	if err != nil {
		var wrong expr.Diagnostics
		if errors.As(err, &wrong) {
			return nil, wrong
		}
		return nil, at(1, 1, "script", err.Error())
	}
	if wrong := r.settings(p); len(wrong) > 0 {
		return nil, wrong
	}
	return p, nil
}

// nesting finds the first line on which more brackets are open than may be. Brackets in texts and
// comments count as well.
func nesting(text string) (line int32, deep bool) {
	depth := 0
	line = 1
	for i := range len(text) {
		switch text[i] {
		case '\n':
			line++
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(0, depth-1)
		}
		if depth > maxNesting {
			return line, true
		}
	}
	return 0, false
}

// WithLimits is p with other limits; those that are 0 stay.
func (p *Program) WithLimits(l Limits) *Program {
	c := *p
	if l.CallSteps > 0 {
		c.limits.CallSteps = l.CallSteps
	}
	if l.RunSteps > 0 {
		c.limits.RunSteps = l.RunSteps
	}
	if l.Bytes > 0 {
		c.limits.Bytes = l.Bytes
	}
	return &c
}

// History is how many bars before the first decision the script wants to see.
func (p *Program) History() int { return p.history }

// diagnose brings an error of the interpreter to its place in the script.
func (p *Program) diagnose(err error) expr.Diagnostics {
	one := func(pos syntax.Position, code, message string) expr.Diagnostic {
		return expr.Diagnostic{Pos: expr.Pos{File: p.name, Line: int(max(pos.Line, 1)), Column: int(max(pos.Col, 1))},
			Length: 1, Code: code, Message: strings.TrimSpace(message)}
	}
	var (
		parse   syntax.Error
		resolve resolve.ErrorList
		eval    *starlark.EvalError
	)
	switch {
	case errors.As(err, &parse):
		return expr.Diagnostics{one(parse.Pos, "syntax", parse.Msg)}
	case errors.As(err, &resolve):
		var out expr.Diagnostics
		for _, e := range resolve {
			out = append(out, one(e.Pos, "unknown_name", e.Msg))
		}
		return out
	case errors.As(err, &eval):
		return expr.Diagnostics{one(placeOf(eval, p.name), "script", readable(eval))}
	}
	return expr.Diagnostics{one(syntax.Position{}, "script", err.Error())}
}

// placeOf is the innermost place in the script itself.
func placeOf(e *starlark.EvalError, name string) syntax.Position {
	for i := len(e.CallStack) - 1; i >= 0; i-- {
		if pos := e.CallStack[i].Pos; pos.Filename() == name && pos.Line > 0 {
			return pos
		}
	}
	return syntax.Position{}
}

// readable is what went wrong in words for people.
func readable(e *starlark.EvalError) string {
	msg := e.Msg
	if cause := e.Unwrap(); cause != nil {
		msg = cause.Error()
	}
	switch {
	case strings.Contains(msg, "Starlark computation cancelled: "):
		_, msg, _ = strings.Cut(msg, "Starlark computation cancelled: ")
	case strings.Contains(msg, "NoneType"):
		msg += " (None is an absent value: test for it first, as in `if bar.ready`)"
	}
	return msg
}
