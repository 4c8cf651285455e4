package bucket

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
)

// Verify compares every copy with what the manifest says of it and gives the entries whose copy is
// damaged or missing. Each counts as never fetched from then on. Cost: reading and hashing it all.
func (m *Mirror) Verify(ctx context.Context) ([]Entry, error) {
	var bad []Entry
	for _, e := range m.Entries() {
		if err := ctx.Err(); err != nil {
			return bad, err
		}
		if e.Pruned {
			continue
		}
		sum, err := hashFile(m.Path(e.Key))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return bad, diskError("read", m.Path(e.Key), err)
		}
		if sum == e.SHA256 {
			continue
		}
		e.Gone = true
		if err := m.Record(e); err != nil {
			return bad, err
		}
		bad = append(bad, e)
	}
	return bad, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// Prune removes the copies of the keys and remembers that they were had, so that Missing does not ask
// for them again. It tells how many files and bytes it freed. After a crash the next Prune goes on.
func (m *Mirror) Prune(keys []string) (files int, bytes int64, err error) {
	var marks []Entry
	for _, k := range keys {
		if e, ok := m.Entry(k); ok && !e.Pruned {
			e.Pruned = true
			marks = append(marks, e)
		}
	}
	if len(marks) > 0 {
		if err := m.Record(marks...); err != nil {
			return 0, 0, err
		}
	}
	for _, e := range m.Entries() {
		if !e.Pruned {
			continue
		}
		switch err := os.Remove(m.Path(e.Key)); {
		case err == nil:
			files++
			bytes += e.Size
		case !errors.Is(err, fs.ErrNotExist):
			return files, bytes, diskError("remove", m.Path(e.Key), err)
		}
	}
	return files, bytes, nil
}
