package backup

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Check looks whether the database below results is sound and the files that it names are there, with
// the size it knows; deep compares checksums too. A server may go on meanwhile. faults name files.
func Check(ctx context.Context, results string, deep bool) (files int, faults []string, err error) {
	path := filepath.Join(results, filepath.FromSlash(database))
	if _, err := os.Stat(path); err != nil {
		return 0, nil, fmt.Errorf("check the database: %w", err)
	}
	db, err := sql.Open("sqlite", dsn(path)+"&_pragma=query_only(1)")
	if err != nil {
		return 0, nil, fmt.Errorf("check the database %s: %w", path, err)
	}
	defer db.Close()
	named, err := inspect(ctx, db)
	if err != nil {
		return 0, nil, fmt.Errorf("check the database %s: %w", path, err)
	}
	for _, n := range named {
		have, err := look(filepath.Join(results, filepath.FromSlash(n.Name)), deep)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			faults = append(faults, n.Name+" is missing")
		case err != nil:
			faults = append(faults, n.Name+": "+err.Error())
		case have.Bytes != n.Bytes || deep && have.SHA256 != n.SHA256:
			faults = append(faults, n.Name+" has changed since its run ended")
		}
	}
	return len(named), faults, nil
}

// look measures a file.
func look(path string, deep bool) (Entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !deep {
		return Entry{Bytes: size(info)}, err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	return Entry{Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, err
}

func size(info fs.FileInfo) int64 {
	if info == nil {
		return 0
	}
	return info.Size()
}
