package server

import (
	"net/http"
	"slices"
	"strings"
)

// cors says which origins' scripts may read answers. "*" lets every origin read
// and never sends cookies along; listed origins may send them.
type cors struct {
	any     bool
	origins []string
}

func newCORS(origins []string) cors {
	return cors{any: slices.Contains(origins, "*"), origins: origins}
}

// allow sets the headers for a request's origin. It returns false for the origin
// "null", which every sandboxed frame and local file shares: it names nobody.
func (c cors) allow(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	h := w.Header()
	if h.Get("Vary") == "" {
		h.Set("Vary", "Origin")
	}
	switch {
	case origin == "null":
		return false
	case c.any:
		h.Set("Access-Control-Allow-Origin", "*")
	case origin != "" && slices.Contains(c.origins, origin):
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Allow-Credentials", "true")
	default:
		return true
	}
	h.Set("Access-Control-Expose-Headers", "Link, Retry-After")
	return true
}

// preflight answers OPTIONS, after allow.
func (c cors) preflight(w http.ResponseWriter, r *http.Request, methods string) {
	h := w.Header()
	h.Set("Allow", methods)
	if h.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Allow-Headers", "Last-Event-ID, Authorization, Content-Type")
		h.Set("Access-Control-Max-Age", "86400")
	}
	w.WriteHeader(http.StatusNoContent)
}

// may answers what is wrong before parameters are looked at, and preflights, of
// a route that is asked with these methods; true: go on.
func (s *Server) may(w http.ResponseWriter, r *http.Request, methods string) bool {
	w.Header().Set("Vary", varyStream)
	if !s.cors.allow(w, r) {
		problem(http.StatusForbidden, "an opaque origin (null) is refused: serve the page from an origin of its own").write(w, r)
		return false
	}
	switch {
	case r.Method == http.MethodOptions:
		s.cors.preflight(w, r, methods)
		return false
	case !slices.Contains(strings.Split(methods, ", "), r.Method):
		w.Header().Set("Allow", methods)
		problem(http.StatusMethodNotAllowed, "%s takes %s", r.URL.Path, methods).write(w, r)
		return false
	}
	return true
}
