package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Three nodes: a client of one that does not lead gets the posts of its term, the
// term is known at all, stays when another node takes over, and goes with the client.
func TestDemandInACluster(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_NATS_URL="+startNATS(t), "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_CONNECT_WINDOW=1m")
	for range 3 {
		f.add()
	}
	leader := f.streaming()
	var other *member
	for _, m := range f.nodes {
		if m != leader {
			other = m
		}
	}
	terms := func(m *member) []string {
		response, err := http.Get(m.admin + "/upstream/filter")
		if err != nil {
			return nil
		}
		defer response.Body.Close()
		var a askedFor
		if json.NewDecoder(response.Body).Decode(&a) != nil || a.Demand == nil {
			return nil
		}
		return a.Demand.Track
	}
	l := listenWith(t, other.url, "track=zebra", "")
	defer l.close()
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
				say(f.fake, "a zebra", "a go")
			}
		}
	}()
	defer func() { close(stop); <-done }()
	eventually(t, "posts of the new term", func() bool { return len(l.posts()) > 10 })
	for _, m := range f.nodes {
		eventually(t, "the term at every node", func() bool { return slices.Equal(terms(m), []string{"zebra"}) })
	}
	gap := ""
	for _, e := range l.all() {
		if e.name == "gap" {
			gap = e.data
		}
	}
	if !strings.Contains(gap, `"reason":"upstream"`) {
		t.Errorf("no gap tells when the posts began: %q", gap)
	}

	leader.kill()
	f.remove(leader)
	next := f.streaming()
	n := len(l.posts())
	eventually(t, "posts of the term from the next leader", func() bool { return len(l.posts()) > n+20 })
	if got := terms(next); !slices.Equal(got, []string{"zebra"}) {
		t.Errorf("the next leader asks for %q", got)
	}
	if most := f.fake.Stats().Most; most > 2 {
		t.Errorf("%d streams at once", most)
	}
}
