package inflate_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"backtester/polygon/inflate"
)

// BenchmarkInflate shows the cost of a byte of rows as flat files have them, beside the standard library.
func BenchmarkInflate(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	var rows []byte
	for k := range 500 {
		p := 1000 + rng.IntN(30000)
		for m := range 385 {
			o := p
			p = max(100, p+rng.IntN(21)-10)
			rows = fmt.Appendf(rows, "T%05d,%d,%d.%02d,%d.%02d,%d.%02d,%d.%02d,%d,%d\n", k, 1+rng.IntN(20000), o/100, o%100, p/100, p%100,
				(max(o, p)+3)/100, (max(o, p)+3)%100, min(o, p)/100, min(o, p)%100, 1709821800000000000+int64(m)*60e9, 1+rng.IntN(300))
		}
	}
	file := zip(b, 6, rows)
	b.Run("standard", func(b *testing.B) {
		b.SetBytes(int64(len(rows)))
		for b.Loop() {
			z, err := gzip.NewReader(bytes.NewReader(file))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, z); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(rows)))
		r := &inflate.Reader{}
		c := []inflate.Chunk{inflate.NewChunk(256 << 10), inflate.NewChunk(256 << 10)}
		for b.Loop() {
			if err := r.Load(bytes.NewReader(file), int64(len(file))); err != nil {
				b.Fatal(err)
			}
			for i := 0; ; i++ {
				if _, err := r.Next(c[i%2]); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
