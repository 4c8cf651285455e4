package history

import (
	"database/sql"
	"fmt"
	"time"
)

// Retention says which runs may go. Runs that have not ended, that are starred or that carry a tag stay.
type Retention struct {
	Owner  string    // "" is everybody
	Before time.Time // runs that were asked for before this; zero: all
	Keep   int       // the newest so many of each owner stay
}

// Prune removes runs and returns them; their files are the caller's to delete, after the transaction.
// Trials stay counted.
func (t *Tx) Prune(k Retention) ([]*Run, error) {
	var ids []string
	kept := map[string]int{}
	err := t.Each(func(r *sql.Rows) error {
		var id, owner string
		var free int64
		if err := r.Scan(&id, &owner, &free); err != nil {
			return err
		}
		kept[owner]++
		if free != 0 && kept[owner] > k.Keep {
			ids = append(ids, id)
		}
		return nil
	}, `SELECT r.id, r.owner, CASE WHEN r.starred = 0 AND r.state IN ('succeeded', 'failed', 'cancelled') AND (? = 0 OR r.created_at < ?)
 AND NOT EXISTS (SELECT 1 FROM run_tags t WHERE t.run = r.id) THEN 1 ELSE 0 END
 FROM runs r WHERE ? = '' OR r.owner = ? ORDER BY r.id DESC`, millis(k.Before), millis(k.Before), k.Owner, k.Owner)
	if err != nil {
		return nil, fmt.Errorf("look for old runs: %w", err)
	}
	var gone []*Run
	for _, id := range ids {
		r, err := t.Remove(k.Owner, id)
		if err != nil {
			return nil, err
		}
		gone = append(gone, r)
	}
	return gone, nil
}
