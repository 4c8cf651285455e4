package indicator_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"backtester/backtest/indicator"
)

// random is Knuth's MMIX generator; its upper bits as a fraction.
type random uint64

func (r *random) next() float64 {
	*r = *r*6364136223846793005 + 1442695040888963407
	return float64(*r>>11) * 0x1p-53
}

func (r *random) pick(values []float64) float64 { return values[int(r.next()*float64(len(values)))] }

// candleBars are the bars that .ci/oracles/candles.py makes, step by step: bodies, shadows and opens of
// all kinds, runs of one color, small bars after large ones.
func candleBars(bars int) [][]float64 {
	r := random(6)
	in := make([][]float64, 4)
	add := func(o, h, l, c float64) {
		for k, v := range []float64{o, h, l, c} {
			in[k] = append(in[k], v)
		}
	}
	o, c, h, l, color := 100.0, 101.0, 101.5, 99.5, 1.0
	var queue [][2]float64
	for range bars {
		if len(queue) == 0 && r.next() < 0.004 {
			for _, q := range [][2]float64{{0, 3}, {3.5, 3.2}, {3.1, 2.9}, {2.9, 2.6}, {2.8, 4.5}} {
				a := c + q[0] + float64(0.1*r.next())
				queue = append(queue, [2]float64{a, c + q[1] + float64(0.1*r.next())})
			}
		}
		if len(queue) > 0 {
			o, c, queue = queue[0][0], queue[0][1], queue[1:]
			h = max(o, c) + float64(0.05*r.next())
			l = min(o, c) - float64(0.05*r.next())
			add(o, h, l, c)
			continue
		}
		if r.next() < 0.4 {
			color = -color
		}
		size := r.pick([]float64{0, 0.02, 0.1, 0.3, 0.5, 1, 1.5, 2.5})
		size *= 0.9 + float64(0.2*r.next())
		up := r.pick([]float64{0, 0, 0.01, 0.2, 1, 3})
		up = float64(up * r.next())
		down := r.pick([]float64{0, 0, 0.01, 0.2, 1, 3})
		down = float64(down * r.next())
		place := int(r.next() * 9)
		top, floor, part, x := max(o, c), min(o, c), r.next(), 0.0
		switch place {
		case 0:
			x = c
		case 1:
			x = c + float64(0.02*(part-0.5))
		case 2:
			x = o + float64(0.02*(part-0.5))
		case 3, 4:
			x = floor + float64(part*(top-floor))
		case 5:
			x = top + float64(0.3*part)
		case 6:
			x = floor - float64(0.3*part)
		case 7:
			x = h + float64(0.5*part)
		default:
			x = l - float64(0.5*part)
		}
		if place != 0 {
			x += float64(0.002 * (100 - x))
		}
		y := o
		if r.next() >= 0.1 {
			y = x + float64(color*size)
		}
		o, c = x, y
		h, l = max(o, c)+up, min(o, c)-down
		add(o, h, l, c)
	}
	return in
}

// TestCandles compares every candlestick pattern with TA-Lib on 120,000 bars: all bars up to the 150th
// on which the pattern shows.
func TestCandles(t *testing.T) {
	b, err := os.ReadFile("testdata/candles.json")
	if err != nil {
		t.Fatal(err)
	}
	var oracle []struct {
		Function string
		Until    int
		Hits     [][2]int
	}
	if err := json.Unmarshal(b, &oracle); err != nil {
		t.Fatal(err)
	}
	in, checked := candleBars(120_000), map[string]bool{}
	for _, q := range oracle {
		// TA-Lib's name is the row's without underscores.
		var s indicator.Spec
		for _, row := range indicator.Table() {
			if strings.ToUpper(strings.ReplaceAll(row.Name, "_", "")) == q.Function {
				s = row
			}
		}
		if s.Eval == nil {
			t.Errorf("%s is not in the table", q.Function)
			continue
		}
		checked[s.Name] = true
		want := make([]float64, q.Until)
		for _, h := range q.Hits {
			want[h[0]] = float64(h[1])
		}
		got := eval(s, cut(in, 0, q.Until), sets(s)[0])[0]
		faults := 0
		for i := s.Warmup(sets(s)[0]); i < q.Until; i++ {
			if got[i] != want[i] {
				if faults++; faults <= 2 {
					t.Errorf("%s: bar %d is %v, TA-Lib says %v", s.Name, i, got[i], want[i])
				}
			}
		}
		if faults > 0 || len(q.Hits) < 3 {
			t.Errorf("%s: %d faults among %d bars, %d of them hits", s.Name, faults, q.Until, len(q.Hits))
		}
	}
	for _, s := range indicator.Table() {
		if s.Family == indicator.Pattern && !checked[s.Name] {
			t.Errorf("%s: no oracle", s.Name)
		}
	}
}
