package server_test

import (
	"database/sql"
	"flag"
	"sync"
	"testing"

	"backtester/backtest/history/pgtest"
)

// onPostgres puts every world of every test into databases of a real PostgreSQL.
var onPostgres = flag.Bool("postgres", false, "run all tests on PostgreSQL, and fail where there is none")

// postgres is the server of the tests, from when the first one needs it.
var postgres struct {
	sync.Mutex
	server *pgtest.Server
	names  map[string]string // of databases, by the folder of their world
}

// databaseOf is the database of the world in dir: worlds that follow each other there find it again.
func databaseOf(t *testing.T, dir string) string {
	t.Helper()
	postgres.Lock()
	defer postgres.Unlock()
	if postgres.server == nil {
		s, err := pgtest.Start()
		if err != nil {
			t.Fatal(err)
		}
		postgres.server, postgres.names = s, map[string]string{}
	}
	if name := postgres.names[dir]; name != "" {
		return postgres.server.URL(name)
	}
	name := postgres.server.Fresh()
	admin, err := sql.Open("pgx", postgres.server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	postgres.names[dir] = name
	return postgres.server.URL(name)
}

// stopPostgres ends it after all tests.
func stopPostgres() error {
	if postgres.server == nil {
		return nil
	}
	return postgres.server.Stop()
}
