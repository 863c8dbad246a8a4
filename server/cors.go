package server

import (
	"net/http"
	"slices"
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
