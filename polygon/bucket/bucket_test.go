package bucket_test

import (
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
	"strings"
	"sync"
	"testing"
	"time"

	"backtester/polygon/bucket"
)

// server is as much of S3 as a reader sees. It does not check signatures: .ci/s3 has one that does.
type server struct {
	mu      sync.Mutex
	objects map[string]string
	answers []func(http.ResponseWriter) // given before the good ones
	gets    []string
	url     string
}

var modified = time.Date(2024, 3, 1, 2, 3, 4, 0, time.UTC)

func newServer(t *testing.T, objects map[string]string) *server {
	s := &server{objects: objects}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) > 0 {
		a := s.answers[0]
		s.answers = s.answers[1:]
		a(w)
		return
	}
	if r.URL.Query().Get("list-type") == "2" {
		io.WriteString(w, `<?xml version="1.0"?><ListBucketResult><Name>flatfiles</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>`)
		for key, body := range s.objects {
			fmt.Fprintf(w, `<Contents><Key>%s</Key><Size>%d</Size><ETag>&quot;%x&quot;</ETag><LastModified>%s</LastModified></Contents>`,
				key, len(body), body, modified.Add(123*time.Millisecond).Format("2006-01-02T15:04:05.000Z"))
		}
		io.WriteString(w, `</ListBucketResult>`)
		return
	}
	key := strings.TrimPrefix(r.URL.Path, "/flatfiles/")
	s.gets = append(s.gets, key)
	body, ok := s.objects[key]
	if !ok {
		fail(404, "NoSuchKey")(w)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, body))
	w.Header().Set("Last-Modified", modified.Format(http.TimeFormat))
	io.WriteString(w, body)
}

func fail(status int, code string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(status)
		if code != "" {
			fmt.Fprintf(w, `<?xml version="1.0"?><Error><Code>%s</Code><Message>no</Message></Error>`, code)
		}
	}
}

func (s *server) open(t *testing.T, slept *[]time.Duration) *bucket.Bucket {
	t.Helper()
	b, err := bucket.Open(bucket.Config{Endpoint: s.url, Name: "flatfiles", AccessKey: "id", SecretKey: "hush-hush", Attempts: 4,
		Sleep: func(_ context.Context, d time.Duration) error {
			if slept != nil {
				*slept = append(*slept, d)
			}
			return nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fetch(t *testing.T, dir string, s *server) ([]bucket.Fault, error) {
	t.Helper()
	m, err := bucket.OpenMirror(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b := s.open(t, nil)
	objects, err := b.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return m.Fetch(t.Context(), b, m.Missing(objects), bucket.Fetch{Workers: 2, Now: func() time.Time { return modified }})
}

func TestFetchTwiceDownloadsOnce(t *testing.T) {
	s := newServer(t, map[string]string{"a/1": "one", "a/2": "two"})
	dir := t.TempDir()
	for range 3 {
		if faults, err := fetch(t, dir, s); err != nil || len(faults) > 0 {
			t.Fatal(faults, err)
		}
	}
	if len(s.gets) != 2 {
		t.Errorf("downloads %v", s.gets)
	}
	entries, err := bucket.ReadManifest(dir)
	e := entries["a/1"]
	// sha256 of "one", from the sha256sum of GNU coreutils.
	if err != nil || e.Size != 3 || e.ETag != "6f6e65" || e.SHA256 != "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed" || !e.FetchedAt.Equal(modified) {
		t.Errorf("%+v %v", e, err)
	}
	s.objects["a/1"] = "uno"
	if _, err := fetch(t, dir, s); err != nil || len(s.gets) != 3 {
		t.Errorf("changed object: %v %v", s.gets, err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "a/1")); string(got) != "uno" {
		t.Errorf("on disk %q", got)
	}
}

func TestTriesWithGrowingPauses(t *testing.T) {
	s := newServer(t, nil)
	var slept []time.Duration
	b := s.open(t, &slept)
	s.answers = []func(http.ResponseWriter){fail(500, "InternalError"), fail(503, "SlowDown"), fail(429, "")}
	if _, err := b.List(t.Context(), "x/"); err != nil || len(slept) != 3 {
		t.Errorf("%v, slept %v", err, slept)
	}
	for i, d := range slept {
		if most := 500 * time.Millisecond << i; d < most/2 || d > most {
			t.Errorf("pause %d is %s, want between %s and %s", i+1, d, most/2, most)
		}
	}
	for range 9 {
		s.answers = append(s.answers, fail(503, "SlowDown"))
	}
	if _, err := b.List(t.Context(), "x/"); !errors.Is(err, bucket.ErrUnreachable) || len(s.answers) != 5 {
		t.Errorf("%v, %d answers left", err, len(s.answers))
	}
}

// A server that sends a byte now and then is given up like one that sends none.
func TestTrickle(t *testing.T) {
	body := strings.Repeat("x", 4000)
	s := newServer(t, map[string]string{"k": body})
	drip := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		for i := range body {
			if _, err := io.WriteString(w, body[i:i+1]); err != nil || http.NewResponseController(w).Flush() != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	m, err := bucket.OpenMirror(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b, err := bucket.Open(bucket.Config{Endpoint: s.url, Name: "flatfiles", AccessKey: "id", SecretKey: "hush-hush", Attempts: 2, Stall: 200 * time.Millisecond, Pause: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := b.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	s.answers = []func(http.ResponseWriter){drip, drip}
	start := time.Now()
	faults, err := m.Fetch(t.Context(), b, objects, bucket.Fetch{Now: time.Now})
	if err != nil || len(faults) != 1 || !errors.Is(faults[0], bucket.ErrUnreachable) || !strings.Contains(faults[0].Error(), "fell silent or nearly so") {
		t.Errorf("%v %v", faults, err)
	}
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	if faults, err := m.Fetch(t.Context(), b, objects, bucket.Fetch{Now: time.Now}); err != nil || len(faults) != 0 {
		t.Errorf("afterwards: %v %v", faults, err)
	}
}

// A certificate whose time is over is named as such, and a name that does not exist; neither is asked again.
func TestExpiredCertificateAndUnknownName(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: modified.AddDate(-1, 0, 0), NotAfter: modified.AddDate(0, 0, -1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewUnstartedServer(&server{})
	h.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	defer h.Close()
	for url, words := range map[string]string{h.URL: "expired", "https://no-such-name.invalid": "no-such-name.invalid"} {
		s := &server{url: url}
		var slept []time.Duration
		_, err := s.open(t, &slept).List(t.Context(), "x/")
		if !errors.Is(err, bucket.ErrUnreachable) || !strings.Contains(err.Error(), words) || url == h.URL && len(slept) > 0 {
			t.Errorf("%v, slept %v", err, slept)
		}
	}
}

// A certificate that nobody vouches for is not asked again, and named.
func TestUntrustedCertificate(t *testing.T) {
	h := httptest.NewTLSServer(&server{})
	defer h.Close()
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	s := &server{url: h.URL}
	var slept []time.Duration
	if _, err := s.open(t, &slept).List(t.Context(), "x/"); err == nil || !strings.Contains(err.Error(), "certificate") || len(slept) > 0 {
		t.Errorf("%v, slept %v", err, slept)
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	s := newServer(t, map[string]string{"k": "v"})
	for _, c := range []struct {
		status int
		code   string
		is     error
		words  string
	}{
		{403, "SignatureDoesNotMatch", bucket.ErrCredentials, "AWS_SECRET_ACCESS_KEY"},
		{403, "InvalidAccessKeyId", bucket.ErrCredentials, "not the API key"},
		{403, "RequestTimeTooSkewed", bucket.ErrCredentials, "clock"},
		{403, "AccessDenied", bucket.ErrCredentials, "may not list"},
		{403, "", bucket.ErrCredentials, "may not list"},
		{404, "NoSuchBucket", bucket.ErrAbsent, `bucket name "flatfiles"`},
		{301, "PermanentRedirect", bucket.ErrNotS3, "sends elsewhere"},
		{400, "BadRequest", bucket.ErrNotS3, "check endpoint"},
		{200, "", bucket.ErrNotS3, "log-in page"},
	} {
		s.answers = []func(http.ResponseWriter){fail(c.status, c.code)}
		_, err := s.open(t, nil).List(t.Context(), "p/")
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.words) || !strings.Contains(err.Error(), s.url+"/flatfiles/p/") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%d %s: %v", c.status, c.code, err)
		}
		s.answers = nil
	}
	// One object: 403 with and without a body means the plan.
	for _, code := range []string{"AccessDenied", ""} {
		dir := t.TempDir()
		m, err := bucket.OpenMirror(dir)
		if err != nil {
			t.Fatal(err)
		}
		s.answers = []func(http.ResponseWriter){fail(403, code)}
		faults, err := m.Fetch(t.Context(), s.open(t, nil), []bucket.Object{{Key: "k"}}, bucket.Fetch{Now: time.Now})
		if err != nil || len(faults) != 1 || !errors.Is(faults[0], bucket.ErrForbidden) || !strings.Contains(faults[0].Error(), "plan") {
			t.Errorf("%v %v", faults, err)
		}
		m.Close()
	}
}

func TestKeysStayInTheFolder(t *testing.T) {
	s := newServer(t, map[string]string{"../../evil": "x"})
	dir := filepath.Join(t.TempDir(), "a", "b")
	faults, err := fetch(t, dir, s)
	if err != nil || len(faults) != 1 || !errors.Is(faults[0], bucket.ErrNotS3) || len(s.gets) != 0 {
		t.Errorf("%v %v %v", faults, err, s.gets)
	}
}

func TestSecondFetchIsRefused(t *testing.T) {
	dir := t.TempDir()
	m, err := bucket.OpenMirror(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.OpenMirror(dir); !errors.Is(err, bucket.ErrBusy) || !strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	m, err = bucket.OpenMirror(dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
}

// A manifest cut at any byte reads as one of its earlier states, and can be written on.
func TestManifestSurvivesEveryCut(t *testing.T) {
	s := newServer(t, map[string]string{"a": "1", "b": "22"})
	dir := t.TempDir()
	if _, err := fetch(t, dir, s); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(dir, "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		cut := t.TempDir()
		if err := os.WriteFile(filepath.Join(cut, "manifest.jsonl"), whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := bucket.OpenMirror(cut)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if err := m.Record(bucket.Entry{Key: "c"}); err != nil {
			t.Fatal(err)
		}
		m.Close()
		entries, err := bucket.ReadManifest(cut)
		want := strings.Count(string(whole[:n]), "\n") + 1
		if err != nil || len(entries) != want {
			t.Fatalf("cut at %d: %d entries of %d, %v", n, len(entries), want, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.jsonl"), []byte("nonsense\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.OpenMirror(dir); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("nonsense: %v", err)
	}
}

func TestManifestDoesNotGrowForEver(t *testing.T) {
	dir := t.TempDir()
	m, err := bucket.OpenMirror(dir)
	if err != nil {
		t.Fatal(err)
	}
	batch := make([]bucket.Entry, 4000)
	for i := range batch {
		batch[i] = bucket.Entry{Key: fmt.Sprint("k", i%10), Rows: i, Gone: i%10 == 9}
	}
	if err := m.Record(batch...); err != nil {
		t.Fatal(err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, "manifest.jsonl"))
	entries, err := bucket.ReadManifest(dir)
	if err != nil || strings.Count(string(text), "\n") != 9 || len(entries) != 9 || entries["k8"].Rows != 3998 {
		t.Errorf("%d lines, %d entries, %v", strings.Count(string(text), "\n"), len(entries), err)
	}
}

func TestInsecureEndpoints(t *testing.T) {
	for endpoint, want := range map[string]bool{"https://files.massive.com": false, "http://files.massive.com": true, "http://10.0.0.1:9000": true,
		"http://localhost:9000": false, "http://127.0.0.1:9000": false, "http://[::1]:9000": false} {
		if got := (bucket.Config{Endpoint: endpoint}).Insecure(); got != want {
			t.Errorf("%s: %v", endpoint, got)
		}
	}
}
