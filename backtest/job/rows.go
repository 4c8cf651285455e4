package job

// Rows are what combinations of a search came to, one a place in every list.
type Rows struct {
	Params   []string    `json:"params"` // their names
	Symbol   []string    `json:"symbol"` // "" where symbols share the cash
	At       [][]float64 `json:"at"`     // the parameters, in the order of Params
	Value    []*float64  `json:"value"`  // the objective in its own sense; null where undefined
	Eligible []bool      `json:"eligible"`
}

// mostTold is how many rows of one search are told while it goes on; the rest is in its file.
const mostTold = 20_000

// Add puts one more row behind the others. at is copied.
func (r *Rows) Add(symbol string, at []float64, value float64, eligible bool) {
	r.Symbol, r.At = append(r.Symbol, symbol), append(r.At, append([]float64(nil), at...))
	r.Value, r.Eligible = append(r.Value, finite(value)), append(r.Eligible, eligible)
}

// join puts the rows of another one behind, as far as there is room.
func (r *Rows) join(next *Rows) {
	n := min(len(next.Symbol), mostTold-len(r.Symbol))
	r.Params = next.Params
	r.Symbol, r.At = append(r.Symbol, next.Symbol[:n]...), append(r.At, next.At[:n]...)
	r.Value, r.Eligible = append(r.Value, next.Value[:n]...), append(r.Eligible, next.Eligible[:n]...)
}
