// Package s3test fetches from a real S3 server, versitygw, which checks signatures and pages its
// listings, directly and through a proxy that breaks answers. Everything stays on the loopback.
package s3test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

const (
	accessKey = "reader"
	secretKey = "not-a-real-secret"
	childEnv  = "S3TEST_CHILD" // DIR ENDPOINT: this process is a fetch that is going to be killed
)

// endpoint of the server that TestMain started, and the folder in which it did: the server changes it.
var endpoint, start string

func TestMain(m *testing.M) {
	if args := os.Getenv(childEnv); args != "" {
		dir, url, _ := strings.Cut(args, " ")
		o := options(dir, url)
		o.Workers = 2
		if _, err := polygon.Sync(context.Background(), o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if os.Getenv(programEnv) != "" {
		program()
	}
	code, err := serve(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(code)
}

// serve runs the tests beside the server.
func serve(m *testing.M) (int, error) {
	memory := "/dev/shm" // ten thousand small files come and go
	if _, err := os.Stat(memory); err != nil {
		memory = ""
	}
	dir, err := os.MkdirTemp(memory, "s3test")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if start, err = os.Getwd(); err != nil {
		return 0, err
	}
	root, side := filepath.Join(dir, "root"), filepath.Join(dir, "side")
	for _, d := range []string{root, side} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return 0, err
		}
	}
	storer, err := meta.NewSideCar(side)
	if err != nil {
		return 0, err
	}
	be, err := posix.New(root, storer, posix.PosixOpts{SideCarDir: side})
	if err != nil {
		return 0, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	address := l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() {
		stopped <- embedgw.RunVersityGW(ctx, be, &embedgw.Config{
			RootUserAccess: accessKey, RootUserSecret: secretKey, Region: "us-east-1",
			Ports: []string{address}, MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10000, KeepAlive: true, Quiet: true,
		})
	}()
	endpoint = "http://" + address
	for try := 0; ; try++ {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			break
		}
		select {
		case err := <-stopped:
			cancel()
			return 0, fmt.Errorf("the server ended: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
		if try == 1000 {
			cancel()
			return 0, fmt.Errorf("the server did not start: %w", err)
		}
	}
	code := m.Run()
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	cancel()
	select {
	case <-stopped:
	case <-time.After(time.Second): // it would wait for connections that nobody uses, and ends with the process
	}
	return code, nil
}

// client is another client than the product's own, with the same keys.
func client() *s3.Client {
	return s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(endpoint), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")})
}

// vendor is one bucket with flat files.
type vendor struct {
	t     *testing.T
	s3    *s3.Client
	name  string
	files map[string][]byte
}

// newVendor makes a bucket of the test's own with day files of the sessions from 2024-01-02 on.
func newVendor(t *testing.T, sessions int) *vendor {
	t.Helper()
	return vendorOf(t, strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name())), sessions)
}

func vendorOf(t *testing.T, name string, sessions int) *vendor {
	t.Helper()
	v := &vendor{t: t, s3: client(), name: name[:min(60, len(name))], files: map[string][]byte{}}
	if _, err := v.s3.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &v.name}); err != nil {
		t.Fatal(err)
	}
	d := bar.NYSE().Next(instrument.NewDate(2024, 1, 1))
	for range sessions {
		v.put(flatfile.Key(flatfile.Day, d), dayFile(t, d, 100))
		d = bar.NYSE().Next(d)
	}
	return v
}

func (v *vendor) put(key string, body []byte) {
	v.t.Helper()
	if _, err := v.s3.PutObject(context.Background(), &s3.PutObjectInput{Bucket: &v.name, Key: &key, Body: bytes.NewReader(body)}); err != nil {
		v.t.Fatal(err)
	}
	v.files[key] = body
}

// key of the n-th file, from 0.
func (v *vendor) key(n int) string {
	d := instrument.NewDate(2024, 1, 1)
	for range n + 1 {
		d = bar.NYSE().Next(d)
	}
	return flatfile.Key(flatfile.Day, d)
}

// dayFile has enough text of little pattern that it can be cut in many places.
func dayFile(t testing.TB, d instrument.Date, price float64) []byte {
	t.Helper()
	b := store.Batch{Session: d, Start: []int32{0}}
	for k := range 400 {
		p := price + float64((k*7919+int(d)*104729)%5003)/100
		b.Symbols = append(b.Symbols, fmt.Sprintf("T%03d", k))
		b.Time, b.Volume = append(b.Time, d.Nanos()), append(b.Volume, p*11+1)
		b.Open, b.High = append(b.Open, p), append(b.High, p+1)
		b.Low, b.Close = append(b.Low, p-1), append(b.Close, p+0.5)
		b.Start = append(b.Start, int32(len(b.Time)))
	}
	var out bytes.Buffer
	if err := flatfile.Write(&out, flatfile.Day, b); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// options of a fetch of all day files, in dir, from the bucket named by the last part of url.
func options(dir, url string) polygon.Options {
	i := strings.LastIndex(url, "/")
	return polygon.Options{
		Datasets: []string{polygon.Day}, From: instrument.NewDate(2024, 1, 1), To: instrument.NewDate(2024, 12, 31),
		RawDir: filepath.Join(dir, "raw"), StoreDir: filepath.Join(dir, "store"),
		S3: bucket.Config{Endpoint: url[:i], Name: url[i+1:], AccessKey: accessKey, SecretKey: secretKey,
			Pause: time.Millisecond, Stall: 300 * time.Millisecond},
		Now: func() time.Time { return time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC) },
	}
}

func (v *vendor) options(dir string) polygon.Options { return options(dir, endpoint+"/"+v.name) }

// complete checks that all files are on disk byte for byte, that nothing else is, and that the store
// has a bar of every symbol and session.
func (v *vendor) complete(dir string) {
	v.t.Helper()
	found := v.onDisk(dir)
	for key, body := range v.files {
		if !strings.HasSuffix(key, ".csv.gz") {
			continue
		}
		if found[key] != sum(body) {
			v.t.Errorf("%s on disk is %q, want %q", key, found[key], sum(body))
		}
		delete(found, key)
	}
	for key := range found {
		v.t.Errorf("%s should not be on disk", key)
	}
	s, err := store.Open(filepath.Join(dir, "store"))
	if err != nil {
		v.t.Fatal(err)
	}
	defer s.Close()
	cover, err := s.Coverage(v.t.Context(), bar.Daily)
	if err != nil || len(cover) != 400 {
		v.t.Fatalf("%d symbols in the store: %v", len(cover), err)
	}
	for _, c := range cover {
		if int(c.Bars) != len(v.sessions()) {
			v.t.Fatalf("%s has %d bars of %d", c.Instrument.Ticker, c.Bars, len(v.sessions()))
		}
	}
}

func (v *vendor) sessions() []string {
	var keys []string
	for k := range v.files {
		if strings.HasSuffix(k, ".csv.gz") {
			keys = append(keys, k)
		}
	}
	return keys
}

// onDisk gives the sha256 of every file below raw, without manifest and lock.
func (v *vendor) onDisk(dir string) map[string]string {
	v.t.Helper()
	found := map[string]string{}
	raw := filepath.Join(dir, "raw")
	err := filepath.WalkDir(raw, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(raw, path)
		if rel == "manifest.jsonl" || rel == ".lock" || strings.HasPrefix(rel, "reference") {
			return nil
		}
		b, err := os.ReadFile(path)
		found[filepath.ToSlash(rel)] = sum(b)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		v.t.Fatal(err)
	}
	return found
}

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// proxy stands before the server and lets fault spoil answers. The host is passed on as it came, so
// that signatures stay valid.
type proxy struct {
	mu    sync.Mutex
	gets  map[string]int // of objects, by key
	fault func(key string, try int) func(w http.ResponseWriter, r *http.Response)
}

// startProxy returns the proxy and its address with the bucket's name.
func (v *vendor) startProxy(fault func(key string, try int) func(http.ResponseWriter, *http.Response)) (*proxy, string) {
	v.t.Helper()
	p := &proxy{gets: map[string]int{}, fault: fault}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		v.t.Fatal(err)
	}
	server := &http.Server{Handler: p}
	go server.Serve(l)
	v.t.Cleanup(func() { server.Close() })
	return p, "http://" + l.Addr().String() + "/" + v.name
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, endpoint+r.URL.RequestURI(), r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	req.Header, req.Host = r.Header.Clone(), r.Host
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	spoil := pass
	if strings.HasSuffix(key, ".csv.gz") {
		p.mu.Lock()
		p.gets[key]++
		if f := p.fault(key, p.gets[key]); f != nil {
			spoil = f
		}
		p.mu.Unlock()
	} else if f := p.fault("", 0); f != nil {
		spoil = f
	}
	spoil(w, res)
}

func (p *proxy) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, k := range p.gets {
		n += k
	}
	return n
}

// of is how often an object was asked for since forget.
func (p *proxy) of(key string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gets[key]
}

func (p *proxy) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.gets)
}

func pass(w http.ResponseWriter, r *http.Response) {
	for k, v := range r.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(r.StatusCode)
	io.Copy(w, r.Body)
}
