package indicator

// shortPatterns are those of one and two candles.
func shortPatterns() []pattern {
	return []pattern{
		{"doji", "Doji", "a doji", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.doji(0), 100)
		}},
		{"dragonfly_doji", "Dragonfly Doji", "a doji at its high, with a lower shadow", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.doji(0) && k.tinyUpper(0) && k.someLower(0), 100)
		}},
		{"gravestone_doji", "Gravestone Doji", "a doji at its low, with an upper shadow", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.doji(0) && k.tinyLower(0) && k.someUpper(0), 100)
		}},
		{"long_legged_doji", "Long Legged Doji", "a doji with a long shadow", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.doji(0) && (k.longLower(0) || k.longUpper(0)), 100)
		}},
		{"rickshaw_man", "Rickshaw Man", "a doji near the middle of two long shadows", 1, 0, func(k *candles, _ []float64) float64 {
			middle := k.low(0) + (k.high(0)-k.low(0))/2
			return says(k.doji(0) && k.longLower(0) && k.longUpper(0) && k.floor(0) <= middle+k.near(0) && k.top(0) >= middle-k.near(0), 100)
		}},
		{"takuri", "Takuri", "a doji at its high, with a very long lower shadow", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.doji(0) && k.tinyUpper(0) && k.lower(0) > float64(2*k.body(0)), 100)
		}},
		{"belt_hold", "Belt Hold", "a long body without shadow where it opened", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(0) && (k.white(0) && k.tinyLower(0) || k.black(0) && k.tinyUpper(0)), k.verdict(0))
		}},
		{"closing_marubozu", "Closing Marubozu", "a long body without shadow where it closed", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(0) && (k.white(0) && k.tinyUpper(0) || k.black(0) && k.tinyLower(0)), k.verdict(0))
		}},
		{"marubozu", "Marubozu", "a long body without shadows", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(0) && k.tinyUpper(0) && k.tinyLower(0), k.verdict(0))
		}},
		{"high_wave", "High Wave Candle", "a short body with two very long shadows", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.short(0) && k.upper(0) > float64(2*k.body(0)) && k.lower(0) > float64(2*k.body(0)), k.verdict(0))
		}},
		{"long_line", "Long Line Candle", "a long body with short shadows", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(0) && k.shortUpper(0) && k.shortLower(0), k.verdict(0))
		}},
		{"short_line", "Short Line Candle", "a short body with short shadows", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.short(0) && k.shortUpper(0) && k.shortLower(0), k.verdict(0))
		}},
		{"spinning_top", "Spinning Top", "a short body between longer shadows", 1, 0, func(k *candles, _ []float64) float64 {
			return says(k.short(0) && k.longUpper(0) && k.longLower(0), k.verdict(0))
		}},
		{"hammer", "Hammer", "a short body at its high with a long lower shadow, near the last low or below", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.short(0) && k.longLower(0) && k.tinyUpper(0) && k.floor(0) <= k.low(1)+k.near(1), 100)
		}},
		{"hanging_man", "Hanging Man", "a short body at its high with a long lower shadow, near the last high or above", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.short(0) && k.longLower(0) && k.tinyUpper(0) && k.floor(0) >= k.high(1)-k.near(1), -100)
		}},
		{"inverted_hammer", "Inverted Hammer", "a short body at its low with a long upper shadow, after a gap down", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.short(0) && k.longUpper(0) && k.tinyLower(0) && k.gapDown(0, 1), 100)
		}},
		{"shooting_star", "Shooting Star", "a short body at its low with a long upper shadow, after a gap up", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.short(0) && k.longUpper(0) && k.tinyLower(0) && k.gapUp(0, 1), -100)
		}},
		{"engulfing", "Engulfing Pattern", "a body that covers the last one, of the other color; 80 where an edge touches", 2, 0, func(k *candles, _ []float64) float64 {
			o, c, oo, cc := k.open(0), k.close(0), k.open(1), k.close(1)
			size := 0.8
			if o != cc && c != oo {
				size = 1
			}
			up := k.white(0) && k.black(1) && (c >= oo && o < cc || c > oo && o <= cc)
			down := k.black(0) && k.white(1) && (o >= cc && c < oo || o > cc && c <= oo)
			return says(up || down, float64(size*k.verdict(0)))
		}},
		{"harami", "Harami Pattern", "a short body within the last long one; 80 where an edge touches", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(1) && k.notLong(0), inside(k))
		}},
		{"harami_cross", "Harami Cross Pattern", "a doji within the last long body; 80 where an edge touches", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(1) && k.doji(0), inside(k))
		}},
		{"doji_star", "Doji Star", "a doji beyond the last long body", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.long(1) && k.doji(0) && (k.white(1) && k.gapUp(0, 1) || k.black(1) && k.gapDown(0, 1)), -k.verdict(1))
		}},
		{"counterattack", "Counterattack", "two long bodies of different color that close at the same price", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.color(1) == -k.color(0) && k.long(1) && k.long(0) && k.same(k.close(0), k.close(1), 1), k.verdict(0))
		}},
		{"dark_cloud_cover", "Dark Cloud Cover", "a long white body, then a black one that opens above the high and closes deep in the first", 2, 0.5, func(k *candles, p []float64) float64 {
			return says(k.white(1) && k.long(1) && k.black(0) && k.open(0) > k.high(1) && k.close(0) > k.open(1) && k.close(0) < k.close(1)-float64(k.body(1)*p[0]), -100)
		}},
		{"piercing", "Piercing Pattern", "a long black body, then a long white one that opens below the low and closes above the middle of the first", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(1) && k.long(1) && k.white(0) && k.long(0) && k.open(0) < k.low(1) && k.close(0) < k.open(1) && k.close(0) > k.close(1)+k.body(1)/2, 100)
		}},
		{"homing_pigeon", "Homing Pigeon", "a short black body within a long black one", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(1) && k.black(0) && k.long(1) && k.notLong(0) && k.open(0) < k.open(1) && k.close(0) > k.close(1), 100)
		}},
		{"in_neck", "In-Neck Pattern", "a long black body, then a white one from below the low to the close", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(1) && k.long(1) && k.white(0) && k.open(0) < k.low(1) && k.close(0) <= k.close(1)+k.equal(1) && k.close(0) >= k.close(1), -100)
		}},
		{"on_neck", "On-Neck Pattern", "a long black body, then a white one from below the low to the low", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(1) && k.long(1) && k.white(0) && k.open(0) < k.low(1) && k.same(k.close(0), k.low(1), 1), -100)
		}},
		{"thrusting", "Thrusting Pattern", "a long black body, then a white one from below the low into its lower half", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(1) && k.long(1) && k.white(0) && k.open(0) < k.low(1) && k.close(0) > k.close(1)+k.equal(1) && k.close(0) <= k.close(1)+k.body(1)/2, -100)
		}},
		{"kicking", "Kicking", "two long bodies without shadows, of different color, with a gap between", 2, 0, func(k *candles, _ []float64) float64 {
			return says(kicks(k), k.verdict(0))
		}},
		{"kicking_by_length", "Kicking by Length", "kicking, told by the longer of the two", 2, 0, func(k *candles, _ []float64) float64 {
			if k.body(0) > k.body(1) {
				return says(kicks(k), k.verdict(0))
			}
			return says(kicks(k), k.verdict(1))
		}},
		{"matching_low", "Matching Low", "two black candles that close at the same price", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.black(1) && k.black(0) && k.same(k.close(0), k.close(1), 1), 100)
		}},
		{"separating_lines", "Separating Lines", "two candles of different color that open at the same price, the second long and without shadow there", 2, 0, func(k *candles, _ []float64) float64 {
			return says(k.color(1) == -k.color(0) && k.same(k.open(0), k.open(1), 1) && k.long(0) && (k.white(0) && k.tinyLower(0) || k.black(0) && k.tinyUpper(0)), k.verdict(0))
		}},
	}
}

// inside is the value of a body within the last one.
func inside(k *candles) float64 {
	if k.top(0) < k.top(1) && k.floor(0) > k.floor(1) {
		return -k.verdict(1)
	}
	return says(k.top(0) <= k.top(1) && k.floor(0) >= k.floor(1), float64(-80*k.color(1)))
}

func kicks(k *candles) bool {
	bare := func(j int) bool { return k.long(j) && k.tinyUpper(j) && k.tinyLower(j) }
	return k.color(1) == -k.color(0) && bare(1) && bare(0) && (k.black(1) && k.clearUp(0, 1) || k.white(1) && k.clearDown(0, 1))
}
