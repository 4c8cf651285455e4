package flatfile

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"backtester/backtest/store"

	"github.com/klauspost/compress/gzip"
)

// Header is the first line of the vendor's stock files, without the newline. Close stands before
// high and low.
const Header = "ticker,volume,open,close,high,low,window_start,transactions"

// blockSize of text collected before it goes to the compressor.
const blockSize = 64 << 10

// header of the dataset: indices have neither volume nor transactions.
func (d Dataset) header() string {
	if d.Asset() == Indices {
		return "ticker,open,close,high,low,window_start"
	}
	return Header
}

// Write encodes one session as the vendor does. See Encoder.Encode.
func Write(w io.Writer, d Dataset, b store.Batch) error {
	return NewEncoder(gzip.DefaultCompression).Encode(w, d, b)
}

// Encoder writes flat files one after the other and reuses its memory. It is not safe for concurrent
// use. The zero value does not work: use NewEncoder.
type Encoder struct {
	gz    *gzip.Writer
	level int
	buf   []byte
}

// NewEncoder gives an encoder at a gzip level from 1 (fastest) to 9, or -1 for the usual 6. Any other
// level is reported by the first Encode.
func NewEncoder(level int) *Encoder { return &Encoder{level: level} }

// Encode writes all rows of b to w as one gzipped CSV file. Daily rows are stamped with midnight in
// New York of b.Session, whatever b.Time holds; minute rows with b.Time. Transactions may be nil or
// hold -1: the field is then empty. Numbers are the shortest decimals that read back as the same
// float64. The same batch and level give the same bytes. It refuses batches whose columns differ in
// length and values that are not finite.
func (e *Encoder) Encode(w io.Writer, d Dataset, b store.Batch) error {
	if b.NoVolume != (d.Asset() == Indices) {
		return fmt.Errorf("write flat file %s: indices have no volume, and all others do", Key(d, b.Session))
	}
	if err := checkShape(b); err != nil {
		return fmt.Errorf("write flat file %s: %w", Key(d, b.Session), err)
	}
	midnight, _ := d.window(b.Session)
	if err := e.reset(w); err != nil {
		return fmt.Errorf("write flat file %s: %w", Key(d, b.Session), err)
	}
	e.buf = append(e.buf[:0], d.header()...)
	e.buf = append(e.buf, '\n')
	for k, symbol := range b.Symbols {
		for i := int(b.Start[k]); i < int(b.Start[k+1]); i++ {
			start := midnight
			if d.Unit() == Minute {
				start = b.Time[i]
			}
			if err := e.row(symbol, b, i, start); err != nil {
				return fmt.Errorf("write flat file %s: %w", Key(d, b.Session), err)
			}
		}
	}
	if _, err := e.gz.Write(e.buf); err != nil {
		return fmt.Errorf("write flat file %s: %w", Key(d, b.Session), err)
	}
	if err := e.gz.Close(); err != nil {
		return fmt.Errorf("write flat file %s: %w", Key(d, b.Session), err)
	}
	return nil
}

// reset points the compressor at w, making it on first use.
func (e *Encoder) reset(w io.Writer) error {
	if e.gz != nil {
		e.gz.Reset(w)
		return nil
	}
	gz, err := gzip.NewWriterLevel(w, e.level)
	if err != nil {
		return err
	}
	e.gz, e.buf = gz, make([]byte, 0, blockSize+512)
	return nil
}

// row appends one line and passes full blocks on.
func (e *Encoder) row(symbol string, b store.Batch, i int, start int64) error {
	volume := b.Volume[i]
	if b.NoVolume {
		volume = 0
	}
	for _, v := range [...]float64{volume, b.Open[i], b.Close[i], b.High[i], b.Low[i]} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("%s row %d: value %v has no place in a file", symbol, i, v)
		}
	}
	p := append(e.buf, symbol...)
	if !b.NoVolume {
		p = appendNumber(append(p, ','), volume)
	}
	p = appendNumber(append(p, ','), b.Open[i])
	p = appendNumber(append(p, ','), b.Close[i])
	p = appendNumber(append(p, ','), b.High[i])
	p = appendNumber(append(p, ','), b.Low[i])
	p = strconv.AppendInt(append(p, ','), start, 10)
	if !b.NoVolume {
		p = append(p, ',')
	}
	if !b.NoVolume && b.Transactions != nil && b.Transactions[i] >= 0 {
		p = strconv.AppendInt(p, b.Transactions[i], 10)
	}
	e.buf = append(p, '\n')
	if len(e.buf) < blockSize {
		return nil
	}
	_, err := e.gz.Write(e.buf)
	e.buf = e.buf[:0]
	return err
}

// appendNumber writes the shortest decimal that reads back as v. Up to four decimals, which is what
// prices have, are written from the integer v x 10^4: a decimal of at most 15 digits is the only one
// of that length within its float64, so it is the shortest as well.
func appendNumber(p []byte, v float64) []byte {
	const scale, limit = 10000, 1e15
	n := math.Round(v * scale)
	if !(math.Abs(n) < limit) || n/scale != v || n < 0 {
		return strconv.AppendFloat(p, v, 'f', -1, 64)
	}
	whole, frac := uint64(n)/scale, uint64(n)%scale
	p = strconv.AppendUint(p, whole, 10)
	if frac == 0 {
		return p
	}
	p = append(p, '.', byte('0'+frac/1000), byte('0'+frac/100%10), byte('0'+frac/10%10), byte('0'+frac%10))
	for p[len(p)-1] == '0' {
		p = p[:len(p)-1]
	}
	return p
}

// checkShape refuses columns that do not belong together.
func checkShape(b store.Batch) error {
	n := len(b.Time)
	for _, c := range [...]int{len(b.Open), len(b.High), len(b.Low), len(b.Close), len(b.Volume)} {
		if c != n {
			return fmt.Errorf("columns of %d and %d rows in one batch", n, c)
		}
	}
	if b.Transactions != nil && len(b.Transactions) != n {
		return fmt.Errorf("%d transactions for %d rows", len(b.Transactions), n)
	}
	if len(b.Start) != len(b.Symbols)+1 || b.Start[0] != 0 || int(b.Start[len(b.Symbols)]) != n {
		return fmt.Errorf("row ranges do not cover %d rows of %d symbols", n, len(b.Symbols))
	}
	for k := range b.Symbols {
		if b.Start[k] > b.Start[k+1] {
			return fmt.Errorf("rows of %s start after they end", b.Symbols[k])
		}
	}
	return nil
}
