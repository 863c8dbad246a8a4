package server

import (
	"net/http"
	"net/url"
	"strconv"
	"unicode"

	"github.com/go-chi/chi/v5"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// deleted is the body of a v1.1 delete notice.
type deleted struct {
	ID        *uint64 `json:"id,omitempty"` // for ids that are numbers
	IDStr     string  `json:"id_str"`
	UserID    *uint64 `json:"user_id,omitempty"`
	UserIDStr string  `json:"user_id_str,omitempty"`
}

// removal is the answer to a delete: how many of the posts were held, and how
// many deletes went out to clients. Asking again is no error and finds 0 held.
type removal struct {
	Held      int `json:"held"`
	Published int `json:"published"`
}

// deletePost takes one post out, as if its source had deleted it: clients get a
// delete, the history forgets it with held reposts and quotes, and a late copy
// does not bring it back. A post that was never seen is kept out all the same.
func (s *Server) deletePost(w http.ResponseWriter, r *http.Request) {
	id, ok := pathID(w, r)
	if !ok {
		return
	}
	key, author, seen := s.opts.Hub.Find(id)
	if !seen {
		key = filter.Key{Source: s.opts.Dialect.Name, ID: id}
	}
	done := removal{}
	if !s.remove(w, r, key, author, &done) {
		return
	}
	s.opts.Log.Info("an operator deleted a post", "held", done.Held, "published", done.Published)
	writeJSON(w, r, http.StatusOK, done)
}

// deleteUser takes out every post of an author that is held.
func (s *Server) deleteUser(w http.ResponseWriter, r *http.Request) {
	author, ok := pathID(w, r)
	if !ok {
		return
	}
	done := removal{}
	for _, key := range s.opts.Hub.PostsBy(author) {
		if !s.remove(w, r, key, author, &done) {
			return
		}
	}
	s.opts.Log.Info("an operator deleted a user's posts", "held", done.Held, "published", done.Published)
	writeJSON(w, r, http.StatusOK, done)
}

// remove publishes a delete of a post. If that cannot be it answers with why.
func (s *Server) remove(w http.ResponseWriter, r *http.Request, key filter.Key, author string, done *removal) bool {
	held := s.opts.Hub.Has(key)
	e, err := deleteEvent(key, author)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	fresh, err := s.opts.Delete(r.Context(), e)
	if err != nil {
		s.opts.Log.Error("an operator's delete could not be published", "published_before", done.Published, "error", err)
		problem(http.StatusServiceUnavailable, "the delete could not be published, after %d that were: %v; ask again", done.Published, err).write(w, r)
		return false
	}
	if held {
		done.Held++
	}
	if fresh {
		done.Published++
	}
	return true
}

// deleteEvent is a delete in the shape of Twitter's streams:
// {"delete":{"status":{"id":1234,"id_str":"1234","user_id":3,"user_id_str":"3"}}}.
// What is not known is left out.
func deleteEvent(key filter.Key, author string) (*fanout.Event, error) {
	d := deleted{ID: number(key.ID), IDStr: key.ID, UserID: number(author), UserIDStr: author}
	raw, err := marshal(map[string]map[string]deleted{"delete": {"status": d}})
	if err != nil {
		return nil, err
	}
	e := fanout.NewEvent(&fanout.Dialect{Name: key.Source}, raw)
	e.Kind = fanout.KindDelete
	e.Target = fanout.Target{Source: key.Source, ID: key.ID, Author: author}
	return e, nil
}

// number is an id that is written as a number in exactly one way, else nil.
func number(id string) *uint64 {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != id {
		return nil
	}
	return &n
}

// pathID is the id in the path, decoded; it answers 400 to what cannot be one.
func pathID(w http.ResponseWriter, r *http.Request) (string, bool) {
	id, err := chi.URLParam(r, "id"), error(nil)
	if r.URL.RawPath != "" { // chi has routed by the encoded path
		id, err = url.PathUnescape(id)
	}
	good := err == nil && id != "" && len(id) <= 256
	for _, c := range id {
		good = good && unicode.IsPrint(c) && c != ' ' && c != unicode.ReplacementChar
	}
	if !good {
		problem(http.StatusBadRequest, "%q is not an id", clip(id)).write(w, r)
	}
	return id, good
}
