package cmd_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The whole program takes no more than --memory says, the pages of stored files aside.
func TestSweepKeepsToItsMemory(t *testing.T) {
	d := newDesk(t, "BACKTESTER_HISTORY=off")
	d.write("my.yaml", `
params: {n: 5..14, level: [20, 25, 30, 35, 40], k: [2, 4]}
entry: {when: "rsi(close, n) < level", order: limit, price: close * (1 - k / 1000)}
exit: close > sma(close, 20)
`)
	allowed := int64(72 << 20)
	err := filepath.WalkDir(demoData(t), func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		allowed += info.Size()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	c, faults := d.start(d.name, strings.Fields("sweep my.yaml --independent --out rows.csv --memory 72MiB")...)
	most, seen := int64(0), regexp.MustCompile(`VmHWM:\s*(\d+) kB`)
	for { // what a process has taken is known while it runs
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
		m := seen.FindSubmatch(status)
		if err != nil || m == nil {
			break
		}
		if kib, _ := strconv.ParseInt(string(m[1]), 10, 64); strings.Contains(string(status), "Name:\tbacktester") {
			most = kib << 10
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, faults)
	}
	if t.Logf("%d MiB", most>>20); most == 0 || most > allowed {
		t.Errorf("it took %d MiB, allowed are %d", most>>20, allowed>>20)
	}
}
