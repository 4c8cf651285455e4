// Command power writes or checks what must survive a loss of power: see run beside it.
//
//	power write DIR ACKS [careless]   queues and keeps runs under DIR until it is killed; a line in ACKS is a promise
//	power check DIR ACKS              fails unless every promise is kept
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"backtester/backtest/history"
	"backtester/backtest/job"
)

func main() {
	if len(os.Args) < 4 {
		fmt.Fprintln(os.Stderr, "usage: power write|check DIR ACKS [careless]")
		os.Exit(2)
	}
	var err error
	switch dir, acks := os.Args[2], os.Args[3]; os.Args[1] {
	case "write":
		err = write(dir, acks, len(os.Args) > 4)
	case "check":
		err = check(dir, acks)
	default:
		err = fmt.Errorf("unknown word %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "power:", err)
		os.Exit(1)
	}
}

func open(dir string) (*history.DB, *job.Folder, error) {
	db, err := history.Open(context.Background(), history.Options{Path: filepath.Join(dir, "db", "history.db"), Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	folder, err := job.OpenFolder(dir)
	return db, folder, err
}

// write acknowledges runs whose row and file are on the disk. A careless writer writes files as everybody
// does.
func write(dir, path string, careless bool) error {
	ctx := context.Background()
	db, folder, err := open(dir)
	if err != nil {
		return err
	}
	acks, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		r := &history.Run{ID: db.NewID(), Owner: "power", Kind: history.KindRun, State: history.Succeeded, Spec: []byte("{}"), SpecSum: fmt.Sprint(i), Strategy: "x"}
		body := strings.Repeat(r.ID+"\n", 500)
		if careless {
			name := job.ResultName(r.ID)
			if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
				return err
			}
			r.Artifacts = []history.Artifact{{Name: name, SHA256: "", Bytes: int64(len(body))}}
		} else {
			a, err := folder.Keep(job.File{Name: job.ResultName(r.ID), Write: func(w io.Writer) error {
				_, err := io.WriteString(w, body)
				return err
			}})
			if err != nil {
				return err
			}
			r.Artifacts = []history.Artifact{a}
		}
		err := db.Write(ctx, func(tx *history.Tx) error {
			return tx.Insert(r)
		})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(acks, r.ID); err != nil {
			return err
		}
		if i%200 == 199 && dirFull(dir) {
			return nil
		}
	}
}

// dirFull reports whether there are as many files as the small disk of the test holds.
func dirFull(dir string) bool {
	list, err := os.ReadDir(filepath.Join(dir, "runs"))
	return err != nil || len(list) > 12_000
}

func check(dir, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	db, folder, err := open(dir)
	if err != nil {
		return err
	}
	defer db.Close()
	var missing, torn, all int
	err = db.Read(context.Background(), func(tx *history.Tx) error {
		var ok string
		if err := tx.QueryRow("PRAGMA integrity_check").Scan(&ok); err != nil || ok != "ok" {
			return errors.Join(err, fmt.Errorf("the database is damaged: %s", ok))
		}
		for lines := bufio.NewScanner(f); lines.Scan(); all++ {
			r, err := tx.Run("", lines.Text())
			if errors.Is(err, history.ErrNotFound) {
				missing++
				continue
			}
			if err != nil {
				return err
			}
			for _, a := range r.Artifacts {
				want := strings.Repeat(r.ID+"\n", 500)
				file, err := folder.Open(a)
				if err != nil {
					torn++
					continue
				}
				got, err := io.ReadAll(file)
				if err := errors.Join(err, file.Close()); err != nil || string(got) != want {
					torn++
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if missing+torn > 0 {
		return fmt.Errorf("of %d promises %d rows are missing and %d files are torn", all, missing, torn)
	}
	return nil
}
