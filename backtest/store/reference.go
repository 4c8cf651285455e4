package store

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

const cureReference = "fetch the reference data again"

// Reference is everything known about instruments apart from their bars.
type Reference struct {
	Instruments []instrument.Instrument
	Actions     []ActionSet   // ids without an instrument are refused
	Holidays    []bar.Holiday // corrections of the built-in calendar
}

// ActionSet is the corporate actions of one instrument.
type ActionSet struct {
	ID instrument.ID
	instrument.Actions
}

// record is what one line of the reference file says.
type record struct {
	Instrument instrument.Instrument
	Actions    instrument.Actions
}

// span says under which line of the reference file a ticker is found.
type span struct {
	ticker   string
	from, to instrument.Date
	offset   int64
	size     int
	crc      uint32
}

// encode gives the two files: one JSON line an instrument, and the index: a line for the holidays,
// then one line a ticker span, sorted by ticker and date.
func (r Reference) encode() (lines, index []byte, err error) {
	actions := map[instrument.ID]instrument.Actions{}
	for _, a := range r.Actions {
		if _, twice := actions[a.ID]; twice {
			return nil, nil, fmt.Errorf("store reference data: actions of %s are given twice", a.ID)
		}
		actions[a.ID] = instrument.Clean(a.Actions)
	}
	instruments := slices.Clone(r.Instruments)
	slices.SortFunc(instruments, func(a, b instrument.Instrument) int { return cmp.Compare(a.ID, b.ID) })
	var spans []span
	for i, in := range instruments {
		if err := in.Validate(); err != nil {
			return nil, nil, fmt.Errorf("store reference data: %w", err)
		}
		if i > 0 && instruments[i-1].ID == in.ID {
			return nil, nil, fmt.Errorf("store reference data: instrument %s is given twice", in.ID)
		}
		b, err := encodeRecord(record{in, actions[in.ID]})
		if err != nil {
			return nil, nil, fmt.Errorf("store reference data of %s: %w", in.ID, err)
		}
		delete(actions, in.ID)
		for _, s := range in.Spans {
			spans = append(spans, span{s.Ticker, s.From, s.To, int64(len(lines)), len(b), crc32.Checksum(b, castagnoli)})
		}
		lines = append(append(lines, b...), '\n')
	}
	for _, a := range r.Actions {
		if _, left := actions[a.ID]; left {
			return nil, nil, fmt.Errorf("store reference data: actions of %s, which is not among the instruments", a.ID)
		}
	}
	index, err = encodeSpans(spans, r.Holidays)
	return lines, index, err
}

func encodeSpans(spans []span, holidays []bar.Holiday) ([]byte, error) {
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.ticker, b.ticker), cmp.Compare(a.from, b.from))
	})
	index, err := json.Marshal(holidays)
	if err != nil {
		return nil, err
	}
	index = append(index, '\n')
	for i, s := range spans {
		if i > 0 && spans[i-1].ticker == s.ticker && spans[i-1].to >= s.from {
			return nil, fmt.Errorf("store reference data: two instruments use the ticker %s on %s", s.ticker, s.from)
		}
		index = fmt.Appendf(index, "%s\t%d\t%d\t%d\t%d\t%d\n", s.ticker, s.from, s.to, s.offset, s.size, s.crc)
	}
	return index, nil
}

// reference is the mapped form: the index parsed, the lines read when asked for.
type reference struct {
	file     string
	lines    []byte
	spans    []span
	holidays []bar.Holiday
	unmap    func() error
}

func openReference(dir string, m *manifest) (*reference, error) {
	if m.Reference == nil {
		return &reference{unmap: func() error { return nil }}, nil
	}
	index, unmap, err := mapFile(filepath.Join(dir, m.RefIndex.File))
	if err != nil {
		return nil, err
	}
	defer unmap()
	if int64(len(index)) != m.RefIndex.Size || crc32.Checksum(index, castagnoli) != m.RefIndex.CRC {
		return nil, &Fault{File: m.RefIndex.File, What: "the checksum is wrong", Cure: cureReference}
	}
	r := &reference{file: m.Reference.File}
	head, rest, _ := bytes.Cut(index, []byte("\n"))
	if err := json.Unmarshal(head, &r.holidays); err != nil {
		return nil, &Fault{File: m.RefIndex.File, What: err.Error(), Cure: cureReference}
	}
	if r.spans, err = parseSpans(string(rest)); err != nil {
		return nil, &Fault{File: m.RefIndex.File, What: err.Error(), Cure: cureReference}
	}
	if r.lines, r.unmap, err = mapFile(filepath.Join(dir, m.Reference.File)); err != nil {
		return nil, err
	}
	if int64(len(r.lines)) != m.Reference.Size {
		r.unmap()
		return nil, &Fault{File: m.Reference.File, What: fmt.Sprintf("is %d bytes long, not %d", len(r.lines), m.Reference.Size), Cure: cureReference}
	}
	return r, nil
}

// parseSpans reads the lines of the index; s is kept alive by the tickers.
func parseSpans(s string) ([]span, error) {
	spans := make([]span, 0, strings.Count(s, "\n"))
	for line := range strings.Lines(s) {
		var f [6]string
		rest := strings.TrimSuffix(line, "\n")
		for i := range f {
			f[i], rest, _ = strings.Cut(rest, "\t")
		}
		var n [5]int64
		for i := range n {
			v, err := strconv.ParseInt(f[i+1], 10, 64)
			if err != nil {
				return nil, fmt.Errorf("index line %q: %w", line, err)
			}
			n[i] = v
		}
		spans = append(spans, span{f[0], instrument.Date(n[0]), instrument.Date(n[1]), n[2], int(n[3]), uint32(n[4])})
	}
	return spans, nil
}

// lookup finds who used ticker on date, else who used it last before; next is the first day after date
// at which somebody else takes the ticker over, or Forever.
func (r *reference) lookup(ticker string, date instrument.Date) (s span, found bool, next instrument.Date) {
	next = instrument.Forever
	i, _ := slices.BinarySearchFunc(r.spans, ticker, func(s span, t string) int { return cmp.Compare(s.ticker, t) })
	for ; i < len(r.spans) && r.spans[i].ticker == ticker; i++ {
		if r.spans[i].from > date {
			return s, found, r.spans[i].from
		}
		s, found = r.spans[i], true
	}
	return s, found, next
}

// read the line of a span.
func (r *reference) read(s span) (record, error) {
	var rec record
	if s.offset < 0 || s.size < 0 || s.offset+int64(s.size) > int64(len(r.lines)) {
		return rec, &Fault{File: r.file, Ticker: s.ticker, What: "the file is too short", Cure: cureReference}
	}
	b := r.lines[s.offset : s.offset+int64(s.size)]
	if crc32.Checksum(b, castagnoli) != s.crc {
		return rec, &Fault{File: r.file, Ticker: s.ticker, What: "the checksum is wrong", Cure: cureReference}
	}
	rec, err := decodeRecord(b)
	if err != nil {
		return rec, &Fault{File: r.file, Ticker: s.ticker, What: err.Error(), Cure: cureReference}
	}
	return rec, nil
}

// Reference gives everything known about instruments, as it was put. Cost: all lines are read.
func (s *Store) Reference() (Reference, error) {
	out := Reference{Holidays: slices.Clone(s.ref.holidays)}
	spans := slices.Clone(s.ref.spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.offset, b.offset) })
	spans = slices.CompactFunc(spans, func(a, b span) bool { return a.offset == b.offset })
	for _, x := range spans {
		rec, err := s.ref.read(x)
		if err != nil {
			return Reference{}, fmt.Errorf("read reference data of %s: %w", s.Name(), err)
		}
		out.Instruments = append(out.Instruments, rec.Instrument)
		if len(rec.Actions.Splits)+len(rec.Actions.Dividends) > 0 {
			out.Actions = append(out.Actions, ActionSet{rec.Instrument.ID, rec.Actions})
		}
	}
	return out, nil
}
