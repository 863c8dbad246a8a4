package server

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aviary/fanout"
)

// allowSearch is what the search routes can be asked with.
const allowSearch = "GET, HEAD, OPTIONS"

// mayAsk is may for the search routes: there has to be a search, too.
func (s *Server) mayAsk(w http.ResponseWriter, r *http.Request) bool {
	if !s.may(w, r, allowSearch) {
		return false
	}
	if s.search == nil {
		problem(http.StatusNotImplemented, "the source %q cannot be searched; its posts are at /stream", s.opts.Source).write(w, r)
		return false
	}
	return true
}

// searchPage answers /search: one page as JSON.
func (s *Server) searchPage(w http.ResponseWriter, r *http.Request) {
	if !s.mayAsk(w, r) {
		return
	}
	values, err := s.readParams(w, r)
	var q SearchQuestion
	if err == nil {
		q, err = parsePage(values)
	}
	if err == nil && r.Method == http.MethodHead {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		return
	}
	var page *SearchPage
	if err == nil {
		page, err = s.search.ask(r.Context(), searchKey{s.opts.SearchScope(r), q}, asPage)
	}
	s.setDeadline(w, s.opts.WriteTimeout) // the upstream may have taken its time
	if err != nil {
		s.searchFailed(w, r, err)
		return
	}
	s.writePage(w, q, page)
}

// parsePage reads the parameters of /search.
func parsePage(values url.Values) (q SearchQuestion, err error) {
	if err = onlyParams(values, pageParams); err != nil {
		return q, err
	}
	if q, err = parseQuestion(values); err != nil {
		return q, err
	}
	q.MaxID, err = parsePageCursor(values)
	return q, err
}

// searchFailed answers with the problem that an error is.
func (s *Server) searchFailed(w http.ResponseWriter, r *http.Request, err error) {
	var failed *SearchError
	switch {
	case errors.As(err, &failed):
		p, retry := failed.problem(time.Now())
		if retry > 0 {
			w.Header().Set("Retry-After", strconv.FormatInt(int64((retry+time.Second-1)/time.Second), 10))
		}
		s.opts.Log.Debug("a search failed", "error", failed, "hint", failed.Hint)
		p.write(w, r)
	case r.Context().Err() != nil: // nobody is there to be told
	default:
		asProblem(err).write(w, r)
	}
}

// rate is the budget as clients see it.
type rate struct {
	Limit     int       `json:"limit"`
	Remaining int       `json:"remaining"`
	Reset     time.Time `json:"reset"`
}

// rate is null until the upstream has told.
func (s *search) rate() *rate {
	r := s.from.Rate()
	if !r.Known {
		return nil
	}
	return &rate{r.Limit, r.Remaining, r.Reset.UTC().Truncate(time.Second)}
}

// writePage writes a page. The statuses are the upstream's bytes, each on a line
// that could stand in a stream.
func (s *Server) writePage(w http.ResponseWriter, q SearchQuestion, page *SearchPage) {
	var b bytes.Buffer
	b.WriteString(`{"statuses":[`)
	for i, item := range page.Items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(item.Event.JSON)
	}
	var next *string
	if id := page.next(q.MaxID); page.More && id > 0 && id > q.SinceID {
		values := q.values()
		values.Set("cursor", pageCursor(id))
		path := "/search?" + values.Encode()
		next = &path
		w.Header().Set("Link", "<"+path+`>; rel="next"`)
	}
	rest, err := marshal(struct {
		Next *string `json:"next"`
		Rate *rate   `json:"rate"`
	}{next, s.search.rate()})
	if err != nil {
		panic(err) // text and numbers always encode
	}
	b.WriteString(`],`)
	b.Write(rest[1:])
	b.WriteByte('\n')
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // a failure means the client has left
}

// next is the max_id of the page behind this one, which was asked for with bound
// (0: none): below the lowest id, whatever the order, but not that of a popular
// post, which may be days older than the rest. 0: there is no way on.
func (p *SearchPage) next(bound uint64) uint64 {
	lowest, popular := uint64(0), uint64(0)
	for _, item := range p.Items {
		to := &lowest
		if item.Popular {
			to = &popular
		}
		if item.usable(bound, 0) && (*to == 0 || item.ID < *to) {
			*to = item.ID
		}
	}
	switch {
	case lowest > 0:
		return lowest - 1
	case popular > 0:
		return popular - 1
	case bound == 0 || p.NextMaxID < bound:
		return p.NextMaxID
	}
	return 0
}

// usable says that an item is a post that a walk can place: with an id, and
// within what was asked for.
func (i *SearchItem) usable(bound, since uint64) bool {
	return i.ID > since && (bound == 0 || i.ID <= bound) && i.Event.Kind == fanout.KindPost
}
