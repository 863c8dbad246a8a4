package sim

import (
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// run is a script on its way. The server's mu guards it.
type run struct {
	lines    []line
	at       int         // the line that waits
	posts    int         // published since the line before began
	connects int         // streams opened since then
	searches int         // pages of search results served since then
	timer    *time.Timer // while the line waits for a time
}

func (r *run) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// Do starts a script of faults now, beside those that run. The error is a *FaultError.
func (s *Server) Do(script string) error {
	f, err := ParseFaults(script)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start(f)
	return nil
}

// start begins a script; mu is held.
func (s *Server) start(f Faults) {
	if len(f.lines) > 0 && !s.closed {
		r := &run{lines: f.lines}
		s.runs = append(s.runs, r)
		s.step(r)
	}
}

// progress counts one more of what a line may wait for, in every script; mu is held.
func (s *Server) progress(counter func(*run) *int) {
	for _, r := range slices.Clone(s.runs) {
		*counter(r)++
		s.step(r)
	}
}

// step performs all lines that are due and arms the timer for the next; mu is
// held. A line's own counters and time start when the line before it is done.
func (s *Server) step(r *run) {
	for r.at < len(r.lines) && !s.closed {
		l := &r.lines[r.at]
		if r.posts < l.posts || r.connects < l.connects || r.searches < l.searches {
			return
		}
		if l.wait > 0 {
			if r.timer == nil {
				r.timer = time.AfterFunc(l.wait, func() { s.ring(r) })
			}
			return
		}
		s.perform(r, l)
	}
	if r.at >= len(r.lines) {
		s.runs = slices.DeleteFunc(s.runs, func(other *run) bool { return other == r })
	}
}

// ring is the timer of the line that waits.
func (s *Server) ring(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	r.timer = nil
	s.perform(r, &r.lines[r.at])
	s.step(r)
}

func (s *Server) perform(r *run, l *line) {
	r.at++
	r.posts, r.connects, r.searches = 0, 0, 0
	if l.action == "loop" {
		r.at = 0
		return
	}
	s.act(l)
}

// act does what a line says; mu is held.
func (s *Server) act(l *line) {
	switch l.action {
	case "disconnect":
		s.each(func(st *stream) op {
			if st.wish.x != nil {
				return ending("operational-disconnect")
			}
			return disconnect(st.id, l.number, l.text)
		})
	case "problem":
		s.eachOf(true, func(*stream) op { return ending(l.text) })
	case "close":
		s.each(func(*stream) op { return closing })
	case "drop":
		s.each(func(*stream) op { return dropped })
	case "truncate":
		p := s.corpus().write(s.now())
		s.each(func(st *stream) op { return truncated(s.rendered(p, st)) })
	case "stall":
		s.each(func(*stream) op { return stalled(l.last) })
	case "limit":
		s.eachOf(false, func(*stream) op { return limitNotice(l.number, s.now()) })
	case "warning":
		s.eachOf(false, func(*stream) op { return message{raw: warning(l.number)}.op() })
	case "line":
		s.each(func(*stream) op { return message{raw: []byte(l.text)}.op() })
	case "duplicate":
		for _, m := range s.recent[max(0, len(s.recent)-l.number):] {
			s.send(m, false)
		}
	case "oversize":
		p := s.corpus().find(s.corpus().Post(Draft{Text: "A very large post"}, s.now()).ID)
		s.each(func(st *stream) op { return message{raw: oversized(s.rendered(p, st), l.number)}.op() })
	case "garbage":
		for _, raw := range garbage() {
			s.each(func(*stream) op { return message{raw: raw}.op() })
		}
	case "chunk":
		s.chunk = lasting{number: l.number, until: s.until(l.last)}
	case "search":
		s.find.spoil(l, s.until(l.last))
	case "calls":
		s.x.calls.spoil(l, s.until(l.last))
	case "quiet":
		s.quietTo = time.Now().Add(l.last)
	default:
		s.door = door{kind: doorKinds[l.action], refusal: l.door, reset: l.reset, until: s.until(l.last), left: l.times}
		if l.last == 0 && l.times == 0 {
			s.door.left = 1
		}
	}
}

// each queues one op on every open stream; mu is held.
func (s *Server) each(of func(*stream) op) {
	for _, st := range s.streams {
		st.put(of(st), 0)
	}
}

// eachOf is each for the streams of one API.
func (s *Server) eachOf(x bool, of func(*stream) op) {
	for _, st := range s.streams {
		if (st.wish.x != nil) == x {
			st.put(of(st), 0)
		}
	}
}

// rendered is a post in the form of a stream.
func (s *Server) rendered(p *post, st *stream) []byte {
	if st.wish.x == nil {
		return p.raw
	}
	return s.corpus().envelope(p, st.wish.x.asked, nil)
}

func (s *Server) until(d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return s.now().Add(d)
}

// lasting is a number that holds until a time; zero time: for good.
type lasting struct {
	number int
	until  time.Time
}

// chunkSize is the largest HTTP chunk to write now; 0: any.
func (s *Server) chunkSize() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.chunk.until.IsZero() && !s.now().Before(s.chunk.until) {
		s.chunk = lasting{}
	}
	return s.chunk.number
}

// doorKind is what happens to a connect.
type doorKind uint8

const (
	doorOpen   doorKind = iota
	doorStatus          // answered with a status
	doorClose           // answered 200 and closed at once
	doorRefuse          // closed without an answer
	doorHang            // never answered
	doorDelay           // answered late; of searches only
)

var doorKinds = map[string]doorKind{
	"open": doorOpen, "status": doorStatus, "rate-limit": doorStatus,
	"close-after-200": doorClose, "refuse": doorRefuse, "hang": doorHang,
}

// door is what the script says of connects to come: until a time, or so many times.
type door struct {
	kind    doorKind
	refusal *refusal
	reset   time.Duration
	until   time.Time
	left    int
}

// knock says what becomes of a connect now.
func (d *door) knock(now time.Time) (doorKind, *refusal) {
	if d.kind == doorOpen || !d.until.IsZero() && !now.Before(d.until) {
		d.kind = doorOpen
		return doorOpen, nil
	}
	kind, f := d.kind, d.refusal
	if d.until.IsZero() {
		if d.left--; d.left <= 0 {
			d.kind = doorOpen
		}
	}
	if f != nil && d.reset > 0 {
		with := *f
		with.reset = now.Add(d.reset)
		f = &with
	}
	return kind, f
}

// turnAway answers a connect that the script spoils.
func (s *Server) turnAway(w http.ResponseWriter, r *http.Request, how doorKind) {
	switch how {
	case doorClose:
		w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusOK)
	case doorHang:
		_, _ = io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxBody)) // else net/http would not notice that the client leaves
		select {
		case <-r.Context().Done():
		case <-s.quit:
		}
		panic(http.ErrAbortHandler)
	case doorRefuse:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler) // HTTP/2: the stream is reset
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // a reset, not an end of file
		}
		_ = conn.Close()
	}
}
