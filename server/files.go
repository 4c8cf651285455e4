package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"backtester/backtest/history"
	"backtester/backtest/job"
	"backtester/report"
	"backtester/server/account"
)

// A file is found in the history, by the run that made it and that is the client's own, never by its
// name on the disk. The name that a client sends only has to look like one.

func (s *Server) fileOperations() {
	operation(s, route{id: "tearsheet", method: "GET", path: "/api/files/tearsheet/{filename}", tag: "files", summary: "Get the tearsheet of a run, RUN_ID.html", status: 200, scope: account.Read,
		content: "text/html", also: []int{206}, bodyless: []int{304}, problems: []string{"range", "not-found"}}, s.tearsheet)
	operation(s, route{id: "csv", method: "GET", path: "/api/files/csv/{filename}", tag: "files", summary: "Get the metrics of a run, RUN_ID.csv", status: 200, scope: account.Read,
		content: "text/csv", also: []int{206}, bodyless: []int{304}, problems: []string{"range", "not-found"}}, s.csvFile)
	operation(s, route{id: "run-file", method: "GET", path: "/api/backtest/results/{run_id}/files/{filename}", tag: "files", summary: "Get another file of a run, as an attachment", status: 200, scope: account.Read,
		content: "application/octet-stream", also: []int{206}, bodyless: []int{304}, problems: []string{"range", "not-found"}}, s.runFile)
}

type fileInput struct {
	Filename string `path:"filename" maxLength:"400"`
	Download bool   `query:"download"`
}

// tearsheet shows a report that is never trusted. It lies in an origin of its own; no script runs in it,
// whatever it holds, but the one that this program writes, and it can neither send forms nor load
// anything. A tearsheet with the script of another version stands without its cross-hair.
func (s *Server) tearsheet(ctx context.Context, in *fileInput) (*streamOutput, error) {
	r, a, err := s.artifact(ctx, "tearsheets", in.Filename, ".html")
	if err != nil {
		return nil, err
	}
	return s.artifactBody(r, a, func(h http.Header) {
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "sandbox allow-scripts; default-src 'none'; script-src "+report.ScriptSource()+
			"; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors "+s.frameAncestors())
		h.Del("X-Frame-Options")
		if in.Download {
			attach(h, path.Base(a.Name))
		}
	}), nil
}

// frameAncestors are the pages that may show a tearsheet within themselves.
func (s *Server) frameAncestors() string {
	list := "'self'"
	for _, o := range s.Origins {
		list += " " + o
	}
	if s.LocalOrigins {
		list += " http://localhost:* http://127.0.0.1:*"
	}
	return list
}

func (s *Server) csvFile(ctx context.Context, in *fileInput) (*streamOutput, error) {
	r, a, err := s.artifact(ctx, "csv", in.Filename, ".csv")
	if err != nil {
		return nil, err
	}
	return s.artifactBody(r, a, func(h http.Header) {
		h.Set("Content-Type", "text/csv; charset=utf-8")
		attach(h, path.Base(a.Name))
	}), nil
}

func (s *Server) runFile(ctx context.Context, in *struct {
	RunInput
	Filename string `path:"filename" maxLength:"400"`
}) (*streamOutput, error) {
	r, err := s.run(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	for _, a := range r.Artifacts {
		if path.Base(a.Name) == in.Filename {
			return s.artifactBody(r, a, func(h http.Header) {
				h.Set("Content-Type", "application/octet-stream")
				attach(h, path.Base(a.Name))
			}), nil
		}
	}
	return nil, problem("not-found", "the run has no such file")
}

func (s *Server) resultFile(ctx context.Context, in *RunInput) (*streamOutput, error) {
	r, err := s.finished(ctx, in.RunID)
	if err != nil {
		return nil, err
	}
	a, err := resultArtifact(r)
	if err != nil {
		return nil, err
	}
	return s.artifactBody(r, a, func(h http.Header) { h.Set("Content-Type", "application/json") }), nil
}

func attach(h http.Header, name string) {
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// fileName is what the name of a file can be.
var fileName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`) })

// artifact finds the file of a run by the name that it has in a folder.
func (s *Server) artifact(ctx context.Context, folder, filename, ending string) (*history.Run, history.Artifact, error) {
	none := problem("not-found", "there is no such file")
	if !fileName().MatchString(filename) {
		return nil, history.Artifact{}, none
	}
	id, ok := strings.CutSuffix(filename, ending)
	if id, _, _ = strings.Cut(id, "_"); !ok || !history.ValidID(id) { // the former application's RUN_metrics.csv is the same
		return nil, history.Artifact{}, none
	}
	r, err := s.run(ctx, id)
	if err != nil {
		return nil, history.Artifact{}, none
	}
	for _, a := range r.Artifacts {
		if a.Name == folder+"/"+filename || a.Name == folder+"/"+id+ending {
			return r, a, nil
		}
	}
	return nil, history.Artifact{}, none
}

// artifactBody sends a file with its sum as the tag: it never changes. A file whose bytes are not those
// that the run wrote is not sent at all.
func (s *Server) artifactBody(r *history.Run, a history.Artifact, headers func(http.Header)) *streamOutput {
	return &streamOutput{func(c huma.Context) {
		req, w := humachi.Unwrap(c)
		f, err := s.Jobs.Open(a)
		if err != nil {
			s.write(w, req, jobProblem(err))
			return
		}
		defer f.Close()
		tag := `"` + a.SHA256 + `"`
		if req.Header.Get("If-None-Match") != tag && req.Method != http.MethodHead {
			if err := job.Check(f, a); err != nil {
				s.write(w, req, jobProblem(err))
				return
			}
		}
		h := w.Header()
		headers(h)
		h.Set("ETag", tag)
		h.Set("Cache-Control", "private, no-cache")
		if req.Header.Get("Range") != "" {
			w = &ranged{w, s, req, false}
		}
		http.ServeContent(w, req, "", r.Finished.Truncate(time.Second), f)
	}}
}

// ranged makes the refusal of a range, which net/http words as plain text, a problem.
type ranged struct {
	http.ResponseWriter
	s       *Server
	r       *http.Request
	refused bool
}

func (w *ranged) WriteHeader(status int) {
	if w.refused = status == http.StatusRequestedRangeNotSatisfiable; !w.refused {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.Header().Del("Content-Length")
	w.Header().Del("Content-Disposition")
	w.s.write(w.ResponseWriter, w.r, problem("range", "Range "+strconv.Quote(clip(w.r.Header.Get("Range"), 60))))
}

func (w *ranged) Write(b []byte) (int, error) {
	if w.refused {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

func etagOf(b []byte) string {
	sum := sha256.Sum256(b)
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}

// notModified sets the tag and answers 304 when the client has it.
func notModified(w http.ResponseWriter, r *http.Request, tag string) bool {
	w.Header().Set("ETag", tag)
	for _, have := range strings.Split(r.Header.Get("If-None-Match"), ",") {
		if strings.TrimPrefix(strings.TrimSpace(have), "W/") == tag {
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}
