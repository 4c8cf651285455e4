package job

import (
	"context"
	"fmt"
	"sync"
	"time"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
)

// Limits of work; 0 is no limit.
type Limits struct {
	Symbols     int           // of one run
	Bars        int64         // of one run, warm-up aside
	Memory      int64         // bytes, by the estimate made before a run
	Wall        time.Duration // of one run
	UserRunning int
	UserQueued  int
	Queued      int
	UserStorage int64 // bytes of artifacts of one owner
	FreeDisk    int64 // bytes below which nothing new is taken
}

// DefaultLimits are for a server that strangers share.
func DefaultLimits() Limits {
	return Limits{Symbols: 20_000, Bars: 60_000_000, Memory: 2 << 30, Wall: 30 * time.Minute, UserRunning: 2, UserQueued: 20, Queued: 200,
		UserStorage: 5 << 30, FreeDisk: 1 << 30}
}

// LimitError says which limit was met, where it lies and what was asked for.
type LimitError struct {
	Code        string // limit-exceeded: never; queue-full, disk-full: later
	Limit, Unit string
	Most, Value int64
}

func (e *LimitError) Error() string {
	if e.Code == codeDiskFull {
		return fmt.Sprintf("there is too little room on the disk: %d %s are free, new work needs %d", e.Value, e.Unit, e.Most)
	}
	return fmt.Sprintf("%s: %d %s, at most %d", e.Limit, e.Value, e.Unit, e.Most)
}

// Codes of LimitErrors.
const (
	codeLimit     = "limit-exceeded"
	codeQueueFull = "queue-full"
	codeDiskFull  = "disk-full"
)

func over(code, limit, unit string, most, value int64) error {
	if most <= 0 || value <= most {
		return nil
	}
	return &LimitError{code, limit, unit, most, value}
}

// bytesPerBar is what a bar of a run takes in memory at most: five columns and a time, each loaded and
// restated, and a dozen columns of expressions.
const bytesPerBar = 200

// measure looks at the data of a run before it is taken: symbols that nothing is known of, and what the
// run would take.
func (s *Service) measure(ctx context.Context, cfg *backtest.Config, data *Data) error {
	held, err := data.Coverage(ctx, cfg.Data.Bars)
	if err != nil {
		return err
	}
	asked := make(map[string]bool, len(cfg.Universe.Symbols))
	for _, name := range cfg.Universe.Symbols {
		asked[name] = true
	}
	if err := over(codeLimit, "symbols of a run", "symbols", int64(s.Limits.Symbols), int64(len(asked))); err != nil {
		return err // known or not
	}
	from, to := bar.Request{From: cfg.Data.From, To: cfg.Data.To}.Bounds()
	symbols, bars, stored := 0, int64(0), map[string]string{}
	for _, c := range held {
		if len(cfg.Universe.Symbols) > 0 && !asked[c.Instrument.Ticker] {
			continue
		}
		stored[c.Instrument.Ticker] = c.First.String() + ".." + c.Last.String()
		first, last := max(from, c.First), min(to, c.Last)
		if len(cfg.Universe.Symbols) > 0 || first <= last {
			symbols++
		}
		if first <= last && c.Last >= c.First {
			bars += c.Bars * int64(last-first+1) / int64(c.Last-c.First+1)
		}
	}
	if bars == 0 {
		return missing(cfg, data, stored)
	}
	if err := over(codeLimit, "symbols of a run", "symbols", int64(s.Limits.Symbols), int64(symbols)); err != nil {
		return err
	}
	if err := over(codeLimit, "bars of a run", "bars", s.Limits.Bars, bars); err != nil {
		return err
	}
	return over(codeLimit, "estimated memory of a run", "bytes", s.Limits.Memory, bars*bytesPerBar)
}

// missing says that there is nothing to run on, and what is stored instead, by symbol.
func missing(cfg *backtest.Config, data *Data, stored map[string]string) error {
	e := &backtest.NoDataError{Source: data.Name(), Frame: cfg.Data.Bars.String(), From: cfg.Data.From.String(), To: cfg.Data.To.String(), Err: bar.ErrNoData}
	for _, name := range cfg.Universe.Symbols {
		row := backtest.Missing{Symbol: name, Have: stored[name], Reason: "no bars in the range asked for"}
		if row.Have == "" {
			row.Reason = "not in the data"
		}
		e.Rows = append(e.Rows, row)
	}
	return e
}

// room refuses work when the queue, the owner's storage or the disk is full.
func (s *Service) room(tx *history.Tx, owner string) error {
	l, err := tx.Load(owner)
	if err != nil {
		return err
	}
	for _, err := range []error{
		over(codeQueueFull, "your queued runs", "runs", int64(s.Limits.UserQueued), int64(l.Queued+1)),
		over(codeQueueFull, "queued runs of all", "runs", int64(s.Limits.Queued), int64(l.AllQueued+1)),
	} {
		if err != nil {
			return err
		}
	}
	if s.Limits.UserStorage <= 0 {
		return nil
	}
	stored, err := s.stored.of(tx, owner, s.Now())
	if err != nil {
		return err
	}
	return over(codeLimit, "your stored results", "bytes", s.Limits.UserStorage, stored)
}

// storage remembers for a moment what owners store: adding it up reads a row for every run that they have.
// What this process adds and removes is known at once, what others do a moment later.
type storage struct {
	mu sync.Mutex
	by map[string]storedBytes
}

type storedBytes struct {
	bytes int64
	until time.Time
}

// storedFor is how long a sum is good.
const storedFor = 10 * time.Second

func (s *storage) of(tx *history.Tx, owner string, now time.Time) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x, ok := s.by[owner]; ok && now.Before(x.until) && now.Add(storedFor).After(x.until) {
		return x.bytes, nil
	}
	n, err := tx.Stored(owner)
	if err != nil {
		return 0, err
	}
	if len(s.by) >= 1000 {
		clear(s.by)
	}
	s.by[owner] = storedBytes{n, now.Add(storedFor)}
	return n, nil
}

// forget makes the next one who asks add up anew.
func (s *storage) forget(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, owner)
}

// add counts the files of a run that has ended.
func (s *storage) add(owner string, files []history.Artifact) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.by[owner]
	for _, a := range files {
		x.bytes += a.Bytes
	}
	if ok {
		s.by[owner] = x
	}
}

// diskRoom refuses work when the disk is nearly full.
func (s *Service) diskRoom() error {
	if s.Limits.FreeDisk <= 0 {
		return nil
	}
	free, err := FreeBytes(s.Results)
	if err != nil {
		return fmt.Errorf("look for room in %s: %w", s.Results, err)
	}
	if free < s.Limits.FreeDisk {
		return &LimitError{codeDiskFull, "free disk", "bytes", s.Limits.FreeDisk, free}
	}
	return nil
}
