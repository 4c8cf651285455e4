package indicator

import (
	"math"
	"testing"
)

// TestElementary compares the functions that are the same on every architecture with package math.
func TestElementary(t *testing.T) {
	for i := -4000; i <= 4000; i++ {
		v := float64(i) / 37
		check := func(name string, got, want, tolerance float64) {
			if !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) && !(math.IsNaN(got) && math.IsNaN(want)) {
				t.Fatalf("%s(%v) = %v, want %v", name, v, got, want)
			}
		}
		if v != 0 {
			check("ln", ln(v), math.Log(v), 4e-16)
		}
		check("ln", ln(math.Exp(v/2)), v/2, 8e-16)
		if e := math.Exp(v); math.Abs(exp(v)-e) > 4e-16*e {
			t.Fatalf("exp(%v) = %v, want %v", v, exp(v), e)
		}
		check("atan", atan(v), math.Atan(v)*180/math.Pi, 1e-15)
		check("atan", atan(1/v), math.Atan(1/v)*180/math.Pi, 1e-15)
		check("sine", sine(v*5), math.Sin(v*5*math.Pi/180), 1e-13) // the reference rounds its argument
	}
	for _, v := range []float64{0, -1, math.Inf(1), math.NaN()} {
		if !math.IsNaN(ln(v)) {
			t.Errorf("ln(%v) = %v", v, ln(v))
		}
	}
	for degrees, want := range map[float64]float64{0: 0, 90: 1, 180: 0, 270: -1, 450: 1, -90: -1} {
		if got := sine(degrees); math.Abs(got-want) > 3e-16 {
			t.Errorf("sine(%v) = %v, want %v", degrees, got, want)
		}
	}
	if ln(1) != 0 || exp(0) != 1 || exp(-1000) != 0 || atan(0) != 0 || atan(1) != 45 {
		t.Errorf("ln 1 = %v, e^0 = %v, e^-1000 = %v, atan 0 = %v, atan 1 = %v", ln(1), exp(0), exp(-1000), atan(0), atan(1))
	}
}
