package wire_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"aviary/fanout"
	"aviary/fanout/wire"
	"aviary/upstream/twitter"
)

// captured are the posts of one of the real captures that are not part of the
// project: CAPTURES_DIR says where they lie.
func captured(t testing.TB, name string) []*fanout.Event {
	t.Helper()
	dir := os.Getenv("CAPTURES_DIR")
	if dir == "" {
		t.Skip("SKIPPED: CAPTURES_DIR is not set, so nothing is measured on real captures")
	}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var events []*fanout.Event
	seen := map[string]bool{}
	for line := range bytes.Lines(raw) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		e, err := twitter.Decode(bytes.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if e.Kind == fanout.KindPost && !seen[e.Post.Key.ID] {
			seen[e.Post.Key.ID] = true
			events = append(events, e)
		}
	}
	return publish(t, events...)
}

// corpora are what ratios are measured on: posts that the dictionary was not
// made from. The captures are two live streams, one as the service sent it and
// one that a mapper wrote again.
var corpora = []struct {
	name   string
	events func(testing.TB) []*fanout.Event
}{
	{"simulator", func(t testing.TB) []*fanout.Event { return simulated(t, 77, 1000) }},
	{"stream", func(t testing.TB) []*fanout.Event { return captured(t, "Cesaaar+od_twitter/trump.json") }},
	{"mapped", func(t testing.TB) []*fanout.Event {
		return captured(t, "fma1+nats-kafka-demo/src/main/resources/tweets.json")
	}},
}

// ratio is what the events take in a coding and payload, of their plain full frames.
func ratio(events []*fanout.Event, c wire.Coding, p wire.Payload) float64 {
	plain, coded := 0, 0
	for _, e := range events {
		plain += len(wire.SSE(e, wire.Full))
		coded += len(wire.Coded(e, false, p, c).Bytes)
	}
	return float64(coded) / float64(plain)
}

// TestRatio holds what compression is for. When it fails after a change to the
// posts that the simulator makes, train the dictionary anew.
func TestRatio(t *testing.T) {
	for _, corpus := range corpora {
		t.Run(corpus.name, func(t *testing.T) {
			events := corpus.events(t)
			for _, bound := range []struct {
				coding  wire.Coding
				payload wire.Payload
				most    float64
			}{
				{wire.Gzip, wire.Full, 0.42}, {wire.Zstd, wire.Full, 0.42},
				{wire.DCZ, wire.Full, 0.18}, {wire.DCZ, wire.Compact, 0.13},
			} {
				got := ratio(events, bound.coding, bound.payload)
				t.Logf("%v, payload %d: %.3f", bound.coding, bound.payload, got)
				if got > bound.most {
					t.Errorf("%v, payload %d: %.3f of the plain full frames, more than %v", bound.coding, bound.payload, got, bound.most)
				}
			}
		})
	}
}

// BenchmarkCoded shows what an event costs in each coding, once for all clients,
// and what it takes of its plain frame ("ratio").
func BenchmarkCoded(b *testing.B) {
	for _, corpus := range corpora {
		for _, c := range codings[1:] {
			b.Run(corpus.name+"/"+c.String(), func(b *testing.B) {
				events := corpus.events(b)
				bytes := 0
				for _, e := range events {
					bytes += len(wire.SSE(e, wire.Full))
				}
				b.SetBytes(int64(bytes / len(events)))
				b.ReportMetric(ratio(events, c, wire.Full), "ratio")
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					wire.Encode(wire.SSE(events[i%len(events)], wire.Full), c)
				}
			})
		}
	}
}
