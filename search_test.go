package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// fetched is an answer with its body.
func (g *running) fetched(path string) (*http.Response, string) {
	g.t.Helper()
	resp, err := g.client.Get(path)
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp, string(body)
}

// The default gateway searches its simulator, with all layers in between.
func TestSearchOfTheDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := start(t, newNetwork())
		resp, body := g.fetched(g.url + "/search?q=go&count=3")
		var in struct {
			Statuses []struct {
				Text string `json:"full_text"`
			}
			Next *string
			Rate struct{ Limit, Remaining int }
		}
		if err := json.Unmarshal([]byte(body), &in); err != nil || resp.StatusCode != 200 || len(in.Statuses) != 3 || in.Next == nil || in.Rate.Limit != 180 || in.Rate.Remaining != 179 {
			t.Fatalf("%s %v %s", resp.Status, err, body)
		}
		if resp, body := g.fetched(g.url + *in.Next); resp.StatusCode != 200 || !strings.Contains(body, `"full_text"`) {
			t.Errorf("next: %s %s", resp.Status, body)
		}
		began := time.Now()
		_, body = g.fetched(g.url + "/search/pages?q=go&count=20&max=50&format=ndjson")
		if n := strings.Count(body, "\n"); n != 54 || time.Since(began) < 10*time.Second {
			t.Errorf("%d lines after %v", n, time.Since(began))
		}
		if _, body := g.fetched(g.admin + "/metrics"); !strings.Contains(body, "aviary_search_remaining 175\n") || !strings.Contains(body, `aviary_search_requests_total{result="ok"} 5`) {
			t.Error("the metrics do not say so")
		}
	})
}

// Settings of search reach the upstream.
func TestSearchSettings(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_SEARCH_WAIT=20ms", "AVIARY_SEARCH_CACHE=0s")
	address := ""
	for _, line := range environ {
		if rest, is := strings.CutPrefix(line, "AVIARY_TWITTER_STREAM_URL="); is {
			address = rest
		}
	}
	texts := numbered("alpha", 0, 30)
	for _, text := range texts {
		fake.Post(sim.Draft{Text: text})
	}
	g := start(t, nil, append(environ, "AVIARY_TWITTER_API_URL="+address, "AVIARY_TWITTER_BEARER_TOKEN="+fake.BearerToken())...)
	for range 2 {
		if resp, body := g.fetched(g.url + "/search?q=alpha"); resp.StatusCode != 200 || !strings.Contains(body, `"limit":450`) {
			t.Errorf("%s %s", resp.Status, body)
		}
	}
	if n := fake.Stats().Searches; n != 2 {
		t.Errorf("%d requests without a cache", n)
	}
	var o, e lockedBuffer
	code := run(context.Background(), &program{
		args: []string{"tail", g.url + "/search/pages?q=alpha&count=10"}, dial: new(net.Dialer).DialContext, out: &o, err: &e,
	})
	out, errs := o.String(), e.String()
	if code != exitOK || errs != "" {
		t.Errorf("tail: %d %s", code, errs)
	}
	var got []string
	for line := range strings.SplitSeq(out, "\n") {
		if _, text, is := strings.Cut(line, "@test_sim "); is {
			got = append(got, text)
		}
	}
	slices.Reverse(texts)
	if !slices.Equal(got, texts) || strings.Count(out, "-- page ") != 3 || !strings.Contains(out, "-- page 3, 30 posts, back to ") || !strings.HasSuffix(out, "-- done: 30 posts on 3 pages\n") {
		t.Errorf("tail shows\n%s", out)
	}
}

// A capture cannot be searched.
func TestSearchOfACapture(t *testing.T) {
	g := start(t, nil, "AVIARY_SOURCE=file", "AVIARY_FILE="+scratch(t, "c.json", "{}\n"))
	for _, path := range []string{"/search?q=a", "/search/pages?q=a"} {
		if resp, body := g.fetched(g.url + path); resp.StatusCode != http.StatusNotImplemented || !strings.Contains(body, "cannot be searched") {
			t.Errorf("%s: %s %s", path, resp.Status, body)
		}
	}
}

func TestTailOfASearch(t *testing.T) {
	page := func(n int) string {
		return fmt.Sprintf("id: o1-%d\ndata: {\"full_text\":\"p%d\",\"user\":{\"screen_name\":\"ann\"}}\n\nevent: page\nid: o1-%dp\ndata: {\"page\":{\"page\":%d,\"posts\":%d,\"remaining\":7,\"reset\":\"2026-01-02T03:04:05Z\",\"oldest\":null}}\n\n", n, n, n, n, n)
	}
	code, ids, out, errs := follow(t, []func(http.ResponseWriter){
		events(quick + page(1)), // cut off
		events(quick + page(2) + "event: done\nid: o1.end\ndata: {\"done\":{\"pages\":2,\"posts\":2}}\n\n"),
	})
	if code != exitOK || !slices.Equal(ids, []string{"", "o1-1p"}) || !strings.Contains(out, "-- page 1, 1 post; 7 requests left until ") || !strings.HasSuffix(out, "-- done: 2 posts on 2 pages\n") {
		t.Errorf("%d %v %s\n%s", code, ids, errs, out)
	}
	code, ids, _, errs = follow(t, []func(http.ResponseWriter){
		events(quick + page(1) + "event: problem\nid: o1.end\ndata: {\"problem\":{\"status\":401,\"detail\":\"the upstream refuses\\u001b[2J\"}}\n\n"),
	})
	if code != exitFailed || len(ids) != 1 || !strings.Contains(errs, "the upstream refuses [2J") {
		t.Errorf("%d %v %q", code, ids, errs)
	}
}

// On a terminal the progress is one line, which everything else goes above.
func TestScreen(t *testing.T) {
	var b strings.Builder
	s := &screen{w: &b, terminal: true}
	fmt.Fprintln(s, "one")
	s.progress("page 1")
	fmt.Fprintln(s, "two")
	s.progress("page 2")
	s.leave()
	s.leave()
	fmt.Fprintln(s, "three")
	if want := "one\n" + clearLine + "page 1" + clearLine + "two\npage 1" + clearLine + "page 2\nthree\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	b.Reset()
	s = &screen{w: &b}
	s.progress("page 1")
	fmt.Fprintln(s, "two")
	s.leave()
	if want := "-- page 1\ntwo\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
