package backtest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"math"
	"runtime"
	"slices"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"backtester/backtest/bar"
	"backtester/backtest/parallel"
)

// digest identifies everything read: a sha256 over, symbol by symbol, the ticker, the number of bars,
// the xxhash64 of each column (little-endian 8-byte words), the actions, and when it was of a type of the
// universe, where that changes; first of the symbols of
// the run, then of all others that expressions or the choice of a universe looked at; then the files
// that the strategy names. Columns go through the
// faster hash because sha256 of a million bars would cost more than playing them; a change that
// escapes 64 bits of it by accident is not to be feared.
func (m *market) digest(cfg *Config) string {
	all := slices.Concat(m.syms, m.also)
	digestEach(all)
	h := sha256.New()
	for i := range all {
		h.Write(all[i].sum)
	}
	for _, name := range cfg.Files() {
		data, _ := cfg.Attached(name)
		words(h, uint64(len(name)), uint64(len(data)))
		io.WriteString(h, name)
		h.Write(data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// digestEach takes the digest of every symbol that has none yet. It goes through the columns once in their order:
// those of a few symbols are near afterwards, where an engine looks at them here and there.
func digestEach(list []symbol) {
	parallel.With(runtime.GOMAXPROCS(0), len(list), func() func(int) {
		h := sha256.New()
		return func(i int) {
			s := &list[i]
			if s.sum != nil {
				return
			}
			h.Reset()
			digestSeries(h, s.name, s.bars)
			if s.security != nil {
				for _, k := range s.kinds {
					words(h, uint64(uint32(k.from)), uint64(uint32(k.to)))
				}
			}
			s.sum = h.Sum(nil)
		}
	})
}

// digestFills identifies everything that was traded: a sha256 over the fills, each as its words, ended by a
// zero byte, and then its numbers in little-endian words.
func digestFills(fills []Fill) string {
	h := sha256.New()
	var b []byte
	for k := range fills {
		f := &fills[k]
		b = b[:0]
		for _, word := range [...]string{f.Time, f.Decided, f.Symbol, f.Side, f.Rule, f.Reason} {
			b = append(append(b, word...), 0)
		}
		if f.Strategy != "" {
			b = append(append(b, f.Strategy...), 0)
		}
		for _, x := range [...]float64{f.Quantity, f.Reference, f.Price, f.Commission, f.Slippage} {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func digestSeries(h hash.Hash, name string, s *bar.Series) {
	words(h, uint64(len(name)))
	h.Write([]byte(name))
	words(h, uint64(s.Len()), uint64(s.Warm), uint64(uint32(s.Delisted)))
	column(h, s.Time)
	for _, c := range [][]float64{s.Open, s.High, s.Low, s.Close, s.Volume} {
		column(h, c)
	}
	for _, x := range s.Actions.Splits {
		words(h, uint64(uint32(x.Ex)), math.Float64bits(x.From), math.Float64bits(x.To))
	}
	words(h, uint64(len(s.Actions.Splits)))
	for _, x := range s.Actions.Dividends {
		words(h, uint64(uint32(x.Ex)), uint64(uint32(x.Pay)), math.Float64bits(x.Cash))
		if x.Declared != 0 {
			words(h, uint64(uint32(x.Declared)))
		}
	}
	words(h, uint64(len(s.Actions.Dividends)))
}

func words(h io.Writer, ws ...uint64) {
	var b [8]byte
	for _, w := range ws {
		binary.LittleEndian.PutUint64(b[:], w)
		h.Write(b[:])
	}
}

// column hashes 8-byte values in place where memory is little-endian already, as on every platform
// that releases are built for.
func column[T int64 | float64](h hash.Hash, c []T) {
	if len(c) == 0 {
		return
	}
	one := uint16(1)
	if *(*byte)(unsafe.Pointer(&one)) == 1 {
		words(h, xxhash.Sum64(unsafe.Slice((*byte)(unsafe.Pointer(&c[0])), len(c)*8)))
		return
	}
	var d xxhash.Digest
	d.Reset()
	for _, v := range c {
		words(&d, *(*uint64)(unsafe.Pointer(&v)))
	}
	words(h, d.Sum64())
}

// fingerprint identifies a result: the same fingerprint is the same result.
func fingerprint(cfg *Config, data string) (string, error) {
	b, err := cfg.MarshalJSON()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	h.Write(b)
	h.Write([]byte(data))
	h.Write([]byte(EngineVersion))
	return hex.EncodeToString(h.Sum(nil)), nil
}
