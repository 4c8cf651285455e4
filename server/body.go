package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// Limits of bodies.
const (
	maxBody  = 1 << 20
	maxLogin = 16 << 10
	maxDepth = 32
	maxItems = 200_000 // values of a document
)

// bodies reads the whole body of an operation before it begins, and refuses what is too large, of
// another type, or no JSON that every reader understands alike.
func (s *Server) bodies(limit int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		text, err := readBody(w, r, limit)
		if err == nil && len(text) > 0 {
			if how := r.Header.Get("Content-Encoding"); how != "" && !strings.EqualFold(how, "identity") {
				err = problem("media-type", "send it as it is, without Content-Encoding")
			} else if kind, _, e := mime.ParseMediaType(r.Header.Get("Content-Type")); e != nil || kind != "application/json" {
				err = problem("media-type", "send application/json")
			} else {
				err = strictJSON(text)
			}
		}
		if err != nil {
			s.write(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(text))
		next(ctx)
	}
}

// readBody reads at most limit bytes. What announces more is refused before it is read.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the rest is not read
		return nil, problem("too-large", "the body has "+strconv.FormatInt(r.ContentLength, 10)+" bytes, at most "+strconv.FormatInt(limit, 10))
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		return text, nil
	}
	if p := problemOf(err); p.Code != "internal" {
		return nil, p
	}
	return nil, problem("bad-request", "the body cannot be read to its end")
}

// strictJSON refuses what readers of JSON disagree about: keys given twice, text after the end, broken
// UTF-8; and what only wears machines out: nesting and numbers without end.
func strictJSON(text []byte) error {
	bad := func(detail string, offset int64) error {
		return problem("bad-json", detail+" (at byte "+strconv.FormatInt(offset, 10)+")")
	}
	if !utf8.Valid(text) {
		return problem("bad-json", "the body is not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var open []map[string]bool // keys of the objects that are open; nil for arrays
	wantKey := false
	for count := 0; ; count++ {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(open) > 0 || count == 0 {
				return bad("the document ends too early", d.InputOffset())
			}
			return nil
		}
		if err != nil {
			return bad("it is no JSON: "+strings.TrimPrefix(err.Error(), "json: "), d.InputOffset())
		}
		if count > 0 && len(open) == 0 {
			return bad("there is something after the end of the document", d.InputOffset())
		}
		if count > maxItems {
			return problem("too-large", "the document has "+strconv.Itoa(count)+" values and more, at most "+strconv.Itoa(maxItems))
		}
		switch x := token.(type) {
		case json.Delim:
			switch x {
			case '{', '[':
				if len(open) == maxDepth {
					return bad("it is nested "+strconv.Itoa(maxDepth+1)+" levels deep, at most "+strconv.Itoa(maxDepth), d.InputOffset())
				}
				keys := map[string]bool(nil)
				if x == '{' {
					keys = map[string]bool{}
				}
				open, wantKey = append(open, keys), x == '{'
				continue
			default:
				open = open[:len(open)-1]
			}
		case string:
			if strings.ContainsRune(x, 0) {
				return problem("validation", "a text holds the character U+0000, which can be stored nowhere (at byte "+strconv.FormatInt(d.InputOffset(), 10)+")")
			}
			if wantKey {
				keys := open[len(open)-1]
				if keys[x] {
					return bad("the key "+strconv.Quote(clip(x, 60))+" is given twice", d.InputOffset())
				}
				keys[x], wantKey = true, false
				continue
			}
		case json.Number:
			if len(x) > 400 {
				return bad("a number has "+strconv.Itoa(len(x))+" digits", d.InputOffset())
			}
		}
		wantKey = len(open) > 0 && open[len(open)-1] != nil
	}
}

func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
