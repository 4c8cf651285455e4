package cmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"backtester/backtest/audit"
	"backtester/backtest/instrument"
	"backtester/polygon/flatfile"
	"backtester/polygon/reference"
)

// notes reads what lies behind the store once more: reference data always, flat files with --files.
func (o *checkOptions) notes(ctx context.Context, synthetic bool) ([]audit.Note, error) {
	raw := o.rawDir(synthetic)
	if raw == "" {
		return nil, nil
	}
	var notes []audit.Note
	data, err := reference.Read(filepath.Join(raw, "reference"))
	if err != nil {
		return nil, err
	}
	if !data.Empty() {
		_, found := reference.Build(data)
		for _, n := range found {
			notes = append(notes, audit.Note{Check: "reference", Date: instrument.None, Rows: n.Rows, Text: n.String()})
		}
	}
	if !o.files {
		return notes, nil
	}
	more, err := readFiles(ctx, raw)
	return append(notes, more...), err
}

// flatFile is one downloaded file.
type flatFile struct {
	path, key string
	dataset   flatfile.Dataset
	session   instrument.Date
}

// readFiles decodes every flat file below a folder and gives what was noticed, by dataset and session.
func readFiles(ctx context.Context, raw string) ([]audit.Note, error) {
	files, err := findFiles(raw)
	if err != nil {
		return nil, err
	}
	byFile := make([][]audit.Note, len(files))
	errs := make([]error, len(files))
	work := make(chan int)
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 4) {
		group.Go(func() {
			d := flatfile.NewDecoder()
			for i := range work {
				byFile[i], errs[i] = readNotes(d, files[i])
			}
		})
	}
	for i := range files {
		if ctx.Err() != nil {
			break
		}
		work <- i
	}
	close(work)
	group.Wait()
	return slices.Concat(byFile...), errors.Join(ctx.Err(), errors.Join(errs...))
}

func findFiles(raw string) ([]flatFile, error) {
	var files []flatFile
	err := filepath.WalkDir(raw, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == raw {
			return fs.SkipAll
		}
		if err != nil || e.IsDir() {
			return err
		}
		rel, err := filepath.Rel(raw, path)
		if err != nil {
			return err
		}
		key := filepath.ToSlash(rel)
		if d, session, ok := flatfile.ParseKey(key); ok {
			files = append(files, flatFile{path, key, d, session})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for flat files: %w", err)
	}
	slices.SortFunc(files, func(a, b flatFile) int { return strings.Compare(a.key, b.key) })
	return files, nil
}

// readNotes decodes one file. A file that cannot be used is a note, one that cannot be opened an error.
func readNotes(d *flatfile.Decoder, f flatFile) ([]audit.Note, error) {
	in, err := os.Open(f.path)
	if err != nil {
		return nil, fmt.Errorf("check flat file: %w", err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, fmt.Errorf("check flat file: %w", err)
	}
	_, found, err := d.Decode(flatfile.Source{Dataset: f.dataset, Session: f.session, Reader: in, Size: info.Size()})
	if err != nil {
		return []audit.Note{{Check: "file_damaged", Date: f.session, Rows: 1, Text: err.Error()}}, nil
	}
	var notes []audit.Note
	for _, n := range found {
		x := audit.Note{Date: f.session, Rows: n.Rows, Text: f.key + " " + n.String()}
		switch {
		case n.Code.Fault():
			x.Check = "file_rows"
		case n.Code == flatfile.WrongStamp:
			x.Check = "wrong_date"
		default:
			continue // routine
		}
		notes = append(notes, x)
	}
	return notes, nil
}
