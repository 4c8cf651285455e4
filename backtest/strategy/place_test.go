package strategy_test

import (
	"strings"
	"testing"

	"backtester/backtest/strategy"
)

func TestPlace(t *testing.T) {
	f := parse(t, `
entry: {when: "close  > 5 and\thigh > 6"}
exit:
  when: >
    close < 5
    and low < 4
signals: {a: close > 1}
`)
	find := func(path, value, word string) (strategy.Position, int) {
		return f.Place(path, strings.Index(value, word), len(word))
	}
	for _, c := range []struct {
		path, value, word   string
		line, column, width int
	}{
		{"entry.when", "close  > 5 and\thigh > 6", "close", 2, 16, 5},
		{"entry.when", "close  > 5 and\thigh > 6", "high > 6", 2, 32, 8},
		{"exit.when", "close < 5 and low < 4", "low", 6, 9, 3},
		{"exit.when", "close < 5 and low < 4", "5 and low", 5, 13, 1},
		{"signals.a", "close > 1", "1", 7, 22, 1},
		{"signals.b", "", "", 0, 0, 0},
	} {
		if pos, width := find(c.path, c.value, c.word); pos.Line != c.line || pos.Column != c.column || width != c.width {
			t.Errorf("%s %q: at %d:%d, %d wide, want %d:%d, %d", c.path, c.word, pos.Line, pos.Column, width, c.line, c.column, c.width)
		}
	}
	if err := f.Set("entry.when", "close > 7"); err != nil {
		t.Fatal(err)
	}
	if pos, _ := f.Place("entry.when", 0, 5); pos.Line != 0 || !strings.HasPrefix(pos.File, "--set") {
		t.Errorf("a value of the command line stands at %v", pos)
	}
	if pos, width := strategy.Default().Place("cash", 0, 1); pos.Line != 0 || width != 0 {
		t.Errorf("a file built by hand has a place: %v, %d", pos, width)
	}
}
