package server

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"aviary/server/deliver"
)

// listClients says who is connected.
func (s *Server) listClients(w http.ResponseWriter, r *http.Request) {
	list := append(s.clients.List(), s.compat.List()...)
	slices.SortFunc(list, func(a, b deliver.Info) int { return cmp.Compare(a.ID, b.ID) })
	writeJSON(w, r, http.StatusOK, struct {
		Count   int            `json:"count"`
		Clients []deliver.Info `json:"clients"`
	}{len(list), list})
}

// evictClient ends one stream with a bye.
func (s *Server) evictClient(w http.ResponseWriter, r *http.Request) {
	name := chi.URLParam(r, "id")
	id, err := strconv.ParseUint(name, 10, 64)
	if err != nil || !s.clients.Evict(id) && !s.compat.Evict(id) {
		problem(http.StatusNotFound, "there is no client %q: GET /clients lists them", clip(name)).write(w, r)
		return
	}
	s.opts.Log.Info("a client was evicted", "client", id)
	writeJSON(w, r, http.StatusOK, map[string]uint64{"evicted": id})
}

// EvictAll ends every stream with a bye: the history that clients have cursors of is
// no more.
func (s *Server) EvictAll() {
	for _, c := range s.clients.List() {
		s.clients.Evict(c.ID)
	}
	for _, c := range s.compat.List() {
		s.compat.Evict(c.ID)
	}
}

// reconnect makes the upstream connect anew: out of a halt, a wait or a stream.
func (s *Server) reconnect(w http.ResponseWriter, r *http.Request) {
	s.opts.Log.Info("an operator asked for a reconnect")
	if err := s.opts.Reconnect(r.Context()); err != nil {
		s.opts.Log.Error("the node that holds the upstream could not be asked to reconnect", "error", err)
		problem(http.StatusServiceUnavailable, "who holds the upstream could not be told: %v; ask again", err).write(w, r)
		return
	}
	writeJSON(w, r, http.StatusAccepted, map[string]bool{"reconnecting": true})
}
