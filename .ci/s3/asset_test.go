package s3test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/cmd"
	"backtester/polygon/flatfile"
)

// commands of the program in one home, on the clock of 2024-03-09.
type commands struct {
	t    *testing.T
	home string
	v    *vendor
}

func (c commands) run(want int, args ...string) (stdout, stderr string) {
	c.t.Helper()
	var out, faults bytes.Buffer
	streams := cmd.IO{In: strings.NewReader(""), Out: &out, Err: &faults, Width: 160,
		Now: func() time.Time { return time.Date(2024, 3, 9, 12, 0, 0, 0, time.UTC) },
		Environ: []string{"HOME=" + c.home, "LANG=C.UTF-8", "BACKTESTER_DATA_DIR=" + filepath.Join(c.home, "data"),
			"BACKTESTER_S3_ENDPOINT=" + endpoint, "BACKTESTER_S3_BUCKET=" + c.v.name, "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey}}
	if code := cmd.Main(context.Background(), append(args, "--env-file", "none"), streams, "v1"); code != want {
		c.t.Fatalf("%v: exit code %d, want %d\n%s%s", args, code, want, out.String(), faults.String())
	}
	return out.String(), faults.String()
}

// fillAsset puts days and minutes of two symbols into the bucket, on all sessions of the class from
// 2024-01-02 to 2024-03-08; minutes every 15 of each session's hours. Files of dates that are none are there, too.
func (v *vendor) fillAsset(a flatfile.Asset, symbols ...string) (sessions []instrument.Date) {
	from, to := instrument.NewDate(2024, 1, 2), instrument.NewDate(2024, 3, 8)
	for d := from; d <= to; d++ {
		open, closing, _, ok := a.Calendar().Hours(d)
		if ok {
			sessions = append(sessions, d)
		} else if a != flatfile.Indices && a != flatfile.Forex {
			continue
		} else {
			open, closing = d.Nanos(), d.Nanos()+3600e9
		}
		days := store.Batch{Session: d, Start: []int32{0}, NoVolume: a == flatfile.Indices}
		minutes := days
		minutes.Start = []int32{0}
		add := func(b *store.Batch, at int64, p float64) {
			volume := 100.5
			if b.NoVolume {
				volume = math.NaN()
			}
			b.Time, b.Volume, b.Transactions = append(b.Time, at), append(b.Volume, volume), append(b.Transactions, 3)
			b.Open, b.High, b.Low, b.Close = append(b.Open, p), append(b.High, p+1), append(b.Low, p-1), append(b.Close, p+0.5)
		}
		for k, name := range symbols {
			p := 100*float64(k+1) + 10*math.Sin(float64(d-from)/5)
			days.Symbols, minutes.Symbols = append(days.Symbols, name), append(minutes.Symbols, name)
			add(&days, a.Calendar().Midnight(d), p)
			n := 0
			for at := open; at < closing; at += 15 * 60e9 {
				add(&minutes, at, p)
				n++
			}
			if !days.NoVolume {
				days.Volume[k] = 100.5 * float64(n)
			}
			days.Start, minutes.Start = append(days.Start, int32(len(days.Time))), append(minutes.Start, int32(len(minutes.Time)))
		}
		for unit, b := range map[flatfile.Dataset]store.Batch{flatfile.Day: days, flatfile.Minute: minutes} {
			var body bytes.Buffer
			ds := flatfile.Of(a, unit)
			if err := flatfile.Write(&body, ds, b); err != nil {
				v.t.Fatal(err)
			}
			v.put(flatfile.Key(ds, d), body.Bytes())
		}
	}
	return sessions
}

// Every class goes all the way: fetched, stored on the calendar of its market, checked, run by days and by
// hours of its sessions, reported.
func TestAssetsAllTheWay(t *testing.T) {
	for _, x := range []struct {
		asset   flatfile.Asset
		symbols []string
		perYear float64
		hours   []string // at which the bars of an hour of 2024-02-05, a Monday, begin
		warned  string
	}{
		{flatfile.Crypto, []string{"X:BTCUSD", "X:ETHUSD"}, 365, []string{"2024-02-05T00:00:00Z", "2024-02-05T23:00:00Z"}, ""},
		{flatfile.Forex, []string{"C:EUR-USD", "C:USD-JPY"}, 313, []string{"2024-02-05T00:00:00Z", "2024-02-05T23:00:00Z"}, "foreign_currency"},
		{flatfile.Options, []string{"O:SPY251219C00650000", "O:SPY251219P00650000"}, 252, []string{"2024-02-05T14:30:00Z", "2024-02-05T20:30:00Z"}, "options_as_shares"},
		{flatfile.Indices, []string{"I:NDX", "I:SPX"}, 252, []string{"2024-02-05T14:30:00Z", "2024-02-05T20:30:00Z"}, "index_traded"},
	} {
		t.Run(string(x.asset), func(t *testing.T) {
			v := newVendor(t, 0)
			sessions := v.fillAsset(x.asset, x.symbols...)
			c := commands{t, t.TempDir(), v}
			out, faults := c.run(0, "fetch", "--asset", string(x.asset), "--dataset", "day,minute", "--from", "2024-01-02")
			if faults != "" || strings.Count(out, fmt.Sprint(len(sessions))) < 2 {
				t.Errorf("fetch: %s%s", out, faults)
			}
			name := string(x.asset)
			out, _ = c.run(0, "data", "check", "--store", name, "--format", "json")
			if !strings.Contains(out, `"OK": 2`) {
				t.Errorf("check: %s", out)
			}
			strategy := filepath.Join(c.home, "buy.yaml")
			if err := os.WriteFile(strategy, []byte("name: buy\nentry: close > sma(close, 5)\nexit: close < sma(close, 5)\nsize: {fractional: true, weight: 0.2}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			result := filepath.Join(c.home, "results")
			c.run(0, "run", strategy, "--store", name, "--out", result)
			out, _ = c.run(0, "run", strategy, "--store", name, "--format", "json")
			var r struct {
				Data     struct{ Bars int }
				Metrics  map[string]any
				Equity   struct{ Time []string }
				Fills    []struct{ Time string }
				Warnings []struct{ Code string }
			}
			if err := json.Unmarshal([]byte(out), &r); err != nil {
				t.Fatal(err)
			}
			if r.Data.Bars != 2*len(sessions) || r.Metrics["periods_per_year"] != x.perYear || len(r.Equity.Time) != len(sessions)+1 || len(r.Fills) == 0 {
				t.Errorf("run by days: %d bars of %d sessions, %v a year, %d points, %d fills", r.Data.Bars, len(sessions), r.Metrics["periods_per_year"], len(r.Equity.Time), len(r.Fills))
			}
			if x.warned != "" && !slices.ContainsFunc(r.Warnings, func(w struct{ Code string }) bool { return w.Code == x.warned }) {
				t.Errorf("warnings %v lack %s", r.Warnings, x.warned)
			}
			r.Equity.Time = nil
			out, _ = c.run(0, "data", "export", "--store", name, "--symbols", x.symbols[0], "--frame", "1h", "--format", "csv", "--from", "2024-02-05", "--to", "2024-02-05")
			for _, hour := range x.hours {
				if !strings.Contains(out, hour) {
					t.Errorf("no bar of an hour at %s: %s", hour, out)
				}
			}
			out, _ = c.run(0, "run", strategy, "--store", name, "--set", "data.bars=1h", "--format", "json")
			if err := json.Unmarshal([]byte(out), &r); err != nil || r.Metrics["periods_per_year"] != x.perYear {
				t.Errorf("run by hours: %v a year, %v", r.Metrics["periods_per_year"], err)
			}
			files, _ := filepath.Glob(filepath.Join(result, "*.json"))
			if len(files) != 1 {
				t.Fatalf("results %v", files)
			}
			if out, _ = c.run(0, "report", files[0]); !strings.Contains(out, "buy") {
				t.Errorf("report: %s", out)
			}
		})
	}
}

// Currencies have no session on Saturdays, and short ones at both ends of the week.
func TestForexWeek(t *testing.T) {
	v := newVendor(t, 0)
	v.fillAsset(flatfile.Forex, "C:EUR-USD")
	c := commands{t, t.TempDir(), v}
	c.run(0, "fetch", "--asset", "forex", "--from", "2024-01-02")
	out, _ := c.run(0, "data", "calendar", "--store", "forex", "--from", "2024-02-01", "--to", "2024-02-05", "--format", "csv")
	want := "date,weekday,open,close,early\n" +
		"2024-02-01,Thursday,2024-02-01T00:00:00Z,2024-02-02T00:00:00Z,false\n" +
		"2024-02-02,Friday,2024-02-02T00:00:00Z,2024-02-02T22:00:00Z,false\n" +
		"2024-02-04,Sunday,2024-02-04T22:00:00Z,2024-02-05T00:00:00Z,false\n" +
		"2024-02-05,Monday,2024-02-05T00:00:00Z,2024-02-06T00:00:00Z,false\n"
	if out != want {
		t.Errorf("%s\nwant\n%s", out, want)
	}
}
