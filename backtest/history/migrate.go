package history

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrationFiles are the steps of the schema, forward only. Those of runs and trials are numbered from
// 1 on, those of people from 101 on; either may grow without waiting for the other.
//
//go:embed migrations/*.sql
var migrationFiles embed.FS

// NewerError says that a later program has written the database.
type NewerError struct{ Have, Known int64 }

func (e *NewerError) Error() string {
	return fmt.Sprintf("a newer backtester has written it (step %d of the schema, which this program does not know; its last is %d): use the newer program; nothing was changed",
		e.Have, e.Known)
}

// migrate brings the schema up to date. Of several processes one does it while the others wait.
func (d *DB) migrate(ctx context.Context) error {
	steps, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	return d.migrateTo(ctx, steps)
}

func (d *DB) migrateTo(ctx context.Context, steps fs.FS) error {
	kind := goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithAllowOutofOrder(true), goose.WithDisableGlobalRegistry(true)}
	if d.dialect == postgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		kind, options = goose.DialectPostgres, append(options, goose.WithSessionLocker(locker))
	} else {
		unlock, err := lockSchema(ctx, d.path+".lock")
		if err != nil {
			return err
		}
		defer unlock()
	}
	p, err := goose.NewProvider(kind, d.write, steps, options...)
	if err != nil {
		return err
	}
	have, known, err := p.GetVersions(ctx)
	if err == nil && have > 0 {
		err = d.refuseNewer(ctx, p.ListSources(), known)
	}
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// refuseNewer looks for steps that this program does not know. Numbers have gaps, so that the highest one
// says nothing.
func (d *DB) refuseNewer(ctx context.Context, sources []*goose.Source, most int64) error {
	known := map[int64]bool{0: true}
	for _, s := range sources {
		known[s.Version] = true
	}
	rows, err := d.write.QueryContext(ctx, "SELECT version_id FROM goose_db_version ORDER BY version_id")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var v int64
		if err := rows.Scan(&v); err != nil {
			return err
		}
		if !known[v] {
			return &NewerError{v, most}
		}
	}
	return rows.Err()
}
