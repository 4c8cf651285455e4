package editor_test

import (
	"testing"

	"backtester/backtest/strategy/editor"
)

func BenchmarkComplete(b *testing.B) {
	text := shipped(b)["all"] + "short: {entry: close < s"
	b.ReportAllocs()
	for range b.N {
		if len(editor.Complete(text, 16, 25).Items) < 20 {
			b.Fatal("nothing offered")
		}
	}
}
