package reference

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Read takes whatever files the folder holds. A list is nil when its file is missing and not nil,
// perhaps empty, when it is there. An error names file and byte.
func Read(dir string) (*Data, error) {
	d := &Data{}
	err := errors.Join(
		readRows(filepath.Join(dir, SplitsFile), &d.Splits),
		readRows(filepath.Join(dir, DividendsFile), &d.Dividends),
		readRows(filepath.Join(dir, TickersFile), &d.Tickers),
		readTypes(filepath.Join(dir, TypesFolder), &d.Types),
		readRows(filepath.Join(dir, EventsFile), &d.Events),
		readRows(filepath.Join(dir, HolidaysFile), &d.Holidays),
		readRows(filepath.Join(dir, ClosuresFile), &d.Closures),
	)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// readRows streams the results of one file, so that its text is never in memory as a whole.
func readRows[T any](path string, rows *[]T) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read reference data: %w", err)
	}
	defer f.Close()
	*rows = []T{}
	dec := json.NewDecoder(bufio.NewReaderSize(f, 256<<10))
	err = results(dec, func() error {
		var row T
		if err := dec.Decode(&row); err != nil {
			return err
		}
		*rows = append(*rows, row)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read %s byte %d: %w; fetch the reference data again", path, dec.InputOffset(), err)
	}
	return nil
}

// results walks a JSON object and calls element for every element of its array "results".
func results(dec *json.Decoder, element func() error) error {
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New(`want an object with "results"`), eof(err))
	}
	found := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return eof(err)
		}
		if key != "results" {
			var skip json.RawMessage
			if err := dec.Decode(&skip); err != nil {
				return eof(err)
			}
			continue
		}
		found = true
		t, err := dec.Token()
		if err != nil {
			return eof(err)
		}
		if t == nil { // null: no rows
			continue
		}
		if t != json.Delim('[') {
			return errors.New(`"results" is no list`)
		}
		for dec.More() {
			if err := element(); err != nil {
				return eof(err)
			}
		}
		if _, err := dec.Token(); err != nil {
			return eof(err)
		}
	}
	if _, err := dec.Token(); err != nil {
		return eof(err)
	}
	if !found {
		return errors.New(`no list "results"`)
	}
	return nil
}

// eof makes a cut file sound like one.
func eof(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// writer streams rows into a file of the same shape; the file gets its name only when complete.
type writer struct {
	f    *os.File
	buf  *bufio.Writer
	path string
	rows int
}

// create begins a list of rows.
func create(path string) (*writer, error) {
	w, err := createFile(path)
	if err != nil {
		return nil, err
	}
	_, err = w.buf.WriteString(`{"status":"OK","results":[`)
	return w, err
}

func createFile(path string) (*writer, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("write reference data: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return nil, fmt.Errorf("write reference data: %w", err)
	}
	return &writer{f: f, buf: bufio.NewWriterSize(f, 256<<10), path: path}, nil
}

func (w *writer) add(row json.RawMessage) error {
	sep := "\n"
	if w.rows > 0 {
		sep = ",\n"
	}
	w.rows++
	if _, err := w.buf.WriteString(sep); err != nil {
		return err
	}
	_, err := w.buf.Write(row)
	return err
}

// commit ends the list and gives the file its name.
func (w *writer) commit() error {
	if _, err := w.buf.WriteString("\n]}\n"); err != nil {
		w.discard()
		return fmt.Errorf("write %s: %w", w.path, err)
	}
	return w.publish()
}

// publish gives the file its name.
func (w *writer) publish() error {
	err := errors.Join(w.buf.Flush(), w.f.Chmod(0o644), w.f.Sync(), w.f.Close())
	if err == nil {
		err = os.Rename(w.f.Name(), w.path)
	}
	if err != nil {
		os.Remove(w.f.Name())
		return fmt.Errorf("write %s: %w", w.path, err)
	}
	return nil
}

func (w *writer) discard() {
	w.f.Close()
	os.Remove(w.f.Name())
}
