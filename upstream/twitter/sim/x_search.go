package sim

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// searchX answers recent search: the posts that are remembered.
func (s *Server) searchX(q url.Values) ([]byte, *refusal) {
	bad := func(name string) ([]byte, *refusal) {
		return nil, problemOf(http.StatusBadRequest, "invalid-request", name)
	}
	query := q.Get("query")
	if query == "" || len([]rune(query)) > 512 {
		return bad("query")
	}
	match, err := compileRule(query)
	if err != nil {
		return bad("query: " + strings.ReplaceAll(err.Error(), `"`, "'"))
	}
	size, since, until, token := 10, uint64(0), uint64(0), uint64(0)
	if v := q.Get("max_results"); v != "" {
		if size, err = strconv.Atoi(v); err != nil || size < 10 || size > 100 {
			return bad("max_results")
		}
	}
	next := q.Get("next_token") + q.Get("pagination_token")
	for name, into := range map[string]*uint64{"since_id": &since, "until_id": &until} {
		if v := q.Get(name); v != "" {
			if *into, err = strconv.ParseUint(v, 10, 64); err != nil {
				return bad(name)
			}
		}
	}
	if next != "" {
		rest, is := strings.CutPrefix(next, "sim")
		if token, err = strconv.ParseUint(rest, 36, 64); !is || err != nil {
			return bad("next_token")
		}
	}
	now := s.now()
	from, to := now.Add(-7*24*time.Hour), now.Add(-s.cfg.XSearchLag)
	for name, into := range map[string]*time.Time{"start_time": &from, "end_time": &to} {
		if v := q.Get(name); v != "" {
			if *into, err = time.Parse(time.RFC3339, v); err != nil {
				return bad(name)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Pages++
	found := s.corpus().known(func(p *post) bool {
		return p.id > since && (until == 0 || p.id < until) && (token == 0 || p.id < token) &&
			p.at >= from.UnixMilli() && p.at <= to.UnixMilli() && match(p)
	})
	more := len(found) > size
	found = found[:min(size, len(found))]
	s.progress(func(r *run) *int { return &r.searches })
	return s.pageX(found, more, q), nil
}

// pageX writes a page of posts; mu is held.
func (s *Server) pageX(found []*post, more bool, q url.Values) []byte {
	a := readAsked(q)
	var w writer
	if len(found) == 0 {
		return []byte(`{"meta":{"result_count":0}}`)
	}
	w.lit(`{"data":[`)
	for i, p := range found {
		if i > 0 {
			w.lit(`,`)
		}
		w.ascii = p.ascii
		w.v2(s.corpus(), p, a)
	}
	w.lit(`]`)
	s.corpus().included(found, a).write(&w, s.corpus(), a)
	last := found[len(found)-1].id
	w.lit(fmt.Sprintf(`,"meta":{"newest_id":"%d","oldest_id":"%d","result_count":%d`, found[0].id, last, len(found)))
	if more {
		w.lit(`,"next_token":"sim` + strconv.FormatUint(last, 36) + `"`)
	}
	w.lit(`}}`)
	return w.b
}

// lookupX answers GET /2/tweets: what still stands, and errors for the rest.
func (s *Server) lookupX(q url.Values) ([]byte, *refusal) {
	ids := strings.Split(q.Get("ids"), ",")
	if q.Get("ids") == "" || len(ids) > 100 {
		return nil, problemOf(http.StatusBadRequest, "invalid-request", "ids")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*post
	var lost []string
	for _, id := range ids {
		if p := s.corpus().find(id); p != nil && !p.dead {
			found = append(found, p)
		} else {
			lost = append(lost, notFound(id, "ids"))
		}
	}
	a := readAsked(q)
	var w writer
	w.lit(`{`)
	for i, p := range found {
		if i == 0 {
			w.lit(`"data":[`)
		} else {
			w.lit(`,`)
		}
		w.v2(s.corpus(), p, a)
	}
	if len(found) > 0 {
		w.lit(`]`)
	}
	if len(lost) > 0 {
		if len(found) > 0 {
			w.lit(`,`)
		}
		w.lit(`"errors":[` + strings.Join(lost, ",") + `]`)
	}
	w.lit(`}`)
	return w.b, nil
}
