package barfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"syscall"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"backtester/polygon/inflate"
)

// Refusals say what the file is instead, and what to do.

const webPage = "it is a web page, perhaps an error of the site it came from: download the CSV again"

// foreign says what a file is that begins so and is no text; "" for text.
func foreign(head []byte) string {
	for _, k := range []struct{ magic, what string }{
		{"PK\x03\x04", "it is a spreadsheet or a zip archive: save the sheet as CSV, or unpack the archive"},
		{"\xd0\xcf\x11\xe0", "it is a spreadsheet: save the sheet as CSV"},
		{"PAR1", "it is a Parquet file: take it into a store with data import"},
		{"ARROW1", "it is an Arrow file: save it as CSV or Parquet"},
		{"\x28\xb5\x2f\xfd", "it is packed with zstd: unpack it first"},
		{"BZh", "it is packed with bzip2: unpack it first"},
		{"\xfd7zXZ", "it is packed with xz: unpack it first"},
		{"\xff\xfe", "it is text in UTF-16: save it as UTF-8"},
		{"\xfe\xff", "it is text in UTF-16: save it as UTF-8"},
		{"{", "it is JSON: want CSV with a header such as date,open,high,low,close,volume"},
		{"[", "it is JSON: want CSV with a header such as date,open,high,low,close,volume"},
		{"<!", webPage}, {"<html", webPage}, {"<HTML", webPage}, {"<?xml", webPage},
	} {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return k.what
		}
	}
	if i := bytes.IndexAny(head, "\n\r"); i >= 0 {
		head = head[:i]
	} else if len(head) > utf8.UTFMax { // the last letter may be cut
		head = head[:len(head)-utf8.UTFMax]
	}
	if !utf8.Valid(head) || bytes.ContainsFunc(head, func(r rune) bool { return r < ' ' && r != '\t' }) {
		return "it is no text: want CSV with a header such as date,open,high,low,close,volume"
	}
	return ""
}

// broken explains a fault of reading a file, after so many lines.
func broken(name string, line int, err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("unpack %s: it ends in the middle, after line %d: it was cut off, copy or download it again", name, line)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), errors.Is(err, inflate.ErrChecksum), errors.Is(err, inflate.ErrHeader), errors.Is(err, inflate.ErrCorrupt):
		return fmt.Errorf("unpack %s: it is damaged after line %d: copy or download it again: %w", name, line, err)
	}
	return fmt.Errorf("read %s after line %d: %w", name, line, err)
}

// separated says which other separator a header has, "" when it has commas.
func separated(header []byte) string {
	if bytes.IndexByte(header, ',') >= 0 {
		return ""
	}
	for _, k := range []struct{ mark, name string }{{";", "semicolons"}, {"\t", "tabs"}, {"|", "vertical bars"}} {
		if bytes.Count(header, []byte(k.mark)) >= 3 {
			return "its fields are separated by " + k.name + ": save it with commas, and with points in numbers"
		}
	}
	return ""
}

// headless explains a header without columns that bars need.
func headless(header []byte, missing, want string) error {
	if what := separated(header); what != "" {
		return errors.New(what)
	}
	if what := foreign(header); what != "" {
		return errors.New(what)
	}
	return fmt.Errorf("no column %s in the header %.80q; want %s, separated by commas", missing, header, want)
}

// sniff refuses files that are no text; those that are packed are seen once they are unpacked.
func sniff(head *bufio.Reader, name string) error {
	b, err := head.Peek(512)
	if len(b) == 0 && err != nil && err != io.EOF {
		if errors.Is(err, syscall.EISDIR) {
			return fmt.Errorf("read %s: it is a folder: name a file in it", name)
		}
		return fmt.Errorf("read %s: %w", name, err)
	}
	if what := foreign(b); what != "" && !bytes.HasPrefix(b, []byte("\x1f\x8b")) {
		return fmt.Errorf("read %s: %s", name, what)
	}
	return nil
}
