package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"aviary/fanout"
)

// stated is /status as a program reads it.
type stated struct {
	Clients int
	Samples *struct {
		StepS    float64 `json:"step_s"`
		At       []int64
		Upstream []struct {
			State string
			Since time.Time
		}
		PostsPerS       []float64 `json:"posts_per_s"`
		Clients         []int
		Filters         []int
		DeliveriesPerS  []float64             `json:"deliveries_per_s"`
		BytesPerS       []float64             `json:"bytes_per_s"`
		DeliveryMS      map[string][]*float64 `json:"delivery_ms"`
		UpstreamLagMS   []*float64            `json:"upstream_lag_ms"`
		Dropped, Gaps   map[string][]float64
		SearchRemaining []*float64 `json:"search_remaining"`
	}
	TopFilters []int `json:"top_filters"`
	Search     *struct{ Limit, Remaining int }
}

func (g *gate) stated(query string) (s stated) {
	g.t.Helper()
	if err := json.Unmarshal([]byte(readAll(g.t, g.do("GET", "/status"+query, "").Body)), &s); err != nil {
		g.t.Fatal(err)
	}
	return s
}

// counted is a part that brings a counter of drops and a gauge of the lag.
func counted() (drops *prometheus.CounterVec, lag prometheus.Gauge) {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aviary_posts_dropped_total"}, []string{"reason"}),
		prometheus.NewGauge(prometheus.GaugeOpts{Name: "aviary_upstream_lag_seconds"})
}

// What happened in five seconds is in the sample of them.
func TestHistorySamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drops, lag := counted()
		var state atomic.Pointer[fanout.Upstream]
		state.Store(&fanout.Upstream{State: "connecting", Since: time.Now()})
		g := newGate(t, func(o *Options) {
			o.Collectors = []prometheus.Collector{drops, lag}
			o.Upstream = func() fanout.Upstream { return *state.Load() }
		})
		s := g.stated("?history=1h")
		if s.Samples == nil || len(s.Samples.At) != 0 || s.Samples.StepS != 5 || len(s.Samples.Upstream) != 1 {
			t.Fatalf("at the beginning there is %+v", s.Samples)
		}
		streams := []*reader{g.stream("/stream"), g.stream("/stream?track=go"), g.stream("/stream?track=go")}
		time.Sleep(time.Second)
		for i := range 10 {
			g.post(i+1, "1", "go on")
		}
		for _, one := range streams {
			one.ids(10)
		}
		drops.WithLabelValues("malformed").Add(3)
		lag.Set(0.25)
		began := time.Now()
		state.Store(&fanout.Upstream{State: "streaming", Since: began})
		time.Sleep(5 * time.Second)
		synctest.Wait()
		s = g.stated("?history=1h")
		got := s.Samples
		if len(got.At) != 1 || got.PostsPerS[0] != 2 || got.DeliveriesPerS[0] != 6 || got.Clients[0] != 3 || got.Filters[0] != 2 {
			t.Errorf("the sample is %+v", got)
		}
		if got.BytesPerS[0] < 100 || *got.UpstreamLagMS[0] != 250 || got.Dropped["malformed"][0] != 3 || len(got.Dropped) != 1 || len(got.Gaps) != 0 {
			t.Errorf("the sample is %+v", got)
		}
		for _, name := range []string{"p50", "p95", "p99"} {
			if v := got.DeliveryMS[name]; len(v) != 1 || v[0] == nil || *v[0] > 0.5 { // nothing takes time here
				t.Errorf("%s of the delivery time: %v", name, v)
			}
		}
		if len(got.Upstream) != 2 || got.Upstream[1].State != "streaming" || !got.Upstream[1].Since.Equal(began.Truncate(time.Millisecond)) {
			t.Errorf("the upstream's states are %+v", got.Upstream)
		}
		if !slices.Equal(s.TopFilters, []int{2, 1}) || s.Search != nil || got.SearchRemaining[0] != nil {
			t.Errorf("top filters %v, search %v", s.TopFilters, s.Search)
		}
		time.Sleep(5 * time.Second) // a quiet step
		got = g.stated("?history=1h").Samples
		if len(got.At) != 2 || got.PostsPerS[1] != 0 || got.UpstreamLagMS[1] != nil || got.DeliveryMS["p99"][1] != nil || got.Dropped["malformed"][1] != 0 || got.At[1]-got.At[0] != 5000 {
			t.Errorf("the samples are %+v", got)
		}
		if got = g.stated("?history=5s").Samples; len(got.At) != 1 {
			t.Errorf("of five seconds there are %d samples", len(got.At))
		}
		if s = g.stated(""); s.Samples != nil || s.TopFilters != nil {
			t.Error("samples come unasked")
		}
	})
}

// An hour is kept, and no more, whatever the upstream does.
func TestHistoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		g := newGate(t, func(o *Options) {
			o.Upstream = func() fanout.Upstream { // another state whenever it is looked at
				return fanout.Upstream{State: "backing_off", Since: time.Now()}
			}
		})
		time.Sleep(2*time.Hour + time.Second)
		got := g.stated("?history=1h").Samples
		if len(got.At) != samplesKept || len(got.Upstream) > samplesKept+2 || len(got.Clients) != samplesKept {
			t.Errorf("%d samples and %d states are kept", len(got.At), len(got.Upstream))
		}
		if !slices.IsSorted(got.At) || got.At[len(got.At)-1] != began.Add(2*time.Hour).UnixMilli() || !slices.IsSortedFunc(got.Upstream, func(a, b struct {
			State string
			Since time.Time
		}) int {
			return a.Since.Compare(b.Since)
		}) {
			t.Errorf("they go from %v to %v", got.At[0], got.At[len(got.At)-1])
		}
	})
}

// Nothing of a filter but how many have it.
func TestHistoryTellsNoFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.stream("/stream?track=verysecretword")
		time.Sleep(sampleStep + time.Second)
		if body := readAll(t, g.do("GET", "/status?history=1h", "").Body); strings.Contains(body, "secret") || !strings.Contains(body, `"top_filters":[1]`) {
			t.Errorf("/status tells %s", body)
		}
	})
}

func TestHistoryParameter(t *testing.T) {
	g := newTCPGate(t)
	for _, bad := range []struct{ query, param, near string }{
		{"?history=2h", "history", ""}, {"?history=-5m", "history", ""}, {"?history=", "history", ""}, {"?history=0s", "history", ""},
		{"?history=1h&history=1h", "history", ""}, {"?histroy=1h", "histroy", "history"}, {"?history=hour", "history", ""},
	} {
		resp := g.do("GET", "/status"+bad.query, "")
		var p Problem
		if err := json.Unmarshal([]byte(readAll(t, resp.Body)), &p); err != nil || resp.StatusCode != http.StatusBadRequest || p.Param != bad.param || p.Nearest != bad.near {
			t.Errorf("%s: %d %+v", bad.query, resp.StatusCode, p)
		}
	}
	if resp := g.do("GET", "/status?history=90s", ""); resp.StatusCode != http.StatusOK {
		t.Errorf("?history=90s: %d", resp.StatusCode)
	}
}

// Percentiles are read off the buckets' growth.
func TestHistoryQuantiles(t *testing.T) {
	histogram := func(counts ...float64) (r reading) {
		bounds, sum := []float64{.01, .1, 1}, 0.0
		for i, n := range counts {
			sum += n
			if i < len(bounds) {
				upTo, bound := uint64(sum), bounds[i]
				r.took = append(r.took, &dto.Bucket{CumulativeCount: &upTo, UpperBound: &bound})
			}
		}
		r.count = sum
		return r
	}
	for _, test := range []struct {
		last, now reading
		q         float64
		want      string
	}{
		{histogram(0, 0, 0, 0), histogram(100, 0, 0, 0), .5, "0.005"},
		{histogram(0, 0, 0, 0), histogram(100, 0, 0, 0), .99, "0.0099"},
		{histogram(100, 0, 0, 0), histogram(100, 10, 0, 0), .5, "0.055"}, // what was before does not count
		{histogram(0, 0, 0, 0), histogram(50, 0, 50, 0), .95, "0.91"},
		{histogram(0, 0, 0, 0), histogram(0, 0, 0, 7), .5, "1"}, // above all buckets
		{histogram(5, 5, 5, 5), histogram(5, 5, 5, 5), .5, "NaN"},
		{reading{}, histogram(10, 0, 0, 0), .5, "0.005"},
		{reading{}, reading{}, .5, "NaN"},
	} {
		if got := fmt.Sprintf("%.4g", test.now.quantile(&test.last, test.q)); got != test.want {
			t.Errorf("quantile %v of %v: %s, want %s", test.q, test.now.took, got, test.want)
		}
	}
}

// The names that samples are made of are those of metrics that there are: a metric
// under another name would silently be a flat line.
func TestHistoryReadsWhatThereIs(t *testing.T) {
	g := newTCPGate(t, func(o *Options) {
		drops, lag := counted() // main brings them
		drops.WithLabelValues("oversize")
		o.Collectors = []prometheus.Collector{drops, lag}
	})
	families, err := g.server.sampler.traffic.Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range families {
		names[f.GetName()] = true
	}
	for _, name := range []string{"aviary_deliveries_total", "aviary_delivered_bytes_total", "aviary_gaps_total", "aviary_delivery_seconds", "aviary_posts_dropped_total", "aviary_upstream_lag_seconds"} {
		if !names[name] {
			t.Errorf("there is no %s among %q", name, slices.Sorted(maps.Keys(names)))
		}
	}
}

// What a sample costs, once in five seconds, and what a dashboard's two questions do.
func BenchmarkHistory(b *testing.B) {
	hub := fanout.NewHub(fanout.Config{})
	defer hub.Close()
	s := New(Options{Hub: hub})
	defer s.Close()
	own := newSampler(s.opts, s.clients.Metrics(), s.clients.Len) // the server's is its goroutine's
	b.Run("sample", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			own.take(time.Now())
		}
	})
	began := time.Now().Add(-time.Hour)
	for i := range samplesKept {
		own.take(began.Add(time.Duration(i+1) * sampleStep))
	}
	for name, back := range map[string]time.Duration{"hour": time.Hour, "last": 3 * sampleStep} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := marshal(own.window(time.Now().Add(-back))); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
