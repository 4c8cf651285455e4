package strategy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

func effective(f *strategy.File) map[string]strategy.Setting {
	out := map[string]strategy.Setting{}
	for _, s := range f.Effective() {
		out[s.Path] = s
	}
	return out
}

// TestProfilesAreDefaults: every setting of every profile is in force where the file says nothing, says
// where it comes from, and gives way to the file and to the command line.
func TestProfilesAreDefaults(t *testing.T) {
	plain := effective(parse(t, "name: x\nentry: close > 5\n"))
	for _, p := range strategy.Profiles() {
		f := parse(t, "name: x\nprofile: "+p.Name+"\nentry: close > 5\n")
		got := effective(f)
		from := 0
		for path, s := range got {
			if s.Origin == "profile "+p.Name {
				from++
				if !s.Default {
					t.Errorf("%s: %s is told as if somebody had set it", p.Name, path)
				}
			} else if s.Value != plain[path].Value && path != "profile" {
				t.Errorf("%s: %s changed from %q to %q, from %s", p.Name, path, plain[path].Value, s.Value, s.Origin)
			}
		}
		for _, set := range p.Settings {
			if set.Path == "entry.tif" && !p.Standing {
				continue // of entries that have a price
			}
			s, ok := got[set.Path]
			if !ok { // a section
				if !slices.ContainsFunc(f.Effective(), func(s strategy.Setting) bool {
					return strings.HasPrefix(s.Path, set.Path+".") && s.Origin == "profile "+p.Name
				}) {
					t.Errorf("%s: nothing below %s comes from the profile", p.Name, set.Path)
				}
				continue
			}
			if s.Value != set.Value || s.Origin != "profile "+p.Name {
				t.Errorf("%s: %s is %q from %s, want %q", p.Name, set.Path, s.Value, s.Origin, set.Value)
			}
		}
		known := strings.Contains(p.Basis, "compared with it trade by trade")
		if unseen := p.Name == "lean" || p.Name == "tradingview"; unseen {
			known = p.Basis == "from documentation, not compared"
		}
		if from < len(p.Settings)-1 || len(p.Notes) < 4 || p.Tool == "" || !known {
			t.Errorf("%s: %d settings from the profile: %+v", p.Name, from, p)
		}
		notes := f.ProfileNotes()
		if len(notes) != len(p.Notes)+1 || !strings.Contains(notes[0], p.Tool) || !strings.Contains(notes[0], p.Basis) {
			t.Errorf("%s: %q", p.Name, notes)
		}
		b, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		again, wrong := strategy.Parse("x.json", b)
		if len(wrong) > 0 || !again.Equal(f) {
			t.Errorf("%s: read again: %v\n%s", p.Name, wrong, b)
		}
		if err := f.Set("profile", ""); err != nil || !f.Equal(parse(t, "name: x\nentry: close > 5\n")) {
			t.Errorf("%s: taken away again: %v", p.Name, err)
		}
	}
	if names := strategy.Profiles(); len(names) != 6 || !slices.IsSortedFunc(names, func(a, b strategy.Profile) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("profiles are not sorted or not six")
	}
	if parse(t, "entry: close > 5\n").ProfileNotes() != nil {
		t.Error("notes without a profile")
	}
}

// TestProfilesOfRestingOrders: a profile says how long orders rest that have a price, on either side, and zipline
// also of market orders.
func TestProfilesOfRestingOrders(t *testing.T) {
	for _, c := range []struct{ text, path, value, origin string }{
		{"profile: backtrader\nentry: {when: close > 5, order: limit, price: close}", "entry.tif", "gtc", "profile backtrader"},
		{"profile: backtrader\nentry: {when: close > 5, order: limit, price: close, tif: day}", "entry.tif", "day", "x.yaml:2"},
		{"profile: backtrader\nentry: {when: close > 5}", "entry.tif", "day", "default"},
		{"profile: backtrader\nentry: close > 5", "entry.tif", "day", "default"},
		{"profile: zipline\nentry: close > 5", "entry.tif", "gtc", "profile zipline"},
		{"profile: tradingview\naccount: regt\nlong: {entry: {when: close > 5, order: stop, price: high}}\nshort: {entry: close < 4}", "long.entry.tif", "gtc", "profile tradingview"},
		{"profile: tradingview\naccount: regt\nlong: {entry: {when: close > 5, order: stop, price: high}}\nshort: {entry: close < 4}", "short.entry.tif", "day", "default"},
		{"profile: lean\nlong: {entry: close > 5}\nshort: {entry: {when: close < 4, order: stop, price: low}}", "short.entry.tif", "gtc", "profile lean"},
	} {
		f, wrong := strategy.Parse("x.yaml", []byte(c.text+"\n"))
		if len(wrong) > 0 {
			t.Fatalf("%s: %v", c.text, wrong)
		}
		got := effective(f)
		s, ok := got[c.path]
		if !ok {
			s = got[strings.TrimPrefix(c.path, "long.")]
		}
		if s.Value != c.value || s.Origin != c.origin {
			t.Errorf("%s: %s is %q from %s, want %q from %s", c.text, c.path, s.Value, s.Origin, c.value, c.origin)
		}
	}
}

func TestWhatBeatsAProfile(t *testing.T) {
	for _, c := range []struct {
		text, path, value, origin string
	}{
		{"fills: {market: next_open}", "fills.market", "next_open", "x.yaml:3"},
		{"fills: {ambiguity: best}", "fills.market", "next_close", "profile zipline"},
		{"costs: none", "costs.commission.per_share", "", "x.yaml:3"},
		{"costs: {commission: none}", "costs.slippage.bps", "5", "profile zipline"},
		{"costs: {commission: {bps: 3}}", "costs.commission.per_share", "", "default"},
		{"costs: {volume_cap: 0.2}", "costs.volume_cap.bar", "0.2", "x.yaml:3"},
		{"costs: {volume_cap: 0.2}", "costs.volume_cap.open", "", "default"},
		{"dividends: ex_date", "dividends", "ex_date", "x.yaml:3"},
		{"{}", "dividends", "pay_date", "profile zipline"},
	} {
		text := "profile: zipline\nentry: close > 5\n" + strings.TrimPrefix(c.text, "{}") + "\n"
		f, wrong := strategy.Parse("x.yaml", []byte(text))
		if len(wrong) > 0 {
			t.Fatal(wrong)
		}
		if got := effective(f)[c.path]; got.Value != c.value || got.Origin != c.origin {
			t.Errorf("%s: %s is %q from %s, want %q from %s", c.text, c.path, got.Value, got.Origin, c.value, c.origin)
		}
	}
	f := parse(t, "name: x\nentry: close > 5\nsize: {lot: 100}\n")
	if err := f.SetAll([]strategy.Override{{Path: "profile", Value: "vectorbt"}, {Path: "fills.end", Value: "close"}}); err != nil {
		t.Fatal(err)
	}
	got := effective(f)
	if got["fills.market"].Value != "this_close" || got["fills.end"].Value != "close" || got["fills.end"].Origin != "--set fills.end=close" ||
		got["size.fractional"].Value != "false" || got["profile"].Origin != "--set profile=vectorbt" {
		t.Errorf("%+v", got)
	}
	byHand := parse(t, "name: x\nentry: close > 5\n")
	byHand.Profile = "quantopian"
	if _, wrong := byHand.Compile(); byHand.ProfileNotes() != nil || len(wrong) != 0 {
		// What was read once is compiled as it was read; a file of another kind is checked when it is encoded.
		t.Errorf("an unknown profile by hand: %v %v", byHand.ProfileNotes(), wrong)
	}
}

// What a profile turns on and a file turns off stays off in the canonical form.
func TestTurnedOffReadsBack(t *testing.T) {
	tried := 0
	for _, p := range strategy.Profiles() {
		for _, s := range p.Settings {
			if s.Value != "true" {
				continue
			}
			f := parse(t, "profile: "+p.Name+"\nentry: close > 5\n")
			if err := f.SetAll([]strategy.Override{{Path: s.Path, Value: "false"}}); err != nil {
				t.Errorf("%s: %v", p.Name, err)
				continue
			}
			b, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			if again := parse(t, string(b)); !again.Equal(f) {
				t.Errorf("%s: %s turned off is on again after\n%s", p.Name, s.Path, b)
			}
			tried++
		}
	}
	if tried < 5 {
		t.Errorf("only %d settings", tried)
	}
}
