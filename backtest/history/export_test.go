package history

import (
	"context"
	"io/fs"
	"path"
	"testing/fstest"
)

// OpenAt opens a database as the program did that knew the first n migrations, but for those that skip
// names.
func OpenAt(ctx context.Context, o Options, n int, skip string) (*DB, int, error) {
	files, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, 0, err
	}
	old := fstest.MapFS{}
	for _, name := range files[:min(n, len(files))] {
		if path.Base(name) == skip {
			continue
		}
		b, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, 0, err
		}
		old[path.Base(name)] = &fstest.MapFile{Data: b}
	}
	d := &DB{now: o.Now, ids: newIDSource(o.Now, o.Entropy)}
	open := d.openSQLite
	if o.URL != "" {
		open = d.openPostgres
	}
	if err := open(o); err != nil {
		return nil, 0, err
	}
	return d, len(files), d.migrateTo(ctx, old)
}

// Limit is how many rows a follower holds.
func (f *Follower) Limit(n int) { f.most = n }
