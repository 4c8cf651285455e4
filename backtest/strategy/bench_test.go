package strategy_test

import (
	"testing"

	"backtester/backtest/strategy"
)

// BenchmarkParse reads, checks and compiles the example of the documentation.
func BenchmarkParse(b *testing.B) {
	data := []byte(read(b, "testdata/design.yaml"))
	b.ReportAllocs()
	for b.Loop() {
		if _, wrong := strategy.Parse("design.yaml", data); len(wrong) > 0 {
			b.Fatal(wrong)
		}
	}
}
