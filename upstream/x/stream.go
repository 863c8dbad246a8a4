package x

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// KeepAlive is how often the upstream sends a blank line when there is nothing
// else. A stall timer must be longer: LeastStall is the shortest that does not
// fire when one of them comes late.
const (
	KeepAlive  = 20 * time.Second
	LeastStall = 30 * time.Second
)

// Stream implements upstream.Source: one connection, after the rules are in line.
// Its error tells no secret.
func (s *Source) Stream(ctx context.Context, to upstream.Sink) error {
	defer func() {
		if err := s.api.spend.Save(); err != nil {
			s.log.Warn("the month's count of posts", "error", err)
		}
	}()
	if err := s.api.spend.over(); err != nil {
		return err
	}
	if err := s.rules.reconcile(ctx, false); err != nil {
		return err
	}
	accepted, err := s.connect(ctx, to)
	if !accepted && errors.Is(err, errTooMany) && s.slots.free(ctx) {
		accepted, err = s.connect(ctx, to)
	}
	if !accepted && errors.Is(err, errNoRules) { // what was settled is gone: look again
		if e := s.rules.reconcile(ctx, true); e != nil {
			return e
		}
	}
	return err
}

// connection is one stream.
type connection struct {
	source *Source
	to     upstream.Sink
	veil   *httpapi.Veil
	bare   bool // not the stream of posts: nothing of it is remembered
}

// connect opens one stream and reads it to its end. accepted: the upstream took it.
func (s *Source) connect(ctx context.Context, to upstream.Sink) (accepted bool, err error) {
	token, veil, err := s.api.token()
	if err != nil {
		return false, err
	}
	c := &connection{source: s, to: &guarded{to: to}, veil: veil}
	accepted, err = c.run(ctx, token)
	var end *upstream.Error
	if accepted && errors.As(err, &end) && end.Clean {
		s.slots.ended()
	}
	sealed := veil.Seal(err)
	for _, mark := range []error{errTooMany, errNoRules} { // Seal may have dropped the cause
		if errors.Is(err, mark) && !errors.Is(sealed, mark) {
			var e *upstream.Error
			if errors.As(sealed, &e) {
				e.Err = errors.Join(mark, e.Err)
			}
		}
	}
	return accepted, sealed
}

func (c *connection) run(ctx context.Context, token string) (accepted bool, err error) {
	s := c.source
	err = c.open(ctx, token, streamPath, s.query(time.Now()), func(answer *http.Response) error {
		accepted = true
		fill := s.fill(ctx, c.to)
		defer fill.stop()
		return c.read(answer)
	})
	return accepted, err
}

// open makes the request for a stream and lets read read it to its end. The
// connection is closed when it returns.
func (c *connection) open(ctx context.Context, token, path string, query url.Values, read func(*http.Response) error) error {
	a, budget := c.source.api, &c.source.api.budgets.stream
	if c.bare {
		budget = &c.source.api.budgets.compliance
	}
	if err := take(budget); err != nil {
		return err
	}
	req, err := a.request(ctx, token, http.MethodGet, path, query, nil)
	if err != nil {
		budget.Lost(false)
		return err
	}
	l := &httpapi.Line{Dial: a.dial}
	defer l.Close()
	answer, err := a.client(l.Transport()).Do(req)
	if err != nil {
		budget.Lost(true)
		return c.veil.ConnectError(err, "AVIARY_X_API_URL")
	}
	defer answer.Body.Close()
	now := time.Now()
	budget.Answered(answer, now)
	if !c.bare {
		c.source.slots.answered(httpapi.ServerTime(answer, now), answer.StatusCode == http.StatusOK)
	}
	if err := c.refusal(answer, now); err != nil {
		return err
	}
	c.to.Alive(0)
	return read(answer)
}

// query asks for everything that is looked at, and for the last minutes again if
// that was set: no more of them than the outage lasted.
func (s *Source) query(now time.Time) url.Values {
	v := fields()
	minutes := s.config.BackfillMinutes
	s.mu.Lock()
	if last := s.seen.last; !last.IsZero() {
		minutes = min(minutes, int(now.Sub(last)/time.Minute)+1)
	}
	s.mu.Unlock()
	if minutes > 0 {
		v.Set("backfill_minutes", strconv.Itoa(minutes))
	}
	return v
}

// refusal is nil for a stream, else what the answer means.
func (c *connection) refusal(answer *http.Response, now time.Time) error {
	if answer.StatusCode == http.StatusOK && !httpapi.WebPage(answer) {
		return nil
	}
	raw, _ := httpapi.ReadAll(&http.Response{Header: answer.Header, Body: io.NopCloser(io.LimitReader(answer.Body, maxBody))})
	e := refused(c.veil, answer, raw, now)
	if answer.StatusCode == http.StatusTooManyRequests && (e.RetryAfter > 0 || e.NotBefore.After(now)) && !errors.Is(e, errTooMany) {
		c.source.api.budgets.stream.Limited(answer, now) // not even if somebody asks for it
	}
	if answer.StatusCode == http.StatusOK {
		e.Class = upstream.HTTP
		e.Err = errors.New("a web page instead of a stream: " + c.veil.Quote(says(raw), httpapi.MaxSummary))
		e.Hint = "is AVIARY_X_API_URL right, and is there no portal or proxy on the way?"
	}
	return e
}

// maxBody is how much of an error body is looked at.
const maxBody = 16 << 10

// alive notes that bytes came.
func (s *Source) alive() {
	now := time.Now()
	s.mu.Lock()
	s.seen.last = now
	s.mu.Unlock()
}
