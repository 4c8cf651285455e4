package server

import (
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/go-chi/chi/v5"
)

// pages serves the web application: its files, and index.html for its own addresses.
func (s *Server) pages(mux chi.Router) {
	tags := map[string]string{}
	contents := map[string][]byte{}
	err := fs.WalkDir(s.Frontend, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return err
		}
		b, err := fs.ReadFile(s.Frontend, name)
		contents[name], tags[name] = b, etagOf(b)
		return err
	})
	if err != nil || contents["index.html"] == nil {
		s.Log.Error("the web application cannot be read", "error", errors.Join(err, fs.ErrNotExist))
		return
	}
	if contents["config.js"] == nil {
		contents["config.js"] = []byte("window.BACKTESTER_CONFIG = {apiBase: \"\"};\n")
		tags["config.js"] = etagOf(contents["config.js"])
	}
	serve := func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean("/"+r.URL.Path), "/")
		if name == "" || contents[name] == nil && path.Ext(name) == "" {
			name = "index.html" // an address within the application
		}
		b := contents[name]
		if b == nil || ofAPI(path.Clean(r.URL.Path)) { // a slash too many makes no page of what was meant for the API
			s.unrouted(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", typeOf(name))
		h.Set("Content-Security-Policy", s.pagePolicy(r))
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		if strings.HasPrefix(name, "modules/") { // named by their contents
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		if !notModified(w, r, tags[name]) {
			_, _ = w.Write(b) // the client has gone if this does not work
		}
	}
	mux.Get("/", serve)
	mux.Get(anyPage, serve)
}

// anyPage is the route of everything that has no other.
const anyPage = "/*"

func typeOf(name string) string {
	switch path.Ext(name) { // systems know other types for these
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".html":
		return "text/html; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".webmanifest":
		return "application/manifest+json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// pagePolicy lets the application run its own scripts, and nothing else.
func (s *Server) pagePolicy(r *http.Request) string {
	p := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; " +
		"manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
	if secure(r.Context()) {
		p += "; upgrade-insecure-requests"
	}
	return p
}
