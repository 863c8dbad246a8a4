package compat

import (
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"aviary/fanout"
	"aviary/server/deliver"
)

// quietV1 is the silence after which Twitter sent a blank line.
const quietV1 = 30 * time.Second

// form is how these streams are counted.
var form = deliver.Form{NDJSON: true, Events: deliver.AllEvents}

// streamV1 is one open v1.1 stream. It is owned by its handler's goroutine.
type streamV1 struct {
	routes *Routes
	wish   *wishV1
	sub    *fanout.Subscription
	seat   *seat
	conn   *conn
	count  undelivered
	events []*fanout.Event
	made   []byte // room for one line
}

func (s *Routes) filterV1(w http.ResponseWriter, r *http.Request) { s.serveV1(w, r, false) }
func (s *Routes) sampleV1(w http.ResponseWriter, r *http.Request) { s.serveV1(w, r, true) }

// serveV1 answers a request for a v1.1 stream.
func (s *Routes) serveV1(w http.ResponseWriter, r *http.Request, sample bool) {
	begun := false
	defer func() {
		if v := recover(); v != nil {
			s.panicked(w, r, v, begun, func() {
				(&refusalV1{status: http.StatusInternalServerError, said: "The gateway failed; its log says how"}).write(w)
			})
		}
	}()
	s.setDeadline(w)
	values, err := s.params(w, r)
	var wish *wishV1
	if err == nil {
		wish, err = readWish(values, sample)
	}
	if err == nil {
		if param, why := s.opts.Judge(wish.filter); why != "" {
			err = &refusalV1{status: http.StatusNotAcceptable, said: "Parameter " + param + ": " + why}
		}
	}
	if err == nil && r.Method == http.MethodHead {
		streamHeaders(w.Header())
		return
	}
	var client *deliver.Client
	if err == nil {
		if client, err = s.opts.Clients.Admit(s.opts.Key(r)); err != nil {
			err = s.noPlaceV1(err)
		}
	}
	var refused *refusalV1
	if errors.As(err, &refused) {
		refused.write(w)
		return
	}
	defer client.Leave()
	begun = true
	s.runV1(w, r, wish, client)
}

// noPlaceV1 is the answer to a client there is no place for.
func (s *Routes) noPlaceV1(why error) *refusalV1 {
	reason, f := deliver.Overloaded, &refusalV1{status: http.StatusServiceUnavailable, said: "The gateway has as many clients as it may have"}
	switch {
	case errors.Is(why, deliver.ErrDraining):
		reason, f.said = deliver.Draining, "The gateway is shutting down"
	case errors.Is(why, deliver.ErrKeyFull):
		f.status, f.said = statusCalm, "Exceeded connection limit for user"
	}
	s.opts.Clients.Metrics().Refused(reason)
	f.retry = s.opts.Clients.RetryAfter(reason)
	return f
}

// statusCalm is Twitter's own: the client connects too often, or has too many streams.
const statusCalm = 420

// panicked answers for a handler that has a bug.
func (s *Routes) panicked(w http.ResponseWriter, r *http.Request, v any, begun bool, answer func()) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.opts.Log.Error("a handler panicked", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if begun {
		panic(http.ErrAbortHandler) // the client must not take this for a clean end
	}
	answer()
}

// runV1 serves one stream to its end.
func (s *Routes) runV1(w http.ResponseWriter, r *http.Request, wish *wishV1, client *deliver.Client) {
	sub, _ := s.opts.Hub.Subscribe(fanout.SubscribeOptions{Filter: wish.filter, Bell: s.bell.bell, Key: s.demandKey(client)})
	defer sub.Close()
	t := &streamV1{routes: s, wish: wish, sub: sub, seat: s.newSeat(client, "v1.1", wish.filter.String())}
	s.bell.join(sub.Group(), t.seat)
	defer s.bell.leave(sub.Group(), t.seat)
	why := deliver.Failed
	client.Opened(form)
	defer func() { client.Closed(form, why) }()
	var err error
	s.streams.join(t.seat)
	defer s.streams.leave(t.seat)
	if t.conn, err = open(w, r, s.opts.WriteTimeout, t.seat); err == nil {
		why, err = s.pace(r, t.seat, s.quiet(quietV1), t.pump, t.keepAlive)
		if err == nil && why != deliver.Gone {
			err = t.bye(why)
		}
	}
	if errors.Is(err, errNoDeadline) {
		s.opts.Log.Error("a stream could not begin", "error", err)
		(&refusalV1{status: http.StatusInternalServerError, said: "The gateway failed; its log says how"}).write(w)
	}
	why = ended(why, err)
	s.opts.Log.Debug("a v1.1 stream ended", "client", client.ID, "reason", why.String(), "lasted", time.Since(client.Since))
}

func (s *Routes) newSeat(c *deliver.Client, kind, filter string) *seat {
	t := &seat{client: c, kind: kind, filter: filter, wake: make(chan struct{}, 1)}
	t.lastWrite.Store(time.Now().UnixNano())
	return t
}

// quiet is how long a stream may be silent: as the API has it, or twice HEARTBEAT
// where an operator wants less.
func (s *Routes) quiet(figure time.Duration) time.Duration { return min(figure, 2*s.opts.Heartbeat) }

// pace runs a stream: pump whenever it is rung, keepAlive after silence, until it
// is asked to end, the client leaves or a write fails. pump writes all there is.
func (s *Routes) pace(r *http.Request, t *seat, quiet time.Duration, pump, keepAlive func() error) (deliver.Reason, error) {
	silence := time.NewTimer(quiet)
	defer silence.Stop()
	var aged <-chan time.Time
	if life := s.opts.Lifetime(); life > 0 {
		age := time.NewTimer(life)
		defer age.Stop()
		aged = age.C
	}
	for {
		why := t.reason() // before pumping: what is in the history when a drain begins is still sent
		if why == deliver.Gone {
			return why, nil
		}
		before := t.lastWrite.Load()
		if err := pump(); err != nil {
			return deliver.Gone, err
		}
		if why != deliver.Open {
			return why, nil
		}
		if t.lastWrite.Load() != before {
			silence.Reset(quiet)
		}
		select {
		case <-t.wake:
		case <-r.Context().Done():
			return deliver.Gone, nil
		case <-aged:
			t.end(deliver.MaxAge)
		case <-silence.C:
			if err := keepAlive(); err != nil {
				return deliver.Gone, err
			}
			silence.Reset(quiet)
		}
	}
}

// pull bounds how many events are fetched for one write: a post that is deleted
// while a client is stuck has not been fetched yet.
const pull = 16

// pump writes everything the client has not had.
func (t *streamV1) pump() error {
	for t.seat.reason() != deliver.Gone {
		events, gap := t.sub.Next(t.events[:0], pull)
		t.events = events
		if len(events) == 0 && gap.Zero() {
			break
		}
		if !gap.Zero() {
			t.seat.client.Missed(gap.Reason)
			if err := t.lost(gap.Missed, true); err != nil {
				return err
			}
		}
		for _, e := range events {
			if err := t.take(e); err != nil {
				return err
			}
		}
		clear(events)
		if err := t.conn.flush(false); err != nil {
			return err
		}
	}
	t.seat.position.Store(t.sub.Cursor().Seq)
	t.conn.idle()
	return nil
}

// keepAlive writes a blank line.
func (t *streamV1) keepAlive() error {
	t.seat.position.Store(t.sub.Cursor().Seq)
	if err := t.conn.line(blank); err != nil {
		return err
	}
	return t.conn.flush(false)
}

// bye says why the stream ends, in the words of v1.1.
func (t *streamV1) bye(why deliver.Reason) error {
	if err := t.message(disconnect(why, t.seat.client.ID)); err != nil {
		return err
	}
	return t.conn.close()
}
