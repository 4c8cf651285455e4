package history

import (
	"database/sql"
	"fmt"
)

// Chunk is combinations [First, Last) of a sweep, played.
type Chunk struct {
	First, Last int
	Content     []byte
}

// AddChunk keeps a part of a sweep; one that is there already stays, whoever played it again.
func (t *Tx) AddChunk(sweep string, c Chunk) error {
	_, err := t.Exec(`INSERT INTO sweep_chunks (sweep, first_index, last_index, content, created_at) VALUES (?, ?, ?, ?, ?)
 ON CONFLICT (sweep, first_index) DO NOTHING`, sweep, c.First, c.Last, c.Content, millis(t.Now()))
	if err != nil {
		return fmt.Errorf("keep a part of sweep %.12s: %w", sweep, err)
	}
	return nil
}

// Chunks are the first combinations of the parts of a sweep that are there, in order.
func (t *Tx) Chunks(sweep string) (list []int, err error) {
	err = t.Each(func(r *sql.Rows) error {
		list = append(list, 0)
		return r.Scan(&list[len(list)-1])
	}, `SELECT first_index FROM sweep_chunks WHERE sweep = ? ORDER BY first_index`, sweep)
	if err != nil {
		return nil, fmt.Errorf("list the parts of sweep %.12s: %w", sweep, err)
	}
	return list, nil
}

// Chunk is the part of a sweep that begins at combination first.
func (t *Tx) Chunk(sweep string, first int) (Chunk, error) {
	c := Chunk{First: first}
	if err := t.QueryRow(`SELECT last_index, content FROM sweep_chunks WHERE sweep = ? AND first_index = ?`, sweep, first).Scan(&c.Last, &c.Content); err != nil {
		return c, fmt.Errorf("read the part of sweep %.12s from combination %d on: %w", sweep, first, err)
	}
	return c, nil
}

// DropChunks forgets the parts of a sweep that is whole.
func (t *Tx) DropChunks(sweep string) error {
	if _, err := t.Exec(`DELETE FROM sweep_chunks WHERE sweep = ?`, sweep); err != nil {
		return fmt.Errorf("drop the parts of sweep %.12s: %w", sweep, err)
	}
	return nil
}
