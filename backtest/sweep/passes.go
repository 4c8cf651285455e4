package sweep

// passes finds the first row whose low reaches down to a stop or whose high reaches up to a target, leaping
// over blocks of rows that do neither.
type passes struct {
	low, high []float64
	lows      [2][]float64 // lowest of each block of 64 rows, and of each 64 of these
	highs     [2][]float64
}

func newPasses(low, high []float64) passes {
	p := passes{low: low, high: high}
	below, above := low, high
	for k := range p.lows {
		for from := 0; from < len(below); from += 64 {
			lo, hi := below[from], above[from]
			for i := from + 1; i < min(from+64, len(below)); i++ {
				lo, hi = min(lo, below[i]), max(hi, above[i])
			}
			p.lows[k], p.highs[k] = append(p.lows[k], lo), append(p.highs[k], hi)
		}
		below, above = p.lows[k], p.highs[k]
	}
	return p
}

// first is the first row in [from, to) with low <= stop or high >= target, to when there is none. NaN is no
// level.
func (p *passes) first(from, to int, stop, target float64) int {
	for i := from; i < to; {
		if i&63 == 0 {
			if i&4095 == 0 && i+4096 <= to && !(p.lows[1][i>>12] <= stop || p.highs[1][i>>12] >= target) {
				i += 4096
				continue
			}
			if i+64 <= to && !(p.lows[0][i>>6] <= stop || p.highs[0][i>>6] >= target) {
				i += 64
				continue
			}
		}
		if p.low[i] <= stop || p.high[i] >= target {
			return i
		}
		i++
	}
	return to
}
