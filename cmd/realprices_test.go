package cmd_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"backtester/backtest"
	"backtester/cmd"
)

// Real prices: the S&P 500 index since 2000 as npm's vega-datasets carries it (fetched, not shipped).
// The built-in golden-cross is played on it by --bars and compared, fill by fill, with the few lines
// of plain arithmetic below, which share no code with the engine.
func TestGoldenCrossOnRealPrices(t *testing.T) {
	file := realPrices(t)
	res := runJSON(t, "run", "golden-cross", "--bars", "SPX="+file, "--format", "json")
	rows := readPrices(t, file)
	want, equity := goldenCross(rows)
	if len(want) < 10 {
		t.Fatalf("only %d fills expected: the arithmetic of the test is wrong", len(want))
	}
	if len(res.Fills) != len(want) {
		t.Fatalf("%d fills, want %d", len(res.Fills), len(want))
	}
	for i, w := range want {
		f := res.Fills[i]
		if f.Time != w.date || f.Side != w.side || f.Quantity != w.qty || !near(f.Price, w.price) || !near(f.Commission, w.fee) {
			t.Errorf("fill %d is %s %s %g at %g fee %g, want %+v", i, f.Time, f.Side, f.Quantity, f.Price, f.Commission, w)
		}
	}
	n := len(res.Equity.Value)
	if n != len(equity)+1 {
		t.Fatalf("%d points of equity for %d bars", n, len(equity))
	}
	for i, e := range equity {
		if !near(res.Equity.Value[i+1], e) {
			t.Fatalf("equity on %s is %.10g, want %.10g", rows[i].date, res.Equity.Value[i+1], e)
		}
	}
	// Sharpe from session returns, annualised by the square root of 252.
	mean, last := 0.0, 100_000.0
	returns := make([]float64, 0, len(equity))
	for _, e := range equity {
		returns = append(returns, e/last-1)
		mean += e/last - 1
		last = e
	}
	mean /= float64(len(returns))
	ss := 0.0
	for _, r := range returns {
		ss += (r - mean) * (r - mean)
	}
	sharpe := mean / math.Sqrt(ss/float64(len(returns)-1)) * math.Sqrt(252)
	if got, ok := res.Metrics.Get("sharpe"); !ok || !near(got, sharpe) {
		t.Errorf("sharpe %.12g, want %.12g", got, sharpe)
	}
}

type price struct {
	date        string
	open, close float64
}

type plainFill struct {
	date, side      string
	qty, price, fee float64
}

// goldenCross holds the index while its 50-day average is above its 200-day average: whole shares with
// all the money, decided at the close, filled at the next open with 2 bps of slippage and half a cent
// a share, at least a dollar.
func goldenCross(rows []price) (fills []plainFill, equity []float64) {
	average := func(i, n int) float64 {
		s := 0.0
		for _, r := range rows[i-n+1 : i+1] {
			s += r.close
		}
		return s / float64(n)
	}
	fee := func(q float64) float64 { return math.Max(1, 0.005*q) }
	most := func(cash, price float64) float64 {
		q := math.Floor(cash / price)
		for q*price+fee(q) > cash {
			q--
		}
		return q
	}
	cash, held, order := 100_000.0, 0.0, 0.0 // order: shares to buy, or -1 to sell
	for i, r := range rows {
		switch {
		case order > 0:
			p := r.open * 1.0002
			q := math.Min(order, most(cash, p))
			cash -= q*p + fee(q)
			held = q
			fills = append(fills, plainFill{r.date, "buy", q, p, fee(q)})
		case order < 0:
			p := r.open * 0.9998
			cash += held*p - fee(held)
			fills = append(fills, plainFill{r.date, "sell", held, p, fee(held)})
			held = 0
		}
		order = 0
		equity = append(equity, cash+held*r.close)
		if i < 199 || i == len(rows)-1 {
			continue
		}
		golden := average(i, 50) > average(i, 200)
		if golden && held == 0 {
			order = most(cash, r.close)
		} else if !golden && held > 0 {
			order = -1
		}
	}
	return fills, equity
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Max(1, math.Abs(b)) }

func runJSON(t *testing.T, args ...string) *backtest.Result {
	t.Helper()
	var out, errs bytes.Buffer
	dir := t.TempDir()
	streams := cmd.IO{Out: &out, Err: &errs, Environ: []string{"HOME=" + dir}, Now: func() time.Time { return time.Unix(1.7e9, 0) }}
	if code := cmd.Main(context.Background(), append(args, "--data-dir", dir, "--env-file", "none"), streams, "test"); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	res := &backtest.Result{}
	if err := json.Unmarshal(out.Bytes(), res); err != nil {
		t.Fatalf("%v in %.200s", err, out.String())
	}
	return res
}

func readPrices(t *testing.T, file string) []price {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var rows []price
	for _, l := range lines[1:] {
		open, err1 := strconv.ParseFloat(l[1], 64)
		closing, err2 := strconv.ParseFloat(l[4], 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("line %v", l)
		}
		rows = append(rows, price{l[0], open, closing})
	}
	return rows
}

// realPrices fetches sp500-2000.csv from the npm registry once and keeps it in .cache. Without npm or
// a registry the test is skipped, loudly.
func realPrices(t *testing.T) string {
	t.Helper()
	const want = "vega-datasets@3.2.1"
	cache, err := filepath.Abs("../.cache/real-prices")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cache, "package/data/sp500-2000.csv")
	if _, err := os.Stat(file); err == nil {
		return file
	}
	if err := os.MkdirAll(cache, 0o777); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("npm", "pack", want, "--silent", "--pack-destination", cache).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED on real prices: npm pack %s: %v %s", want, err, out)
	}
	archives, _ := filepath.Glob(filepath.Join(cache, "*.tgz"))
	if len(archives) == 0 {
		t.Fatal("npm pack left no archive")
	}
	if out, err := exec.Command("tar", "xzf", archives[0], "-C", cache, "package/data/sp500-2000.csv").CombinedOutput(); err != nil {
		t.Fatalf("unpack: %v %s", err, out)
	}
	return file
}
