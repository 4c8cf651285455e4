package account

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"
)

// Kind of a token.
type Kind string

const (
	Cookie   Kind = "cookie"   // session of a browser, in a cookie; replaced every day
	Bearer   Kind = "token"    // session that a program holds
	Personal Kind = "personal" // token with a name and scopes, for scripts
	None     Kind = "none"     // no accounts: development on this machine
)

// A token is a prefix that secret scanners know, 32 random bytes and a checksum that tells typing
// mistakes and made-up tokens without asking the database.
const (
	sessionPrefix  = "bts_"
	personalPrefix = "btp_"
	invitePrefix   = "bti_"
	setupPrefix    = "btu_"
)

func newToken(prefix string) string {
	b := make([]byte, 36)
	_, _ = rand.Read(b[:32]) // never fails
	binary.BigEndian.PutUint32(b[32:], crc32.ChecksumIEEE(append([]byte(prefix), b[:32]...)))
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// wellFormed reports whether a token could be one. Its encoding is strict: two texts are never the
// same token.
func wellFormed(token, prefix string) bool {
	rest, ok := strings.CutPrefix(token, prefix)
	if !ok || len(rest) != 48 {
		return false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(rest)
	return err == nil && len(b) == 36 &&
		binary.BigEndian.Uint32(b[32:]) == crc32.ChecksumIEEE(append([]byte(prefix), b[:32]...))
}
