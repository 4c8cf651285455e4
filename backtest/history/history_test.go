package history_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"backtester/backtest/history"
)

// clock is a clock that tests move.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)} }

func (c *clock) now() time.Time { return c.at }

// place is where a database can be made.
func place(t *testing.T, c *clock) history.Options {
	t.Helper()
	if server != nil {
		return placeOnPostgres(t, c)
	}
	return history.Options{Path: filepath.Join(t.TempDir(), "a b?c#d%", "history.db"), Now: c.now}
}

func open(t *testing.T, c *clock) *history.DB {
	t.Helper()
	d, err := history.Open(t.Context(), place(t, c))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func write(t *testing.T, d *history.DB, f func(tx *history.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, d *history.DB, f func(tx *history.Tx) error) {
	t.Helper()
	if err := d.Read(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

func queued(owner, strategy string, symbols ...string) *history.Run {
	return &history.Run{Owner: owner, Kind: history.KindRun, State: history.Queued, Spec: []byte(`{"kind":"run"}`), SpecSum: "sum of " + strategy,
		Engine: "1", Strategy: strategy, Symbols: symbols}
}

func TestRunsGoThroughTheirStates(t *testing.T) {
	c := newClock()
	d := open(t, c)
	run := queued("ann", "pullback", "AAPL", "MSFT")
	run.Tags, run.Name = []string{"b", "a", "b"}, "First"
	write(t, d, func(tx *history.Tx) error { return tx.Insert(run) })
	if !history.ValidID(run.ID) {
		t.Fatalf("id %q", run.ID)
	}
	var got *history.Run
	look := func(owner string) error {
		return d.Read(t.Context(), func(tx *history.Tx) (err error) { got, err = tx.Run(owner, run.ID); return err })
	}
	if err := look("bob"); !errors.Is(err, history.ErrNotFound) {
		t.Fatalf("somebody else's run: %v", err)
	}
	if err := look("ann"); err != nil || got.State != history.Queued || !slices.Equal(got.Tags, []string{"a", "b"}) || got.Name != "First" ||
		!slices.Equal(got.Symbols, []string{"AAPL", "MSFT"}) || !got.Created.Equal(c.at) || got.Metrics["sharpe"] != nil {
		t.Fatalf("%+v %v", got, err)
	}
	write(t, d, func(tx *history.Tx) error {
		attempt, err := tx.Start(run.ID, "w1", c.at.Add(time.Minute))
		if attempt != 1 {
			t.Errorf("attempt %d", attempt)
		}
		return err
	})
	for _, wrong := range []func(tx *history.Tx) error{
		func(tx *history.Tx) error { _, err := tx.Start(run.ID, "w2", c.at); return err },
		func(tx *history.Tx) error { _, err := tx.Renew(run.ID, "w2", c.at); return err },
		func(tx *history.Tx) error { return tx.Finish(run.ID, "w2", history.End{State: history.Succeeded}) },
		func(tx *history.Tx) error { return tx.Requeue(run.ID, "w2", true) },
	} {
		if err := d.Write(t.Context(), wrong); !errors.Is(err, history.ErrLost) {
			t.Errorf("another worker: %v", err)
		}
	}
	sharpe := 1.25
	write(t, d, func(tx *history.Tx) error {
		return tx.Finish(run.ID, "w1", history.End{State: history.Succeeded, Fingerprint: "fp", Symbols: []string{"MSFT"}, From: "2020-01-02",
			To: "2020-12-31", Metrics: map[string]*float64{"sharpe": &sharpe}, Artifacts: []history.Artifact{{Name: "csv/x.csv", SHA256: "ab", Bytes: 7}}})
	})
	if err := look("ann"); err != nil || got.State != history.Succeeded || *got.Metrics["sharpe"] != 1.25 || got.Metrics["cagr"] != nil ||
		!slices.Equal(got.Symbols, []string{"MSFT"}) || got.Artifacts[0].Bytes != 7 || got.Finished.IsZero() {
		t.Fatalf("%+v %v", got, err)
	}
	if err := d.Write(t.Context(), func(tx *history.Tx) error { _, err := tx.Cancel("ann", run.ID); return err }); !errors.Is(err, history.ErrFinished) {
		t.Errorf("cancel what has ended: %v", err)
	}
	read(t, d, func(tx *history.Tx) error {
		spec, err := tx.Spec(run.ID)
		if !bytes.Equal(spec, run.Spec) {
			t.Errorf("spec %s", spec)
		}
		return err
	})
}

func TestRescueOfRunsWithoutAWorker(t *testing.T) {
	c := newClock()
	d := open(t, c)
	run, other := queued("ann", "a"), queued("ann", "b")
	write(t, d, func(tx *history.Tx) error { return errors.Join(tx.Insert(run), tx.Insert(other)) })
	start := func(id string) {
		write(t, d, func(tx *history.Tx) error { _, err := tx.Start(id, "w", c.at.Add(time.Minute)); return err })
	}
	rescue := func(all bool) (requeued, failed []string) {
		write(t, d, func(tx *history.Tx) (err error) { requeued, failed, err = tx.Rescue(all, 3); return err })
		return requeued, failed
	}
	start(run.ID)
	if r, f := rescue(false); len(r)+len(f) != 0 {
		t.Errorf("a run whose worker lives was rescued: %v %v", r, f)
	}
	c.at = c.at.Add(2 * time.Minute)
	if r, _ := rescue(false); !slices.Equal(r, []string{run.ID}) {
		t.Errorf("requeued %v", r)
	}
	start(run.ID)
	if r, _ := rescue(true); len(r) != 1 {
		t.Errorf("requeued %v", r)
	}
	start(run.ID)
	if r, f := rescue(true); len(r) != 0 || !slices.Equal(f, []string{run.ID}) {
		t.Errorf("requeued %v, failed %v", r, f)
	}
	start(other.ID)
	write(t, d, func(tx *history.Tx) error { _, err := tx.Cancel("ann", other.ID); return err })
	rescue(true)
	read(t, d, func(tx *history.Tx) error {
		a, err := tx.Run("", run.ID)
		if err != nil || a.State != history.Failed || a.Problem.Code != "crash-loop" {
			t.Errorf("%+v %v", a, err)
		}
		b, err := tx.Run("", other.ID)
		if err != nil || b.State != history.Cancelled {
			t.Errorf("%+v %v", b, err)
		}
		return nil
	})
}

func TestWritesThatFailLeaveNothing(t *testing.T) {
	d := open(t, newClock())
	run := queued("ann", "a")
	sad := errors.New("no")
	if err := d.Write(t.Context(), func(tx *history.Tx) error { return errors.Join(tx.Insert(run), sad) }); !errors.Is(err, sad) {
		t.Fatal(err)
	}
	if err := d.Read(t.Context(), func(tx *history.Tx) error { _, err := tx.Run("", run.ID); return err }); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("what failed is there: %v", err)
	}
}

func TestKeysAndEqualWork(t *testing.T) {
	d := open(t, newClock())
	run := queued("ann", "a")
	write(t, d, func(tx *history.Tx) error {
		return errors.Join(tx.Insert(run), tx.KeepKey(history.Key{Owner: "ann", Route: "r", Key: "k", SHA256: "s", Run: run.ID}))
	})
	read(t, d, func(tx *history.Tx) error {
		k, err := tx.Key("ann", "r", "k")
		if err != nil || k.Run != run.ID || k.SHA256 != "s" {
			t.Errorf("%+v %v", k, err)
		}
		if _, err := tx.Key("bob", "r", "k"); !errors.Is(err, history.ErrNotFound) {
			t.Errorf("somebody else's key: %v", err)
		}
		same, err := tx.Same("ann", run.SpecSum)
		if err != nil || same.ID != run.ID {
			t.Errorf("%+v %v", same, err)
		}
		if _, err := tx.Same("bob", run.SpecSum); !errors.Is(err, history.ErrNotFound) {
			t.Errorf("somebody else's work: %v", err)
		}
		return nil
	})
	if err := d.Write(t.Context(), func(tx *history.Tx) error {
		return tx.KeepKey(history.Key{Owner: "ann", Route: "r", Key: "k", SHA256: "s", Run: run.ID})
	}); !history.IsTaken(err) {
		t.Errorf("the same key twice: %v", err)
	}
}

// many adds n runs of two owners with metrics that rise and fall.
func many(t *testing.T, d *history.DB, c *clock, n int) {
	t.Helper()
	write(t, d, func(tx *history.Tx) error {
		for i := range n {
			r := queued([]string{"ann", "bob"}[i%2], []string{"pullback", "trend", "gap"}[i%3], fmt.Sprintf("S%d", i%7))
			r.Kind = []history.Kind{history.KindRun, history.KindSweep}[i/2%2]
			r.State = []history.State{history.Succeeded, history.Failed}[i/4%2]
			r.Tags = []string{fmt.Sprintf("t%d", i%5)}
			r.Name = fmt.Sprintf("Run %d 100%%_", i)
			r.Starred = i%10 == 0
			if v := float64(i * 37 % 101); i%11 != 0 {
				r.Metrics = map[string]*float64{"sharpe": &v}
			}
			c.at = c.at.Add(time.Second)
			if err := tx.Insert(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// walk reads all pages of a list.
func walk(t *testing.T, d *history.DB, f history.Filter) (all []*history.Run) {
	t.Helper()
	for range 1000 {
		var p history.Page
		read(t, d, func(tx *history.Tx) (err error) { p, err = tx.Page(f); return err })
		all = append(all, p.Runs...)
		if p.Next.ID == "" {
			return all
		}
		f.After = p.Next
	}
	t.Fatal("the list does not end")
	return nil
}

func TestPagesAreWholeAndSorted(t *testing.T) {
	c := newClock()
	d := open(t, c)
	began := c.at
	many(t, d, c, 230)
	every := walk(t, d, history.Filter{Limit: 500})
	if len(every) != 230 {
		t.Fatalf("%d runs", len(every))
	}
	value := func(r *history.Run) float64 { return *r.Metrics["sharpe"] }
	for name, x := range map[string]struct {
		filter history.Filter
		keep   func(r *history.Run) bool
	}{
		"owner":    {history.Filter{Owner: "ann"}, func(r *history.Run) bool { return r.Owner == "ann" }},
		"kind":     {history.Filter{Kinds: []history.Kind{history.KindSweep}}, func(r *history.Run) bool { return r.Kind == history.KindSweep }},
		"state":    {history.Filter{Owner: "bob", States: []history.State{history.Failed}}, func(r *history.Run) bool { return r.Owner == "bob" && r.State == history.Failed }},
		"symbol":   {history.Filter{Owner: "ann", Symbol: "S3"}, func(r *history.Run) bool { return r.Owner == "ann" && r.Symbols[0] == "S3" }},
		"tag":      {history.Filter{Tag: "t4"}, func(r *history.Run) bool { return r.Tags[0] == "t4" }},
		"both":     {history.Filter{Tag: "t4", Symbol: "S2"}, func(r *history.Run) bool { return r.Tags[0] == "t4" && r.Symbols[0] == "S2" }},
		"strategy": {history.Filter{Strategy: "gap"}, func(r *history.Run) bool { return r.Strategy == "gap" }},
		"words":    {history.Filter{Query: "TREND 100%_"}, func(r *history.Run) bool { return r.Strategy == "trend" }},
		"escaped":  {history.Filter{Query: "100__"}, func(r *history.Run) bool { return false }},
		"starred":  {history.Filter{Starred: true}, func(r *history.Run) bool { return r.Starred }},
		"time": {history.Filter{From: began.Add(10 * time.Second), To: began.Add(20 * time.Second)}, func(r *history.Run) bool {
			return !r.Created.Before(began.Add(10*time.Second)) && r.Created.Before(began.Add(20*time.Second))
		}},
		"ratio":  {history.Filter{Owner: "ann", Sort: "-sharpe"}, func(r *history.Run) bool { return r.Owner == "ann" }},
		"rising": {history.Filter{Tag: "t2", Symbol: "S2", Sort: "sharpe"}, func(r *history.Run) bool { return r.Tags[0] == "t2" && r.Symbols[0] == "S2" }},
		"oldest": {history.Filter{Sort: "created"}, func(r *history.Run) bool { return true }},
	} {
		t.Run(name, func(t *testing.T) {
			x.filter.Limit = 7
			got := walk(t, d, x.filter)
			want := slices.DeleteFunc(slices.Clone(every), func(r *history.Run) bool { return !x.keep(r) })
			slices.SortStableFunc(want, func(a, b *history.Run) int { // every is newest first
				switch x.filter.Sort {
				case "-sharpe", "sharpe":
					na, nb := a.Metrics["sharpe"] == nil, b.Metrics["sharpe"] == nil
					sign := map[string]float64{"-sharpe": -1, "sharpe": 1}[x.filter.Sort]
					if na || nb || value(a) == value(b) {
						if na != nb {
							return map[bool]int{true: 1, false: -1}[na]
						}
						return int(sign) * bytes.Compare([]byte(a.ID), []byte(b.ID))
					}
					return int(sign * (value(a) - value(b)))
				case "created":
					return bytes.Compare([]byte(a.ID), []byte(b.ID))
				}
				return 0
			})
			ids := func(list []*history.Run) (out []string) {
				for _, r := range list {
					out = append(out, r.ID)
				}
				return out
			}
			if !slices.Equal(ids(got), ids(want)) {
				t.Errorf("%d runs %v, want %d %v", len(got), ids(got), len(want), ids(want))
			}
		})
	}
	err := d.Read(t.Context(), func(tx *history.Tx) error {
		_, err := tx.Page(history.Filter{Sort: "sharpe; DROP TABLE runs"})
		return err
	})
	if err == nil {
		t.Error("an unknown order was taken")
	}
}

func TestLabels(t *testing.T) {
	d := open(t, newClock())
	run := queued("ann", "a", "AAPL")
	write(t, d, func(tx *history.Tx) error { return tx.Insert(run) })
	shared := func(reader string) bool { _, err := d.Run(t.Context(), reader, run.ID); return err == nil }
	name, notes, starred, tags := "My <b>run</b>", "line\nline", true, []string{"x", "y", "x"}
	label := func(owner string, revision int, l history.Label) error {
		return d.Write(t.Context(), func(tx *history.Tx) error { _, err := tx.SetLabel(owner, run.ID, revision, l); return err })
	}
	if err := label("ann", 1, history.Label{Name: &name, Notes: &notes, Starred: &starred, Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	if err := label("ann", 1, history.Label{Name: &notes}); !errors.Is(err, history.ErrChanged) {
		t.Errorf("an old revision: %v", err)
	}
	if err := label("bob", 0, history.Label{}); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	for _, wrong := range []history.Label{{Name: ptr("a\x00b")}, {Name: ptr("abc\u202ecba")}, {Tags: &[]string{""}}, {Tags: &[]string{"a,b"}}, {Notes: ptr(string(make([]byte, 30_000)))}} {
		if err := label("ann", 0, wrong); err == nil {
			t.Errorf("%+v was taken", wrong)
		}
	}
	if got := walk(t, d, history.Filter{Query: "<B>run line"}); len(got) != 1 || got[0].Name != name || !got[0].Starred || got[0].Shared || !slices.Equal(got[0].Tags, []string{"x", "y"}) || got[0].Revision != 2 {
		t.Errorf("%+v", got)
	}
	// Sharing lets others read the run, not change it, and no other change ends it.
	for _, on := range []bool{true, false} {
		if err := errors.Join(label("ann", 0, history.Label{Shared: &on}), label("ann", 0, history.Label{Name: &notes})); err != nil {
			t.Fatal(err)
		}
		if !shared("ann") || shared("bob") != on || walk(t, d, history.Filter{Owner: "ann"})[0].Shared != on || len(walk(t, d, history.Filter{Owner: "bob"})) != 0 {
			t.Errorf("shared %t: bob reads it: %t", on, shared("bob"))
		}
		if err := label("bob", 0, history.Label{Name: &name}); !errors.Is(err, history.ErrNotFound) {
			t.Errorf("shared %t: bob changed it: %v", on, err)
		}
		err := d.Write(t.Context(), func(tx *history.Tx) error { _, err := tx.Cancel("bob", run.ID); return err })
		if !errors.Is(err, history.ErrNotFound) {
			t.Errorf("shared %t: bob cancelled it: %v", on, err)
		}
	}
}

func ptr[T any](v T) *T { return &v }

func TestFindByTheFirstCharacters(t *testing.T) {
	c := newClock()
	d := open(t, c)
	a, b := queued("ann", "a"), queued("bob", "b")
	write(t, d, func(tx *history.Tx) error { return errors.Join(tx.Insert(a), tx.Insert(b)) })
	read(t, d, func(tx *history.Tx) error {
		if r, err := tx.Find("", a.ID[:26]); err != nil || r.ID != a.ID {
			t.Errorf("%v %v", r, err)
		}
		if r, err := tx.Find("bob", b.ID[:8]); err != nil || r.ID != b.ID {
			t.Errorf("%v %v", r, err)
		}
		if _, err := tx.Find("", a.ID[:5]); err == nil || errors.Is(err, history.ErrNotFound) {
			t.Errorf("two runs: %v", err)
		}
		if _, err := tx.Find("", "ZZ"); !errors.Is(err, history.ErrNotFound) {
			t.Errorf("none: %v", err)
		}
		return nil
	})
}

func TestRemove(t *testing.T) {
	d := open(t, newClock())
	run := queued("ann", "a", "AAPL")
	run.Tags = []string{"t"}
	write(t, d, func(tx *history.Tx) error { return tx.Insert(run) })
	remove := func() error {
		return d.Write(t.Context(), func(tx *history.Tx) error { _, err := tx.Remove("ann", run.ID); return err })
	}
	if err := remove(); err == nil {
		t.Error("a queued run was removed")
	}
	write(t, d, func(tx *history.Tx) error { _, err := tx.Cancel("ann", run.ID); return err })
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	read(t, d, func(tx *history.Tx) error {
		for _, table := range []string{"runs", "run_specs", "run_symbols", "run_tags"} {
			var n int
			if err := tx.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%s has %d rows, %v", table, n, err)
			}
		}
		return nil
	})
}

// Ids rise whatever the clock does.
func TestIDsRise(t *testing.T) {
	c := newClock()
	d := open(t, c)
	last := ""
	for i := range 20_000 {
		switch i % 1000 {
		case 300:
			c.at = c.at.Add(time.Millisecond)
		case 600:
			c.at = c.at.Add(-time.Hour)
		}
		id := d.NewID()
		if id <= last || !history.ValidID(id) {
			t.Fatalf("%s after %s", id, last)
		}
		last = id
	}
}

func TestRowsAreJSON(t *testing.T) {
	d := open(t, newClock())
	run := queued("ann", "a", "AAPL")
	write(t, d, func(tx *history.Tx) error { return tx.Insert(run) })
	b, err := json.Marshal(walk(t, d, history.Filter{})[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"run_id":"` + run.ID + `"`, `"status":"queued"`, `"tags":[]`, `"sharpe":null`, `"created_at":"2024-05-06T07:08:09Z"`} {
		if !bytes.Contains(b, []byte(part)) {
			t.Errorf("%s is not in %s", part, b)
		}
	}
	if bytes.Contains(b, []byte("ann")) || bytes.Contains(b, []byte("finished_at")) {
		t.Errorf("%s says too much", b)
	}
}

// What a transaction reads does not change while it reads.
func TestReadsSeeOneState(t *testing.T) {
	d := open(t, newClock())
	read(t, d, func(tx *history.Tx) error {
		count := func() (n int) {
			if err := tx.QueryRow("SELECT COUNT(*) FROM runs").Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		before := count()
		write(t, d, func(tx *history.Tx) error { return tx.Insert(queued("ann", "a")) })
		if after := count(); before != 0 || after != 0 {
			t.Errorf("%d runs, then %d", before, after)
		}
		if _, err := tx.Exec("DELETE FROM runs"); err == nil {
			t.Error("a reader wrote")
		}
		return nil
	})
	var none sql.NullString
	read(t, d, func(tx *history.Tx) error { return tx.QueryRow("SELECT NULL").Scan(&none) })
}
