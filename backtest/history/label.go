package history

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Label is what people write on a run, and whether others may read it. Nil fields stay as they are.
type Label struct {
	Name    *string   `json:"name,omitempty"`
	Notes   *string   `json:"notes,omitempty"`
	Tags    *[]string `json:"tags,omitempty"`
	Starred *bool     `json:"starred,omitempty"`
	Shared  *bool     `json:"shared,omitempty"`
}

// Limits of labels.
const (
	MostName  = 120    // characters
	MostNotes = 20_000 // characters
	MostTags  = 32
	MostTag   = 40 // characters
)

// Check refuses labels that are too long or hold what no screen should get.
func (l Label) Check() error {
	text := func(what, s string, most int) error {
		if n := utf8.RuneCountInString(s); n > most {
			return fmt.Errorf("%s has %d characters, at most %d", what, n, most)
		}
		for _, r := range s {
			if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == utf8.RuneError {
				return fmt.Errorf("%s holds the control character %U", what, r)
			}
		}
		return nil
	}
	var errs []error
	if l.Name != nil {
		errs = append(errs, text("name", *l.Name, MostName))
	}
	if l.Notes != nil {
		errs = append(errs, text("notes", *l.Notes, MostNotes))
	}
	if l.Tags != nil {
		if n := len(*l.Tags); n > MostTags {
			errs = append(errs, fmt.Errorf("%d tags, at most %d", n, MostTags))
		}
		for _, tag := range *l.Tags {
			errs = append(errs, text("a tag", tag, MostTag))
			if tag == "" || strings.ContainsAny(tag, ",\n\t") || strings.TrimSpace(tag) != tag {
				errs = append(errs, fmt.Errorf("the tag %q is empty or holds commas or blanks at its ends", tag))
			}
		}
	}
	return errors.Join(errs...)
}

// SetLabel changes what people wrote on a run. A revision other than 0 must be that of the run, else it
// is ErrChanged.
func (t *Tx) SetLabel(owner, id string, revision int, l Label) (*Run, error) {
	if err := l.Check(); err != nil {
		return nil, fmt.Errorf("label run %s: %w", id, err)
	}
	r, err := t.Run(owner, id)
	if err != nil {
		return nil, err
	}
	if revision != 0 && revision != r.Revision {
		return nil, fmt.Errorf("label run %s: it %w (revision %d, not %d)", id, ErrChanged, r.Revision, revision)
	}
	if l.Name != nil {
		r.Name = *l.Name
	}
	if l.Notes != nil {
		r.Notes = *l.Notes
	}
	if l.Starred != nil {
		r.Starred = *l.Starred
	}
	if l.Shared != nil {
		r.Shared = *l.Shared
	}
	if l.Tags != nil {
		r.Tags = slices.Compact(slices.Sorted(slices.Values(*l.Tags)))
		if err := t.setTags(id, r.Tags); err != nil {
			return nil, fmt.Errorf("label run %s: %w", id, err)
		}
	}
	r.Revision++
	if _, err := t.Exec(`UPDATE runs SET name = ?, notes = ?, starred = ?, shared = ?, revision = ?, search = ? WHERE id = ?`,
		r.Name, r.Notes, flag(r.Starred), flag(r.Shared), r.Revision, r.searchText(), id); err != nil {
		return nil, fmt.Errorf("label run %s: %w", id, err)
	}
	return r, nil
}

// Remove deletes a run that has ended. Its trials stay counted: data that was searched stays searched.
// The artifacts are the caller's to delete, after the transaction.
func (t *Tx) Remove(owner, id string) (*Run, error) {
	r, err := t.Run(owner, id)
	if err != nil {
		return nil, err
	}
	if !r.State.Ended() {
		return nil, fmt.Errorf("remove run %s: it is %s: cancel it first", id, r.State)
	}
	if _, err := t.Exec(`DELETE FROM runs WHERE id = ?`, id); err != nil {
		return nil, fmt.Errorf("remove run %s: %w", id, err)
	}
	return r, nil
}
