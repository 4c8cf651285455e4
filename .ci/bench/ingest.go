package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/flatfile"
)

// A session of minutes of the whole market.
const (
	ingestTickers = 5_200
	ingestMinutes = 385
	ingestDate    = "2024-03-07"
)

// ingest brings a gzip-compressed flat file of 2 million minutes into a store, committed and synced,
// beside zcat of the same file and beside pandas, polars and DuckDB, which read it and put it in the
// order of tickers and time.
func ingest(python string) ([]row, error) {
	const name = "ingest: 2M-row gz flat file"
	raw := dir("raw")
	path, want, err := flatFile(raw)
	if err != nil {
		return nil, err
	}
	zcat, err := timedProcess(5, "zcat", path)
	if err != nil {
		return nil, err
	}
	folder := dir("ingest")
	defer os.RemoveAll(folder)
	ours, err := timed(5, func() error {
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
		_, err := polygon.Load(context.Background(), polygon.LoadOptions{RawDir: raw, StoreDir: folder})
		return err
	})
	if err != nil {
		return nil, err
	}
	got, err := digestStore(folder)
	if err != nil {
		return nil, err
	}
	if *got != *want {
		return nil, fmt.Errorf("the store holds %+v, the file %+v", *got, *want)
	}
	rows := []row{
		{scenario: name, who: "zcat > /dev/null", cpu: zcat, equal: "-", first: ours},
		{scenario: name, who: "backtester, to the store", cpu: ours, goal: zcat, equal: "-", first: ours},
	}
	if python == "" {
		return rows, nil
	}
	if python, err = installReaders(); err != nil {
		fmt.Fprintln(os.Stderr, "bench: pandas, polars and DuckDB cannot be had:", err)
		return rows, nil
	}
	for _, peer := range []string{"pandas", "polars", "duckdb"} {
		theirs, cpu, err := callReader(python, peer, path)
		if err != nil {
			return nil, err
		}
		r := row{scenario: name, who: peer + ", to memory", cpu: cpu, first: ours, equal: "yes"}
		if *theirs != *want {
			r.cpu, r.equal = 0, fmt.Sprintf("no: %+v", *theirs)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// month brings eight sessions of minutes, 16 million rows, into a store: on one processor and on two, each in
// a process of its own. Its largest memory is what a fetch of any range needs; files of the store that it has
// mapped count besides, whose pages the system takes back when it needs them.
func month(string) ([]row, error) {
	const name = "ingest: 8 files of 2M rows"
	raw := dir("month/raw")
	defer os.RemoveAll(dir("month"))
	session, err := instrument.ParseDate(ingestDate)
	if err != nil {
		return nil, err
	}
	rows := int64(0)
	for range 8 {
		_, d, err := flatFileOf(raw, session)
		if err != nil {
			return nil, err
		}
		rows, session = rows+d.Rows, bar.NYSE().Next(session)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var cpus, walls [2]float64
	var own, most int64
	for k := range 2 {
		c := exec.Command(self, "-load", raw)
		c.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", k+1))
		start := time.Now()
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			return nil, err
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		for running := true; running; {
			select {
			case err := <-ended:
				if err != nil {
					return nil, fmt.Errorf("%s: %w", c, err)
				}
				running = false
			case <-time.After(5 * time.Millisecond):
				own = max(own, memoryOf(c.Process.Pid, "RssAnon:"))
			}
		}
		walls[k] = time.Since(start).Seconds()
		cpus[k] = (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()
		most = max(most, c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss>>10)
	}
	fmt.Printf("%s, %d M rows: %.1f s on one processor, %.1f s on two (%.2f times as fast); largest memory %d MiB (goal < 512), %d MiB with mapped files\n",
		name, rows/1e6, walls[0], walls[1], walls[0]/walls[1], own>>10, most)
	return []row{
		{scenario: name, who: "backtester, one processor", cpu: cpus[0], equal: "-", first: cpus[0]},
		{scenario: name, who: "backtester, two", cpu: cpus[1], equal: "-", first: cpus[0]},
	}, nil
}

// loadFiles puts the flat files of a folder into a store of its own beside it.
func loadFiles(raw string) error {
	folder := filepath.Join(filepath.Dir(raw), "store")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	_, err := polygon.Load(context.Background(), polygon.LoadOptions{RawDir: raw, StoreDir: folder})
	return err
}

// digest is what must be equal whoever reads the file. The sums are of whole numbers, exact in any order.
type digest struct {
	Rows    int64   `json:"rows"`
	Tickers int     `json:"tickers"`
	Volume  float64 `json:"volume"`
	Cents   float64 `json:"cents"` // of closes
}

// flatFile writes the file, in the vendor's format, and says what is in it.
func flatFile(raw string) (string, *digest, error) {
	session, err := instrument.ParseDate(ingestDate)
	if err != nil {
		return "", nil, err
	}
	return flatFileOf(raw, session)
}

func flatFileOf(raw string, session instrument.Date) (string, *digest, error) {
	r := rand.New(rand.NewPCG(1, 2))
	b := store.Batch{Session: session, Start: []int32{0}}
	d := &digest{Rows: ingestTickers * ingestMinutes, Tickers: ingestTickers}
	open, _, _, _ := bar.NYSE().Hours(session)
	for k := range ingestTickers {
		b.Symbols = append(b.Symbols, fmt.Sprintf("T%05d", k))
		cents := 1000 + r.Int64N(30000)
		for m := range ingestMinutes {
			o, c := cents, max(100, cents+r.Int64N(21)-10)
			h, l := max(o, c)+r.Int64N(8), max(1, min(o, c)-r.Int64N(8))
			v := 1 + r.Int64N(20000)
			b.Time = append(b.Time, open+int64(m)*60e9)
			b.Open, b.Close = append(b.Open, float64(o)/100), append(b.Close, float64(c)/100)
			b.High, b.Low = append(b.High, float64(h)/100), append(b.Low, float64(l)/100)
			b.Volume, b.Transactions = append(b.Volume, float64(v)), append(b.Transactions, 1+r.Int64N(300))
			d.Volume, d.Cents, cents = d.Volume+float64(v), d.Cents+float64(c), c
		}
		b.Start = append(b.Start, int32(len(b.Time)))
	}
	path := filepath.Join(raw, filepath.FromSlash(flatfile.Key(flatfile.Minute, session)))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", nil, err
	}
	f, err := os.Create(path)
	if err != nil {
		return "", nil, err
	}
	return path, d, errors.Join(flatfile.NewEncoder(6).Encode(f, flatfile.Minute, b), f.Close())
}

// digestStore sums up what the store gives back.
func digestStore(folder string) (*digest, error) {
	s, err := store.Open(folder)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	d := &digest{}
	all, err := s.Coverage(context.Background(), bar.Minutely)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		x, err := s.Load(context.Background(), bar.Request{Symbol: c.Instrument.Ticker, Frame: bar.Minutely, From: c.First, To: c.Last, Session: bar.Extended})
		if err != nil {
			return nil, err
		}
		d.Tickers++
		d.Rows += int64(x.Len())
		for i, v := range x.Volume {
			d.Volume += v
			d.Cents += float64(int64(x.Close[i]*100 + 0.5))
		}
	}
	return d, nil
}

// timedProcess gives the least CPU time of n runs of a command whose output is thrown away.
func timedProcess(n int, name string, args ...string) (float64, error) {
	least := 0.0
	for i := range n {
		c := exec.Command(name, args...)
		if err := c.Run(); err != nil {
			return 0, fmt.Errorf("%s: %w", c, err)
		}
		if t := (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(); i == 0 || t < least {
			least = t
		}
	}
	return least, nil
}

// installReaders makes a virtual environment with the libraries, once.
func installReaders() (python string, err error) {
	python = ".cache/formats/bin/python"
	if exec.Command(python, "-c", "import pandas, polars, duckdb, pyarrow").Run() == nil {
		return python, nil
	}
	fmt.Fprintln(os.Stderr, "bench: installing pandas, polars and duckdb into .cache/formats")
	for _, args := range [][]string{{"python3", "-m", "venv", ".cache/formats"}, {".cache/formats/bin/pip", "install", "-q", "pandas", "polars", "duckdb", "pyarrow"}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
	}
	return python, nil
}

// callReader lets a library read the file, and gives what it saw and the CPU time of reading.
func callReader(python, peer, path string) (*digest, float64, error) {
	c := exec.Command(python, ".ci/bench/readers.py", peer, path)
	out, err := c.Output()
	if err != nil {
		var ee *exec.ExitError
		if errors.As(err, &ee) {
			return nil, 0, fmt.Errorf("%s: %w\n%s", c, err, ee.Stderr)
		}
		return nil, 0, fmt.Errorf("%s: %w", c, err)
	}
	answer := struct {
		digest
		CPU float64 `json:"cpu"`
	}{}
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, 0, fmt.Errorf("read what %s printed: %w", peer, err)
	}
	return &answer.digest, answer.CPU, nil
}
