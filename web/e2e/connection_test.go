package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func TestGatewayRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.until(`document.querySelector("#connection").textContent === "Live"`)
	w.post("in the first life")
	b.forgive = []string{"ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET"}
	b.shows("in the first life")
	w.stop()
	b.until(`/reconnecting|cannot be reached/.test(document.querySelector("#connection").textContent)`)
	b.until(`/cannot be reached/.test(document.querySelector("#connection").textContent)`)
	b.picture("gateway-gone")
	w.start()
	b.until(`/^Live again/.test(document.querySelector("#connection").textContent)`)
	b.shows("The gateway was restarted")
	if err := w.sim.Do("duplicate 1"); err != nil { // another life of the gateway does not know it
		t.Fatal(err)
	}
	w.post("in the second life")
	b.shows("in the second life")
	got := b.texts()
	if len(got) != 3 || got[0] != "in the second life go" || !strings.HasPrefix(got[1], "[") || got[2] != "in the first life go" {
		t.Errorf("the list is %q, want the new post, the notice, the old post", got)
	}
	b.picture("restarted")
}

// A renewed connection goes on where the last one ended, and says so.
func TestResumeWithoutLoss(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_MAX_AGE=1s")
	b := w.open(everyPost, desktop)
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	for i, lead := range []string{"one", "two", "three"} {
		w.posts(lead, 5)
		b.until(`/nothing was missed/.test(document.querySelector("#connection").textContent)`)
		b.shows(lead + " 4")
		if got := b.texts(); len(got) != 5*(i+1) {
			t.Fatalf("after %d connections the list is %q", i+2, got)
		}
		b.run(`document.querySelector("#connection").textContent = ""`)
	}
}

// EventSource gives up for good when something answers in the gateway's place.
func TestComesBackAfterAnErrorInBetween(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_MAX_AGE=1s")
	proxy := &flaky{proxy: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: strings.TrimPrefix(w.url, "http://")})}
	proxy.proxy.FlushInterval = -1
	front := httptest.NewServer(proxy)
	defer front.Close()
	gateway := w.url
	w.url = front.URL
	b := w.open(everyPost, desktop)
	w.url = gateway
	b.forgive = []string{"502 (Bad Gateway)", "ERR_"}
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	w.post("before")
	b.shows("before")
	proxy.set(true)
	b.until(`/answered 502; trying again in/.test(document.querySelector("#connection").textContent)`)
	w.post("meanwhile")
	proxy.set(false)
	b.shows("meanwhile")
	b.until(`/^Live again, nothing was missed/.test(document.querySelector("#connection").textContent)`)
	if got := b.texts(); len(got) != 2 {
		t.Errorf("the list is %q", got)
	}
	if id := proxy.id(); id == "" {
		t.Error("the new EventSource did not bring the last event id")
	}
}

// flaky is a proxy that answers 502 while it is broken.
type flaky struct {
	proxy  *httputil.ReverseProxy
	mu     sync.Mutex
	broken bool
	lastID string // of the last /stream that asked for one in its query
}

func (f *flaky) set(broken bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = broken
}

func (f *flaky) id() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lastID
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	broken := f.broken
	if id := r.URL.Query().Get("last_event_id"); id != "" && !broken {
		f.lastID = id
	}
	f.mu.Unlock()
	if broken {
		http.Error(w, "nobody is there", http.StatusBadGateway)
		return
	}
	f.proxy.ServeHTTP(w, r)
}

// A connection can look open while nothing comes: the page does not wait for ever.
func TestSilenceIsNoticed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_HEARTBEAT=1s")
	b := w.open(everyPost, desktop)
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	b.run(`{ const now = Date.now; Date.now = () => now() - 3600e3; }`) // and be it that the clock is put back
	if err := w.process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped := true
	goOn := func() {
		if stopped {
			stopped = false
			_ = w.process.Process.Signal(syscall.SIGCONT)
		}
	}
	t.Cleanup(goOn)
	b.until(`/fell silent/.test(document.querySelector("#connection").textContent)`)
	goOn()
	b.until(`/^Live again/.test(document.querySelector("#connection").textContent)`)
	w.post("after the silence")
	b.shows("after the silence")
}

func TestUpstreamInWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_BACKOFF_HTTP=1s")
	b := w.open(everyPost, desktop)
	w.post("before")
	b.shows("before")
	b.until(`/^Upstream: streaming/.test(document.querySelector("#upstream").textContent)`)
	b.hear(`document.querySelector("#upstream")`)
	if err := w.sim.Do("status 503 times 2\ndrop"); err != nil {
		t.Fatal(err)
	}
	b.heard(`document.querySelector("#upstream")`, "^Upstream: waiting, next attempt at .*503")
	w.eventually("the stream again", func() bool { return w.sim.Stats().Streams > 0 })
	w.post("after") // an upstream is streaming when something came
	b.until(`/^Upstream: streaming/.test(document.querySelector("#upstream").textContent)`)
	b.shows("after")
	b.shows("The gateway lost its source")
}

func TestHaltedUpstreamSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_TWITTER_ACCESS_SECRET=wrong")
	b := w.open("/", look{width: 1100, height: 620, dark: true})
	b.until(`/^Upstream: halted: .*401/.test(document.querySelector("#upstream").textContent)`)
	b.until(`document.querySelector("#upstream").dataset.mood === "bad"`)
	b.picture("halted-dark")
}

// A page in the back/forward cache holds no connection, and goes on after it.
func TestRestAndWake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	w.post("before")
	b.shows("before")
	b.run(`dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
	b.until(`/^Resting/.test(document.querySelector("#connection").textContent)`)
	w.eventually("no client", func() bool { return w.clients() == 0 })
	w.post("meanwhile")
	w.held(2)
	if got := b.texts(); len(got) != 1 {
		t.Errorf("a resting page shows %q", got)
	}
	b.run(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	b.shows("meanwhile")
	if got := b.texts(); len(got) != 2 {
		t.Errorf("after the rest the list is %q", got)
	}
}
