package indicator_test

import (
	"fmt"

	"backtester/backtest/indicator"
)

func ExampleSMA() {
	closes := []float64{10, 11, 12, 13, 14}
	fmt.Println(indicator.SMA(nil, closes, 3))
	// Output: [NaN NaN 11 12 13]
}

// Every row is called the same way: columns and numbers in, columns out.
func ExampleLookup() {
	s, _ := indicator.Lookup("bb") // an alias of bbands
	closes := []float64{10, 10, 13, 11, 12, 12}
	p := []float64{3, 2, 0} // n, k, ddof
	if err := s.Check(p); err != nil {
		fmt.Println(err)
		return
	}
	dst := make([][]float64, len(s.Outputs))
	for k := range dst {
		dst[k] = make([]float64, len(closes))
	}
	var scratch indicator.Scratch
	s.Eval(&scratch, dst, [][]float64{closes}, p)
	for k, o := range s.Outputs[:3] {
		fmt.Printf("%s.%s %.3f\n", s.Name, o.Name, dst[k])
	}
	fmt.Println("bars of warm-up:", s.Warmup(p))
	// Output:
	// bbands.upper [NaN NaN 13.828 13.828 13.633 12.609]
	// bbands.middle [NaN NaN 11.000 11.333 12.000 11.667]
	// bbands.lower [NaN NaN 8.172 8.839 10.367 10.724]
	// bars of warm-up: 2
}

func ExampleSuggest() {
	fmt.Println(indicator.Suggest("bolinger"))
	// Output: bollinger
}
