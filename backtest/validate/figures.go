package validate

import (
	"bytes"
	"math"
	"strconv"
)

// Figures are the numbers behind the verdicts, by key, in the order of FigureKeys.
type Figures struct{ rows map[string]figure }

type figure struct {
	value  float64
	reason string
}

// FigureKeys are the keys of Figures, with what they mean.
func FigureKeys() []string {
	keys := make([]string, len(figureTable))
	for i := range figureTable {
		keys[i] = figureTable[i].key
	}
	return keys
}

// FigureDoc says what a figure is; "" for a key that there is not.
func FigureDoc(key string) string {
	for _, f := range figureTable {
		if f.key == key {
			return f.doc
		}
	}
	return ""
}

var figureTable = []struct{ key, doc string }{
	{"failures", "questions whose answer is fails"},
	{"doubts", "questions whose answer is doubtful"},
	{"undecided", "questions without an answer"},
	{"wf_efficiency", "mean daily log return out of sample / in sample of the walk-forward"},
	{"wf_total_return", "total return of the walk-forward out of sample, a fraction"},
	{"wf_sharpe", "annual Sharpe ratio of the walk-forward out of sample"},
	{"wf_max_drawdown", "maximum drawdown of the walk-forward out of sample, a negative fraction"},
	{"pbo", "probability of backtest overfitting"},
	{"pbo_loss", "share of splits in which the best combination lost out of sample"},
	{"cpcv_sharpe", "median annual Sharpe ratio of the paths of combinatorial purged cross-validation"},
	{"cpcv_sharpe_low", "5 % quantile of them"},
	{"cpcv_loss", "share of paths that lost"},
	{"kfold_sharpe", "annual Sharpe ratio of purged k-fold cross-validation"},
	{"spa_cash", "p-value of Hansen's test that no combination beats cash"},
	{"reality_check_cash", "p-value of White's reality check against cash"},
	{"spa_holding", "p-value of Hansen's test that none beats buy and hold at its own average exposure"},
	{"reality_check_holding", "p-value of White's reality check against it"},
	{"trials", "trials on this data"},
	{"effective_trials", "how many independent trials they are worth"},
	{"psr", "probabilistic Sharpe ratio of the judged run"},
	{"dsr", "deflated Sharpe ratio with all trials"},
	{"dsr_effective", "deflated Sharpe ratio with effective trials"},
	{"mc_loss", "share of simulated paths that lost"},
	{"mc_sharpe_low", "lower end of the 95 % interval of the annual Sharpe ratio"},
	{"mc_max_drawdown", "drawdown that one path in twenty exceeds, a negative fraction"},
	{"noise_sharpe", "median annual Sharpe ratio on prices with the middle noise, as a share of that on the real ones"},
	{"break_even_bps", "extra cost in bps at which the profit is gone"},
	{"delay_sharpe", "annual Sharpe ratio one bar later, as a share of that in time"},
	{"fragile_parameters", "parameters of which a neighbour loses more than half of the Sharpe ratio"},
	{"random_entry", "share of entries at random that do as well"},
	{"leaks", "checks of causality that fail"},
	{"warmup_error", "largest change of an indicator by more history, as a fraction"},
}

// set gives a figure its value; NaN is undefined, for the reason given.
func (f *Figures) set(key string, value float64, reason string) {
	if f.rows == nil {
		f.rows = map[string]figure{}
	}
	if math.IsInf(value, 0) {
		value = math.NaN()
	}
	f.rows[key] = figure{value, reason}
}

// Get is the value of a figure.
func (f *Figures) Get(key string) (float64, bool) {
	r, ok := f.rows[key]
	if !ok || math.IsNaN(r.value) {
		return 0, false
	}
	return r.value, true
}

// Reason says why a figure has no value.
func (f *Figures) Reason(key string) string {
	if _, ok := f.Get(key); ok {
		return ""
	}
	if r := f.rows[key]; r.reason != "" {
		return r.reason
	}
	return "not computed"
}

// MarshalJSON writes every figure in the order of the table; undefined ones are null.
func (f Figures) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range figureTable {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(figureTable[i].key) + ":")
		if v, ok := f.Get(figureTable[i].key); ok {
			b.WriteString(strconv.FormatFloat(v, 'g', -1, 64))
		} else {
			b.WriteString("null")
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
