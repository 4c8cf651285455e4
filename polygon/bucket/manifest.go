package bucket

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Entry of the manifest: one object that is on disk.
type Entry struct {
	Key          string    `json:"key"`
	Size         int64     `json:"size"`
	ETag         string    `json:"etag"`
	LastModified time.Time `json:"last_modified"`
	SHA256       string    `json:"sha256"`
	FetchedAt    time.Time `json:"fetched_at"`
	Rows         int       `json:"rows,omitempty"`     // bars taken from it, once loaded
	LeftOut      int       `json:"left_out,omitempty"` // rows refused as impossible
	Loaded       bool      `json:"loaded,omitempty"`   // its bars are in the store
	Gone         bool      `json:"gone,omitempty"`     // the copy proved damaged and does not count
	Pruned       bool      `json:"pruned,omitempty"`   // the copy was removed because its bars are in the store
}

// Matches reports whether the entry is of the object as listed now. A negative size is not known
// beforehand and matches any.
func (e Entry) Matches(o Object) bool {
	return (e.Size == o.Size || o.Size < 0) && e.ETag == o.ETag && utcSecond(e.LastModified).Equal(utcSecond(o.LastModified))
}

// Mirror is a folder of verbatim copies with its manifest. It is safe for concurrent use within the
// process; a second process is refused by OpenMirror.
//
// The manifest is a text of JSON lines to which every change is appended and synced; the last line
// of a key counts. A crash can only cut the last line, which is then ignored: at worst one object is
// fetched once more. A copy is named in the manifest only after it has its final name on disk.
type Mirror struct {
	dir     string
	mu      sync.Mutex
	entries map[string]Entry
	lines   int
	log     *os.File
	lock    *os.File
}

const (
	manifestName = "manifest.jsonl"
	lockName     = ".lock"
	partSuffix   = ".part"
)

// ErrBusy is matched when another process works in the folder.
var ErrBusy = errors.New("another fetch is at work")

// OpenMirror makes the folder if need be, takes its lock, reads the manifest and removes what an
// interrupted fetch left half-written.
func OpenMirror(dir string) (*Mirror, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, diskError("make folder", dir, err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, diskError("open", filepath.Join(dir, lockName), err)
	}
	if err := flock(lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("fetch into %s: %w there; wait for it or stop it", dir, ErrBusy)
	}
	m := &Mirror{dir: dir, lock: lock}
	if err := m.open(); err != nil {
		lock.Close()
		return nil, err
	}
	return m, nil
}

func (m *Mirror) open() error {
	path := filepath.Join(m.dir, manifestName)
	var whole int64
	var err error
	if m.entries, m.lines, whole, err = readManifest(path); err != nil {
		return err
	}
	if m.log, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return diskError("open", path, err)
	}
	if err := errors.Join(m.log.Truncate(whole), seek(m.log, whole)); err != nil {
		m.log.Close()
		return diskError("write", path, err)
	}
	if err := m.sweep(); err != nil {
		m.log.Close()
		return err
	}
	return nil
}

func seek(f *os.File, at int64) error {
	_, err := f.Seek(at, io.SeekStart)
	return err
}

// ReadManifest gives the manifest of a folder without locking it; a folder without one is empty.
func ReadManifest(dir string) (map[string]Entry, error) {
	entries, _, _, err := readManifest(filepath.Join(dir, manifestName))
	return entries, err
}

// readManifest returns the entries, the number of lines, and the length of the part that is whole.
func readManifest(path string) (map[string]Entry, int, int64, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, 0, 0, diskError("read", path, err)
	}
	entries, lines := map[string]Entry{}, 0
	whole := bytes.LastIndexByte(text, '\n') + 1
	for line := range bytes.Lines(text[:whole]) {
		lines++
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil || e.Key == "" {
			return nil, 0, 0, fmt.Errorf("read %s line %d: no manifest entry (%w); move the file away: objects on disk are then fetched again", path, lines, errors.Join(err, errors.New("damaged")))
		}
		entries[e.Key] = e
		if e.Gone {
			delete(entries, e.Key)
		}
	}
	return entries, lines, int64(whole), nil
}

// sweep removes half-written files, which only an interrupted fetch leaves: we hold the lock.
func (m *Mirror) sweep() error {
	err := filepath.WalkDir(m.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() && strings.HasSuffix(path, partSuffix) {
			return os.Remove(path)
		}
		return nil
	})
	if err != nil {
		return diskError("tidy up", m.dir, err)
	}
	return nil
}

// Path of a key's copy.
func (m *Mirror) Path(key string) string { return filepath.Join(m.dir, filepath.FromSlash(key)) }

// Entry of a key.
func (m *Mirror) Entry(key string) (Entry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[key]
	return e, ok
}

// Missing is what of objects is not on disk as listed: never fetched, changed since, or removed by
// somebody else than Prune.
func (m *Mirror) Missing(objects []Object) []Object {
	var todo []Object
	for _, o := range objects {
		if e, ok := m.Entry(o.Key); !ok || !e.Matches(o) || !e.Pruned && !m.There(e) {
			todo = append(todo, o)
		}
	}
	return todo
}

// There reports whether the copy of an entry is on disk in its length.
func (m *Mirror) There(e Entry) bool {
	st, err := os.Stat(m.Path(e.Key))
	return err == nil && st.Size() == e.Size
}

// Entries of all keys, sorted.
func (m *Mirror) Entries() []Entry {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Entry, 0, len(m.entries))
	for _, e := range m.entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Key, b.Key) })
	return list
}

// Store puts a file of our own making below the folder, as Fetch does with downloads: it has its name
// only once it is complete, and is recorded after that. Size and SHA256 of e are filled in.
func (m *Mirror) Store(e Entry, content []byte) error {
	if !filepath.IsLocal(filepath.FromSlash(e.Key)) {
		return fmt.Errorf("store %q: a key that leads out of the folder is refused", e.Key)
	}
	path := m.Path(e.Key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return diskError("make folder", filepath.Dir(path), err)
	}
	if err := writeFile(path, content); err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	e.Size, e.SHA256 = int64(len(content)), hex.EncodeToString(sum[:])
	return m.Record(e)
}

// Record appends entries and syncs them to disk.
func (m *Mirror) Record(entries ...Entry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var text []byte
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("record %s: %w", e.Key, err)
		}
		text = append(append(text, line...), '\n')
	}
	if _, err := m.log.Write(text); err != nil {
		return diskError("write", m.log.Name(), err)
	}
	if err := m.log.Sync(); err != nil {
		return diskError("write", m.log.Name(), err)
	}
	for _, e := range entries {
		m.entries[e.Key] = e
		if e.Gone {
			delete(m.entries, e.Key)
		}
		m.lines++
	}
	return nil
}

// Close rewrites the manifest if most of its lines are outdated, and gives the lock back.
func (m *Mirror) Close() error {
	err := m.compact()
	return errors.Join(err, m.log.Close(), m.lock.Close())
}

func (m *Mirror) compact() error {
	if m.lines < 1000 || m.lines < 3*len(m.entries) {
		return nil
	}
	var text []byte
	keys := make([]string, 0, len(m.entries))
	for k := range m.entries {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		line, err := json.Marshal(m.entries[k])
		if err != nil {
			return fmt.Errorf("record %s: %w", k, err)
		}
		text = append(append(text, line...), '\n')
	}
	return writeFile(m.log.Name(), text)
}

// writeFile replaces a file so that it is either the old or the new one after a crash.
func writeFile(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "*"+partSuffix)
	if err != nil {
		return diskError("write", path, err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Chmod(0o644)); err != nil {
		f.Close()
		os.Remove(f.Name())
		return diskError("write", path, err)
	}
	return publish(f, path)
}

// publish syncs a finished temporary file and gives it its name; on error it is removed.
func publish(f *os.File, path string) error {
	err := f.Sync()
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return diskError("write", path, err)
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return diskError("write", path, err)
	}
	return nil
}
