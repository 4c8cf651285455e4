package cmd_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"backtester/cmd"
)

// vendor answers like the vendor's S3 for the files below a folder: listing and downloads. It does
// not check signatures: the tests of package polygon against a real S3 server do. refuse names a key
// that the plan does not include; asked is told every key that is downloaded.
type vendor struct {
	root   string
	mu     sync.Mutex // one request at a time: asked and refuse change between commands
	refuse string
	asked  func(key string)
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/flatfiles/")
	switch {
	case r.URL.Query().Get("list-type") == "2":
		v.list(w, r.URL.Query().Get("prefix"))
	case key == v.refuse:
		w.WriteHeader(http.StatusForbidden)
	default:
		v.asked(key)
		w.Header().Set("ETag", `"`+key+`"`)
		http.ServeFile(w, r, filepath.Join(v.root, filepath.FromSlash(key)))
	}
}

func (v *vendor) list(w http.ResponseWriter, prefix string) {
	type object struct {
		Key, LastModified, ETag, StorageClass string
		Size                                  int64
	}
	answer := struct {
		XMLName     xml.Name `xml:"ListBucketResult"`
		Name        string
		Prefix      string
		KeyCount    int
		MaxKeys     int
		IsTruncated bool
		Contents    []object
	}{Name: "flatfiles", Prefix: prefix, MaxKeys: 1000}
	files, _ := filepath.Glob(filepath.Join(v.root, filepath.FromSlash(prefix), "*", "*.csv.gz"))
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			continue
		}
		rel, _ := filepath.Rel(v.root, f)
		key := filepath.ToSlash(rel)
		answer.Contents = append(answer.Contents, object{key, info.ModTime().UTC().Format("2006-01-02T15:04:05.000Z"), `"` + key + `"`, "STANDARD", info.Size()})
	}
	answer.KeyCount = len(answer.Contents)
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(answer)
}

// terminal runs one command line in a data folder against a vendor.
type terminal struct {
	t        *testing.T
	home     string
	endpoint string
	out, err bytes.Buffer
}

func (x *terminal) run(ctx context.Context, args ...string) int {
	x.t.Helper()
	x.out.Reset()
	x.err.Reset()
	streams := cmd.IO{In: strings.NewReader(""), Out: &x.out, Err: &x.err, Now: time.Now, Environ: []string{
		"HOME=" + x.home, "BACKTESTER_DATA_DIR=" + filepath.Join(x.home, "data"), "MASSIVE_S3_ENDPOINT=" + x.endpoint,
		"AWS_ACCESS_KEY_ID=canary-id", "AWS_SECRET_ACCESS_KEY=canary-secret",
	}}
	code := cmd.Main(ctx, append(args, "--env-file", "none"), streams, "test")
	if text := x.out.String() + x.err.String(); strings.Contains(text, "canary") {
		x.t.Errorf("%v shows a key:\n%s", args, text)
	}
	return code
}

func (x *terminal) want(code, want int, parts ...string) {
	x.t.Helper()
	text := x.out.String() + x.err.String()
	if code != want {
		x.t.Fatalf("exit code %d, want %d\n%s", code, want, text)
	}
	for _, p := range parts {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), p) {
			x.t.Errorf("no %q in\n%s", p, text)
		}
	}
}

func TestFetch(t *testing.T) {
	downloads := 0
	v := &vendor{root: filepath.Join(demoData(t), "demo", "raw"), asked: func(string) { downloads++ }}
	count := func() int {
		v.mu.Lock()
		defer v.mu.Unlock()
		return downloads
	}
	s := httptest.NewServer(v)
	defer s.Close()
	x := &terminal{t: t, home: t.TempDir(), endpoint: s.URL}
	day := []string{"fetch", "--dataset", "day", "--from", "2024-01-02", "--to", "2024-01-31", "--workers", "1"}

	x.want(x.run(context.Background(), append(day, "--dry-run")...), 0, "day 2024-01-02 2024-01-31 21 21", "nothing was fetched")
	if n := count(); n != 0 {
		t.Errorf("a dry run downloads %d files", n)
	}

	// An interruption keeps what is complete; the same command goes on.
	ctx, stop := context.WithCancel(context.Background())
	v.mu.Lock()
	v.asked = func(string) {
		if downloads++; downloads == 5 {
			stop()
		}
	}
	v.mu.Unlock()
	x.want(x.run(ctx, day...), 130, "interrupted", "goes on from here")
	v.mu.Lock()
	v.asked = func(string) { downloads++ }
	v.mu.Unlock()
	x.want(x.run(context.Background(), day...), 0, "day 2024-01-02 2024-01-31 21", "warning: no_actions")
	if n := count(); n < 21 || n > 22 {
		t.Errorf("%d downloads of 21 files, of which one was interrupted", n)
	}

	// Nothing is done twice.
	v.mu.Lock()
	downloads = 0
	v.mu.Unlock()
	x.want(x.run(context.Background(), day...), 0, "day 2024-01-02 2024-01-31 21 0 0.0 MB 0 0 0 0")
	if n := count(); n != 0 {
		t.Errorf("%d downloads although nothing changed", n)
	}

	// Vendor data is used from now on, and it is not called synthetic.
	x.want(x.run(context.Background(), "run", "buy-and-hold", "--symbols", "MKT", "--format", "csv"), 0, "buy-and-hold,MKT,2024-01-02,2024-01-31")
	if strings.Contains(x.err.String()+x.out.String(), "synthetic_data") {
		t.Error("fetched data is called synthetic")
	}
	x.want(x.run(context.Background(), "run", "buy-and-hold", "--symbols", "MKT", "--from", "2024-03-01", "--to", "2024-03-28"), 3,
		"MKT 2024-03-01..2024-03-28 2024-01-02..2024-01-31", "backtester fetch --dataset day --from 2024-03-01 --to 2024-03-28")

	// What the plan does not include is an error of its own, after everything else was fetched.
	v.mu.Lock()
	v.refuse = "us_stocks_sip/day_aggs_v1/2024/02/2024-02-02.csv.gz"
	v.mu.Unlock()
	x.want(x.run(context.Background(), "fetch", "--dataset", "day", "--from", "2024-02-01", "--to", "2024-02-29"), 4, "2024-02-02", "plan")
}
