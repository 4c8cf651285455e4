package cmd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
)

// watching is how long work may take before a bar of its progress is drawn: what is done sooner would only
// flicker.
const watching = 500 * time.Millisecond

// patient gives a function that says whether work that begins now has taken long enough to be watched.
func (s IO) patient() func() bool {
	began := s.Now()
	return func() bool { return s.Now().Sub(began) >= watching }
}

// writable finds out before hours of work whether its results can be written: into a folder that is made if
// need be, to a file that is replaced. "" is nothing to write.
func writable(folder string, files ...string) error {
	if folder != "" {
		if err := writableFolder(folder); err != nil {
			return fmt.Errorf("write results to %s: %w", folder, err)
		}
	}
	for _, f := range files {
		if f == "" {
			continue
		}
		info, err := os.Stat(f)
		switch {
		case err == nil && info.IsDir():
			err = errors.New("it is a folder: name a file")
		case err == nil && !info.Mode().IsRegular():
			continue // a pipe or a device
		default:
			if _, err = os.Stat(filepath.Dir(f)); os.IsNotExist(err) {
				err = fmt.Errorf("there is no folder %s", filepath.Dir(f))
			} else {
				err = writableFolder(filepath.Dir(f))
			}
		}
		if err != nil {
			return fmt.Errorf("write %s: %w", f, err)
		}
	}
	return nil
}

// writableFolder tries a file in a folder, or in the nearest one above that exists.
func writableFolder(dir string) error {
	for {
		info, err := os.Stat(dir)
		switch {
		case os.IsNotExist(err) && filepath.Dir(dir) != dir:
			dir = filepath.Dir(dir)
			continue
		case err != nil:
			return cause(err)
		case !info.IsDir():
			return fmt.Errorf("%s is no folder", dir)
		}
		f, err := os.CreateTemp(dir, ".writable-*")
		if err != nil {
			return cause(err)
		}
		f.Close()
		return os.Remove(f.Name())
	}
}

// wipe takes away what an interruption leaves of a bar; nil is one that was never drawn.
func wipe(b *progressbar.ProgressBar) {
	if b != nil && !b.IsFinished() {
		_ = b.Clear()
	}
}
