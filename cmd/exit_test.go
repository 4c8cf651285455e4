package cmd

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/stats"
	"backtester/backtest/strategy"
	"backtester/polygon"
)

func TestExitCodes(t *testing.T) {
	_, faults := strategy.Parse("x.yaml", []byte("sise: 1"))
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("disk full"), 1},
		{usagef("no such flag"), 2},
		{faults.Err(), 2},
		{&faultsError{faults, nil}, 2},
		{errors.Join(nil, &faultsError{faults, nil}), 2},
		{fmt.Errorf("open: %w", bar.ErrNoData), 3},
		{input(errors.New("read x.csv line 3: close is no number")), 2},
		{input(fmt.Errorf("read x.csv: it has a header but no bars: %w", bar.ErrNoData)), 3},
		{input(fmt.Errorf("read x.csv: %w", stats.ErrNoRows)), 3},
		{input(nil), 0},
		{&backtest.NoDataError{Err: bar.ErrNoData}, 3},
		{fmt.Errorf("day 2024-01-02: %w", polygon.ErrForbidden), 4},
		{fmt.Errorf("list: %w", polygon.ErrUnauthorized), 4},
		{&codeError{5}, 5},
		{unsafef("serve on 0.0.0.0"), 78},
		{&unsafeError{usagef("bad setting")}, 78},
		{fmt.Errorf("fetch: %w", context.Canceled), 130},
		{errors.Join(&codeError{5}, errors.Join(bar.ErrNoData, usagef("x"))), 2},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestWorst(t *testing.T) {
	for _, c := range []struct {
		codes []int
		want  int
	}{
		{nil, 0}, {[]int{0, 0}, 0}, {[]int{0, 5, 0}, 5}, {[]int{5, 3}, 3}, {[]int{3, 2, 5}, 2}, {[]int{2, 1}, 1}, {[]int{1, 130, 3}, 130},
	} {
		if got := worst(c.codes...); got != c.want {
			t.Errorf("worst of %v is %d, want %d", c.codes, got, c.want)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"run", "report", "preview", "strategy"}
	for word, want := range map[string]string{
		"rn": " (did you mean run?)", "reprot": " (did you mean report?)", "Preview": " (did you mean preview?)",
		"startegy": " (did you mean strategy?)", "banana": "", "": "",
	} {
		if got := suggest(word, known); got != want {
			t.Errorf("suggest(%q) is %q, want %q", word, got, want)
		}
	}
}

func TestFileNames(t *testing.T) {
	result := func(name string, symbols ...string) *backtest.Result {
		return &backtest.Result{Strategy: name, Data: backtest.DataInfo{Symbols: symbols}}
	}
	got := fileNames([]*backtest.Result{
		result("up", "BCpC"), result("up", "BCPC"), result("up", "A", "B"), result("../../etc/passwd", "A", "B"), result("", "A", "B"),
	})
	want := []string{"up-BCpC", "up-BCPC-2", "up", "etc-passwd", "unnamed"}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("file name %d is %q, want %q", i, got[i], want[i])
		}
	}
}
