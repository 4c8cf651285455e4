package barfile

import (
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/parquet-go/parquet-go"

	"backtester/backtest/bar"
	"backtester/backtest/instrument"
)

// dayRow and minuteRow are the tables of a Parquet file.
type dayRow struct {
	Symbol string   `parquet:"symbol,dict"`
	Date   int32    `parquet:"date,date"`
	Open   float64  `parquet:"open"`
	High   float64  `parquet:"high"`
	Low    float64  `parquet:"low"`
	Close  float64  `parquet:"close"`
	Volume *float64 `parquet:"volume,optional"`
}

type minuteRow struct {
	Symbol string   `parquet:"symbol,dict"`
	Time   int64    `parquet:"time,timestamp(nanosecond)"`
	Open   float64  `parquet:"open"`
	High   float64  `parquet:"high"`
	Low    float64  `parquet:"low"`
	Close  float64  `parquet:"close"`
	Volume *float64 `parquet:"volume,optional"`
}

// parquetExporter writes rows of type R.
type parquetExporter[R any] struct {
	out   *parquet.GenericWriter[R]
	frame bar.Frame
	row   func(s *bar.Series, i int) R
	rows  []R
}

func newParquet(w io.Writer, frame bar.Frame) Exporter {
	volume := func(s *bar.Series, i int) *float64 {
		if math.IsNaN(s.Volume[i]) {
			return nil
		}
		return &s.Volume[i]
	}
	zstd := parquet.Compression(&parquet.Zstd)
	if frame.Intraday() {
		return &parquetExporter[minuteRow]{parquet.NewGenericWriter[minuteRow](w, zstd), frame, func(s *bar.Series, i int) minuteRow {
			return minuteRow{s.Symbol, s.Time[i], s.Open[i], s.High[i], s.Low[i], s.Close[i], volume(s, i)}
		}, nil}
	}
	return &parquetExporter[dayRow]{parquet.NewGenericWriter[dayRow](w, zstd), frame, func(s *bar.Series, i int) dayRow {
		return dayRow{s.Symbol, int32(s.Date(i)), s.Open[i], s.High[i], s.Low[i], s.Close[i], volume(s, i)}
	}, nil}
}

// batchRows are handed to the writers of columns at once.
const batchRows = 8192

func (e *parquetExporter[R]) Add(s *bar.Series) error {
	if err := fits(s, e.frame); err != nil {
		return err
	}
	for i := 0; i < s.Len(); {
		e.rows = e.rows[:0]
		for end := min(s.Len(), i+batchRows); i < end; i++ {
			e.rows = append(e.rows, e.row(s, i))
		}
		if _, err := e.out.Write(e.rows); err != nil {
			return fmt.Errorf("export bars: %w", err)
		}
	}
	return nil
}

func (e *parquetExporter[R]) Close() error {
	if err := e.out.Close(); err != nil {
		return fmt.Errorf("export bars: %w", err)
	}
	return nil
}

// arrowExporter writes a record batch for at most batchRows bars of a series.
type arrowExporter struct {
	out   *ipc.FileWriter
	frame bar.Frame
	build *array.RecordBuilder
}

func newArrow(w io.Writer, frame bar.Frame) (Exporter, error) {
	stamp := arrow.Field{Name: "date", Type: arrow.FixedWidthTypes.Date32}
	if frame.Intraday() {
		stamp = arrow.Field{Name: "time", Type: &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}}
	}
	fields := []arrow.Field{{Name: "symbol", Type: arrow.BinaryTypes.String}, stamp}
	for _, name := range []string{"open", "high", "low", "close", "volume"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: name == "volume"})
	}
	schema := arrow.NewSchema(fields, nil)
	out, err := ipc.NewFileWriter(w, ipc.WithSchema(schema))
	if err != nil {
		return nil, fmt.Errorf("export bars: %w", err)
	}
	return &arrowExporter{out, frame, array.NewRecordBuilder(memory.DefaultAllocator, schema)}, nil
}

func (e *arrowExporter) Add(s *bar.Series) error {
	if err := fits(s, e.frame); err != nil {
		return err
	}
	for i := 0; i < s.Len(); i += batchRows {
		if err := e.batch(s.Slice(i, min(s.Len(), i+batchRows))); err != nil {
			return fmt.Errorf("export bars: %w", err)
		}
	}
	return nil
}

func (e *arrowExporter) batch(s *bar.Series) error {
	symbols := e.build.Field(0).(*array.StringBuilder)
	for range s.Len() {
		symbols.Append(s.Symbol)
	}
	switch b := e.build.Field(1).(type) {
	case *array.Date32Builder:
		for _, t := range s.Time {
			b.Append(arrow.Date32(instrument.DateOfNanos(t)))
		}
	case *array.TimestampBuilder:
		for _, t := range s.Time {
			b.Append(arrow.Timestamp(t))
		}
	}
	for k, c := range [][]float64{s.Open, s.High, s.Low, s.Close} {
		e.build.Field(2+k).(*array.Float64Builder).AppendValues(c, nil)
	}
	volume := e.build.Field(6).(*array.Float64Builder)
	for _, v := range s.Volume {
		if math.IsNaN(v) {
			volume.AppendNull()
		} else {
			volume.Append(v)
		}
	}
	batch := e.build.NewRecordBatch()
	defer batch.Release()
	return e.out.Write(batch)
}

func (e *arrowExporter) Close() error {
	e.build.Release()
	if err := e.out.Close(); err != nil {
		return fmt.Errorf("export bars: %w", err)
	}
	return nil
}
