package server

import (
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"aviary/web"
)

// publicRoutes is everything the public listener answers.
func (s *Server) publicRoutes() http.Handler {
	r := chi.NewRouter()
	s.unknown(r)
	r.Group(func(r chi.Router) {
		r.Use(s.short(s.opts.WriteTimeout))
		s.open(r, "/status", s.status)
		s.open(r, "/healthz", s.healthz)
		s.open(r, "/readyz", s.readyz)
		s.open(r, "/openapi.yaml", s.openapi)
	})
	if s.opts.Elsewhere != "" {
		r.NotFound(s.elsewhere)
		return r
	}
	// Nothing that wraps a writer may stand around a stream.
	r.With(clientIP(s.opts.TrustedProxies)).HandleFunc("/stream", s.stream)
	r.With(clientIP(s.opts.TrustedProxies)).HandleFunc("/search/pages", s.searchPages)
	s.compat.Streams(r.With(clientIP(s.opts.TrustedProxies), s.filled))

	r.Group(func(r chi.Router) {
		r.Use(s.short(s.opts.WriteTimeout))
		r.HandleFunc("/search", s.searchPage)
		r.HandleFunc("/filters/check", s.checkFilter)
		s.compat.Answers(r)
		s.open(r, "/dictionaries/{hash}", s.dictionary)
		page := web.Handler(dictionaryPath)
		for _, path := range web.Paths() {
			if web.Open(path) {
				s.open(r, path, page.ServeHTTP)
				continue
			}
			r.Method(http.MethodGet, path, page)
			r.Method(http.MethodHead, path, page)
		}
	})
	return r
}

// adminRoutes is everything the admin listener answers.
func (s *Server) adminRoutes(metrics *prometheus.Registry) http.Handler {
	r := chi.NewRouter()
	s.unknown(r)
	r.Use(s.short(5 * time.Minute)) // a CPU profile takes its time
	r.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{Registry: metrics}))

	r.Group(func(r chi.Router) {
		r.Use(s.guard)
		r.Get("/clients", s.listClients)
		r.Delete("/clients/{id}", s.evictClient)
		r.Get("/upstream/filter", s.upstreamFilter)
		r.Put("/upstream/filter", s.putUpstreamFilter)
		r.Post("/upstream/reconnect", s.reconnect)
		r.Delete("/posts/{id}", s.deletePost)
		r.Delete("/users/{id}/posts", s.deleteUser)

		r.HandleFunc("/debug/pprof/*", pprof.Index)
		r.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		r.HandleFunc("/debug/pprof/profile", pprof.Profile)
		r.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		r.HandleFunc("/debug/pprof/trace", pprof.Trace)
	})
	return r
}

// open adds a route that any allowed origin may read.
func (s *Server) open(r chi.Router, path string, h http.HandlerFunc) {
	get := func(w http.ResponseWriter, r *http.Request) {
		s.cors.allow(w, r) // without its headers the browser keeps the answer from the script
		h(w, r)
	}
	r.Get(path, get)
	r.Head(path, get)
	r.Options(path, func(w http.ResponseWriter, r *http.Request) {
		s.cors.allow(w, r)
		s.cors.preflight(w, r, "GET, HEAD, OPTIONS")
	})
}

// unknown answers routes and methods that do not exist.
func (s *Server) unknown(r *chi.Mux) {
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		s.setDeadline(w, s.opts.WriteTimeout)
		problem(http.StatusNotFound, "there is nothing at %q", clip(r.URL.Path)).write(w, r)
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Path == "/stream" { // a method the router has never heard of
			s.stream(w, req)
			return
		}
		s.setDeadline(w, s.opts.WriteTimeout)
		if req.URL.Path == "/filters/check" {
			s.checkFilter(w, req)
			return
		}
		var allowed []string
		for _, m := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
			if r.Match(chi.NewRouteContext(), m, req.URL.Path) {
				allowed = append(allowed, m)
			}
		}
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		problem(http.StatusMethodNotAllowed, "%q takes %s", clip(req.URL.Path), strings.Join(allowed, ", ")).write(w, req)
	})
}
