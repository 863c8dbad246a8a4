package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// One address with a hundred streams of different terms takes a quarter of the
// room, whichever route its streams use, and pushes nobody out.
func TestOneAddress(t *testing.T) {
	demanded(t, sim.Config{MaxConnects: 100}, false, func(t *testing.T, _ *sim.Server, g *running) {
		ask := func(method, path, body, address string) {
			t.Helper()
			r, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Forwarded-For", address)
			r.Header.Set("Content-Type", "application/json")
			response, err := g.client.Do(r)
			if err != nil || response.StatusCode >= 300 {
				t.Fatal(path, err, response)
			}
			t.Cleanup(func() { _ = response.Body.Close() })
			go func() { _, _ = io.Copy(io.Discard, response.Body) }()
		}
		for i := range 40 {
			ask("GET", fmt.Sprintf("/1.1/statuses/filter.json?track=hog%d", i), "", "192.0.2.1")
			ask("GET", fmt.Sprintf("/stream?track=hog%d", 100+i), "", "192.0.2.1")
		}
		var rules []string
		for i := range 60 {
			rules = append(rules, fmt.Sprintf(`{"value":"hog%d"}`, 200+i))
		}
		ask("POST", "/2/tweets/search/stream/rules", `{"add":[`+strings.Join(rules, ",")+`]}`, "192.0.2.1")
		ask("GET", "/2/tweets/search/stream", "", "192.0.2.1")
		time.Sleep(time.Minute)
		if got := len(g.asked().Demand.Track); got != 5 {
			t.Errorf("one address has %d of 20 terms", got)
		}
		for i := range 15 {
			ask("GET", fmt.Sprintf("/stream?track=other%d", i), "", fmt.Sprintf("198.51.100.%d", i+1))
		}
		time.Sleep(5 * time.Minute)
		others := 0
		for _, term := range g.asked().Demand.Track {
			if strings.HasPrefix(term, "other") {
				others++
			}
		}
		if others != 15 {
			t.Errorf("%d of 15 other clients are served", others)
		}
	}, "AVIARY_TRACK="+ownTerms(380), "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_TRUSTED_PROXIES=127.0.0.0/8", "AVIARY_LOG_LEVEL=error")
}

// A client whose address asks for more than its share is told so, and what the share
// is; others, and those on this machine, are not.
func TestShareIsTold(t *testing.T) {
	demanded(t, sim.Config{MaxConnects: 100}, false, func(t *testing.T, _ *sim.Server, g *running) {
		hello := func(address, track string) string {
			t.Helper()
			r, err := http.NewRequest(http.MethodGet, g.url+"/stream?track="+track, nil)
			if err != nil {
				t.Fatal(err)
			}
			if address != "" {
				r.Header.Set("X-Forwarded-For", address)
			}
			response, err := g.client.Do(r)
			if err != nil || response.StatusCode != 200 {
				t.Fatal(err, response)
			}
			t.Cleanup(func() { _ = response.Body.Close() })
			s := &stream{t: t, body: response.Body, lines: bufio.NewReader(response.Body)}
			said := s.until("hello").data
			s.read()
			return said
		}
		const share = "of one client address at most 5 phrases are taken in"
		for _, c := range []struct {
			address, track string
			told           bool
		}{
			{"192.0.2.1", "a1,a2,a3,a4,a5,a6", true},
			{"192.0.2.2", "b1,b2,b3,b4,b5", false},
			{"", "c1,c2,c3,c4,c5,c6", false},
			{"192.0.2.2", "b6", false}, // nobody has counted yet
		} {
			if said := hello(c.address, c.track); strings.Contains(said, share) != c.told {
				t.Errorf("%q asks for %s: %s", c.address, c.track, said)
			}
		}
		time.Sleep(10 * time.Second)
		for address, told := range map[string]bool{"192.0.2.1": true, "192.0.2.2": true, "192.0.2.3": false, "": false} {
			if said := hello(address, "d"+address); strings.Contains(said, share) != told {
				t.Errorf("later %q: %s", address, said)
			}
		}
	}, "AVIARY_TRACK="+ownTerms(380), "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_TRUSTED_PROXIES=127.0.0.0/8", "AVIARY_LOG_LEVEL=error")
}
