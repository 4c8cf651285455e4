package demo

// random is the splitmix64 generator (Steele, Lea, Flood 2014): eight bytes of state, the same
// numbers on every platform and in every version of Go.
type random uint64

// seeded gives every name a sequence of its own (FNV-1a of the name).
func seeded(name string) random {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return random(h)
}

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// uniform is in [0, 1). Scaling by a power of two is exact: fusing it into a sum changes no bit.
func (r *random) uniform() float64 { return float64(r.next()>>11) / (1 << 53) }

// normal has mean 0 and variance 1: twelve uniforms summed, so that neither a logarithm nor an
// exponential enters, whose last bits differ between platforms. It never exceeds 6.
func (r *random) normal() float64 {
	sum := -6.0
	for range 3 { // four 16-bit uniforms from one draw
		x := r.next()
		for range 4 {
			sum += (float64(x&0xffff) + 0.5) / 65536
			x >>= 16
		}
	}
	return sum
}

// cents rounds a price to whole cents, at least one.
func cents(x float64) float64 {
	c := float64(int64(float64(x*100) + 0.5))
	return max(c, 1) / 100
}
