package cmd_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/cmd"
)

// A script that was written in hindsight, or reads a series that was, is told which bar and which value it
// knew.
func TestProveNamesWhatAScriptKnew(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	days := bar.NYSE().Sessions(instrument.NewDate(2020, 1, 1), instrument.NewDate(2021, 12, 31))
	r, price := rand.New(rand.NewPCG(5, 1)), 50.0
	prices := make([]float64, len(days))
	for i := range days {
		price *= 1 + 0.02*r.NormFloat64()
		prices[i] = price
	}
	var bars, told, series strings.Builder
	bars.WriteString("date,open,high,low,close,volume\n")
	series.WriteString("available,value\n")
	first := -1
	for i, d := range days {
		fmt.Fprintf(&bars, "%s,%[2]g,%[2]g,%[2]g,%[2]g,1000\n", d, prices[i])
		if i+1 == len(days) {
			break
		}
		fmt.Fprintf(&series, "%s,%g\n", d, prices[i+1]/prices[i]-1)
		if prices[i+1] > prices[i]*1.01 {
			fmt.Fprintf(&told, "%q, ", d)
			if first < 0 {
				first = i
			}
		}
	}
	csv := write("a.csv", bars.String())
	write("x.csv", series.String())
	trade := "      if not b.shares:\n        now.enter(b)\n    elif b.shares:\n      now.exit(b)\n"
	want := fmt.Sprintf("The decision of %s about A knew the close of A of %s, %g.", days[first], days[first+1], prices[first+1])
	for name, text := range map[string]string{
		"told.yaml": "script: |\n  days = [" + told.String() + "]\n  def on_bar(now):\n    b = now.bar(\"A\")\n    if str(now.date) in days:\n" + trade,
		"read.yaml": "series: {x: x.csv}\nsignals: {up: x > 0.01}\nscript: |\n  def on_bar(now):\n    b = now.bar(\"A\")\n    if b.up:\n" + trade,
	} {
		var out, errs bytes.Buffer
		code := cmd.Main(t.Context(), []string{"run", write(name, text), "--bars", "A=" + csv, "--prove"}, cmd.IO{Out: &out, Err: &errs, Now: time.Now, Environ: []string{"HOME=" + dir}}, "test")
		if code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("%s: exit code %d, want 1 and %q:\n%s%s", name, code, want, out.String(), errs.String())
		}
	}
}
