package store

import (
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"backtester/backtest/instrument"
)

// seedSegment is the bytes of a small good segment.
func seedSegment(f *testing.F) []byte {
	dir := f.TempDir()
	w, err := newSegmentWriter(dir, "x.seg", dayDataset, []instrument.Date{100, 101, 104})
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range []string{"A", "BRK.B"} {
		c := columns{time: nanosOf([]instrument.Date{100, 101, 104}), trans: []int32{1, 2, 3}}
		for _, p := range []*[]float64{&c.open, &c.high, &c.low, &c.close, &c.volume} {
			*p = []float64{1, 2, 3}
		}
		if err := w.add(name, c); err != nil {
			f.Fatal(err)
		}
	}
	if _, err := w.finish(true); err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "x.seg"))
	if err != nil {
		f.Fatal(err)
	}
	return b
}

// FuzzSegment repairs the checksums of index and footer, so that the checks of structure behind them
// are reached: whatever an index says, nothing outside of the file is read.
func FuzzSegment(f *testing.F) {
	good := seedSegment(f)
	f.Add(good, 0, byte(0))
	for i := 0; i < len(good); i += 3 {
		f.Add(good, i, byte(0x81))
	}
	f.Fuzz(func(t *testing.T, b []byte, at int, change byte) {
		aligned := bytesOf(make([]float64, len(b)/8+1))[:len(b)]
		copy(aligned, b)
		b = aligned
		if at >= 0 && at < len(b) {
			b[at] ^= change
		}
		crc := uint32(0)
		if len(b) >= headerSize+footerSize {
			foot := b[len(b)-footerSize:]
			if sessions := int64s(foot[:8])[0]; sessions >= 0 && sessions <= int64(len(b)-footerSize) {
				sum := crc32.Update(crc32.Checksum(b[:headerSize], castagnoli), castagnoli, b[sessions:len(b)-footerSize])
				copy(foot[40:], bytesOf([]int32{int32(sum)}))
			}
			crc = crc32.Checksum(foot[:60], castagnoli)
			copy(foot[60:], bytesOf([]int32{int32(crc)}))
		}
		s := newSegment(segmentRef{File: "x.seg", Dataset: dayDataset, Size: int64(len(b)), CRC: crc}, b)
		if s.broken != nil {
			return
		}
		for i := range s.tickers() {
			if k, ok := s.find(s.ticker(i)); !ok || k != i {
				t.Fatalf("run %d (%q) is not found", i, s.ticker(i))
			}
			c, err := s.run(i)
			if err == nil && (len(c.time) != s.entry(i).rows || len(c.volume) != len(c.time) || len(c.trans) != len(c.time)) {
				t.Fatalf("run %d has columns of different lengths", i)
			}
		}
	})
}

func FuzzManifest(f *testing.F) {
	body := `{"generation":3,"synthetic":true,"segments":[{"file":"day-2024-1-0.seg","dataset":100,"size":1,"crc":2,"rows":3,"sessions":[19723]}]}` + "\n"
	for v := range 4 {
		f.Add([]byte(manifestHead(v, crc32.Checksum([]byte(body), castagnoli)) + "\n" + body))
	}
	f.Add([]byte("backtester-store 2 00000000\n"))
	f.Add([]byte("backtester-store"))
	f.Add([]byte("<html>\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseManifest(b)
		if err != nil {
			return
		}
		for _, r := range m.Segments {
			if r.first() > r.last() || filepath.Base(r.File) != r.File {
				t.Fatalf("segment %+v", r)
			}
		}
	})
}

func FuzzReferenceIndex(f *testing.F) {
	f.Add("A\t1\t2\t0\t10\t5\nB\t-2147483648\t2147483647\t10\t7\t9\n")
	f.Add("A\t1\n")
	f.Add("\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		spans, err := parseSpans(s)
		if err != nil {
			return
		}
		r := &reference{spans: spans, lines: []byte("{}")}
		for _, x := range spans {
			r.lookup(x.ticker, x.from)
			r.read(x) // must not read outside of the lines
		}
	})
}
