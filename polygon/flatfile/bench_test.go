package flatfile_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	stdgzip "compress/gzip"
	"io"

	"backtester/backtest/bar"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"
)

// market is one session of minutes for many tickers: random walks in cents, as the vendor's files are
// shaped. It is the same at every call.
func market(t testing.TB, tickers, minutes int) store.Batch {
	rng := rand.New(rand.NewPCG(1, 2))
	b := store.Batch{Session: date(t, "2024-03-07"), Start: []int32{0}}
	open, _, _, _ := bar.NYSE().Hours(b.Session)
	for k := range tickers {
		b.Symbols = append(b.Symbols, fmt.Sprintf("T%05d", k))
		cents := 1000 + rng.Int64N(30000)
		for m := range minutes {
			o := cents
			c := max(100, o+rng.Int64N(21)-10)
			h, l := max(o, c)+rng.Int64N(8), max(1, min(o, c)-rng.Int64N(8))
			b.Time = append(b.Time, open+int64(m)*60e9)
			b.Open, b.Close = append(b.Open, float64(o)/100), append(b.Close, float64(c)/100)
			b.High, b.Low = append(b.High, float64(h)/100), append(b.Low, float64(l)/100)
			b.Volume = append(b.Volume, float64(1+rng.Int64N(20000)))
			b.Transactions = append(b.Transactions, 1+rng.Int64N(300))
			cents = c
		}
		b.Start = append(b.Start, int32(len(b.Time)))
	}
	return b
}

// BenchmarkDecodeMinutes decodes 2M rows (5,200 tickers x 385 minutes) and prints CPU time of all
// threads beside the standard library's inflate alone, which costs what zcat costs.
func BenchmarkDecodeMinutes(b *testing.B) {
	var file bytes.Buffer
	if err := flatfile.Write(&file, flatfile.Minute, market(b, 5200, 385)); err != nil {
		b.Fatal(err)
	}
	const rows = 5200 * 385
	size := file.Len()
	b.Run("inflate", func(b *testing.B) {
		start := cpu()
		for b.Loop() {
			r, err := stdgzip.NewReader(bytes.NewReader(file.Bytes()))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(cpu()-start)/float64(b.N)/rows, "cpu-ns/row")
	})
	b.Run("decode", func(b *testing.B) {
		d := flatfile.NewDecoder()
		runtime.GC()
		start := cpu()
		for b.Loop() {
			batch, notes, err := d.Decode(flatfile.Source{Dataset: flatfile.Minute, Session: date(b, "2024-03-07"),
				Reader: bytes.NewReader(file.Bytes()), Size: int64(size)})
			if err != nil || len(notes) > 0 || len(batch.Time) != rows {
				b.Fatal(err, notes, len(batch.Time))
			}
		}
		b.ReportMetric(float64(cpu()-start)/float64(b.N)/rows, "cpu-ns/row")
		b.ReportMetric(float64(size)/rows, "B/row")
	})
}

// cpu time of the process, all threads.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
