// Package bucket brings objects of an S3 bucket to disk and remembers which it has.
//
// In: an endpoint with keys, and the keys of the objects wanted. Out: verbatim copies below a folder,
// named as the objects are, and a manifest of them (size, ETag, last-modified, sha256). A name is
// there only once its content is complete and on disk. It refuses to give up on what passes (5xx,
// resets, stalls: tried again with growing pauses) and to go on with what does not (wrong keys, wrong
// endpoint, full disk: one error that names the cure).
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// What a caller can act on, by errors.Is.
var (
	ErrCredentials = errors.New("keys not accepted")        // wrong or missing S3 keys
	ErrForbidden   = errors.New("not included in the plan") // the keys are right, but not for this object
	ErrAbsent      = errors.New("no such object")
	ErrUnreachable = errors.New("endpoint not reachable") // no network, wrong host, server down
	ErrNotS3       = errors.New("endpoint does not answer as S3 does")
	ErrDisk        = errors.New("disk does not take the file") // full, read-only, not permitted
)

// What a Config has where it says nothing. Five tries of silence and the pauses between them stay below two minutes.
const (
	DefaultAttempts = 5
	DefaultPause    = 500 * time.Millisecond
	DefaultStall    = 20 * time.Second
)

// Config of a Bucket. Endpoint, Name and both keys are needed, the rest has defaults.
type Config struct {
	Endpoint  string // https://files.massive.com
	Name      string // flatfiles
	AccessKey string
	SecretKey string

	Attempts int                                              // tries for one object or page of a listing
	Pause    time.Duration                                    // at most, and half of it at least, before the second try; doubled for each further one
	Stall    time.Duration                                    // silence, or less than 1 KiB a second, for this long gives a try up
	Sleep    func(ctx context.Context, d time.Duration) error // default waits on the wall clock
}

// Bucket is safe for concurrent use.
type Bucket struct {
	cfg Config
	s3  *s3.Client
}

// Object as the listing shows it. The ETag is opaque: it is no checksum of large objects.
type Object struct {
	Key          string
	Size         int64
	ETag         string
	LastModified time.Time
}

// Open checks the settings; it does not connect.
func Open(c Config) (*Bucket, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("S3 endpoint %q: want http(s)://host[:port], such as https://files.massive.com", redact(c.Endpoint))
	}
	if c.Name == "" {
		return nil, errors.New("S3 bucket is not set: the vendor's is called flatfiles")
	}
	if c.AccessKey == "" || c.SecretKey == "" {
		return nil, fmt.Errorf("S3 keys for %s are not set: take both from the vendor's dashboard (they are not the API key) and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w", c.Endpoint, ErrCredentials)
	}
	if c.Attempts <= 0 {
		c.Attempts = DefaultAttempts
	}
	if c.Pause <= 0 {
		c.Pause = DefaultPause
	}
	if c.Stall <= 0 {
		c.Stall = DefaultStall
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment, // as every client of the platform does
		DialContext:         (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext,
		IdleConnTimeout:     90 * time.Second,
		MaxIdleConnsPerHost: 64,
	}
	client := s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(c.Endpoint), UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, ""),
		Retryer:     aws.NopRetryer{}, // tries are ours, on a clock that tests can set
		HTTPClient: &http.Client{
			Transport:     watchful{transport, c.Stall},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
	return &Bucket{cfg: c, s3: client}, nil
}

// Insecure reports an endpoint to which the requests, though not the secret, travel in the clear
// beyond this machine.
func (c Config) Insecure() bool {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// List gives all objects below prefix, in the order of their keys.
func (b *Bucket) List(ctx context.Context, prefix string) ([]Object, error) {
	var all []Object
	var token *string
	for page := 0; ; page++ {
		if page == maxPages {
			return nil, fmt.Errorf("list %s: more than %d pages: %w", b.place(prefix), maxPages, ErrNotS3)
		}
		var out *s3.ListObjectsV2Output
		err := b.retry(ctx, func(ctx context.Context) (err error) {
			out, err = b.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
				Bucket: &b.cfg.Name, Prefix: &prefix, ContinuationToken: token,
			})
			if err == nil && out.Name == nil && out.KeyCount == nil && len(out.Contents) == 0 {
				return fmt.Errorf("%w: the answer is no listing", ErrNotS3) // a web page decodes to nothing at all
			}
			return err
		})
		if err != nil {
			return nil, b.explain(ctx, "list", prefix, err)
		}
		for _, o := range out.Contents {
			all = append(all, Object{
				Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ETag: bare(o.ETag),
				LastModified: aws.ToTime(o.LastModified).UTC(),
			})
		}
		if !aws.ToBool(out.IsTruncated) {
			return all, nil
		}
		if token = out.NextContinuationToken; aws.ToString(token) == "" {
			return nil, fmt.Errorf("list %s: a cut listing without a token to go on: %w", b.place(prefix), ErrNotS3)
		}
	}
}

// maxPages of 1,000 keys: a year has at most one, so this only stops a server that never ends.
const maxPages = 1000

// get copies the object to w in one try and returns what the server says about it.
func (b *Bucket) get(ctx context.Context, o Object, w io.Writer) (Object, error) {
	out, err := b.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.cfg.Name, Key: &o.Key})
	if err != nil {
		return o, err
	}
	defer out.Body.Close()
	n, err := io.Copy(w, out.Body)
	if err != nil {
		return o, err
	}
	got := Object{Key: o.Key, Size: n, ETag: bare(out.ETag), LastModified: aws.ToTime(out.LastModified).UTC()}
	if got.ETag == "" || got.ETag == o.ETag {
		got.ETag, got.LastModified = o.ETag, o.LastModified // not changed since the listing
	}
	if got.ETag == o.ETag && n != o.Size {
		return o, fmt.Errorf("%w: %d bytes came of %d", errBody, n, o.Size)
	}
	if out.ContentLength != nil && n != *out.ContentLength {
		return o, fmt.Errorf("%w: %d bytes came, %d were announced", errBody, n, *out.ContentLength)
	}
	return got, nil
}

var errBody = errors.New("wrong length")

// bare is an ETag without the quotes, which not every server sends.
func bare(etag *string) string {
	return strings.Trim(strings.TrimPrefix(aws.ToString(etag), "W/"), `"`)
}

// place names an object or prefix in messages.
func (b *Bucket) place(key string) string {
	return strings.TrimSuffix(b.cfg.Endpoint, "/") + "/" + b.cfg.Name + "/" + key
}

// redact hides a password that someone wrote into a URL.
func redact(raw string) string {
	if i := strings.LastIndex(raw, "@"); i >= 0 {
		return "...@" + raw[i+1:]
	}
	return raw
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
