package twitter

import (
	"context"
	"fmt"
	"time"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// connection is one Stream.
type connection struct {
	to   upstream.Sink
	veil *httpapi.Veil
}

// Stream implements upstream.Source: one connection. Its error tells no secret.
func (s *Source) Stream(ctx context.Context, to upstream.Sink) error {
	secrets, err := s.config.Credentials()
	c := &connection{to: to, veil: newVeil(secrets)}
	return c.veil.Seal(c.run(ctx, s, secrets, err))
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
	l := &httpapi.Line{Dial: s.config.Dial}
	defer l.Close()
	answer, err := signer(secrets, s.noncer, watched{l.Transport(), c.veil}).Do(req)
	if err != nil {
		return c.veil.ConnectError(err, "AVIARY_TWITTER_STREAM_URL")
	}
	defer answer.Body.Close()
	if err := c.refusal(answer, time.Now()); err != nil {
		return err
	}
	c.to.Alive(0)
	return c.read(answer)
}
