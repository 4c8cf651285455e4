package servertest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// endless repeats a text.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

// What is huge is refused in no time, before it is read to its end or unpacked.
func TestHugeRequests(t *testing.T) {
	t.Parallel()
	s := newServing(t, t.TempDir())
	address := strings.TrimPrefix(s.url, "http://")
	head := "POST /api/backtest/run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	sized := func(n int) string { return fmt.Sprintf("%sContent-Length: %d\r\n\r\n", head, n) }
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<16, strings.Repeat(" ", 1<<16))
	const most = 1 << 20
	body := func(before, unit, after string, n int) io.Reader {
		text := before + strings.Repeat(unit, n) + after
		return strings.NewReader(sized(len(text)) + text)
	}
	grew, worst, slowest := 0.0, "", time.Duration(0)
	for name, x := range map[string]struct {
		send func() io.Reader
		want string
	}{
		"1 GiB announced": {func() io.Reader {
			return io.MultiReader(strings.NewReader(sized(1<<30)), io.LimitReader(&endless{text: " "}, 8<<20))
		}, "413"},
		"a length of all": {func() io.Reader { return strings.NewReader(head + "Content-Length: 9223372036854775807\r\n\r\n") }, "413"},
		"chunks without end": {func() io.Reader {
			return io.MultiReader(strings.NewReader(head+"Transfer-Encoding: chunked\r\n\r\n"), io.LimitReader(&endless{text: chunk}, 64<<20))
		}, "413"},
		"a header of 10 MB": {func() io.Reader {
			return io.MultiReader(strings.NewReader(strings.TrimSuffix(head, "\r\n")+"\r\nX: "), io.LimitReader(&endless{text: "x"}, 10<<20))
		}, "431"},
		"a million headers": {func() io.Reader {
			return io.MultiReader(strings.NewReader(head), io.LimitReader(&endless{text: "A: b\r\n"}, 6_000_000))
		}, "431"},
		"an address of 10 MB": {func() io.Reader {
			return io.MultiReader(strings.NewReader("GET /api/"), io.LimitReader(&endless{text: "x"}, 10<<20))
		}, "431"},
		"a list of half a million":   {func() io.Reader { return body(`{"symbols":[`, "1,", "1]}", most/2-20) }, "413"},
		"a list of a million":        {func() io.Reader { return body(`{"symbols":[`, "1,", "1]}", 1_000_000) }, "413"},
		"nested a million times":     {func() io.Reader { return body("", "[", "", most-1) }, "400"},
		"objects nested without end": {func() io.Reader { return body("", `{"a":`, "1", most/5-1) }, "400"},
		"a number of 4 MB":           {func() io.Reader { return body(`{"strategy":`, "9", "}", 4<<20) }, "413"},
		"a number of 1 MB":           {func() io.Reader { return body(`{"strategy":`, "9", "}", most-20) }, "400"},
		"100,000 keys":               {func() io.Reader { return body("{", `"k":1,`, `"z":1}`, 100_000) }, "400"},
		"a gzip bomb, packed": {func() io.Reader {
			return strings.NewReader(head + "Content-Encoding: gzip\r\nContent-Length: 18\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x01\x0d\x00\x00\x00\xc2")
		}, "415"},
		"a text of escapes":              {func() io.Reader { return body(`{"strategy":"`, `\u0041`, `"}`, most/6-20) }, "422"},
		"an expression of a million ors": {func() io.Reader { return body(`{"strategy":{"entry":"`, "1>0 or ", `1>0"}}`, most/7-20) }, "422"},
	} {
		var took time.Duration
		for range 5 { // the best of a few: others work on this machine too
			before, start := s.resident(), time.Now()
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			_ = c.SetDeadline(start.Add(30 * time.Second))
			sent := make(chan struct{})
			go func() { _, _ = io.Copy(c, x.send()); close(sent) }() // it ends when the server hangs up
			line, _ := bufio.NewReader(c).ReadString('\n')
			took = time.Since(start)
			if more := s.resident() - before; more > grew {
				grew, worst = more, name
			}
			c.Close()
			<-sent
			if !strings.HasPrefix(line, "HTTP/1.1 "+x.want) {
				t.Errorf("%s: %q after %s, want %s", name, strings.TrimSpace(line), took.Round(time.Millisecond), x.want)
			}
			if took < time.Second {
				break
			}
		}
		if slowest = max(slowest, took); took >= time.Second {
			t.Errorf("%s: answered after %s, want less than a second", name, took.Round(time.Millisecond))
		}
	}
	t.Logf("the slowest answer took %s", slowest.Round(time.Millisecond))
	t.Logf("%s took the most memory: %.0f MiB", worst, grew)
	if grew > 64 {
		t.Errorf("%s took %.0f MiB of memory", worst, grew)
	}
}

// A server that has run out of file descriptors loses nothing, and goes on when there are some again.
func TestFewFiles(t *testing.T) {
	t.Parallel()
	results := t.TempDir()
	s := newServing(t, results)
	c := newClient()
	var kept run
	if status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(0), &kept); err != nil || status != 202 {
		t.Fatalf("%d %v %s", status, err, text)
	}
	s.ended(c, kept.RunID)
	s.signal(syscall.SIGTERM)
	s.files64 = true
	s.start()
	acknowledged, refused := map[string]int{kept.RunID: 0}, 0
	for round := range 3 {
		var open []net.Conn
		for range 100 { // more than it may have; what it cannot accept waits
			if c, err := net.DialTimeout("tcp", strings.TrimPrefix(s.url, "http://"), time.Second); err == nil {
				open = append(open, c)
			}
		}
		for i := range 5 {
			hurried := &http.Client{Timeout: 500 * time.Millisecond}
			var r run
			if status, _, err := call(hurried, "POST", s.url+"/api/backtest/run", strategy(i), &r); err == nil && status == 202 {
				acknowledged[r.RunID] = i
			} else {
				refused++
			}
		}
		for _, c := range open {
			c.Close()
		}
		if status, text, err := call(c, "GET", s.url+"/api/health", "", nil); err != nil || status != 200 {
			t.Fatalf("round %d: health afterwards: %d %v %s", round, status, err, text)
		}
	}
	var after run
	if status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(1), &after); err != nil || status != 202 {
		t.Fatalf("afterwards: %d %v %s", status, err, text)
	}
	acknowledged[after.RunID] = 1
	if refused == 0 {
		t.Error("it never ran out of files: nothing was tested")
	}
	for id := range acknowledged {
		if e := s.ended(c, id); e.Status != "succeeded" && !(e.Status == "failed" && e.Error != nil) {
			t.Errorf("run %s: %+v", id, e)
		}
	}
	t.Logf("%d requests refused while there were no files, %d acknowledged", refused, len(acknowledged))
	s.signal(syscall.SIGTERM)
	whole(t, results)
}

// The number of workers and processors changes no byte of a result.
func TestWorkersChangeNothing(t *testing.T) {
	t.Parallel()
	sums := map[string]bool{}
	for _, n := range []string{"1", "2", "8"} {
		s := newServing(t, t.TempDir(), "BACKTESTER_WORKERS="+n, "GOMAXPROCS="+n)
		c, acknowledged := newClient(), map[string]int{}
		for i := range 12 {
			var r run
			if status, text, err := call(c, "POST", s.url+"/api/backtest/run", strategy(i), &r); err != nil || status != 202 {
				t.Fatalf("%d %v %s", status, err, text)
			}
			acknowledged[r.RunID] = i
		}
		judge(t, s, acknowledged) // against each other, and against the command line
		for id := range acknowledged {
			// Tearsheets are left out: they tell how many trials the history had when they were made.
			file := "/api/files/csv/" + id + ".csv"
			if status, text, err := call(c, "GET", s.url+file, "", nil); err != nil || status != 200 {
				t.Errorf("%s: %d %v", file, status, err)
			} else {
				sums[string(text)] = true
			}
		}
		s.signal(syscall.SIGTERM)
	}
	if len(sums) != 4 {
		t.Errorf("%d different tables of 4 kinds of work", len(sums))
	}
}
