package s3test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backtester/cmd"
	"backtester/polygon"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
)

// wholeEnv lets what falls silent do so for as long as the program waits without being told otherwise: two
// minutes for each fetch.
const wholeEnv = "S3TEST_WHOLE"

// lasting is a fault of one object, or of the endpoint, that stays.
type lasting struct {
	name     string
	spoil    func(rw, *res)            // the answer for one of five objects; nil: none spoilt
	object   func(v *vendor) []byte    // in the bucket in its place; nil: the right one
	endpoint func(t *testing.T) string // in place of the right one; nil: the right one
	is       error
	words    string
	tries    int  // of the object; 0 where none is asked for
	ends     bool // the fetch as a whole, not for this object only
	silent   bool // takes as long as the program waits for a word
	code     int  // of the command
}

func refuse(status int, code string) func(rw, *res) {
	return func(w rw, _ *res) {
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(status)
		if code != "" {
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
		}
	}
}

// drip sends a byte now and then, as long as somebody takes it.
func drip(w rw, r *res) {
	b := body(r)
	hijack(w, raw(r, len(b), nil), func(c *net.TCPConn) {
		for i := range b {
			if _, err := c.Write(b[i : i+1]); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// silent sends a part and then nothing, until it is left.
func silent(w rw, r *res) {
	b := body(r)
	hijack(w, raw(r, len(b), b[:1000]), func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
}

// flipped has a wrong bit.
func flipped(v *vendor) []byte {
	b := slices.Clone(v.files[v.key(2)])
	b[len(b)/2] ^= 4
	return b
}

// anotherDay is a whole file with all sums right, of the day after.
func anotherDay(v *vendor) []byte { return v.files[v.key(3)] }

func logIn(w rw, _ *res) {
	w.Header().Set("Content-Type", "text/html")
	_, _ = io.WriteString(w, "<!DOCTYPE html><html><body><form>Please log in</form></body></html>")
}

// expired is the address of a server whose certificate's time is over.
func expired(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(0, 0, -1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(http.NotFoundHandler())
	h.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	t.Cleanup(h.Close)
	return h.URL
}

func lastingFaults() []lasting {
	const all = bucket.DefaultAttempts
	return []lasting{
		{name: "500", spoil: refuse(500, "InternalError"), is: bucket.ErrUnreachable, words: "HTTP 500", tries: all, code: 1},
		{name: "502", spoil: refuse(502, ""), is: bucket.ErrUnreachable, words: "HTTP 502", tries: all, code: 1},
		{name: "503", spoil: refuse(503, "SlowDown"), is: bucket.ErrUnreachable, words: "SlowDown, HTTP 503", tries: all, code: 1},
		{name: "429", spoil: refuse(429, ""), is: bucket.ErrUnreachable, words: "HTTP 429", tries: all, code: 1},
		{name: "403", spoil: refuse(403, ""), is: polygon.ErrForbidden, words: "does not include", tries: 1, code: 4},
		{name: "404", spoil: refuse(404, "NoSuchKey"), is: bucket.ErrAbsent, words: "not there", tries: 1, code: 1},
		{name: "301", spoil: refuse(301, ""), is: bucket.ErrNotS3, words: "sends elsewhere", tries: 1, code: 1},
		{name: "clock", spoil: refuse(403, "RequestTimeTooSkewed"), is: bucket.ErrCredentials, words: "set this machine's clock", tries: 1, ends: true, code: 4},
		{name: "reset", spoil: reset(1000), is: bucket.ErrUnreachable, words: "what is complete is kept", tries: all, code: 1},
		{name: "cut", spoil: cut, is: bucket.ErrUnreachable, words: "what is complete is kept", tries: all, code: 1},
		{name: "short", spoil: short, is: bucket.ErrUnreachable, words: "wrong length", tries: all, code: 1},
		{name: "long", spoil: long, is: bucket.ErrUnreachable, words: "wrong length", tries: all, code: 1},
		{name: "silent", spoil: silent, is: bucket.ErrUnreachable, words: "fell silent", tries: all, silent: true, code: 1},
		{name: "drip", spoil: drip, is: bucket.ErrUnreachable, words: "fell silent", tries: all, silent: true, code: 1},
		{name: "flipped", object: flipped, is: flatfile.ErrDamaged, words: "damaged", tries: 2, code: 1},
		{name: "another day", object: anotherDay, words: "2024-01-05", tries: 2, code: 1},
		{name: "log in", spoil: logIn, is: bucket.ErrUnreachable, words: "wrong length", tries: all, code: 1},
		{name: "expired", endpoint: expired, is: bucket.ErrUnreachable, words: "expired", ends: true, code: 1},
		{name: "no such host", endpoint: func(*testing.T) string { return "http://host.invalid" }, is: bucket.ErrUnreachable, words: "host.invalid", ends: true, code: 1},
		{name: "nobody there", endpoint: func(*testing.T) string { return "http://127.0.0.1:1" }, is: bucket.ErrUnreachable, words: "refused", ends: true, code: 1},
	}
}

// begin makes a bucket of five days with the fault in it, and gives the address to ask, the one behind which all is
// well, and what mends it.
func (c lasting) begin(t *testing.T, v *vendor) (p *proxy, wrong, right string, mend func()) {
	t.Helper()
	var sick atomic.Bool
	sick.Store(true)
	p, right = v.startProxy(func(key string, _ int) func(rw, *res) {
		if key == v.key(2) && sick.Load() {
			return c.spoil
		}
		return nil
	})
	wrong = right
	if c.endpoint != nil {
		wrong = c.endpoint(t) + "/" + v.name
	}
	good := v.files[v.key(2)]
	if c.object != nil {
		v.put(v.key(2), c.object(v))
	}
	return p, wrong, right, func() {
		if sick.Store(false); c.object != nil {
			v.put(v.key(2), good)
		}
	}
}

// clock is the time of day in the message about a certificate.
var clock = regexp.MustCompile(`current time \S+`)

// Faults that stay, each three times: the same words each time, as many tries as help and all within two minutes,
// nothing bad in the store, the other days come; and once the fault has gone the next fetch completes.
func TestLastingFaultsAreNamed(t *testing.T) {
	for _, c := range lastingFaults() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := newVendor(t, 5)
			p, wrong, right, mend := c.begin(t, v)
			dir, said := t.TempDir(), ""
			for round := range 3 {
				p.forget()
				text := clock.ReplaceAllString(c.once(t, v, dir, wrong), "current time T")
				if round > 0 && text != said {
					t.Errorf("round %d says\n%s\nand before\n%s", round, text, said)
				}
				said = text
				if n := p.of(v.key(2)); n != c.tries {
					t.Errorf("round %d: asked for %d times, want %d", round, n, c.tries)
				}
			}
			mend()
			if _, err := polygon.Sync(t.Context(), options(dir, right)); err != nil {
				t.Fatal(err)
			}
			v.complete(dir)
		})
	}
}

// once fetches and gives the error's text.
func (c lasting) once(t *testing.T, v *vendor, dir, url string) string {
	t.Helper()
	o := options(dir, url)
	var paused atomic.Int64
	o.S3.Pause, o.S3.Sleep = 0, func(ctx context.Context, d time.Duration) error {
		paused.Add(int64(d))
		return ctx.Err()
	}
	if os.Getenv(wholeEnv) != "" {
		o.S3.Stall = 0
	}
	began := time.Now()
	s, err := polygon.Sync(t.Context(), o)
	took := time.Since(began)
	if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.words) || c.endpoint == nil && !strings.Contains(err.Error(), "2024-01-04.csv.gz") {
		t.Errorf("error %v", err)
		return ""
	}
	if c.ends != (len(s.Faults) == 0) || !c.ends && (len(s.Faults) != 1 || s.Faults[0].Key != v.key(2)) {
		t.Errorf("faults %v", s.Faults)
	}
	waited := time.Duration(paused.Load())
	if c.tries == 1 && waited > 0 {
		t.Errorf("pauses of %s for what does not pass", waited)
	}
	// Of what falls silent the tests wait a part only, unless told otherwise.
	if silence := bucket.DefaultAttempts * bucket.DefaultStall; took+waited > limit || silence+waited > limit {
		t.Errorf("%s, with pauses of %s and a silence of %s at most: longer than %s", took, waited, silence, limit)
	}
	if err := stored(dir); err != nil {
		t.Error(err)
	}
	found := v.onDisk(dir)
	for n := range 5 {
		if got := found[v.key(n)]; got != sum(v.files[v.key(n)]) && !(n == 2 || c.ends) {
			t.Errorf("%s on disk is %q", v.key(n), got)
		}
	}
	return err.Error()
}

// limit of a fetch for one file that cannot be had.
const limit = 2 * time.Minute

// The command ends with the code of the fault and names it on standard error, in the time that the pauses take.
func TestLastingFaultsEndTheCommand(t *testing.T) {
	for _, c := range lastingFaults() {
		if c.silent && os.Getenv(wholeEnv) == "" {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, wrong, _, _ := c.begin(t, newVendor(t, 5))
			home, at := t.TempDir(), strings.LastIndex(wrong, "/")
			var out, faults bytes.Buffer
			began := time.Now()
			code := cmd.Main(t.Context(), []string{"fetch", "--dataset", "day", "--from", "2024-01-02", "--to", "2024-01-08", "--env-file", "none"}, cmd.IO{
				In: strings.NewReader(""), Out: &out, Err: &faults, Width: 96, Now: func() time.Time { return time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC) },
				Environ: []string{
					"HOME=" + home, "LANG=C.UTF-8", "BACKTESTER_DATA_DIR=" + filepath.Join(home, "data"),
					"MASSIVE_S3_ENDPOINT=" + wrong[:at], "MASSIVE_S3_BUCKET=" + wrong[at+1:], "AWS_ACCESS_KEY_ID=" + accessKey, "AWS_SECRET_ACCESS_KEY=" + secretKey,
				},
			}, "v1")
			if code != c.code || !strings.Contains(faults.String(), c.words) || strings.Contains(faults.String(), secretKey) {
				t.Errorf("ends with %d, want %d\n%s", code, c.code, faults.String())
			}
			if took := time.Since(began); took > limit {
				t.Errorf("took %s, longer than %s", took, limit)
			}
		})
	}
}
