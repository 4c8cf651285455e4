package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	sqlitedriver "modernc.org/sqlite"
)

// dialect is what differs between the databases.
type dialect int

const (
	sqlite dialect = iota
	postgres
)

// rebind numbers placeholders where the database wants numbers. Question marks in quotes stay.
func (d dialect) rebind(query string) string {
	if d == sqlite || !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	quoted, n := false, 0
	for _, r := range query {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == '?' && !quoted:
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Tx is a transaction. Queries are written for both databases, with ? for arguments.
type Tx struct {
	ctx     context.Context
	tx      *sql.Tx
	dialect dialect
	db      *DB
}

// Read calls f in a transaction that sees one state of the database.
func (d *DB) Read(ctx context.Context, f func(*Tx) error) error {
	tx, err := d.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: d.dialect == postgres, Isolation: d.dialect.snapshot()})
	if err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	defer tx.Rollback() // nothing was written
	return f(&Tx{ctx, tx, d.dialect, d})
}

func (d dialect) snapshot() sql.IsolationLevel {
	if d == postgres {
		return sql.LevelRepeatableRead
	}
	return sql.LevelDefault
}

// Write calls f in a transaction that is on the disk when Write returns nil, and leaves nothing behind
// when f fails. On PostgreSQL transactions that touch the same rows at the same time are repeated: f may
// be called several times and must do nothing but what the transaction undoes.
func (d *DB) Write(ctx context.Context, f func(*Tx) error) error {
	defer d.recent.forget()
	for attempt := 0; ; attempt++ {
		err := d.writeOnce(ctx, f)
		if err == nil || attempt == mostConflicts || !conflicts(err) {
			return err
		}
		// Whoever tries again at once meets the same others again: the more often, the longer a pause, at random.
		t := time.NewTimer(time.Duration(rand.Int64N(int64(time.Millisecond) << min(attempt, 8))))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return err
		}
	}
}

// mostConflicts is how often a transaction is repeated, over some eight seconds.
const mostConflicts = 70

func (d *DB) writeOnce(ctx context.Context, f func(*Tx) error) error {
	level := sql.LevelDefault
	if d.dialect == postgres {
		level = sql.LevelSerializable
	}
	tx, err := d.write.BeginTx(ctx, &sql.TxOptions{Isolation: level})
	if err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	if err := f(&Tx{ctx, tx, d.dialect, d}); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write the history: %w", err)
	}
	return nil
}

// ignoreDone drops the error of a transaction that the end of its context has rolled back already.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// conflicts reports whether PostgreSQL gave up a transaction that would work when it is repeated.
func conflicts(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// IsFull reports whether err means that there is no room left for the database.
func IsFull(err error) bool {
	if e, ok := errors.AsType[*sqlitedriver.Error](err); ok {
		return e.Code()&0xff == 13 || e.Code() == 4874 // SQLITE_FULL, and SQLITE_IOERR_SHMSIZE: the index of the log cannot grow
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "53100" // disk_full
}

// IsFailing reports whether err means that the database's disk takes nothing more: it has turned read-only or fails.
func IsFailing(err error) bool {
	if e, ok := errors.AsType[*sqlitedriver.Error](err); ok {
		primary := e.Code() & 0xff
		return primary == 8 || primary == 10 && !IsFull(err) // SQLITE_READONLY, SQLITE_IOERR
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "58030" || e.Code == "25006") // io_error, read_only_sql_transaction
}

// IsTaken reports whether err means that a row with the same key is there already.
func IsTaken(err error) bool {
	if e, ok := errors.AsType[*sqlitedriver.Error](err); ok {
		return e.Code() == 1555 || e.Code() == 2067 // SQLITE_CONSTRAINT_PRIMARYKEY, _UNIQUE
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23505" // unique_violation
}

// Context of the transaction.
func (t *Tx) Context() context.Context { return t.ctx }

// Now is the database's clock.
func (t *Tx) Now() time.Time { return t.db.now() }

// NewID is DB.NewID.
func (t *Tx) NewID() string { return t.db.NewID() }

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(query string, args ...any) (changed int64, err error) {
	r, err := t.tx.ExecContext(t.ctx, t.dialect.rebind(query), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// Query runs a query; the caller closes the rows.
func (t *Tx) Query(query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(t.ctx, t.dialect.rebind(query), args...)
}

// QueryRow runs a query for one row; its Scan returns sql.ErrNoRows where there is none.
func (t *Tx) QueryRow(query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(t.ctx, t.dialect.rebind(query), args...)
}

// Each scans every row of a query. scan reads the row it is given.
func (t *Tx) Each(scan func(*sql.Rows) error, query string, args ...any) (err error) {
	rows, err := t.Query(query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// millis is a moment as it is stored; 0 for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment is the reverse of millis.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
