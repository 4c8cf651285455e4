// Package library keeps the strategies that people save: every version of each, by owner and name.
//
// In: the text of a strategy file and who owns it. Out: saved versions, the latest or an older one. A
// text that equals the latest version makes no new one. It refuses more than MostStrategies of one
// owner and more than MostVersions of one strategy, and shows nobody what is somebody else's: that is
// history.ErrNotFound. Whether a text is a valid strategy is the caller's to check.
package library

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"backtester/backtest/history"
)

// Limits of an owner.
const (
	MostStrategies = 1000
	MostVersions   = 1000
)

// ErrFull says that a limit is reached.
var ErrFull = errors.New("the limit of saved strategies is reached")

// Saved is one version of a strategy.
type Saved struct {
	ID      string
	Name    string
	Version int
	Latest  int
	Text    string
	SHA256  string
	Created time.Time // of this version
}

// Shelf is the strategies in a database. It is safe for concurrent use.
type Shelf struct{ DB *history.DB }

// Save keeps a text as the next version of owner's strategy of that name. ifLatest other than -1 must
// be the latest version, 0 for a name that is not taken; else it is history.ErrChanged.
func (s Shelf) Save(ctx context.Context, owner, name, text string, ifLatest int) (Saved, error) {
	sum := sha256.Sum256([]byte(text))
	v := Saved{Name: name, Text: text, SHA256: hex.EncodeToString(sum[:])}
	err := s.DB.Write(ctx, func(tx *history.Tx) error {
		now := tx.Now().UnixMilli()
		v.Created = time.UnixMilli(now).UTC()
		have, err := find(tx, owner, name, 0)
		isNew := errors.Is(err, history.ErrNotFound)
		switch {
		case err != nil && !isNew:
			return err
		case ifLatest >= 0 && ifLatest != have.Latest:
			return fmt.Errorf("save strategy %s: it %w (version %d, not %d)", name, history.ErrChanged, have.Latest, ifLatest)
		case !isNew && have.SHA256 == v.SHA256:
			v = have
			return nil
		case have.Latest >= MostVersions:
			return ErrFull
		case isNew:
			var n int
			if err := tx.QueryRow(`SELECT count(*) FROM strategies WHERE owner = ?`, owner).Scan(&n); err != nil {
				return err
			}
			if n >= MostStrategies {
				return ErrFull
			}
			have.ID = tx.NewID()
			if _, err := tx.Exec(`INSERT INTO strategies (id, owner, name, latest, created, changed) VALUES (?, ?, ?, 0, ?, ?)`, have.ID, owner, name, now, now); err != nil {
				return err
			}
		}
		v.ID, v.Version, v.Latest = have.ID, have.Latest+1, have.Latest+1
		if _, err := tx.Exec(`UPDATE strategies SET latest = ?, changed = ? WHERE id = ?`, v.Latest, now, v.ID); err != nil {
			return err
		}
		_, err = tx.Exec(`INSERT INTO strategy_versions (strategy, version, text, sha256, created) VALUES (?, ?, ?, ?, ?)`, v.ID, v.Version, text, v.SHA256, now)
		return err
	})
	if err != nil {
		return Saved{}, fmt.Errorf("save a strategy: %w", err)
	}
	return v, nil
}

// Get is one version of a strategy, 0 the latest.
func (s Shelf) Get(ctx context.Context, owner, name string, version int) (v Saved, err error) {
	err = s.DB.Read(ctx, func(tx *history.Tx) (err error) {
		v, err = find(tx, owner, name, version)
		return err
	})
	return v, err
}

func find(tx *history.Tx, owner, name string, version int) (Saved, error) {
	v := Saved{Name: name}
	var created int64
	err := tx.QueryRow(`SELECT s.id, s.latest, v.version, v.text, v.sha256, v.created FROM strategies s JOIN strategy_versions v ON v.strategy = s.id
		WHERE s.owner = ? AND s.name = ? AND v.version = CASE WHEN ? = 0 THEN s.latest ELSE ? END`, owner, name, version, version).
		Scan(&v.ID, &v.Latest, &v.Version, &v.Text, &v.SHA256, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return Saved{}, history.ErrNotFound
	}
	if err != nil {
		return Saved{}, fmt.Errorf("read strategy %s: %w", name, err)
	}
	v.Created = time.UnixMilli(created).UTC()
	return v, nil
}

// List is the latest version of each of owner's strategies by name, without texts.
func (s Shelf) List(ctx context.Context, owner string) ([]Saved, error) {
	return s.list(ctx, `SELECT s.id, s.name, s.latest, v.version, v.sha256, v.created FROM strategies s JOIN strategy_versions v
		ON v.strategy = s.id AND v.version = s.latest WHERE s.owner = ? ORDER BY s.name`, owner)
}

// Versions lists all versions of a strategy without texts, the latest first.
func (s Shelf) Versions(ctx context.Context, owner, name string) ([]Saved, error) {
	list, err := s.list(ctx, `SELECT s.id, s.name, s.latest, v.version, v.sha256, v.created FROM strategies s JOIN strategy_versions v
		ON v.strategy = s.id WHERE s.owner = ? AND s.name = ? ORDER BY v.version DESC`, owner, name)
	if err == nil && len(list) == 0 {
		err = history.ErrNotFound
	}
	return list, err
}

func (s Shelf) list(ctx context.Context, query string, args ...any) ([]Saved, error) {
	list := []Saved{}
	err := s.DB.Read(ctx, func(tx *history.Tx) error {
		return tx.Each(func(rows *sql.Rows) error {
			var v Saved
			var created int64
			err := rows.Scan(&v.ID, &v.Name, &v.Latest, &v.Version, &v.SHA256, &created)
			v.Created = time.UnixMilli(created).UTC()
			list = append(list, v)
			return err
		}, query, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("list strategies: %w", err)
	}
	return list, nil
}

// Delete removes a strategy with all versions.
func (s Shelf) Delete(ctx context.Context, owner, name string) error {
	err := s.DB.Write(ctx, func(tx *history.Tx) error {
		var id string
		err := tx.QueryRow(`SELECT id FROM strategies WHERE owner = ? AND name = ?`, owner, name).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return history.ErrNotFound
		}
		if err == nil {
			_, err = tx.Exec(`DELETE FROM strategy_versions WHERE strategy = ?`, id)
		}
		if err == nil {
			_, err = tx.Exec(`DELETE FROM strategies WHERE id = ?`, id)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete strategy %s: %w", name, err)
	}
	return nil
}
