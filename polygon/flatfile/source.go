package flatfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"backtester/polygon/inflate"
)

const (
	chunkSize = 256 << 10 // text handed from the unzipper to the parser at once
	chunks    = 4         // in flight; memory of one stream is chunks x chunkSize
)

// unzipper inflates in its own goroutine, so that a file costs the longer of inflating and parsing,
// and passes text on in chunks. Exactly one error ends it: io.EOF when every checksum was right.
type unzipper struct {
	full chan chunk
	free chan inflate.Chunk
	stop chan struct{}
	done sync.WaitGroup
}

type chunk struct {
	text []byte
	err  error         // after text
	from inflate.Chunk // where text lies
}

// buffers are kept by the decoder from file to file.
type buffers [chunks]inflate.Chunk

func unzip(zip *inflate.Reader, bufs *buffers) *unzipper {
	u := &unzipper{
		full: make(chan chunk, chunks),
		free: make(chan inflate.Chunk, chunks),
		stop: make(chan struct{}),
	}
	for i := range bufs {
		if bufs[i] == nil {
			bufs[i] = inflate.NewChunk(chunkSize)
		}
		u.free <- bufs[i]
	}
	u.done.Go(func() {
		defer close(u.full)
		u.run(zip)
	})
	return u
}

// run sends chunks until the end, an error, or close.
func (u *unzipper) run(zip *inflate.Reader) {
	for {
		select {
		case <-u.stop:
			return
		case buf := <-u.free:
			text, err := zip.Next(buf)
			u.full <- chunk{text, err, buf} // never blocks: as many slots as buffers
			if err != nil {
				return
			}
		}
	}
}

// close stops the goroutine and waits for it, so that its reader is free afterwards.
func (u *unzipper) close() {
	close(u.stop)
	u.done.Wait()
}

// text cuts a stream into lines without copying, except for lines that span two chunks.
type text struct {
	zip  *unzipper
	cur  []byte        // rest of the current chunk
	held inflate.Chunk // cur lies in it; to be given back
	part []byte        // beginning of a line whose end is in the next chunk
	err  error
	line int   // number of the line returned last, 1-based
	at   int64 // offset of that line
	next int64 // offset of the one after it
}

// maxLine is far above the 150 bytes of the longest honest row: whatever exceeds it is no flat file.
const maxLine = 4096

// read returns the next line without its end, valid until the following call, or io.EOF.
func (t *text) read() ([]byte, error) {
	t.line++
	t.at = t.next
	t.part = t.part[:0]
	for {
		if i := bytes.IndexByte(t.cur, '\n'); i >= 0 {
			line := t.cur[:i]
			t.cur = t.cur[i+1:]
			if len(t.part) > 0 {
				t.part = append(t.part, line...)
				line = t.part
			}
			t.next += int64(len(line)) + 1
			return t.trim(line)
		}
		t.part = append(t.part, t.cur...)
		t.cur = nil
		if len(t.part) > maxLine {
			return nil, fmt.Errorf("a line of more than %d bytes: this is no flat file", maxLine)
		}
		if t.err != nil {
			return t.last()
		}
		t.refill()
	}
}

// last returns what stands behind the last newline, or the error that ended the stream.
func (t *text) last() ([]byte, error) {
	if t.err != io.EOF {
		return nil, damaged(t.err)
	}
	if len(t.part) == 0 {
		return nil, io.EOF
	}
	t.next += int64(len(t.part))
	return t.trim(t.part)
}

func (t *text) trim(line []byte) ([]byte, error) {
	if len(line) > maxLine {
		return nil, fmt.Errorf("a line of %d bytes: this is no flat file", len(line))
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, nil
}

// refill takes the next chunk and gives the read one back.
func (t *text) refill() {
	if t.held != nil {
		t.zip.free <- t.held
	}
	c := <-t.zip.full
	t.held, t.cur, t.err = c.from, c.text, c.err
}

// verify reads on to the end after nonsense was found, and returns what the decompressor says: damage
// shows in the text before it shows in the checksum. nil means that the vendor wrote it so.
func (t *text) verify() error {
	for rest := int64(maxText); t.err == nil && rest > 0; rest -= int64(len(t.cur)) {
		t.refill()
	}
	if t.err == nil || t.err == io.EOF {
		return nil
	}
	return damaged(t.err)
}

// damaged says in words what the decompressor found.
func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it ends in the middle (%w)", err)
	}
	return fmt.Errorf("%w: %w; fetch it again", ErrDamaged, err)
}
