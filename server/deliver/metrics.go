package deliver

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"aviary/fanout/wire"
)

// buckets of aviary_delivery_seconds, in seconds.
var buckets = [...]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// codings are the labels of aviary_delivered_bytes_total.
var codings = [...]wire.Coding{wire.Identity, wire.Gzip, wire.Zstd, wire.DCZ}

// counts are what a shard's clients add to with every write: cheaper than the
// client library's counters, and no two shards share a cache line.
type counts struct {
	_     [64]byte
	posts atomic.Uint64
	bytes [len(codings)]atomic.Uint64
	seen  [len(buckets) + 1]atomic.Uint64 // observations in each bucket; the last is +Inf
	sum   atomic.Int64                    // of the observations, nanoseconds
	_     [64]byte
}

// wrote counts what was handed to the kernel.
func (c *counts) wrote(coding wire.Coding, posts, bytes int) {
	c.posts.Add(uint64(posts))
	c.bytes[coding].Add(uint64(bytes))
}

// took observes that so many clients have now been written events that were
// received at those times.
func (c *counts) took(now time.Time, received []time.Time, clients int) {
	if clients == 0 {
		return
	}
	sum := time.Duration(0)
	for _, t := range received {
		took := now.Sub(t)
		sum += took
		i, s := 0, took.Seconds()
		for i < len(buckets) && s > buckets[i] {
			i++
		}
		c.seen[i].Add(uint64(clients))
	}
	c.sum.Add(int64(sum) * int64(clients))
}

// Metrics collects what the clients count. It is a prometheus.Collector.
type Metrics struct {
	clients *Clients
	open    *prometheus.GaugeVec
	began   prometheus.Counter
	closes  *prometheus.CounterVec
	gaps    *prometheus.CounterVec

	posts, bytes, seconds *prometheus.Desc
}

func newMetrics(cs *Clients) *Metrics {
	m := &Metrics{
		clients: cs,
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "aviary_clients", Help: "Streams open now."}, []string{"transport"}),
		began: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "aviary_client_connects_total", Help: "Streams asked for with good parameters."}),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aviary_client_closes_total", Help: "Streams ended, and why; overloaded and draining include the refused."}, []string{"reason"}),
		gaps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aviary_gaps_total", Help: "Gaps in what clients got, one for each client, and why."}, []string{"reason"}),
		posts: prometheus.NewDesc("aviary_deliveries_total", "Posts handed to clients.", nil, nil),
		bytes: prometheus.NewDesc("aviary_delivered_bytes_total", "Bytes of streams handed to clients.", []string{"encoding"}, nil),
		seconds: prometheus.NewDesc("aviary_delivery_seconds",
			"From an event's arrival to its bytes handed to the kernel, without replays.", nil, nil),
	}
	for _, t := range []string{"sse", "ndjson"} {
		m.open.WithLabelValues(t)
	}
	for r := Gone; r <= Failed; r++ {
		m.closes.WithLabelValues(r.String())
	}
	for _, r := range []string{"slow", "history", "upstream", "oversize", "max_rate", "restart"} {
		m.gaps.WithLabelValues(r)
	}
	return m
}

// Metrics is the collector of these clients.
func (cs *Clients) Metrics() *Metrics { return cs.metrics }

func (m *Metrics) opened(f Form) {
	m.began.Inc()
	m.open.WithLabelValues(f.Transport()).Inc()
}

func (m *Metrics) closed(f Form, r Reason) {
	m.closes.WithLabelValues(r.String()).Inc()
	m.open.WithLabelValues(f.Transport()).Dec()
}

// told counts gaps that so many clients were told of.
func (m *Metrics) told(gaps []string, clients int) {
	for _, reason := range gaps {
		m.gaps.WithLabelValues(reason).Add(float64(clients))
	}
}

// Refused counts a stream that got a bye or an error instead of a place.
func (m *Metrics) Refused(r Reason) {
	m.began.Inc()
	m.closes.WithLabelValues(r.String()).Inc()
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	m.open.Describe(ch)
	m.began.Describe(ch)
	m.closes.Describe(ch)
	m.gaps.Describe(ch)
	ch <- m.posts
	ch <- m.bytes
	ch <- m.seconds
}

// Collect implements prometheus.Collector: it adds up the shards.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.open.Collect(ch)
	m.began.Collect(ch)
	m.closes.Collect(ch)
	m.gaps.Collect(ch)
	var posts, count uint64
	var bytes [len(codings)]uint64
	var sum time.Duration
	upTo := make(map[float64]uint64, len(buckets))
	for _, s := range m.clients.shards {
		c := &s.counts
		posts += c.posts.Load()
		for i := range bytes {
			bytes[i] += c.bytes[i].Load()
		}
		sum += time.Duration(c.sum.Load())
		cumulative := uint64(0)
		for i := range c.seen {
			cumulative += c.seen[i].Load()
			if i < len(buckets) {
				upTo[buckets[i]] += cumulative
			}
		}
		count += cumulative
	}
	ch <- prometheus.MustNewConstMetric(m.posts, prometheus.CounterValue, float64(posts))
	for i, coding := range codings {
		ch <- prometheus.MustNewConstMetric(m.bytes, prometheus.CounterValue, float64(bytes[i]), coding.String())
	}
	ch <- prometheus.MustNewConstHistogram(m.seconds, count, sum.Seconds(), upTo)
}
