package barfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// The library makes room for whatever sizes a file states before it looks for the bytes: a file of 600
// bytes with one wrong byte could take 4 GB. So sizes are held against the file first.

// Limits of one page. Writers make pages of about 1 MB.
const (
	maxPageBytes  = 1 << 28
	maxPageValues = 1 << 26
)

// openParquet reads the footer of a Parquet file and looks at the header of every page: one read of 4 KB
// for each.
func openParquet(r io.ReaderAt, size int64) (*parquet.File, error) {
	const frame = 12 // PAR1 at both ends, and the length of the footer before the second
	var end [8]byte
	if size < frame {
		return nil, fmt.Errorf("the file is damaged: %d bytes are no Parquet file", size)
	}
	if _, err := r.ReadAt(end[:], size-int64(len(end))); err != nil {
		return nil, err
	}
	if footer := int64(binary.LittleEndian.Uint32(end[:])); footer > size-frame {
		return nil, fmt.Errorf("the file is damaged: its footer should have %d bytes, the whole file has %d", footer, size)
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	for _, group := range f.Metadata().RowGroups {
		for _, chunk := range group.Columns {
			if err := checkPages(r, size, &chunk.MetaData); err != nil {
				return nil, fmt.Errorf("the file is damaged: column %s: %w", chunk.MetaData.PathInSchema, err)
			}
		}
	}
	return f, nil
}

// checkPages looks at the sizes that the headers of a column's pages state.
func checkPages(r io.ReaderAt, size int64, m *format.ColumnMetaData) error {
	at := m.DataPageOffset
	if d := m.DictionaryPageOffset; d > 0 && d < at {
		at = d
	}
	end := at + m.TotalCompressedSize
	if at < 0 || end < at || end > size {
		return fmt.Errorf("its pages should be at bytes %d to %d, the file has %d", at, end, size)
	}
	section, buffered := io.NewSectionReader(r, 0, end), bufio.NewReader(nil)
	for at < end {
		if _, err := section.Seek(at, io.SeekStart); err != nil {
			return err
		}
		buffered.Reset(section)
		var h format.PageHeader
		if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(buffered)).Decode(&h); err != nil {
			if errors.Is(err, io.EOF) {
				return nil // the library says what is missing
			}
			return fmt.Errorf("the page at byte %d: %w", at, err)
		}
		read, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		start, bytes := at, int64(h.CompressedPageSize)
		at = read - int64(buffered.Buffered()) + bytes
		values := max(h.DataPageHeader.V.NumValues, h.DataPageHeaderV2.V.NumValues, h.DictionaryPageHeader.V.NumValues)
		if bytes < 0 || at > end || max(bytes, int64(h.UncompressedPageSize)) > maxPageBytes || values > maxPageValues {
			return fmt.Errorf("the page at byte %d says it has %d values in %d bytes, %d unpacked; its column ends at byte %d, and a page has at most %d values in %d bytes",
				start, values, bytes, h.UncompressedPageSize, end, maxPageValues, maxPageBytes)
		}
	}
	return nil
}
