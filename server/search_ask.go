package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// search is what all searches of a server share.
type search struct {
	from    Searcher
	cache   *pageCache
	shared  *sharedPages // nil: this node has no others to ask
	flights singleflight.Group
	log     *slog.Logger

	ctx      context.Context // of what is asked of the upstream: no client's
	cancel   context.CancelFunc
	draining chan struct{} // closed by drain
	once     sync.Once

	results   *prometheus.CounterVec
	remaining *prometheus.Desc
}

// The results of aviary_search_requests_total.
const (
	resultOK          = "ok"
	resultCached      = "cached"
	resultShared      = "shared"
	resultLimited     = "rate_limit"
	resultUnavailable = "unavailable"
	resultRefused     = "refused"
)

func newSearch(o Options) *search {
	s := &search{
		from: o.Search, cache: newPageCache(o.SearchCache, maxCachedPages, maxCachedBytes), shared: newSharedPages(o), log: o.Log,
		draining: make(chan struct{}),
		results: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aviary_search_requests_total",
			Help: "Searches by result: ok, rate_limit, unavailable and refused were asked of the upstream (or held back by its rate limit), cached and shared cost it nothing.",
		}, []string{"result"}),
		remaining: prometheus.NewDesc("aviary_search_remaining", "Requests left in the upstream's rate limit window; NaN until it has told.", nil, nil),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, r := range []string{resultOK, resultCached, resultShared, resultLimited, resultUnavailable, resultRefused} {
		s.results.WithLabelValues(r)
	}
	return s
}

// drain tells every pager to part.
func (s *search) drain() { s.once.Do(func() { close(s.draining) }) }

// close ends what is being asked.
func (s *search) close() {
	s.cancel()
	s.shared.close()
}

// Describe implements prometheus.Collector.
func (s *search) Describe(ch chan<- *prometheus.Desc) {
	s.results.Describe(ch)
	ch <- s.remaining
}

// Collect implements prometheus.Collector.
func (s *search) Collect(ch chan<- prometheus.Metric) {
	s.results.Collect(ch)
	remaining := math.NaN() // not known: no comparison with it is true
	if r := s.from.Rate(); r.Known {
		remaining = float64(r.Remaining)
	}
	ch <- prometheus.MustNewConstMetric(s.remaining, prometheus.GaugeValue, remaining)
}

// manner is how a question is asked.
type manner uint8

const (
	asPage manner = iota // an answer of the cache will do; failures are retried for a moment
	asWalk               // an answer of the cache will do; the caller retries
	asPoll               // only the upstream knows; the caller retries
)

// flight is the key under which questions at the same time are one request. All
// its parts are set off from each other by their lengths.
func (k searchKey) flight(m manner) string {
	b := []byte{byte(m)}
	for _, part := range []string{k.scope, k.q.Q, k.q.Lang, k.q.ResultType, k.q.Until} {
		b = append(strconv.AppendInt(b, int64(len(part)), 10), ':')
		b = append(b, part...)
	}
	return string(fmt.Appendf(b, "%d,%d,%d", k.q.Count, k.q.SinceID, k.q.MaxID))
}

// ask answers a question from the cache, together with others that ask the same,
// from another node's cache, or by asking the upstream. What is asked for several goes on when one of them
// leaves. The error is a *SearchError, or ctx's.
func (s *search) ask(ctx context.Context, key searchKey, m manner) (*SearchPage, error) {
	if page := s.cached(key, m); page != nil {
		return page, nil
	}
	led := false
	answer := s.flights.DoChan(key.flight(m), func() (any, error) {
		led = true
		if page := s.cached(key, m); page != nil { // it came between looking and asking
			return page, nil
		}
		if page := s.elsewhere(key, m); page != nil {
			return page, nil
		}
		return s.fetch(key, m)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-answer:
		if !led {
			s.results.WithLabelValues(resultShared).Inc()
		}
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*SearchPage), nil
	}
}

func (s *search) cached(key searchKey, m manner) *SearchPage {
	if m == asPoll {
		return nil
	}
	page := s.cache.get(key, time.Now())
	if page != nil {
		s.results.WithLabelValues(resultCached).Inc()
	}
	return page
}

// elsewhere returns an answer that another node got, and holds it here for as long
// as it is good.
func (s *search) elsewhere(key searchKey, m manner) *SearchPage {
	if m == asPoll {
		return nil
	}
	page, at := s.shared.get(s.ctx, key)
	if page != nil {
		s.cache.put(key, page, at)
		s.results.WithLabelValues(resultCached).Inc()
	}
	return page
}

// Retries of a page: 1, 2 and 4 s after its failures, all within 15 s.
const (
	pageRetries = 3
	pageFirst   = time.Second
	pagePatient = 15 * time.Second
)

// fetch asks the upstream, for a page with its retries.
func (s *search) fetch(key searchKey, m manner) (*SearchPage, error) {
	ctx := s.ctx
	retries := 0
	if m == asPage {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, pagePatient)
		defer cancel()
		retries = pageRetries
	}
	for n := 0; ; n++ {
		page, err := s.request(ctx, key.q)
		var known *SearchError
		if err == nil {
			now := time.Now()
			s.cache.put(key, page, now)
			s.shared.put(s.ctx, key, page, now)
			return page, nil
		}
		if !errors.As(err, &known) { // the time is over, or the server is closed
			known = &SearchError{Message: "no answer came in time", Hint: "the upstream is slow or out of reach; try again later"}
		}
		if n == retries || known.Failure != SearchUnavailable || ctx.Err() != nil {
			return nil, known
		}
		wait := pageFirst << n
		wait += rand.N(wait/10 + 1)
		if end, bounded := ctx.Deadline(); bounded && time.Until(end) <= wait {
			return nil, known
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, known
		}
	}
}

// request makes one request, behind a wall: no answer may stop the program.
func (s *search) request(ctx context.Context, q SearchQuestion) (page *SearchPage, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("a search panicked", "panic", v, "stack", string(debug.Stack()))
			page, err = nil, &SearchError{Failure: SearchUnavailable, Message: "the gateway failed; its log says how"}
		}
		s.results.WithLabelValues(resultOf(err)).Inc()
	}()
	return s.from.Search(ctx, q)
}

// resultOf is the label of a request's end.
func resultOf(err error) string {
	var known *SearchError
	switch {
	case err == nil:
		return resultOK
	case errors.As(err, &known) && known.Failure == SearchLimited:
		return resultLimited
	case errors.As(err, &known) && known.Failure == SearchRefused:
		return resultRefused
	}
	return resultUnavailable
}
