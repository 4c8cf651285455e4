package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"sort"
	"sync/atomic"
	"unsafe"

	"backtester/backtest/instrument"
)

// The layout of a segment file is described in FORMAT.md.
const (
	segmentMagic  = "btseg001"
	segmentEnd    = "btsegend"
	headerSize    = 16
	entrySize     = 48
	footerSize    = 64
	flagShared    = 1 // the run's times are consecutive entries of the session table
	cureRefetch   = "backtester fetch --verify sets the file aside and has its sessions again; bars of your own are to be imported again"
	minuteDataset = 'm'
	dayDataset    = 'd'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// columns of one run of rows; slices of equal length, oldest row first.
type columns struct {
	time                           []int64
	open, high, low, close, volume []float64
	trans                          []int32
}

func (c columns) len() int { return len(c.time) }

func (c columns) slice(i, j int) columns {
	return columns{
		c.time[i:j], c.open[i:j], c.high[i:j], c.low[i:j], c.close[i:j], c.volume[i:j], c.trans[i:j],
	}
}

func (c columns) append(d columns) columns {
	return columns{
		append(c.time, d.time...), append(c.open, d.open...), append(c.high, d.high...), append(c.low, d.low...),
		append(c.close, d.close...), append(c.volume, d.volume...), append(c.trans, d.trans...),
	}
}

func (c columns) reset() columns { return c.slice(0, 0) }

// segment is one mapped, immutable file. Damage is not an error of opening but of using: broken says
// what is wrong, so that one bad file does not take the others away.
type segment struct {
	ref      segmentRef
	data     []byte
	unmap    func() error
	broken   error
	sessions []int64 // midnight UTC of every session held, ns
	base     int     // of these in the table of the store
	runs     int
	entries  []byte
	names    []byte
	checked  []atomic.Uint32 // one bit a run: its checksum was right
}

// entry of the index: one ticker's run.
type entry struct {
	name        []byte
	flags       uint16
	rows        int
	shared      int // first session of a run with shared times
	offset, end int64
	first, last int64 // times of the first and last row, ns
	crc         uint32
}

// damage is an error of a segment's bytes.
func damage(file, ticker, what string) error {
	return &Fault{File: file, Ticker: ticker, What: what, Cure: cureRefetch}
}

// newSegment checks header, footer and index of a mapped file.
func newSegment(ref segmentRef, data []byte) *segment {
	s := &segment{ref: ref, data: data}
	if err := s.readIndex(); err != nil {
		s.broken = damage(ref.File, "", err.Error())
	}
	return s
}

func (s *segment) readIndex() error {
	d := s.data
	if int64(len(d)) != s.ref.Size || len(d) < headerSize+footerSize {
		return fmt.Errorf("is %d bytes long, not %d", len(d), s.ref.Size)
	}
	f := d[len(d)-footerSize:]
	crc := binary.LittleEndian.Uint32(f[60:])
	if string(f[44:52]) != segmentEnd || crc32.Checksum(f[:60], castagnoli) != crc || crc != s.ref.CRC {
		return errors.New("the footer is damaged or belongs to another file")
	}
	le := binary.LittleEndian
	sessions, entries, names := le.Uint64(f), le.Uint64(f[8:]), le.Uint64(f[16:])
	nSessions, nRuns := uint64(le.Uint32(f[24:])), uint64(le.Uint32(f[28:]))
	end := uint64(len(d) - footerSize)
	switch {
	case sessions < headerSize || sessions%8 != 0 || sessions > end,
		entries != sessions+8*nSessions || names != entries+entrySize*nRuns || names > end:
		return errors.New("the index lies outside of the file")
	}
	sum := crc32.Update(crc32.Checksum(d[:headerSize], castagnoli), castagnoli, d[sessions:end])
	if sum != le.Uint32(f[40:]) || string(d[:8]) != segmentMagic || d[8] != s.ref.Dataset {
		return errors.New("the header or the index is damaged")
	}
	s.sessions = int64s(d[sessions:entries])
	s.runs, s.entries, s.names = int(nRuns), d[entries:names], d[names:end]
	s.checked = make([]atomic.Uint32, (s.runs+31)/32)
	return s.checkEntries(int64(sessions))
}

// checkEntries makes sure that the runs fill the data area without gaps, so that every byte is under
// a checksum, and that names are sorted.
func (s *segment) checkEntries(end int64) error {
	at := int64(headerSize)
	for i := range s.runs {
		b := s.entries[i*entrySize:]
		if int(binary.LittleEndian.Uint32(b))+int(binary.LittleEndian.Uint16(b[4:])) > len(s.names) {
			return fmt.Errorf("run %d has no name", i)
		}
		e := s.entry(i)
		if e.offset != at || e.rows < 1 || e.end > end || e.flags > flagShared {
			return fmt.Errorf("run %d lies outside of the data", i)
		}
		if e.flags == flagShared && e.shared+e.rows > len(s.sessions) {
			return fmt.Errorf("run %d lies outside of the sessions", i)
		}
		if i > 0 && string(s.entry(i-1).name) >= string(e.name) {
			return fmt.Errorf("run %d is out of order", i)
		}
		at = e.end
	}
	if at != end {
		return errors.New("there are bytes that belong to no run")
	}
	return nil
}

func (s *segment) entry(i int) entry {
	le, b := binary.LittleEndian, s.entries[i*entrySize:(i+1)*entrySize]
	name := int(le.Uint32(b))
	e := entry{
		name: s.names[name : name+int(le.Uint16(b[4:]))], flags: le.Uint16(b[6:]),
		rows: int(le.Uint32(b[8:])), shared: int(le.Uint32(b[12:])),
		offset: int64(le.Uint64(b[16:])), first: int64(le.Uint64(b[24:])), last: int64(le.Uint64(b[32:])),
		crc: le.Uint32(b[40:]),
	}
	e.end = e.offset + runSize(e.rows, e.flags)
	return e
}

// runSize is the number of bytes of a run of n rows.
func runSize(n int, flags uint16) int64 {
	size := int64(n)*(5*8) + (int64(n)*4+7)/8*8
	if flags&flagShared == 0 {
		size += int64(n) * 8
	}
	return size
}

// find the run of a ticker.
func (s *segment) find(ticker string) (int, bool) {
	i := sort.Search(s.runs, func(i int) bool { return string(s.entry(i).name) >= ticker })
	return i, i < s.runs && string(s.entry(i).name) == ticker
}

func (s *segment) tickers() int        { return s.runs }
func (s *segment) ticker(i int) string { return string(s.entry(i).name) }

// run i as a view on the mapped bytes. The first use in this process computes its checksum.
func (s *segment) run(i int) (columns, error) {
	e := s.entry(i)
	if word, bit := &s.checked[i/32], uint32(1)<<(i%32); word.Load()&bit == 0 {
		if err := s.checkRun(e); err != nil {
			return columns{}, err
		}
		word.Or(bit)
	}
	return s.view(e), nil
}

func (s *segment) checkRun(e entry) error {
	if crc32.Checksum(s.data[e.offset:e.end], castagnoli) != e.crc {
		return damage(s.ref.File, string(e.name), fmt.Sprintf("the checksum of bytes %d to %d is wrong", e.offset, e.end-1))
	}
	return nil
}

func (s *segment) view(e entry) columns {
	b, n := s.data[e.offset:e.end], e.rows
	var c columns
	if e.flags&flagShared != 0 {
		c.time = s.sessions[e.shared : e.shared+n : e.shared+n]
	} else {
		c.time, b = int64s(b[:8*n]), b[8*n:]
	}
	for _, col := range []*[]float64{&c.open, &c.high, &c.low, &c.close, &c.volume} {
		*col, b = float64s(b[:8*n]), b[8*n:]
	}
	c.trans = int32s(b[:4*n])
	return c
}

// The views below need 8-byte alignment, which mapping and layout give, and a little-endian machine,
// which Open checks.

func int64s(b []byte) []int64 {
	return unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/8)
}

func float64s(b []byte) []float64 {
	return unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/8)
}

func int32s(b []byte) []int32 {
	return unsafe.Slice((*int32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

func bytesOf[T int32 | int64 | float64](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(*new(T))))
}

// littleEndian reports whether stored columns can be read in place on this machine.
func littleEndian() bool {
	return bytesOf([]float64{math.Float64frombits(1)})[0] == 1
}

func nanosOf(ds []instrument.Date) []int64 {
	ns := make([]int64, len(ds))
	for i, d := range ds {
		ns[i] = d.Nanos()
	}
	return ns
}
