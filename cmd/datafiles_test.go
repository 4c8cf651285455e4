package cmd_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"backtester/backtest/instrument"
	"backtester/cmd"
	"backtester/polygon"
	"backtester/polygon/flatfile"
)

// With --files the audit names what is wrong in the downloads themselves: a day stamped with the next
// one, as the vendor's file of 2019-08-12, rows that cannot be, and a file that is cut off.
func TestCheckReadsFilesAgain(t *testing.T) {
	dir := t.TempDir()
	const head = "ticker,volume,open,close,high,low,window_start,transactions\n"
	put := func(date, rows string, cut int) {
		d, err := instrument.ParseDate(date)
		if err != nil {
			t.Fatal(err)
		}
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write([]byte(head + rows))
		w.Close()
		path := filepath.Join(dir, "raw", filepath.FromSlash(flatfile.Key(flatfile.Day, d)))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, z.Bytes()[:z.Len()-cut], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// 04:00 UTC is midnight in New York in summer; 1565668800 is that of 2019-08-13.
	put("2019-08-09", "A,10,1,1,1,1,1565323200000000000,1\nB,10,1,1,1,1,1565323200000000000,1\n", 0)
	put("2019-08-12", "A,10,1,1,1,1,1565668800000000000,1\nB,10,1,1,1,1,1565582400000000000,1\n", 0)
	put("2019-08-13", "A,10,1,1,1,1,1565668800000000000,1\nB,10,1,9,1,1,1565668800000000000,1\n", 0)
	polygon.Load(context.Background(), polygon.LoadOptions{RawDir: filepath.Join(dir, "raw"), StoreDir: filepath.Join(dir, "store")}) // its error is about B
	put("2019-08-14", "A,10,1,1,1,1,1565755200000000000,1\n", 8)

	check := func(args ...string) (int, string) {
		var out, faults bytes.Buffer
		streams := cmd.IO{In: strings.NewReader(""), Out: &out, Err: &faults, Now: time.Now, Environ: []string{"HOME=" + dir}}
		code := cmd.Main(context.Background(), append([]string{"data", "check", "--data-dir", dir, "--env-file", "none"}, args...), streams, "test")
		return code, out.String() + faults.String()
	}
	if code, out := check(); code != 0 {
		t.Errorf("what is stored is right, exit code %d\n%s", code, out)
	}
	code, out := check("--files")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{
		`\(market\) +FAIL +file_damaged +fail +1 .*2019-08-14`,
		`\(market\) +FAIL +file_rows +fail +1 .*2019-08-13 .*bad_price`,
		`\(market\) +FAIL +wrong_date +warn +1 .*2019-08-12 .*wrong_date`,
		`2 symbols: 2 OK, 0 WARN, 0 FAIL; overall FAIL`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}
