package barfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Text is a table as CSV: data itself, or what a Parquet file holds, under the names of its columns,
// numbers in the shortest form that reads back to the same bits, dates as dates, instants as RFC 3339,
// absent values empty. Time stamps without a zone that are all of midnight are dates. Columns below a
// group are left out. Cost: about 1 us a row.
func Text(name string, data []byte) (text []byte, err error) {
	if !bytes.HasPrefix(data, []byte("PAR1")) {
		return data, nil
	}
	row := 0
	// The library panics on some damaged files. That is a fault of the input, not of the program.
	defer func() {
		if p := recover(); p != nil {
			text, err = nil, fmt.Errorf("read %s after row %d: the file is damaged: %v", name, row, p)
		}
	}()
	f, err := openParquet(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	schema := f.Schema()
	var place []int // of each leaf in a record, -1 for those left out
	var head []string
	var texts []func([]byte, parquet.Value) []byte
	for _, path := range schema.Columns() {
		leaf, _ := schema.Lookup(path...)
		if len(path) != 1 || leaf.MaxRepetitionLevel != 0 {
			place = append(place, -1)
			continue
		}
		place = append(place, len(head))
		head = append(head, path[0])
		texts = append(texts, stampText(leaf.Node.Type().LogicalType()))
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(head); err != nil {
		return nil, err
	}
	record := make([]string, len(head))
	var cell []byte
	for _, group := range f.RowGroups() {
		rows, batch := group.Rows(), make([]parquet.Row, 512)
		for done := false; !done; {
			n, err := rows.ReadRows(batch)
			if done = errors.Is(err, io.EOF); err != nil && !done {
				rows.Close()
				return nil, fmt.Errorf("read %s after row %d: %w", name, row, err)
			}
			for _, r := range batch[:n] {
				row++
				clear(record)
				for _, v := range r {
					if k := place[v.Column()]; k >= 0 && !v.IsNull() {
						cell = texts[k](cell[:0], v)
						record[k] = string(cell)
					}
				}
				if err := w.Write(record); err != nil {
					rows.Close()
					return nil, err
				}
			}
		}
		if err := rows.Close(); err != nil {
			return nil, fmt.Errorf("read %s after row %d: %w", name, row, err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// stampText is textOf with instants as RFC 3339, and those of midnight without a zone as dates.
func stampText(t *format.LogicalType) func([]byte, parquet.Value) []byte {
	if t != nil {
		if x, ok := t.Value.(*format.TimestampType); ok {
			unit, utc := unitOf(x.Unit), x.IsAdjustedToUTC
			return func(b []byte, v parquet.Value) []byte {
				at := time.Unix(0, v.Int64()*unit).UTC()
				switch {
				case utc:
					return at.AppendFormat(b, time.RFC3339Nano)
				case at.Equal(at.Truncate(24 * time.Hour)):
					return at.AppendFormat(b, time.DateOnly)
				}
				return at.AppendFormat(b, "2006-01-02T15:04:05.999999999")
			}
		}
	}
	return textOf(t)
}
