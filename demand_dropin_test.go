package main

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// Clients of the drop-in routes ask for what their parameters and rules say, and
// are refused where nothing can come.
func TestDropInDemand(t *testing.T) {
	demanded(t, sim.Config{MaxConnects: 100}, false, func(t *testing.T, _ *sim.Server, g *running) {
		post := func(path, body, kind string) (*http.Response, string) {
			t.Helper()
			response, err := g.client.Post(g.url+path, kind, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode == 200 && strings.Contains(path, "filter.json") {
				return response, ""
			}
			defer response.Body.Close()
			said, _ := io.ReadAll(response.Body)
			return response, string(said)
		}
		const form, rules = "application/x-www-form-urlencoded", "/2/tweets/search/stream/rules"
		if r, said := post("/1.1/statuses/filter.json", "track=zebra&language=de", form); r.StatusCode != 406 || !strings.Contains(said, "LANGUAGE") {
			t.Errorf("%d %s", r.StatusCode, said)
		}
		if r, said := post(rules, `{"add":[{"value":"zebra lang:de"}]}`, "application/json"); r.StatusCode != 400 || !strings.Contains(said, "LANGUAGE") {
			t.Errorf("%d %s", r.StatusCode, said)
		}
		if r, said := post(rules, `{"add":[{"value":"lion -is:retweet"},{"value":"go has:links"}]}`, "application/json"); r.StatusCode != 201 {
			t.Errorf("%d %s", r.StatusCode, said)
		}
		time.Sleep(5 * time.Second)
		if a := g.asked(); len(a.Demand.Track) != 0 {
			t.Errorf("rules without a stream count: %q", a.Demand.Track)
		}
		one, _ := post("/1.1/statuses/filter.json", "track=zebra", form)
		two, err := g.client.Get(g.url + "/2/tweets/search/stream")
		if err != nil || two.StatusCode != 200 {
			t.Fatal(err, two)
		}
		time.Sleep(5 * time.Second)
		if a := g.asked(); !slices.Equal(a.Demand.Track, []string{"lion", "zebra"}) {
			t.Errorf("asked for %q", a.Demand.Track)
		}
		one.Body.Close()
		two.Body.Close()
		time.Sleep(5 * time.Minute)
		if a := g.asked(); len(a.Demand.Track) != 0 {
			t.Errorf("still asked for %q", a.Demand.Track)
		}
	}, "AVIARY_TRACK=go", "AVIARY_LANGUAGE=en", "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_LOG_LEVEL=error")
}
