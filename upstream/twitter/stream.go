package twitter

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"aviary/fanout"
	"aviary/upstream"
)

// connection is one Stream.
type connection struct {
	to   upstream.Sink
	veil *veil
	came bool // some byte of the body
}

// Stream implements upstream.Source: one connection. Its error tells no secret.
func (s *Source) Stream(ctx context.Context, to upstream.Sink) error {
	secrets, err := s.config.Credentials()
	c := &connection{to: to, veil: newVeil(secrets)}
	return c.veil.seal(c.run(ctx, s, secrets, err))
}

// run opens the stream and reads it to its end. err is that of the credentials.
func (c *connection) run(ctx context.Context, s *Source, secrets Credentials, err error) error {
	if err == nil && secrets.missing() != "" {
		err = fmt.Errorf("the %s is empty", secrets.missing())
	}
	if err != nil {
		return &upstream.Error{Class: upstream.Fatal, Err: fmt.Errorf("no credentials: %w", err),
			Hint: "the stream is signed with four secrets (search can do with key and secret): set AVIARY_TWITTER_CONSUMER_KEY, _CONSUMER_SECRET, _ACCESS_TOKEN and _ACCESS_SECRET, then reconnect"}
	}
	req, err := s.request(ctx)
	if err != nil {
		return &upstream.Error{Class: upstream.Fatal, Err: err, Hint: "check AVIARY_TWITTER_STREAM_URL"}
	}
	l := &line{dial: s.config.Dial}
	defer l.close()
	answer, err := signer(secrets, s.noncer, watched{l.transport(), c.veil}).Do(req)
	if err != nil {
		return c.connectError(err)
	}
	defer answer.Body.Close()
	if err := c.refusal(answer, time.Now()); err != nil {
		return err
	}
	c.to.Alive(0)
	return c.read(answer)
}

// connectError is a failure to get any answer.
func (c *connection) connectError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &upstream.Error{
		Class: upstream.Network, Err: errors.New("cannot connect: " + c.veil.quote(err.Error(), maxSummary)),
		Hint: "the network, DNS or the upstream is down, or AVIARY_TWITTER_STREAM_URL is wrong; it is tried again by itself",
	}
}

// alive reports every byte that comes to the sink. It lies below gzip, so that
// the first byte of a gzip header counts as well.
type alive struct {
	r io.Reader
	c *connection
}

func (a alive) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if n > 0 {
		a.c.came = true
		a.c.to.Alive(n)
	}
	return n, err
}

// body returns the reader of what the server says, unpacked.
func (v *veil) body(answer *http.Response, r io.Reader) (io.Reader, error) {
	switch coding := strings.ToLower(answer.Header.Get("Content-Encoding")); coding {
	case "", "identity":
		return r, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 16<<10))
		if errors.Is(err, gzip.ErrHeader) {
			return nil, &upstream.Error{Class: upstream.HTTP, Err: errors.New("the answer says it is gzip and is not"),
				Hint: "a proxy on the way may garble it; it is tried again by itself"}
		}
		return z, err
	default:
		return nil, &upstream.Error{Class: upstream.HTTP, Err: fmt.Errorf("the answer came in %s, only gzip was offered", v.quote(coding, 40)),
			Hint: "a proxy on the way may have changed it; it is tried again by itself"}
	}
}

// read takes messages until the stream ends.
func (c *connection) read(answer *http.Response) error {
	r, err := c.veil.body(answer, alive{answer.Body, c})
	if err != nil {
		return c.endOf(err)
	}
	frames := upstream.NewFrames(r, upstream.FramingStream)
	for {
		message, err := frames.Next()
		switch {
		case errors.Is(err, upstream.ErrOversize):
			now := time.Now()
			c.to.Emit(upstream.GapEvent(fanout.Loss{Reason: "oversize", Missed: 1, From: now, To: now}))
		case err != nil:
			return c.tail(message, err)
		default:
			if err := c.take(message); err != nil {
				return err
			}
		}
	}
}

// endOf classes the end of a body.
func (c *connection) endOf(err error) error {
	var known *upstream.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, io.EOF) && !c.came:
		return &upstream.Error{Class: upstream.Network, Clean: true, Err: errors.New("the upstream accepted the request and closed the stream without a byte"),
			Hint: "it is opened again by itself"}
	case errors.Is(err, io.EOF):
		return &upstream.Error{Class: upstream.Network, Clean: true, Err: errors.New("the upstream closed the stream"),
			Hint: "it is opened again by itself"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &upstream.Error{Class: upstream.Network, Err: errors.New("the stream was cut off in the middle"),
			Hint: "it is opened again by itself"}
	}
	return &upstream.Error{Class: upstream.Network, Err: errors.New("the stream broke: " + c.veil.quote(err.Error(), maxSummary)),
		Hint: "it is opened again by itself"}
}

// webPage says whether a 200 is a page for people: a captive portal, or the
// wrong address.
func webPage(answer *http.Response) bool {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return err == nil && kind == "text/html"
}
