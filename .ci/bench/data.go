package main

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// walk is a random walk of n bars without drift, 1 % a day or 0.1 % a minute, so that a million bars
// leave something to compare, with the open a little off the last close. Prices have
// eight significant digits, so that every program that reads them as text sees the same numbers.
func walk(seed uint64, name string, frame bar.Frame, n int) *bar.Series {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &bar.Series{Symbol: name, ID: instrument.ID(name), Frame: frame, Delisted: instrument.None}
	step, vol := int64(86400e9), 0.01
	if frame.Intraday() {
		step, vol = int64(frame.Duration()), 0.001
	}
	start := instrument.NewDate(2015, 1, 1).Nanos()
	price := 100.0
	for i := range n {
		open := digits(price * (1 + vol/5*r.NormFloat64()))
		price = digits(price * (1 + vol*vol/2 + vol*r.NormFloat64()))
		s.Time = append(s.Time, start+int64(i)*step)
		s.Open, s.Close = append(s.Open, open), append(s.Close, price)
		s.High = append(s.High, digits(math.Max(open, price)*1.001))
		s.Low = append(s.Low, digits(math.Min(open, price)*0.999))
		s.Volume = append(s.Volume, 1e6)
	}
	return s
}

func digits(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 8, 64), 64)
	if err != nil {
		panic(err)
	}
	return y
}

// writeBinary writes open and close of the series one after the other as little-endian float64, for
// peers that get their data in memory.
func writeBinary(path string, series []*bar.Series) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	for _, s := range series {
		for _, c := range [][]float64{s.Open, s.High, s.Low, s.Close} {
			for _, v := range c {
				if err := binary.Write(w, binary.LittleEndian, v); err != nil {
					return err
				}
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// writeCSV writes a gzip-compressed CSV file as people have them.
func writeCSV(path string, s *bar.Series) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	z, err := gzip.NewWriterLevel(f, 6)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(z, 1<<20)
	fmt.Fprintln(w, "time,open,high,low,close,volume")
	for i := range s.Time {
		b := time.Unix(0, s.Time[i]).UTC().AppendFormat(nil, time.RFC3339)
		for _, v := range []float64{s.Open[i], s.High[i], s.Low[i], s.Close[i], s.Volume[i]} {
			b = append(b, ',')
			b = strconv.AppendFloat(b, v, 'g', -1, 64)
		}
		if _, err := w.Write(append(b, '\n')); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}

// dir is where data and tools of the benchmark stay between runs.
func dir(name string) string { return filepath.Join(".cache", "bench-data", name) }
