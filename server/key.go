package server

import (
	"net/http"
	"net/netip"

	"github.com/go-chi/chi/v5/middleware"
)

// clientIP is the middleware that finds the client's address: the peer's, or, if
// the peer is a trusted proxy, the first address from the right of
// X-Forwarded-For that is not.
func clientIP(trusted []netip.Prefix) func(http.Handler) http.Handler {
	if len(trusted) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	var prefixes []string
	for _, p := range trusted {
		prefixes = append(prefixes, p.String())
	}
	return middleware.ClientIPFromXFF(prefixes...)
}

// clientKey is whose streams are counted together: an IPv4 address or an IPv6
// /64. It is "", not counted, for clients on this machine; what comes through a
// proxy on this machine is no such client, whatever it claims.
func (s *Server) clientKey(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "" // a pipe or a Unix socket
	}
	addr := middleware.GetClientIPAddr(r.Context())
	if !addr.IsValid() { // a trusted proxy that names nobody
		addr = peer.Addr().Unmap()
		if addr.IsLoopback() && r.Header.Get("X-Forwarded-For") == "" {
			return ""
		}
	} else if addr.IsLoopback() && peer.Addr().Unmap().IsLoopback() {
		return ""
	}
	if addr = addr.WithZone(""); addr.Is4() {
		return addr.String()
	}
	net, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return net.String()
}
