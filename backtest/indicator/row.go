package indicator

// maxWindow is the longest window: 40 years of sessions, or a quarter of minutes.
const maxWindow = 10_000

// length is a required number of bars, at least least.
func length(name string, least int, doc string) Param {
	return Param{Name: name, Min: float64(least), Max: maxWindow, Integer: true, Required: true, Doc: doc}
}

// lengths is the usual single window n, and perhaps conventions.
func lengths(least int, more ...Param) []Param {
	return append([]Param{length("n", least, "bars in the window")}, more...)
}

// option is a secondary number with a default.
func option(name string, value, least, most float64, doc string) Param {
	return Param{Name: name, Min: least, Max: most, Default: value, Doc: doc}
}

// whole is an option that takes whole numbers.
func whole(name string, value, least, most float64, doc string) Param {
	p := option(name, value, least, most, doc)
	p.Integer = true
	return p
}

// ddof is the option of everything that divides by n or n-1.
func ddof() Param {
	return whole("ddof", 0, 0, 1, "0 divides by n (TA-Lib, TradingView), 1 by n-1 (pandas)")
}

// sampleDdof is ddof where the sample's deviation is usual.
func sampleDdof() Param {
	p := ddof()
	p.Default = 1
	return p
}

// only is the single output of an indicator.
func only(u Unit) []Output { return []Output{{Name: "value", Unit: u, Draw: Line}} }

// within is an only output that is a pure number in [low, high].
func within(low, high float64) []Output {
	return []Output{{Name: "value", Draw: Line, Min: low, Max: high}}
}

// out is one of several outputs.
func out(name string, u Unit, doc string) Output {
	return Output{Name: name, Unit: u, Draw: Line, Doc: doc}
}

// Lists of inputs that occur often. Functions, because slices in variables could be written to.
func x() []string    { return []string{"x"} }
func hl() []string   { return []string{High, Low} }
func hlc() []string  { return []string{High, Low, Close} }
func ohlc() []string { return []string{Open, High, Low, Close} }
func hlcv() []string { return []string{High, Low, Close, Volume} }

// before is the Warmup of a window whose length is parameter k, shifted by extra bars.
func before(k, extra int) func(p []float64) int {
	return func(p []float64) int { return int(p[k]) - 1 + extra }
}

// ema is the Warmup of an EMA whose length is parameter k, shifted by extra bars, times stages.
func ema(k, stages, extra int) func(p []float64) int {
	return func(p []float64) int { return stages*warmEMA(p[k]) + extra }
}

// rma is the Warmup of an RMA whose length is parameter k, shifted by extra bars.
func rma(k, extra int) func(p []float64) int {
	return func(p []float64) int { return warmRMA(p[k]) + extra }
}

// none is the Warmup of what depends on its own bar only.
func none([]float64) int { return 0 }

// one is the Warmup of what depends on the bar before too.
func one([]float64) int { return 1 }

// chapter gives rows what they share.
func chapter(f Family, rows []Spec) []Spec {
	for i := range rows {
		s := &rows[i]
		s.Family = f
		if s.First == nil {
			s.First = s.Warmup
		}
		if s.Memory == "" {
			s.Memory = Window
		}
		if s.Picture == "" {
			s.Picture = Pane
		}
	}
	return rows
}

// ratio is a/b, absent where b is 0 or either is absent.
func ratio(a, b float64) float64 {
	r := a / b
	return r + (r - r) + (b - b)
}

// share is whole*part/total, and half of whole where total is 0: the middle of a range without
// width.
func share(whole, part, total float64) float64 {
	if total == 0 {
		return float64(0.5 * whole)
	}
	return float64(whole * (part / total))
}
