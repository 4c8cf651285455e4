package spell_test

import (
	"strings"
	"testing"

	"backtester/backtest/bar/spell"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"sma", "sma", 0}, {"sam", "sma", 1}, {"clsoe", "close", 1}, {"close", "closes", 1}, {"kitten", "sitting", 3},
		{"größe", "grösse", 2}, {strings.Repeat("a", 65), "a", spell.Most}, {strings.Repeat("a", 64), strings.Repeat("a", 64), 0},
	} {
		if got := spell.Distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q is %d, want %d", c.a, c.b, got, c.want)
		}
		if spell.Distance(c.a, c.b) != spell.Distance(c.b, c.a) {
			t.Errorf("%q and %q: the way back is not as far", c.a, c.b)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"cash", "data.from", "universe.symbols", "size.weight", "sma", "ema", "golden-cross", "AAPL", "T"}
	for _, c := range []struct{ typed, want string }{
		{"cahs", "cash"}, {"CASH", "cash"}, {"cas", "cash"}, {"univers.symbol", "universe.symbols"}, {"smaa", "sma"}, {"appl", "AAPL"}, {"gldncross", "golden-cross"}, {"wght", ""}, {"t", "T"},
		{"golden", "golden-cross"}, {"size.", "size.weight"}, {"golden-corss", "golden-cross"},
		{"fast", ""}, {"foo", ""}, {"nope", ""}, {"x", ""}, {"", ""}, {"go", ""}, {"size.wieghtings", ""}, {strings.Repeat("a", 100), ""},
	} {
		if got := spell.Nearest(c.typed, words); got != c.want {
			t.Errorf("%q is taken for %q, want %q", c.typed, got, c.want)
		}
	}
}
