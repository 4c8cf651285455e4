package inflate

import (
	"encoding/binary"
	"io"
)

// decode a coded block until it ends or the output is full: a few literals, then mostly a match, in turn.
//
// A code takes at most 15 bits and 5 extra ones, a distance 15 and 13: a match 48. Three entries with
// literals take at most 36. So the reservoir, which holds at least 56 bits when filled, is filled once
// before literals and once more before what follows some. Behind the file there are zeros: at most 8
// bytes of them are used before that is noticed.
func (r *Reader) decode(o *output) error {
	file, at, limit := r.file, r.at, r.size+8
	bits, have := r.bits, r.have
	buf, out := o.buf, o.at
	literal, distance := (*[1 << literalBits]uint32)(r.codes.literal[:]), (*[1 << distanceBits]uint32)(r.codes.distance[:])
	ended, problem := false, ""
	for out < o.mark && at <= limit {
		bits, have, at = filled(file, bits, have, at)
		e := literal[bits&(1<<literalBits-1)]
		if e&isLiteral != 0 {
			binary.LittleEndian.PutUint16(buf[out:], uint16(e>>16))
			out += int(e >> 8 & 3)
			bits, have = dropped(bits, have, e)
			if e = literal[bits&(1<<literalBits-1)]; e&isLiteral != 0 {
				binary.LittleEndian.PutUint16(buf[out:], uint16(e>>16))
				out += int(e >> 8 & 3)
				bits, have = dropped(bits, have, e)
				if e = literal[bits&(1<<literalBits-1)]; e&isLiteral != 0 {
					binary.LittleEndian.PutUint16(buf[out:], uint16(e>>16))
					out += int(e >> 8 & 3)
					bits, have = dropped(bits, have, e)
					continue
				}
			}
			if at > limit {
				break
			}
			bits, have, at = filled(file, bits, have, at)
		}
		if e&isSpecial != 0 {
			if e&isSub != 0 {
				bits, have = dropped(bits, have, e)
				e = r.codes.literal[uint64(e>>16)+bits&(1<<(e>>8&15)-1)]
			}
			if e&isLiteral != 0 {
				buf[out] = byte(e >> 16)
				out++
				bits, have = dropped(bits, have, e)
				continue
			}
			if ended = e&isEnd != 0; ended {
				bits, have = dropped(bits, have, e)
				break
			}
			if e&isSpecial != 0 {
				problem = "a code that is none"
				break
			}
		}
		length := valueOf(bits, e)
		bits, have = dropped(bits, have, e)
		d := distance[bits&(1<<distanceBits-1)]
		if d&isSpecial != 0 && d&isSub != 0 {
			bits, have = dropped(bits, have, d)
			d = r.codes.distance[uint64(d>>16)+bits&(1<<(d>>8&15)-1)]
		}
		back := valueOf(bits, d)
		bits, have = dropped(bits, have, d)
		if d&isSpecial != 0 || back > out-o.low {
			problem = "a distance beyond the text"
			break
		}
		if back >= 16 && length <= 16 { // most are
			*(*[16]byte)(buf[out:]) = *(*[16]byte)(buf[out-back:])
		} else {
			repeat(buf, out, back, length)
		}
		out += length
	}
	r.at, r.bits, r.have, o.at = at, bits, have, out
	switch {
	case problem != "":
		return r.corrupt(problem)
	case r.used() > r.size:
		return io.ErrUnexpectedEOF
	case ended:
		r.state = atBlock
	}
	return nil
}

// filled is the reservoir with at least 56 bits, and the next byte to be loaded.
func filled(file []byte, bits uint64, have uint, at int) (uint64, uint, int) {
	return bits | binary.LittleEndian.Uint64(file[at:])<<(have&63), have | 56, at + int((63-have)>>3)
}

// dropped is the reservoir without the bits of an entry.
func dropped(bits uint64, have uint, e uint32) (uint64, uint) {
	return bits >> (e & 63), have - uint(e&63)
}

// valueOf a length or distance: its base and the extra bits behind its code.
func valueOf(bits uint64, e uint32) int { return int(e>>16) + int(bits&(1<<(e&63)-1)>>(e>>8&15)) }

// repeat text that stands back bytes before out. Whole words are written, past the end of the match.
func repeat(buf []byte, out, back, length int) {
	end, from := out+length, out-back
	switch {
	case back >= 16:
		for ; out < end; out, from = out+16, from+16 {
			*(*[16]byte)(buf[out:]) = *(*[16]byte)(buf[from:])
		}
	case back >= 8:
		for ; out < end; out, from = out+8, from+8 {
			binary.LittleEndian.PutUint64(buf[out:], binary.LittleEndian.Uint64(buf[from:]))
		}
	default:
		for ; out < end; out, from = out+1, from+1 {
			buf[out] = buf[from]
		}
	}
}
