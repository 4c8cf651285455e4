package history

import (
	"database/sql"
	"encoding/json"
	"fmt"
)

// Ranges are the rows of one sweep, the newest first: whole ones, shards, what an interruption left. The
// fingerprint of a sweep is the identity of its plan.
func (t *Tx) Ranges(owner, identity string) ([]*Run, error) {
	var ids []string
	err := t.Each(func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM runs WHERE owner = ? AND kind = 'sweep' AND fingerprint = ? ORDER BY id DESC`, owner, identity)
	if err != nil {
		return nil, fmt.Errorf("look for the parts of sweep %.12s: %w", identity, err)
	}
	var list []*Run
	for _, id := range ids {
		r, err := t.Run(owner, id)
		if err != nil {
			return nil, err
		}
		if r.Spec, err = t.Spec(id); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, nil
}

// Labelled reports whether somebody gave a run a name, a note, a tag or a star.
func (r *Run) Labelled() bool { return r.Starred || r.Name != "" || r.Notes != "" || len(r.Tags) > 0 }

// ReadSummary reads what a row has to say in one line.
func (r *Run) ReadSummary(to any) error {
	if err := json.Unmarshal(r.Summary, to); err != nil {
		return fmt.Errorf("read the summary of run %s: %w", r.ID, err)
	}
	return nil
}
