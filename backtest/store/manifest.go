package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

const (
	// formatVersion is written; oldestVersion and what lies between is read, and becomes formatVersion
	// with the next commit. The bytes of segments and reference files are the same in 1 and 2; from 2
	// on a segment of days may hold several years, which a writer of 1 would not expect.
	formatVersion = 2
	oldestVersion = 1
	manifestName  = "MANIFEST"
	lockName      = "LOCK"
	tempSuffix    = ".tmp"
)

// manifest names the files that are the store. Whatever it does not name does not count.
type manifest struct {
	Generation uint64       `json:"generation"`
	Synthetic  bool         `json:"synthetic"`
	Calendar   string       `json:"calendar,omitempty"` // "" is XNYS
	Segments   []segmentRef `json:"segments"`           // by dataset, then by first session; ranges never overlap
	Reference  *fileRef     `json:"reference,omitempty"`
	RefIndex   *fileRef     `json:"reference_index,omitempty"`
}

// segmentRef is a segment as the manifest knows it.
type segmentRef struct {
	File     string  `json:"file"`
	Dataset  byte    `json:"dataset"`
	Size     int64   `json:"size"`
	CRC      uint32  `json:"crc"` // the footer's, which covers the index, which covers the runs
	Rows     int64   `json:"rows"`
	Sessions []int32 `json:"sessions"` // days since 1970-01-01, ascending, never empty
}

func (r segmentRef) first() instrument.Date { return instrument.Date(r.Sessions[0]) }
func (r segmentRef) last() instrument.Date  { return instrument.Date(r.Sessions[len(r.Sessions)-1]) }

// reach is the last session held of a dataset, None for none.
func (m *manifest) reach(dataset byte) instrument.Date {
	for i := len(m.Segments) - 1; i >= 0; i-- {
		if m.Segments[i].Dataset == dataset {
			return m.Segments[i].last()
		}
	}
	return instrument.None
}

// fileRef is another file that the manifest names.
type fileRef struct {
	File string `json:"file"`
	Size int64  `json:"size"`
	CRC  uint32 `json:"crc"`
}

// VersionError says that a store was written by another version of the format.
type VersionError struct {
	Dir     string
	Version int
}

func (e *VersionError) Error() string {
	if e.Version > formatVersion {
		return fmt.Sprintf("open store %s: it has format %d, this program knows up to %d: use a newer backtester, or fetch into another directory",
			e.Dir, e.Version, formatVersion)
	}
	return fmt.Sprintf("open store %s: it has the old format %d, this program needs %d: fetch into an empty directory",
		e.Dir, e.Version, formatVersion)
}

// readManifest of the directory. No manifest is an error matching bar.ErrNoData.
// Exists reports whether something was ever stored in dir, whole or damaged.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, manifestName))
	return err == nil
}

func readManifest(dir string) (*manifest, error) {
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open store %s: nothing was stored there yet: %w", dir, bar.ErrNoData)
	}
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	m, err := parseManifest(b)
	var v *VersionError
	if errors.As(err, &v) {
		v.Dir = dir
		return nil, v
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, damage(manifestName, "", err.Error()))
	}
	return m, nil
}

func parseManifest(b []byte) (*manifest, error) {
	head, body, ok := bytes.Cut(b, []byte("\n"))
	var version int
	var crc uint32
	n, _ := fmt.Sscanf(string(head), "backtester-store %d %08x", &version, &crc)
	if !ok || n < 1 {
		return nil, errors.New("the first line is not that of a manifest")
	}
	if version < oldestVersion || version > formatVersion {
		return nil, &VersionError{Version: version}
	}
	if n != 2 || crc32.Checksum(body, castagnoli) != crc || string(head) != manifestHead(version, crc) {
		return nil, errors.New("the checksum is wrong")
	}
	m := new(manifest)
	if err := json.Unmarshal(body, m); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	for _, r := range m.Segments {
		if len(r.Sessions) == 0 || !slices.IsSorted(r.Sessions) || filepath.Base(r.File) != r.File {
			return nil, fmt.Errorf("segment %q is impossible", r.File)
		}
	}
	return m, nil
}

func manifestHead(version int, crc uint32) string {
	return fmt.Sprintf("backtester-store %d %08x", version, crc)
}

// write replaces the manifest of dir: the moment from which readers see the new state.
func (m *manifest) write(dir string) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	body = append(body, '\n')
	head := manifestHead(formatVersion, crc32.Checksum(body, castagnoli)) + "\n"
	return writeFile(filepath.Join(dir, manifestName), append([]byte(head), body...))
}

// writeFile puts b under path so that a crash leaves the old content or the new one.
func writeFile(path string, b []byte) error {
	f, err := os.Create(path + tempSuffix)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return syncDir(filepath.Dir(path))
}

// files that the manifest names.
func (m *manifest) files() map[string]bool {
	names := map[string]bool{manifestName: true, lockName: true}
	for _, r := range m.Segments {
		names[r.File] = true
	}
	for _, r := range []*fileRef{m.Reference, m.RefIndex} {
		if r != nil {
			names[r.File] = true
		}
	}
	return names
}
