package indicator

import "math"

// longPatterns are those of three candles and more.
func longPatterns() []pattern {
	return []pattern{
		{"2_crows", "Two Crows", "a long white body, a black one above it, a black one back into the first", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.white(2) && k.long(2) && k.black(1) && k.gapUp(1, 2) && k.black(0) && k.open(0) < k.open(1) && k.open(0) > k.close(1) && k.close(0) > k.open(2) && k.close(0) < k.close(2), -100)
		}},
		{"3_black_crows", "Three Black Crows", "after a white candle three black ones without lower shadow, each opening in the last body", 4, 0, func(k *candles, _ []float64) float64 {
			return says(k.white(3) && k.black(2) && k.tinyLower(2) && k.black(1) && k.tinyLower(1) && k.black(0) && k.tinyLower(0) &&
				between(k.open(1), k.open(2), k.close(2)) && between(k.open(0), k.open(1), k.close(1)) &&
				k.high(3) > k.close(2) && k.close(2) > k.close(1) && k.close(1) > k.close(0), -100)
		}},
		{"3_inside", "Three Inside Up/Down", "a harami, then a close beyond the first open", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(2) && k.notLong(1) && k.top(1) < k.top(2) && k.floor(1) > k.floor(2) &&
				(k.white(2) && k.black(0) && k.close(0) < k.open(2) || k.black(2) && k.white(0) && k.close(0) > k.open(2)), -k.verdict(2))
		}},
		{"3_line_strike", "Three-Line Strike", "three candles of one color in a row, then one of the other that takes all back", 4, 0, func(k *candles, _ []float64) float64 {
			near := func(j int) bool { return k.open(j) >= k.floor(j+1)-k.near(j+1) && k.open(j) <= k.top(j+1)+k.near(j+1) }
			s := k.color(1)
			return says(k.color(3) == k.color(2) && k.color(2) == s && k.color(0) == -s && near(2) && near(1) &&
				(s > 0 && k.close(1) > k.close(2) && k.close(2) > k.close(3) && k.open(0) > k.close(1) && k.close(0) < k.open(3) ||
					s < 0 && k.close(1) < k.close(2) && k.close(2) < k.close(3) && k.open(0) < k.close(1) && k.close(0) > k.open(3)), float64(100*s))
		}},
		{"3_outside", "Three Outside Up/Down", "an engulfing body, then a further close", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.white(1) && k.black(2) && k.close(1) > k.open(2) && k.open(1) < k.close(2) && k.close(0) > k.close(1) ||
				k.black(1) && k.white(2) && k.open(1) > k.close(2) && k.close(1) < k.open(2) && k.close(0) < k.close(1), k.verdict(1))
		}},
		{"3_stars_in_south", "Three Stars in the South", "three ever smaller black candles with ever higher lows", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(2) && k.black(1) && k.black(0) && k.long(2) && k.longLower(2) && k.body(1) < k.body(2) && k.open(1) > k.close(2) && k.open(1) <= k.high(2) &&
				k.low(1) < k.close(2) && k.low(1) >= k.low(2) && k.someLower(1) && k.short(0) && k.tinyLower(0) && k.tinyUpper(0) && k.low(0) > k.low(1) && k.high(0) < k.high(1), 100)
		}},
		{"3_white_soldiers", "Three Advancing White Soldiers", "three white candles without upper shadow, each opening in or near the last body, none much smaller", 3, 0, func(k *candles, _ []float64) float64 {
			return says(rise(k) && k.tinyUpper(2) && k.tinyUpper(1) && k.tinyUpper(0) && k.body(1) > k.body(2)-k.far(2) && k.body(0) > k.body(1)-k.far(1) && k.long(0), 100)
		}},
		{"advance_block", "Advance Block", "three rising white candles that weaken", 3, 0, func(k *candles, _ []float64) float64 {
			a, b, c := k.body(2), k.body(1), k.body(0)
			weak := b < a-k.far(2) && c < b+k.near(1) || c < b-k.far(1) ||
				c < b && b < a && (k.upper(0) > k.tail[k.i]/2 || k.upper(1) > k.tail[k.i-1]/2) || c < b && k.longUpper(0)
			return says(rise(k) && k.long(2) && k.shortUpper(2) && weak, -100)
		}},
		{"stalled_pattern", "Stalled Pattern", "two long rising white candles, then a short one at their top", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.white(2) && k.white(1) && k.white(0) && k.close(0) > k.close(1) && k.close(1) > k.close(2) && k.long(2) && k.long(1) && k.tinyUpper(1) &&
				k.open(1) > k.open(2) && k.open(1) <= k.close(2)+k.near(2) && k.short(0) && k.open(0) >= k.close(1)-k.body(0)-k.near(1), -100)
		}},
		{"abandoned_baby", "Abandoned Baby", "a long body, a doji beyond a gap, a body back into the first beyond another gap", 3, 0.3, func(k *candles, p []float64) float64 {
			return says(k.long(2) && k.doji(1) && k.long(0) &&
				(k.white(2) && k.black(0) && k.close(0) < k.close(2)-float64(k.body(2)*p[0]) && k.clearUp(1, 2) && k.clearDown(0, 1) ||
					k.black(2) && k.white(0) && k.close(0) > k.close(2)+float64(k.body(2)*p[0]) && k.clearDown(1, 2) && k.clearUp(0, 1)), k.verdict(0))
		}},
		{"evening_star", "Evening Star", "a long white body, a short one above it, a black one back into the first", 3, 0.3, func(k *candles, p []float64) float64 {
			return says(k.white(2) && k.notLong(1) && star(k, p), -100)
		}},
		{"evening_doji_star", "Evening Doji Star", "a long white body, a doji above it, a black one back into the first", 3, 0.3, func(k *candles, p []float64) float64 {
			return says(k.white(2) && k.doji(1) && star(k, p), -100)
		}},
		{"morning_star", "Morning Star", "a long black body, a short one below it, a white one back into the first", 3, 0.3, func(k *candles, p []float64) float64 {
			return says(k.black(2) && k.notLong(1) && star(k, p), 100)
		}},
		{"morning_doji_star", "Morning Doji Star", "a long black body, a doji below it, a white one back into the first", 3, 0.3, func(k *candles, p []float64) float64 {
			return says(k.black(2) && k.doji(1) && star(k, p), 100)
		}},
		{"gap_side_side_white", "Up/Down-Gap Side-by-Side White Lines", "after a gap two white candles of like size that open alike", 3, 0, func(k *candles, _ []float64) float64 {
			up, down := k.gapUp(1, 2) && k.gapUp(0, 2), k.gapDown(1, 2) && k.gapDown(0, 2)
			alike := k.white(1) && k.white(0) && math.Abs(k.body(0)-k.body(1)) <= k.near(1) && k.same(k.open(0), k.open(1), 1)
			return says(up && alike, 100) + says(down && alike, -100)
		}},
		{"hikkake", "Hikkake Pattern", "an inside bar and a break that fails: 100 for the break down, 200 once a close within three bars confirms", 6, 0, func(k *candles, _ []float64) float64 {
			return hikkake(k, func(k *candles) float64 {
				return says(k.high(1) < k.high(2) && k.low(1) > k.low(2), broken(k))
			})
		}},
		{"hikkake_mod", "Modified Hikkake Pattern", "hikkake with two inside bars and a first close near the extreme", 7, 0, func(k *candles, _ []float64) float64 {
			return hikkake(k, func(k *candles) float64 {
				b := broken(k)
				near := b > 0 && k.close(2) <= k.low(2)+k.near(2) || b < 0 && k.close(2) >= k.high(2)-k.near(2)
				return says(near && k.high(2) < k.high(3) && k.low(2) > k.low(3) && k.high(1) < k.high(2) && k.low(1) > k.low(2), b)
			})
		}},
		{"identical_3_crows", "Identical Three Crows", "three black candles without lower shadow, each opening where the last closed", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(2) && k.tinyLower(2) && k.black(1) && k.tinyLower(1) && k.black(0) && k.tinyLower(0) && k.close(2) > k.close(1) && k.close(1) > k.close(0) &&
				k.same(k.open(1), k.close(2), 2) && k.same(k.open(0), k.close(1), 1), -100)
		}},
		{"stick_sandwich", "Stick Sandwich", "a white candle between two black ones that close alike", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(2) && k.white(1) && k.black(0) && k.low(1) > k.close(2) && k.same(k.close(0), k.close(2), 2), 100)
		}},
		{"tasuki_gap", "Tasuki Gap", "a candle beyond a gap, then one of the other color and like size back into the gap", 3, 0, func(k *candles, _ []float64) float64 {
			like := math.Abs(k.body(1)-k.body(0)) < k.near(1)
			return says(like && k.gapUp(1, 2) && k.white(1) && k.black(0) && k.open(0) < k.close(1) && k.open(0) > k.open(1) && k.close(0) < k.open(1) && k.close(0) > k.top(2) ||
				like && k.gapDown(1, 2) && k.black(1) && k.white(0) && k.open(0) < k.open(1) && k.open(0) > k.close(1) && k.close(0) > k.open(1) && k.close(0) < k.floor(2), k.verdict(1))
		}},
		{"tristar", "Tristar Pattern", "three dojis, the middle one beyond", 3, 0, func(k *candles, _ []float64) float64 {
			small := float64(0.1 * k.hl10[k.i-2])
			if k.body(2) > small || k.body(1) > small || k.body(0) > small {
				return 0
			}
			return says(k.gapUp(1, 2) && k.top(0) < k.top(1), -100) + says(k.gapDown(1, 2) && k.floor(0) > k.floor(1), 100)
		}},
		{"unique_3_river", "Unique Three River", "a long black body, a black one within it to a new low, a short white one", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(2) && k.black(2) && k.black(1) && k.close(1) > k.close(2) && k.open(1) <= k.open(2) && k.low(1) < k.low(2) && k.short(0) && k.white(0) && k.open(0) > k.low(1), 100)
		}},
		{"upside_gap_2_crows", "Upside Gap Two Crows", "a long white body, a short black one above it, a black one around that", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.white(2) && k.long(2) && k.black(1) && k.notLong(1) && k.gapUp(1, 2) && k.black(0) && k.open(0) > k.open(1) && k.close(0) < k.close(1) && k.close(0) > k.close(2), -100)
		}},
		{"xside_gap_3_methods", "Upside/Downside Gap Three Methods", "two candles of one color with a gap, then one of the other from the second into the first", 3, 0, func(k *candles, _ []float64) float64 {
			return says(k.color(2) == k.color(1) && k.color(1) == -k.color(0) && between(k.open(0), k.open(1), k.close(1)) && between(k.close(0), k.open(2), k.close(2)) &&
				(k.white(2) && k.gapUp(1, 2) || k.black(2) && k.gapDown(1, 2)), k.verdict(2))
		}},
		{"conceal_baby_swall", "Concealing Baby Swallow", "two black candles without shadows, a black one below with an upper shadow, a black one around that", 4, 0, func(k *candles, _ []float64) float64 {
			bare := func(j int) bool { return k.black(j) && k.tinyLower(j) && k.tinyUpper(j) }
			return says(bare(3) && bare(2) && k.black(1) && k.black(0) && k.gapDown(1, 2) && k.someUpper(1) && k.high(1) > k.close(2) && k.high(0) > k.high(1) && k.low(0) < k.low(1), 100)
		}},
		{"breakaway", "Breakaway", "a long body, a gap, two further candles, then one of the other color back into the gap", 5, 0, func(k *candles, _ []float64) float64 {
			s := k.color(4)
			down := k.gapDown(3, 4) && k.high(2) < k.high(3) && k.low(2) < k.low(3) && k.high(1) < k.high(2) && k.low(1) < k.low(2) && k.close(0) > k.open(3) && k.close(0) < k.close(4)
			up := k.gapUp(3, 4) && k.high(2) > k.high(3) && k.low(2) > k.low(3) && k.high(1) > k.high(2) && k.low(1) > k.low(2) && k.close(0) < k.open(3) && k.close(0) > k.close(4)
			return says(k.long(4) && k.color(3) == s && k.color(1) == s && k.color(0) == -s && (s < 0 && down || s > 0 && up), k.verdict(0))
		}},
		{"ladder_bottom", "Ladder Bottom", "three falling black candles, a black one with an upper shadow, a white one above its high", 5, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(4) && k.black(3) && k.black(2) && k.open(4) > k.open(3) && k.open(3) > k.open(2) && k.close(4) > k.close(3) && k.close(3) > k.close(2) &&
				k.black(1) && k.someUpper(1) && k.white(0) && k.open(0) > k.open(1) && k.close(0) > k.high(1), 100)
		}},
		{"mat_hold", "Mat Hold", "a long white body, three short falling ones that stay in it after a gap up, a white one above all", 5, 0.5, func(k *candles, p []float64) float64 {
			hold := k.close(4) - float64(k.body(4)*p[0])
			return says(k.long(4) && k.short(3) && k.short(2) && k.short(1) && k.white(4) && k.black(3) && k.white(0) && k.gapUp(3, 4) &&
				k.floor(2) < k.close(4) && k.floor(1) < k.close(4) && k.floor(2) > hold && k.floor(1) > hold && k.top(2) < k.open(3) && k.top(1) < k.top(2) &&
				k.open(0) > k.close(1) && k.close(0) > max(k.high(3), k.high(2), k.high(1)), 100)
		}},
		{"rise_fall_3_methods", "Rising/Falling Three Methods", "a long body, three short ones against it within its range, a long one onwards", 5, 0, func(k *candles, _ []float64) float64 {
			s := k.color(4)
			held := func(j int) bool { return k.floor(j) < k.high(4) && k.top(j) > k.low(4) }
			return says(k.long(4) && k.short(3) && k.short(2) && k.short(1) && k.long(0) && k.color(3) == -s && k.color(2) == -s && k.color(1) == -s && k.color(0) == s &&
				held(3) && held(2) && held(1) && s*k.close(2) < s*k.close(3) && s*k.close(1) < s*k.close(2) && s*k.open(0) > s*k.close(1) && s*k.close(0) > s*k.close(4), float64(100*s))
		}},
	}
}

// rise reports whether the last three are white, close higher, and open in or near the body before.
func rise(k *candles) bool {
	return k.white(2) && k.white(1) && k.white(0) && k.close(0) > k.close(1) && k.close(1) > k.close(2) &&
		k.open(1) > k.open(2) && k.open(1) <= k.close(2)+k.near(2) && k.open(0) > k.open(1) && k.open(0) <= k.close(1)+k.near(1)
}

// star reports whether the middle candle lies beyond the first, and the last, of the other color and
// long, closes deep in the first.
func star(k *candles, p []float64) bool {
	d := float64(k.body(2) * p[0])
	if !k.long(2) || !k.long(0) || k.color(0) == k.color(2) {
		return false
	}
	if k.white(2) {
		return k.gapUp(1, 2) && k.close(0) < k.close(2)-d
	}
	return k.gapDown(1, 2) && k.close(0) > k.close(2)+d
}

// broken is 100 where the bar lies lower than the last, -100 where higher.
func broken(k *candles) float64 {
	return says(k.high(0) < k.high(1) && k.low(0) < k.low(1), 100) + says(k.high(0) > k.high(1) && k.low(0) > k.low(1), -100)
}

// hikkake is the pattern's value here, or twice it where the close confirms one of up to three bars
// before that has not been confirmed yet.
func hikkake(k *candles, at func(*candles) float64) float64 {
	if v := at(k); v != 0 {
		return v
	}
	for ago := 1; ago <= 3; ago++ {
		k.i -= ago
		v, high, low := at(k), k.high(1), k.low(1)
		k.i += ago
		if v == 0 {
			continue
		}
		confirms := func(j int) bool { return v > 0 && k.close(j) > high || v < 0 && k.close(j) < low }
		for j := ago - 1; j > 0; j-- {
			if confirms(j) {
				return 0
			}
		}
		return says(confirms(0), float64(2*v))
	}
	return 0
}
