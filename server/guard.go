package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// crossOrigin refuses unsafe requests that a page of another origin makes:
// Sec-Fetch-Site, and Origin for browsers that do not send it.
var crossOrigin = http.NewCrossOriginProtection()

// guard protects the admin routes. With a token set, all of them ask for it.
// What changes something, and everything when there is no token, must also come
// under a name that a page cannot point at this machine (DNS rebinding).
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token := s.opts.AdminToken()
		read := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case (!read || token == "") && !s.ownHost(r.Host):
			problem(http.StatusForbidden, "the Host %q is not one of this listener's names: use its address", clip(r.Host)).write(w, r)
		case crossOrigin.Check(r) != nil || !read && !sameSite(r):
			problem(http.StatusForbidden, "a page of another origin may not do this").write(w, r)
		case token != "" && !bearer(r, token):
			w.Header().Set("WWW-Authenticate", `Bearer realm="aviary admin"`)
			problem(http.StatusUnauthorized, "this needs the admin token: Authorization: Bearer …").write(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// sameSite reports whether a browser says that its user or our own page asked.
func sameSite(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return true
	}
	return false
}

// bearer compares in constant time; hashing hides the token's length.
func bearer(r *http.Request, token string) bool {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	a, b := sha256.Sum256([]byte(strings.TrimSpace(given))), sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && strings.EqualFold(scheme, "Bearer")
}

// ownHost reports whether the Host header names this listener: an address (which
// no DNS answer can change), a name of loopback, or a configured name.
func (s *Server) ownHost(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") ||
		slices.ContainsFunc(s.opts.AdminHosts, func(own string) bool { return strings.EqualFold(own, host) })
}
