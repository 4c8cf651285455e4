package strategy

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
)

// blame names the changes that made faults of a file that had none. In the built-in strategies, which the
// person who typed the change did not write, the change is the place of the fault and the line is
// told beside it; elsewhere it is the other way round.
func (doc *document) blame(wrong Diagnostics, sets []Override) Diagnostics {
	given := func(file string) bool {
		return slices.ContainsFunc(sets, func(s Override) bool { return s.String() == file })
	}
	out := make(Diagnostics, 0, len(wrong))
	lines := map[string][]string{} // of equal faults in a built-in strategy
	builtin, cause := doc.builtin(), ""
	for _, d := range wrong {
		if given(d.File) || d.Line == 0 {
			if d.Code != "duplicate_key" { // which names both ways of giving it
				d = inFlags(d, sets)
			}
			out = append(out, d)
			continue
		}
		if cause == "" {
			cause = doc.cause(sets)
		}
		if !builtin {
			d.Message += ", with " + cause
			out = append(out, d)
			continue
		}
		if lines[d.Message] == nil {
			out = append(out, Diagnostic{Pos: Position{File: cause}, Code: d.Code, Message: d.Message, Hint: d.Hint})
		}
		lines[d.Message] = append(lines[d.Message], fmt.Sprint(d.Line))
	}
	for i := range out {
		switch at := slices.Compact(lines[out[i].Message]); len(at) {
		case 0:
		case 1:
			out[i].Message += fmt.Sprintf(", in line %s of the built-in %s", at[0], doc.name)
		default:
			out[i].Message += fmt.Sprintf(", in lines %s of the built-in %s", list(at, "and"), doc.name)
		}
	}
	return out
}

// inFlags writes the names of flags in place of the keys that they set.
func inFlags(d Diagnostic, sets []Override) Diagnostic {
	for _, s := range sets {
		if s.Flag == "" {
			continue
		}
		d.Message = strings.ReplaceAll(d.Message, s.Path, s.Flag)
		d.Hint = strings.ReplaceAll(d.Hint, s.Path, s.Flag)
	}
	return d
}

// cause are the changes without which the file would be right, or all of them when it takes several.
func (doc *document) cause(sets []Override) string {
	var guilty []string
	for i := range sets {
		if _, wrong := doc.with(slices.Delete(slices.Clone(sets), i, i+1)); len(wrong) == 0 {
			guilty = append(guilty, sets[i].String())
		}
	}
	if len(guilty) == 0 {
		for _, s := range sets {
			guilty = append(guilty, s.String())
		}
	}
	return strings.Join(guilty, " ")
}

// builtin reports whether the document is the file of a built-in strategy as it is.
func (doc *document) builtin() bool {
	if path.Base(doc.name) != doc.name || doc.text == nil {
		return false
	}
	data, err := builtinFiles.ReadFile(path.Join("builtin", doc.name+".yaml"))
	return err == nil && bytes.Equal(data, doc.text.data)
}
