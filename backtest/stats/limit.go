package stats

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limit is a threshold by which caveats judge.
type Limit struct {
	Key     string // stable; the same as the code of the caveat where one threshold makes it
	Unit    Unit
	Default float64
	Doc     string
}

// limitTable are the thresholds. Those of what is too good follow practice; those behind trades and track
// record follow from the standard errors of the table.
var limitTable = []Limit{
	{"sharpe_too_high", Ratio, 3, "annual Sharpe ratio that is rarer than a fault"},
	{"drawdown_too_small", Fraction, .02, "deepest fall that is rarer than a fault at growth_too_high"},
	{"growth_too_high", Fraction, .2, "growth a year that makes drawdown_too_small suspicious"},
	{"sharpe_of_few_trades", Ratio, 2, "annual Sharpe ratio that is unusual under trades_for_sharpe"},
	{"trades_for_sharpe", Count, 250, "closed trades from which on sharpe_of_few_trades is believed"},
	{"days_without_loss", Days, 790, "length from which on a run without a losing month is suspicious: two years and the parts of months at both ends"},
	{"win_rate_too_high", Fraction, .8, "share of winning trades that is unusual"},
	{"profit_factor_too_high", Ratio, 4, "profit factor that is unusual"},
	{"too_smooth", Ratio, .99, "R squared of log equity on time that is unusual"},
	{"enough_sessions", Sessions, 252, "sessions that a judgement of single sessions needs"},
	{"few_trades", Count, 30, "closed trades that a judgement of trades needs"},
	{"moderate_trades", Count, 100, "closed trades from which on the interval of the win rate goes without a note"},
	{"low_costs", Fraction, .0001, "costs of what was traded that brokers and spreads exceed"},
	{"low_costs_turnover", Ratio, 10, "turnover a year from which on low_costs matter"},
	{"cost_fragile", Fraction, .0005, "extra cost of every traded dollar that the profit should survive"},
	{"concentrated_trades", Fraction, .5, "share of the profit that the best 5 trades may make"},
	{"trades_to_concentrate", Count, 10, "closed trades that concentrated_trades needs"},
	{"concentrated_sessions", Fraction, .5, "share of the growth that the best 5 sessions may make"},
	{"concentrated_year", Fraction, .7, "share of the growth that the best calendar year may make"},
	{"days_to_concentrate", Days, 1095, "length that concentrated_year needs"},
	{"concentrated_symbol", Fraction, .5, "share of the profit that one symbol may make"},
	{"autocorrelated", Ratio, .1, "correlation of a return with the one before it that needs the adjusted Sharpe ratio"},
	{"significance", Probability, .05, "probability under which chance is no explanation"},
	{"open_result", Fraction, .1, "part of final equity that open trades may have won or lost"},
	{"leveraged", Fraction, 2, "gross exposure of equity"},
	{"large_fills", Fraction, .1, "part of its bar's volume above which a fill would have moved the market"},
	{"skewed", Ratio, -1, "skewness below which the plain Sharpe ratio misleads"},
	{"fat_tails", Ratio, 6, "excess kurtosis above which the plain Sharpe ratio misleads"},
	{"mostly_market", Ratio, .8, "beta above which an uncertain alpha means the market"},
	{"uncertain_alpha", Ratio, 2, "t statistic under which alpha is uncertain"},
	{"no_bear_market", Fraction, .2, "fall of the benchmark that a run should have seen"},
	{"searched", Probability, .95, "deflated Sharpe ratio under which the best of so many trials may be luck"},
	{"delay_fragile", Fraction, .5, "part of the Sharpe ratio that acting one bar later may take"},
	{"parameter_fragile", Fraction, .5, "part of the Sharpe ratio that a neighbour of a parameter may take"},
}

// LimitTable lists every threshold in its fixed order. The slice is the caller's.
func LimitTable() []Limit { return slices.Clone(limitTable) }

// Limits are thresholds that somebody has changed, by key. nil has every default.
type Limits map[string]float64

// ParseLimits reads thresholds such as "few_trades=50, leveraged=1.5", fractions not percent.
func ParseLimits(s string) (Limits, error) {
	var out Limits
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, text, ok := strings.Cut(part, "=")
		key, text = strings.TrimSpace(key), strings.TrimSpace(text)
		if !ok {
			return nil, fmt.Errorf("want KEY=NUMBER, separated by commas, have %q", part)
		}
		row, ok := limitOf(key)
		if !ok {
			return nil, fmt.Errorf("there is no threshold %q%s; there are %s", key, suggest(key, limitKeys()), strings.Join(limitKeys(), ", "))
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || v-v != 0 {
			return nil, fmt.Errorf("the threshold %s is no number: %q", key, text)
		}
		if err := row.check(v); err != nil {
			return nil, fmt.Errorf("the threshold %s is %s: %w", key, text, err)
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("the threshold %s is given twice", key)
		}
		if out == nil {
			out = Limits{}
		}
		out[key] = v
	}
	return out, nil
}

func (r Limit) check(v float64) error {
	switch {
	case r.Unit != Ratio && v < 0:
		return errors.New("it may not be below 0")
	case r.Unit == Probability && v > 1:
		return errors.New("a probability is at most 1")
	case r.Unit == Fraction && v > 100:
		return errors.New("fractions, not percent: 0.1 is ten percent")
	}
	return nil
}

func limitOf(key string) (Limit, bool) {
	i := slices.IndexFunc(limitTable, func(r Limit) bool { return r.Key == key })
	if i < 0 {
		return Limit{}, false
	}
	return limitTable[i], true
}

func limitKeys() []string {
	keys := make([]string, len(limitTable))
	for i, r := range limitTable {
		keys[i] = r.Key
	}
	return keys
}

// Of is the threshold of key.
func (l Limits) Of(key string) float64 {
	row, ok := limitOf(key)
	if !ok {
		panic("BUG: there is no threshold " + key + suggest(key, limitKeys()))
	}
	if v, changed := l[key]; changed {
		return v
	}
	return row.Default
}

// Text is the threshold of key for people.
func (l Limits) Text(key string) string { return l.text(key, l.Of(key)) }

func (l Limits) text(key string, v float64) string {
	row, _ := limitOf(key)
	switch {
	case row.Unit == Fraction && v < .01:
		return fmt.Sprintf("%.10g bps", 1e4*v)
	case row.Unit == Fraction || row.Unit == Probability:
		return fmt.Sprintf("%.10g%%", 100*v)
	}
	return fmt.Sprintf("%.10g", v)
}

// changed is the caveat that thresholds are not the defaults; none where they are.
func (l Limits) changed() []Caveat {
	var parts []string
	for _, r := range limitTable {
		if v, ok := l[r.Key]; ok && v != r.Default {
			parts = append(parts, fmt.Sprintf("%s is %s instead of %s", r.Key, l.text(r.Key, v), l.text(r.Key, r.Default)))
		}
	}
	if parts == nil {
		return nil
	}
	return []Caveat{{Code: "limits_changed", Severity: Note, Rule: "thresholds set by hand",
		Message: "The thresholds of these warnings were changed: " + strings.Join(parts, ", ") + "."}}
}
