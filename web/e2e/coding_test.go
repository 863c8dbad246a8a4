package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// codings are the content codings of a tab's answers from /stream, in their order.
type codings struct {
	mu   sync.Mutex
	seen []string
}

func (c *codings) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

// watch notes the codings of the streams that the tab opens from now on.
func (b *tab) watch() *codings {
	c := &codings{}
	if err := chromedp.Listen(b.ctx, func(event any) {
		answer, ok := event.(*network.EventResponseReceived)
		if !ok || !strings.Contains(answer.Response.URL, "/stream?") {
			return
		}
		coding := "identity"
		for name, value := range answer.Response.Headers {
			if strings.EqualFold(name, "Content-Encoding") {
				coding = fmt.Sprint(value)
			}
		}
		c.mu.Lock()
		c.seen = append(c.seen, coding)
		c.mu.Unlock()
	}); err != nil {
		b.t.Fatal(err)
	}
	b.do(command(network.Enable, network.EnableParams{}))
	return c
}

// offering opens the page in a tab whose requests offer only this coding; "":
// what the browser offers. The icon is there first, since a tab is watched from
// its second document on. The page waits for its dictionary as long as it takes: on
// a busy machine that may be longer than it would wait for a reader's sake.
func (w *world) offering(coding, path string) (*tab, *codings) {
	at := w.url
	if coding != "" {
		gateway := &url.URL{Scheme: "http", Host: strings.TrimPrefix(w.url, "http://")}
		proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(gateway)
			r.Out.Header.Set("Accept-Encoding", coding)
		}}
		front := httptest.NewServer(proxy)
		w.t.Cleanup(front.Close)
		at = front.URL
	}
	gateway := w.url
	w.url = at
	b := w.open("/icon.svg", desktop)
	w.url = gateway
	b.forgive = []string{"favicon.ico", "ERR_"}
	c := b.watch()
	b.before(`AbortSignal.timeout = () => new AbortController().signal;`)
	b.do(chromedp.Navigate(at + path))
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	return b, c
}

// The page has the dictionary before it asks for its stream, and each post is
// shown when it comes, not when the next one pushes it out of a decoder.
func TestPageReadsEveryCodingAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	for offered, want := range map[string]string{"": "dcz", "gzip, deflate, br, zstd": "zstd", "gzip, deflate": "gzip", "br": "identity"} {
		b, c := w.offering(offered, everyPost)
		for i := range 4 {
			text := fmt.Sprintf("alone as %s %d", want, i)
			w.post(text)
			b.shows(text)
		}
		if got := c.all(); len(got) != 1 || got[0] != want {
			t.Errorf("with Accept-Encoding %q the page's streams come as %q, want one as %s", offered, got, want)
		}
	}
}

// EventSource dispatches the same from every coding, whatever part of the events
// a filter gives.
func TestEventSourceReadsEveryCoding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 400, "AVIARY_HEARTBEAT=1s")
	w.held(400)
	w.sim.Silence()
	filters := []string{"payload=full", "payload=compact", "track=go,music", "language=ar,ja,ru&payload=compact", "track=football&payload=ids"}
	// What was on its way when the simulator fell silent has come.
	w.eventually("a history that does not change", func() bool {
		all := filters[0] + "&since=1h&events=all,heartbeat"
		return slices.Equal(w.messages(all), w.messages(all))
	})
	var want [][]string
	for i, filter := range filters {
		filters[i] = filter + "&since=1h&events=all,heartbeat"
		want = append(want, w.messages(filters[i]))
		if len(want[i]) < 10 {
			t.Fatalf("%s gives %d messages only", filter, len(want[i]))
		}
	}
	for offered, coding := range map[string]string{"": "dcz", "zstd": "zstd", "gzip": "gzip"} {
		b, c := w.offering(offered, everyPost)
		b.run(`globalThis.read = (query) => new Promise((done, failed) => {
			const got = [];
			const source = new EventSource("/stream?" + query);
			for (const name of ["message", "delete", "scrub_geo", "status_withheld", "user_withheld"])
				source.addEventListener(name, (e) => got.push([e.type, e.lastEventId, e.data].join(" ")));
			source.addEventListener("heartbeat", () => { source.close(); done(got); });
			source.onerror = () => failed(new Error("the stream of " + query + " broke"));
		});`)
		queries, err := json.Marshal(filters)
		if err != nil {
			t.Fatal(err)
		}
		b.run(`globalThis.all = null; Promise.all(` + string(queries) + `.map(read)).then((all) => { globalThis.all = all; });`)
		b.until(`globalThis.all !== null`)
		var got [][]string
		if err := json.Unmarshal([]byte(ask[string](b, `JSON.stringify(all)`)), &got); err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if !slices.Equal(got[i], want[i]) {
				t.Errorf("%s, %s: %d messages, and they are not the %d that come as identity", coding, filters[i], len(got[i]), len(want[i]))
			}
		}
		seen := c.all() // a page that hears nothing for three heartbeats opens its stream again
		if len(seen) < 1+len(filters) || slices.ContainsFunc(seen, func(s string) bool { return s != coding }) {
			t.Errorf("the streams came as %q, want all as %s", seen, coding)
		}
	}
}

// messages are what an EventSource would dispatch from a stream as it is, up to
// the first heartbeat: name, last id, data.
func (w *world) messages(query string) (all []string) {
	w.t.Helper()
	request, err := http.NewRequest(http.MethodGet, w.url+"/stream?"+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "identity")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	name, id, data := "message", "", ""
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			name = value
		case "id":
			id = value
		case "data":
			data = value
		case "":
			if name == "heartbeat" {
				return all
			}
			if data != "" && name != "hello" && name != "upstream" && name != "gap" {
				all = append(all, name+" "+id+" "+data)
			}
			name, data = "message", ""
		}
	}
	w.t.Fatalf("%s ends: %v", query, lines.Err())
	return nil
}
