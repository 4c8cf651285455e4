package history

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// recent keeps runs that have ended for a second, so that whoever asks for a run, its curve and its files one
// after the other reads the database once. Everything that this process writes forgets all of it; what
// another process changes is still told as it was for that second.
type recent struct {
	mu    sync.Mutex
	runs  map[string]readRun
	wrote uint64 // how often something was written
}

type readRun struct {
	run *Run
	at  time.Time
}

const (
	recentLife = time.Second
	mostRecent = 256
)

// get returns the run if it is kept, and how often something had been written by now.
func (c *recent) get(id string, now time.Time) (*Run, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	x, ok := c.runs[id]
	if passed := now.Sub(x.at); !ok || passed < 0 || passed >= recentLife {
		return nil, c.wrote
	}
	return x.run, c.wrote
}

// put keeps a run that was read after wrote writes, unless there was another one since.
func (c *recent) put(r *Run, now time.Time, wrote uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wrote != c.wrote {
		return
	}
	if c.runs == nil || len(c.runs) >= mostRecent {
		c.runs = map[string]readRun{}
	}
	c.runs[r.ID] = readRun{r, now}
}

func (c *recent) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.runs)
	c.wrote++
}

// Run is a run that a reader may read: an own one or one that is shared; "" reads every run. One that has ended
// may be as it was a moment ago (see recent).
func (d *DB) Run(ctx context.Context, reader, id string) (*Run, error) {
	r, wrote := d.recent.get(id, d.now())
	if r == nil {
		now := d.now()
		err := d.Read(ctx, func(tx *Tx) (err error) {
			r, err = tx.Run("", id)
			return err
		})
		if err != nil {
			return nil, err
		}
		if r.State.Ended() {
			d.recent.put(r, now, wrote)
		}
	}
	if reader != "" && r.Owner != reader && !r.Shared {
		return nil, fmt.Errorf("read run %s: %w", id, ErrNotFound)
	}
	own := *r // callers may change theirs
	return &own, nil
}
