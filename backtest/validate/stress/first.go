package stress

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/strategy"
)

// Difference is the first fill in which two runs differ, and the settings in which they do.
type Difference struct {
	At       int            `json:"at"`       // how many fills before it are the same
	A, B     *backtest.Fill `json:"-"`        // nil where a run has no more fills
	In       []string       `json:"in"`       // what of the two fills differs: time, symbol, side, quantity, reference, price, commission, rule, reason
	Settings []Changed      `json:"settings"` // in which the runs differ, those that could show in such a difference first
	// Behind are the paths of settings that make A's fill that of B when A is run with them as B has them: one,
	// or several that do it only together. Nil before Prove, and where nothing does.
	Behind []string `json:"behind"`
	Proved bool     `json:"proved"` // whether runs were made to find out
}

// Changed is a setting in which two runs differ, as JSON; "" is not set.
type Changed struct {
	Path string `json:"path"`
	A    string `json:"a"`
	B    string `json:"b"`
	a, b any
}

// FirstDifference compares the fills of two runs in their order. The difference is nil when all are equal, bit for
// bit but for regulatory fees and slippage, which follow from the others.
func FirstDifference(a, b *backtest.Result) (*Difference, error) {
	at := 0
	for at < len(a.Fills) && at < len(b.Fills) && len(unlike(&a.Fills[at], &b.Fills[at])) == 0 {
		at++
	}
	if at == len(a.Fills) && at == len(b.Fills) {
		return nil, nil
	}
	d := &Difference{At: at, Settings: []Changed{}}
	if at < len(a.Fills) {
		d.A = &a.Fills[at]
	}
	if at < len(b.Fills) {
		d.B = &b.Fills[at]
	}
	d.In = []string{"time"}
	if d.A != nil && d.B != nil {
		d.In = unlike(d.A, d.B)
	}
	one, err := settingsOf(a)
	if err != nil {
		return nil, err
	}
	other, err := settingsOf(b)
	if err != nil {
		return nil, err
	}
	d.Settings = changed(d.Settings, "", one, other)
	slices.SortStableFunc(d.Settings, func(x, y Changed) int { return distance(x.Path, d.In) - distance(y.Path, d.In) })
	return d, nil
}

// unlike names what differs between two fills.
func unlike(a, b *backtest.Fill) []string {
	var out []string
	for _, f := range []struct {
		name string
		same bool
	}{{"time", a.Time == b.Time}, {"symbol", a.Symbol == b.Symbol}, {"side", a.Side == b.Side}, {"quantity", a.Quantity == b.Quantity}, {"reference", a.Reference == b.Reference},
		{"price", a.Price == b.Price}, {"commission", a.Commission == b.Commission}, {"rule", a.Rule == b.Rule}, {"reason", a.Reason == b.Reason}} {
		if !f.same {
			out = append(out, f.name)
		}
	}
	return out
}

// shows lists the settings that a difference in a part of a fill comes from most of the time.
var shows = map[string][]string{
	"time":       {"fills.", "entry", "exit", "long", "short", "data.", "signals", "params"},
	"quantity":   {"size.", "account", "cash", "overdraft", "limits.", "costs.volume_cap", "costs.commission"},
	"reference":  {"fills.", "entry", "exit", "long", "short"},
	"price":      {"fills.", "costs.slippage"},
	"commission": {"costs.commission", "costs.regulatory"},
	"rule":       {"fills.", "entry", "exit", "long", "short"},
	"reason":     {"exit", "fills.", "long", "short"},
	"symbol":     {"universe", "entry", "size.", "limits."},
	"side":       {"long", "short", "entry", "account"},
}

// distance is 0 for settings that show in such a difference, 1 for others.
func distance(path string, in []string) int {
	for _, part := range in {
		for _, prefix := range shows[part] {
			if strings.HasPrefix(path, prefix) {
				return 0
			}
		}
	}
	return 1
}

// settingsOf is the Config of a result as a JSON document, without what changes no fill.
func settingsOf(r *backtest.Result) (map[string]any, error) {
	if r.Config == nil {
		return map[string]any{}, nil
	}
	data, err := json.Marshal(r.Config)
	if err != nil {
		return nil, fmt.Errorf("read the settings of %s: %w", r.Strategy, err)
	}
	var doc map[string]any
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("read the settings of %s: %w", r.Strategy, err)
	}
	for _, key := range []string{"name", "notes", "profile", "benchmark", "search", "validate", "require", "constraint"} {
		delete(doc, key)
	}
	return doc, nil
}

// changed appends the leaves in which two documents differ, in the order of their paths.
func changed(dst []Changed, path string, a, b any) []Changed {
	one, ok := a.(map[string]any)
	other, also := b.(map[string]any)
	if !ok || !also {
		if !reflect.DeepEqual(a, b) {
			dst = append(dst, Changed{Path: path, A: worded(a), B: worded(b), a: a, b: b})
		}
		return dst
	}
	keys := slices.Sorted(maps.Keys(one))
	for key := range other {
		if _, ok := one[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		dst = changed(dst, strings.TrimPrefix(path+"."+key, "."), one[key], other[key])
	}
	return dst
}

func worded(x any) string {
	switch x := x.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	data, err := json.Marshal(x)
	if err != nil {
		return fmt.Sprint(x)
	}
	return string(data)
}

// Prove runs A again on src with one setting at a time as B has it, and finds which of them makes the fill that
// of B. Where none does alone, it takes them together and leaves out, one by one, those that are not needed. It
// refuses data that is not that of A any more. Cost: as many runs as settings differ, twice that where several
// are needed.
func (d *Difference) Prove(ctx context.Context, a, b *backtest.Result, src bar.Source) error {
	p := &pairing{ctx: ctx, a: a, b: b, src: src, at: d.At}
	again, err := backtest.RunWith(ctx, a.Config, src, backtest.Options{Single: true})
	if err != nil {
		return fmt.Errorf("run %s again: %w", a.Strategy, err)
	}
	if again.FillsSHA256 != a.FillsSHA256 {
		return fmt.Errorf("run %s again: %w: run it anew and compare that", a.Strategy, ErrOther)
	}
	d.Proved = true
	for _, s := range d.Settings {
		if p.agrees([]Changed{s}) {
			d.Behind = append(d.Behind, s.Path)
			return ctx.Err()
		}
	}
	needed := slices.Clone(d.Settings)
	if len(needed) < 2 || !p.agrees(needed) {
		return ctx.Err()
	}
	for i := len(needed) - 1; i >= 0; i-- {
		if fewer := slices.Delete(slices.Clone(needed), i, i+1); p.agrees(fewer) {
			needed = fewer
		}
	}
	for _, s := range needed {
		d.Behind = append(d.Behind, s.Path)
	}
	return ctx.Err()
}

// pairing runs A with settings of B.
type pairing struct {
	ctx  context.Context
	a, b *backtest.Result
	src  bar.Source
	at   int
}

// agrees reports whether A, with some settings as B has them, has B's fills up to and with the one that differed.
func (p *pairing) agrees(with []Changed) bool {
	doc, err := settingsOf(p.a)
	if err != nil {
		return false
	}
	doc["name"] = p.a.Config.Name
	for _, s := range with {
		graft(doc, strings.Split(s.Path, "."), s.b)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return false
	}
	cfg, wrong := strategy.Parse("", data)
	if len(wrong) > 0 {
		return false
	}
	for _, of := range []*backtest.Config{p.b.Config, p.a.Config} {
		for _, name := range of.Files() {
			if data, ok := of.Attached(name); ok {
				cfg.Attach(name, data)
			}
		}
	}
	r, err := backtest.RunWith(p.ctx, cfg, p.src, backtest.Options{Single: true})
	if err != nil {
		return false
	}
	upTo := p.at + 1
	if upTo > len(p.b.Fills) { // B has no fill there: neither may this run
		return len(r.Fills) == len(p.b.Fills)
	}
	for i := range upTo {
		if i >= len(r.Fills) || len(unlike(&r.Fills[i], &p.b.Fills[i])) > 0 {
			return false
		}
	}
	return true
}

// graft puts a value at a path, nil to remove what is there.
func graft(doc map[string]any, path []string, value any) {
	for _, key := range path[:len(path)-1] {
		next, ok := doc[key].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[key] = next
		}
		doc = next
	}
	if last := path[len(path)-1]; value == nil {
		delete(doc, last)
	} else {
		doc[last] = value
	}
}
