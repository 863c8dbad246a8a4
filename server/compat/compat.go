package compat

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-chi/chi/v5"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/server/deliver"
)

// The routes, named as Twitter named them.
const (
	pathFilter   = "/1.1/statuses/filter.json"
	pathSample   = "/1.1/statuses/sample.json"
	pathSearchV1 = "/1.1/search/tweets.json"
	pathStream   = "/2/tweets/search/stream"
	pathRules    = "/2/tweets/search/stream/rules"
	pathCounts   = "/2/tweets/search/stream/rules/counts"
	pathRecent   = "/2/tweets/search/recent"
)

// Options is what the routes need of the server around them. Hub and Clients are
// needed; the rest has defaults.
type Options struct {
	Hub     *fanout.Hub
	Clients *deliver.Clients           // where streams get their place
	Key     func(*http.Request) string // whose streams are counted together; "": not counted
	Source  string                     // the setting SOURCE, for words
	Log     *slog.Logger

	Heartbeat    time.Duration        // half of the longest silence, where that is less than the API's own figure (15 s)
	WriteTimeout time.Duration        // a client that takes no byte for so long is closed (10 s)
	Lifetime     func() time.Duration // how long the next stream may live; 0: no limit
	MaxBytes     int                  // of a query string or a body (131,072)

	// Judge says which parameter of a filter keeps every post from passing that the
	// upstream brings, and why; "": posts may come. nil: they always may.
	Judge func(*filter.Filter) (param, why string)
	// Keyed: the hub is told whose client each is.
	Keyed bool

	// Search asks the source for posts of the past, for whoever sends r. The error
	// is an *Error, or ctx's. nil: the source cannot be searched.
	Search func(ctx context.Context, r *http.Request, q Question) (*Page, error)
	// Rate is the search budget right now.
	Rate func() Rate
}

func (o Options) withDefaults() Options {
	if o.Key == nil {
		o.Key = func(*http.Request) string { return "" }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 10 * time.Second
	}
	if o.Lifetime == nil {
		o.Lifetime = func() time.Duration { return 0 }
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 128 << 10
	}
	if o.Judge == nil {
		o.Judge = func(*filter.Filter) (string, string) { return "", "" }
	}
	if o.Rate == nil {
		o.Rate = func() Rate { return Rate{} }
	}
	return o
}

// Routes are the drop-in routes of one hub.
type Routes struct {
	opts  Options
	bell  *bell // of the v1.1 streams
	rules *book
	desk  *desk // of the v2 streams
	posts converter

	streams registry

	stop context.CancelFunc
	work sync.WaitGroup
}

// New returns the routes and starts what stands behind their streams: the loop
// that wakes those of v1.1 and the one that matches for those of v2. Close stops both.
func New(o Options) *Routes {
	o = o.withDefaults()
	ctx, stop := context.WithCancel(context.Background())
	s := &Routes{opts: o, stop: stop, bell: newBell(o.Hub), posts: converter{o.Log}}
	s.streams.init()
	s.rules = newBook(o.Judge)
	s.desk = newDesk(o.Hub, s.rules)
	s.work.Go(func() { s.bell.run(ctx) })
	s.work.Go(func() { s.desk.run(ctx) })
	return s
}

// Streams adds the routes whose answers do not end. Nothing that wraps a
// ResponseWriter may stand around them.
func (s *Routes) Streams(r chi.Router) {
	get(r, pathFilter, s.filterV1)
	r.Post(pathFilter, s.filterV1)
	get(r, pathSample, s.sampleV1)
	get(r, pathStream, s.streamV2)
}

// Answers adds the routes whose answers end.
func (s *Routes) Answers(r chi.Router) {
	get(r, pathSearchV1, s.searchV1)
	get(r, pathRules, s.listRules)
	r.Post(pathRules, s.changeRules)
	get(r, pathCounts, s.countRules)
	get(r, pathRecent, s.searchV2)
}

// get adds a route with its HEAD.
func get(r chi.Router, path string, h http.HandlerFunc) {
	r.Get(path, h)
	r.Head(path, h)
}

// Drain tells every stream to part once it has what is in the history now. Their
// places are those of Options.Clients, whose own Drain waits for them.
func (s *Routes) Drain() { s.streams.endAll(deliver.Draining) }

// Close ends every stream without a word and stops what New started. It waits for
// no client.
func (s *Routes) Close() {
	s.streams.endAll(deliver.Gone)
	s.stop()
	s.work.Wait()
	s.desk.close()
	s.bell.close()
}

// Asked returns the rules of the open v2 streams, as [fanout.Hub.Filters] returns
// the filters of all others: in the order of their canonical texts.
func (s *Routes) Asked() []fanout.Asked { return s.rules.asked(s.opts.Keyed) }

// demandKey is a client's key if the hub is to know it.
func (s *Routes) demandKey(c *deliver.Client) string {
	if !s.opts.Keyed {
		return ""
	}
	return c.Key
}

// List describes the open streams as package deliver describes its own.
func (s *Routes) List() []deliver.Info { return s.streams.list(s.opts.Hub.Stats().Head.Seq) }

// Evict ends the stream of the client with that id; false: there is none.
func (s *Routes) Evict(id uint64) bool { return s.streams.evict(id) }

// setDeadline bounds the writes of an answer that ends.
func (s *Routes) setDeadline(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.opts.WriteTimeout)) // a test's recorder has none
}
