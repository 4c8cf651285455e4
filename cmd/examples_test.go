package cmd_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// exampleTexts are what the examples of the command reference name, beside what exampleFiles makes with the program.
var exampleTexts = map[string]string{
	"my.yaml": `name: pullback
data: {bars: 1d, from: 2021-01-01, to: 2024-12-31}
universe: {symbols: [ACME]}
params:
  n: {default: 20, values: [20, 30]}
  fast: {default: 10, values: [10, 20]}
  slow: {default: 50, values: [50, 100]}
entry: sma(close, fast) > sma(close, slow) and close > sma(close, n)
exit: sma(close, fast) < sma(close, slow)
costs: {commission: {per_share: 0.005, min: 1}, slippage: {bps: 2}}
`,
	"old.json":                           `{"name": "Old idea", "symbols": ["ACME"], "entryConditions": [{"type": "rsi", "comparison": "below", "target": 10}]}`,
	"from-the-api.json":                  `{"name": "mine", "entry": "close > sma(close, 20)", "exit": "close < sma(close, 20)"}`,
	"d_us_txt/data/daily/us/acme.us.txt": "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\nACME.US,D,20240102,000000,10,11,9,10.5,1000,0\n",
	"BTC.csv":                            "date,open,high,low,close,volume\n2024-01-06,1,2,1,2,10\n2024-01-07,2,3,2,3,10\n",
	"spy.csv":                            "date,return\n2024-01-03,0.01\n2024-01-04,-0.02\n2024-01-05,0.005\n",
	"fund.csv":                           "date,return\n2024-01-03,0.02\n2024-01-04,-0.01\n2024-01-05,0.015\n",
}

// exampleFiles are made by the program itself, once.
const exampleFiles = `set -e
cp my.yaml a.yaml; cp my.yaml b.yaml
backtester data export --symbols ACME --from 2021-01-01 >prices.csv
cp prices.csv ACME.csv; cp prices.csv MKT.csv
backtester data actions SPLIT --format csv >actions.csv
(echo date,market; backtester data export --symbols MKT | awk -F, 'NR > 2 { print $2 "," $6 / p - 1 } { p = $6 }') >french.csv
mkdir results
backtester run golden-cross --symbols ACME --format json | tee a.json results/golden-cross.json >c.json
backtester run my.yaml --format json >b.json
`

// exampleBefore is what an example wants done in its folder first.
var exampleBefore = map[string]string{
	"backtester merge":                 "for i in 1 2; do backtester sweep my.yaml --shard $i/2 --out part$i.csv; done",
	"backtester sweep my.yaml --shard": "for i in 1 2 4 5 6 7 8; do backtester sweep my.yaml --shard $i/8 --out part$i.csv; done",
	"backtester strategy new":          "rm my.yaml",
	"backtester history":               "backtester run golden-cross --symbols ACME",
	"backtester backup":                "backtester backup create --to backups && mv backups/*.zst backups/one.tar.zst",
}

// exampleEnds are the exit codes of examples that rightly end with another than 0.
var exampleEnds = map[string]int{
	"backtester doctor":                                1, // nothing here is a server
	"backtester data compact":                          3, // the demo market needs none
	"backtester validate my.yaml --format json --fail": 5,
}

// exampleElsewhere are examples that want what a test does not have, and what runs them.
var exampleElsewhere = map[string]string{
	"backtester fetch":       "the vendor: the tests under .ci/s3",
	"backtester serve":       "a server that ends: README's test",
	"FLASK_ENV=production":   "a server that ends: the tests of serve",
	"backtester worker":      "a hub: farm.txtar",
	"nats-server":            "a hub: farm.txtar",
	"systemctl":              "a server: the test of the deployment guide",
	"cd /var/www/backtester": "a server: the test of the deployment guide",
}

// starting gives the value of the longest key that line starts with.
func starting[T any](table map[string]T, line string) (value T, ok bool) {
	longest := ""
	for key := range table {
		if strings.HasPrefix(line, key) && len(key) > len(longest) {
			longest, ok = key, true
		}
	}
	return table[longest], ok
}

// Every example of the command reference is run as it is printed, on the demo market in place of real tickers, each
// in a folder of its own with the files that it names. Of those that want a vendor or a server the flags are read.
func TestExamplesRun(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
	home := t.TempDir()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "BACKTESTER_DATA_DIR=" + filepath.Join(home, "data"),
		"BACKTESTER_RESULTS_DIR=" + filepath.Join(home, "results"), "PASSWORD=correct horse battery staple"}
	sh := func(dir, script string) (string, int) {
		t.Helper()
		c := exec.Command("sh", "-c", script)
		c.Dir, c.Env, c.Stdin = dir, env, strings.NewReader("correct horse battery staple\n")
		out, err := c.CombinedOutput()
		if c.ProcessState == nil {
			t.Fatal(err)
		}
		return string(out), c.ProcessState.ExitCode()
	}
	stock := t.TempDir()
	for name, text := range exampleTexts {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(stock, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(stock, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, code := sh(stock, exampleFiles); code != 0 {
		t.Fatalf("make the files of the examples: exit code %d\n%s", code, out)
	}
	lines := examples(t)
	for _, line := range lines {
		if why, ok := starting(exampleElsewhere, line); ok {
			if !strings.HasPrefix(line, "backtester ") {
				continue
			}
			if out, code := sh(stock, line+" --help"); code != 0 {
				t.Errorf("%s (it needs %s)\nexit code %d\n%s", line, why, code, out)
			}
			continue
		}
		if _, err := exec.LookPath("jq"); err != nil && strings.Contains(line, "| jq") {
			continue
		}
		if _, err := exec.LookPath("chromium"); err != nil && strings.Contains(line, "--pdf") {
			continue
		}
		dir := t.TempDir()
		before, _ := starting(exampleBefore, line)
		if out, code := sh(dir, fmt.Sprintf("cp -R %q/. . && { %s\n}", stock, cmp.Or(before, ":"))); code != 0 {
			t.Errorf("before %s: exit code %d\n%s", line, code, out)
		}
		run := strings.NewReplacer("AAPL", "ACME", "MSFT", "MKT", "XYZ", "ACME", "/mnt/backups", "backups",
			"/var/backups/backtester/backtester-20260102T031700Z.tar.zst", "backups/one.tar.zst").Replace(line)
		if strings.Contains(run, "01JD4ZQ8") {
			id, _ := sh(dir, "backtester history ls --limit 1 --format json 2>/dev/null | grep -oE '[0-9A-HJKMNP-TV-Z]{26}' | sed -n 1p")
			run = strings.ReplaceAll(run, "01JD4ZQ8", strings.TrimSpace(id))
		}
		want, _ := starting(exampleEnds, line)
		if out, code := sh(dir, run); code != want {
			t.Errorf("%s\nexit code %d, want %d\n%s", run, code, want, out)
		}
	}
	for _, key := range slices.Concat(slices.Collect(maps.Keys(exampleBefore)), slices.Collect(maps.Keys(exampleEnds)), slices.Collect(maps.Keys(exampleElsewhere))) {
		if !slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, key) }) {
			t.Errorf("no example starts with %q", key)
		}
	}
	if len(lines) < 100 {
		t.Errorf("%d examples: this test looks in the wrong place", len(lines))
	}
}

// examples are those of the command reference, in its order.
func examples(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("COMMANDS.md")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, part := range strings.Split(string(text), "\n### Examples\n")[1:] {
		_, part, _ = strings.Cut(part, "```\n")
		part, _, _ = strings.Cut(part, "\n```")
		for line := range strings.Lines(part) {
			if line = strings.TrimSpace(line); line != "" {
				list = append(list, line)
			}
		}
	}
	return list
}
