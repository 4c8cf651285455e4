package barfile_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"backtester/backtest/barfile"
)

// A Parquet file becomes the CSV that says the same; what is CSV already stays as it is.
func TestText(t *testing.T) {
	type row struct {
		Symbol    string    `parquet:"symbol"`
		Available int32     `parquet:"available,date"`
		Known     time.Time `parquet:"known,timestamp(microsecond:utc)"`
		Day       int64     `parquet:"day,timestamp(millisecond:local)"`
		Value     *float64  `parquet:"value,optional"`
		Count     int64     `parquet:"count"`
		Parts     []float64 `parquet:"parts,list"`
	}
	third := 1.0 / 3
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	midnight := time.Date(2024, 1, 31, 0, 0, 0, 0, time.UTC).UnixMilli()
	if _, err := w.Write([]row{
		{"BRK.B", 19753, time.Date(2024, 1, 31, 21, 0, 0, 500_000_000, time.UTC), midnight, &third, -7, []float64{1, 2}},
		{"A, B", 19754, time.Date(2024, 2, 1, 21, 0, 0, 0, time.UTC), midnight + 3_600_000, nil, 0, nil},
	}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := barfile.Text("signals.parquet", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	want := "symbol,available,known,day,value,count\n" +
		"BRK.B,2024-01-31,2024-01-31T21:00:00.5Z,2024-01-31,0.3333333333333333,-7\n" +
		"\"A, B\",2024-02-01,2024-02-01T21:00:00Z,2024-01-31T01:00:00,,0\n"
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	for _, plain := range []string{"available,value\n2024-01-31,1\n", "", "PAR"} {
		if got, err := barfile.Text("x.csv", []byte(plain)); err != nil || string(got) != plain {
			t.Errorf("%q becomes %q, %v", plain, got, err)
		}
	}
	for end := range b.Len() {
		if end < 4 || end%37 != 0 {
			continue
		}
		if _, err := barfile.Text("cut.parquet", b.Bytes()[:end]); err == nil || !strings.Contains(err.Error(), "cut.parquet") {
			t.Errorf("cut after %d bytes: %v", end, err)
		}
	}
}

// twoRows is a small Parquet file.
func twoRows(t testing.TB) []byte {
	type row struct {
		Available string  `parquet:"available"`
		Value     float64 `parquet:"value"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b)
	if _, err := w.Write([]row{{"2024-01-31", 1}, {"2024-02-01", 2}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A file of 600 bytes that states sizes of gigabytes is refused before there is room for them.
func TestDamagedSizes(t *testing.T) {
	huge := []byte{0xfe, 0xff, 0xff, 0xff, 0x0f} // 2^31-1, as the format writes it
	for name, damage := range map[string]struct {
		at   func(size int) int
		with []byte
		want string
	}{
		"footer":         {func(size int) int { return size - 8 }, []byte{0xf0, 0xff, 0xff, 0xff}, "footer should have 4294967280 bytes"},
		"page, unpacked": {func(int) int { return 7 }, huge, "the page at byte 4"},
		"page, packed":   {func(int) int { return 9 }, huge, "the page at byte 4"},
	} {
		data := twoRows(t)
		copy(data[damage.at(len(data)):], damage.with)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := barfile.Text("big.parquet", data)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "read big.parquet: the file is damaged: ") || !strings.Contains(err.Error(), damage.want) {
			t.Errorf("%s: %v", name, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
			t.Errorf("%s: took %d MB", name, took>>20)
		}
	}
}

// FuzzText damages a Parquet file: an error or a text, never a panic, nor more memory than there is.
func FuzzText(f *testing.F) {
	f.Add(twoRows(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		if text, err := barfile.Text("any", data); err == nil && bytes.HasPrefix(data, []byte("PAR1")) && text == nil {
			t.Error("neither a text nor an error")
		}
	})
}
