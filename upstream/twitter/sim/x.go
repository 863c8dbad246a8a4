package sim

import (
	"crypto/subtle"
	"io"
	"net/http"
	"strings"
	"time"
)

// The endpoints of API v2.
const (
	xStream      = "/2/tweets/search/stream"
	xRules       = "/2/tweets/search/stream/rules"
	xCounts      = "/2/tweets/search/stream/rules/counts"
	xSearch      = "/2/tweets/search/recent"
	xLookup      = "/2/tweets"
	xConnections = "/2/connections"
	xTweetDuties = "/2/tweets/compliance/stream"
	xUserDuties  = "/2/users/compliance/stream"
)

// v2 is what the endpoints of API v2 remember. The server's mu guards it.
type v2 struct {
	rules    []*rule
	lastRule int
	open     []*xConnection // newest last; at most maxConnections
	lastOpen int
	pools    map[string]*pool // by method and path
	calls    searching        // what becomes of requests that are no stream and no search
	read     int              // posts delivered in the month
	month    string
}

// limits are the requests of a SearchWindow, by method and path, as documented.
var limits = map[string]int{
	"GET " + xStream: 50, "GET " + xRules: 450, "POST " + xRules: 100, "GET " + xCounts: 450, "GET " + xSearch: 450, "GET " + xLookup: 3500,
	"GET " + xConnections: 25, "DELETE " + xConnections: 25, "GET " + xTweetDuties: 100, "GET " + xUserDuties: 100,
}

// serveX answers the endpoints of API v2; false: it is none of them.
func (s *Server) serveX(w http.ResponseWriter, r *http.Request) bool {
	path := r.URL.Path
	if strings.HasPrefix(path, xConnections+"/") {
		path = xConnections
	}
	methods := ""
	for key := range limits {
		if method, p, _ := strings.Cut(key, " "); p == path {
			methods += method + " "
		}
	}
	if methods == "" {
		return false
	}
	if !strings.Contains(methods, r.Method+" ") {
		w.Header().Set("Allow", strings.TrimSpace(methods))
		problemOf(http.StatusMethodNotAllowed, "invalid-request", "method").write(w, s.now())
		return true
	}
	stream := path == xStream || path == xTweetDuties || path == xUserDuties
	if f := s.xAuthorize(r); f != nil {
		f.write(w, s.now())
		return true
	}
	if !s.xSpend(w, r, r.Method+" "+path, stream) {
		return true
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		problemOf(http.StatusRequestEntityTooLarge, "invalid-request", "body").write(w, s.now())
		return true
	}
	if stream {
		s.connectX(w, r)
		return true
	}
	s.answerX(w, r, path, body)
	return true
}

// answerX answers what is no stream.
func (s *Server) answerX(w http.ResponseWriter, r *http.Request, path string, body []byte) {
	q := r.URL.Query()
	status := http.StatusOK
	var out []byte
	var f *refusal
	switch {
	case path == xRules && r.Method == http.MethodGet:
		out, f = s.listRules(q)
	case path == xRules:
		status, out, f = s.changeRules(body, q)
	case path == xCounts:
		out = s.countRules()
	case path == xSearch:
		out, f = s.searchX(q)
	case path == xLookup:
		out, f = s.lookupX(q)
	default:
		out, f = s.connectionsX(r, body)
	}
	if f != nil {
		f.write(w, s.now())
		return
	}
	h := w.Header()
	h.Set("Date", s.now().UTC().Format(http.TimeFormat))
	h.Set("Content-Type", "application/json; charset=utf-8")
	if acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		out = gzipped(out)
	}
	w.WriteHeader(status)
	_, _ = w.Write(out) // a failure means that the client has left
}

// xAuthorize accepts the bearer token.
func (s *Server) xAuthorize(r *http.Request) *refusal {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "OAuth"):
		return problemOf(http.StatusForbidden, "unsupported-authentication", "")
	case !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare([]byte(given), []byte(s.BearerToken())) == 0:
		return unauthorized()
	}
	return nil
}

// xSpend takes one request from the budget of an endpoint and tells the rest in the
// header. false: it has answered, because of the limit or because the script says so.
func (s *Server) xSpend(w http.ResponseWriter, r *http.Request, key string, stream bool) bool {
	s.mu.Lock()
	s.begin()
	if s.x.pools == nil {
		s.x.pools = map[string]*pool{}
	}
	p := s.x.pools[key]
	if p == nil {
		p = &pool{}
		s.x.pools[key] = p
	}
	now := s.now()
	if !now.Before(p.reset) {
		p.left, p.reset = limits[key], now.Add(s.cfg.SearchWindow).Truncate(time.Second)
	}
	if p.left == 0 {
		s.stats.OverLimit++
		p.tell(w.Header(), limits[key])
		s.mu.Unlock()
		problemOf(http.StatusTooManyRequests, "rate-limit-exceeded", "").write(w, now)
		return false
	}
	p.left--
	p.tell(w.Header(), limits[key])
	spoiled := &s.x.calls
	if strings.HasSuffix(key, xSearch) {
		spoiled = &s.find
		s.stats.Searches++
	}
	var how doorKind
	var f *refusal
	if !stream {
		how, f = spoiled.door.knock(now)
	}
	delay, closed := spoiled.delay, s.closed
	s.mu.Unlock()
	switch {
	case closed:
		htmlError(http.StatusServiceUnavailable, "The simulator is closed.").write(w, now)
		return false
	case f != nil:
		f.write(w, now)
		return false
	case how == doorDelay:
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-s.quit:
			panic(http.ErrAbortHandler)
		}
	case how != doorOpen:
		s.turnAway(w, r, how)
		return false
	}
	return true
}
