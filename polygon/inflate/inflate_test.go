package inflate_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"backtester/polygon/inflate"
)

// all text of a file, read into chunks of the size in turn.
func all(r *inflate.Reader, file []byte, size int) ([]byte, error) {
	if err := r.Load(bytes.NewReader(file), int64(len(file))); err != nil {
		return nil, err
	}
	chunks := []inflate.Chunk{inflate.NewChunk(size), inflate.NewChunk(size)}
	var out []byte
	for i := 0; ; i++ {
		text, err := r.Next(chunks[i%2])
		out = append(out, text...)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

func zip(t testing.TB, level int, texts ...[]byte) []byte {
	var b bytes.Buffer
	for _, text := range texts {
		w, err := gzip.NewWriterLevel(&b, level)
		if err != nil {
			t.Fatal(err)
		}
		w.Name, w.Comment, w.Extra = "a name", "a comment", []byte{1, 2, 3}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// texts of many kinds: empty, random, repetitive at every small distance, rows as in flat files.
func texts() [][]byte {
	rng := rand.New(rand.NewPCG(1, 9))
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	var rows []byte
	for i := range 20_000 {
		rows = fmt.Appendf(rows, "T%05d,%d,%.2f,%.2f,%d,%d\n", i/300, rng.IntN(9000), 10+rng.Float64(), 10+rng.Float64(), 1700000000000000000+int64(i)*60e9, rng.IntN(50))
	}
	list := [][]byte{{}, {'x'}, noise, noise[:70_000], rows, bytes.Repeat([]byte{0}, 300_000), bytes.Repeat(noise[:40_000], 5), bytes.Repeat(noise[:32_768], 3), bytes.Repeat(noise[:32_769], 3)}
	for d := 1; d < 40; d++ {
		list = append(list, bytes.Repeat(noise[:d], 3000/d))
	}
	return list
}

func TestEqualsTheStandardLibrary(t *testing.T) {
	r := &inflate.Reader{}
	for i, text := range texts() {
		for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, gzip.DefaultCompression, gzip.BestCompression, gzip.HuffmanOnly} {
			for _, size := range []int{1024, 5000, 256 << 10} {
				if testing.Short() && size < 5000 && len(text) > 5000 {
					continue
				}
				got, err := all(r, zip(t, level, text), size)
				if err != nil || !bytes.Equal(got, text) {
					t.Fatalf("text %d level %d chunks of %d: %d bytes of %d, %v", i, level, size, len(got), len(text), err)
				}
			}
		}
	}
}

func TestMembersFollowEachOther(t *testing.T) {
	a, b := bytes.Repeat([]byte("abc"), 30_000), []byte("def")
	r := &inflate.Reader{}
	got, err := all(r, zip(t, 6, a, nil, b, a), 4096)
	if want := slices.Concat(a, b, a); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
	for name, c := range map[string]struct {
		behind string
		is     error
	}{"garbage": {"garbage behind", inflate.ErrHeader}, "zeros": {"\x00\x00\x00", inflate.ErrHeader}, "half a header": {"\x1f\x8b\x08", io.ErrUnexpectedEOF}} {
		if _, err := all(r, append(zip(t, 6, a), c.behind...), 4096); !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A distance may not reach into the member before.
	first := zip(t, 6, bytes.Repeat([]byte("0123456789"), 10))
	second := []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 0x03, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if _, err := all(r, append(first, second...), 4096); !errors.Is(err, inflate.ErrCorrupt) || !strings.Contains(err.Error(), "beyond the text") {
		t.Errorf("%v", err)
	}
}

// Every file cut short is refused, with the same words wherever it is cut behind the header.
func TestEveryTruncationIsRefused(t *testing.T) {
	r := &inflate.Reader{}
	for _, level := range []int{0, 1, 6, gzip.HuffmanOnly} {
		file := zip(t, level, []byte(strings.Repeat("one,two,three,4.25\n", 40)))
		for n := range file {
			if _, err := all(r, file[:n], 1024); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("level %d cut at %d of %d: %v", level, n, len(file), err)
			}
		}
	}
}

func TestErrorsStayAndAreNamed(t *testing.T) {
	r := &inflate.Reader{}
	file := zip(t, 6, []byte("some text"))
	file[len(file)-1] ^= 1
	if err := r.Load(bytes.NewReader(file), 0); err != nil {
		t.Fatal(err)
	}
	c := inflate.NewChunk(0)
	for range 2 {
		if _, err := r.Next(c); !errors.Is(err, inflate.ErrChecksum) {
			t.Errorf("%v", err)
		}
	}
	broken := errors.New("broken pipe")
	if err := r.Load(io.MultiReader(bytes.NewReader(file), errReader{broken}), 5); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// FuzzDifferential: whatever the bytes, the verdict and the text are those of compress/gzip.
func FuzzDifferential(f *testing.F) {
	for i, text := range texts() {
		if len(text) > 5000 {
			text = text[:5000]
		}
		f.Add(zip(f, []int{0, 1, 6, 9, gzip.HuffmanOnly}[i%5], text))
	}
	f.Add(zip(f, 6, []byte("a"), []byte("b")))
	r := &inflate.Reader{}
	f.Fuzz(func(t *testing.T, file []byte) { differential(t, r, file) })
}

func differential(t *testing.T, r *inflate.Reader, file []byte) bool {
	t.Helper()
	const limit = 1 << 22
	var want []byte
	z, wantErr := gzip.NewReader(bytes.NewReader(file))
	if wantErr == nil {
		want, wantErr = io.ReadAll(io.LimitReader(z, limit))
		if len(want) == limit {
			t.Skip("inflates without end")
		}
	}
	got, err := all(r, file, 1024+len(file)%3*1000)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("verdict %v, want %v", err, wantErr)
	}
	if errors.Is(err, inflate.ErrChecksum) != errors.Is(wantErr, gzip.ErrChecksum) {
		t.Fatalf("verdict %v, want %v", err, wantErr)
	}
	whole := err == nil || errors.Is(err, inflate.ErrChecksum) // all codes were right, if not the text
	if whole && !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, want %d, or others", len(got), len(want))
	}
	return err == nil
}

var tries = flag.Int("mutations", 2000, "how many damaged files to compare")

// Damaged in all ways at random places, checksums made right again or not: the same verdicts.
func TestMutationsAgreeWithTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	r := &inflate.Reader{}
	accepted := 0
	list := texts()
	n := *tries
	if testing.Short() {
		n /= 10
	}
	for try := range n {
		text := list[rng.IntN(len(list))]
		text = text[:min(len(text), 1+rng.IntN(3000))]
		file := zip(t, []int{0, 1, 6, gzip.HuffmanOnly}[rng.IntN(4)], text)
		for range 1 + rng.IntN(3) {
			at := rng.IntN(len(file))
			if try%2 == 0 { // in the codes, which stand at the beginning
				at = min(len(file)-1, 35+rng.IntN(60))
			}
			file[at] ^= 1 << rng.IntN(8)
		}
		if differential(t, r, file) {
			accepted++
		}
	}
	if accepted == 0 || accepted > n*3/10 {
		t.Errorf("%d of %d accepted", accepted, n)
	}
}

func TestAllocatesNothingOnceWarm(t *testing.T) {
	file := zip(t, 6, texts()[4])
	r := &inflate.Reader{}
	c := []inflate.Chunk{inflate.NewChunk(64 << 10), inflate.NewChunk(64 << 10)}
	src := bytes.NewReader(nil)
	n := testing.AllocsPerRun(10, func() {
		src.Reset(file)
		if err := r.Load(src, int64(len(file))); err != nil {
			t.Fatal(err)
		}
		for i := 0; ; i++ {
			if _, err := r.Next(c[i%2]); err == io.EOF {
				return
			} else if err != nil {
				t.Fatal(err)
			}
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
