package server

import (
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"aviary/fanout"
	"aviary/server/deliver"
)

// newRegistry gathers the metrics of the gateway: the clients', the hub's, the
// process's and what other parts brought.
func newRegistry(o Options, clients *deliver.Clients) *prometheus.Registry {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "aviary_build_info", Help: "1, with what this program was built from.",
	}, []string{"version", "commit", "goversion"})
	info.WithLabelValues(o.Version, o.Commit, runtime.Version()).Set(1)

	r := prometheus.NewRegistry()
	r.MustRegister(info, clients.Metrics(), newHubMetrics(o.Hub),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	r.MustRegister(o.Collectors...)
	return r
}

// hubMetrics reads the hub when asked.
type hubMetrics struct{ hub *fanout.Hub }

func newHubMetrics(h *fanout.Hub) *hubMetrics { return &hubMetrics{h} }

func hubDesc(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("aviary_"+name, help, nil, nil)
}

// hubGauges are what is told of a hub.
var hubGauges = []struct {
	desc *prometheus.Desc
	read func(*fanout.Stats) float64
}{
	{hubDesc("history_events", "Events held in the history."),
		func(s *fanout.Stats) float64 { return float64(s.Events) }},
	{hubDesc("history_bytes", "Bytes of JSON and decoded posts held in the history."),
		func(s *fanout.Stats) float64 { return float64(s.Bytes) }},
	{hubDesc("postings_bytes", "Bytes that find the posts of the history for new filters, on top of aviary_history_bytes."),
		func(s *fanout.Stats) float64 { return float64(s.PostingsBytes) }},
	{hubDesc("filters", "Distinct filters of the clients."),
		func(s *fanout.Stats) float64 { return float64(s.Filters) }},
	{hubDesc("filters_unindexed", "Those of them that every post has to be held against."),
		func(s *fanout.Stats) float64 { return float64(s.Unwaiting) }},
	{hubDesc("filter_index_bytes", "Bytes of the distinct filters and of the index over them."),
		func(s *fanout.Stats) float64 { return float64(s.FilterBytes) }},
}

// Describe implements prometheus.Collector.
func (m *hubMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, g := range hubGauges {
		ch <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (m *hubMetrics) Collect(ch chan<- prometheus.Metric) {
	stats := m.hub.Stats()
	for _, g := range hubGauges {
		ch <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.read(&stats))
	}
}
