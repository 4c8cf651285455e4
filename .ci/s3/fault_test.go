package s3test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon"
	"backtester/polygon/bucket"
	"backtester/polygon/flatfile"
)

type (
	rw  = http.ResponseWriter
	res = http.Response
)

func sessionOf(key string) instrument.Date {
	_, d, _ := flatfile.ParseKey(key)
	return d
}

// hijack answers with raw bytes and then does what end says to the connection.
func hijack(w rw, raw []byte, end func(*net.TCPConn)) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	c.Write(raw)
	end(c.(*net.TCPConn))
	c.Close()
}

// raw is the answer as bytes, with a length of its own choosing.
func raw(r *res, length int, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nETag: %s\r\nLast-Modified: %s\r\n\r\n", length, r.Header.Get("ETag"), r.Header.Get("Last-Modified"))
	b.Write(body)
	return b.Bytes()
}

func body(r *res) []byte {
	b, _ := io.ReadAll(r.Body)
	return b
}

func reset(at int) func(rw, *res) {
	return func(w rw, r *res) {
		b := body(r)
		hijack(w, raw(r, len(b), b[:at%len(b)]), func(c *net.TCPConn) { c.SetLinger(0) })
	}
}

func stall(at int) func(rw, *res) {
	return func(w rw, r *res) {
		b := body(r)
		hijack(w, raw(r, len(b), b[:at%len(b)]), func(*net.TCPConn) { time.Sleep(600 * time.Millisecond) })
	}
}

// short and long announce what they send, but send another length than was listed.
func short(w rw, r *res) {
	b := body(r)
	hijack(w, raw(r, len(b)-10, b[:len(b)-10]), func(*net.TCPConn) {})
}

func long(w rw, r *res) {
	b := append(body(r), "0123456789"...)
	hijack(w, raw(r, len(b), b), func(*net.TCPConn) {})
}

// cut announces more than it sends, overflow less.
func cut(w rw, r *res) {
	b := body(r)
	hijack(w, raw(r, len(b), b[:len(b)/2]), func(*net.TCPConn) {})
}

func overflow(w rw, r *res) {
	b := body(r)
	hijack(w, raw(r, len(b), append(b, "0123456789"...)), func(*net.TCPConn) {})
}

func status(code int) func(rw, *res) {
	return func(w rw, r *res) { w.WriteHeader(code) }
}

// Faults that pass: each object meets one or two of them, then comes whole.
func TestPassingFaultsAreOvercome(t *testing.T) {
	v := newVendor(t, 40)
	rng := rand.New(rand.NewPCG(3, 3))
	kinds := []func(rw, *res){short, long, cut, overflow, status(500), status(503), status(429), status(502)}
	p, url := v.startProxy(func(key string, try int) func(rw, *res) {
		if key == "" || try > 2 {
			return nil
		}
		switch n := rng.IntN(len(kinds) + 6); {
		case n < len(kinds):
			return kinds[n]
		case n < len(kinds)+4:
			return reset(rng.IntN(1 << 20))
		case n == len(kinds)+4:
			return stall(rng.IntN(1 << 20))
		}
		return nil
	})
	dir := t.TempDir()
	o := options(dir, url)
	o.Workers = 8
	s, err := polygon.Sync(t.Context(), o)
	if err != nil || s.Bars[0].Fetched != 40 {
		t.Fatalf("%+v %v", s.Bars, err)
	}
	v.complete(dir)
	if p.count() < 60 {
		t.Errorf("only %d downloads: the faults did not happen", p.count())
	}
}

// A plan that begins in the middle: the newer files come, and not every older one is asked for.
func TestPlanThatDoesNotReachBack(t *testing.T) {
	v := newVendor(t, 60)
	p, url := v.startProxy(func(key string, _ int) func(rw, *res) {
		if key != "" && key < v.key(40) {
			return status(403)
		}
		return nil
	})
	dir := t.TempDir()
	s, err := polygon.Sync(t.Context(), options(dir, url))
	if !errors.Is(err, polygon.ErrForbidden) || !strings.Contains(err.Error(), "not asked for") {
		t.Errorf("%v", err)
	}
	if b := s.Bars[0]; b.Fetched != 20 || b.Loaded != 20 {
		t.Errorf("%+v", b)
	}
	if p.count() > 20+3+4 {
		t.Errorf("%d requests: the older files were asked for", p.count())
	}
}

// A log-in page with status 200 in place of the listing, and a listing that begins and does not end.
func TestListingThatIsNone(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(rw, *res)
		is    error
	}{"log in": {logIn, bucket.ErrNotS3}, "silent": {silent, bucket.ErrUnreachable}} {
		v := vendorOf(t, "listing-"+name[:3], 4)
		_, url := v.startProxy(func(key string, _ int) func(rw, *res) {
			if key == "" {
				return c.spoil
			}
			return nil
		})
		if _, err := polygon.Sync(t.Context(), options(t.TempDir(), url)); !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An object that is replaced between the listing and its download, and one that is replaced while it comes:
// what is kept is one of the two, whole, and the next fetch has the new one.
func TestObjectChangesMeanwhile(t *testing.T) {
	for name, half := range map[string]bool{"before": false, "during": true} {
		t.Run(name, func(t *testing.T) {
			v := newVendor(t, 6)
			before, after := v.files[v.key(3)], dayFile(t, sessionOf(v.key(3)), 300)
			time.Sleep(1100 * time.Millisecond) // last-modified has seconds
			_, url := v.startProxy(func(key string, try int) func(rw, *res) {
				if key != v.key(3) || try > 1 {
					return nil
				}
				return func(w rw, r *res) {
					old := body(r)
					v.put(key, after)
					if half {
						hijack(w, raw(r, len(old), append(old[:len(old)/2:len(old)/2], after[len(old)/2:]...)), func(*net.TCPConn) {})
						return
					}
					for k, x := range map[string]string{"ETag": `"` + fmt.Sprintf("%x", md5.Sum(after)) + `"`, "Content-Length": strconv.Itoa(len(after))} {
						w.Header().Set(k, x)
					}
					w.Write(after)
				}
			})
			dir := t.TempDir()
			_, err := polygon.Sync(t.Context(), options(dir, url))
			if got := v.onDisk(dir)[v.key(3)]; got != "" && got != sum(before) && got != sum(after) {
				t.Errorf("%s on disk is neither the old nor the new object: %v", v.key(3), err)
			}
			if err := stored(dir); err != nil {
				t.Error(err)
			}
			if _, err := polygon.Sync(t.Context(), options(dir, url)); err != nil {
				t.Fatal(err)
			}
			v.complete(dir)
		})
	}
}

// stored reads every byte of the store there is, if there is one, and looks that every session is whole.
func stored(dir string) error {
	s, err := store.Open(filepath.Join(dir, "store"))
	if errors.Is(err, bar.ErrNoData) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	if faults, err := s.Verify(context.Background()); err != nil || len(faults) > 0 {
		return fmt.Errorf("the store: %v %w", faults, err)
	}
	sessions := len(s.Sessions(bar.Daily))
	held, err := s.Coverage(context.Background(), bar.Daily)
	if err != nil || sessions > 0 && len(held) != 400 {
		return fmt.Errorf("%d symbols of 400 in %d sessions: %w", len(held), sessions, err)
	}
	for _, c := range held {
		if int(c.Bars) != sessions {
			return fmt.Errorf("%s has %d bars in %d sessions", c.Instrument.Ticker, c.Bars, sessions)
		}
	}
	return nil
}

// fetchProcess is a fetch in a process of its own.
func fetchProcess(dir, url string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childEnv+"="+dir+" "+url)
	return c
}

// kills is how often a fetch is killed at a random moment of its work.
const kills = 50

func TestKilledFetchesResume(t *testing.T) {
	v := newVendor(t, 40)
	_, url := v.startProxy(func(key string, _ int) func(rw, *res) {
		if key == "" {
			return nil
		}
		return func(w rw, r *res) { time.Sleep(5 * time.Millisecond); pass(w, r) }
	})
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(5, 5))
	killed, ended, partly := 0, 0, 0
	for killed < kills {
		cmd := fetchProcess(dir, url)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+rng.IntN(150)) * time.Millisecond)
		cmd.Process.Kill()
		if err := cmd.Wait(); err != nil {
			killed++
		} else if ended++; ended > 4*kills {
			t.Fatalf("only %d of %d were killed in time", killed, ended+killed)
		}
		for key, got := range v.onDisk(dir) {
			if !strings.HasSuffix(key, ".part") && got != sum(v.files[key]) {
				t.Fatalf("%s is half-written under its name", key)
			}
		}
		if err := stored(dir); err != nil {
			t.Fatalf("after %d kills: %v", killed, err)
		}
		if n := len(v.onDisk(dir)); n > 0 && n < 40 {
			partly++
		}
		if rng.IntN(3) == 0 { // begin anew, so that every stage is hit
			os.RemoveAll(dir)
		}
	}
	t.Logf("%d killed, %d of them amid downloads; %d ended before", killed, partly, ended)
	if partly < kills/5 {
		t.Errorf("only %d of %d were killed amid downloads", partly, killed)
	}
	if _, err := polygon.Sync(t.Context(), options(dir, url)); err != nil {
		t.Fatal(err)
	}
	v.complete(dir)
}

// A manifest cut anywhere in its last line, as by a power cut, costs one download at most.
func TestCutManifest(t *testing.T) {
	v := newVendor(t, 4)
	dir := t.TempDir()
	if _, err := polygon.Sync(t.Context(), v.options(dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "raw", "manifest.jsonl")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(whole))
	n := 0
	for lines.Scan() {
		n++
	}
	if n != 8 { // fetched and loaded
		t.Errorf("%d lines", n)
	}
	for _, back := range []int{1, 5, 50, 150} {
		if err := os.WriteFile(path, whole[:len(whole)-back], 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := polygon.Sync(t.Context(), v.options(dir))
		if err != nil || s.Bars[0].Fetched > 1 || s.Bars[0].Loaded > 1 {
			t.Errorf("cut by %s: %+v %v", strconv.Itoa(back), s.Bars, err)
		}
		v.complete(dir)
	}
}
