package store

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// Batch is one session's bars of many symbols, as one vendor file holds them: columns of equal length,
// sorted by symbol (byte order) and time, with Start[k] the first row of Symbols[k] and
// Start[len(Symbols)] the number of rows. Prices are USD as traded.
type Batch struct {
	Session                        instrument.Date
	Symbols                        []string
	Start                          []int32
	Time                           []int64 // bar start, ns UTC; for daily bars midnight UTC of Session
	Open, High, Low, Close, Volume []float64
	Transactions                   []int64 // -1 where the vendor says nothing
	NoVolume                       bool    // there is no volume, as for an index: Volume is NaN throughout
}

// ErrLocked is matched by the error of Create while another process writes.
var ErrLocked = errors.New("another process is writing")

// Options of a new store.
type Options struct {
	// Synthetic marks invented prices. It belongs to the store and cannot change.
	Synthetic bool
	// Calendar of the market: "XNYS" for that of the US exchanges, "always" for one that never closes and
	// dates its sessions in UTC, "" for what the store has, XNYS when it is new. It belongs to the store
	// and cannot change.
	Calendar string
	// Buffer is how many bytes of bars are kept in memory before they spill to a temporary file;
	// 0 means 256 MiB.
	Buffer int64
}

// Writer puts sessions into a store. Nothing of it is seen by readers before Commit. It is not safe
// for concurrent use.
type Writer struct {
	dir      string
	lock     *os.File
	man      *manifest
	cal      *bar.Calendar
	limit    int64
	pending  []pending // in the order of Put; later ones replace earlier ones
	buffered int64
	patches  map[patchKey]int // where in pending the newest patch of a period is
	serial   int              // of temporary files
	ref      *Reference
}

// pending is bars that are not committed: in memory, or spilled into a segment that no manifest names.
type pending struct {
	dataset  byte
	sessions []instrument.Date
	src      source
	spilled  *segment
	patch    bool // of symbols, not of whole sessions
}

// Create opens dir for writing, making it if needed, and takes the writer's lock, which the system
// releases when the process ends in whatever way. It removes what a writer that was killed left
// behind. A store written by another format version, or one made for the other kind of prices, is
// refused; so is a second writer, with an error matching ErrLocked.
func Create(dir string, o Options) (w *Writer, err error) {
	if !littleEndian() {
		return nil, fmt.Errorf("create store %s: big-endian machines are not supported", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create store: %w", err)
	}
	lock, err := takeLock(dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			lock.Close()
			w = nil
		}
	}()
	m, err := readManifest(dir)
	switch {
	case errors.Is(err, bar.ErrNoData):
		m = &manifest{Synthetic: o.Synthetic, Calendar: strings.TrimPrefix(o.Calendar, bar.NYSE().Name())}
	case err != nil:
		return nil, err
	case m.Synthetic != o.Synthetic:
		return nil, fmt.Errorf("write store %s: it holds %s prices; use another directory for %s ones",
			dir, priceKind(m.Synthetic), priceKind(o.Synthetic))
	}
	cal, err := calendarOf(m.Calendar)
	if err == nil && o.Calendar != "" && o.Calendar != cal.Name() {
		err = fmt.Errorf("its market has the calendar %s, not %s; use another directory", cal.Name(), o.Calendar)
	}
	if err != nil {
		return nil, fmt.Errorf("write store %s: %w", dir, err)
	}
	if o.Buffer <= 0 {
		o.Buffer = 256 << 20
	}
	w = &Writer{dir: dir, lock: lock, man: m, cal: cal, limit: o.Buffer}
	return w, w.sweep()
}

// calendarOf the name in a manifest.
func calendarOf(name string) (*bar.Calendar, error) {
	return bar.CalendarNamed(cmp.Or(name, bar.NYSE().Name()))
}

func priceKind(synthetic bool) string {
	if synthetic {
		return "synthetic"
	}
	return "real"
}

// takeLock opens the lock file, locks it and writes the pid into it, for people.
func takeLock(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock store: %w", err)
	}
	if err := lockFile(f); err != nil {
		pid, _ := io.ReadAll(io.LimitReader(f, 32))
		f.Close()
		return nil, fmt.Errorf("write store %s: %w (process %s): wait for it or stop it", dir, ErrLocked, strings.TrimSpace(string(pid)))
	}
	f.Truncate(0)
	if _, err := f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock store: %w", err)
	}
	return f, nil
}

// sweep removes files of the store's kinds that the manifest does not name.
func (w *Writer) sweep() error {
	names := w.man.files()
	list, err := os.ReadDir(w.dir)
	if err != nil {
		return fmt.Errorf("clean store: %w", err)
	}
	for _, e := range list {
		n := e.Name()
		ours := strings.HasSuffix(n, tempSuffix) || strings.HasSuffix(n, ".seg") || strings.HasPrefix(n, "reference-")
		if !ours || names[n] || !e.Type().IsRegular() {
			continue
		}
		if err := os.Remove(filepath.Join(w.dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("clean store: %w", err)
		}
	}
	return nil
}

// Sessions of a stored frame that are in the store or put into this writer, oldest first.
func (w *Writer) Sessions(f bar.Frame) []instrument.Date {
	ds := w.man.sessions(datasetOf(f))
	for _, p := range w.pending {
		if p.dataset == datasetOf(f) {
			ds = append(ds, p.sessions...)
		}
	}
	slices.Sort(ds)
	return slices.Compact(ds)
}

// Put takes one session's bars of a stored frame, bar.Daily or bar.Minutely, replacing what the store
// has of that session, also by nothing. The batch is the caller's again afterwards. It is refused as a whole, with symbol and
// row, when its rows are not sorted and unique, when a bar cannot be (prices not finite or not
// positive, low above or high below open or close, volume negative or not finite), or when a time is
// not of its session. Cost: one copy; past Options.Buffer also writing the buffer to the disk.
func (w *Writer) Put(f bar.Frame, b Batch) error {
	if f != bar.Daily && f != bar.Minutely {
		return fmt.Errorf("store bars of %s: only 1d and 1m are stored; longer bars are made when read", f)
	}
	if err := b.check(datasetOf(f), w.cal); err != nil {
		return fmt.Errorf("store %s bars of %s: %w", f, b.Session, err)
	}
	if err := w.only(false); err != nil {
		return fmt.Errorf("store %s bars of %s: %w", f, b.Session, err)
	}
	view := viewBatch(b)
	if !w.full(len(b.Time)) { // else it is written at once and need not be kept
		view = view.clone()
	}
	w.pending = append(w.pending, pending{dataset: datasetOf(f), sessions: []instrument.Date{b.Session}, src: view})
	return w.buffer(len(b.Time))
}

// bytesPerRow of bars that are kept in memory.
const bytesPerRow = 52

// full reports whether rows more are too many to be kept in memory.
func (w *Writer) full(rows int) bool { return w.buffered+int64(rows)*bytesPerRow > w.limit }

// buffer counts rows that were put, and spills when they are many.
func (w *Writer) buffer(rows int) error {
	full := w.full(rows)
	w.buffered += int64(rows) * bytesPerRow
	if !full {
		return nil
	}
	return w.spill()
}

// only refuses to mix bars put by session with bars put by symbol: which of them replaces the other
// would depend on what has spilled.
func (w *Writer) only(patch bool) error {
	if len(w.pending) > 0 && w.pending[0].patch != patch {
		return errors.New("sessions and series cannot be put in one commit: commit between them")
	}
	return nil
}

// spill writes what is buffered into temporary segments, one a period.
func (w *Writer) spill() error {
	var kept, mem []pending
	for _, p := range w.pending {
		if p.spilled != nil {
			kept = append(kept, p)
		} else {
			mem = append(mem, p)
		}
	}
	w.patches = nil
	for _, g := range groups(mem, period) {
		w.serial++
		m := merger{dir: w.dir, name: fmt.Sprintf("spill-%d.seg%s", w.serial, tempSuffix), dataset: g.dataset, cal: w.cal, temporary: true}
		m.addPending(g.items)
		ref, err := m.write()
		if err != nil {
			return fmt.Errorf("spill to %s: %w", w.dir, err)
		}
		data, unmap, err := mapFile(filepath.Join(w.dir, ref.File))
		if err != nil {
			return fmt.Errorf("spill to %s: %w", w.dir, err)
		}
		seg := newSegment(ref, data)
		seg.unmap = unmap
		if seg.broken != nil {
			return seg.broken
		}
		kept = append(kept, pending{g.dataset, m.sessions(), seg, seg, g.items[0].patch})
	}
	w.pending, w.buffered = kept, 0
	return nil
}

// PutReference replaces all reference data at the next Commit. Actions are cleaned (instrument.Clean).
// It refuses instruments that are not valid, ids given twice, actions without an instrument, and two
// instruments that use one ticker at the same time.
func (w *Writer) PutReference(r Reference) error {
	if _, _, err := r.encode(); err != nil {
		return err
	}
	w.ref = &r
	return nil
}

// Quarantine sets a damaged segment aside: its file gets the ending .damaged and is not looked at any
// more, and its sessions, which are returned, count as missing until they are put again. It takes
// effect at once.
func (w *Writer) Quarantine(file string) ([]instrument.Date, error) {
	i := slices.IndexFunc(w.man.Segments, func(r segmentRef) bool { return r.File == file })
	if i < 0 {
		return nil, fmt.Errorf("set %s aside: %s has no segment of that name", file, w.dir)
	}
	var lost []instrument.Date
	for _, d := range w.man.Segments[i].Sessions {
		lost = append(lost, instrument.Date(d))
	}
	next := *w.man
	next.Generation++
	next.Segments = slices.Delete(slices.Clone(w.man.Segments), i, i+1)
	if err := next.write(w.dir); err != nil {
		return nil, fmt.Errorf("set %s aside: %w", file, err)
	}
	w.man = &next
	path := filepath.Join(w.dir, file)
	if err := os.Rename(path, path+damagedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return lost, fmt.Errorf("set %s aside: %w", file, err)
	}
	return lost, nil
}

// Commit makes everything that was put visible to readers that open from now on, all or nothing. It
// returns when the data is on the disk. The writer can go on. After an error nothing has changed for
// readers, and the writer should be closed.
func (w *Writer) Commit() error { return w.commit(false) }

// Compact is Commit, and brings the years of days that are over into one segment, each month of
// minutes too, so that loading a symbol's past copies nothing. Cost: what is not in one piece yet is
// read and written once, 2.4 GB for twenty years of the whole market; as much free space is needed
// meanwhile. Readers are not disturbed.
func (w *Writer) Compact() error { return w.commit(true) }

// Scattered is how many rows Compact would write: those of what is over and lies in several segments.
// What is pending counts as far as it is written with them.
func (w *Writer) Scattered() int64 {
	rows := int64(0)
	for _, g := range w.plan(true) {
		if len(g.old) > 1 {
			for _, r := range g.old {
				rows += r.Rows
			}
		}
	}
	return rows
}

func (w *Writer) commit(compact bool) error {
	next := *w.man
	next.Generation++
	segments, err := w.merge(next.Generation, compact)
	if err != nil {
		return fmt.Errorf("commit to store %s: %w", w.dir, err)
	}
	next.Segments = segments
	if w.ref != nil {
		if err := w.writeReference(&next); err != nil {
			return fmt.Errorf("commit to store %s: %w", w.dir, err)
		}
	}
	if err := syncDir(w.dir); err != nil {
		return fmt.Errorf("commit to store %s: %w", w.dir, err)
	}
	if err := next.write(w.dir); err != nil {
		return fmt.Errorf("commit to store %s: %w", w.dir, err)
	}
	w.man, w.ref = &next, nil
	w.drop()
	return w.sweep()
}

func (w *Writer) writeReference(next *manifest) error {
	lines, index, err := w.ref.encode()
	if err != nil {
		return err
	}
	put := func(name string, b []byte) (*fileRef, error) {
		name = fmt.Sprintf(name, next.Generation)
		return &fileRef{name, int64(len(b)), crc32.Checksum(b, castagnoli)}, writeFile(filepath.Join(w.dir, name), b)
	}
	if next.Reference, err = put("reference-%d.jsonl", lines); err != nil {
		return err
	}
	next.RefIndex, err = put("reference-%d.index", index)
	return err
}

// drop forgets what is pending and unmaps spilled files.
func (w *Writer) drop() {
	for _, p := range w.pending {
		if p.spilled != nil {
			p.spilled.unmap()
		}
	}
	w.pending, w.buffered, w.patches = nil, 0, nil
}

// Close gives the lock back. What was put and not committed is discarded. Closing twice is harmless.
func (w *Writer) Close() error {
	if w.lock == nil {
		return nil
	}
	w.drop()
	err := w.sweep()
	if e := w.lock.Close(); err == nil {
		err = e
	}
	w.lock = nil
	return err
}
