package server

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"

	"backtester/server/account"
)

// A cursor is a place in a list, signed: nobody can make one up, or use one of another list.

func (s *Server) cursor(of string, place any) string {
	b, err := json.Marshal(place)
	if err != nil {
		panic("BUG: a cursor cannot be encoded: " + err.Error())
	}
	return base64.RawURLEncoding.EncodeToString(append(s.cursorSum(of, b), b...))
}

func (s *Server) cursorSum(of string, place []byte) []byte {
	h := hmac.New(sha256.New, account.Derive(s.Secret, "cursor"))
	h.Write([]byte(of + "\x00"))
	h.Write(place)
	return h.Sum(nil)[:16]
}

func (s *Server) readCursor(text, of string, into any) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) < 17 || !hmac.Equal(b[:16], s.cursorSum(of, b[16:])) || json.Unmarshal(b[16:], into) != nil {
		return problem("bad-cursor", "take next_cursor of the page before, with the same filters")
	}
	return nil
}

// nextLink is the RFC 8288 link to the next page, "" on the last one.
func (s *Server) nextLink(path string, next *string, query ...string) string {
	if next == nil {
		return ""
	}
	parts := []string{"cursor=" + url.QueryEscape(*next)}
	for i := 0; i+1 < len(query); i += 2 {
		if query[i+1] != "" {
			parts = append(parts, query[i]+"="+url.QueryEscape(query[i+1]))
		}
	}
	return "<" + path + "?" + strings.Join(parts, "&") + `>; rel="next"`
}
