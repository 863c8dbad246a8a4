package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// replays puts a server before a world's gateway that treats requests for the last
// minutes of a column as it is told; all others the gateway answers.
func (w *world) replays(treat http.HandlerFunc) {
	w.t.Helper()
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: strings.TrimPrefix(w.url, "http://")})
	proxy.FlushInterval = -1
	front := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("format") == "ndjson" {
			treat(rw, r)
			if r.Context().Err() != nil || rw.Header().Get("Content-Type") != "" {
				return
			}
		}
		proxy.ServeHTTP(rw, r)
	}))
	w.t.Cleanup(front.Close)
	w.url = front.URL
}

// On a line that takes seconds for the first byte a column that is added has its last
// minutes too, and what came meanwhile above them.
func TestReplayOnASlowLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	asked, goOn := make(chan struct{}), make(chan struct{})
	w.replays(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		select {
		case <-goOn:
		case <-r.Context().Done():
		}
	})
	b := w.open(everyPost, desktop)
	b.until(`document.querySelector("#connection").textContent === "Live"`)
	w.post("an early pear")
	b.shows("an early pear")
	b.click("#add")
	b.run(`document.querySelectorAll(".editor [name=rule]")[1].value = "pear"; document.querySelectorAll(".editor")[1].requestSubmit()`)
	select {
	case <-asked:
	case <-time.After(patience):
		t.Fatal("the column does not ask for its last minutes")
	}
	w.post("a late pear")
	b.shows("a late pear")
	time.Sleep(2 * time.Second) // the line
	close(goOn)
	second := `[...document.querySelectorAll(".column")[1].querySelectorAll(".feed .text")].map((p) => p.textContent).join("|")`
	b.until(second + ` === "a late pear go|an early pear go"`)
}

// A column that goes on from where it was and cannot have what it missed says so.
func TestReplayThatFailsIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.replays(func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "full", http.StatusServiceUnavailable) })
	first := w.open(everyPost, desktop)
	first.forgive = []string{"503 (Service Unavailable)"}
	first.until(`document.querySelector("#connection").textContent === "Live"`)
	other := first.beside(w.url + everyPost)
	other.until(`document.querySelector("#connection").textContent.endsWith("one connection for 2 tabs")`)
	w.post("before")
	first.shows("before")
	first.run(`dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
	w.post("meanwhile")
	other.shows("meanwhile")
	first.run(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	first.shows("This page fell behind: some posts are missing here.")
	w.post("after")
	first.shows("after")
}

// A stream that is never quiet has been read as far as is needed where it meets the
// one connection.
func TestReplayOfABusyStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 60)
	w.held(100)
	b := w.open("/icon.svg", desktop)
	b.forgive = []string{"favicon.ico"}
	lost := ask[string](b, `import("/replay.js").then(async ({ Replay }) => {
		const replay = new Replay("", { id: "", since: "30s", rate: 500 });
		const live = new EventSource("/stream?payload=compact");
		live.onmessage = (e) => replay.meet(JSON.parse(e.data).id_str);
		const { posts, lost } = await replay.read();
		live.close();
		return posts.length > 0 ? lost : "everything";
	})`)
	if lost != "" {
		t.Errorf("lost: %s", lost)
	}
}
