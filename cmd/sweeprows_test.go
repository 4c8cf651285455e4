//go:build unix

package cmd_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A sweep that goes on tells what the whole of it came to: best rows, counts and surface are those of a sweep that
// nobody interrupted, also where the best row was played before.
func TestResumedSweepsTellOfAllRows(t *testing.T) {
	d := newDesk(t, "BACKTESTER_HISTORY=off")
	d.write("my.yaml", `
params: {n: 3..12, m: [20, 30, 40, 5]}
entry: sma(close, n) > sma(close, m)
exit: sma(close, n) < sma(close, m)
search: {min_trades: 20, samples: 30}
`)
	paths := regexp.MustCompile(`(?m)^path .*\n`)
	for _, c := range []struct {
		name, args string
		keeps      bool // every row, so that there is a surface
	}{
		{"grid", "", true},
		{"each symbol alone", "--independent --symbols MKT,LATE", true},
		{"random", "--method random", true},
		{"tpe", "--method tpe", true},
		{"require", "--set require=sharpe>0.4", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := strings.Fields("sweep my.yaml --symbols MKT " + c.args)
			whole := d.run(append(args, "--out", "whole.csv")...)
			rows := d.read("whole.csv")
			var state map[string]any
			if err := json.Unmarshal([]byte(d.read("whole.csv.state")), &state); err != nil {
				t.Fatal(err)
			}
			at := cutBehind(rows, (strings.Count(rows, "\n")-1)/4*2) // of two symbols, both rows
			last := rows[strings.LastIndexByte(rows[:at-1], '\n')+1 : at]
			d.run("sweep", "my.yaml", "--symbols", "MKT", "--out", "every.csv")
			next := strings.Count(rows[:at], "\n") - 1
			switch every := d.read("every.csv"); {
			case !c.keeps:
				next = strings.Count(every[:strings.Index(every, last)], "\n")
			case strings.Contains(c.args, "--independent"):
				next /= 2
			}
			state["next"], state["bytes"] = next, at
			b, err := json.Marshal(state)
			if err != nil {
				t.Fatal(err)
			}
			d.write("rows.csv", rows)
			d.write("rows.csv.state", string(b))
			resumed := d.run(append(args, "--out", "rows.csv", "--resume")...)
			if d.read("rows.csv") != rows {
				t.Error("the rows are others")
			}
			found := regexp.MustCompile(`(?m)^\d+ of the combinations were in rows.csv already\n`)
			if found.MatchString(resumed) == (c.name == "tpe") {
				t.Errorf("how many rows were there before is not told, or of a search that began anew:\n%s", resumed)
			}
			if !c.keeps {
				whole, _, _ = strings.Cut(whole, "plateau")
				whole += "the surface is not drawn: the rows that require leaves out are not in rows.csv\n"
				if !strings.Contains(whole, "kept") || strings.Contains(resumed, "plateau") {
					t.Errorf("whole:\n%s\nresumed:\n%s", whole, resumed)
				}
			}
			if want, got := paths.ReplaceAllString(whole, ""), paths.ReplaceAllString(found.ReplaceAllString(resumed, ""), ""); want != got {
				t.Errorf("whole:\n%s\nresumed:\n%s", want, got)
			}
		})
	}
}

// cutBehind is the length of the header and n rows.
func cutBehind(rows string, n int) int {
	at := 0
	for range n + 1 {
		at += strings.IndexByte(rows[at:], '\n') + 1
	}
	return at
}

// What an interrupted search by tpe had played is a row of the history until it goes on.
func TestResumedTPEIsOneRow(t *testing.T) {
	d := newDesk(t)
	d.write("my.yaml", "params: {n: 3..40, m: 41..80}\nentry: sma(close, n) > sma(close, m)\nexit: sma(close, n) < sma(close, m)\nsearch: {method: tpe, samples: 900}\n")
	args := strings.Fields("sweep my.yaml --symbols ACME --check 0 --out rows.csv --resume")
	c, faults := d.start(d.name, args...)
	for next := 0; next == 0; next = nextOf(d) {
		time.Sleep(time.Millisecond)
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Log(err)
	}
	_ = c.Wait() // how it ended is looked at below
	if c.ProcessState.ExitCode() != 130 || !strings.Contains(faults.String(), "--resume goes on with the rest") {
		t.Fatalf("exit code %d, %s", c.ProcessState.ExitCode(), faults)
	}
	if rows := d.run("history", "ls", "--format", "json"); strings.Count(rows, `"run_id"`) != 1 || !strings.Contains(rows, "cancelled") {
		t.Errorf("after the interruption: %s", rows)
	}
	d.run(args...)
	if rows := d.run("history", "ls", "--format", "json"); strings.Count(rows, `"run_id"`) != 1 || strings.Contains(rows, "cancelled") {
		t.Errorf("after it went on: %s", rows)
	}
}
