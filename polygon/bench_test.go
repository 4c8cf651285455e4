package polygon_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/flatfile"
)

// minutes of a session for many tickers: random walks in cents, as the vendor's files are shaped.
func minutes(d instrument.Date, tickers, rows int) store.Batch {
	rng := rand.New(rand.NewPCG(uint64(d), 2))
	b := store.Batch{Session: d, Start: []int32{0}}
	open, _, _, _ := bar.NYSE().Hours(d)
	for k := range tickers {
		b.Symbols = append(b.Symbols, fmt.Sprintf("T%05d", k))
		cents := 1000 + rng.Int64N(30000)
		for m := range rows {
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

// BenchmarkLoadMinutes brings minute files of the whole market (5,200 tickers x 385 minutes, 2M rows
// each) from gzip to a committed store: one session, and sixteen of one month. It prints the CPU time of
// all threads, kernel included, beside that of zcat of the same files.
func BenchmarkLoadMinutes(b *testing.B) {
	raw := b.TempDir()
	const rows = 5200 * 385
	var files []string
	for _, d := range bar.NYSE().Sessions(day("2024-03-01"), day("2024-03-22")) {
		key := flatfile.Key(flatfile.Minute, d)
		put(b, raw, key, encode(b, flatfile.Minute, minutes(d, 5200, 385)))
		files = append(files, filepath.Join(raw, filepath.FromSlash(key)))
	}
	for _, n := range []int{1, len(files)} {
		one := b.TempDir()
		for _, f := range files[:n] {
			rel, _ := filepath.Rel(raw, f)
			to := filepath.Join(one, rel)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.Link(f, to); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(fmt.Sprintf("zcat/%d", n), func(b *testing.B) {
			var spent time.Duration
			for b.Loop() {
				cmd := exec.Command("zcat", files[:n]...)
				cmd.Stdout = io.Discard
				if err := cmd.Run(); err != nil {
					b.Skip(err)
				}
				spent += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(spent)/float64(b.N)/float64(n*rows), "cpu-ns/row")
		})
		b.Run(fmt.Sprintf("load/%d", n), func(b *testing.B) {
			start := cpu()
			for b.Loop() {
				to := b.TempDir()
				s, err := polygon.Load(b.Context(), polygon.LoadOptions{RawDir: one, StoreDir: to})
				if err != nil || s.Bars[0].Rows != int64(n*rows) {
					b.Fatal(err, s.Bars)
				}
				if err := os.RemoveAll(to); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N)/float64(n*rows), "cpu-ns/row")
			b.ReportMetric(peak(b), "peak-MB")
		})
	}
}

// cpu time of the process, all threads.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory the process ever had in use, mapped files included, as Linux counts it.
func peak(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		b.Log(err)
	}
	return kb / 1000
}
