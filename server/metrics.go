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
type hubMetrics struct {
	hub                    *fanout.Hub
	events, bytes, filters *prometheus.Desc
}

func newHubMetrics(h *fanout.Hub) *hubMetrics {
	return &hubMetrics{
		hub:     h,
		events:  prometheus.NewDesc("aviary_history_events", "Events held in the history.", nil, nil),
		bytes:   prometheus.NewDesc("aviary_history_bytes", "Bytes of JSON and decoded posts held in the history.", nil, nil),
		filters: prometheus.NewDesc("aviary_filters", "Distinct filters of the clients.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *hubMetrics) Describe(ch chan<- *prometheus.Desc) {
	ch <- m.events
	ch <- m.bytes
	ch <- m.filters
}

// Collect implements prometheus.Collector.
func (m *hubMetrics) Collect(ch chan<- prometheus.Metric) {
	st := m.hub.Stats()
	for d, v := range map[*prometheus.Desc]float64{
		m.events: float64(st.Events), m.bytes: float64(st.Bytes), m.filters: float64(st.Filters),
	} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
}
