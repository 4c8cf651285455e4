package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func tree(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "product-1")
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, mode := range map[string]os.FileMode{"b": 0o755, "a.txt": 0o600, "sub/c": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The same files give the same bytes, whenever, wherever and by whomever they were written.
func TestArchivesHaveTheSameBytes(t *testing.T) {
	for _, kind := range []string{".tar.gz", ".zip"} {
		var got [][]byte
		for i := range 2 {
			dir, file := tree(t), filepath.Join(t.TempDir(), "out"+kind)
			when := time.Unix(int64(1e9+i), 0)
			if err := os.Chtimes(filepath.Join(dir, "b"), when, when); err != nil {
				t.Fatal(err)
			}
			if err := run([]string{"pack", dir, file, "1700000000"}); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b)
		}
		if !bytes.Equal(got[0], got[1]) {
			t.Errorf("%s differs from run to run", kind)
		}
		if names := contents(t, kind, got[0]); names != "product-1/a.txt 644 product-1/b 755 product-1/sub/c 644" {
			t.Errorf("%s holds %s", kind, names)
		}
	}
}

func contents(t *testing.T, kind string, b []byte) string {
	t.Helper()
	var list []string
	mode := map[bool]string{true: " 755", false: " 644"}
	if kind == ".zip" {
		z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			list = append(list, f.Name+mode[f.Mode()&0o100 != 0])
		}
		return strings.Join(list, " ")
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return strings.Join(list, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, h.Name+mode[h.Mode&0o100 != 0])
	}
}

func TestLicencesAreRefused(t *testing.T) {
	good := part{name: "good", version: "1", licence: "MIT", texts: []string{"text"}}
	if err := refuse([]part{good}); err != nil {
		t.Errorf("an allowed part: %v", err)
	}
	err := refuse([]part{good, {name: "copyleft", version: "2", licence: "GPL-3.0", texts: []string{"text"}}, {name: "unknown", version: "3", texts: []string{"text"}}, {name: "bare", version: "4", licence: "ISC"}})
	if err == nil {
		t.Fatal("parts that may not be used are accepted")
	}
	for _, want := range []string{`copyleft 2 has the licence "GPL-3.0"`, `unknown 3 has the licence ""`, "bare 4 comes without the text"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "good") {
		t.Errorf("an allowed part is refused: %v", err)
	}
}
