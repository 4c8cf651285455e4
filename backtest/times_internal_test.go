package backtest

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// appendStamp writes what package time writes.
func TestStampEqualsPackageTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64Range(-9e18, 9e18).Draw(t, "ns")
		at := time.Unix(0, ns).UTC()
		if got, want := stamp(ns, false), at.Truncate(time.Second).Format(time.RFC3339); got != want && ns%1e9 == 0 {
			t.Fatalf("%d: %s, want %s", ns, got, want)
		}
		if got, want := stamp(ns-ns%1e9, false), time.Unix(0, ns-ns%1e9).UTC().Format(time.RFC3339); got != want {
			t.Fatalf("%d: %s, want %s", ns, got, want)
		}
		if got, want := stamp(ns, true), at.Format(time.DateOnly); got != want {
			t.Fatalf("%d: %s, want %s", ns, got, want)
		}
	})
}
