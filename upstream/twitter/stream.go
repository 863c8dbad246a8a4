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

// Stream implements upstream.Source: one connection.
func (s *Source) Stream(ctx context.Context, to upstream.Sink) error {
	secrets, err := s.config.Credentials()
	if err == nil && secrets.missing() != "" {
		err = fmt.Errorf("the %s is empty", secrets.missing())
	}
	if err != nil {
		return &upstream.Error{Class: upstream.Fatal, Err: fmt.Errorf("no credentials: %w", err),
			Hint: "set the four AVIARY_TWITTER_… secrets, then reconnect"}
	}
	req, err := s.request(ctx)
	if err != nil {
		return &upstream.Error{Class: upstream.Fatal, Err: err, Hint: "check AVIARY_TWITTER_STREAM_URL"}
	}
	l := &line{dial: s.config.Dial}
	defer l.close()
	answer, err := signer(secrets, s.noncer, l.transport()).Do(req)
	if err != nil {
		return connectError(err, secrets)
	}
	defer answer.Body.Close()
	if err := refusal(answer, secrets, time.Now()); err != nil {
		return err
	}
	to.Alive(0)
	return s.read(answer, to)
}

// connectError is a failure to get any answer.
func connectError(err error, secrets Credentials) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &upstream.Error{
		Class: upstream.Network, Err: fmt.Errorf("cannot connect: %s", secrets.clean(err.Error())),
		Hint: "the network, DNS or the upstream is down, or AVIARY_TWITTER_STREAM_URL is wrong; it is tried again by itself",
	}
}

// alive reports every byte that comes to the sink. It lies below gzip, so that
// the first byte of a gzip header counts as well.
type alive struct {
	r  io.Reader
	to upstream.Sink
}

func (a alive) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if n > 0 {
		a.to.Alive(n)
	}
	return n, err
}

// body returns the reader of what the server says, unpacked.
func body(answer *http.Response, r io.Reader) (io.Reader, error) {
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
		return nil, &upstream.Error{Class: upstream.HTTP, Err: fmt.Errorf("the answer came in %s, only gzip was offered", oneLine(coding, 40)),
			Hint: "a proxy on the way may have changed it; it is tried again by itself"}
	}
}

// read takes messages until the stream ends.
func (s *Source) read(answer *http.Response, to upstream.Sink) error {
	r, err := body(answer, alive{answer.Body, to})
	if err != nil {
		return endOf(err)
	}
	frames := upstream.NewFrames(r, upstream.FramingStream)
	for {
		message, err := frames.Next()
		switch {
		case errors.Is(err, upstream.ErrOversize):
			now := time.Now()
			to.Emit(upstream.GapEvent(fanout.Loss{Reason: "oversize", Missed: 1, From: now, To: now}))
		case err != nil:
			return endOf(err)
		default:
			if err := take(message, to); err != nil {
				return err
			}
		}
	}
}

// take hands one message to the sink. An error ends the stream.
func take(message []byte, to upstream.Sink) error {
	if message[0] != '{' {
		if exceeded(message) {
			return &upstream.Error{Class: upstream.RateLimit, Clean: true, Err: errors.New("the upstream says: " + oneLine(string(message), 200)),
				Hint: "too many streams are open with these credentials; stop the others, or wait for dead ones to be forgotten"}
		}
		to.Drop(upstream.DropMalformed)
		return nil
	}
	e, reason := decode(message)
	if e == nil {
		to.Drop(reason)
		return nil
	}
	if e.Kind != fanout.KindDisconnect {
		to.Emit(e)
		return nil
	}
	notice := e.JSON // the event is the sink's after Emit, but its JSON never changes
	to.Emit(e)
	return disconnected(notice)
}

// decode is Decode, behind a wall: no input may stop the program.
func decode(message []byte) (e *fanout.Event, reason string) {
	defer func() {
		if recover() != nil {
			e, reason = nil, upstream.DropPanic
		}
	}()
	e, err := Decode(message)
	if err != nil {
		return nil, upstream.DropMalformed
	}
	return e, ""
}

// exceeded recognises the plain line that the upstream writes into a stream it
// will not serve: "Exceeded connection limit for user".
func exceeded(line []byte) bool {
	return len(line) < 1000 && strings.Contains(strings.ToLower(string(line)), "exceeded connection limit")
}

// endOf classes the end of a body.
func endOf(err error) error {
	var known *upstream.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, io.EOF):
		return &upstream.Error{Class: upstream.Network, Clean: true, Err: errors.New("the upstream closed the stream"),
			Hint: "it is opened again by itself"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &upstream.Error{Class: upstream.Network, Err: errors.New("the stream was cut off in the middle"),
			Hint: "it is opened again by itself"}
	}
	return &upstream.Error{Class: upstream.Network, Err: fmt.Errorf("the stream broke: %s", oneLine(err.Error(), 200)),
		Hint: "it is opened again by itself"}
}

// webPage says whether a 200 is a page for people: a captive portal, or the
// wrong address.
func webPage(answer *http.Response) bool {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return err == nil && kind == "text/html"
}
