package strategy

import (
	"reflect"
	"sort"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// setDefaults fills the struct v with the defaults of its fields. Sections behind pointers and lists
// stay absent.
func setDefaults(v reflect.Value, fields []field) {
	for i := range fields {
		f := &fields[i]
		to := f.at(v, false)
		if !to.IsValid() || to.Kind() == reflect.Pointer {
			continue
		}
		switch {
		case f.form == formMapping:
			setDefaults(to, f.fields)
		case f.form == formDate:
			to.Set(reflect.ValueOf(instrument.None))
		case f.def != "":
			setDefault(to, f)
		}
	}
}

func setDefault(to reflect.Value, f *field) {
	switch f.form {
	case formNumber:
		to.SetFloat(bound(f.def, 0))
	case formWhole:
		to.SetInt(int64(bound(f.def, 0)))
	case formFlag:
		to.SetBool(f.def == "true")
	case formFrame:
		frame, err := bar.ParseFrame(f.def)
		if err != nil {
			panic("BUG: default of " + f.key + ": " + err.Error())
		}
		to.Set(reflect.ValueOf(frame))
	default:
		to.SetString(f.def)
	}
}

// sortFaults puts faults in the order of their places and drops repetitions.
func sortFaults(list Diagnostics) Diagnostics {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i].Pos, list[j].Pos
		if a.File != b.File {
			return a.File < b.File
		}
		if a.Line != b.Line {
			return a.Line < b.Line
		}
		return a.Column < b.Column
	})
	out := list[:0]
	for i, d := range list {
		if i == 0 || d != list[i-1] {
			out = append(out, d)
		}
	}
	return out
}
