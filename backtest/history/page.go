package history

import (
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter says which runs a page shows. Zero values do not filter.
type Filter struct {
	Owner    string // "" shows everybody's
	Kinds    []Kind
	States   []State
	Symbol   string
	Strategy string
	Tag      string
	Query    string    // words in name, strategy, notes or tags, all of which must be there
	From, To time.Time // when it was asked for: From <= t < To
	Starred  bool
	Sort     string // see Sorts; "" is -created
	Limit    int    // 0 is 50, at most 500
	After    Cursor // the last row of the page before
}

// Cursor is a place in a sorted list.
type Cursor struct {
	Value string `json:"v,omitempty"` // of the column that sorts
	ID    string `json:"id,omitempty"`
}

// Page is a part of the list and where the next one begins; Next.ID is "" on the last one.
type Page struct {
	Runs []*Run
	Next Cursor
}

// Sorts lists the orders that a page can have; a leading - is descending. Undefined metrics come last
// in either direction.
func Sorts() []string {
	var list []string
	for _, k := range append([]string{"created"}, SummaryKeys()...) {
		list = append(list, k, "-"+k)
	}
	return list
}

// MostOfPage is the largest page.
const MostOfPage = 500

// Page lists runs.
func (t *Tx) Page(f Filter) (Page, error) {
	if f.Sort == "" {
		f.Sort = "-created"
	}
	if !slices.Contains(Sorts(), f.Sort) {
		return Page{}, fmt.Errorf("list runs: cannot sort by %q: want one of %s", f.Sort, strings.Join(Sorts(), ", "))
	}
	if f.Limit == 0 {
		f.Limit = 50
	}
	f.Limit = min(max(f.Limit, 1), MostOfPage)
	q, err := f.query()
	if err != nil {
		return Page{}, err
	}
	var p Page
	values := []string{}
	err = t.Each(func(rows *sql.Rows) error {
		var key sql.NullString
		r, err := scanRun(keyed{rows, &key})
		if err == nil {
			p.Runs, values = append(p.Runs, r), append(values, key.String)
		}
		return err
	}, q.text(f.Limit+1), q.args...)
	if err != nil {
		return Page{}, fmt.Errorf("list runs: %w", err)
	}
	if len(p.Runs) > f.Limit {
		p.Runs = p.Runs[:f.Limit]
		p.Next = Cursor{ID: p.Runs[f.Limit-1].ID}
		if q.metric {
			p.Next.Value = values[f.Limit-1]
		}
	}
	return p, t.complete(p.Runs)
}

// keyed scans the column that sorts beside a run.
type keyed struct {
	*sql.Rows
	key *sql.NullString
}

func (k keyed) Scan(to ...any) error { return k.Rows.Scan(append(to, k.key)...) }

// query is a SELECT in the making.
type query struct {
	from   string // table that gives the order, and its join
	id     string // column of the id in it
	where  []string
	args   []any
	metric bool   // the order is that of a metric
	key    string // expression that sorts
	desc   bool
}

func (q *query) and(condition string, args ...any) {
	q.where, q.args = append(q.where, condition), append(q.args, args...)
}

func (f *Filter) query() (*query, error) {
	q := &query{from: "runs r", id: "r.id", desc: strings.HasPrefix(f.Sort, "-")}
	column := strings.TrimPrefix(f.Sort, "-")
	q.metric = column != "created"
	// The rarest filter leads, in an index that has the order wanted; SQLite keeps the order of a CROSS JOIN.
	switch {
	case q.metric:
	case f.Tag != "":
		q.from, q.id = "run_tags l CROSS JOIN runs r", "l.run"
		q.and("r.id = l.run AND l.tag = ?", f.Tag)
	case f.Symbol != "":
		q.from, q.id = "run_symbols l CROSS JOIN runs r", "l.run"
		q.and("r.id = l.run AND l.symbol = ?", f.Symbol)
	}
	if f.Owner != "" {
		q.and("r.owner = ?", f.Owner)
	}
	if f.Tag != "" && q.metric {
		q.and("EXISTS (SELECT 1 FROM run_tags t WHERE t.tag = ? AND t.run = r.id)", f.Tag)
	}
	if f.Symbol != "" && (q.metric || f.Tag != "") {
		q.and("EXISTS (SELECT 1 FROM run_symbols s WHERE s.symbol = ? AND s.run = r.id)", f.Symbol)
	}
	if f.Strategy != "" {
		q.and("r.strategy = ?", f.Strategy)
	}
	oneOf(q, "r.kind", f.Kinds)
	oneOf(q, "r.state", f.States)
	if f.Starred {
		q.and("r.starred = 1")
	}
	for _, word := range strings.Fields(strings.ToLower(f.Query)) {
		q.and(`r.search LIKE ? ESCAPE '!'`, "%"+strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(word)+"%")
	}
	if !f.From.IsZero() {
		q.and("r.created_at >= ?", millis(f.From))
	}
	if !f.To.IsZero() {
		q.and("r.created_at < ?", millis(f.To))
	}
	return q, q.order(column, f.After)
}

func oneOf[T ~string](q *query, column string, values []T) {
	if len(values) == 0 {
		return
	}
	var args []any
	for _, v := range values {
		args = append(args, string(v))
	}
	q.and(column+" IN (?"+strings.Repeat(", ?", len(values)-1)+")", args...)
}

// order sets the key and begins after a cursor.
func (q *query) order(column string, after Cursor) error {
	compare, last := ">", "1e308"
	if q.desc {
		compare, last = "<", "-1e308"
	}
	q.key = "''"
	if q.metric {
		q.key = "COALESCE(r." + column + ", " + last + ")"
	}
	switch {
	case after.ID == "":
	case q.metric:
		v, err := strconv.ParseFloat(after.Value, 64)
		if err != nil {
			return fmt.Errorf("list runs: the cursor holds no number")
		}
		q.and("("+q.key+" "+compare+" ? OR ("+q.key+" = ? AND r.id "+compare+" ?))", v, v, after.ID)
	default:
		q.and(q.id+" "+compare+" ?", after.ID)
	}
	return nil
}

func (q *query) text(limit int) string {
	where := ""
	if len(q.where) > 0 {
		where = " WHERE " + strings.Join(q.where, " AND ")
	}
	direction := ""
	if q.desc {
		direction = " DESC"
	}
	order := q.id + direction
	if q.metric {
		order = q.key + direction + ", " + order
	}
	return "SELECT " + runColumns + ", " + q.key + " FROM " + q.from + where + " ORDER BY " + order + " LIMIT " + strconv.Itoa(limit)
}
