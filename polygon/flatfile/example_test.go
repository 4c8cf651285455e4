package flatfile_test

import (
	"bytes"
	"fmt"

	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"
)

// A session written as the vendor writes it, and read back. The low of B is above its high, so that
// row is left out and noted.
func Example() {
	session := instrument.NewDate(2024, 1, 3)
	var file bytes.Buffer
	err := flatfile.Write(&file, flatfile.Day, store.Batch{
		Session: session,
		Symbols: []string{"A", "B", "NA"}, Start: []int32{0, 1, 2, 3},
		Time:   make([]int64, 3),
		Open:   []float64{138.75, 10, 7.5},
		High:   []float64{139.2, 10, 7.9},
		Low:    []float64{136.1, 11, 7.4},
		Close:  []float64{137.38, 10, 7.75},
		Volume: []float64{1510300, 12, 2200.25},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(flatfile.Key(flatfile.Day, session))
	batch, notes, err := flatfile.NewDecoder().Decode(flatfile.Source{Dataset: flatfile.Day, Session: session, Reader: &file})
	fmt.Println(batch.Symbols, batch.Close, batch.Volume, err)
	for _, n := range notes {
		fmt.Println(n)
	}
	// Output:
	// us_stocks_sip/day_aggs_v1/2024/01/2024-01-03.csv.gz
	// [A NA] [137.38 7.75] [1.5103e+06 2200.25] <nil>
	// bad_price: 1 rows, first at line 3 (byte 117): B open 10 high 10 low 11 close 10
}
