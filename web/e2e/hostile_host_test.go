package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"aviary/upstream/twitter/sim"
)

// Attributes are written by hand: what they say wrongly costs the feed nothing else.
func TestWidgetTakesNonsense(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.posts("early", 5)
	w.held(5)
	b := w.widget(w.host(`<tweet-feed lang="not_a language" max-posts="-3" theme="ugly" media="//" sleep-after="soon" since="5m"></tweet-feed>
		<tweet-feed lang="x" max-posts="many" since="5m"></tweet-feed><tweet-feed max-posts="1e99" since="5m"></tweet-feed>`), desktop)
	b.until(`[...document.querySelectorAll("tweet-feed")].map((f) => f.shadowRoot.querySelectorAll("article time").length).join() === "3,5,5"`)

	// An address that is none is told in the console; a good one mends it.
	b.forgive = append(b.forgive, "Invalid URL")
	b.run(`{ const feed = document.querySelector("tweet-feed"); feed.src = "x"; feed.setAttribute("src", "http://[nowhere"); }`)
	w.eventually("two clients", func() bool { return w.clients() == 2 })
	b.run(`document.querySelector("tweet-feed").setAttribute("src", ` + quote(w.url) + `)`)
	w.eventually("three clients", func() bool { return w.clients() == 3 })
	b.run(`{ const feed = document.querySelector("tweet-feed"); feed.setAttribute("src", "http://[nowhere"); feed.remove(); }`)
	w.eventually("two clients", func() bool { return w.clients() == 2 })
}

// An element that is moved about, also into another document, goes on, and leaves
// no connection behind.
func TestWidgetIsMoved(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed></tweet-feed><section></section><iframe title="another"></iframe>`), desktop)
	b.feedStands()
	w.post("before")
	b.feedShows("before")
	b.run(`globalThis.feed = document.querySelector("tweet-feed"); for (let i = 0; i < 50; i++) (i % 2 ? document.querySelector("main") : document.querySelector("section")).append(feed)`)
	w.post("moved")
	b.feedShows("moved")
	b.feedShows("before")
	w.eventually("one client", func() bool { return w.clients() == 1 })
	b.run(`{ const other = document.querySelector("iframe").contentDocument; other.adoptNode(feed); other.body.append(feed); }`)
	b.until(`feed.shadowRoot.adoptedStyleSheets.length === 1 && feed.shadowRoot.textContent.includes("moved")`)
	w.post("in the frame")
	b.until(`feed.shadowRoot.textContent.includes("in the frame")`)
	b.run(`document.querySelector("main").append(feed)`)
	w.post("back again")
	b.feedShows("back again")
	w.eventually("one client", func() bool { return w.clients() == 1 })
	b.run(`feed.remove(); for (let i = 0; i < 30; i++) { const e = document.createElement("tweet-feed"); document.body.append(e); e.remove(); }`)
	w.eventually("no client", func() bool { return w.clients() == 0 })
}

// A page that nobody has seen yet asks for nothing.
func TestWidgetBeginsWhenSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(""), desktop)
	b.hides("true")
	b.run(`document.querySelector("main").append(document.createElement("tweet-feed"))`)
	w.post("hello")
	w.held(1)
	if n := w.clients(); n != 0 {
		t.Errorf("unseen it has %d streams", n)
	}
	b.hides("false")
	b.feedShows("hello")
}

// One post with thousands of links in a million letters must not hold up the page: a
// browser that looks for each at each letter is busy for minutes.
func TestHugePostDoesNotHoldUpThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	page := w.open(everyPost, desktop)
	page.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	feed := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
	feed.feedStands()
	var post map[string]any
	if err := json.Unmarshal(w.sim.Post(sim.Draft{Text: "template go", Author: "huge_sim"}).JSON, &post); err != nil {
		t.Fatal(err)
	}
	post["id"], post["id_str"] = 51, "51"
	post["text"] = "huge go " + strings.Repeat("https://x.example/", 20_000)
	delete(post, "extended_tweet")
	var urls, tags []any
	for i := range 5000 {
		urls = append(urls, map[string]any{"url": fmt.Sprintf("https://x.example/%d", i), "expanded_url": "https://x.example/", "display_url": "x"})
		tags = append(tags, map[string]any{"text": fmt.Sprintf("tag%d", i)})
	}
	post["entities"] = map[string]any{"urls": urls, "hashtags": tags}
	raw, err := json.Marshal(post)
	if err != nil {
		t.Fatal(err)
	}
	w.sim.Push(raw)
	page.shows("huge go")
	page.shows("too long to be shown here")
	feed.feedShows("huge go")
	w.post("after it")
	page.shows("after it")
	feed.feedShows("after it")
}

// One that cannot be drawn at all, or not understood, keeps no other from the reader.
func TestPoisonedPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	wall := w.behind(nil)
	wall.answers[0] = func(rw http.ResponseWriter, r *http.Request) {
		events(rw, greeting)
		for i, post := range []string{`{"id_str":1,"text":5}`, `{"id_str":"2","urls":[null],"text":"x"}`, `{"id_str":"3","author":{"name":7},"text":"x"}`, `{"id_str":"4","media":"none","text":"x"}`,
			`{"id_str":"5","__proto__":{"owned":1},"constructor":{"prototype":{"owned":1}},"text":"a proto go"}`, `{"text":"without an id go"}`, `{"id_str":"6","text":"the last go","media":[{"type":"constructor","url":"https://e.example/1"}]}`} {
			events(rw, fmt.Sprintf("id: wall-%d\ndata: %s\n\n", i+2, post))
		}
		<-r.Context().Done()
	}
	b := w.open(everyPost, desktop)
	b.forgive = []string{"net::ERR_"}
	b.shows("the last go")
	b.shows("without an id go")
	b.shows("a proto go")
	if ask[bool](b, `"owned" in {}`) {
		t.Error("a post has changed every object")
	}
	if got := ask[string](b, `[...document.querySelectorAll(".feed article")].find((a) => a.textContent.includes("the last go")).querySelector(".medium").textContent`); !strings.HasPrefix(got, "Attachment") {
		t.Errorf("a medium of no known kind is called %q", got)
	}
}
