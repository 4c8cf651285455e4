package flatfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
	"backtester/backtest/store"
	"backtester/polygon/flatfile"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// zip uses the standard library, not the encoder under test.
func zip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t testing.TB, ds flatfile.Dataset, day string, file []byte) (store.Batch, flatfile.Notes, error) {
	t.Helper()
	return flatfile.NewDecoder().Decode(flatfile.Source{Dataset: ds, Session: date(t, day), Reader: bytes.NewReader(file), Size: int64(len(file))})
}

const head = flatfile.Header + "\n"

// Daily stamp of 2024-01-03: midnight in New York, 05:00 UTC.
const stamp = "1704258000000000000"

func TestDecodeDayFile(t *testing.T) {
	text := head +
		"A,200.5,11.82,9.83,11.82,8.09," + stamp + ",62\n" +
		"BCPC,1e3,1,2,3,0.5," + stamp + ",\n" +
		"BCpC,7,1234567890.123456789,1234567890.123456789,1234567890.123456789,1234567890.1," + stamp + ",1\n" +
		"NA,3,5,5,5,5," + stamp + ",2" // no newline at the end
	b, notes, err := decode(t, flatfile.Day, "2024-01-03", zip(t, text))
	if err != nil || len(notes) != 0 {
		t.Fatal(err, notes)
	}
	day := date(t, "2024-01-03")
	want := store.Batch{
		Session: day, Symbols: []string{"A", "BCPC", "BCpC", "NA"}, Start: []int32{0, 1, 2, 3, 4},
		Time:   []int64{day.Nanos(), day.Nanos(), day.Nanos(), day.Nanos()},
		Open:   []float64{11.82, 1, 1234567890.123456789, 5},
		High:   []float64{11.82, 3, 1234567890.123456789, 5},
		Low:    []float64{8.09, 0.5, 1234567890.1, 5},
		Close:  []float64{9.83, 2, 1234567890.123456789, 5},
		Volume: []float64{200.5, 1000, 7, 3}, Transactions: []int64{62, -1, 1, 2},
	}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeFindsColumnsByName(t *testing.T) {
	text := "low,otc,ticker,transactions,high,window_start,open,close,volume\r\n1,x,A,5,4," + stamp + ",2,3,9\r\n"
	b, notes, err := decode(t, flatfile.Day, "2024-01-03", zip(t, text))
	if err != nil || len(notes) != 0 {
		t.Fatal(err, notes)
	}
	got := fmt.Sprint(b.Symbols, b.Open, b.High, b.Low, b.Close, b.Volume, b.Transactions)
	if want := "[A] [2] [4] [1] [3] [9] [5]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What refuses a whole file, with the place that the message must name.
func TestDecodeRefusesFiles(t *testing.T) {
	good := "A,1,1,1,1,1," + stamp + ",1\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "no header"},
		{"header only", head, "no row with a trade"},
		{"no close", "ticker,volume,open,high,low,window_start,transactions\n", "no column close in the header"},
		{"twice", "ticker,volume,open,close,high,low,low,window_start,transactions\n", `names column "low" twice`},
		{"other file", "Symbol,Date,Price\nA,2,3\n", "no column ticker, volume"},
		{"too few", head + good + "A,1,1,1,1,1," + stamp + "\n", "line 3 (byte 94): 7 fields where the header has 8"},
		{"too many", head + "A,1,1,1,1,1," + stamp + ",1,1\n", "line 2 (byte 60): 9 fields where the header has 8"},
		{"NaN", head + "A,1,NaN,1,1,1," + stamp + ",1\n", `column open: "NaN" is no number`},
		{"inf", head + "A,inf,1,1,1,1," + stamp + ",1\n", `column volume: "inf" is no number`},
		{"empty price", head + "A,1,1,1,,1," + stamp + ",1\n", "column high is empty"},
		{"hex", head + "A,1,1,1,0x1p4,1," + stamp + ",1\n", `"0x1p4" is no number`},
		{"two dots", head + "A,1,1.1.1,1,1,1," + stamp + ",1\n", `"1.1.1" is no number`},
		{"huge", head + "A,1e999,1,1,1,1," + stamp + ",1\n", `"1e999" is no number`},
		{"only a dot", head + "A,.,1,1,1,1," + stamp + ",1\n", `"." is no number`},
		{"stamp with exponent", head + "A,1,1,1,1,1,1.7e18,1\n", `column window_start: "1.7e18" is no number`},
		{"stamp too long", head + "A,1,1,1,1,1,99999999999999999999,1\n", "column window_start"},
		{"stamp beyond int64", head + "A,1,1,1,1,1,9999999999999999999,1\n", "column window_start"},
		{"no stamp", head + "A,1,1,1,1,1,,1\n", "column window_start is empty"},
		{"quotes", head + "A,\"1\",1,1,1,1," + stamp + ",1\n", "column volume"},
		{"endless line", head + strings.Repeat("x", 1<<20), "no flat file"},
		{"html inside gzip", "<!DOCTYPE html><title>Log in</title>", "no column ticker"},
		{"all impossible", head + "A,1,0,0,0,0," + stamp + ",1\n", "1 of 1 rows are impossible"},
		{"swapped columns", head + strings.Repeat("A,1,5,5,4,6,"+stamp+",1\n", 12), "12 of 12 rows are impossible"},
	} {
		b, _, err := decode(t, flatfile.Day, "2024-01-03", zip(t, c.text))
		var fe *flatfile.FileError
		switch {
		case !errors.As(err, &fe):
			t.Errorf("%s: want a *FileError, got %v and %d rows", c.name, err, len(b.Time))
		case len(b.Time) > 0:
			t.Errorf("%s: an error and %d rows", c.name, len(b.Time))
		case !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "day_aggs_v1/2024/01/2024-01-03.csv.gz line "):
			t.Errorf("%s: %v\nwant %q and the file with its line", c.name, err, c.want)
		case errors.Is(err, flatfile.ErrDamaged):
			t.Errorf("%s: content taken for damage", c.name)
		}
	}
}

func TestDecodeKnowsDamage(t *testing.T) {
	file := zip(t, head+strings.Repeat("A,1,1,1,1,1,"+stamp+",1\n", 1))
	flipped := slices.Clone(file)
	flipped[len(flipped)-5] ^= 1 // in the checksum
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":          {nil, "it is empty"},
		"web page":         {[]byte("<html><body>Please log in"), "a web page"},
		"plain csv":        {[]byte(head), `begins with "ticker,volume`},
		"cut":              {file[:len(file)-9], "ends in the middle"},
		"only a header":    {file[:3], "ends in the middle"},
		"flipped checksum": {flipped, "checksum does not match"},
		"another day":      {zip(t, strings.ReplaceAll(head+"A,1,1,1,1,1,"+stamp+",1\nB,1,1,1,1,1,"+stamp+",1\n", stamp, fmt.Sprint(bar.NYSE().Midnight(instrument.NewDate(2024, 1, 4))))), "all its rows are of 2024-01-04"},
		"trailing junk":    {append(slices.Clone(file), "junk-junk-junk"...), "not gzip"},
	} {
		_, _, err := decode(t, flatfile.Day, "2024-01-03", c.file)
		if !errors.Is(err, flatfile.ErrDamaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Rows that are left out or moved, and nothing else with them.
func TestDecodeNotes(t *testing.T) {
	row := func(ticker, rest string) string { return ticker + "," + rest + "," + stamp + ",1\n" }
	text := head +
		row("Z", "1,1,1,1,1") + // line 2: later in the alphabet
		row("A", "1,5,5,5,5") + // 3: unsorted
		row("ZVZZT", "9,1,1,1,1") + // 4: test symbol
		row("NTEST.A", "9,1,1,1,1") + // 5: test symbol
		row("B", "0,0,0,0,0") + // 6: no trade
		row("C", "1,5,5,4,6") + // 7: low above high
		row("D", "1,5,5,6,-4") + // 8: negative low
		row("E", "1,7,5,6,4") + // 9: open above high
		row("F", "-1,5,5,6,4") + // 10: negative volume
		row("G!", "1,5,5,5,5") + // 11: ticker
		row("A", "1,5,5,5,5") + // 12: repeats line 3
		row("H", "1,5,5,5,5") + row("H", "2,5,5,5,5") + // 13, 14: contradict each other
		"I,1,5,5,5,5,1704344400000000000,1\n" + // 15: stamped a day late, kept
		"J,1,5,5,5,5," + stamp + ",99999999999\n" // 16: more trades than a day can have
	b, notes, err := decode(t, flatfile.Day, "2024-01-03", zip(t, text))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(b.Symbols, b.Start, b.Open); got != "[A I Z] [0 1 2 3] [5 5 1]" {
		t.Errorf("kept %s", got)
	}
	got := map[flatfile.Code]string{}
	for _, n := range notes {
		got[n.Code] = fmt.Sprintf("%d from %d", n.Rows, n.Line)
		if line := strings.Count(text[:n.Byte], "\n") + 1; line != n.Line {
			t.Errorf("%s: byte %d is in line %d, not %d", n.Code, n.Byte, line, n.Line)
		}
	}
	// Order is broken at lines 3 (A after Z), 5 (N after ZV), 6 (B after N) and 12 (A after G).
	want := map[flatfile.Code]string{
		flatfile.Unsorted: "4 from 3", flatfile.TestSymbol: "2 from 4", flatfile.ZeroVolume: "1 from 6", flatfile.BadPrice: "3 from 7",
		flatfile.BadVolume: "2 from 10", flatfile.BadTicker: "1 from 11", flatfile.Repeated: "1 from 12",
		flatfile.Contradiction: "1 from 14", flatfile.WrongStamp: "1 from 15",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("notes: %s", diff)
	}
	if notes.Faults() != 3+2+1+1 {
		t.Errorf("%d faults in %v", notes.Faults(), notes)
	}
}

// The New York day of 2024-03-10, when clocks go forward, is 05:00 to 04:00 UTC; in winter the
// evening's rows have the next UTC date.
func TestDecodeMinutesByNewYorkTime(t *testing.T) {
	for _, c := range []struct{ day, first, last string }{
		{"2024-01-03", "1704258000000000000", "1704344340000000000"}, // 00:00 and 23:59 EST
		{"2024-03-10", "1710046800000000000", "1710129540000000000"}, // 00:00 EST and 23:59 EDT
		{"2024-11-03", "1730606400000000000", "1730696340000000000"}, // 00:00 EDT and 23:59 EST
	} {
		text := head + "A,1,1,1,1,1," + c.first + ",1\nA,1,1,1,1,1," + c.last + ",1\n"
		b, notes, err := decode(t, flatfile.Minute, c.day, zip(t, text))
		if err != nil || len(notes) != 0 || len(b.Time) != 2 || fmt.Sprint(b.Time[0]) != c.first {
			t.Errorf("%s: %v %v %v", c.day, b.Time, notes, err)
		}
		for _, off := range []int64{b.Time[0] - 60e9, b.Time[1] + 60e9, b.Time[0] + 1e9} {
			_, notes, err := decode(t, flatfile.Minute, c.day, zip(t, text+fmt.Sprintf("B,1,1,1,1,1,%d,1\n", off)))
			if err != nil || notes.Faults() != 1 {
				t.Errorf("%s: row at %d: %v %v", c.day, off, notes, err)
			}
		}
	}
}

// A file in any order of rows, with repetitions, decodes to the same batch.
func TestDecodeIsIndifferentToOrder(t *testing.T) {
	b := market(t, 7, 30)
	var file bytes.Buffer
	if err := flatfile.Write(&file, flatfile.Minute, b); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(strings.TrimPrefix(unzip(t, file.Bytes()), head), "\n")+"\n", "\n")
	lines = lines[:len(lines)-1]
	d := flatfile.NewDecoder()
	rapid.Check(t, func(r *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 1))
		mixed := append(slices.Clone(lines), lines[rng.IntN(len(lines))])
		rng.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		got, notes, err := d.Decode(flatfile.Source{Dataset: flatfile.Minute, Session: b.Session,
			Reader: bytes.NewReader(zip(t, head+strings.Join(mixed, "")))})
		if err != nil || notes.Rows(flatfile.Repeated) != 1 || notes.Rows(flatfile.Unsorted) == 0 {
			r.Fatal(err, notes)
		}
		if diff := cmp.Diff(b, got); diff != "" {
			r.Fatal(diff)
		}
	})
}
