package flatfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/inflate"
)

// Decoder reads flat files one after the other and reuses its memory: one 2M-row minute file needs
// about 170 MB, 30 of them for the compressed file. It is not safe for concurrent use; use one a goroutine. The zero value does not work:
// use NewDecoder.
type Decoder struct {
	zip   inflate.Reader
	in    *bufio.Reader
	bufs  buffers
	ten   powers
	ids   map[string]int32 // every ticker seen by this decoder
	names []string         // by id
	rows  table
	spare table // the other half when rows must be sorted
}

// NewDecoder gives a decoder.
func NewDecoder() *Decoder {
	return &Decoder{in: bufio.NewReaderSize(nil, 256<<10), ten: newPowers(), ids: map[string]int32{}}
}

// Source is one file to decode.
type Source struct {
	Dataset Dataset
	Session instrument.Date // from the file's name
	Until   instrument.Date // last session of a file of minutes that holds several; zero for one of the vendor's
	Reader  io.Reader       // the gzipped bytes
	Size    int64           // their number if known, else 0: sizes memory beforehand
}

// Decode reads one file to its end. The batch is sorted by ticker and time, without repetitions, with
// every low > 0, low <= open, close <= high, volume > 0; its columns belong to the decoder and are
// valid until the next Decode. Indices have no volume: theirs is NaN. Notes say what was left out or changed. An error is a *FileError and
// comes with no batch.
//
// Cost: see the package's benchmark; the text is inflated in a goroutine of its own.
func (d *Decoder) Decode(s Source) (store.Batch, Notes, error) {
	from, to := s.Dataset.window(s.Session)
	if s.Until > s.Session {
		_, to = s.Dataset.window(s.Until)
	}
	d.in.Reset(s.Reader)
	if err := sniff(d.in); err != nil {
		return store.Batch{}, nil, &FileError{Session: s.Session, Dataset: s.Dataset, Line: 1, Err: err}
	}
	if err := d.zip.Load(d.in, s.Size); err != nil {
		return store.Batch{}, nil, &FileError{Session: s.Session, Dataset: s.Dataset, Line: 1, Err: fmt.Errorf("read the file: %w", err)}
	}
	zip := unzip(&d.zip, &d.bufs)
	defer zip.close()
	p := parser{Decoder: d, Source: s, text: text{zip: zip}, from: from, to: to, last: -1}
	p.daily, p.stocks, p.index = s.Dataset.Unit() == Day, s.Dataset.Asset() == Stocks, s.Dataset.Asset() == Indices
	p.row.transactions = -1        // where there is no such column
	d.rows.reset(int(s.Size / 14)) // a row is seldom less than 14 bytes compressed
	if err := p.run(); err != nil {
		if bad := p.text.verify(); bad != nil && !errors.Is(err, ErrDamaged) {
			err = fmt.Errorf("%w; the first sign of it: %w", bad, err)
		}
		return store.Batch{}, p.notes, &FileError{Session: s.Session, Dataset: s.Dataset, Line: p.line, Byte: p.at, Err: err}
	}
	return p.batch(), p.notes, nil
}

// sniff refuses what is not gzip and shows how it begins: a log-in page is recognised at once.
func sniff(in *bufio.Reader) error {
	head, err := in.Peek(2)
	if len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the file: %w", err)
	}
	if len(head) == 0 {
		return fmt.Errorf("%w: it is empty; fetch it again", ErrDamaged)
	}
	head, _ = in.Peek(40)
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("<")) {
		return fmt.Errorf("%w: it begins with %q: a web page, perhaps of a log-in or a proxy, and no flat file; check the endpoint and fetch it again", ErrDamaged, head)
	}
	return fmt.Errorf("%w: it begins with %q and not as gzip does; fetch it again", ErrDamaged, head)
}

// parser is the state of one Decode.
type parser struct {
	*Decoder
	Source
	text
	from, to int64 // the New York day, ns UTC
	daily    bool  // days, not minutes
	stocks   bool
	index    bool
	notes    Notes
	row      row
	total    int             // rows of the file, left out or not
	timed    int             // those whose stamp was looked at
	astray   int             // those of them that are stamped with another session, the same for all
	session  instrument.Date // that one

	last      int32 // id of the ticker of the row before, left out or not; -1 at the beginning
	leave     Code  // why rows of the ticker at hand are left out, or ""
	lastTime  int64
	unordered bool
	repeated  bool
}

// run parses all lines into d.rows and brings them into order.
func (p *parser) run() error {
	line, err := p.read()
	if err == io.EOF {
		return errors.New("no header: the file is empty")
	}
	if err != nil {
		return err
	}
	l, err := parseHeader(line, p.Dataset)
	if err != nil {
		return err
	}
	for {
		line, err := p.read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if len(line) == 0 {
			p.rows.gap()
			continue
		}
		if err := p.row.parse(line, l, &p.ten); err != nil {
			return err
		}
		if p.total++; p.next > maxText {
			return fmt.Errorf("more than %d bytes of text: this is no flat file of one session", int64(maxText))
		}
		p.take()
	}
	if p.unordered || p.repeated {
		p.order()
	}
	return p.judge()
}

// maxText bounds the text of a file, ten times the largest known, because offsets are kept in 32 bits
// and because a few bytes of gzip can inflate without end.
const maxText = 1<<32 - 1

// oldest is before the first session that the vendor has a file of.
var oldest = instrument.NewDate(2003, 1, 1)

// judge refuses files of which nothing, or too little, is usable.
func (p *parser) judge() error {
	// The vendor has stamped many rows of a file, or all of one with nonsense, and they were of its session; all
	// of them with one other session is the file of that session.
	if p.timed > 0 && p.astray == p.timed && p.session >= oldest {
		return fmt.Errorf("%w: all its rows are of %s, which is another file; fetch it again", ErrDamaged, p.session)
	}
	faults := p.notes.Faults()
	if faults > 10+p.total/100 || (faults > 0 && p.rows.n == 0) {
		for _, n := range p.notes {
			if n.Code.Fault() {
				p.line, p.at = n.Line, n.Byte
				return fmt.Errorf("%d of %d rows are impossible, this being the first (%s): %s", faults, p.total, n.Code, n.First)
			}
		}
	}
	if p.rows.n == 0 {
		return errors.New("no row with a trade: the file is empty")
	}
	return nil
}

// take adds the parsed row to the table, or a note.
func (p *parser) take() {
	r := &p.row
	if p.last < 0 || string(r.ticker) != p.names[p.last] {
		p.change()
	}
	vol, o, h, lo, c := r.number[volume], r.number[open], r.number[high], r.number[low], r.number[closing]
	switch {
	case p.leave != "":
		p.drop(p.leave, func() string { return fmt.Sprintf("ticker %.40q", r.ticker) })
		return
	case p.index && !(lo > 0):
		p.drop(NotPositive, func() string { return fmt.Sprintf("%s low %v", r.ticker, lo) })
		return
	case p.index:
	case vol == 0:
		p.drop(ZeroVolume, func() string { return string(r.ticker) })
		return
	case !(vol > 0) || r.transactions < -1 || r.transactions > math.MaxInt32:
		p.drop(BadVolume, func() string {
			return fmt.Sprintf("%s volume %v, transactions %d", r.ticker, vol, r.transactions)
		})
		return
	}
	if !(lo > 0 && lo <= o && lo <= c && o <= h && c <= h) {
		p.drop(BadPrice, func() string { return fmt.Sprintf("%s open %v high %v low %v close %v", r.ticker, o, h, lo, c) })
		return
	}
	at, ok := p.time()
	if !ok {
		return
	}
	if at <= p.lastTime {
		if at == p.lastTime {
			p.repeated = true
		} else {
			p.disorder()
		}
	}
	p.lastTime = at
	p.rows.add(r, at, uint32(p.at))
}

// time under which the row is stored; ok is false when it was left out.
func (p *parser) time() (at int64, ok bool) {
	r := &p.row
	outside := r.start < p.from || r.start >= p.to
	if p.timed++; outside && p.stocks {
		if d := bar.NYSE().DateOf(r.start); p.astray == 0 || d == p.session {
			p.session = d
			p.astray++
		}
	}
	switch {
	case p.daily:
		// Stocks are stamped with midnight in New York, others with whatever hour their market has.
		if outside || p.stocks && r.start != p.from {
			p.note(WrongStamp, p.stamp)
		}
		return p.Session.Nanos(), true
	case outside:
		p.drop(OtherDay, p.stamp)
		return 0, false
	case (r.start-p.from)%60e9 != 0:
		p.drop(OffMinute, p.stamp)
		return 0, false
	}
	return r.start, true
}

// change is called when the ticker differs from that of the row before.
func (p *parser) change() {
	id, known := p.ids[string(p.row.ticker)]
	if !known {
		id = int32(len(p.names))
		p.names = append(p.names, string(p.row.ticker))
		p.ids[p.names[id]] = id
	}
	name := p.names[id]
	p.leave = ""
	switch {
	case !validTicker(p.row.ticker, p.Dataset.Asset()):
		p.leave = BadTicker
	case p.stocks && testSymbol(name):
		p.leave = TestSymbol
	}
	if p.last >= 0 && name < p.names[p.last] {
		p.disorder()
	}
	p.last, p.lastTime = id, -1<<63
	if p.leave == "" {
		p.rows.begin(id)
	}
}

func (p *parser) disorder() {
	p.unordered = true
	p.note(Unsorted, p.stamp)
}

func (p *parser) note(c Code, words func() string) { p.notes.add(c, p.line, p.at, words) }

// drop notes a row and leaves it out.
func (p *parser) drop(c Code, words func() string) {
	p.note(c, words)
	p.rows.gap()
}

// stamp is the row at hand in words.
func (p *parser) stamp() string {
	return fmt.Sprintf("%s at %s in a file of %s", p.row.ticker, utc(p.row.start), p.Session)
}
