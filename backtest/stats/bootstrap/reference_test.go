package bootstrap_test

import (
	"math"
	"testing"

	"backtester/backtest/stats/bootstrap"
)

func near(t testing.TB, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) && !(math.Abs(got-want) < 1e-300) {
		t.Errorf("%s = %.15g, want %.15g", what, got, want)
	}
}

// lattice and smooth make columns without random numbers, as testdata/reference.py does.
func lattice(n, a, b, c int) []float64 {
	x := make([]float64, n)
	for t := range x {
		x[t] = float64((a*t*t+b*t+c)%101-50)/5000 + .0005
	}
	return x
}

func smooth(x []float64, rho float64) []float64 {
	y := append([]float64{}, x...)
	for t := 1; t < len(y); t++ {
		y[t] = rho*y[t-1] + x[t]
	}
	return y
}

func columns() (a, b, mix []float64) {
	a, b = smooth(lattice(500, 7, 31, 3), .3), smooth(lattice(500, 11, 17, 5), -.2)
	mix = make([]float64, len(a))
	for t := range a {
		mix[t] = .6*a[t] + .4*b[t]
	}
	return a, b, mix
}

// twister is the generator of numpy.random.RandomState: MT19937, and normal numbers by the polar
// method. It exists to repeat a published example.
type twister struct {
	state [624]uint32
	at    int
	spare float64
	has   bool
}

func newTwister(seed uint32) *twister {
	m := &twister{at: 624}
	for i := range m.state {
		m.state[i] = seed
		seed = 1812433253*(seed^seed>>30) + uint32(i) + 1
	}
	return m
}

func (m *twister) word() uint32 {
	if m.at == 624 {
		for i := range m.state {
			y := m.state[i]&0x80000000 | m.state[(i+1)%624]&0x7fffffff
			m.state[i] = m.state[(i+397)%624] ^ y>>1 ^ (y&1)*0x9908b0df
		}
		m.at = 0
	}
	y := m.state[m.at]
	m.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (m *twister) uniform() float64 {
	a, b := m.word()>>5, m.word()>>6
	return (float64(a)*67108864 + float64(b)) / 9007199254740992
}

func (m *twister) normal() float64 {
	if m.has {
		m.has = false
		return m.spare
	}
	for {
		x, y := 2*m.uniform()-1, 2*m.uniform()-1
		r := x*x + y*y
		if r < 1 && r != 0 {
			f := math.Sqrt(-2 * math.Log(r) / r)
			m.spare, m.has = f*x, true
			return f * y
		}
	}
}

// The example pinned by the tests of arch (github.com/bashtage/arch): 10,000 values after 100 of a
// first-order autoregression.
func TestBlockLengthOfArch(t *testing.T) {
	m := newTwister(0)
	y := make([]float64, 10100)
	for i := range y {
		y[i] = m.normal()
		if i > 0 {
			y[i] += .3 * y[i-1]
		}
	}
	if first := y[0]; math.Abs(first-1.764052345967664) > 1e-15 { // numpy.random.RandomState(0).standard_normal()
		t.Fatalf("the first number is %.16g: the generator is not NumPy's", first)
	}
	stationary, circular := bootstrap.BlockLength(y[100:])
	near(t, "stationary", stationary, 13.635665, 1e-7)
	near(t, "circular", circular, 15.60894, 1e-6)
}

// The figures of testdata/reference.py.
func TestReference(t *testing.T) {
	a, b, mix := columns()
	s, c := bootstrap.BlockLength(a)
	near(t, "stationary block", s, 2.7956926866279543, 1e-9)
	near(t, "circular block", c, 3.200269236185208, 1e-9)
	if got := bootstrap.Block(a); math.Abs(got-22.973536386532516) > 1e-9 {
		t.Errorf("block for drawdowns is %g, want that of the absolute returns, 22.97", got)
	}
	for block, want := range map[float64]float64{1: 3.5709782665323366e-05, 5: 4.11593989899576e-05, 20: 1.9324293817816804e-05} {
		near(t, "variance", bootstrap.Variance(a, block), want, 1e-9)
	}
	for _, c := range []struct {
		y                 []float64
		delta, se, memmel float64
	}{
		{b, 0.31881836400196517, 0.05276066832512604, 0.06023133353527667},
		{mix, 0.07424163450226179, 0.018918348886226715, 0.02580876100081969},
	} {
		d := bootstrap.CompareSharpe(a, c.y, 500, 5, 1)
		near(t, "difference", d.Delta, c.delta, 1e-9)
		near(t, "its standard error", d.SE, c.se, 1e-9)
		near(t, "Memmel's", d.MemmelSE, c.memmel, 1e-9)
	}
}
