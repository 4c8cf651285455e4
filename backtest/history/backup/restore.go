package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Verify reads a whole archive and restores it into a folder that is removed again: every checksum, the
// database, and every file that the database names.
func Verify(ctx context.Context, path string) (*Manifest, error) {
	dir, err := os.MkdirTemp("", "backtester-verify-")
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", path, err)
	}
	defer os.RemoveAll(dir)
	m, err := unpack(ctx, path, dir)
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", path, err)
	}
	return m, nil
}

// Restore puts an archive into the results folder, where no server may run. What was there is moved to
// the folder that it returns, below the results folder; "" when there was nothing.
func Restore(ctx context.Context, path, results string, now time.Time) (m *Manifest, kept string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("restore %s: %w", path, err)
		}
	}()
	if err := os.MkdirAll(results, 0o750); err != nil {
		return nil, "", err
	}
	fresh, err := os.MkdirTemp(results, ".restore-")
	if err != nil {
		return nil, "", err
	}
	defer os.RemoveAll(fresh)
	if m, err = unpack(ctx, path, fresh); err != nil {
		return nil, "", err
	}
	before := filepath.Join(results, ".before-"+now.UTC().Format(stamp))
	old, err := os.ReadDir(results)
	if err != nil {
		return nil, "", err
	}
	for _, e := range old {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if err := os.MkdirAll(before, 0o750); err != nil {
			return nil, "", err
		}
		kept = before
		if err := os.Rename(filepath.Join(results, e.Name()), filepath.Join(before, e.Name())); err != nil {
			return nil, kept, err
		}
	}
	entries, err := os.ReadDir(fresh)
	if err != nil {
		return nil, kept, err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(fresh, e.Name()), filepath.Join(results, e.Name())); err != nil {
			return nil, kept, err
		}
	}
	return m, kept, syncFolder(results)
}

// unpack writes the files of an archive below dir and checks all of them.
func unpack(ctx context.Context, path, dir string) (*Manifest, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	got := map[string]Entry{}
	var m *Manifest
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("the archive is damaged: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if m != nil || h.Typeflag != tar.TypeReg {
			return nil, fmt.Errorf("this is no archive of ours: unexpected entry %s", h.Name)
		}
		if h.Name == manifestName {
			if m, err = manifest(r); err != nil {
				return nil, err
			}
			continue
		}
		e, err := extract(root, h, r)
		if err != nil {
			return nil, err
		}
		got[e.Name] = e
	}
	if m == nil {
		return nil, errors.New("the archive is cut off: its manifest is missing")
	}
	if _, err := io.Copy(io.Discard, z); err != nil { // the checksum of the stream stands at its end
		return nil, fmt.Errorf("the archive is damaged: %w", err)
	}
	return m, check(ctx, m, got, dir)
}

func manifest(r io.Reader) (*Manifest, error) {
	var m Manifest
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, fmt.Errorf("read the manifest: %w", err)
	}
	if m.Format != format {
		return nil, fmt.Errorf("the archive has format %d, this program reads %d", m.Format, format)
	}
	return &m, nil
}

// extract writes one file. The root keeps names of a forged archive inside.
func extract(root *os.Root, h *tar.Header, r io.Reader) (Entry, error) {
	name := filepath.FromSlash(h.Name)
	if !filepath.IsLocal(name) {
		return Entry{}, fmt.Errorf("this is no archive of ours: entry %q", h.Name)
	}
	if err := root.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return Entry{}, err
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return Entry{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), r)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return Entry{}, fmt.Errorf("the archive is damaged at %s: %w", h.Name, err)
	}
	return Entry{h.Name, n, hex.EncodeToString(sum.Sum(nil))}, nil
}

// check compares what was written with the manifest, and the database with both.
func check(ctx context.Context, m *Manifest, got map[string]Entry, dir string) error {
	for _, want := range m.Files {
		if have, ok := got[want.Name]; !ok {
			return fmt.Errorf("%s is missing in the archive", want.Name)
		} else if have != want {
			return fmt.Errorf("%s is not what the manifest says", want.Name)
		}
		delete(got, want.Name)
	}
	for name := range got {
		return fmt.Errorf("%s is not in the manifest", name)
	}
	path := filepath.Join(dir, filepath.FromSlash(database))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	named, err := inspectFile(ctx, path)
	if err != nil {
		return err
	}
	have := map[string]string{}
	for _, f := range m.Files {
		have[f.Name] = f.SHA256
	}
	faults := map[string]bool{}
	for _, f := range m.Faults {
		faults[strings.Fields(f)[0]] = true
	}
	for _, n := range named {
		if have[n.Name] != n.SHA256 && !faults[n.Name] {
			return fmt.Errorf("the database names %s, which the archive does not have as it was", n.Name)
		}
	}
	return nil
}
