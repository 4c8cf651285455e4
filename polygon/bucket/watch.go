package bucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

var errStalled = errors.New("the connection fell silent or nearly so")

// leastRate is how many bytes a second have to arrive: a server that sends one now and then is as good as silent.
const leastRate = 1024

// watchful gives a request up whose connection, head or body does not come: of a listing as of an object.
type watchful struct {
	base  http.RoundTripper
	stall time.Duration
}

func (t watchful) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	dog := time.AfterFunc(t.stall, func() { cancel(errStalled) })
	b := &watched{ctx: ctx, dog: dog, stall: t.stall, done: func() { dog.Stop(); cancel(nil) }}
	answer, err := t.base.RoundTrip(r.WithContext(ctx))
	if err != nil {
		err = b.why(err)
		b.done()
		return nil, err
	}
	dog.Reset(t.stall)
	b.ReadCloser, answer.Body = answer.Body, b
	return answer, nil
}

// watched is a body that winds the watchdog up again when as much has arrived as has to in its time.
type watched struct {
	io.ReadCloser
	ctx   context.Context
	dog   *time.Timer
	stall time.Duration
	done  func()
	came  float64 // bytes since it was wound up
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.came += float64(n); w.came >= leastRate*w.stall.Seconds() {
		w.dog.Reset(w.stall)
		w.came = 0
	}
	if err != nil && err != io.EOF {
		err = w.why(err)
	}
	return n, err
}

func (w *watched) Close() error {
	defer w.done()
	return w.ReadCloser.Close()
}

// why is the cause of an error: the watchdog's, where it was it.
func (w *watched) why(err error) error {
	if cause := context.Cause(w.ctx); errors.Is(cause, errStalled) {
		return cause
	}
	return err
}
