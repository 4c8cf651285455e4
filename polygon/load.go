package polygon

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// LoadOptions of Load.
type LoadOptions struct {
	RawDir    string // flat files below their keys, and reference/*.json
	StoreDir  string // made if needed
	Synthetic bool   // mark the store as made of invented prices
	Again     bool   // load sessions that the store has already, too
}

// LoadDemo fills a synthetic store from files on disk.
func LoadDemo(ctx context.Context, rawDir, storeDir string) error {
	_, err := Load(ctx, LoadOptions{RawDir: rawDir, StoreDir: storeDir, Synthetic: true})
	return err
}

// Load brings all flat files and reference data below RawDir into the store, by the code that Sync
// uses after downloading. A file that cannot be used is a fault in the summary and the error, while
// the others are loaded and committed.
func Load(ctx context.Context, o LoadOptions) (*Summary, error) {
	s := &Summary{}
	w, err := store.Create(o.StoreDir, store.Options{Synthetic: o.Synthetic, Buffer: storeBuffer})
	if err != nil {
		return s, err
	}
	defer w.Close()
	found, err := find(o.RawDir)
	if err != nil {
		return s, err
	}
	if err := loadReference(w, filepath.Join(o.RawDir, "reference"), s); err != nil {
		return s, err
	}
	for _, d := range []flatfile.Dataset{flatfile.Day, flatfile.Minute} {
		files := found[d]
		if len(files) == 0 {
			continue
		}
		b := BarSummary{Dataset: d, Listed: len(files), First: files[0].session, Last: files[len(files)-1].session}
		if !o.Again {
			files = absent(files, w.Sessions(d.Frame()))
		}
		err := ingest(ctx, w, files, func(r outcome) { b.add(s, r) })
		s.Bars = append(s.Bars, b)
		if err != nil {
			return s, err
		}
	}
	if err := w.Commit(); err != nil {
		return s, err
	}
	return s, s.err()
}

// storeBuffer keeps a fetch's memory bounded beside the decoders: past it the store spills to disk.
const storeBuffer = 64 << 20

// add books the outcome of one file.
func (b *BarSummary) add(s *Summary, r outcome) {
	if r.err != nil {
		s.fault(r.key, r.err)
		return
	}
	b.Loaded++
	b.Rows += int64(r.rows)
	b.LeftOut += int64(r.notes.Faults())
	for _, n := range r.notes {
		b.Notes = append(b.Notes, FileNote{r.key, n})
	}
}

// find lists the flat files below a folder, by dataset and in order of their sessions.
func find(dir string) (map[flatfile.Dataset][]file, error) {
	found := map[flatfile.Dataset][]file{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(rel)
		if d, session, ok := flatfile.ParseKey(key); ok {
			found[d] = append(found[d], file{key, path, d, session})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for flat files: %w", err)
	}
	for _, files := range found {
		slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.key, b.key) })
	}
	return found, nil
}

// absent is what of files the store does not have; sessions are sorted.
func absent(files []file, sessions []instrument.Date) []file {
	return slices.DeleteFunc(slices.Clone(files), func(f file) bool {
		_, there := slices.BinarySearch(sessions, f.session)
		return there
	})
}

// loadReference puts what the folder holds into the store, if it holds anything.
func loadReference(w *store.Writer, dir string, s *Summary) error {
	data, err := reference.Read(dir)
	if err != nil {
		return err
	}
	if !data.Actions() {
		s.warn("no_actions", "no splits and dividends are known: prices jump at splits and no dividend is paid; set POLYGON_API_KEY and run backtester fetch --dataset actions")
	}
	if data.Empty() {
		return nil
	}
	r, notes := reference.Build(data)
	if err := w.PutReference(r); err != nil {
		return err
	}
	info := s.reference()
	info.Instruments, info.Holidays, info.Notes = len(r.Instruments), len(r.Holidays), notes
	info.Splits, info.Dividends = 0, 0
	for _, a := range r.Actions {
		info.Splits += len(a.Splits)
		info.Dividends += len(a.Dividends)
	}
	return nil
}

func (s *Summary) reference() *ReferenceInfo {
	if s.Reference == nil {
		s.Reference = &ReferenceInfo{}
	}
	return s.Reference
}
