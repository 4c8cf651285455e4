package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Keep is how many archives stay: the newest of each of the last so many days, weeks and months that
// have one.
type Keep struct{ Days, Weeks, Months int }

// Archive is one in a folder of archives.
type Archive struct {
	Path  string
	Made  time.Time
	Bytes int64
}

// List gives the archives of a folder, newest first. A folder that is not there has none.
func List(dir string) ([]Archive, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list backups: %w", err)
	}
	var list []Archive
	for _, e := range entries {
		made, ok := madeAt(e.Name())
		if !ok {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("list backups: %w", err)
		}
		list = append(list, Archive{filepath.Join(dir, e.Name()), made, info.Size()})
	}
	slices.SortFunc(list, func(a, b Archive) int { return strings.Compare(b.Path, a.Path) })
	return list, nil
}

// madeAt reads the time in the name of an archive.
func madeAt(name string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok || !strings.HasSuffix(name, suffix) || len(rest) < len(stamp) {
		return time.Time{}, false
	}
	made, err := time.Parse(stamp, rest[:len(stamp)])
	return made, err == nil
}

// Prune removes the archives of a folder that k does not keep, and returns their paths. The newest
// always stays.
func Prune(dir string, k Keep) ([]string, error) {
	list, err := List(dir)
	if err != nil {
		return nil, err
	}
	var gone []string
	for _, a := range k.drop(list) {
		if err := os.Remove(a.Path); err != nil {
			return gone, fmt.Errorf("remove an old backup: %w", err)
		}
		gone = append(gone, a.Path)
	}
	return gone, nil
}

// drop picks what may go from a list, newest first.
func (k Keep) drop(list []Archive) []Archive {
	periods := []struct {
		left int
		of   func(time.Time) string
		last string
	}{
		{k.Days, func(t time.Time) string { return t.Format(time.DateOnly) }, ""},
		{k.Weeks, func(t time.Time) string { y, w := t.ISOWeek(); return fmt.Sprint(y, "/", w) }, ""},
		{k.Months, func(t time.Time) string { return t.Format("2006-01") }, ""},
	}
	var gone []Archive
	for i, a := range list {
		stays := i == 0
		for j := range periods {
			p := &periods[j]
			if name := p.of(a.Made); p.left > 0 && name != p.last {
				p.last, p.left, stays = name, p.left-1, true
			}
		}
		if !stays {
			gone = append(gone, a)
		}
	}
	return gone
}
