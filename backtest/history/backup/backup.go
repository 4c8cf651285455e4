// Package backup copies what cannot be made again, the history database and the files of runs, into one
// file while a server goes on writing, and puts it back.
//
// In: the results folder. Out: an archive (tar, compressed with zstd) whose last entry is a manifest with
// the SHA-256 of every other one. It appears under its name only when it is complete and on the disk.
// The database is copied first, in one read transaction: everything acknowledged before the backup began is in it, and
// every file that it names was complete by then. Restore checks the whole archive before it moves
// anything, and keeps what was there.
//
// It refuses archives that are cut off, changed or not its own, and databases that SQLite finds damaged. It
// leaves out what can be made again: market data, queues, locks, files that are still being written. A
// PostgreSQL database has tools of its own and is none of its business.
package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"database/sql"
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
	_ "modernc.org/sqlite" // driver sqlite
)

// Where the database lies below the results folder, and what an archive is called.
const (
	database     = "db/history.db"
	manifestName = "MANIFEST.json"
	prefix       = "backtester-"
	suffix       = ".tar.zst"
	stamp        = "20060102T150405Z"
	format       = 1
)

// Entry is one file of an archive.
type Entry struct {
	Name   string `json:"name"` // below the results folder, with slashes
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Manifest says what an archive holds.
type Manifest struct {
	Format  int       `json:"format"`
	Made    time.Time `json:"made"`
	Version string    `json:"version"` // of the program that made it
	Files   []Entry   `json:"files"`
	// Faults are files that the database names and that were missing or changed on the disk already.
	Faults []string `json:"faults,omitempty"`
}

// Bytes is the size of all files together.
func (m *Manifest) Bytes() int64 {
	var n int64
	for _, f := range m.Files {
		n += f.Bytes
	}
	return n
}

// Options of a backup.
type Options struct {
	Results string // folder
	To      string // folder of archives, made when it is not there
	Label   string // part of the name, such as before-upgrade; "" is none
	Version string // of the program
	Now     time.Time
}

// Create writes an archive and returns its path.
func Create(ctx context.Context, o Options) (path string, m *Manifest, err error) {
	defer func() {
		if err != nil {
			path, err = "", fmt.Errorf("back up %s: %w", o.Results, err)
		}
	}()
	if strings.Trim(o.Label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return "", nil, fmt.Errorf("label %q: want small letters, digits and dashes", o.Label)
	}
	if err := os.MkdirAll(o.To, 0o750); err != nil {
		return "", nil, err
	}
	name := prefix + o.Now.UTC().Format(stamp)
	if o.Label != "" {
		name += "-" + o.Label
	}
	path = filepath.Join(o.To, name+suffix)
	if _, err := os.Lstat(path); err == nil {
		return "", nil, fmt.Errorf("%s is there already", path)
	}
	partial := filepath.Join(o.To, "."+name+".partial")
	out, err := os.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", nil, err
	}
	defer os.Remove(partial) // gone already when all went well
	m, err = write(ctx, out, o, filepath.Join(o.To, "."+name+".db"))
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return "", nil, err
	}
	if err := os.Rename(partial, path); err != nil {
		return "", nil, err
	}
	return path, m, syncFolder(o.To)
}

// write fills an archive. copy is where the copy of the database may lie meanwhile.
func write(ctx context.Context, out io.Writer, o Options, copy string) (*Manifest, error) {
	z, err := zstd.NewWriter(out)
	if err != nil {
		return nil, err
	}
	a := &archive{tar: tar.NewWriter(z), m: &Manifest{Format: format, Made: o.Now.UTC().Truncate(time.Second), Version: o.Version}}
	named, err := a.database(ctx, filepath.Join(o.Results, filepath.FromSlash(database)), copy)
	if err != nil {
		return nil, err
	}
	if err := a.tree(ctx, o.Results); err != nil {
		return nil, err
	}
	have := map[string]string{}
	for _, f := range a.m.Files {
		have[f.Name] = f.SHA256
	}
	for _, n := range named {
		switch have[n.Name] {
		case n.SHA256:
		case "":
			a.m.Faults = append(a.m.Faults, n.Name+" is missing")
		default:
			a.m.Faults = append(a.m.Faults, n.Name+" has changed since its run ended")
		}
	}
	text, err := json.MarshalIndent(a.m, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := a.add(manifestName, int64(len(text)), strings.NewReader(string(text)), false); err != nil {
		return nil, err
	}
	return a.m, errors.Join(a.tar.Close(), z.Close())
}

// archive is one that is being written.
type archive struct {
	tar *tar.Writer
	m   *Manifest
}

// add writes one entry and, if it is listed, its checksum into the manifest.
func (a *archive) add(name string, size int64, r io.Reader, listed bool) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o640, ModTime: a.m.Made, Format: tar.FormatPAX}
	if err := a.tar.WriteHeader(h); err != nil {
		return err
	}
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(a.tar, sum), io.LimitReader(r, size))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if n != size {
		return fmt.Errorf("%s became shorter while it was read", name)
	}
	if listed {
		a.m.Files = append(a.m.Files, Entry{name, size, hex.EncodeToString(sum.Sum(nil))})
	}
	return nil
}

func (a *archive) file(name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	return a.add(name, info.Size(), f, true)
}

// database copies the database as it is at one instant, while others write, and returns the files that
// the copy names. Without a database there is nothing to copy: that is no fault of a fresh server.
func (a *archive) database(ctx context.Context, path, copy string) ([]Entry, error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	live, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return nil, err
	}
	defer live.Close()
	defer os.Remove(copy)
	defer os.Remove(copy + "-journal") // there when the copy could not be made
	if _, err := live.ExecContext(ctx, "VACUUM INTO ?", copy); err != nil {
		return nil, fmt.Errorf("copy the database %s: %w", path, err)
	}
	named, err := inspectFile(ctx, copy)
	if err != nil {
		return nil, err
	}
	return named, a.file(database, copy)
}

// dsn is a file name as the driver wants it.
func dsn(path string) string {
	return "file:" + strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path)) + "?_pragma=busy_timeout(15000)"
}

// inspectFile inspects a database that nobody else has open.
func inspectFile(ctx context.Context, path string) ([]Entry, error) {
	db, err := sql.Open("sqlite", dsn(path)+"&mode=ro&immutable=1")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return inspect(ctx, db)
}

// inspect checks a database and lists the files that it names.
func inspect(ctx context.Context, db *sql.DB) ([]Entry, error) {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil || verdict != "ok" {
		return nil, errors.Join(fmt.Errorf("the database is damaged: %s", verdict), err)
	}
	rows, err := db.QueryContext(ctx, "SELECT name, sha256, bytes FROM artifacts ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("list the files of runs: %w", err)
	}
	defer rows.Close()
	var named []Entry
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.Name, &e.SHA256, &e.Bytes); err != nil {
			return nil, err
		}
		named = append(named, e)
	}
	return named, rows.Err()
}

// tree adds the files of runs. What vanishes meanwhile was purged by its owner.
func (a *archive) tree(ctx context.Context, results string) error {
	return filepath.WalkDir(results, func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		rel, err := filepath.Rel(results, p)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		switch {
		case d.IsDir() && (name == "db" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return filepath.SkipDir
		case !d.Type().IsRegular(), strings.HasPrefix(d.Name(), "."), strings.HasSuffix(name, ".part"):
			return nil
		}
		if err := a.file(name, p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
