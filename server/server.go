package server

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/server/compat"
	"aviary/server/deliver"
)

// Options is what a Server needs to know. Hub is needed; everything else has a
// default, durations and counts that of the setting of the same name.
type Options struct {
	Hub       *fanout.Hub            // where events come from; owned by the caller
	Dialect   *fanout.Dialect        // of the source, for the deletes an operator makes and the posts that filters are tried on; default: "twitter", which reads no posts
	Source    string                 // the setting SOURCE, as hello and /status show it
	Version   string                 // of the program
	Commit    string                 // of the program
	Cluster   func() Cluster         // this node among others; default: a node "local" that leads itself
	Upstream  func() fanout.Upstream // the upstream's state right now
	Search    Searcher               // asks the upstream for posts of the past; nil: it cannot be asked
	Ready     func() bool            // the first data has come; asked until it or the history says so
	Filling   func() string          // why streams are not served yet; "": they are. Default: they are
	Elsewhere string                 // why this node serves no clients at all, and who does; "": it does
	// Reconnect connects the upstream anew now, whatever it is doing. The error says
	// why who holds the upstream cannot be told, and what to do. Default: nothing.
	Reconnect func(context.Context) error
	// Delete publishes a delete that an operator makes and returns when every reader
	// of this node's history sees it; false: it was known already. The error says why
	// not all nodes can be told, and what to do. Default: to the hub.
	Delete func(context.Context, *fanout.Event) (bool, error)

	// Judge says what the upstream can do for a client's filter; nil: nothing is said.
	// key is the client's as the hub has it, "" if it has none.
	Judge func(f *filter.Filter, key string) Judgement
	// Keyed: the hub is told whose client each is, so that none asks for too much upstream.
	Keyed bool
	// Asking is what the upstream is asked for; default: nothing in particular. Ask
	// makes it another, from the values of track, follow, locations, language and
	// filter_level, at most one each, and returns before that is in force; nil: it cannot be.
	Asking func() Asking
	Ask    func(context.Context, url.Values) error

	Heartbeat    time.Duration // silence after which a client gets a heartbeat (15 s)
	Retry        time.Duration // what clients are told to wait before they reconnect (3 s)
	MaxAge       time.Duration // each connection lives 80–100 % of it; 0: no limit
	WriteTimeout time.Duration // a client that takes no byte for so long is closed (10 s)
	Drain        time.Duration // the time over which clients come back after a drain (10 s)

	SearchCache      time.Duration              // identical searches within it cost the upstream one request; 0: only those at the same time
	SearchShared     PageStore                  // the answers of other nodes, which are as good as our own; nil: there are none
	SearchBackoff    time.Duration              // first wait of a pager after a failure that passes (5 s)
	SearchBackoffMax time.Duration              // its longest (320 s); each wait is twice the one before
	SearchScope      func(*http.Request) string // what a client may see: only equal scopes share answers; default: all the same

	MaxClients       int            // streams at once (50,000)
	MaxConnections   int            // at once, streams and all others; more than MaxClients, or the others get no answer; 0: no limit
	MaxClientsPerKey int            // streams at once of one client address (100); loopback is exempt
	MaxFilterBytes   int            // of a query string or a form body (131,072)
	CORSOrigins      []string       // "*", or the origins whose scripts may read; none: no other origin
	TrustedProxies   []netip.Prefix // whose X-Forwarded-For is believed
	AdminToken       func() string  // the bearer token of the admin listener right now; "": none
	AdminHosts       []string       // names the admin listener goes by, besides loopback's and addresses

	Collectors []prometheus.Collector // metrics of other parts, for /metrics
	Log        *slog.Logger           // default slog.Default()
}

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&o.Heartbeat, 15 * time.Second}, {&o.Retry, 3 * time.Second},
		{&o.WriteTimeout, 10 * time.Second}, {&o.Drain, 10 * time.Second},
		{&o.SearchBackoff, 5 * time.Second}, {&o.SearchBackoffMax, 320 * time.Second},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *int
		value int
	}{{&o.MaxClients, 50_000}, {&o.MaxClientsPerKey, 100}, {&o.MaxFilterBytes, 128 << 10}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	if o.Dialect == nil {
		o.Dialect = &fanout.Dialect{Name: "twitter"}
	}
	if o.Cluster == nil {
		o.Cluster = func() Cluster { return Cluster{Node: "local", Leader: "local", Role: "all"} }
	}
	if o.Asking == nil {
		o.Asking = func() Asking { return Asking{InForce: true} }
	}
	if o.Filling == nil {
		o.Filling = func() string { return "" }
	}
	if o.Delete == nil {
		o.Delete = func(_ context.Context, e *fanout.Event) (bool, error) { return o.Hub.Publish(e), nil }
	}
	if o.Upstream == nil {
		since := time.Now()
		o.Upstream = func() fanout.Upstream { return fanout.Upstream{State: "connecting", Since: since} }
	}
	if o.Reconnect == nil {
		o.Reconnect = func(context.Context) error { return nil }
	}
	if o.SearchScope == nil {
		o.SearchScope = func(*http.Request) string { return "" }
	}
	if o.Ready == nil {
		o.Ready = func() bool { return false }
	}
	if o.AdminToken == nil {
		o.AdminToken = func() string { return "" }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Server answers HTTP for one hub.
type Server struct {
	opts       Options
	cors       cors
	clients    *deliver.Clients
	search     *search // nil: the source cannot be searched
	compat     *compat.Routes
	sampler    *sampler
	began      time.Time
	ready      atomic.Bool // has been ready once
	said       atomic.Pointer[said]
	checks     chan struct{} // a place in it for every post that is being checked
	public     http.Handler
	admin      http.Handler
	direct     http.Handler // takeStream behind what /stream stands behind
	bound      *connections // of all listeners
	unanswered unanswered   // of all listeners

	stop chan struct{} // ends trim and the sampler
	once sync.Once
	work sync.WaitGroup
}

// New returns a server for a hub and starts what stands behind its streams. Close
// stops that. It panics on collectors that do not go together.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{opts: o, cors: newCORS(o.CORSOrigins), began: time.Now(), unanswered: unanswered{conns: map[net.Conn]struct{}{}}, stop: make(chan struct{}), checks: make(chan struct{}, maxChecks)}
	s.clients = deliver.New(deliver.Config{
		Hub: o.Hub, MaxClients: o.MaxClients, MaxPerKey: o.MaxClientsPerKey,
		Heartbeat: o.Heartbeat, WriteTimeout: o.WriteTimeout, MaxAge: o.MaxAge,
		Retry: o.Retry, Drain: o.Drain,
		Ended: s.ended, Log: o.Log,
	})
	if o.Search != nil {
		s.search = newSearch(o)
		o.Collectors = append(slices.Clip(o.Collectors), s.search)
	}
	s.bound = newConnections(o.MaxConnections, s.clients.Sockets)
	s.direct = clientIP(o.TrustedProxies)(http.HandlerFunc(s.takeStream))
	s.compat = compat.New(s.compatOptions())
	s.public = s.publicRoutes()
	s.admin = s.adminRoutes(newRegistry(o, s.clients))
	s.sampler = newSampler(o, s.clients.Metrics(), s.clients.Len)
	s.work.Go(s.trim)
	s.work.Go(func() { s.sampler.run(s.stop) })
	return s
}

// Public is the handler of the public listener.
func (s *Server) Public() http.Handler { return s.public }

// Admin is the handler of the admin listener.
func (s *Server) Admin() http.Handler { return s.admin }

// Drain parts from all clients: from now on /readyz says 503 and new streams
// get a bye at once; every client gets what is in the history now and a bye with
// a reconnection time spread over Options.Drain. It returns nil when all is
// written, or an error that says how many clients were left when ctx ended.
func (s *Server) Drain(ctx context.Context) error {
	if s.search != nil {
		s.search.drain()
	}
	s.compat.Drain()
	return s.clients.Drain(ctx)
}

// Close ends every stream and stops what New started. It waits for no client.
func (s *Server) Close() {
	s.once.Do(func() {
		close(s.stop)
		if s.search != nil {
			s.search.close()
		}
		s.compat.Close()
		s.clients.Close()
		s.work.Wait()
	})
}

// trim lets the hub forget what has become too old, also when nothing new comes.
func (s *Server) trim() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			s.opts.Hub.Trim()
		}
	}
}
