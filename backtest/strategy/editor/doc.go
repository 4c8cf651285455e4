// Package editor tells editors about the text of a strategy file while somebody writes it: what could
// be written at a place (Complete), what stands there and what it means (Hover), and what is wrong or
// odd (Diagnose).
//
// In: the text, finished or not, and a place in it, lines and columns counted from 1 in characters;
// a cursor stands before the character of its column. Out: plain data with JSON names, always in the
// same order. It refuses nothing: where nothing is known, nothing is said. All of it is made from the
// tables that the reader of strategy files itself uses, so that it cannot promise what is refused.
// Cost: one pass over the text, a few milliseconds for a usual file.
package editor

import (
	"backtester/backtest/strategy/lint"
)

// Range is a piece of one line: characters [From, To), counted from 1.
type Range struct {
	Line int `json:"line"`
	From int `json:"from"`
	To   int `json:"to"`
}

// Diagnostic is a fault or a finding. Line is 0 for what concerns the whole file.
type Diagnostic struct {
	Range
	Severity string `json:"severity"` // error | warning
	Code     string `json:"code"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
}

// Diagnose finds everything that is wrong with a file, or, if nothing is, everything that is odd.
func Diagnose(text string) []Diagnostic {
	_, list := lint.Text("strategy.yaml", []byte(text))
	out := make([]Diagnostic, len(list))
	for i, f := range list {
		at := Range{f.Line, f.Column, f.Column + f.Length}
		if f.Line == 0 {
			at = Range{}
		}
		out[i] = Diagnostic{at, string(f.Severity), f.Code, f.Message, f.Hint}
	}
	return out
}
