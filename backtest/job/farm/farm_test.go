//go:build unix

package farm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"backtester/backtest"
	"backtester/backtest/bar"
	"backtester/backtest/history"
	"backtester/backtest/instrument"
	"backtester/backtest/job"
	"backtester/backtest/job/farm"
	"backtester/backtest/strategy"
	"backtester/backtest/sweep"
)

const (
	childURL = "FARM_TEST_URL"
	childSay = "FARM_TEST_WALK" // which market a worker has
	token    = "a token that nobody guesses"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		os.Exit(workAsChild(url))
	}
	os.Exit(m.Run())
}

// workAsChild works until it is killed, or the test that started it has ended.
func workAsChild(url string) int {
	ctx := context.Background()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // ends when the test does
		os.Exit(1)
	}()
	conn, err := farm.Dial(ctx, url, token)
	if err == nil {
		err = conn.Work(ctx, farm.WorkOptions{Parallel: 2, Data: dataOf(market(os.Getenv(childSay)))})
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func dataOf(src bar.Source) func(context.Context) (*job.Data, error) {
	return func(context.Context) (*job.Data, error) { return &job.Data{Source: src}, nil }
}

// market is three walks; another word makes others.
func market(word string) bar.Source {
	r := rand.New(rand.NewPCG(7, uint64(len(word))))
	var list []*bar.Series
	for _, name := range []string{"A", "B", "C"} {
		s := &bar.Series{Symbol: name, Frame: bar.Daily, Delisted: instrument.None}
		c := 50.0
		for _, day := range bar.NYSE().Sessions(instrument.NewDate(2016, 1, 4), instrument.NewDate(2021, 12, 31)) {
			c = max(1, c*(1+0.02*r.NormFloat64()))
			s.Time = append(s.Time, day.Nanos())
			s.Open, s.High, s.Low = append(s.Open, c), append(s.High, c*1.01), append(s.Low, c*0.99)
			s.Close, s.Volume = append(s.Close, c), append(s.Volume, 1e6)
		}
		list = append(list, s)
	}
	src, err := bar.NewMemory(bar.NYSE(), list...)
	if err != nil {
		panic(err)
	}
	return src
}

func config(t *testing.T) *backtest.Config { return parse(t, "fast: 2..21, slow: 22..61") }

func parse(t *testing.T, params string) *backtest.Config {
	t.Helper()
	cfg, faults := strategy.Parse("pairs.yaml", []byte(`
name: pairs
universe: {symbols: [A, B, C]}
params: {`+params+`}
entry: sma(close, fast) > sma(close, slow)
exit: {when: sma(close, fast) < sma(close, slow), stop: entry_price * 0.9}
`))
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func openHistory(t *testing.T) *history.DB {
	t.Helper()
	db, err := history.Open(t.Context(), history.Options{Path: filepath.Join(t.TempDir(), "h.db"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func listen(t *testing.T) (*farm.Hub, *farm.Conn) {
	t.Helper()
	hub, err := farm.Listen(farm.HubOptions{Dir: t.TempDir(), Addr: "127.0.0.1:0", Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	conn, err := hub.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return hub, conn
}

func startWorker(t *testing.T, url, word string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childURL+"="+url, childSay+"="+word)
	if _, err := cmd.StdinPipe(); err != nil { // held open by this process alone
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may be dead
		_ = cmd.Wait()
	})
	return cmd
}

// sheet collects rows as the bytes of a file.
func sheet(o sweep.Options, to *bytes.Buffer) sweep.Options {
	var line []byte
	if o.Returns != nil {
		o.Returns = func(r *sweep.Returns) error {
			fmt.Fprintln(to, r.Index, r.Symbol, r.Axis.Dates, r.Values)
			return nil
		}
	}
	o.Row = func(r *sweep.Row) error {
		line = sweep.AppendCSV(line[:0], r)
		fmt.Fprintf(to, "%d %s %s %v %v ", r.Index, r.Path, r.Reason, r.Kept, r.Value)
		to.Write(line)
		return nil
	}
	return o
}

// alone is what one machine makes of the sweep.
func alone(t *testing.T, plan *sweep.Plan, o sweep.Options) (*sweep.Summary, []byte) {
	t.Helper()
	var b bytes.Buffer
	s, err := plan.Run(t.Context(), sheet(o, &b))
	if err != nil {
		t.Fatal(err)
	}
	return s, b.Bytes()
}

func equal(t *testing.T, got, want *sweep.Summary, rows, wanted []byte) {
	t.Helper()
	if !bytes.Equal(rows, wanted) {
		t.Errorf("%d bytes of rows differ from the %d of one machine", len(rows), len(wanted))
	}
	show := func(s *sweep.Summary) string {
		return fmt.Sprintf("%d %d %d %d %+v %+v", s.Combinations, s.Rows, s.Kept, s.Eligible, s.Best, s.Paths)
	}
	if show(got) != show(want) {
		t.Errorf("summary\n%s\nwant\n%s", show(got), show(want))
	}
}

// Workers that are killed at any moment lose no combination and play none twice in the result, which
// has the bytes of one machine.
func TestWorkersThatAreKilled(t *testing.T) {
	plan, err := sweep.NewPlan(t.Context(), config(t), market(""), sweep.Options{Independent: true})
	if err != nil {
		t.Fatal(err)
	}
	o := sweep.Options{Independent: true}
	want, wanted := alone(t, plan, o)
	hub, conn := listen(t)
	kills, done := 0, make(chan struct{})
	r := rand.New(rand.NewPCG(8, 9))
	var rows bytes.Buffer
	stop := make(chan struct{})
	go func() {
		defer close(done)
		victims := []*exec.Cmd{startWorker(t, hub.URL(), ""), startWorker(t, hub.URL(), "")}
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(150+r.IntN(250)) * time.Millisecond):
			}
			if kills < 6 {
				_ = victims[0].Process.Kill()
				_ = victims[0].Wait()
				victims = append(victims[1:], startWorker(t, hub.URL(), ""))
				kills++
			}
		}
	}()
	shared := sheet(o, &rows)
	got, err := conn.Sweep(soon(t), farm.Sweep{Plan: plan, Options: shared, History: openHistory(t)})
	close(stop)
	<-done
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want, rows.Bytes(), wanted)
	t.Logf("%d rows, %d workers killed", got.Rows, kills)
}

// A server that is away for longer than any request waits holds a sweep up and does not end it; one that stays away does,
// with its address.
func TestTheServerIsAwayForAWhile(t *testing.T) {
	defer farm.Hurry(100*time.Millisecond, time.Minute)()
	plan, err := sweep.NewPlan(t.Context(), config(t), market(""), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, wanted := alone(t, plan, sweep.Options{})
	dir := t.TempDir()
	listen := func(addr string) *farm.Hub {
		hub, err := farm.Listen(farm.HubOptions{Dir: dir, Addr: addr, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		return hub
	}
	hub := listen("127.0.0.1:0")
	url := hub.URL()
	conn, err := farm.Dial(t.Context(), url, token)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var rows bytes.Buffer
	var got *sweep.Summary
	ended := make(chan error, 1)
	go func() {
		var err error
		got, err = conn.Sweep(soon(t), farm.Sweep{Plan: plan, Options: sheet(sweep.Options{}, &rows), History: openHistory(t)})
		ended <- err
	}()
	waits(t, url, 1)
	hub.Close()
	select { // requests time out many times over
	case err := <-ended:
		t.Fatalf("the sweep ended without its server: %v", err)
	case <-time.After(3 * time.Second):
	}
	hub = listen(strings.TrimPrefix(url, "nats://"))
	startWorker(t, url, "")
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	equal(t, got, want, rows.Bytes(), wanted)

	farm.Hurry(100*time.Millisecond, time.Second)
	hub.Close()
	if _, err := conn.Sweep(soon(t), farm.Sweep{Plan: plan, History: openHistory(t)}); err == nil || !strings.Contains(err.Error(), url) {
		t.Errorf("without a server: %v", err)
	}
}

// waiting is how many ranges wait on the server for workers.
func waiting(t *testing.T, url string) uint64 {
	t.Helper()
	nc, err := nats.Connect(url, nats.Token(token))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), "BACKTESTER_WORK")
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// waits returns when so many ranges wait.
func waits(t *testing.T, url string, n uint64) {
	t.Helper()
	for soon := soon(t); waiting(t, url) < n; time.Sleep(20 * time.Millisecond) {
		if soon.Err() != nil {
			t.Fatalf("%d ranges never wait", n)
		}
	}
}

// However many ranges a sweep has, no more of them wait on the server than workers need.
func TestRangesWaitInTurn(t *testing.T) {
	plan, err := sweep.NewPlan(t.Context(), parse(t, "fast: 2..300, slow: 301..600"), market(""), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hub, conn := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := conn.Sweep(ctx, farm.Sweep{Plan: plan, History: openHistory(t)})
		ended <- err
	}()
	waits(t, hub.URL(), farm.Ahead)
	time.Sleep(300 * time.Millisecond) // and no more come
	if n := waiting(t, hub.URL()); n != farm.Ahead || plan.Len() <= 200*farm.Ahead {
		t.Errorf("%d ranges wait of %d combinations, want %d", n, plan.Len(), farm.Ahead)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	if n := waiting(t, hub.URL()); n != 0 {
		t.Errorf("%d ranges of a sweep that nobody wants are left", n)
	}
}

// A sweep that is interrupted goes on where it was, on the same hub and with the same history, and can
// be played again from the beginning.
func TestASweepGoesOn(t *testing.T) {
	plan, err := sweep.NewPlan(t.Context(), config(t), market(""), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, wanted := alone(t, plan, sweep.Options{})
	hub, conn := listen(t)
	db := openHistory(t)
	startWorker(t, hub.URL(), "")
	short, cancel := context.WithCancel(t.Context())
	o := sweep.Options{}
	n := 0
	o.Row = func(*sweep.Row) error {
		if n++; n == 100 {
			cancel()
		}
		return nil
	}
	if _, err := conn.Sweep(short, farm.Sweep{Plan: plan, Options: o, History: db}); !errors.Is(err, context.Canceled) {
		t.Fatalf("an interrupted sweep: %v", err)
	}
	for range 2 {
		var rows bytes.Buffer
		got, err := conn.Sweep(soon(t), farm.Sweep{Plan: plan, Options: sheet(sweep.Options{}, &rows), History: db})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, want, rows.Bytes(), wanted)
	}
}

// Workers with other data are not believed: the sweep ends with the range that nobody plays.
func TestOtherData(t *testing.T) {
	plan, err := sweep.NewPlan(t.Context(), config(t), market(""), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hub, conn := listen(t)
	startWorker(t, hub.URL(), "other")
	_, err = conn.Sweep(soon(t), farm.Sweep{Plan: plan, History: openHistory(t)})
	if err == nil || !strings.Contains(err.Error(), "none played them: the data or the engine of this machine differ") {
		t.Errorf("%v", err)
	}
}

// Two who play the same sweep at once take each other's ranges, and both get all rows.
func TestTheSameSweepTwiceAtOnce(t *testing.T) {
	plan, err := sweep.NewPlan(t.Context(), config(t), market(""), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, wanted := alone(t, plan, sweep.Options{})
	hub, conn := listen(t)
	startWorker(t, hub.URL(), "")
	var wg sync.WaitGroup
	for range 2 {
		db := openHistory(t)
		wg.Go(func() {
			var rows bytes.Buffer
			got, err := conn.Sweep(soon(t), farm.Sweep{Plan: plan, Options: sheet(sweep.Options{}, &rows), History: db})
			if err != nil {
				t.Error(err)
				return
			}
			equal(t, got, want, rows.Bytes(), wanted)
		})
	}
	wg.Wait()
}

// Inside one process nothing listens, and workers are goroutines.
func TestWithinOneProcess(t *testing.T) {
	plan, err := sweep.NewPlan(t.Context(), config(t), market(""), sweep.Options{Independent: true, Metrics: []string{"max_bars"}, Fastest: sweep.Event})
	if err != nil {
		t.Fatal(err)
	}
	part := sweep.Options{From: 17, To: 413, Returns: func(*sweep.Returns) error { return nil }}
	want, wanted := alone(t, plan, part)
	hub, err := farm.Listen(farm.HubOptions{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	w, err := hub.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	go func() { ended <- w.Work(ctx, farm.WorkOptions{Parallel: 2, Data: dataOf(market(""))}) }()
	conn, err := hub.Connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var rows bytes.Buffer
	got, err := conn.Sweep(ctx, farm.Sweep{Plan: plan, Options: sheet(part, &rows), History: openHistory(t)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got, want, rows.Bytes(), wanted)
	if math.IsNaN(got.Best[0].Value) {
		t.Error("the best is undefined")
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	hub, _ := listen(t)
	if _, err := farm.Dial(t.Context(), hub.URL(), "another token, which is wrong"); err == nil {
		t.Error("a wrong token was taken")
	}
	if _, err := farm.Dial(t.Context(), hub.URL(), ""); err == nil {
		t.Error("no token was taken")
	}
	for _, o := range []farm.HubOptions{{Addr: "127.0.0.1:0"}, {Addr: "127.0.0.1:0", Token: "short"}, {Addr: "nonsense", Token: token}} {
		o.Dir = t.TempDir()
		if h, err := farm.Listen(o); err == nil {
			h.Close()
			t.Errorf("%+v was taken", o)
		}
	}
}

// soon ends what hangs.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
