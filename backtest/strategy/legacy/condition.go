package legacy

import (
	"math"
	"strconv"
	"strings"
)

// translator turns conditions into expressions.
type translator struct {
	*document
	settings map[string]fields // indicators.NAME
	at       value             // the name that is being translated
	used     map[string]bool   // kinds of series that were used, for the notes
}

// condition translates one condition; joined says that its loosest operator is `and`.
func (t *translator) condition(v value, what string) (text string, joined bool) {
	f := t.fields(v, what, "type", "source", "comparison", "target", "threshold_pct", "delay_bars", "bb_std", "kc_mult", "params", "target_params")
	if v.kind != '{' {
		return "true", false
	}
	own := t.params(f, "params", what)
	target := t.params(f, "target_params", what)
	for _, set := range []fields{own, target} {
		// The two short forms hold for both ends.
		for _, pair := range [][2]string{{"bb_std", "std_dev"}, {"kc_mult", "multiplier"}} {
			if x, ok := f[pair[0]]; ok && set.has(pair[1]) {
				t.fault(x, "conflict", "", "%s and %s say the same: keep one", pair[0], pair[1])
			} else if ok {
				set[pair[1]] = x
			}
		}
	}
	src := t.source(f, own, v, what)
	tgt := t.target(f, target, v, what)
	text, joined = t.compare(comparison{f, src, tgt}, v, what)
	delay := t.number(f, "delay_bars", 0)
	switch {
	case delay < 0 || delay > 10_000 || delay != math.Trunc(delay):
		t.fault(f["delay_bars"], "out_of_range", "", "delay_bars is %s, want a whole number of bars that is not negative", f["delay_bars"].noun())
	case delay > 0:
		text, joined = "("+text+")["+strconv.Itoa(int(delay))+"]", false
	}
	return text, joined
}

func (t *translator) params(f fields, key, what string) fields {
	v, ok := f[key]
	if !ok {
		return fields{}
	}
	return t.fields(v, key+" of "+what, "period", "length=period", "window=period", "std_dev", "std=std_dev", "multiplier", "mult=multiplier",
		"fast", "slow", "signal", "rsi_period", "stoch_period", "k_smooth", "d_smooth")
}

func (t *translator) source(f, own fields, v value, what string) series {
	kind := t.word(f, "type", "", "price", "rsi", "ma")
	src, ok := f["source"]
	if !ok {
		switch kind {
		case "price":
			src = value{off: v.off, kind: '"', text: "close"}
		case "rsi":
			src = value{off: v.off, kind: '"', text: "rsi"}
		default:
			t.fault(v, "missing_key", "", "%s has no source: name a price or an indicator, such as rsi_14", what)
			return series{text: "close", tight: true}
		}
	}
	return t.series(src, own, "source")
}

func (t *translator) target(f, own fields, v value, what string) series {
	tgt, ok := f["target"]
	if !ok {
		t.fault(v, "missing_key", "", "%s has no target: a number, or a price or indicator such as sma_50", what)
		return series{text: "close", tight: true}
	}
	if x, ok := tgt.number(); ok {
		return series{text: plain(x), number: true}
	}
	return t.series(tgt, own, "target")
}

// series translates a name. An unknown one is a fault: the predecessor took it for a column of zeros.
func (t *translator) series(v value, own fields, role string) series {
	if v.kind != '"' {
		t.fault(v, "wrong_type", "", "%s is %s, want the name of a price or an indicator", role, v.noun())
		return series{text: "close", tight: true}
	}
	name := strings.ToLower(strings.TrimSpace(v.text))
	r, n, ok := lookup(name)
	if !ok {
		if _, _, known := lookup(strings.TrimRight(name, "0123456789") + "1"); known {
			t.fault(v, "out_of_range", "", "the length in %s must be a whole number of bars from 1 to 10000", v.noun())
		} else {
			t.fault(v, "unknown_name", nearestSeries(name), "unknown series %s", v.noun())
		}
		return series{text: "close", tight: true}
	}
	t.at = v
	t.used[r.setting] = true
	period, said := own["period"]
	switch {
	case r.setting == "" && said:
		t.fault(period, "conflict", "", "%s has no length: remove the period", v.noun())
	case r.length < 0:
	case n > 0 && said:
		if x, ok := period.number(); !ok || x != float64(n) {
			t.fault(period, "conflict", "", "%s says %d bars, its period says %s: keep one", v.noun(), n, period.noun())
		}
	case n > 0:
	case said || t.settings[r.setting].has("period"):
		n = t.length(own, "period", t.length(t.settings[r.setting], "period", 1))
	case r.length == 0:
		t.fault(v, "missing_key", "write "+name+"_50", "%s has no length", v.noun())
		n = 1
	default:
		n = r.length
	}
	return r.make(t, n, own)
}

// comparison is a condition with its two ends translated.
type comparison struct {
	fields
	src, tgt series
}

// compare is the comparison of two series.
func (t *translator) compare(c comparison, v value, what string) (text string, joined bool) {
	if !c.has("comparison") {
		t.fault(v, "missing_key", "", "%s has no comparison, such as above or crosses_above", what)
		return "true", false
	}
	words := []string{"above", ">", "below", "<", "crosses_above", "crosses_below", "equals", "==", "greater_equal", ">=", "less_equal", "<="}
	word := t.word(c.fields, "comparison", "", words...)
	percent := t.number(c.fields, "threshold_pct", 0)
	if percent < 0 || percent >= 100 {
		t.fault(c.fields["threshold_pct"], "out_of_range", "", "threshold_pct is %s, want percent from 0 to below 100", c.fields["threshold_pct"].noun())
		percent = 0
	}
	if percent != 0 {
		return t.beyond(c, word, percent)
	}
	op := map[string]string{"above": ">", "below": "<", "equals": "==", "greater_equal": ">=", "less_equal": "<="}[word]
	switch {
	case strings.HasPrefix(word, "crosses"):
		return word + "(" + c.src.text + ", " + c.tgt.text + ")", false
	case op == "":
		op = word
	}
	return c.src.text + " " + op + " " + c.tgt.text, false
}

// beyond is a comparison with a threshold: at least so many percent above the target, or below.
func (t *translator) beyond(c comparison, word string, percent float64) (text string, joined bool) {
	up, down := c.tgt.times(1+percent/100), c.tgt.times(1-percent/100)
	switch word {
	case "above", ">", "greater_equal", ">=":
		return c.src.text + " >= " + up, false
	case "below", "<", "less_equal", "<=":
		return c.src.text + " <= " + down, false
	case "crosses_above":
		return c.src.before() + " <= " + c.tgt.before() + " and " + c.src.text + " >= " + up, true
	case "crosses_below":
		return c.src.before() + " >= " + c.tgt.before() + " and " + c.src.text + " <= " + down, true
	case "equals", "==":
		t.fault(c.fields["threshold_pct"], "conflict", "", "threshold_pct has no meaning with %s: remove it, or compare above and below", word)
	}
	return "true", false
}

// conditions translates a list of them, joined by all or any.
func (t *translator) conditions(f fields, key, logicKey string) string {
	list, ok := f[key]
	if ok && list.kind != '[' {
		t.fault(list, "wrong_type", "", "%s is %s, want a list of conditions", key, list.noun())
		return ""
	}
	joint := map[string]string{"all": " and ", "any": " or "}[t.word(f, logicKey, "all", "all", "any")]
	var texts []string
	for i, item := range list.items {
		text, joined := t.condition(item, key+"."+strconv.Itoa(i))
		if joined && joint == " or " {
			text = "(" + text + ")"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, joint)
}
