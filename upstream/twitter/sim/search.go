package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// The endpoints of the REST API.
const (
	searchPath = "/1.1/search/tweets.json"
	tokenPath  = "/oauth2/token"
)

// searching is what the REST endpoints remember. The server's mu guards it.
type searching struct {
	user, app pool
	revoked   int // bearer tokens taken back so far
	door      door
	delay     time.Duration // of doorDelay
}

// rest answers the REST endpoints.
func (s *Server) rest(w http.ResponseWriter, r *http.Request) {
	want := http.MethodGet
	if r.URL.Path == tokenPath {
		want = http.MethodPost
	}
	if r.Method != want {
		w.Header().Set("Allow", want)
		apiError(http.StatusMethodNotAllowed, 86, "This method is not supported by this endpoint.").write(w, s.now())
		return
	}
	values, f := readParams(w, r)
	if f != nil {
		f.write(w, s.now())
		return
	}
	if r.URL.Path == tokenPath {
		s.token(w, r, values)
		return
	}
	s.search(w, r, values)
}

// search answers one request for a page.
func (s *Server) search(w http.ResponseWriter, r *http.Request, values url.Values) {
	s.mu.Lock()
	s.stats.Searches++
	s.begin()
	s.mu.Unlock()
	app, f := s.authorizeSearch(r, values)
	if f != nil {
		f.write(w, s.now())
		return
	}
	how, f, delay := s.spend(w.Header(), app)
	switch {
	case f != nil:
		f.write(w, s.now())
		return
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
		return
	}
	q, f := parseQuestion(values)
	if f != nil {
		f.write(w, s.now())
		return
	}
	body := s.page(q)
	h := w.Header()
	h.Set("Date", s.now().UTC().Format(http.TimeFormat))
	h.Set("Content-Type", "application/json; charset=utf-8")
	if !acceptsGzip(r) {
		_, _ = w.Write(body) // a failure means that the client has left
		return
	}
	h.Set("Content-Encoding", "gzip")
	_, _ = w.Write(gzipped(body))
}

// begin starts the configured script; mu is held.
func (s *Server) begin() {
	if !s.started && !s.closed {
		s.started = true
		s.start(s.cfg.Faults)
	}
}

// metadata is search_metadata, members in the order of the real one.
type metadata struct {
	CompletedIn float64 `json:"completed_in"`
	MaxID       uint64  `json:"max_id"`
	MaxIDStr    string  `json:"max_id_str"`
	NextResults string  `json:"next_results,omitempty"`
	Query       string  `json:"query"`
	RefreshURL  string  `json:"refresh_url"`
	Count       int     `json:"count"`
	SinceID     uint64  `json:"since_id"`
	SinceIDStr  string  `json:"since_id_str"`
}

// page makes the body of an answer.
func (s *Server) page(q question) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Pages++
	found, more := s.corpus().search(&q)
	writing := &s.corpus().w
	writing.b, writing.whole = []byte(`{"statuses":[`), true
	for i, p := range found {
		if i > 0 {
			writing.lit(`,`)
		}
		writing.ascii = p.ascii
		writing.status(p, false, false)
	}
	m := metadata{CompletedIn: 0.021, MaxID: q.maxID, Query: url.QueryEscape(q.q), Count: q.count, SinceID: q.sinceID, SinceIDStr: strconv.FormatUint(q.sinceID, 10)}
	if len(found) > 0 {
		m.MaxID = found[0].id
	}
	m.MaxIDStr = strconv.FormatUint(m.MaxID, 10)
	m.RefreshURL = "?since_id=" + m.MaxIDStr + "&q=" + m.Query + "&include_entities=1"
	if more {
		lowest := strconv.FormatUint(found[len(found)-1].id-1, 10)
		m.NextResults = "?max_id=" + lowest + "&q=" + m.Query + "&count=" + strconv.Itoa(q.count) + "&include_entities=1"
	}
	tail, _ := json.Marshal(m) // numbers and text always have a JSON form
	body := append(append(writing.b, `],"search_metadata":`...), tail...)
	writing.b, writing.whole = nil, false
	s.progress(func(r *run) *int { return &r.searches })
	return append(body, '}')
}
