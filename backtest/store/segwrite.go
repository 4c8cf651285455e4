package store

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"

	"backtester/backtest/instrument"
)

// segmentWriter writes one segment file front to back. Runs must come in the order of tickers. The
// file has a temporary name until finish has brought it to the disk.
type segmentWriter struct {
	path     string
	temp     *os.File
	buf      *bufio.Writer
	dataset  byte
	sessions []int64
	entries  []byte
	names    []byte
	at       int64
	rows     int64
}

func newSegmentWriter(dir, name string, dataset byte, sessions []instrument.Date) (*segmentWriter, error) {
	path := filepath.Join(dir, name)
	f, err := os.Create(path + tempSuffix)
	if err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	}
	w := &segmentWriter{path: path, temp: f, buf: bufio.NewWriterSize(f, 256<<10), dataset: dataset, sessions: nanosOf(sessions)}
	header := make([]byte, headerSize)
	copy(header, segmentMagic)
	header[8] = dataset
	w.write(header)
	return w, nil
}

// write keeps errors in the bufio.Writer, which gives them back at Flush.
func (w *segmentWriter) write(b []byte) {
	w.buf.Write(b)
	w.at += int64(len(b))
}

// add one ticker's rows, in the order of time.
func (w *segmentWriter) add(ticker string, c columns) error {
	n := c.len()
	if n == 0 {
		return nil
	}
	flags, shared := uint16(0), 0
	if w.dataset == dayDataset {
		shared, _ = slices.BinarySearch(w.sessions, c.time[0])
		if shared+n <= len(w.sessions) && slices.Equal(w.sessions[shared:shared+n], c.time) {
			flags = flagShared
		} else {
			shared = 0
		}
	}
	offset, crc := w.at, uint32(0)
	put := func(b []byte) {
		crc = crc32.Update(crc, castagnoli, b)
		w.write(b)
	}
	if flags == 0 {
		put(bytesOf(c.time))
	}
	for _, col := range [][]float64{c.open, c.high, c.low, c.close, c.volume} {
		put(bytesOf(col))
	}
	put(bytesOf(c.trans))
	if n%2 == 1 {
		put([]byte{0, 0, 0, 0})
	}
	le := binary.LittleEndian
	e := w.entries
	e = le.AppendUint32(e, uint32(len(w.names)))
	e = le.AppendUint16(e, uint16(len(ticker)))
	e = le.AppendUint16(e, flags)
	e = le.AppendUint32(e, uint32(n))
	e = le.AppendUint32(e, uint32(shared))
	e = le.AppendUint64(e, uint64(offset))
	e = le.AppendUint64(e, uint64(c.time[0]))
	e = le.AppendUint64(e, uint64(c.time[n-1]))
	e = le.AppendUint32(e, crc)
	w.entries = le.AppendUint32(e, 0)
	w.names = append(w.names, ticker...)
	w.rows += int64(n)
	_, err := w.buf.Write(nil) // the first error of any write so far
	return err
}

// finish writes index and footer, brings the file to the disk if it must last, and gives it its name.
func (w *segmentWriter) finish(last bool) (segmentRef, error) {
	for len(w.names)%8 != 0 {
		w.names = append(w.names, 0)
	}
	header := make([]byte, headerSize)
	copy(header, segmentMagic)
	header[8] = w.dataset
	le, at := binary.LittleEndian, uint64(w.at)
	index := slices.Concat(bytesOf(w.sessions), w.entries, w.names)
	f := le.AppendUint64(nil, at)
	f = le.AppendUint64(f, at+uint64(8*len(w.sessions)))
	f = le.AppendUint64(f, at+uint64(8*len(w.sessions)+len(w.entries)))
	f = le.AppendUint32(f, uint32(len(w.sessions)))
	f = le.AppendUint32(f, uint32(len(w.entries)/entrySize))
	f = le.AppendUint64(f, uint64(w.rows))
	f = le.AppendUint32(f, crc32.Update(crc32.Checksum(header, castagnoli), castagnoli, index))
	f = append(f, segmentEnd...)
	f = le.AppendUint64(f, 0)
	crc := crc32.Checksum(f, castagnoli)
	f = le.AppendUint32(f, crc)
	w.write(index)
	w.write(f)
	err := w.buf.Flush()
	if err == nil && last {
		err = w.temp.Sync()
	}
	if e := w.temp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(w.temp.Name(), w.path)
	}
	if err != nil {
		os.Remove(w.temp.Name())
		return segmentRef{}, fmt.Errorf("write segment: %w", err)
	}
	return segmentRef{File: filepath.Base(w.path), Dataset: w.dataset, Size: w.at, CRC: crc, Rows: w.rows}, nil
}

// abandon removes what was written.
func (w *segmentWriter) abandon() {
	w.temp.Close()
	os.Remove(w.temp.Name())
}
