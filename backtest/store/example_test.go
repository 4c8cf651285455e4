package store_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
)

func Example() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w, err := store.Create(dir, store.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer w.Close()
	d, _ := instrument.ParseDate("2024-01-02")
	err = w.Put(bar.Daily, store.Batch{
		Session: d, Symbols: []string{"BCPC", "BCpC"}, Start: []int32{0, 1, 2}, Time: []int64{d.Nanos(), d.Nanos()},
		Open: []float64{140, 20}, High: []float64{145, 21}, Low: []float64{139, 19}, Close: []float64{144, 20.5},
		Volume: []float64{1e5, 300.5}, Transactions: []int64{900, -1},
	})
	if err == nil {
		err = w.Commit()
	}
	if err != nil {
		log.Fatal(err)
	}
	s, err := store.Open(dir)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	bars, err := s.Load(context.Background(), bar.Request{Symbol: "BCpC", Frame: bar.Daily})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bars.ID, bars.Date(0), bars.Close[0], bars.Volume[0])
	// Output: BCpC@2024-01-02 2024-01-02 20.5 300.5
}
