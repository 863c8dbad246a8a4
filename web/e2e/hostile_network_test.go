package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// wall stands before a gateway and answers the first requests for /stream itself,
// one after the other; then the gateway does.
type wall struct {
	gateway http.Handler
	mu      sync.Mutex
	answers []http.HandlerFunc
	at      []time.Time // when a stream was asked for
}

func (w *wall) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Access-Control-Allow-Origin", "*")
	rw.Header().Set("Access-Control-Expose-Headers", "Retry-After")
	if r.URL.Path != "/stream" {
		w.gateway.ServeHTTP(rw, r)
		return
	}
	w.mu.Lock()
	w.at = append(w.at, time.Now())
	answer := w.gateway.ServeHTTP
	if len(w.answers) > 0 {
		answer, w.answers = w.answers[0], w.answers[1:]
	}
	w.mu.Unlock()
	answer(rw, r)
}

func (w *wall) asked() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.at)
}

// behind puts a wall before a world's gateway until the test ends.
func (w *world) behind(answers ...http.HandlerFunc) *wall {
	w.t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: strings.TrimPrefix(w.url, "http://")})
	proxy.FlushInterval = -1
	proxy.ModifyResponse = func(r *http.Response) error {
		r.Header.Del("Access-Control-Allow-Origin") // the wall sets it
		return nil
	}
	wall := &wall{gateway: proxy, answers: answers}
	front := httptest.NewServer(wall)
	w.t.Cleanup(front.Close)
	w.url = front.URL
	return wall
}

// events writes a piece of a stream by hand.
func events(rw http.ResponseWriter, words string) {
	rw.Header().Set("Content-Type", "text/event-stream")
	_, _ = io.WriteString(rw, words)
	_ = http.NewResponseController(rw).Flush()
}

// greeting is a hello without an id: whoever lost the stream begins anew.
const greeting = "retry: 100\n\nevent: hello\ndata: {\"hello\":{\"cursor\":\"\",\"resumed\":\"live\",\"missed\":0,\"source\":\"sim\",\"upstream\":{\"state\":\"streaming\"},\"filter\":\"\",\"heartbeat_ms\":1000,\"warnings\":[]}}\n\n"

// brokenAnswers is what proxies, portals and bad lines make of a stream.
var brokenAnswers = []http.HandlerFunc{
	func(rw http.ResponseWriter, _ *http.Request) { // a portal's page
		rw.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(rw, "<p>Please log in</p>\n\ndata: {\"id_str\":\"1\",\"text\":\"of the portal\"}\n\n")
	},
	func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) },
	func(rw http.ResponseWriter, _ *http.Request) {
		http.Error(rw, "broken", http.StatusInternalServerError)
	},
	func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, r.URL.String()+"&again=1", http.StatusFound)
	},
	func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "where it leads", http.StatusBadGateway) },
	func(rw http.ResponseWriter, _ *http.Request) { // cut in the middle of a letter of a name
		events(rw, greeting+"id: wall-2\ndata: {\"id_str\":\"2\",\"text\":\"cut\",\"author\":{\"name\":\"\xe2\x82")
	},
	func(rw http.ResponseWriter, _ *http.Request) { // compressed, and cut
		rw.Header().Set("Content-Encoding", "gzip")
		rw.Header().Set("Content-Type", "text/event-stream")
		z := gzip.NewWriter(rw)
		_, _ = io.WriteString(z, greeting)
		_ = z.Flush()
	},
}

// Whatever comes in the gateway's place, the page finds back, and shows nothing of it.
func TestPageSurvivesTheNetwork(t *testing.T) {
	t.Parallel()
	for i, answer := range brokenAnswers {
		if i == 4 {
			continue // it is where the one before leads
		}
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0)
			w.post("behind the wall")
			w.held(1)
			answers := []http.HandlerFunc{answer, answer}
			if i == 3 {
				answers = []http.HandlerFunc{answer, brokenAnswers[4]}
			}
			w.behind(answers...)
			b := w.open(lately, desktop)
			b.forgive = []string{"net::ERR_", "EventSource", "the server responded with a status"}
			b.shows("behind the wall")
			b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
			if got := strings.Join(b.texts(), "|"); strings.Contains(got, "portal") || strings.Contains(got, "cut") {
				t.Errorf("the list is %q", got)
			}
		})
	}
}

// The same for the widget, in one life: each answer comes once.
func TestWidgetSurvivesTheNetwork(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.post("behind the wall")
	w.held(1)
	w.behind(brokenAnswers[0], brokenAnswers[2], brokenAnswers[5], brokenAnswers[6])
	b := w.widget(w.host(`<tweet-feed since="5m"></tweet-feed>`), desktop)
	b.forgive = append(b.forgive, "net::ERR_", "the server responded with a status")
	b.until(items + `.some((a) => a.textContent.includes("behind the wall"))`)
	b.feedStands()
	if got := strings.Join(b.feedTexts(), "|"); strings.Contains(got, "portal") || strings.Contains(got, "cut") {
		t.Errorf("the feed is %q", got)
	}
}

// Told to wait in a way that is no number, it asks again when it would have, and told
// to wait for longer than a timer can count, it does not ask again.
func TestRetryAfterNonsense(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"date": "Wed, 21 Oct 2099 07:28:00 GMT", "ages": "2147484"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0)
			gateway := w.url
			refused := func() *wall {
				w.url = gateway
				return w.behind(slices.Repeat([]http.HandlerFunc{func(rw http.ResponseWriter, _ *http.Request) {
					rw.Header().Set("Retry-After", value)
					http.Error(rw, "too many", http.StatusTooManyRequests)
				}}, 20)...)
			}
			forPage := refused()
			page := w.open(everyPost, desktop)
			page.forgive = []string{"429 (Too Many Requests)"}
			page.until(`/answered 429; trying again in/.test(document.querySelector("#connection").textContent)`)
			forWidget := refused()
			b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
			b.forgive = append(b.forgive, "429 (Too Many Requests)")
			b.hear(root + `.querySelector(".status")`)
			b.heard(root+`.querySelector(".status")`, "^(Reconnecting|Not reachable)")
			if name == "ages" {
				time.Sleep(1500 * time.Millisecond) // a timer that cannot count that far rings at once
				if page, widget := forPage.asked(), forWidget.asked(); page != 2 || widget != 1 {
					t.Errorf("the page asked %d times, and the widget %d; want its stream and why there is none, and its stream", page, widget)
				}
				return
			}
			w.eventually("other attempts", func() bool { return forPage.asked() > 3 && forWidget.asked() > 1 })
			if waited := forPage.wait(1, 2); waited < 500*time.Millisecond {
				t.Errorf("the page asked again after %v", waited)
			}
			if waited := forWidget.wait(0, 1); waited < time.Second {
				t.Errorf("the widget asked again after %v", waited)
			}
		})
	}
}

// wait is the time between two requests.
func (w *wall) wait(one, other int) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at[other].Sub(w.at[one])
}
