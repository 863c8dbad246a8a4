package server

import (
	"encoding/json"
	"net/http"
	"time"
)

// Cluster is this node among those that share a history, as /status shows it.
type Cluster struct {
	Node   string        // this node's name
	Leader string        // the node that holds the upstream; "": none is known
	Role   string        // all, ingest, edge
	Lag    time.Duration // age of the oldest event of the bus that has not come here yet; 0: all have
	Bus    *Bus          // nil: the history is this process's alone
}

// Bus is what keeps the history outside the process.
type Bus struct {
	Kind  string // file, nats
	State string // opening, filling, ok, cut_off
	Error string // why it is not ok
	Hint  string // what an operator can do about it
}

// MarshalJSON writes every member, null where there is nothing to say.
func (c Cluster) MarshalJSON() ([]byte, error) {
	words := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	type bus struct {
		Kind  string  `json:"kind"`
		State string  `json:"state"`
		Error *string `json:"error"`
		Hint  *string `json:"hint"`
	}
	out := struct {
		Node   string  `json:"node"`
		Leader *string `json:"leader"`
		Role   string  `json:"role"`
		LagS   float64 `json:"lag_s"`
		Bus    *bus    `json:"bus"`
	}{Node: c.Node, Leader: words(c.Leader), Role: c.Role, LagS: c.Lag.Round(time.Millisecond).Seconds()}
	if b := c.Bus; b != nil {
		out.Bus = &bus{b.Kind, b.State, words(b.Error), words(b.Hint)}
	}
	return json.Marshal(out)
}

// elsewhere answers for the routes that a node does not have which serves no clients.
func (s *Server) elsewhere(w http.ResponseWriter, r *http.Request) {
	s.setDeadline(w, s.opts.WriteTimeout)
	problem(http.StatusServiceUnavailable, "%s", s.opts.Elsewhere).write(w, r)
}

// filled keeps streams away while the history is filled: a client that asks for
// nothing of the past would get it all as news. Compat's routes come here;
// /stream says it in its own forms.
func (s *Server) filled(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := s.opts.Filling(); why != "" {
			s.setDeadline(w, s.opts.WriteTimeout)
			w.Header().Set("Retry-After", "1")
			problem(http.StatusServiceUnavailable, "%s", why).write(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
