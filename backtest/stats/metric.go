package stats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"backtester/backtest/instrument"
)

// Unit of a metric.
type Unit string

// Units. Fractions are fractions: 0.1 is ten percent.
const (
	Fraction    Unit = "fraction"
	USD         Unit = "USD"
	Count       Unit = "count"
	Ratio       Unit = "ratio"
	Days        Unit = "days"     // calendar days
	Bars        Unit = "bars"     // bars of the run
	Sessions    Unit = "sessions" // exchange sessions
	Probability Unit = "probability"
	CivilDate   Unit = "date" // days since 1970-01-01 as a number, YYYY-MM-DD in JSON
)

// Sense says which direction of a metric is better.
type Sense string

// Senses.
const (
	Higher Sense = "higher"
	Lower  Sense = "lower"
	None   Sense = "none"
)

// Group is a chapter of the table.
type Group string

// Groups, in the order of the table.
const (
	ReturnGroup    Group = "return"
	RiskGroup      Group = "risk"
	RatioGroup     Group = "risk-adjusted"
	DrawdownGroup  Group = "drawdown"
	TailGroup      Group = "tail"
	TradeGroup     Group = "trades"
	BenchmarkGroup Group = "benchmark"
	ExposureGroup  Group = "exposure"
	CostGroup      Group = "costs"
)

// Metric is a row of the table.
type Metric struct {
	Key     string `json:"key"`  // snake case, stable
	Name    string `json:"name"` // for people
	Unit    Unit   `json:"unit"`
	Group   Group  `json:"group"`
	Formula string `json:"formula"` // r: session returns, e: excess returns, N: sessions in a year, V: equity
	Source  string `json:"source"`  // publication of the formula, or "definition"
	Sense   Sense  `json:"sense"`
	Needs   string `json:"needs"` // what must be there for it to be defined; "" = always
	Doc     string `json:"doc"`   // what it says and how to read it

	of func(*work) float64
}

// Table lists every metric in its fixed order. The slice is the caller's.
func Table() []Metric { return slices.Clone(table) }

// Lookup finds the row of key.
func Lookup(key string) (Metric, bool) {
	i, ok := tableIndex[key]
	if !ok {
		return Metric{}, false
	}
	return table[i], true
}

// tableIndex finds rows by key.
var tableIndex = func() map[string]int {
	m := make(map[string]int, len(table))
	for i := range table {
		m[table[i].Key] = i
	}
	return m
}()

// Metrics are the statistics of one run. The zero value has every metric undefined. Safe for
// concurrent use.
type Metrics struct {
	value []float64 // by row of the table; NaN = undefined
	late  *late     // of metrics that are computed when they are asked for; then value is nil
}

// late computes rows of the table once each.
type late struct {
	mu    sync.Mutex
	in    Input
	work  *work // nil until a metric was asked for
	done  []bool
	value []float64
}

// Later is Compute that computes each metric when it is first asked for, so that whoever looks at a
// few pays for a few. in and its slices must not change afterwards.
func Later(in Input) Metrics {
	in.check()
	return Metrics{late: &late{in: in}}
}

// at is the value of row i; NaN when undefined.
func (m Metrics) at(i int) float64 {
	l := m.late
	switch {
	case l == nil && i < len(m.value):
		return m.value[i]
	case l == nil:
		return math.NaN()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.work == nil {
		l.work, l.done, l.value = newWork(&l.in), make([]bool, len(table)), make([]float64, len(table))
	}
	if !l.done[i] {
		l.done[i], l.value[i] = true, rowOf(l.work, i)
	}
	return l.value[i]
}

// Get returns the value of key; false when it is undefined or no such metric exists.
func (m Metrics) Get(key string) (float64, bool) {
	i, ok := tableIndex[key]
	if !ok {
		return 0, false
	}
	v := m.at(i)
	if math.IsNaN(v) {
		return 0, false
	}
	return v, true
}

// Reason says why key has no value: what it needs. "" when it has one.
func (m Metrics) Reason(key string) string {
	if _, ok := m.Get(key); ok {
		return ""
	}
	i, ok := tableIndex[key]
	switch {
	case !ok:
		return "there is no metric " + key
	case len(m.value) == 0 && m.late == nil:
		return "not computed"
	case table[i].Needs == "":
		return "the run has no data for it"
	}
	return "needs " + table[i].Needs
}

// Keys of all metrics in table order, defined or not.
func (m Metrics) Keys() []string { return Keys() }

// Keys of the table in its order.
func Keys() []string {
	keys := make([]string, len(table))
	for i := range table {
		keys[i] = table[i].Key
	}
	return keys
}

// MarshalJSON writes an object with every key of the table in its order; undefined metrics are null,
// dates are strings.
func (m Metrics) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range table {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(table[i].Key)
		b.WriteString(`":`)
		switch v, ok := m.Get(table[i].Key); {
		case !ok:
			b.WriteString("null")
		case table[i].Unit == CivilDate:
			b.WriteString(`"` + instrument.Date(v).String() + `"`)
		default:
			num, err := json.Marshal(v)
			if err != nil {
				return nil, fmt.Errorf("write metric %s: %w", table[i].Key, err)
			}
			b.Write(num)
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes. Absent keys are undefined and unknown ones are
// ignored, so that results of other versions can be read.
func (m *Metrics) UnmarshalJSON(data []byte) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return fmt.Errorf("read metrics: %w", err)
	}
	m.late, m.value = nil, make([]float64, len(table))
	for i := range table {
		v, err := readValue(table[i].Unit, raw[table[i].Key])
		if err != nil {
			return fmt.Errorf("read metric %s: %w", table[i].Key, err)
		}
		m.value[i] = v
	}
	return nil
}

func readValue(u Unit, raw json.RawMessage) (float64, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return math.NaN(), nil
	}
	if u == CivilDate {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return 0, err
		}
		d, err := instrument.ParseDate(s)
		return float64(d), err
	}
	if strings.HasPrefix(string(raw), `"`) {
		return 0, fmt.Errorf("want a number, have %s", raw)
	}
	var v float64
	err := json.Unmarshal(raw, &v)
	return v, err
}

// finite turns infinities into NaN: what has no finite value is undefined.
func finite(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// Fill makes m the metrics of these keys and no others; NaN is undefined. It keeps the memory of m.
func (m *Metrics) Fill(keys []string, values []float64) {
	if len(m.value) != len(table) {
		m.value = make([]float64, len(table))
	}
	m.late = nil
	for i := range m.value {
		m.value[i] = math.NaN()
	}
	for k, key := range keys {
		if i, ok := tableIndex[key]; ok {
			m.value[i] = values[k]
		}
	}
}
