package barfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"backtester/polygon/inflate"
)

const (
	chunkSize = 256 << 10
	maxLine   = 1 << 20
)

// readFile reads one CSV file, unpacking it when its first bytes are those of gzip.
func readFile(file File) (*table, error) {
	f, err := os.Open(file.Path)
	if err != nil {
		return nil, fmt.Errorf("read bars of %s: %w", file.Symbol, err)
	}
	defer f.Close()
	size := int64(0)
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		size = info.Size()
	}
	return read(f, file.Path, size)
}

// gzipRatio is a low guess of how many times CSV bars shrink.
const gzipRatio = 4

// read a CSV file, plain or gzip; name is for errors, size (0 = unknown) for making room.
func read(r io.Reader, name string, size int64) (*table, error) {
	head := bufio.NewReaderSize(r, 64<<10)
	r = head
	if err := sniff(head, name); err != nil {
		return nil, err
	}
	if magic, _ := head.Peek(2); string(magic) == "\x1f\x8b" {
		z := &unpacked{chunk: inflate.NewChunk(chunkSize)}
		if err := z.file.Load(head, size); err != nil {
			return nil, broken(name, 0, err)
		}
		r, size = z, size*gzipRatio
	}
	chunks, stop := lines(r)
	defer stop()
	t := &table{name: name}
	for c := range chunks {
		if c.err != nil {
			return nil, broken(name, t.line, c.err)
		}
		if err := t.add(c.b); err != nil {
			return nil, fmt.Errorf("read %s line %d: %w", name, t.line, err)
		}
		if size > 0 && len(t.time) > 0 && cap(t.time) < int(size/int64(len(c.b)))*len(t.time) {
			t.grow(int(size / int64(len(c.b)) * int64(len(t.time))))
			size = 0 // once
		}
		c.free <- c.b[:0]
	}
	if t.line == 0 {
		return nil, fmt.Errorf("read %s: the file is empty; want a header such as date,open,high,low,close,volume", name)
	}
	return t, nil
}

// unpacked is the text of a gzip file that lies in memory.
type unpacked struct {
	file  inflate.Reader
	chunk inflate.Chunk
	text  []byte // in it, not read yet
}

func (u *unpacked) Read(b []byte) (int, error) {
	if len(u.text) == 0 {
		text, err := u.file.Next(u.chunk)
		if len(text) == 0 {
			return 0, err
		}
		u.text = text
	}
	n := copy(b, u.text)
	u.text = u.text[n:]
	return n, nil
}

// chunk is whole lines, the last of a file perhaps without its line end. The buffer goes back through
// free when it was read.
type chunk struct {
	b    []byte
	err  error
	free chan<- []byte
}

// lines reads in its own goroutine, so that unpacking and parsing overlap. stop ends it.
func lines(r io.Reader) (chunks <-chan chunk, stop func()) {
	out, free, quit := make(chan chunk, 2), make(chan []byte, 4), make(chan struct{})
	for range cap(free) {
		free <- make([]byte, 0, chunkSize+4096)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer close(out)
		var tail []byte // the beginning of a line whose end comes with the next chunk
		for end := false; !end; {
			var b []byte
			select {
			case b = <-free:
			case <-quit:
				return
			}
			b = append(b, tail...)
			var err error
			b, err = fill(r, b)
			c := chunk{b: b, free: free}
			switch {
			case err == io.EOF:
				end = true
			case err != nil:
				end, c.err = true, err
			default:
				cut := bytes.LastIndexByte(b, '\n') + 1
				tail, c.b = append(tail[:0], b[cut:]...), b[:cut]
				if len(tail) > maxLine {
					end, c.err = true, errors.New("a line is longer than 1 MiB: this is no CSV file of bars")
				}
			}
			select {
			case out <- c:
			case <-quit:
				return
			}
		}
	}()
	return out, func() { close(quit); <-done }
}

// fill appends up to chunkSize bytes of r to b. io.EOF comes with the last bytes.
func fill(r io.Reader, b []byte) ([]byte, error) {
	for want := len(b) + chunkSize; len(b) < want; {
		if cap(b) < want {
			b = append(make([]byte, 0, want), b...)
		}
		n, err := r.Read(b[len(b):want])
		b = b[:len(b)+n]
		if err != nil {
			return b, err
		}
	}
	return b, nil
}
