package sim

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"aviary/fanout/filter"
	"aviary/upstream/twitter"
)

// Server is the fake Twitter: an http.Handler. Its methods are safe for
// concurrent use.
type Server struct {
	cfg  Config
	quit chan struct{} // closed by Close
	wake chan struct{} // one slot: a stream has opened
	work sync.WaitGroup

	// owned by mu
	mu       sync.Mutex
	corpus   func() *Corpus // made when it is first asked for
	streams  []*stream      // oldest first
	lastID   int            // of a stream
	stats    Stats
	attempts []time.Time // connects within ConnectWindow
	nonces   map[string]time.Time
	recent   []message // the last posts, for the fault "duplicate"
	runs     []*run
	started  bool // the configured script runs
	door     door
	chunk    lasting
	quietTo  time.Time
	find     searching
	x        v2
	silent   bool
	closed   bool
}

// message is one line for the streams.
type message struct {
	raw   []byte
	about []byte // the post that decides who gets it: raw itself, or what a notice is about; nil: everybody
	post  bool   // counts as a post

	// For the streams of API v2.
	of       *post  // the post; nil: a notice, or what a test pushed
	duty     []byte // a notice in the form of the compliance streams; nil: none
	dutyUser bool   // it goes to the users' stream
}

// New makes a server. With a Rate it starts one goroutine, which Close stops.
func New(cfg Config) *Server {
	s := &Server{
		cfg:    cfg.withDefaults(),
		quit:   make(chan struct{}),
		wake:   make(chan struct{}, 1),
		nonces: map[string]time.Time{},
	}
	began := s.now()
	s.corpus = sync.OnceValue(func() *Corpus { return NewCorpus(cfg.Seed, began) })
	if cfg.Rate > 0 {
		s.work.Go(s.generate)
	}
	return s
}

// now is the simulator's clock.
func (s *Server) now() time.Time { return time.Now().Add(s.cfg.ClockSkew) }

// ServeHTTP answers the endpoints that the package documentation lists.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/2/") && s.serveX(w, r) {
		return
	}
	var methods []string
	switch r.URL.Path {
	case searchPath, tokenPath:
		s.rest(w, r)
		return
	case "/1.1/statuses/filter.json":
		methods = []string{http.MethodPost, http.MethodGet}
	case "/1.1/statuses/sample.json":
		methods = []string{http.MethodGet}
	default:
		apiError(http.StatusNotFound, 34, "Sorry, that page does not exist.").write(w, s.now())
		return
	}
	if !slices.Contains(methods, r.Method) {
		w.Header()["Allow"] = methods
		textError(http.StatusMethodNotAllowed, "Method not allowed").write(w, s.now())
		return
	}
	s.connect(w, r)
}

// connect answers one request to a streaming endpoint.
func (s *Server) connect(w http.ResponseWriter, r *http.Request) {
	how, f := s.admit()
	if f == nil && how == doorOpen {
		var wanted wish
		if wanted, f = s.check(w, r); f == nil {
			s.stream(w, r, wanted, nil, new(bool))
			return
		}
	}
	s.mu.Lock()
	s.stats.Refused++
	s.mu.Unlock()
	if f != nil {
		f.write(w, s.now())
		return
	}
	s.turnAway(w, r, how)
}

// check is what every request must pass: the signature, then the parameters.
func (s *Server) check(w http.ResponseWriter, r *http.Request) (wish, *refusal) {
	values, f := readParams(w, r)
	if f == nil {
		f = s.authorize(r, pairs(values))
	}
	if f != nil {
		return wish{}, f
	}
	wanted, f := parseWish(values, r.URL.Path != "/1.1/statuses/sample.json")
	wanted.gzip = acceptsGzip(r)
	return wanted, f
}

// admit counts a connect and starts the script's clock. It returns what the
// script says of this connect, and the refusal when there is one.
func (s *Server) admit() (doorKind, *refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Connects++
	if s.closed {
		return doorOpen, htmlError(http.StatusServiceUnavailable, "The simulator is closed.")
	}
	s.begin()
	now := s.now()
	if s.cfg.MaxConnects > 0 {
		s.attempts = slices.DeleteFunc(s.attempts, func(at time.Time) bool { return now.Sub(at) >= s.cfg.ConnectWindow })
		s.attempts = append(s.attempts, now)
		if len(s.attempts) > s.cfg.MaxConnects {
			return doorOpen, textError(statusEnhanceYourCalm, "Too many connection attempts. Back off before you try again.")
		}
	}
	return s.door.knock(now)
}

// open registers a stream; one too many closes the oldest.
func (s *Server) open(st *stream) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.work.Add(1)
	s.lastID++
	st.id = s.lastID
	s.streams = append(s.streams, st)
	s.stats.Most = max(s.stats.Most, len(s.streams))
	if st.wish.x == nil {
		s.cutOldest()
	} else if st.wish.backfill > 0 {
		s.backfill(st)
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	s.progress(func(r *run) *int { return &r.connects })
	return true
}

// cutOldest ends the oldest stream of v1.1 if there is one too many; mu is held.
func (s *Server) cutOldest() {
	first, n := -1, 0
	for i, st := range s.streams {
		if st.wish.x != nil {
			continue
		}
		if n++; first < 0 {
			first = i
		}
	}
	if limit := s.cfg.MaxStreams; limit > 0 && n > limit {
		oldest := s.streams[first]
		s.streams = slices.Delete(s.streams, first, first+1)
		oldest.end(disconnect(oldest.id, 7, "admin logout"))
	}
}

// leave forgets a stream that has ended.
func (s *Server) leave(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.streams, st); i >= 0 {
		s.streams = slices.Delete(s.streams, i, i+1)
	}
	s.work.Done()
}

// keptRecent is how many posts "duplicate" can repeat.
const keptRecent = 256

// publish counts a message and gives it to the streams it is for; mu is held.
// A generated message ends a stream whose queue is full, a pushed one waits in it.
func (s *Server) publish(m message, generated bool) int {
	sent := s.send(m, generated)
	if m.post {
		s.stats.Posts++
		if len(s.recent) == keptRecent {
			s.recent = slices.Delete(s.recent, 0, keptRecent/2)
		}
		s.recent = append(s.recent, m)
		s.progress(func(r *run) *int { return &r.posts })
	}
	return sent
}

// send queues a message; mu is held. The post is decoded at most once, and
// only when somebody filters.
func (s *Server) send(m message, generated bool) int {
	var post *filter.Post
	decoded, sent, limit := false, 0, 0
	if generated {
		limit = s.cfg.Queue
	}
	sent += s.sendX(m, limit)
	for _, st := range s.streams {
		if st.wish.x != nil || m.raw == nil {
			continue
		}
		if m.about != nil && st.wish.filter != nil {
			if !decoded {
				post, _ = twitter.Dialect.Post(m.about) // what can't be decoded matches no filter
				decoded = true
			}
			if !st.wish.matches(post) {
				continue
			}
		}
		st.put(m.op(), limit)
		sent++
	}
	return sent
}

// Push sends one message, as it is and whatever the filters, to every open
// stream, and returns to how many. It never waits; raw is the server's from then on.
func (s *Server) Push(raw []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.publish(message{raw: raw, post: true}, false)
}

// Silence stops the generator for good: from now on only what is pushed is sent.
func (s *Server) Silence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = true
}

// Stats returns the counters.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Streams = len(s.streams)
	return stats
}

// Close ends all streams, as a server that shuts down does, and returns when
// they and the generator are gone. Requests that come later get 503.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.quit)
		for _, st := range s.streams {
			st.end(closing)
		}
		for _, r := range s.runs {
			r.stop()
		}
	}
	s.mu.Unlock()
	s.work.Wait()
	return nil
}
