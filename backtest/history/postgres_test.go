package history_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"

	"backtester/backtest/history"
	"backtester/backtest/history/pgtest"
)

// needPostgres makes a missing PostgreSQL a failure: what runs on every change must not skip in silence.
var needPostgres = flag.Bool("postgres", false, "fail where PostgreSQL is missing instead of skipping")

// server is where open makes its databases; nil for SQLite.
var server *pgtest.Server

func TestMain(m *testing.M) {
	flag.Parse()
	code := m.Run()
	if server != nil {
		code = max(code, map[bool]int{true: 1}[server.Stop() != nil])
	}
	os.Exit(code)
}

// placeOnPostgres is a new database of the server.
func placeOnPostgres(t *testing.T, c *clock) history.Options {
	t.Helper()
	name := server.Fresh()
	admin, err := sql.Open("pgx", server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return history.Options{URL: server.URL(name), Now: c.now}
}

// Everything that holds on SQLite holds on PostgreSQL.
func TestPostgres(t *testing.T) {
	s, err := pgtest.Start()
	if errors.Is(err, pgtest.ErrNone) && !*needPostgres {
		t.Skip("LEFT OUT: PostgreSQL is not installed; -postgres makes this a failure")
	}
	if err != nil {
		t.Fatal(err)
	}
	server = s
	defer func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
		server = nil
	}()
	for name, test := range map[string]func(*testing.T){
		"states": TestRunsGoThroughTheirStates, "rescue": TestRescueOfRunsWithoutAWorker, "failed writes": TestWritesThatFailLeaveNothing,
		"keys": TestKeysAndEqualWork, "pages": TestPagesAreWholeAndSorted, "labels": TestLabels, "find": TestFindByTheFirstCharacters,
		"remove": TestRemove, "json": TestRowsAreJSON, "one state": TestReadsSeeOneState, "trials": TestTrialsAreCountedOnceUnderAnyName,
		"formula": TestSelectionIsTheFormula, "sweep": TestASweepCountsWhatItsRunsWouldCount, "kept": TestRemovedRunsStayCounted, "schemas": TestEverySchemaOpens,
		"migrate": testMigrateAtOnce, "contention": testContention,
	} {
		t.Run(name, test)
	}
}

// Several servers that start at once migrate once.
func testMigrateAtOnce(t *testing.T) {
	d := open(t, newClock())
	if !d.Postgres() || d.Path() != "" {
		t.Error("this is no PostgreSQL")
	}
	name := server.Fresh()
	write(t, d, func(tx *history.Tx) error { return nil })
	admin, err := sql.Open("pgx", server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			d, err := history.Open(t.Context(), history.Options{URL: server.URL(name), Now: newClock().now})
			if err != nil {
				t.Error(err)
				return
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Of many that want the same run one gets it, whatever the others do meanwhile.
func testContention(t *testing.T) {
	c := newClock()
	d := open(t, c)
	var ids []string
	write(t, d, func(tx *history.Tx) error {
		ids = nil
		for range 10 {
			r := queued("ann", "x")
			if err := tx.Insert(r); err != nil {
				return err
			}
			ids = append(ids, r.ID)
		}
		return nil
	})
	var mu sync.Mutex
	winners := map[string]int{}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for _, id := range ids {
				err := d.Write(context.Background(), func(tx *history.Tx) error {
					_, err := tx.Start(id, fmt.Sprint("w", w), c.at)
					return err
				})
				switch {
				case err == nil:
					mu.Lock()
					winners[id]++
					mu.Unlock()
				case !errors.Is(err, history.ErrLost):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if winners[id] != 1 {
			t.Errorf("run %s was started %d times", id, winners[id])
		}
	}
}
