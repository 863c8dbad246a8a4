//go:build edges

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aviary/loadgen"
	"aviary/upstream/twitter/sim"
)

// counting reads streams and counts what comes; its methods run under the fleet's lock.
type counting struct{ posts atomic.Int64 }

// Event implements loadgen.Reader.
func (c *counting) Event(_ *loadgen.Stream, e *loadgen.Event, _ time.Time) {
	if len(e.Name) == 0 {
		c.posts.Add(1)
	}
}

// Ended implements loadgen.Reader.
func (c *counting) Ended(*loadgen.Stream, error) {}

// edgeRun is one measurement.
type edgeRun struct {
	edges, clients, rate int
	posts                int
	deliveries           int64
	cpu                  time.Duration // of all edges
	out                  int64         // bytes that NATS sent, to everybody
}

func (r edgeRun) String() string {
	s := fmt.Sprintf("%d edges of %d clients, %d posts: %d deliveries, %.1f µs of the edges' processor a post and edge",
		r.edges, r.clients, r.posts, r.deliveries, micros(r.cpu, int64(r.posts*r.edges)))
	if r.deliveries > 0 {
		s += fmt.Sprintf(", %.2f µs a delivery", r.each())
	}
	return s + fmt.Sprintf("; NATS sends %.0f bytes a post and node", float64(r.out)/float64(r.posts*(r.edges+1)))
}

// each is the processor time of a delivery in microseconds.
func (r edgeRun) each() float64 { return micros(r.cpu, r.deliveries) }

// TestEdgesScale measures what docs/scaling.md works with: the same posts through one,
// two and four edges on one NATS, so many clients each. A delivery must cost the
// same however many edges there are. It takes the whole machine for two minutes, so
// only `make edges` runs it.
func TestEdgesScale(t *testing.T) {
	const clients, rate, rounds = 200, 40, 3
	nats, server := startNATSServer(t)
	f := newFleet(t, 2, "AVIARY_NATS_URL="+nats, "AVIARY_MAX_CLIENTS_PER_KEY=100000")
	f.add("AVIARY_ROLE=ingest")
	sent := func() int64 {
		v, err := server.Varz(nil)
		if err != nil {
			t.Fatal(err)
		}
		return v.OutBytes
	}
	measure := func(edges, clients int) edgeRun {
		for len(f.nodes) < edges+1 {
			f.add("AVIARY_ROLE=edge")
		}
		for len(f.nodes) > edges+1 {
			f.nodes[len(f.nodes)-1].kill()
		}
		f.streaming()
		return f.measureEdges(clients, rate, sent)
	}
	found := map[int][]float64{}
	for range rounds {
		for _, edges := range []int{1, 2, 4} {
			r := measure(edges, clients)
			t.Log(r)
			found[edges] = append(found[edges], r.each())
		}
	}
	t.Log(measure(1, 0))
	median := func(edges int) float64 {
		slices.Sort(found[edges])
		return found[edges][rounds/2]
	}
	for _, edges := range []int{2, 4} {
		ratio := median(edges) / median(1)
		t.Logf("a delivery with %d edges costs %.2f of that with one", edges, ratio)
		if edges == 4 && (ratio > 1.15 || ratio < 0.85) {
			t.Errorf("a delivery costs %.2f µs with %d edges and %.2f with one", median(edges), edges, median(1))
		}
	}
}

// measureEdges lets clients read from every node but the first while posts come at a
// rate, and says what that cost.
func (f *fleet) measureEdges(clients, rate int, sent func() int64) edgeRun {
	f.t.Helper()
	edges := f.nodes[1:]
	count := &counting{}
	for _, m := range edges {
		if clients == 0 {
			break
		}
		host := strings.TrimPrefix(m.url, "http://")
		crowd := loadgen.New(loadgen.Config{Address: host, Reader: count, Request: func(int) []byte {
			return []byte("GET /stream HTTP/1.1\r\nHost: " + host + "\r\nAccept: text/event-stream\r\n\r\n")
		}})
		defer crowd.Close()
		if err := crowd.Open(context.Background(), clients); err != nil {
			f.t.Fatal(err)
		}
	}
	used := func() (all time.Duration) {
		for _, m := range edges {
			u, err := loadgen.Measure(m.cmd.Process.Pid)
			if err != nil {
				f.t.Fatal(err)
			}
			all += u.CPU()
		}
		return all
	}
	text := "go " + strings.Repeat("gopher ", 30)
	post := func(n int) {
		tick := time.NewTicker(time.Second / time.Duration(rate))
		defer tick.Stop()
		for range n {
			<-tick.C
			f.fake.Post(sim.Draft{Text: text})
		}
	}
	post(2 * rate) // warm
	time.Sleep(200 * time.Millisecond)
	r := edgeRun{edges: len(edges), clients: clients, rate: rate, posts: 8 * rate}
	before, cpu, out := count.posts.Load(), used(), sent()
	post(r.posts)
	time.Sleep(200 * time.Millisecond)
	r.deliveries, r.cpu, r.out = count.posts.Load()-before, used()-cpu, sent()-out
	if want := int64(r.posts) * int64(clients) * int64(len(edges)); r.deliveries != want {
		f.t.Errorf("%d deliveries of %d", r.deliveries, want)
	}
	return r
}
