package reference

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// fetchedFile remembers when each list was had last.
const fetchedFile = "fetched.json"

// Fetched says when lists were had. A folder where nothing was written down had none: then all of it is
// asked for once more.
type Fetched struct {
	path  string
	times map[string]time.Time
}

// ReadFetched of a folder.
func ReadFetched(dir string) *Fetched {
	f := &Fetched{path: filepath.Join(dir, fetchedFile), times: map[string]time.Time{}}
	if text, err := os.ReadFile(f.path); err == nil {
		if json.Unmarshal(text, &f.times) != nil {
			f.times = map[string]time.Time{}
		}
	}
	return f
}

// At is when the list was had, the zero time when it was not.
func (f *Fetched) At(list string) time.Time { return f.times[list] }

// Set writes down that the list is had as of t.
func (f *Fetched) Set(list string, t time.Time) error {
	f.times[list] = t.UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(f.times, "", "  ")
	if err != nil {
		return err
	}
	w, err := createFile(f.path)
	if err != nil {
		return err
	}
	if _, err := w.buf.Write(append(text, '\n')); err != nil {
		w.discard()
		return err
	}
	return w.publish()
}
