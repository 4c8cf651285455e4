package sweep

import (
	"context"
	"sync"

	"backtester/backtest/bar"
)

// held is a source that remembers what it read: combinations ask for the same bars with histories of
// different lengths, each of which is the end of the longest one.
type held struct {
	bar.Source
	mu    sync.Mutex
	kept  map[bar.Request]*keeping
	depth int   // history to ask for at once
	most  int64 // bars to keep, about
	bars  int64
}

// keeping is one answer. Whoever comes while it is fetched waits.
type keeping struct {
	mu     sync.Mutex
	series *bar.Series
	asked  int // history that was asked for
}

func newHeld(src bar.Source) *held { return &held{Source: src, kept: map[bar.Request]*keeping{}} }

// Checked says that every bar was looked at: by the source, or here.
func (h *held) Checked() {}

// Load is that of the source, cut to the history asked for.
func (h *held) Load(ctx context.Context, r bar.Request) (*bar.Series, error) {
	key := r
	key.Warmup = 0
	h.mu.Lock()
	k := h.kept[key]
	if k == nil {
		if h.most > 0 && h.bars > h.most {
			clear(h.kept) // they are read again when needed
			h.bars = 0
		}
		k = &keeping{}
		h.kept[key] = k
	}
	h.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.series == nil || k.series.Warm < r.Warmup && k.asked < r.Warmup {
		deep := r
		deep.Warmup = max(r.Warmup, h.depth)
		s, err := h.Source.Load(ctx, deep)
		if err != nil {
			return nil, err
		}
		if _, ok := h.Source.(bar.Checked); !ok {
			if err := s.Check(); err != nil {
				return nil, err
			}
		}
		k.series, k.asked = s, deep.Warmup
		h.mu.Lock()
		h.bars += int64(s.Len())
		h.mu.Unlock()
	}
	s := k.series
	return s.Slice(max(0, s.Warm-r.Warmup), s.Len()), nil
}
