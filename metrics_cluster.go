package main

import (
	"github.com/prometheus/client_golang/prometheus"

	"aviary/upstream"
)

// clusterCollector shows this node's part in the cluster, and how its bus is. All
// metrics are there without a bus, too: an alert on them then never fires.
type clusterCollector struct{ c *cluster }

func newClusterCollector(c *cluster) *clusterCollector { return &clusterCollector{c} }

var (
	descLeader    = describe("cluster_leader", "1 while this node holds the upstream, else 0.")
	descTerm      = describe("cluster_term", "The highest term of a leader that this node has read; it grows with each change of leader.")
	descConnected = describe("bus_connected", "1 while the bus that holds the history can be reached; always 1 without one.")
	descBusLag    = describe("bus_lag_seconds", "How far this node is behind the bus.")
	descBehind    = describe("bus_lag_events", "Events on the bus that this node has not read yet.")
	descUnacked   = describe("bus_unacknowledged", "Events that this node, as leader, has published and that are not known to be stored.")
	descResent    = describe("bus_resent_total", "Events sent to the bus again for want of an answer.")
	descStale     = describe("bus_stale_total", "Events of leaders that were none any more, dropped by this node.")
	descErased    = describe("bus_erased_total", "Deleted posts that this node has overwritten on the bus.")
	descBusEvents = describe("bus_events", "Events and deletes that the bus holds.")
	descBusBytes  = describe("bus_bytes", "Bytes that they take there.")
)

// stats counts what this node's runner has done, and what did not get from the bus to
// this node's history: whether a post is there already shows only here.
func (c *cluster) stats() upstream.Stats {
	s := c.g.runner.Stats()
	if c.bus == nil {
		return s
	}
	read := c.reader.Stats()
	for _, reason := range []string{upstream.DropDuplicate, upstream.DropMalformed, upstream.DropPanic} { // gaps of all sorts count as oversize there
		s.Drops[reason] += read.Drops[reason]
	}
	return s
}

// Describe implements prometheus.Collector.
func (c *clusterCollector) Describe(out chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, out)
}

// Collect implements prometheus.Collector.
func (c *clusterCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v)
	}
	counter := func(desc *prometheus.Desc, n uint64) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n))
	}
	s, lag := c.c.busStatus()
	gauge(descLeader, oneIf(c.c.leads()))
	gauge(descTerm, float64(max(s.Term, c.c.node.Status().Term)))
	gauge(descConnected, oneIf(s.Connected))
	gauge(descBusLag, lag.Seconds())
	gauge(descBehind, float64(s.Lag))
	gauge(descUnacked, float64(s.Unacked))
	gauge(descBusEvents, float64(s.Messages))
	gauge(descBusBytes, float64(s.Bytes))
	counter(descResent, s.Resent)
	counter(descStale, s.Stale)
	counter(descErased, s.Erased)
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
