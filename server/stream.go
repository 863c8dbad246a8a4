package server

import (
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"time"

	"aviary/fanout"
	"aviary/fanout/wire"
	"aviary/server/deliver"
)

// varyStream is what the answer of /stream depends on.
const varyStream = "Accept, Accept-Encoding, Authorization, Origin"

// allowStream is what /stream can be asked with.
const allowStream = "GET, HEAD, POST, OPTIONS"

// stream answers /stream: live posts as SSE or NDJSON. Most clients go on in the
// hands of a shard when it has returned. For the others it and what it calls stay
// on the stack of every idle client, so all that can be done before is done in
// begin, whose frames are gone by then: above 3 KB the stack would be 16 KB.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	began := false
	defer s.caught(w, r, &began)
	client, stream := s.begin(w, r)
	if client == nil {
		return
	}
	began = true
	if err := client.Serve(w, r, stream); err != nil {
		s.fail(w, r, err)
	}
}

// caught ends a stream whose handler has a bug.
func (s *Server) caught(w http.ResponseWriter, r *http.Request, began *bool) {
	if v := recover(); v != nil {
		s.panicked(w, r, v, *began)
	}
}

// ended says how a stream ended.
func (s *Server) ended(c *deliver.Client, reason deliver.Reason) {
	s.opts.Log.Debug("a stream ended", "client", c.ID, "reason", reason.String(), "lasted", time.Since(c.Since))
}

// fail answers with the problem that err is.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	if p.Status == http.StatusInternalServerError {
		s.opts.Log.Error("a stream could not begin", "error", err)
	}
	p.write(w, r)
}

// begin does everything up to the first byte of a stream. It returns nil if the
// request has been answered: it was wrong, or asked for no stream.
func (s *Server) begin(w http.ResponseWriter, r *http.Request) (*deliver.Client, *deliver.Stream) {
	w.Header().Set("Vary", varyStream)
	s.setDeadline(w, s.opts.WriteTimeout)
	if !s.cors.allow(w, r) {
		problem(http.StatusForbidden, "an opaque origin (null) is refused: serve the page from an origin of its own").write(w, r)
		return nil, nil
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	case http.MethodOptions:
		s.cors.preflight(w, r, allowStream)
		return nil, nil
	default:
		w.Header().Set("Allow", allowStream)
		problem(http.StatusMethodNotAllowed, "/stream takes %s", allowStream).write(w, r)
		return nil, nil
	}
	values, err := s.readParams(w, r)
	if err != nil {
		s.fail(w, r, err)
		return nil, nil
	}
	q, err := s.parseStream(values, r, w.Header())
	if err != nil {
		s.fail(w, r, err)
		return nil, nil
	}
	switch {
	case q.end:
		w.WriteHeader(http.StatusNoContent) // the one answer that stops an EventSource
		return nil, nil
	case r.Method == http.MethodHead:
		streamHeaders(w.Header(), q.form)
		w.WriteHeader(http.StatusOK)
		return nil, nil
	}
	client, err := s.admit(r)
	if err == nil {
		var stream *deliver.Stream
		if stream, err = s.subscribe(w, r, q, client); err == nil {
			return client, stream
		}
	} else if err = s.refuse(w, q, err); err == nil {
		return nil, nil
	}
	s.fail(w, r, err)
	return nil, nil
}

// errFilling says that streams are not served yet.
type errFilling string

// Error returns why.
func (e errFilling) Error() string { return string(e) }

// admit takes a place for a client.
func (s *Server) admit(r *http.Request) (*deliver.Client, error) {
	if why := s.opts.Filling(); why != "" && !s.clients.Draining() {
		return nil, errFilling(why)
	}
	return s.clients.Admit(s.clientKey(r))
}

// parseStream reads what a request for a stream asks for. answer are the headers
// of the answer, with those of CORS.
func (s *Server) parseStream(values url.Values, r *http.Request, answer http.Header) (*request, error) {
	q, err := parse(values, r.Header, time.Now())
	if err != nil {
		return nil, err
	}
	warnings, err := s.judge(r, q.filter, values, q.start.Mode != fanout.StartLive)
	if err != nil {
		return nil, err
	}
	q.warnings = append(q.warnings, warnings...)
	var ok bool
	if q.form.Coding, ok = coding(r, answer); !ok {
		return nil, problem(http.StatusNotAcceptable, "a stream comes as it is, or as gzip, zstd or dcz; Accept-Encoding allows none of them")
	}
	return q, nil
}

// subscribe makes a stream of a request. If it fails the client's place is free again.
func (s *Server) subscribe(w http.ResponseWriter, r *http.Request, q *request, client *deliver.Client) (stream *deliver.Stream, err error) {
	var sub *fanout.Subscription
	defer func() { // after a panic too
		if stream != nil {
			return
		}
		if sub != nil {
			sub.Close()
		}
		client.Leave()
	}()
	sub, resume := s.opts.Hub.Subscribe(fanout.SubscribeOptions{
		Start: q.start, Filter: q.filter, Bell: client.Bell(), UnseenDeletes: q.unseen, Key: s.demandKey(client.Key),
	})
	if q.unreadable() {
		resume.How, resume.Missed = fanout.ResumedNone, -1
	}
	opening, err := s.opening(q, resume)
	if err != nil {
		return nil, err
	}
	streamHeaders(w.Header(), q.form)
	stream = &deliver.Stream{
		Sub: sub, Resume: resume, Filter: q.filter, Form: q.form,
		Limit: q.limit, MaxRate: q.maxRate, Opening: opening,
	}
	if r.ProtoMajor == 1 {
		stream.Conn = connOf(r.Context())
	}
	return stream, nil
}

// streamHeaders sets the headers of a stream.
func streamHeaders(h http.Header, f deliver.Form) {
	h.Set("Content-Type", typeSSE+"; charset=utf-8")
	if f.NDJSON {
		h.Set("Content-Type", typeNDJSON)
	}
	if f.Coding != wire.Identity {
		h.Set("Content-Encoding", f.Coding.String())
	}
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
}

// refuse answers a client there is no place for. In a drain everybody gets a
// bye; in an overload those who would never come back after an error.
func (s *Server) refuse(w http.ResponseWriter, q *request, why error) error {
	reason := deliver.Overloaded
	if errors.Is(why, deliver.ErrDraining) {
		reason = deliver.Draining
	}
	s.clients.Metrics().Refused(reason)
	s.opts.Log.Debug("a stream was refused", "reason", why)
	retry := s.clients.RetryAfter(reason)
	if soon := new(errFilling); errors.As(why, soon) {
		retry = deliver.Jitter(s.opts.Retry) // seconds, unlike an overload
	}
	if reason == deliver.Draining || q.explicit {
		q.form.Coding = wire.Identity // these few bytes are not worth a trailer
		streamHeaders(w.Header(), q.form)
		id := q.id
		// While the history is filled the head is somewhere in the past, or of an epoch of
		// this process alone: who asked for nothing would come back for all of it.
		if id == "" && q.start.Mode == fanout.StartLive && s.opts.Filling() == "" {
			id = s.opts.Hub.Stats().Head.String()
		}
		_, err := w.Write(q.form.AppendBye(nil, reason, retry, id))
		if err != nil {
			s.opts.Log.Debug("a refused client has left", "error", err)
		}
		return nil
	}
	status := http.StatusServiceUnavailable
	if errors.Is(why, deliver.ErrKeyFull) {
		status = http.StatusTooManyRequests
	}
	w.Header().Set("Retry-After", strconv.Itoa(int((retry+time.Second-1)/time.Second)))
	return problem(status, "%s", why)
}

// panicked answers for a handler that has a bug.
func (s *Server) panicked(w http.ResponseWriter, r *http.Request, v any, began bool) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.opts.Log.Error("a handler panicked", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
	if began {
		panic(http.ErrAbortHandler) // the client must not take this for a clean end
	}
	problem(http.StatusInternalServerError, "the gateway failed; its log says how").write(w, r)
}
