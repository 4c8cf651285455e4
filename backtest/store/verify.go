package store

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
)

// damagedSuffix of files that were set aside.
const damagedSuffix = ".damaged"

// Fault is damage found in a file of the store. It is the error of every use of what is damaged.
type Fault struct {
	File   string // name within the store's directory
	Ticker string // whose bars; empty when the whole file is concerned
	What   string
	Cure   string
}

func (f *Fault) Error() string {
	who := ""
	if f.Ticker != "" {
		who = " (" + f.Ticker + ")"
	}
	return fmt.Sprintf("read %s%s: %s; %s", f.File, who, f.What, f.Cure)
}

// Verify reads every byte of every file that the open snapshot names and lists what is damaged. The
// error is for the act itself: a context that ended. Cost: the disk's speed.
func (s *Store) Verify(ctx context.Context) ([]Fault, error) {
	var faults []Fault
	note := func(err error) {
		var f *Fault
		if errors.As(err, &f) {
			faults = append(faults, *f)
		}
	}
	for _, seg := range s.segments {
		if seg.broken != nil {
			note(seg.broken)
			continue
		}
		if fresh := newSegment(seg.ref, seg.data); fresh.broken != nil {
			note(fresh.broken)
			continue
		}
		for i := range seg.runs {
			if i%256 == 0 && ctx.Err() != nil {
				return faults, ctx.Err()
			}
			note(seg.checkRun(seg.entry(i)))
		}
	}
	for _, r := range []*fileRef{s.man.Reference, s.man.RefIndex} {
		if r == nil {
			continue
		}
		data, unmap, err := mapFile(filepath.Join(s.dir, r.File))
		if err != nil {
			faults = append(faults, Fault{File: r.File, What: err.Error(), Cure: cureReference})
			continue
		}
		if int64(len(data)) != r.Size || crc32.Checksum(data, castagnoli) != r.CRC {
			faults = append(faults, Fault{File: r.File, What: "the checksum is wrong", Cure: cureReference})
		}
		unmap()
	}
	return faults, ctx.Err()
}

// RemoveDamaged deletes the files that Quarantine set aside, which are of use only as long as their
// sessions have not been put again, and tells how many and how large they were.
func (w *Writer) RemoveDamaged() (files int, bytes int64, err error) {
	list, err := filepath.Glob(filepath.Join(w.dir, "*"+damagedSuffix))
	if err != nil {
		return 0, 0, fmt.Errorf("clean store: %w", err)
	}
	for _, path := range list {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if err := os.Remove(path); err != nil {
			return files, bytes, fmt.Errorf("clean store: %w", err)
		}
		files, bytes = files+1, bytes+info.Size()
	}
	return files, bytes, nil
}
