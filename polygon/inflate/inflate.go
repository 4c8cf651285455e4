// Package inflate decompresses gzip files that lie in memory, several times as fast as a decoder that
// reads byte by byte.
//
// In: a whole file. Out: its text, chunk after chunk, and io.EOF once the checksum and the length of
// every member were right. It refuses whatever compress/gzip refuses: truncated and damaged files, codes
// that are over-subscribed or incomplete, distances beyond the text, bytes behind the last member that
// are no further one. It trusts nothing: no value read from the file becomes an index unchecked, and
// there is no unsafe code, so that a fault of its own would be a panic and never a wrong byte in memory.
// Text that was handed out before an error must be thrown away.
//
// The format is that of RFC 1951 and RFC 1952. The shape of the decoder is the one usual today (Y.
// Collet, E. Biggers): a 64-bit reservoir filled eight bytes at a time, tables of 12 bits with
// sub-tables for longer codes, whole words copied. Entries of the table hold two literals where both
// codes fit, because in rows of digits most do.
package inflate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// What is wrong with a file, by errors.Is. A file that ends in the middle is io.ErrUnexpectedEOF.
var (
	ErrHeader   = errors.New("it is not gzip")
	ErrChecksum = errors.New("its checksum does not match")
	ErrCorrupt  = errors.New("its compressed data is corrupt")
)

const (
	windowSize = 32 << 10 // how far back a distance may reach
	slack      = 258 + 32 // what one step may write beyond the mark at which it stops
	padding    = 24       // zeros behind the file, so that eight bytes can always be loaded
	maxFile    = 1 << 30  // of compressed bytes: the largest known of the kind has 140 MB
)

// Chunk is memory for text. Chunks may be used in turn, so that one is read while the next is written.
type Chunk []byte

// NewChunk for size bytes of text, at least 1 KB.
func NewChunk(size int) Chunk { return make(Chunk, windowSize+max(size, 1024)+slack) }

// Reader of one file after the other. The zero value is ready; it is not safe for concurrent use.
type Reader struct {
	file []byte // with padding
	size int    // without

	at   int    // next byte to be loaded
	bits uint64 // loaded and not used yet, the lowest bit first; those from count on are junk
	have uint   // number of valid bits

	state  state
	final  bool
	stored int    // bytes left of a stored block
	window []byte // last text of the member, up to windowSize
	crc    uint32
	length uint32
	err    error
	codes  codes
}

// state is what comes next in the file.
type state byte

const (
	atHeader state = iota // of the first member
	atMember              // of another one, or the end
	atBlock
	inStored
	inCodes
	atTrailer
)

// Load reads the whole of src, of which about size bytes are expected, and makes it the file to
// decompress.
func (r *Reader) Load(src io.Reader, size int64) error {
	*r = Reader{file: r.file[:cap(r.file)], codes: r.codes}
	if need := min(max(size, 0), maxFile) + padding + 1; int64(len(r.file)) < need {
		r.file = make([]byte, need)
	}
	for {
		if len(r.file)-r.size <= padding {
			if r.size > maxFile {
				return fmt.Errorf("more than %d bytes: %w", int64(maxFile), ErrHeader)
			}
			r.file = append(r.file, make([]byte, len(r.file)/2+64<<10)...)
		}
		n, err := src.Read(r.file[r.size : len(r.file)-padding])
		r.size += n
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	clear(r.file[r.size : r.size+padding])
	return nil
}

// Next fills c with text and returns it. The error stands for what follows the text; io.EOF is the
// regular end. After an error Next returns the same again.
func (r *Reader) Next(c Chunk) ([]byte, error) {
	if r.err != nil {
		return nil, r.err
	}
	w := windowSize - len(r.window)
	copy(c[w:windowSize], r.window)
	o := output{buf: c, low: w, at: windowSize, mark: len(c) - slack}
	start := o.at
	for r.err == nil && o.at < o.mark {
		r.err = r.step(&o, &start)
	}
	r.account(o.buf[start:o.at])
	r.window = o.buf[max(o.low, o.at-windowSize):o.at]
	return c[windowSize:o.at], r.err
}

// output is where text goes. Text of the member at hand begins at low; mark is where a step must stop.
type output struct {
	buf           []byte
	low, at, mark int
}

// account adds text to the checksum of the member.
func (r *Reader) account(text []byte) {
	r.crc = crc32.Update(r.crc, crc32.IEEETable, text)
	r.length += uint32(len(text))
}

// step does what comes next. start is the first text of the member that is not accounted for.
func (r *Reader) step(o *output, start *int) error {
	switch r.state {
	case atHeader, atMember:
		if r.state == atMember && r.at == r.size {
			return io.EOF
		}
		if err := r.header(); err != nil {
			return err
		}
		r.state, r.crc, r.length = atBlock, 0, 0
		o.low, *start = o.at, o.at
	case atBlock:
		if r.final {
			r.state = atTrailer
			return nil
		}
		return r.block()
	case inStored:
		return r.copyStored(o)
	case inCodes:
		return r.decode(o)
	case atTrailer:
		r.account(o.buf[*start:o.at])
		*start = o.at
		return r.trailer()
	}
	return nil
}

// corrupt names the place.
func (r *Reader) corrupt(what string) error {
	if r.used() > r.size {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w at byte %d: %s", ErrCorrupt, r.used(), what)
}

// used is the number of bytes of the file of which every bit was used.
func (r *Reader) used() int { return r.at - int(r.have/8) }

// fill loads bits until there are at least 56. Behind the file there are zeros, which whoever uses bits
// finds out by used.
func (r *Reader) fill() {
	if r.at <= r.size+8 {
		r.bits |= binary.LittleEndian.Uint64(r.file[r.at:]) << (r.have & 63)
	}
	r.at += int((63 - r.have) >> 3)
	r.have |= 56
}

// take n bits, which must have been filled.
func (r *Reader) take(n uint) uint {
	v := uint(r.bits & (1<<n - 1))
	r.bits >>= n
	r.have -= n
	return v
}

// align drops bits up to the next byte and gives the rest of the reservoir back to the file.
func (r *Reader) align() {
	r.at = r.used()
	r.bits, r.have = 0, 0
}

// header of a member: RFC 1952, chapter 2.3.
func (r *Reader) header() error {
	h := r.file[r.at:r.size]
	r.final = false
	if len(h) == 0 {
		return io.ErrUnexpectedEOF
	}
	if h[0] != 0x1f || len(h) > 1 && h[1] != 0x8b || len(h) > 2 && h[2] != 8 {
		return ErrHeader
	}
	if len(h) < 10 {
		return io.ErrUnexpectedEOF
	}
	const hasCRC, hasExtra, hasName, hasComment = 1 << 1, 1 << 2, 1 << 3, 1 << 4
	flags, n := h[3], 10
	if flags&hasExtra != 0 {
		if len(h) < n+2 {
			return io.ErrUnexpectedEOF
		}
		n += 2 + int(binary.LittleEndian.Uint16(h[n:]))
	}
	for _, flag := range [...]byte{hasName, hasComment} {
		if flags&flag == 0 {
			continue
		}
		for begin := n; ; n++ {
			if n >= len(h) {
				return io.ErrUnexpectedEOF
			}
			if n-begin > 511 {
				return ErrHeader // as compress/gzip, which keeps no longer names
			}
			if h[n] == 0 {
				n++
				break
			}
		}
	}
	if flags&hasCRC != 0 {
		if len(h) < n+2 {
			return io.ErrUnexpectedEOF
		}
		if uint16(crc32.ChecksumIEEE(h[:n])) != binary.LittleEndian.Uint16(h[n:]) {
			return ErrHeader
		}
		n += 2
	}
	if n > len(h) {
		return io.ErrUnexpectedEOF
	}
	r.at += n
	return nil
}

// trailer of a member: checksum and length of its text.
func (r *Reader) trailer() error {
	r.align()
	if r.at+8 > r.size {
		return io.ErrUnexpectedEOF
	}
	t := r.file[r.at:]
	if binary.LittleEndian.Uint32(t) != r.crc || binary.LittleEndian.Uint32(t[4:]) != r.length {
		return ErrChecksum
	}
	r.at += 8
	r.state = atMember
	return nil
}

// block begins a block: RFC 1951, chapter 3.2.3.
func (r *Reader) block() error {
	r.fill()
	r.final = r.take(1) == 1
	switch kind := r.take(2); kind {
	case 0:
		r.align()
		if r.at+4 > r.size {
			return io.ErrUnexpectedEOF
		}
		n := binary.LittleEndian.Uint16(r.file[r.at:])
		if n != ^binary.LittleEndian.Uint16(r.file[r.at+2:]) {
			return r.corrupt("length of a stored block")
		}
		r.at += 4
		r.state, r.stored = inStored, int(n)
	case 1:
		r.codes.fixed()
		r.state = inCodes
	case 2:
		if err := r.dynamic(); err != nil {
			return err
		}
		r.state = inCodes
	default:
		return r.corrupt("kind of a block")
	}
	if r.used() > r.size {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (r *Reader) copyStored(o *output) error {
	n := min(r.stored, o.mark-o.at, r.size-r.at)
	copy(o.buf[o.at:], r.file[r.at:r.at+n])
	o.at += n
	r.at += n
	if r.stored -= n; r.stored == 0 {
		r.state = atBlock
	} else if r.at == r.size {
		return io.ErrUnexpectedEOF
	}
	return nil
}
