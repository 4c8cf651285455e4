package s3test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"backtester/polygon"
)

// An answer with the ETag of something else, and one with the bytes of another day in place of those that were
// asked for: it is not taken for what was listed, so the next fetch has the right one.
func TestAnswerThatIsNotWhatWasListed(t *testing.T) {
	const other = `"0123456789abcdef0123456789abcdef"`
	for name, spoil := range map[string]func(*vendor) func(rw, *res){
		"wrong ETag": func(*vendor) func(rw, *res) {
			return func(w rw, r *res) { r.Header.Set("ETag", other); pass(w, r) }
		},
		"no ETag": func(*vendor) func(rw, *res) {
			return func(w rw, r *res) { r.Header.Del("ETag"); pass(w, r) }
		},
		"another day of its own ETag": func(v *vendor) func(rw, *res) {
			return func(w rw, r *res) {
				b := v.files[v.key(3)]
				r.Header.Set("ETag", other)
				hijack(w, raw(r, len(b), b), func(*net.TCPConn) {})
			}
		},
		"another day of the right ETag": func(v *vendor) func(rw, *res) {
			return func(w rw, r *res) { b := v.files[v.key(3)]; hijack(w, raw(r, len(b), b), func(*net.TCPConn) {}) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t, 5)
			sick, spoil := true, spoil(v)
			_, url := v.startProxy(func(key string, _ int) func(rw, *res) {
				if key == v.key(2) && sick {
					return spoil
				}
				return nil
			})
			dir := t.TempDir()
			o := options(dir, url)
			o.S3.Attempts = 2
			_, err := polygon.Sync(t.Context(), o)
			if bad := strings.HasPrefix(name, "another"); bad && (err == nil || !strings.Contains(err.Error(), "2024-01-04")) {
				t.Errorf("error %v", err)
			} else if !bad && err != nil {
				t.Errorf("the bytes are right: %v", err)
			}
			if err := stored(dir); err != nil {
				t.Error(err)
			}
			sick = false
			s, err := polygon.Sync(t.Context(), options(dir, url))
			if err != nil {
				t.Fatal(err)
			}
			if again := s.Bars[0].Fetched == 1; again == (name == "no ETag") {
				t.Errorf("fetched again: %v", again)
			}
			v.complete(dir)
		})
	}
}

// A disk that is full a few blocks later each time, over what the fetch before it has left: each time the error
// names the disk, what lies under its name is whole, and the store is whole; with room for all of it, it is complete.
func TestFullDiskAtEverySize(t *testing.T) {
	v := newVendor(t, 12)
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8k"); err != nil {
		t.Skipf("SKIPPED: mounting a small file system needs root: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	failures := 0
	for size := 8; ; size += 8 {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%dk", size)); err != nil {
			t.Fatal(err)
		}
		_, err := polygon.Sync(t.Context(), v.options(dir))
		if err == nil {
			break
		}
		failures++
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space") || !strings.Contains(err.Error(), dir) {
			t.Fatalf("%d KiB: %v", size, err)
		}
		for key, got := range v.onDisk(dir) {
			if got != sum(v.files[key]) {
				t.Errorf("%d KiB: %s is left half-written", size, key)
			}
		}
		if err := stored(dir); err != nil {
			t.Errorf("%d KiB: %v", size, err)
		}
		if size > 64<<10 {
			t.Fatalf("no success with %d KiB: %v", size, err)
		}
	}
	t.Logf("%d sizes failed", failures)
	if failures < 20 {
		t.Errorf("only %d sizes failed", failures)
	}
	v.complete(dir)
}

// A file system that turns read-only in the middle of a fetch, as ext4 does after a fault of its disk: the error
// names it, nothing half-written lies under its name, and when it can be written again the fetch goes on.
func TestDiskTurnsReadOnly(t *testing.T) {
	v := newVendor(t, 40)
	dir := t.TempDir()
	image := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(64<<20), f.Close()); err != nil {
		t.Fatal(err)
	}
	mount := func() error { return exec.Command("mount", "-o", "loop,errors=remount-ro", image, dir).Run() }
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: mkfs.ext4: %v %s", err, out)
	}
	if err := mount(); err != nil {
		t.Skipf("SKIPPED: mounting a file system needs root: %v", err)
	}
	defer exec.Command("umount", "-l", dir).Run()
	device, err := exec.Command("findmnt", "-n", "-o", "SOURCE", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	trigger := filepath.Join("/sys/fs/ext4", filepath.Base(strings.TrimSpace(string(device))), "trigger_fs_error")
	if _, err := os.Stat(trigger); err != nil {
		t.Skipf("SKIPPED: the kernel makes no faults: %v", err)
	}
	asked := 0
	_, url := v.startProxy(func(key string, _ int) func(rw, *res) {
		if key == "" {
			return nil
		}
		if asked++; asked == 20 {
			_ = os.WriteFile(trigger, []byte("made by the test"), 0)
		}
		return nil
	})
	o := options(dir, url)
	o.Workers = 1
	_, err = polygon.Sync(t.Context(), o)
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	if asked > 24 {
		t.Errorf("%d files were asked for of a disk that takes none", asked)
	}
	if err := stored(dir); err != nil {
		t.Error(err)
	}
	if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	_ = exec.Command("e2fsck", "-p", image).Run() // 1: it had the fault to clear
	if err := mount(); err != nil {
		t.Fatal(err)
	}
	for key, got := range v.onDisk(dir) {
		if got != sum(v.files[key]) {
			t.Errorf("%s is left half-written", key)
		}
	}
	if _, err := polygon.Sync(t.Context(), v.options(dir)); err != nil {
		t.Fatal(err)
	}
	v.complete(dir)
}

// Folders that are not there are made; one that cannot be is named, and so is one that may not be written.
func TestFoldersOfAFetch(t *testing.T) {
	v := newVendor(t, 3)
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	if _, err := polygon.Sync(t.Context(), v.options(dir)); err != nil {
		t.Fatal(err)
	}
	v.complete(dir)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := polygon.Sync(t.Context(), v.options(filepath.Join(file, "below"))); !errors.Is(err, syscall.ENOTDIR) || !strings.Contains(err.Error(), file) {
		t.Errorf("below a file: %v", err)
	}
	// The store is gone and the downloads are there: nothing is downloaded again.
	if err := os.RemoveAll(filepath.Join(dir, "store")); err != nil {
		t.Fatal(err)
	}
	if s, err := polygon.Sync(t.Context(), v.options(dir)); err != nil || s.Bars[0].Fetched != 0 || s.Bars[0].Loaded != 3 {
		t.Errorf("%+v %v", s.Bars, err)
	}
	v.complete(dir)
	if err := os.RemoveAll(filepath.Join(dir, "raw")); err != nil { // and the other way round
		t.Fatal(err)
	}
	if _, err := polygon.Sync(t.Context(), v.options(dir)); err != nil {
		t.Fatal(err)
	}
	v.complete(dir)
}
