package bucket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Progress is told how a fetch goes on. Calls never overlap.
type Progress interface {
	Start(files int, bytes int64) // what is going to be fetched
	File(key string, bytes int64) // one object is complete, or was refused (0 bytes)
	Done()                        // nothing more comes
}

// Fetch says how objects are brought to disk.
type Fetch struct {
	Workers  int              // parallel downloads, default 4
	Now      func() time.Time // stamps the manifest; never nil
	Progress Progress         // may be nil
}

// Fault is an object that could not be had while the others could.
type Fault struct {
	Key string
	Err error // matches ErrForbidden, ErrAbsent, ErrUnreachable, ...

	// Skipped is how many files this fault stands for when they were not asked for, because later ones
	// showed that the plan does not reach back so far. 0 for a file that was asked for.
	Skipped int
}

func (f Fault) Error() string { return f.Err.Error() }
func (f Fault) Unwrap() error { return f.Err }

// forbiddenLimit is how many refusals of the plan are enough to believe it.
const forbiddenLimit = 3

// Fetch downloads the objects, the last first. Objects that cannot be had are returned as faults, in
// the order of their keys. When the plan does not include some (ErrForbidden), those before them are
// not asked for, because plans reach back a number of years: they share one last fault. An error
// means that it stopped: cancelled, keys not accepted, disk full. Whatever was complete by then is on
// disk and in the manifest.
func (m *Mirror) Fetch(ctx context.Context, b *Bucket, objects []Object, o Fetch) ([]Fault, error) {
	if o.Workers <= 0 {
		o.Workers = 4
	}
	j := &job{mirror: m, bucket: b, how: o, todo: slices.Clone(objects)}
	slices.SortFunc(j.todo, func(a, b Object) int { return -cmpKey(a, b) })
	if o.Progress != nil {
		var total int64
		for _, x := range objects {
			total += x.Size
		}
		o.Progress.Start(len(objects), total)
		defer o.Progress.Done()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range min(o.Workers, len(objects)) {
		wg.Go(func() {
			for {
				x, ok := j.next()
				if !ok || ctx.Err() != nil {
					return
				}
				if err := j.done(x, j.one(ctx, x)); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	slices.SortFunc(j.faults, func(a, b Fault) int { return cmpString(a.Key, b.Key) })
	if ctx.Err() != nil {
		return j.faults, context.Cause(ctx)
	}
	if n := len(j.todo); n > 0 {
		first, last := j.todo[n-1].Key, j.todo[0].Key
		err := fmt.Errorf("%d older files (%s to %s) not asked for: %w", n, first, last, ErrForbidden)
		j.faults = append(j.faults, Fault{Key: first, Err: err, Skipped: n})
	}
	return j.faults, nil
}

func cmpKey(a, b Object) int { return cmpString(a.Key, b.Key) }

func cmpString(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// job is one Fetch at work.
type job struct {
	mirror *Mirror
	bucket *Bucket
	how    Fetch

	mu        sync.Mutex
	todo      []Object // newest first
	faults    []Fault
	forbidden int
	silent    int // objects in a row that the endpoint did not answer for
}

func (j *job) next() (Object, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.todo) == 0 || j.forbidden >= forbiddenLimit {
		return Object{}, false
	}
	x := j.todo[0]
	j.todo = j.todo[1:]
	return x, true
}

// done books the outcome of one object and returns an error that ends the whole fetch.
func (j *job) done(x Object, err error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case err == nil:
		j.silent = 0
		if j.how.Progress != nil {
			j.how.Progress.File(x.Key, x.Size)
		}
		return nil
	case errors.Is(err, ErrDisk), errors.Is(err, ErrCredentials), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, ErrForbidden):
		j.forbidden++
	case errors.Is(err, ErrUnreachable):
		if j.silent++; j.silent > 2*j.how.Workers {
			return fmt.Errorf("%d files in a row, the last: %w", j.silent, err)
		}
	}
	j.faults = append(j.faults, Fault{Key: x.Key, Err: err})
	if j.how.Progress != nil {
		j.how.Progress.File(x.Key, 0)
	}
	return nil
}

// one brings an object to disk: into a temporary file beside its final name, synced, renamed, and
// only then recorded.
func (j *job) one(ctx context.Context, o Object) error {
	path := j.mirror.Path(o.Key)
	if !filepath.IsLocal(filepath.FromSlash(o.Key)) {
		return fmt.Errorf("fetch %q: a key that leads out of the folder is refused: %w", o.Key, ErrNotS3)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return diskError("make folder", filepath.Dir(path), err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*"+partSuffix)
	if err != nil {
		return diskError("write", path, err)
	}
	var got Object
	sum := sha256.New()
	err = j.bucket.retry(ctx, func(ctx context.Context) (err error) {
		sum.Reset()
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return diskError("write", path, err)
		}
		if err := f.Truncate(0); err != nil {
			return diskError("write", path, err)
		}
		got, err = j.bucket.get(ctx, o, io.MultiWriter(diskWriter{f, path}, sum))
		return err
	})
	if err != nil {
		f.Close()
		os.Remove(f.Name())
		return j.bucket.explain(ctx, "fetch", o.Key, err)
	}
	if err := f.Chmod(0o644); err != nil {
		f.Close()
		os.Remove(f.Name())
		return diskError("write", path, err)
	}
	if err := publish(f, path); err != nil {
		return err
	}
	return j.mirror.Record(Entry{
		Key: o.Key, Size: got.Size, ETag: got.ETag, LastModified: got.LastModified,
		SHA256: hex.EncodeToString(sum.Sum(nil)), FetchedAt: j.how.Now().UTC(),
	})
}

// diskWriter tells our disk's errors from those of the network.
type diskWriter struct {
	f    *os.File
	path string
}

func (w diskWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		return n, diskError("write", w.path, err)
	}
	return n, nil
}
