package bucket

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

// retry runs do until it succeeds, fails for good, or has been tried often enough. The pauses are between half
// and all of what they could be, so that downloads that broke off together do not come back together.
func (b *Bucket) retry(ctx context.Context, do func(context.Context) error) error {
	pause := b.cfg.Pause
	for try := 1; ; try++ {
		err := do(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !passing(err) {
			return err
		}
		if try >= b.cfg.Attempts {
			return fmt.Errorf("given up after %d tries: %w", try, err)
		}
		if err := b.cfg.Sleep(ctx, pause/2+rand.N(pause/2+1)); err != nil {
			return err
		}
		pause *= 2
	}
}

// passing reports errors that a later try may not meet: everything but an answer that is meant, a
// host name that does not exist, and our own disk.
func passing(err error) bool {
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return false
	}
	if cert := (*tls.CertificateVerificationError)(nil); errors.As(err, &cert) {
		return false
	}
	if errors.Is(err, ErrDisk) || errors.Is(err, ErrNotS3) {
		return false
	}
	if errors.Is(err, errStalled) || errors.Is(err, errBody) {
		return true
	}
	switch s := status(err); {
	case s == 0, s >= 500, s == 429, s == 408:
		return true
	case s >= 300:
		return false
	}
	// 2xx: an answer that broke off, or one that is no S3 at all, which stays as it is.
	return !isDecoding(err)
}

// isDecoding reports an answer that came whole and could not be understood.
func isDecoding(err error) bool {
	de := (*smithy.DeserializationError)(nil)
	if !errors.As(err, &de) || errors.Is(err, errStalled) {
		return false
	}
	ne := net.Error(nil)
	return !errors.As(err, &ne) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF)
}

// status of the HTTP answer behind err, 0 if there was none.
func status(err error) int {
	if re := (*http.ResponseError)(nil); errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	return 0
}

// explain turns what the client says into act, object, cause and cure.
// The cause is quoted, not wrapped: the client's errors match context.DeadlineExceeded when a server
// is slow, which must not be taken for the caller's own deadline.
func (b *Bucket) explain(ctx context.Context, act, key string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s %s: %w", act, b.place(key), ctx.Err())
	}
	if errors.Is(err, ErrDisk) {
		return fmt.Errorf("%s %s: %w", act, b.place(key), err)
	}
	code := ""
	if ae := smithy.APIError(nil); errors.As(err, &ae) {
		code = ae.ErrorCode()
	}
	cause := func(sentinel error, cure string) error {
		return fmt.Errorf("%s %s: %w (%s); %s", act, b.place(key), sentinel, brief(code, err), cure)
	}
	switch s := status(err); {
	case code == "SignatureDoesNotMatch" || code == "InvalidAccessKeyId" || code == "InvalidToken" || code == "ExpiredToken" || s == 401:
		return cause(ErrCredentials, "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: they are the S3 keys of the vendor's dashboard, not the API key")
	case code == "RequestTimeTooSkewed":
		return cause(ErrCredentials, "set this machine's clock: signatures are valid for minutes only")
	case code == "NoSuchBucket":
		return cause(ErrAbsent, fmt.Sprintf("check the bucket name %q and the endpoint %s", b.cfg.Name, b.cfg.Endpoint))
	case s == 403 && act == "list":
		return cause(ErrCredentials, "these keys may not list the bucket: check keys, bucket and endpoint")
	case s == 403:
		return cause(ErrForbidden, "the vendor's plan behind these keys does not include it, or it is not published yet")
	case s == 404 && act == "list":
		return cause(ErrAbsent, "check the keys, the bucket name and the endpoint")
	case s == 404:
		return cause(ErrAbsent, "it is not there (any more)")
	case s >= 300 && s < 400:
		return cause(ErrNotS3, "it sends elsewhere: set the endpoint to the final address")
	case s >= 500 || s == 429 || s == 408:
		return cause(ErrUnreachable, "the server is in trouble: try again later, what is complete is kept")
	case s >= 400:
		return cause(ErrNotS3, "check endpoint and bucket")
	case errors.Is(err, ErrNotS3), isDecoding(err):
		return cause(ErrNotS3, "check the endpoint: a proxy or a log-in page may stand before it")
	}
	return cause(ErrUnreachable, "check the network and the endpoint, then run it again: what is complete is kept")
}

// brief is the cause without the client's long chain of operations and request ids.
func brief(code string, err error) string {
	if code != "" {
		if s := status(err); s != 0 {
			return fmt.Sprintf("%s, HTTP %d", code, s)
		}
		return code
	}
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) {
		return dns.Error()
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		far := *op
		far.Source = nil // our own port is another one each time
		return far.Error()
	}
	if s := status(err); s != 0 && s != 200 {
		return fmt.Sprintf("HTTP %d", s)
	}
	for errors.Unwrap(err) != nil && !errors.Is(err, errBody) {
		err = errors.Unwrap(err)
	}
	return err.Error()
}

// diskError marks errors of our own file system, with a cure where there is one.
func diskError(act, path string, err error) error {
	cure := "check the folder and its permissions"
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		err = pe.Err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		cure = "free some space or choose another --data-dir, then run it again: what is complete is kept"
	}
	return fmt.Errorf("%s %s: %w: %w; %s", act, path, ErrDisk, err, cure)
}

// utcSecond is the resolution in which servers state last-modified: listings may be finer than the
// header of the object itself.
func utcSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
