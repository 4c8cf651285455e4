package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file that was changed or is gone is never sent, and never read for an answer: not even one that is as
// long as before.
func TestChangedFilesAreNotSent(t *testing.T) {
	for name, harm := range map[string]func(path string, text []byte) error{
		"one byte":  func(path string, text []byte) error { text[len(text)/2] ^= 1; return os.WriteFile(path, text, 0o600) },
		"cut short": func(path string, text []byte) error { return os.WriteFile(path, text[:len(text)-1], 0o600) },
		"gone":      func(path string, _ []byte) error { return os.Remove(path) },
	} {
		w := newWorld(t, worldOptions{jobs: withSweeps})
		id, swept := w.finished(body(trend)), w.finished(body(family2(), `, "kind": "sweep"`))
		for file, paths := range map[string][]string{
			"tearsheets/" + id + ".html": {"/api/files/tearsheet/" + id + ".html"},
			"csv/" + id + ".csv":         {"/api/files/csv/" + id + ".csv"},
			"csv/" + swept + ".csv":      {"/api/files/csv/" + swept + ".csv", "/api/backtest/results/" + swept + "/rows"},
			"runs/" + id + ".json": {"/api/backtest/results/" + id + "/result", "/api/backtest/results/" + id + "/equity", "/api/backtest/results/" + id + "/files/" + id + ".json",
				"/api/backtest/results/" + id + "?include=metrics"},
		} {
			path := filepath.Join(w.dir, filepath.FromSlash(file))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := harm(path, text); err != nil {
				t.Fatal(err)
			}
			for _, x := range paths {
				rec := w.ask("GET", x, "")
				if rec.Code != 500 || code(rec) != "artifact-damaged" || strings.Contains(rec.Body.String(), w.dir) {
					t.Errorf("%s: %s: %d %.200s", name, x, rec.Code, rec.Body)
				}
			}
		}
		// The row stands, and says so; the log names the file.
		if v := w.want(200, "GET", "/api/backtest/results/"+id, ""); !strings.Contains(mustJSON(v["warnings"]), "artifact_damaged") {
			t.Errorf("%s: %v", name, v)
		}
		if !strings.Contains(w.log.String(), "runs/"+id+".json") {
			t.Errorf("%s: the log names no file: %.400s", name, w.log)
		}
	}
}
