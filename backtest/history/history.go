// Package history is the one database: every run and its state, the trials that searches made, keys of
// requests that must not be done twice, and what the server keeps about people.
//
//	db, err := history.Open(ctx, history.Options{Path: "results/db/history.db", Now: time.Now})
//
// In: a path (SQLite) or a URL (PostgreSQL), and runs. Out: runs, pages of runs, and how often data was
// searched. A write that returned is on the disk: SQLite runs with a write-ahead log and
// synchronous=FULL, and PostgreSQL must not be told otherwise. One text of SQL serves both databases; placeholders are
// written as ?.
//
// It refuses a database whose schema is newer than the program, unknown states and sort orders, and
// changes of runs that have ended. It never decides who somebody is: callers give the owner, and get
// ErrNotFound for what belongs to somebody else, unless they only read what is shared.
package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver pgx
	_ "modernc.org/sqlite"             // driver sqlite
)

// Options of a database.
type Options struct {
	// Path of the SQLite file, made with its folder when it is not there. Ignored where URL is given.
	Path string
	// URL of a PostgreSQL database, postgres://user:password@host/name.
	URL string
	// Now is the clock.
	Now func() time.Time
	// Entropy makes ids differ; nil is the system's.
	Entropy io.Reader
	// Readers is how many reads go on at once; 0 is 8.
	Readers int
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	now     func() time.Time
	dialect dialect
	read    *sql.DB
	write   *sql.DB
	path    string // of the SQLite file, "" for PostgreSQL
	recent  recent

	mu  sync.Mutex
	ids *idSource
}

// readerRest is how long a reader that nobody needs keeps its cache, about two megabytes.
const readerRest = 15 * time.Second

// Open opens the database, makes it where there is none, and brings its schema up to date.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.Now == nil {
		return nil, errors.New("open the history: it needs a clock")
	}
	if o.Readers == 0 {
		o.Readers = 8
	}
	d := &DB{now: o.Now, ids: newIDSource(o.Now, o.Entropy)}
	var err error
	switch {
	case o.URL != "":
		err = d.openPostgres(o)
	case o.Path != "":
		err = d.openSQLite(o)
	default:
		err = errors.New("neither a path nor a URL is given")
	}
	if err == nil {
		err = d.migrate(ctx)
	}
	if IsFull(err) {
		err = fmt.Errorf("no space left on its disk: %w", err)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the history %s: %w", o.place(), err), d.Close())
	}
	return d, nil
}

// place names the database in messages, without a password.
func (o Options) place() string {
	if o.URL == "" {
		return o.Path
	}
	u, err := url.Parse(o.URL)
	if err != nil {
		return "of the database URL"
	}
	return u.Redacted()
}

func (d *DB) openSQLite(o Options) (err error) {
	d.dialect, d.path = sqlite, o.Path
	if err := os.MkdirAll(filepath.Dir(o.Path), 0o750); err != nil {
		return err
	}
	// The writer takes the lock when a transaction begins, so that none fails half way because another
	// process wrote in between; readers never wait for it.
	if d.write, err = sql.Open("sqlite", dsn(o.Path, "_txlock=immediate", "_pragma=busy_timeout(15000)", "_pragma=journal_mode(WAL)",
		"_pragma=synchronous(FULL)", "_pragma=foreign_keys(1)")); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	if d.read, err = sql.Open("sqlite", dsn(o.Path, "_pragma=busy_timeout(15000)", "_pragma=query_only(1)")); err != nil {
		return err
	}
	d.read.SetMaxOpenConns(o.Readers)
	d.read.SetMaxIdleConns(o.Readers)
	d.read.SetConnMaxIdleTime(readerRest)
	return nil
}

// dsn is a file name as the driver wants it.
func dsn(path string, settings ...string) string {
	// What would end the name in a URI is escaped; the rest stays readable in messages.
	name := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(path))
	return "file:" + name + "?" + strings.Join(settings, "&")
}

func (d *DB) openPostgres(o Options) (err error) {
	d.dialect = postgres
	if !strings.HasPrefix(o.URL, "postgres://") && !strings.HasPrefix(o.URL, "postgresql://") {
		return errors.New("want a URL that begins with postgres://")
	}
	if d.write, err = sql.Open("pgx", o.URL); err != nil {
		return errors.New("the URL cannot be read") // the error may hold the password
	}
	d.write.SetMaxOpenConns(o.Readers)
	d.write.SetMaxIdleConns(o.Readers)
	d.read = d.write
	return nil
}

// Close closes the database. Writes that returned stay.
func (d *DB) Close() error {
	var errs []error
	if d.read != nil && d.read != d.write {
		errs = append(errs, d.read.Close())
	}
	if d.write != nil {
		errs = append(errs, d.write.Close())
	}
	return errors.Join(errs...)
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error {
	var one int
	return d.read.QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// Postgres reports whether several servers may share this database.
func (d *DB) Postgres() bool { return d.dialect == postgres }

// Path of the SQLite file; "" for PostgreSQL.
func (d *DB) Path() string { return d.path }

// Now is the database's clock.
func (d *DB) Now() time.Time { return d.now() }

// NewID is a new id: 26 characters of Crockford's base 32, later ids greater than earlier ones.
func (d *DB) NewID() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ids.next()
}
