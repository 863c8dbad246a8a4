package server

import (
	"math"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aviary/fanout"
)

// A sample is taken every sampleStep, and those of the last hour are kept.
const (
	sampleStep  = 5 * time.Second
	samplesKept = int(time.Hour / sampleStep)
)

// sampler keeps the last hour in samples, some 200 KB, for /status?history=. Taking
// one costs about as much as a scrape of /metrics, a fraction of a millisecond.
type sampler struct {
	traffic  prometheus.Gatherer
	hub      *fanout.Hub
	clients  func() int
	upstream func() fanout.Upstream

	// Owned by the goroutine that takes samples.
	last reading

	mu sync.RWMutex // held to copy, never over a reading

	// Owned by mu.
	ring   []sample // the oldest at next, once it is full
	next   int
	states []stateSince // of the upstream: what the oldest sample saw, and each change
}

// stateSince is a state of the upstream and when it began.
type stateSince struct {
	State string    `json:"state"`
	Since time.Time `json:"since"`
}

// newSampler takes the first reading; the first sample comes a step later.
func newSampler(o Options, clients prometheus.Collector, count func() int) *sampler {
	s := &sampler{traffic: newTraffic(o, clients), hub: o.Hub, clients: count, upstream: o.Upstream}
	s.last = s.read(time.Now())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(o.Upstream())
	return s
}

// run takes samples until stop is closed.
func (s *sampler) run(stop <-chan struct{}) {
	t := time.NewTicker(sampleStep)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			s.take(time.Now())
		}
	}
}

func (s *sampler) read(now time.Time) reading {
	stats := s.hub.Stats()
	r := reading{at: now, posts: stats.Posts, filters: stats.Filters, clients: s.clients()}
	families, _ := s.traffic.Gather() // with an error come those that could be read; /metrics tells of it
	r.read(families)
	return r
}

// take adds a sample of the time since the last reading.
func (s *sampler) take(now time.Time) {
	r, up := s.read(now), s.upstream()
	taken := r.since(&s.last)
	s.last = r

	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ring) < samplesKept {
		s.ring = append(s.ring, taken)
	} else {
		s.ring[s.next] = taken
		s.next = (s.next + 1) % samplesKept
	}
	s.look(up)
	oldest := s.ring[s.next%len(s.ring)].at.Add(-sampleStep)
	for len(s.states) > 1 && s.states[1].Since.Before(oldest) {
		s.states = slices.Delete(s.states, 0, 1)
	}
}

// look notes the upstream's state if it is another one. What came and went between
// two samples is not seen.
func (s *sampler) look(up fanout.Upstream) {
	since := up.Since.UTC().Truncate(time.Millisecond)
	if n := len(s.states); n == 0 || s.states[n-1] != (stateSince{up.State, since}) {
		s.states = append(s.states, stateSince{up.State, since})
	}
}

// samples are the member of that name of /status: columns of equal length, the
// oldest first.
type samples struct {
	StepS           float64             `json:"step_s"`
	At              []int64             `json:"at"` // the ends of the steps, ms since 1970
	Upstream        []stateSince        `json:"upstream"`
	PostsPerS       []figure            `json:"posts_per_s"`
	Clients         []int               `json:"clients"`
	Filters         []int               `json:"filters"`
	DeliveriesPerS  []figure            `json:"deliveries_per_s"`
	BytesPerS       []figure            `json:"bytes_per_s"`
	DeliveryMS      map[string][]figure `json:"delivery_ms"` // p50, p95, p99; null: nothing was delivered
	UpstreamLagMS   []figure            `json:"upstream_lag_ms"`
	Dropped         map[string][]figure `json:"dropped"` // by reason, those that occurred
	Gaps            map[string][]figure `json:"gaps"`
	SearchRemaining []figure            `json:"search_remaining"`
}

// window copies the samples of the time since.
func (s *sampler) window(since time.Time) *samples {
	s.mu.RLock()
	defer s.mu.RUnlock()
	w := &samples{
		StepS: sampleStep.Seconds(), At: []int64{}, Upstream: slices.Clone(s.states),
		PostsPerS: []figure{}, Clients: []int{}, Filters: []int{}, DeliveriesPerS: []figure{}, BytesPerS: []figure{},
		DeliveryMS: map[string][]figure{"p50": {}, "p95": {}, "p99": {}}, UpstreamLagMS: []figure{}, SearchRemaining: []figure{},
		Dropped: map[string][]figure{}, Gaps: map[string][]figure{},
	}
	var within []*sample
	for i := range s.ring {
		if one := &s.ring[(s.next+i)%len(s.ring)]; !one.at.Before(since) {
			within = append(within, one)
		}
	}
	for i, one := range within {
		w.At = append(w.At, one.at.UnixMilli())
		w.PostsPerS = append(w.PostsPerS, figure(one.posts))
		w.Clients = append(w.Clients, one.clients)
		w.Filters = append(w.Filters, one.filters)
		w.DeliveriesPerS = append(w.DeliveriesPerS, figure(one.deliveries))
		w.BytesPerS = append(w.BytesPerS, figure(math.Round(one.bytes)))
		for q, name := range [...]string{"p50", "p95", "p99"} {
			w.DeliveryMS[name] = append(w.DeliveryMS[name], figure(1000*one.delivery[q]))
		}
		w.UpstreamLagMS = append(w.UpstreamLagMS, figure(math.Round(1000*one.lag)))
		w.SearchRemaining = append(w.SearchRemaining, figure(one.remaining))
		reasons(w.Dropped, one.dropped, i, len(within))
		reasons(w.Gaps, one.gapped, i, len(within))
	}
	return w
}

// reasons puts what a sample counted into the columns of its reasons.
func reasons(columns map[string][]figure, counted map[string]float64, i, n int) {
	for reason, count := range counted {
		if columns[reason] == nil {
			columns[reason] = make([]figure, n)
		}
		columns[reason][i] = figure(count)
	}
}

// parseHistory reads the parameter of /status: how far back samples are wanted;
// 0: none are.
func parseHistory(values url.Values) (time.Duration, error) {
	if err := onlyParams(values, []string{"history"}); err != nil {
		return 0, err
	}
	text, given, err := single(values, "history")
	if err != nil || !given {
		return 0, err
	}
	back, err := time.ParseDuration(text)
	if err != nil || back <= 0 || back > time.Hour {
		return 0, badParam("history", 0, "history=%q: it is a duration of at most 1h, such as 15m", clip(text))
	}
	return back, nil
}
