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
	t.Parallel()
	url := startNATS(t)
	f := newFleet(t, 2, "AVIARY_NATS_URL="+url, "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_CONNECT_WINDOW=1m")
	for range 3 {
		f.add()
	}
	leader := f.streaming()
	states := openBucket(t, url, "AVIARY_STATE")
	var before []byte
	eventually(t, "the leader's word", func() bool {
		e, err := states.Get(t.Context(), askedKey)
		if err == nil {
			before = e.Value()
		}
		return err == nil
	})
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
	if _, err := states.Put(t.Context(), askedKey, before); err != nil { // of an earlier leader that was held up
		t.Fatal(err)
	}
	eventually(t, "the leader to say it again", func() bool {
		e, err := states.Get(t.Context(), askedKey)
		return err == nil && strings.Contains(string(e.Value()), "zebra")
	})
	for _, m := range f.nodes {
		eventually(t, "the term at every node again", func() bool { return slices.Equal(terms(m), []string{"zebra"}) })
	}
	// The leader says that the term is in force some time after its posts have begun.
	eventually(t, "a gap that tells when the posts began", func() bool {
		return slices.ContainsFunc(l.all(), func(e sseEvent) bool { return e.name == "gap" && strings.Contains(e.data, `"reason":"upstream"`) })
	})

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

// asked is what a node says the upstream is asked for.
func (m *member) asked() (a askedFor) {
	response, err := http.Get(m.admin + "/upstream/filter")
	if err == nil {
		defer response.Body.Close()
		_ = json.NewDecoder(response.Body).Decode(&a)
	}
	return a
}

// Three nodes, one of them an edge that knows nothing of the source: the room goes
// to what most clients of all of them want, whoever is pushed out is told wherever
// it is, a wish of the operator's reaches all from any node, and all judge alike.
func TestDemandCrowdInACluster(t *testing.T) {
	t.Parallel()
	nats := "AVIARY_NATS_URL=" + startNATS(t)
	f := newFleet(t, 2, nats, "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_CONNECT_WINDOW=10s", "AVIARY_TRACK="+ownTerms(397), "AVIARY_LANGUAGE=en")
	f.add()
	f.add()
	f.environ = []string{nats, "AVIARY_SOURCE=twitter", "AVIARY_ROLE=edge", "AVIARY_DEMAND=on", "AVIARY_DRAIN=1s"}
	edge := f.add()
	f.streaming()
	quit := make(chan struct{})
	defer close(quit)
	go func() {
		for {
			select {
			case <-quit:
				return
			case <-time.After(20 * time.Millisecond):
				say(f.fake, "own 1")
			}
		}
	}()
	listen := func(m *member, term string) *listener {
		t.Helper()
		l := listenWith(t, m.url, "track="+term, "")
		t.Cleanup(l.close)
		return l
	}
	inForce := func(terms ...string) {
		t.Helper()
		for _, m := range f.nodes {
			eventually(t, "the terms at every node", func() bool {
				a := m.asked()
				return a.Demand != nil && slices.Equal(a.Demand.Track, terms)
			})
		}
	}
	var twice []*listener // of the clients with the term that is wanted least
	for _, m := range f.nodes {
		listen(m, "aaa")
		listen(m, "bbb")
		if m != f.nodes[0] {
			twice = append(twice, listen(m, "ccc"))
		}
	}
	inForce("aaa", "bbb", "ccc")
	told := func(what string, open bool) {
		t.Helper()
		for _, l := range twice {
			eventually(t, what, func() bool {
				return slices.ContainsFunc(l.all(), func(e sseEvent) bool {
					return e.name == "gap" && strings.Contains(e.data, `"reason":"upstream"`) && strings.Contains(e.data, `"to":null`) == open
				})
			})
		}
	}
	told("the end of the gap", false)
	late := listenWith(t, edge.url, "track=ddd", "")
	defer late.close()
	eventually(t, "a full upstream at the edge", func() bool {
		code, body := fetch(t, http.DefaultClient, edge.url+"/filters/check?track=eee")
		return code == 200 && strings.Contains(body, "has room only for")
	})
	if code, body := fetch(t, http.DefaultClient, edge.url+"/filters/check?track=go&language=de"); code != 400 || !strings.Contains(body, "LANGUAGE") {
		t.Errorf("the edge judges by what it does not know: %d %s", code, body)
	}

	// The operator takes one place, by way of the edge: the least wanted goes.
	request, err := http.NewRequest(http.MethodPut, edge.admin+"/upstream/filter", strings.NewReader(`{"track":"`+ownTerms(398)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil || response.StatusCode != http.StatusAccepted {
		t.Fatal(err, response)
	}
	response.Body.Close()
	inForce("aaa", "bbb")
	told("a gap that has no end", true)
	if code, _ := fetch(t, http.DefaultClient, edge.url+"/filters/check?track=go&language=de"); code != 200 {
		t.Error("the edge refuses what the operator lets in now")
	}
	if stats := f.fake.Stats(); stats.Most > 2 || stats.Refused > 0 {
		t.Errorf("%+v", stats)
	}
}
