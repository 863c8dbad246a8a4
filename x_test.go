package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// The whole program over API v2: rules, stream, compact form, search, deletes.
func TestSourceX(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := sim.New(sim.Config{XCompliance: true})
		l, err := n.listen("tcp", "127.0.0.1:9100")
		if err != nil {
			t.Fatal(err)
		}
		web := &http.Server{Handler: fake}
		go func() { _ = web.Serve(l) }()
		defer func() { _ = fake.Close(); _ = web.Close() }()
		g := start(t, n, append(fake.SettingsX("http://127.0.0.1:9100"), "AVIARY_TRACK=zebra", "AVIARY_X_POST_BUDGET=1000")...)
		time.Sleep(time.Second)
		synctest.Wait()
		p := fake.Post(sim.Draft{Text: "a zebra & more", Author: "ann_sim"})
		time.Sleep(time.Second)
		synctest.Wait()
		if rules := fake.Rules(); len(rules) != 1 || rules[0].Value != "zebra" || rules[0].Tag != "aviary:track-1" {
			t.Errorf("rules %v", rules)
		}
		_, body := g.fetched(g.url + "/stream?since=1h&limit=1&format=ndjson&events=none&payload=compact&track=zebra")
		if !strings.Contains(body, `"id_str":"`+p.ID+`"`) || !strings.Contains(body, `"text":"a zebra & more"`) || !strings.Contains(body, `"source":"x"`) {
			t.Errorf("compact: %s", body)
		}
		_, body = g.fetched(g.url + "/status")
		var status struct {
			Source   string
			Upstream struct{ State string }
		}
		if err := json.Unmarshal([]byte(body), &status); err != nil || status.Source != "x" || status.Upstream.State != "streaming" {
			t.Errorf("status %s", body)
		}
		time.Sleep(time.Minute) // search knows no younger posts
		_, body = g.fetched(g.url + "/search?q=zebra")
		if !strings.Contains(body, `{"statuses":[{"data":{"id":"`+p.ID+`"`) || !strings.Contains(body, `"rate":{"limit":450`) {
			t.Errorf("search: %s", body)
		}
		before := g.streamed("/stream?since=1h&format=ndjson&payload=ids&events=none&track=zebra")
		fake.Delete(p.ID)
		time.Sleep(time.Second)
		synctest.Wait()
		after := g.streamed("/stream?since=1h&format=ndjson&payload=ids&events=none&track=zebra")
		if !strings.Contains(before, p.ID) || strings.Contains(after, p.ID) {
			t.Errorf("before the delete %q, after it %q", before, after)
		}
	})
}

// streamed is what a stream brings in its first second.
func (g *running) streamed(path string) string {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url+path, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	resp, err := g.client.Do(r)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body) // ended by the clock
	return string(body)
}
