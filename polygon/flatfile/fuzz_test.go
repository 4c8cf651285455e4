package flatfile_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"backtester/backtest/store"
	"backtester/polygon/flatfile"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode checks what holds for any text: no panic, a batch that keeps its promises, and, where
// nothing was noted, the values that encoding/csv and strconv read.
func FuzzDecode(f *testing.F) {
	f.Add(head + "A,200,11.82,9.83,11.82,8.09," + stamp + ",62\nB,1.5,1,1,1,1," + stamp + ",\n")
	f.Add(head + "B,1,1,1,1,1," + stamp + ",1\nA,1,1,1,1,1," + stamp + ",1\nA,1,1,1,1,1," + stamp + ",1\n")
	f.Add("low,otc,ticker,transactions,high,window_start,open,close,volume\r\n1,x,A,5,4," + stamp + ",2,3,9\r\n")
	f.Add(head + "NA,1e3,+1,1.,1,.5," + stamp + ",-1\n\n")
	f.Add(head + "A,00000000000000001.5,123456789012345678901234567890,1,9e40,0.00000000000000000001," + stamp + ",1")
	d := flatfile.NewDecoder()
	f.Fuzz(func(t *testing.T, text string) {
		session := date(t, "2024-01-03")
		b, notes, err := d.Decode(flatfile.Source{Dataset: flatfile.Day, Session: session, Reader: bytes.NewReader(zip(t, text))})
		if err != nil {
			if fe := (*flatfile.FileError)(nil); !errors.As(err, &fe) || len(b.Time) > 0 {
				t.Fatalf("%d rows and %v", len(b.Time), err)
			}
			return
		}
		promises(t, b)
		if len(notes) == 0 {
			agrees(t, text, b)
		}
	})
}

// promises of Decode about a batch.
func promises(t *testing.T, b store.Batch) {
	t.Helper()
	if len(b.Time) == 0 || b.Start[0] != 0 || int(b.Start[len(b.Symbols)]) != len(b.Time) || !slices.IsSorted(b.Symbols) {
		t.Fatalf("shape: %v %v %d", b.Symbols, b.Start, len(b.Time))
	}
	for k, symbol := range b.Symbols {
		if b.Start[k] >= b.Start[k+1] || (k > 0 && symbol == b.Symbols[k-1]) {
			t.Fatalf("%s: rows %d to %d", symbol, b.Start[k], b.Start[k+1])
		}
		for i := b.Start[k]; i < b.Start[k+1]; i++ {
			o, h, l, c, v := b.Open[i], b.High[i], b.Low[i], b.Close[i], b.Volume[i]
			ok := l > 0 && l <= o && l <= c && o <= h && c <= h && h <= math.MaxFloat64 && v > 0 && b.Transactions[i] >= -1
			if !ok || (i > b.Start[k] && b.Time[i] <= b.Time[i-1]) {
				t.Fatalf("%s row %d: %v %v %v %v %v %d", symbol, i, o, h, l, c, v, b.Time[i])
			}
		}
	}
}

// agrees compares a batch of one bar a ticker with another reader of the same text.
func agrees(t *testing.T, text string, b store.Batch) {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text))
	r.LazyQuotes, r.FieldsPerRecord = true, -1
	records, err := r.ReadAll()
	if err != nil || len(records) != len(b.Time)+1 {
		t.Fatalf("%d records for %d rows: %v", len(records), len(b.Time), err)
	}
	for i, rec := range records[1:] {
		for c, name := range records[0] {
			var got float64
			switch name {
			case "ticker":
				if b.Symbols[i] != rec[c] {
					t.Fatalf("row %d: %q, want %q", i, b.Symbols[i], rec[c])
				}
				continue
			case "volume":
				got = b.Volume[i]
			case "open":
				got = b.Open[i]
			case "high":
				got = b.High[i]
			case "low":
				got = b.Low[i]
			case "close":
				got = b.Close[i]
			default:
				continue
			}
			if want, err := strconv.ParseFloat(rec[c], 64); err != nil || got != want {
				t.Fatalf("row %d %s: %v, want %v (%v)", i, name, got, want, err)
			}
		}
	}
}

// FuzzDecodeBytes feeds bytes that need not be gzip at all.
func FuzzDecodeBytes(f *testing.F) {
	f.Add(zip(f, head+"A,1,1,1,1,1,"+stamp+",1\n"))
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	d := flatfile.NewDecoder()
	f.Fuzz(func(t *testing.T, file []byte) {
		b, _, err := d.Decode(flatfile.Source{Dataset: flatfile.Day, Session: 19725, Reader: bytes.NewReader(file)})
		if err == nil {
			promises(t, b)
		}
	})
}

var tries = flag.Int("mutations", 20_000, "how many damaged copies of a file to try")

// Every damaged copy of a file is refused or, where the damage hit a byte without meaning (the time
// in gzip's header), decodes to the very same batch.
func TestNoMutationGivesAWrongBar(t *testing.T) {
	want := market(t, 40, 12)
	var file bytes.Buffer
	if err := flatfile.Write(&file, flatfile.Minute, want); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	d := flatfile.NewDecoder()
	refused := 0
	for try := range *tries {
		bad := slices.Clone(file.Bytes())
		at := rng.IntN(len(bad))
		switch try % 8 {
		case 0:
			bad[at] ^= 1 << rng.IntN(8)
		case 1:
			bad[at] += byte(1 + rng.IntN(255))
		case 2:
			bad = bad[:at]
		case 3:
			bad = slices.Delete(bad, at, at+1)
		case 4:
			bad = slices.Insert(bad, at, byte(rng.Uint32()))
		case 5: // a sector that was never written
			end := min(at+512, len(bad))
			if bytes.Equal(bad[at:end], make([]byte, end-at)) {
				bad[at]++
			}
			clear(bad[at:end])
		case 6: // a sector written twice
			bad = slices.Insert(bad, at, bad[at:min(at+512, len(bad))]...)
		case 7:
			bad = append(bad, make([]byte, 1+rng.IntN(512))...)
		}
		got, notes, err := d.Decode(flatfile.Source{Dataset: flatfile.Minute, Session: want.Session, Reader: bytes.NewReader(bad)})
		if err != nil {
			if text := err.Error(); !strings.Contains(text, flatfile.Key(flatfile.Minute, want.Session)) || !strings.Contains(text, "(byte ") || len(got.Time) > 0 {
				t.Fatalf("mutation %d: %d rows and an error that does not name the file and the place: %v", try, len(got.Time), err)
			}
			refused++
			continue
		}
		if len(notes) > 0 || !cmp.Equal(want, got) {
			t.Fatalf("mutation %d at byte %d of %d passed with %v", try, at, len(bad), notes)
		}
	}
	if refused < *tries*9/10 {
		t.Errorf("only %d of %d refused", refused, *tries)
	}
}
