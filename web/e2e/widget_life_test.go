package e2e

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aviary/upstream/twitter/sim"
)

// hides makes the page believe that it is (not) to be seen.
func (b *tab) hides(hidden string) {
	b.t.Helper()
	b.run(`Object.defineProperty(document, "hidden", { get: () => ` + hidden + `, configurable: true }); document.dispatchEvent(new Event("visibilitychange", { bubbles: true }))`)
}

// Hidden, it lets go of its stream; seen again, it goes on where it was.
func TestWidgetSleepsAndResumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed sleep-after="0.2"></tweet-feed>`), desktop)
	b.feedStands()
	w.post("before")
	b.feedShows("before")
	b.hides("true")
	b.feedSays("Asleep while hidden")
	w.eventually("no client", func() bool { return w.clients() == 0 })
	w.posts("meanwhile", 3)
	w.held(4)
	b.hides("false")
	b.feedShows("meanwhile 2")
	if got := strings.Join(b.feedTexts(), "|"); got != "meanwhile 2 go|meanwhile 1 go|meanwhile 0 go|before go" {
		t.Errorf("the feed is %q", got)
	}
	// The same around the back/forward cache.
	b.run(`dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
	b.feedSays("Asleep while hidden")
	w.post("in the cache")
	b.run(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
	b.feedShows("in the cache")
	if got := b.feedTexts(); len(got) != 5 {
		t.Errorf("the feed is %q", got)
	}
}

// Loaded again, the page has the list that it had, and what came since.
func TestWidgetKeepsItsPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.posts("long gone", 3)
	w.held(3)
	address := w.host(`<tweet-feed max-posts="4" since="0s"></tweet-feed>`)
	b := w.widget(address, desktop)
	b.feedStands()
	w.posts("seen", 6)
	b.feedShows("seen 5")
	b.run(`document.querySelector("tweet-feed").remove()`) // that, too, ends its stream
	w.eventually("no client", func() bool { return w.clients() == 0 })
	w.post("since")
	b.do(chromedp.Reload())
	b.until(`globalThis.breaches && document.querySelector("tweet-feed")?.shadowRoot`)
	b.feedShows("since")
	if got := strings.Join(b.feedTexts(), "|"); got != "since go|seen 5 go|seen 4 go|seen 3 go" {
		t.Errorf("after a reload the feed is %q", got)
	}
}

// A gateway that was restarted is found again, and the gap is told.
func TestWidgetRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
	b.forgive = append(b.forgive, "ERR_")
	b.feedStands()
	w.post("in the first life")
	b.feedShows("in the first life")
	w.stop()
	b.feedSays("Not reachable; trying again…")
	b.picture("widget-gone")
	w.start()
	b.feedStands()
	w.post("in the second life")
	b.feedShows("in the second life")
	got := b.feedTexts()
	if len(got) != 3 || got[0] != "in the second life go" || got[1] != "[Posts are missing here: the gateway was restarted]" || got[2] != "in the first life go" {
		t.Errorf("the feed is %q, want the new post, the notice, the old post", got)
	}
}

// An answer in between that would end an EventSource for good does not end it.
func TestWidgetSurvivesErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_MAX_AGE=1s")
	proxy := &flaky{proxy: httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: strings.TrimPrefix(w.url, "http://")})}
	proxy.proxy.FlushInterval = -1
	front := httptest.NewServer(proxy)
	defer front.Close()
	gateway := w.url
	w.url = front.URL
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
	w.url = gateway
	b.forgive = append(b.forgive, "502 (Bad Gateway)", "CORS policy", "ERR_")
	b.feedStands()
	w.post("before")
	b.feedShows("before")
	proxy.set(true)
	b.feedSays("Not reachable; trying again…")
	w.post("meanwhile")
	proxy.set(false)
	b.feedShows("meanwhile")
	if got := b.feedTexts(); len(got) != 2 {
		t.Errorf("the feed is %q", got)
	}
	if proxy.id() == "" {
		t.Error("the new connection did not bring the last event id")
	}
}

// A connection that is open and silent is not trusted.
func TestWidgetNoticesSilence(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_HEARTBEAT=300ms")
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
	b.feedStands()
	if err := w.process.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	process := w.process.Process
	t.Cleanup(func() { _ = process.Signal(syscall.SIGCONT) })
	b.until(`/^(Reconnecting|Not reachable)/.test(` + root + `.querySelector(".status").textContent)`)
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	b.feedStands()
	w.post("after the silence")
	b.feedShows("after the silence")
}

// The source of the gateway is told in words, and its gaps.
func TestWidgetTellsOfTheSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_BACKOFF_HTTP=1s")
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
	w.post("before")
	b.feedSays("Live")
	b.hear(root + `.querySelector(".status")`)
	if err := w.sim.Do("status 503 times 2\ndrop"); err != nil {
		t.Fatal(err)
	}
	b.heard(root+`.querySelector(".status")`, "^Connected; the source is not$")
	w.eventually("the stream again", func() bool { return w.sim.Stats().Streams > 0 })
	w.post("after")
	b.feedSays("Live")
	b.feedShows("after")
	b.feedShows("the source was lost")
}

// What is left out for the reader's sake is counted.
func TestWidgetPace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed max-rate="2"></tweet-feed>`), desktop)
	b.feedStands()
	begun := time.Now()
	w.posts("many", 40)
	w.held(40)
	most := 2 * (int(time.Since(begun).Seconds()) + 2) // each second that has begun may show 2
	b.until(`Number(/^Left out: (\d+)$/.exec(` + root + `.querySelector(".left").textContent)?.[1]) + ` + items + `.length === 40`)
	if got := b.feedTexts(); len(got) < 2 || len(got) > most {
		t.Errorf("at 2 a second %d of 40 posts are shown, want at most %d", len(got), most)
	}
}

// The loop for programs: posts, an end by the signal, a refusal in words.
func TestTweetsIterator(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.post("before")
	w.held(1)
	b := w.widget(w.host(""), desktop)
	b.forgive = append(b.forgive, "400 (Bad Request)")
	module := `import("` + w.url + `/embed.js")`
	b.run(`globalThis.said = []; globalThis.events = []; globalThis.stop = new AbortController(); globalThis.ended = ` + module + `.then(async ({ tweets }) => {
		for await (const post of tweets({ track: "go", signal: stop.signal, on: (name, data, cursor) => events.push([name, data, cursor]) })) said.push(post.text);
		return "ended";
	}); 0`)
	b.until(`said.length === 1`)
	gone := w.post("now")
	b.until(`said.join() === "before go,now go"`)
	w.sim.Delete(gone)
	b.until(`events.some(([name, data, cursor]) => name === "delete" && data.status.id_str === ` + quote(gone) + ` && cursor)`)
	b.run("stop.abort()")
	if got := ask[string](b, "ended"); got != "ended" {
		t.Errorf("aborted, the loop says %q", got)
	}
	w.eventually("no client", func() bool { return w.clients() == 0 })
	if got := ask[[]string](b, `events.map(([name]) => name).filter((name) => name !== "heartbeat" && name !== "upstream")`); strings.Join(got, " ") != "hello delete" {
		t.Errorf("besides posts it was told %q", got)
	}
	if got := ask[string](b, module+`.then(async ({ tweets }) => { for await (const _ of tweets({ track: "www.x" })) return "a post"; return "ended"; }).catch((e) => e.problem.param + ": " + e.message)`); !strings.HasPrefix(got, "track: ") {
		t.Errorf("a filter that is wrong gives %q", got)
	}
	if got := ask[int](b, module+`.then(async ({ tweets }) => { let n = 0; for await (const _ of tweets({ since: "1h", limit: 1 })) n++; return n; })`); got != 1 {
		t.Errorf("of limit=1 come %d posts", got)
	}
	if got := ask[int](b, module+`.then(async ({ tweets }) => { let n = 0; for await (const _ of tweets({ since: "1h" })) if (++n) break; return n; })`); got != 1 {
		t.Errorf("a loop that breaks off saw %d posts", got)
	}
	w.eventually("no client", func() bool { return w.clients() == 0 })
}

// What waits for a slow loop is bounded, and obeys deletes.
func TestTweetsBuffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(""), desktop)
	b.run(`globalThis.lost = 0; import("` + w.url + `/embed.js").then(({ tweets }) => {
		globalThis.loop = tweets({ on: (name, data) => { if (name === "gap") lost += data.missed; if (name === "delete") globalThis.deleted = true; } });
		globalThis.first = loop.next();
	})`)
	w.eventually("the client", func() bool { return w.clients() == 1 })
	w.post("first")
	if got := ask[string](b, "first.then((r) => r.value.text)"); got != "first go" {
		t.Fatalf("first comes %q", got)
	}
	for i := range 1100 { // not faster than the simulator's own bound for a slow reader
		w.sim.Post(sim.Draft{Text: "waits, go"})
		if i%100 == 99 {
			w.held(i + 2)
		}
	}
	gone := w.post("goes")
	b.until("lost === 101")
	w.sim.Delete(gone)
	b.until("globalThis.deleted")
	if got := ask[int](b, `(async () => { let n = 0; for await (const post of loop) { if (post.text === "goes go") return -1; if (++n === 999) return n; } })()`); got != 999 {
		t.Errorf("999 posts wait; %d", got)
	}
}
