package polygon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"
)

// barStore is what is needed of a *store.Writer.
type barStore interface {
	Put(f bar.Frame, b store.Batch) error
	Commit() error
}

// file is one flat file on disk.
type file struct {
	key     string
	path    string
	dataset flatfile.Dataset
	session instrument.Date
}

// outcome of one file: what went into the store, or why nothing did.
type outcome struct {
	file
	rows  int
	notes flatfile.Notes
	err   error
}

// decoded is a file on its way from a decoder to the store. The batch lies in the decoder's memory,
// which is why both travel together.
type decoded struct {
	outcome
	batch   store.Batch
	decoder *flatfile.Decoder
}

// ingest decodes files in parallel and puts them into the store in the order given. A file that
// cannot be used is reported and does not stop the others; an error is one of the store or of ctx, and
// nothing is committed by ingest itself. Memory: what decoders allows, and the store's buffer.
func ingest(ctx context.Context, w barStore, files []file, report func(outcome)) error {
	if len(files) == 0 {
		return nil
	}
	workers := decoders(files)
	idle := make(chan *flatfile.Decoder, workers)
	for range workers {
		idle <- flatfile.NewDecoder()
	}
	// Files are started in order and taken in order, so that the oldest one always has a decoder.
	results := make(chan chan decoded, workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(results)
		for _, f := range files {
			select {
			case <-ctx.Done():
				return
			case d := <-idle:
				one := make(chan decoded, 1)
				results <- one
				go func() { one <- decode(d, f) }()
			}
		}
	}()
	for one := range results {
		r := <-one
		if ctx.Err() != nil {
			continue // drain
		}
		if r.err == nil {
			if err := w.Put(r.dataset.Frame(), r.batch); err != nil {
				cancel()
				for one := range results {
					<-one
				}
				return fmt.Errorf("load %s: %w", r.path, err)
			}
			r.rows = len(r.batch.Time)
		}
		idle <- r.decoder
		report(r.outcome)
	}
	return ctx.Err()
}

// decoderBudget bounds the columns of all decoders together, in bytes.
const decoderBudget = 256 << 20

// decoders is how many files are decoded at once: as many as there are processors, as long as their
// columns fit into the budget. A minute file of the whole market (30 MB, 2M rows) takes some 190 MB with
// its compressed bytes and keeps two processors busy by itself; a third one is busy storing.
func decoders(files []file) int {
	largest := int64(0)
	for _, f := range files {
		if st, err := os.Stat(f.path); err == nil {
			largest = max(largest, st.Size())
		}
	}
	const bytesPerRow, zippedPerRow, fixed = 76 + 14, 14, 2 << 20
	fit := decoderBudget / (largest/zippedPerRow*bytesPerRow + fixed)
	return max(1, min(int(fit), runtime.GOMAXPROCS(0), len(files), 8))
}

func decode(d *flatfile.Decoder, f file) decoded {
	r := decoded{outcome: outcome{file: f}, decoder: d}
	in, err := os.Open(f.path)
	if err != nil {
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			err = pe.Err
		}
		r.err = fmt.Errorf("read %s: %w", f.path, err)
		return r
	}
	defer in.Close()
	var size int64
	if st, err := in.Stat(); err == nil {
		size = st.Size()
	}
	r.batch, r.notes, r.err = d.Decode(flatfile.Source{Dataset: f.dataset, Session: f.session, Reader: in, Size: size})
	return r
}
