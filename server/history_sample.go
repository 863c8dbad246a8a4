package server

import (
	"encoding/json"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// sample is what happened in one step of time, as rates, and how things stood at
// its end. What is not known is NaN.
type sample struct {
	at              time.Time // its end
	posts           float64   // published, a second
	deliveries      float64   // a second
	bytes           float64   // of streams, a second
	delivery        [len(quantiles)]float64
	lag             float64 // of the last post behind its own time stamp, seconds
	remaining       float64 // of the search budget
	clients         int
	filters         int
	dropped, gapped map[string]float64 // by reason, only those above 0
}

// quantiles are those of the delivery time that are kept.
var quantiles = [...]float64{.5, .95, .99}

// reading is what the metrics said at one time: the numbers that a sample is made
// of, counters as they stood.
type reading struct {
	at              time.Time
	posts           uint64
	clients         int
	filters         int
	deliveries      float64
	bytes           float64
	lag, remaining  float64
	dropped, gapped map[string]float64
	took            []*dto.Bucket // of aviary_delivery_seconds
	count           float64       // its observations
}

// read takes the numbers from the families of metrics that the server's own and
// its Options' collectors give: /status and /metrics cannot disagree.
func (r *reading) read(families []*dto.MetricFamily) {
	r.lag, r.remaining = math.NaN(), math.NaN()
	for _, f := range families {
		switch f.GetName() {
		case "aviary_deliveries_total":
			r.deliveries = total(f)
		case "aviary_delivered_bytes_total":
			r.bytes = total(f)
		case "aviary_upstream_lag_seconds":
			r.lag = f.Metric[0].GetGauge().GetValue()
		case "aviary_search_remaining":
			r.remaining = f.Metric[0].GetGauge().GetValue()
		case "aviary_posts_dropped_total":
			r.dropped = byReason(f)
		case "aviary_gaps_total":
			r.gapped = byReason(f)
		case "aviary_delivery_seconds":
			h := f.Metric[0].GetHistogram()
			r.took, r.count = h.GetBucket(), float64(h.GetSampleCount())
		}
	}
}

func total(f *dto.MetricFamily) (sum float64) {
	for _, m := range f.Metric {
		sum += m.GetCounter().GetValue()
	}
	return sum
}

func byReason(f *dto.MetricFamily) map[string]float64 {
	counts := make(map[string]float64, len(f.Metric))
	for _, m := range f.Metric {
		for _, label := range m.Label {
			if label.GetName() == "reason" {
				counts[label.GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	return counts
}

// since makes the sample of the time between two readings.
func (r *reading) since(last *reading) sample {
	seconds := r.at.Sub(last.at).Seconds()
	s := sample{
		at: r.at, clients: r.clients, filters: r.filters, remaining: r.remaining, lag: math.NaN(),
		posts:      float64(r.posts-last.posts) / seconds,
		deliveries: (r.deliveries - last.deliveries) / seconds,
		bytes:      (r.bytes - last.bytes) / seconds,
		dropped:    more(r.dropped, last.dropped), gapped: more(r.gapped, last.gapped),
	}
	if r.posts > last.posts { // else it is the lag of long ago
		s.lag = r.lag
	}
	for i, q := range quantiles {
		s.delivery[i] = r.quantile(last, q)
	}
	return s
}

// more is what was counted between two readings; nil: nothing.
func more(now, before map[string]float64) (grown map[string]float64) {
	for reason, n := range now {
		if n -= before[reason]; n > 0 {
			if grown == nil {
				grown = map[string]float64{}
			}
			grown[reason] = n
		}
	}
	return grown
}

// quantile is the delivery time, in seconds, that a share q of the observations
// between two readings does not exceed. It is as fine as the buckets, in which
// times count as spread evenly; what lies above the last is told as its bound.
func (r *reading) quantile(last *reading, q float64) float64 {
	grown := func(i int) float64 {
		n := float64(r.took[i].GetCumulativeCount())
		if i < len(last.took) {
			n -= float64(last.took[i].GetCumulativeCount())
		}
		return n
	}
	rank := q * (r.count - last.count)
	if rank <= 0 || len(r.took) == 0 {
		return math.NaN()
	}
	lower, below := 0.0, 0.0
	for i, b := range r.took {
		n := grown(i)
		if n >= rank {
			return lower + (b.GetUpperBound()-lower)*(rank-below)/(n-below)
		}
		lower, below = b.GetUpperBound(), n
	}
	return lower
}

// newTraffic is a registry of the metrics that samples are made of: the process's
// own cost more to read and are not among them.
func newTraffic(o Options, clients prometheus.Collector) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(clients)
	r.MustRegister(o.Collectors...)
	return r
}

// figure is a float in JSON with at most three digits behind the point; NaN is null.
type figure float64

// MarshalJSON implements json.Marshaler.
func (n figure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(n)*1000) / 1000)
}
