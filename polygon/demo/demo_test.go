package demo_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"backtester/polygon/demo"
)

// digest is over the names and the contents of all files below dir.
func digest(t *testing.T, dir string) (sum string, files int) {
	t.Helper()
	h := sha256.New()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(filepath.Join(dir, name))
		h.Write([]byte(name))
		h.Write(b)
		files++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil)), files
}

func TestWriteIsRepeatable(t *testing.T) {
	one, many := t.TempDir(), t.TempDir()
	if err := demo.Write(context.Background(), one, 1); err != nil {
		t.Fatal(err)
	}
	if err := demo.Write(context.Background(), many, 3); err != nil {
		t.Fatal(err)
	}
	a, files := digest(t, one)
	b, _ := digest(t, many)
	if a != b {
		t.Error("one and three workers write different files")
	}
	if files < 2768+84 {
		t.Errorf("%d files, want every session from 2014 to 2024 and the minutes of four months", files)
	}
}

func TestWriteStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := demo.Write(ctx, t.TempDir(), 2); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Write returns %v", err)
	}
}

func TestWriteNamesTheFolder(t *testing.T) {
	blocked := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(blocked, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := demo.Write(context.Background(), filepath.Join(blocked, "raw"), 2)
	var where *fs.PathError
	if !errors.As(err, &where) || where.Path == "" {
		t.Errorf("Write below a file returns %v, want an error with the path", err)
	}
}
