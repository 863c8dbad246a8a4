package server

import (
	"context"
	"net"
	"net/http"
	"time"
)

type (
	connKey  struct{}
	tunedKey struct{} // whether the listener has the options that its connections need
)

// connOf is the connection of a request that came through NewHTTP, else nil.
func connOf(ctx context.Context) net.Conn {
	c, _ := ctx.Value(connKey{}).(net.Conn)
	return c
}

// stale is when the kernel gives up on bytes that a client does not acknowledge.
func (s *Server) stale() time.Duration { return s.opts.Heartbeat + s.opts.WriteTimeout + 5*time.Second }

// NewHTTP returns an http.Server for one of the handlers, with the limits that
// streams need: no WriteTimeout (every write has a deadline of its own), ten
// seconds for the headers of a request, socket options that bound what a stalled
// reader costs, at most Options.MaxConnections, and connections let in at the pace
// at which they are answered. The caller sets TLSConfig if it wants TLS and
// HTTP/2, serves, and closes it.
func (s *Server) NewHTTP(h http.Handler) *http.Server {
	pace := newThrottle()
	stale := s.stale()
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    s.opts.MaxFilterBytes + 16<<10, // a filter may come in the URL
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: 128, // browsers use about 100
			SendPingTimeout:      stale,
			PingTimeout:          s.opts.WriteTimeout,
		},
		BaseContext: func(l net.Listener) context.Context {
			return context.WithValue(context.Background(), tunedKey{}, tune(l, stale))
		},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			if inherited, _ := ctx.Value(tunedKey{}).(bool); !inherited {
				tune(c, stale)
			}
			return context.WithValue(ctx, connKey{}, c)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			s.bound.state(c, state)
			s.unanswered.state(c, state)
			pace.state(c, state)
		},
		ErrorLog: errorLog(s.opts.Log),
	}
}
