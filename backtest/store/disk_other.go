//go:build !unix

package store

import (
	"os"
	"unsafe"
)

// mapFile reads the file into aligned memory where mapping is not available.
func mapFile(path string) ([]byte, func() error, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	words := make([]uint64, (len(raw)+7)/8)
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(raw))
	copy(b, raw)
	return b, func() error { return nil }, nil
}

// release has nothing to give back: the file was read into memory.
func release([]byte) {}

// lockFile cannot lock here: the pid in the file is all there is.
func lockFile(*os.File) error { return nil }

// syncDir: directories cannot be synced here; renames are ordered by the file system.
func syncDir(string) error { return nil }
