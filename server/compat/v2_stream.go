package compat

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/server/deliver"
)

// quietV2 is the silence after which X sends a blank line.
const quietV2 = 20 * time.Second

// streamV2 is one open v2 stream.
type streamV2 struct {
	// Constant.
	routes *Routes
	seat   *seat
	wish   *projection

	set *ruleSet // of its token; owned by book.mu

	mu     sync.Mutex
	queue  []hit
	missed bool // the queue was full

	// Owned by the handler's goroutine.
	conn *conn
	take []hit
	made []byte
}

// put hands a post over.
func (t *streamV2) put(h hit) {
	t.mu.Lock()
	if len(t.queue) < maxHits {
		t.queue = append(t.queue, h)
	} else {
		t.missed = true
	}
	t.mu.Unlock()
	t.seat.ring()
}

// overflow notes that posts were lost.
func (t *streamV2) overflow() {
	t.mu.Lock()
	t.missed = true
	t.mu.Unlock()
	t.seat.ring()
}

// forget takes what a notice is about out of what waits.
func (t *streamV2) forget(e *fanout.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = slices.DeleteFunc(t.queue, func(h hit) bool { return concerns(e, h.event) })
}

// next takes what waits, at most so many; behind says that more was lost after them.
func (t *streamV2) next(most int) (hits []hit, behind bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := min(most, len(t.queue))
	t.take = append(t.take[:0], t.queue[:n]...)
	rest := copy(t.queue, t.queue[n:])
	clear(t.queue[rest:])
	t.queue = t.queue[:rest]
	if rest == 0 && cap(t.queue) > 256 {
		t.queue = nil
	}
	return t.take, rest == 0 && t.missed
}

// streamV2 answers GET /2/tweets/search/stream.
func (s *Routes) streamV2(w http.ResponseWriter, r *http.Request) {
	begun := false
	defer func() {
		if v := recover(); v != nil {
			s.panicked(w, r, v, begun, func() {
				plainV2(http.StatusInternalServerError, "The gateway failed; its log says how").write(w)
			})
		}
	}()
	s.setDeadline(w)
	values, err := s.paramsV2(w, r, append(slices.Clone(projectionParams), "backfill_minutes", "start_time", "end_time")...)
	var wish *projection
	var past recovery
	if err == nil {
		wish, err = readProjection(values)
	}
	if err == nil {
		past, err = readRecovery(values, time.Now())
	}
	if err == nil {
		err = s.serveV2(w, r, wish, past, &begun)
	}
	if err != nil {
		s.refuseV2(w, err)
	}
}

// serveV2 gives a stream its place and serves it to its end. The error is to be
// answered: nothing has been written.
func (s *Routes) serveV2(w http.ResponseWriter, r *http.Request, wish *projection, past recovery, begun *bool) error {
	if r.Method == http.MethodHead {
		if len(s.rules.list(ownerOf(r))) == 0 {
			return noRules()
		}
		streamHeaders(w.Header())
		return nil
	}
	client, err := s.opts.Clients.Admit(s.opts.Key(r))
	if err != nil {
		return s.noPlaceV2(err)
	}
	defer client.Leave()
	t := &streamV2{routes: s, wish: wish, seat: s.newSeat(client, "v2", "")}
	at, ok := s.desk.attach(ownerOf(r), t)
	if !ok {
		return noRules()
	}
	defer s.desk.detach(t)
	*begun = true
	why := deliver.Failed
	client.Opened(form)
	defer func() { client.Closed(form, why) }()
	s.streams.join(t.seat)
	defer s.streams.leave(t.seat)
	if t.conn, err = open(w, r, s.opts.WriteTimeout, t.seat); err == nil {
		if !past.from.IsZero() {
			err = t.replay(past, at)
		}
		switch {
		case err != nil:
		case past.ends && t.seat.reason() == deliver.Open:
			why = deliver.Limit
		default:
			why, err = s.pace(r, t.seat, s.quiet(quietV2), t.pump, t.keepAlive)
		}
		if errors.Is(err, errBehind) {
			why, err = deliver.TooSlow, nil
		}
		switch {
		case err != nil || why == deliver.Gone:
		case why == deliver.Limit: // all that was asked for has been sent
			err = t.conn.close()
		default:
			err = t.bye(why)
		}
	}
	if errors.Is(err, errNoDeadline) {
		s.opts.Log.Error("a stream could not begin", "error", err)
		return plainV2(http.StatusInternalServerError, "The gateway failed; its log says how")
	}
	why = ended(why, err)
	s.opts.Log.Debug("a v2 stream ended", "client", client.ID, "reason", why.String(), "lasted", time.Since(client.Since))
	return nil
}

// noRules is the answer to a token without rules.
func noRules() *problemV2 {
	return &problemV2{
		Title: "RuleConfigurationIssue", Detail: "You must define rules to use this stream: POST them to " + pathRules + " with the same bearer token.",
		Type: problemTypes + "rule-configuration-issue", Status: http.StatusConflict,
	}
}

// noPlaceV2 is the answer to a client there is no place for.
func (s *Routes) noPlaceV2(why error) *problemV2 {
	reason, p := deliver.Overloaded, plainV2(http.StatusServiceUnavailable, "The gateway has as many clients as it may have")
	switch {
	case errors.Is(why, deliver.ErrDraining):
		reason, p.Detail = deliver.Draining, "The gateway is shutting down"
	case errors.Is(why, deliver.ErrKeyFull):
		p = &problemV2{
			Title: "ConnectionException", Detail: "This stream is currently at the maximum allowed connection limit.",
			Connection: "TooManyConnections", Type: problemTypes + "streaming-connection", Status: http.StatusTooManyRequests,
		}
	}
	s.opts.Clients.Metrics().Refused(reason)
	p.retry = seconds(s.opts.Clients.RetryAfter(reason))
	return p
}

// errBehind ends a stream that the posts have overrun, as X ends it.
var errBehind = errors.New("the client reads too slowly")

// pump writes everything that waits.
func (t *streamV2) pump() error {
	for t.seat.reason() != deliver.Gone {
		hits, behind := t.next(pull)
		for _, h := range hits {
			if err := t.post(h); err != nil {
				return err
			}
		}
		n := len(hits)
		clear(hits)
		if err := t.conn.flush(false); err != nil {
			return err
		}
		if behind {
			t.seat.client.Missed("slow")
			return errBehind
		}
		if n == 0 {
			break
		}
	}
	t.conn.idle()
	return nil
}

// post writes one post.
func (t *streamV2) post(h hit) error {
	v := t.routes.desk.views.of(h.event, t.wish, func() []byte { return t.routes.posts.v2(h.event) })
	if v.line == nil {
		return nil
	}
	var block []byte
	if t.conn.gzip {
		block = v.zipped()
	}
	t.conn.post(h.event)
	if err := t.conn.add(v.line, block); err != nil {
		return err
	}
	t.made = append(appendRules(t.made[:0], h.rules), blank...)
	if err := t.conn.line(t.made); err != nil {
		return err
	}
	t.seat.position.Store(h.event.ID.Seq)
	if t.conn.full() {
		return t.conn.flush(false)
	}
	return nil
}

// keepAlive writes a blank line.
func (t *streamV2) keepAlive() error {
	t.seat.position.Store(t.routes.opts.Hub.Stats().Head.Seq)
	if err := t.conn.line(blank); err != nil {
		return err
	}
	return t.conn.flush(false)
}

// bye says that the stream ends, in the words of v2, which has one for all reasons.
func (t *streamV2) bye(why deliver.Reason) error {
	said := map[deliver.Reason]string{
		deliver.TooSlow: " The client read too slowly.", deliver.Evicted: " An operator has ended it.", deliver.Draining: " The gateway is being restarted.",
	}[why]
	raw, err := json.Marshal(map[string]any{"errors": []any{map[string]string{
		"title": "operational-disconnect", "disconnect_type": "OperationalDisconnect",
		"detail": "This stream has been disconnected for operational reasons." + said, "type": problemTypes + "operational-disconnect",
	}}})
	if err != nil {
		return err
	}
	if err := t.conn.line(append(raw, blank...)); err != nil {
		return err
	}
	return t.conn.close()
}

// readProjection reads the fields and expansions asked for.
func readProjection(values url.Values) (*projection, error) {
	p := &projection{}
	for _, param := range projectionParams {
		known := fieldNames[param]
		for _, name := range listed(values[param]) {
			if !slices.Contains(known, name) {
				return nil, invalid(param, values.Get(param), "The `%s` query parameter value [%s] is not one of [%s]", param, clip(name), joined(known))
			}
			p.ask(param, name)
		}
	}
	p.imply()
	return p, nil
}
