package main

import (
	"aviary/fanout"
	"aviary/upstream"

	"github.com/prometheus/client_golang/prometheus"
)

// upstreamCollector shows the upstream's state and counters as Prometheus
// metrics. It asks when it is scraped and keeps nothing itself. Labels hold
// only words of this program, never what an upstream or a client sent.
type upstreamCollector struct {
	status func() fanout.Upstream
	stats  func() upstream.Stats
}

// newUpstreamCollector returns a collector for what this node counts, and the state of
// the upstream as the node knows it.
func newUpstreamCollector(stats func() upstream.Stats, status func() fanout.Upstream) *upstreamCollector {
	return &upstreamCollector{status: status, stats: stats}
}

// Label values that are there from the start, at zero, so that a rate over
// them is right from the first failure on.
var (
	upstreamStates  = []string{"connecting", "streaming", "backing_off", "switching", "halted"}
	connectResults  = []string{"ok", "network", "http", "rate_limit", "stall", "fatal"}
	upstreamDropped = []string{upstream.DropMalformed, upstream.DropPanic, upstream.DropOversize, upstream.DropDuplicate}
)

var (
	descState    = describe("upstream_state", "1 for the state the upstream connection is in, 0 for the others.", "state")
	descConnects = describe("upstream_connects_total", "Attempts to connect, by result: ok (bytes came) or the class of the failure.", "result")
	descBackoff  = describe("upstream_backoff_seconds", "Length of the wait before the next attempt that is going on now; 0 without one.")
	descMessages = describe("upstream_messages_total", "Whole messages received, by kind.", "kind")
	descBytes    = describe("upstream_bytes_total", "Bytes received over the wire, before decompression.")
	descLag      = describe("upstream_lag_seconds", "From the upstream's own time stamp of the last post to its arrival.")
	descDropped  = describe("posts_dropped_total", "Posts that did not reach the history, by reason.", "reason")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("aviary", "", name), help, labels, nil)
}

// Describe implements prometheus.Collector.
func (c *upstreamCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descState, descConnects, descBackoff, descMessages, descBytes, descLag, descDropped} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *upstreamCollector) Collect(out chan<- prometheus.Metric) {
	now := c.status().State
	for _, state := range upstreamStates {
		value := 0.0
		if state == now {
			value = 1
		}
		out <- prometheus.MustNewConstMetric(descState, prometheus.GaugeValue, value, state)
	}
	s := c.stats()
	counters(out, descConnects, s.Connects, connectResults)
	counters(out, descMessages, s.Messages, []string{"post"})
	counters(out, descDropped, s.Drops, upstreamDropped)
	out <- prometheus.MustNewConstMetric(descBytes, prometheus.CounterValue, float64(s.Bytes))
	out <- prometheus.MustNewConstMetric(descBackoff, prometheus.GaugeValue, s.Backoff.Seconds())
	out <- prometheus.MustNewConstMetric(descLag, prometheus.GaugeValue, s.Lag.Seconds())
}

// counters sends one counter per label value: those counted, and those of always at zero.
func counters(out chan<- prometheus.Metric, desc *prometheus.Desc, counts map[string]uint64, always []string) {
	for _, value := range always {
		if _, counted := counts[value]; !counted {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, 0, value)
		}
	}
	for value, n := range counts {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), value)
	}
}
