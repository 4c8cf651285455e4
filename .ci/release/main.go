// Command release does what no ready tool does for a release: archives that have the same bytes from the
// same files, and the licences of everything inside, collected and checked.
//
//	release pack FOLDER FILE.tar.gz|FILE.zip SECONDS     every file dated SECONDS after 1970
//	release licences SBOM REPOSITORY OUT.txt             refuses what the project may not use
package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 4 && args[0] == "pack":
		seconds, err := strconv.ParseInt(args[3], 10, 64)
		if err != nil {
			return fmt.Errorf("pack: SECONDS %q is no number", args[3])
		}
		return pack(args[1], args[2], time.Unix(seconds, 0).UTC())
	case len(args) == 4 && args[0] == "licences":
		return licences(args[1], args[2], args[3])
	}
	return fmt.Errorf("want pack FOLDER FILE SECONDS or licences SBOM REPOSITORY OUT")
}

// pack writes a folder, with its own name as the first part of every path, in the order of names.
func pack(dir, file string, date time.Time) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	add, end := tarball(out, date)
	if strings.HasSuffix(file, ".zip") {
		add, end = zipped(out, date)
	}
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(filepath.Dir(dir), p)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info.Mode()&0o100 != 0 {
			mode = 0o755
		}
		return add(filepath.ToSlash(rel), b, mode)
	})
	if err != nil {
		return fmt.Errorf("pack %s: %w", file, err)
	}
	if err := end(); err != nil {
		return fmt.Errorf("pack %s: %w", file, err)
	}
	return out.Close()
}

type adder func(name string, content []byte, mode fs.FileMode) error

func tarball(w io.Writer, date time.Time) (adder, func() error) {
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	add := func(name string, content []byte, mode fs.FileMode) error {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: int64(mode), ModTime: date, Uname: "root", Gname: "root", Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		_, err := t.Write(content)
		return err
	}
	return add, func() error {
		if err := t.Close(); err != nil {
			return err
		}
		return z.Close()
	}
}

func zipped(w io.Writer, date time.Time) (adder, func() error) {
	z := zip.NewWriter(w)
	add := func(name string, content []byte, mode fs.FileMode) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: date}
		h.SetMode(mode)
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = f.Write(content)
		return err
	}
	return add, z.Close
}
