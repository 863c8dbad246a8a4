package e2e

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
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
			b := w.open(everyPost, desktop)
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
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
	b.forgive = append(b.forgive, "net::ERR_", "the server responded with a status")
	b.until(items + `.some((a) => a.textContent.includes("behind the wall"))`)
	b.feedStands()
	if got := strings.Join(b.feedTexts(), "|"); strings.Contains(got, "portal") || strings.Contains(got, "cut") {
		t.Errorf("the feed is %q", got)
	}
}

// Told to wait in a way that is no number, or for longer than a timer can count, it
// does not ask again at once.
func TestRetryAfterNonsense(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"date": "Wed, 21 Oct 2099 07:28:00 GMT", "ages": "2147484"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refuse := func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Retry-After", value)
				http.Error(rw, "too many", http.StatusTooManyRequests)
			}
			w := newWorld(t, 0)
			wall := w.behind(refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse, refuse)
			page := w.open(everyPost, desktop)
			page.forgive = []string{"429 (Too Many Requests)"}
			page.until(`/answered 429; trying again in/.test(document.querySelector("#connection").textContent)`)
			before := wall.asked()
			b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
			b.forgive = append(b.forgive, "429 (Too Many Requests)")
			b.feedSays("Reconnecting…")
			time.Sleep(900 * time.Millisecond) // the soonest that either may ask again is half a second
			if n := wall.asked() - before; n > 5 {
				t.Errorf("it asked %d times in a second", n)
			}
		})
	}
}
