package barfile_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"backtester/backtest/bar"
	"backtester/backtest/barfile"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "barfile")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "ACME.csv")
	rows := "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-02,10,12,9,11,5.5,1000\n2024-01-03,11,13,10,12.5,6.25,1200\n"
	if err := os.WriteFile(path, []byte(rows), 0o600); err != nil {
		log.Fatal(err)
	}
	files, err := barfile.Open([]barfile.File{{Symbol: "ACME", Path: path}})
	if err != nil {
		log.Fatal(err)
	}
	s, err := files.Load(context.Background(), bar.Request{Symbol: "ACME", Frame: bar.Daily})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Len(), s.Date(1), s.Close[1])
	fmt.Println(files.Notes()[0].Message)
	// Output:
	// 2 2024-01-03 12.5
	// ACME: column "adj close" is ignored: prices are taken as traded
}
