package job

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"backtester/backtest/history"
)

// Folder is the results folder. Its functions are those of the system, or in tests ones that fail.
type Folder struct {
	dir     string
	create  func(name string) (file, error)
	rename  func(from, to string) error
	syncDir func(dir string) error
	remove  func(name string) error
}

// file is what is written.
type file interface {
	io.Writer
	Sync() error
	Close() error
}

// OpenFolder opens the results folder, and makes it where there is none.
func OpenFolder(dir string) (*Folder, error) {
	d := newFolder(dir)
	if err := d.prepare(); err != nil {
		return nil, fmt.Errorf("open the results folder: %w", err)
	}
	return d, nil
}

func newFolder(dir string) *Folder {
	return &Folder{dir: dir, rename: os.Rename, syncDir: syncDir, remove: os.Remove,
		create: func(name string) (file, error) { return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640) }}
}

// folders of artifacts.
func folders() []string { return []string{"csv", "tearsheets", "runs"} }

func (d *Folder) prepare() error {
	for _, f := range folders() {
		if err := os.MkdirAll(filepath.Join(d.dir, f), 0o750); err != nil {
			return err
		}
	}
	return d.syncDir(d.dir)
}

// lockName is hidden, so that backups leave it out and a restore leaves it where it is.
const lockName = ".server.lock"

// tempSuffix ends the names of files that are being written.
const tempSuffix = ".part"

// Keep writes a file so that it is complete under its name or not there at all, whenever the power
// fails: temporary name, sync, rename, sync of the folder. A file that an earlier attempt left is
// replaced; its bytes are the same.
func (d *Folder) Keep(f File) (history.Artifact, error) { return d.keep(f, func(string) {}) }

func (d *Folder) keep(f File, fail func(string)) (a history.Artifact, err error) {
	if !fs.ValidPath(f.Name) || path.Dir(f.Name) == "." {
		return a, fmt.Errorf("keep %q: the name does not lie in a folder of results", f.Name)
	}
	target := filepath.Join(d.dir, filepath.FromSlash(f.Name))
	temp := target + tempSuffix
	if err := d.remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	out, err := d.create(temp)
	if err != nil {
		return a, err
	}
	fail("created")
	sum := sha256.New()
	count := &counter{}
	buffered := bufio.NewWriterSize(io.MultiWriter(out, sum, count), 1<<16)
	err = f.Write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	fail("written")
	if err == nil {
		err = out.Sync()
	}
	err = errors.Join(err, out.Close())
	fail("synced")
	if err == nil {
		err = d.rename(temp, target)
	}
	if err != nil {
		_ = d.remove(temp) // the first error is the one to tell; what stays is swept at the next start
		return a, fmt.Errorf("keep %s: %w", f.Name, err)
	}
	fail("renamed")
	a = history.Artifact{Name: f.Name, SHA256: hex.EncodeToString(sum.Sum(nil)), Bytes: count.n}
	if err := d.syncDir(filepath.Dir(target)); err != nil {
		return a, fmt.Errorf("keep %s: %w", f.Name, err)
	}
	fail("folder synced")
	return a, nil
}

// keepAll keeps the files of a run side by side: while one is computed, the others are on their way to the disk.
// With an error come those that lie there all the same; the others have no name.
func (d *Folder) keepAll(files []File, fail func(string)) ([]history.Artifact, error) {
	kept := make([]history.Artifact, len(files))
	errs := make([]error, len(files))
	var all sync.WaitGroup
	for i, f := range files {
		all.Go(func() {
			defer caught(&errs[i])
			kept[i], errs[i] = d.keep(f, fail)
		})
	}
	all.Wait()
	return kept, errors.Join(errs...)
}

// Discard removes files of a run that has come to nothing: a disk that was full needs the room.
func (d *Folder) Discard(list []history.Artifact) {
	for _, a := range list {
		if a.Name != "" {
			_ = d.remove(filepath.Join(d.dir, filepath.FromSlash(a.Name))) // what stays is swept at the next start
		}
	}
}

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// ErrDamaged says that an artifact is missing or not what the run wrote.
var ErrDamaged = errors.New("the file is missing or damaged")

// Open opens a file of a run. Its length is checked; Verify reads all of it. The caller has looked the
// run up, so that nobody opens what is not his.
func (d *Folder) Open(a history.Artifact) (*os.File, error) {
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", a.Name, err)
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(a.Name))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w (%w)", a.Name, ErrDamaged, err)
	}
	info, err := f.Stat()
	if err == nil && (!info.Mode().IsRegular() || info.Size() != a.Bytes) {
		err = ErrDamaged
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", a.Name, err), f.Close())
	}
	return f, nil
}

// Verify reads a file of a run and compares its sum.
func (d *Folder) Verify(a history.Artifact) error {
	f, err := d.Open(a)
	if err != nil {
		return err
	}
	defer f.Close()
	return Check(f, a)
}

// Check reads an open file of a run, compares its sum, and goes back to its beginning.
func Check(f io.ReadSeeker, a history.Artifact) error {
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("read %s: %w", a.Name, err)
	}
	if hex.EncodeToString(h.Sum(nil)) != a.SHA256 {
		return fmt.Errorf("read %s: %w", a.Name, ErrDamaged)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read %s: %w", a.Name, err)
	}
	return nil
}

// sweepOrphans removes files in the folders of artifacts that no row names: halves that a killed server
// left, and files of runs that were removed. Only names with the id of a run in them are ours.
func (s *Service) sweepOrphans(ctx context.Context) (swept int, err error) {
	var files []string
	for _, folder := range folders() {
		entries, err := os.ReadDir(filepath.Join(s.Results, folder))
		if err != nil {
			return 0, err
		}
		for _, e := range entries {
			if len(e.Name()) >= 26 && history.ValidID(e.Name()[:26]) && e.Type().IsRegular() {
				files = append(files, folder+"/"+e.Name())
			}
		}
	}
	err = s.History.Read(ctx, func(tx *history.Tx) error {
		for _, name := range files {
			named, err := tx.Named(name)
			if err != nil {
				return err
			}
			if named || strings.HasSuffix(name, tempSuffix) && s.goes(path.Base(name)[:26]) {
				continue
			}
			if err := s.disk.remove(filepath.Join(s.Results, filepath.FromSlash(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			swept++
		}
		return nil
	})
	if err != nil {
		return swept, fmt.Errorf("look for files that no run names: %w", err)
	}
	return swept, nil
}

func (s *Service) goes(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.going[id] != nil
}

// Open is Folder.Open.
func (s *Service) Open(a history.Artifact) (*os.File, error) { return s.disk.Open(a) }

// Verify is Folder.Verify.
func (s *Service) Verify(a history.Artifact) error { return s.disk.Verify(a) }

// Remove deletes a run that has ended, then its files.
func (s *Service) Remove(ctx context.Context, owner, id string) error {
	var gone *history.Run
	err := s.History.Write(ctx, func(tx *history.Tx) (err error) {
		gone, err = tx.Remove(owner, id)
		return err
	})
	if err != nil {
		return err
	}
	s.stored.forget(gone.Owner)
	return s.disk.Remove(gone.Artifacts)
}

// Remove deletes files of runs that are gone.
func (d *Folder) Remove(list []history.Artifact) error {
	var errs []error
	for _, a := range list {
		if err := d.remove(filepath.Join(d.dir, filepath.FromSlash(a.Name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("remove %s: %w", a.Name, err))
		}
	}
	return errors.Join(errs...)
}

// IsFull reports whether err means that there is no room left, for files or for the database.
func IsFull(err error) bool {
	return history.IsFull(err) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// IsFailing reports whether err means that the disk of the files or of the database takes nothing more: its file
// system has turned read-only, as after a fault of the disk, or answers with errors of its own.
func IsFailing(err error) bool {
	return history.IsFailing(err) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO)
}

// wait is a pause that ctx cuts short.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
