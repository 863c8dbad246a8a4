package server

import (
	"net/http"
	"time"

	"aviary/fanout"
)

// status is the body of /status.
type status struct {
	Version  string          `json:"version"`
	UptimeS  int64           `json:"uptime_s"`
	Source   string          `json:"source"`
	Upstream fanout.Upstream `json:"upstream"`
	Clients  int             `json:"clients"`
	Filters  int             `json:"filters"` // distinct
	History  history         `json:"history"`
	Cluster  Cluster         `json:"cluster"`
	*recent                  // nil: not asked for
}

// recent is what ?history= adds to /status.
type recent struct {
	Samples    *samples `json:"samples"`
	TopFilters []int    `json:"top_filters"` // clients of the filters that most have, descending; never which they are
	Search     *budget  `json:"search"`      // null: the source cannot be searched, or has not told
}

// budget is the search budget right now.
type budget struct {
	Limit     int        `json:"limit"`
	Remaining int        `json:"remaining"`
	Reset     *time.Time `json:"reset"`
}

type history struct {
	Events int        `json:"events"`
	Bytes  int64      `json:"bytes"`
	From   *time.Time `json:"from"` // when the oldest event held was received; null: none is held
	To     *time.Time `json:"to"`
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	values, err := s.readQuery(r)
	var back time.Duration
	if err == nil {
		back, err = parseHistory(values)
	}
	if err != nil {
		asProblem(err).write(w, r)
		return
	}
	h := s.opts.Hub.Stats()
	said := status{
		Version: s.opts.Version, UptimeS: int64(time.Since(s.began).Seconds()), Source: s.opts.Source,
		Upstream: s.opts.Upstream(), Clients: s.clients.Len(), Filters: h.Filters,
		History: history{Events: h.Events, Bytes: h.Bytes, From: instant(h.From), To: instant(h.To)},
		Cluster: s.opts.Cluster(),
	}
	if back > 0 {
		said.recent = &recent{Samples: s.sampler.window(time.Now().Add(-back)), TopFilters: h.Largest, Search: s.budget()}
	}
	writeJSON(w, r, http.StatusOK, said)
}

func (s *Server) budget() *budget {
	if s.search == nil {
		return nil
	}
	r := s.search.from.Rate()
	if !r.Known {
		return nil
	}
	return &budget{Limit: r.Limit, Remaining: r.Remaining, Reset: instant(r.Reset)}
}

// instant is a time in UTC to the millisecond; nil for none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Millisecond)
	return &t
}

// healthz says that the process runs.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, r, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz says whether clients should be sent here: not before there is anything
// to give them, and not in a drain.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	switch {
	case s.clients.Draining():
		problem(http.StatusServiceUnavailable, "the gateway is shutting down").write(w, r)
	case s.opts.Filling() != "":
		problem(http.StatusServiceUnavailable, "%s", s.opts.Filling()).write(w, r)
	case !s.hasBeenReady():
		problem(http.StatusServiceUnavailable, "no data has come from the upstream yet").write(w, r)
	default:
		writeJSON(w, r, http.StatusOK, map[string]string{"status": "ready"})
	}
}

// hasBeenReady stays true: a quiet night or a halted upstream is no reason to
// take the history away from clients.
func (s *Server) hasBeenReady() bool {
	if !s.ready.Load() && (s.opts.Hub.Stats().Events > 0 || s.opts.Ready()) {
		s.ready.Store(true)
	}
	return s.ready.Load()
}
