package inflate

import (
	"io"
	"math/bits"
)

// Entries of the decoding tables are 32 bits:
//
//	literals   31..24 second literal | 23..16 first | 15 set | 9..8 how many | 5..0 bits to drop
//	length     24..16 base | 11..8 bits of the code | 5..0 bits to drop, extra ones included
//	distance   30..16 base | 11..8 bits of the code | 5..0 bits to drop, extra ones included
//	sub-table  31..16 where it begins | 14 set | 13 set | 11..8 its bits | 5..0 bits to drop
//	end        14 set | 12 set | 5..0 bits to drop
//	invalid    14 set
const (
	isLiteral = 1 << 15
	isSpecial = 1 << 14
	isSub     = 1 << 13
	isEnd     = 1 << 12

	literalBits  = 12
	distanceBits = 9
	maxBits      = 15

	// A complete code of 286 symbols and 15 bits has at most 2,342 entries beyond a first table of 9 bits
	// and less beyond larger ones; a code whose sub-tables do not fit is refused all the same.
	literalSize  = 1<<literalBits + 1334
	distanceSize = 1<<distanceBits + 402
)

// codes of the block at hand.
type codes struct {
	literal  [literalSize]uint32
	distance [distanceSize]uint32
	isFixed  bool // the tables are those of fixed codes
	lengths  [320]byte
	sorted   [288]uint16
}

// lengthBase and lengthExtra of the symbols from 257 on; distanceBase and distanceExtra: RFC 1951,
// chapter 3.2.5.
func lengthOf(symbol int) (base, extra int) {
	switch k := symbol - 257; {
	case k < 8:
		return 3 + k, 0
	case k == 28:
		return 258, 0
	default:
		e := k/4 - 1
		return 3 + (4+k%4)<<e, e
	}
}

func distanceOf(symbol int) (base, extra int) {
	if symbol < 4 {
		return 1 + symbol, 0
	}
	e := symbol/2 - 1
	return 1 + (2+symbol%2)<<e, e
}

// literalEntry is what a symbol of the first code means, without the bits of its code.
func literalEntry(symbol int) uint32 {
	switch {
	case symbol < 256:
		return uint32(symbol)<<16 | isLiteral | 1<<8
	case symbol == 256:
		return isSpecial | isEnd
	case symbol > 285:
		return isSpecial
	}
	base, extra := lengthOf(symbol)
	return uint32(base)<<16 | uint32(extra)
}

func distanceEntry(symbol int) uint32 {
	if symbol > 29 {
		return isSpecial
	}
	base, extra := distanceOf(symbol)
	return uint32(base)<<16 | uint32(extra)
}

// withCode adds the length of the code to an entry.
func withCode(e uint32, n int) uint32 {
	if e&(isLiteral|isSpecial) == 0 {
		e |= uint32(n) << 8
	}
	return e + uint32(n)
}

// build makes a decoding table of primary bits for the code with these lengths, 0 meaning that a symbol
// is not used. It reports whether the code is one: complete, or a single code of one bit, or empty, which
// is one as long as nobody uses it.
func build(table []uint32, primary int, lengths []byte, entry func(int) uint32, sorted *[288]uint16) bool {
	var count [maxBits + 1]int
	for _, n := range lengths {
		count[n]++
	}
	longest := 0
	left := 1 // codes of the length at hand that are not taken
	for n := 1; n <= maxBits; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return false
		}
		if count[n] > 0 {
			longest = n
		}
	}
	for i := range 1 << primary {
		table[i] = isSpecial
	}
	used := len(lengths) - count[0]
	if used == 0 {
		return true
	}
	if left > 0 && !(used == 1 && longest == 1) {
		return false
	}
	var offset [maxBits + 2]int
	for n := 1; n <= maxBits; n++ {
		offset[n+1] = offset[n] + count[n]
	}
	for s, n := range lengths {
		if n > 0 {
			sorted[offset[n]] = uint16(s)
			offset[n]++
		}
	}
	return place(table, primary, &count, entry, sorted)
}

// place fills the table with the codes, the shorter first, those of one length in the order of their
// symbols. Codes are stored with their bits reversed, as they come in the file.
func place(table []uint32, primary int, count *[maxBits + 1]int, entry func(int) uint32, sorted *[288]uint16) bool {
	code, k := 0, 0
	next := 1 << primary // end of the sub-tables so far
	sub, subBits, prefix := 0, 0, -1
	for n := 1; n <= maxBits; n++ {
		for left := count[n]; left > 0; left-- {
			e := entry(int(sorted[k]))
			k++
			reversed := int(bits.Reverse16(uint16(code)) >> (16 - n))
			code++
			if n <= primary {
				for i := reversed; i < 1<<primary; i += 1 << n {
					table[i] = withCode(e, n)
				}
				continue
			}
			if p := reversed & (1<<primary - 1); p != prefix {
				prefix, sub = p, next
				subBits = subSize(n-primary, n, left, count)
				if next += 1 << subBits; next > len(table) {
					return false
				}
				table[p] = uint32(sub)<<16 | isSpecial | isSub | uint32(subBits)<<8 | uint32(primary)
			}
			for i := reversed >> primary; i < 1<<subBits; i += 1 << (n - primary) {
				table[sub+i] = withCode(e, n-primary)
			}
		}
		code <<= 1
	}
	return true
}

// subSize is the number of bits of a sub-table that begins with codes of n bits, of which left are to
// be placed: enough for all codes that share its prefix.
func subSize(size, n, left int, count *[maxBits + 1]int) int {
	room := 1<<size - left
	for room > 0 && n < maxBits {
		n++
		size++
		room = room<<1 - count[n]
	}
	return size
}

// pair joins literals: where the bits behind a short literal hold another whole one, the entry gives
// both. From the end, so that what is joined is still single.
func (c *codes) pair() {
	t := c.literal[:1<<literalBits]
	for i := len(t) - 1; i >= 0; i-- {
		e := t[i]
		if e&isLiteral == 0 {
			continue
		}
		n := e & 63
		f := t[i>>n]
		if f&isLiteral == 0 || n+f&63 > literalBits {
			continue
		}
		t[i] = e&0xff0000 | f&0xff0000<<8 | isLiteral | 2<<8 | (n + f&63)
	}
}

// fixed codes: RFC 1951, chapter 3.2.6.
func (c *codes) fixed() {
	if c.isFixed {
		return
	}
	l := &c.lengths
	for i := range 288 {
		switch {
		case i < 144:
			l[i] = 8
		case i < 256:
			l[i] = 9
		case i < 280:
			l[i] = 7
		default:
			l[i] = 8
		}
	}
	build(c.literal[:], literalBits, l[:288], literalEntry, &c.sorted)
	c.pair()
	for i := range 32 {
		l[i] = 5
	}
	build(c.distance[:], distanceBits, l[:32], distanceEntry, &c.sorted)
	c.isFixed = true
}

// dynamic reads the codes of a block: RFC 1951, chapter 3.2.7.
func (r *Reader) dynamic() error {
	r.fill()
	literals, distances, n := int(r.take(5))+257, int(r.take(5))+1, int(r.take(4))+4
	if literals > 286 || distances > 30 {
		return r.corrupt("number of codes")
	}
	c := &r.codes
	c.isFixed = false
	order := [19]byte{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var lengths [19]byte
	for i := range n {
		if i%8 == 0 {
			r.fill()
		}
		lengths[order[i]] = byte(r.take(3))
	}
	// The table of distances is free for the code of the lengths.
	t := c.distance[:1<<7]
	if !build(t, 7, lengths[:], func(s int) uint32 { return uint32(s) << 16 }, &c.sorted) {
		return r.corrupt("code of the code lengths")
	}
	if err := r.codeLengths(t, c.lengths[:literals+distances]); err != nil {
		return err
	}
	if !build(c.literal[:], literalBits, c.lengths[:literals], literalEntry, &c.sorted) {
		return r.corrupt("code of literals and lengths")
	}
	c.pair()
	if !build(c.distance[:], distanceBits, c.lengths[literals:literals+distances], distanceEntry, &c.sorted) {
		return r.corrupt("code of distances")
	}
	return nil
}

// codeLengths reads the lengths of both codes, which are themselves coded.
func (r *Reader) codeLengths(t []uint32, lengths []byte) error {
	for i := 0; i < len(lengths); {
		r.fill()
		e := t[r.bits&(1<<7-1)]
		if e&isSpecial != 0 {
			return r.corrupt("length of a code")
		}
		r.take(uint(e & 63))
		s := e >> 16
		if s < 16 {
			lengths[i] = byte(s)
			i++
			continue
		}
		times, value := 0, byte(0)
		switch s {
		case 16:
			if i == 0 {
				return r.corrupt("nothing to repeat")
			}
			times, value = 3+int(r.take(2)), lengths[i-1]
		case 17:
			times = 3 + int(r.take(3))
		default:
			times = 11 + int(r.take(7))
		}
		if i+times > len(lengths) {
			return r.corrupt("more lengths than codes")
		}
		for range times {
			lengths[i] = value
			i++
		}
	}
	if r.used() > r.size {
		return io.ErrUnexpectedEOF
	}
	return nil
}
