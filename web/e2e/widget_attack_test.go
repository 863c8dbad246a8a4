package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// Two feeds of a page are two feeds: each has its filter, its place, its end.
func TestTwoWidgets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed track="apple" since="0s"></tweet-feed><tweet-feed track="pear" since="0s"></tweet-feed>`), desktop)
	w.eventually("two connections", func() bool { return w.clients() == 2 })
	w.post("an apple")
	w.post("a pear")
	feeds := `[...document.querySelectorAll("tweet-feed")].map((f) => [...f.shadowRoot?.querySelectorAll(".text") ?? []].map((p) => p.textContent).join())`
	b.until(feeds + `.join("|") === "an apple go|a pear go"`)
	b.run(`document.querySelectorAll("tweet-feed")[1].shadowRoot.querySelector(".pause").click()`)
	w.post("a second apple")
	w.post("a second pear")
	b.until(feeds + `.join("|") === "a second apple go,an apple go|a pear go"`)
	b.run(`document.querySelectorAll("tweet-feed")[0].remove()`)
	w.eventually("one connection", func() bool { return w.clients() == 1 })
	b.run(`document.querySelector("tweet-feed").shadowRoot.querySelector(".pause").click()`)
	b.until(feeds + `.join() === "a second pear go,a pear go"`)
	b.do(chromedp.Reload()) // each has its own place in the session
	b.until(`document.querySelectorAll("tweet-feed").length === 2`)
	b.until(feeds + `.join("|") === "a second apple go,an apple go|a second pear go,a pear go"`)
}

// Whatever refuses it in the gateway's place, it asks again, each time later.
func TestWidgetBacksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.post("behind the wall")
	w.held(1)
	var answers []http.HandlerFunc
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusBadGateway} {
		answers = append(answers, func(rw http.ResponseWriter, _ *http.Request) { http.Error(rw, "not the gateway", status) })
	}
	wall := w.behind(answers...)
	b := w.widget(w.host(`<tweet-feed since="5m"></tweet-feed>`), desktop)
	b.forgive = append(b.forgive, "the server responded with a status")
	b.hear(root + `.querySelector(".status")`)
	b.until(items + `.some((a) => a.textContent.includes("behind the wall"))`)
	b.heard(root+`.querySelector(".status")`, "^Not reachable; trying again…$")
	wall.mu.Lock()
	defer wall.mu.Unlock()
	for i, least := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		if got := wall.at[i+1].Sub(wall.at[i]); got < least {
			t.Errorf("after refusal %d it waited %v, want at least %v", i+1, got, least)
		}
	}
}

// Every text is drawn: one that begins with a letter that JavaScript holds in two
// pieces, one that ends in half of it, and one beside a post that cannot be drawn.
func TestWidgetDrawsEveryText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	wall := w.behind(nil)
	wall.answers[0] = func(rw http.ResponseWriter, r *http.Request) {
		events(rw, greeting)
		for i, post := range []string{
			`{"id_str":"1","source":"x","text":"😀 first go #tag"}`, `{"id_str":"2","source":"x","text":"half \ud83d"}`, `{"id_str":"3","source":"x","text":"#😀 @😀 https://t.co/a😀","urls":[{"url":"https://t.co/a"}]}`,
			`{"id_str":"4","text":5}`, `{"id_str":"5","urls":[null],"text":"x"}`, `{"id_str":"6","media":"none","text":"x"}`, `{"id_str":"7","text":"\u0000 nothing"}`, `{"id_str":"8","text":"the last go"}`,
		} {
			events(rw, fmt.Sprintf("id: wall-%d\ndata: %s\n\n", i+2, post))
		}
		<-r.Context().Done()
	}
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
	b.feedShows("the last go")
	for _, words := range []string{"😀 first go #tag", "half ", "#😀 @😀 https://t.co/a😀", " nothing"} {
		b.feedShows(words)
	}
	if ask[bool](b, root+`.querySelector(".list").ariaBusy === "true"`) {
		t.Error("the list stays busy")
	}
}

// Whatever the shape of a text, it stays in its card, and the card in its feed.
func TestWidgetShapes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), look{width: 360, height: 780})
	b.feedStands()
	w.post("the neighbour below")
	shapes := w.shapes()
	w.post("the neighbour above")
	b.feedShows("the neighbour above")
	for _, lead := range shapes {
		b.feedShows(lead)
	}
	for _, wrong := range ask[[]string](b, items+`.flatMap((card) => {
		const outer = card.getBoundingClientRect(), words = card.textContent.slice(0, 12);
		return [...card.querySelectorAll("*")].filter((e) => { const r = e.getBoundingClientRect(); return r.width && (r.left < outer.left - 1 || r.right > outer.right + 1); }).map((e) => words + ": " + e.className + " leaves the card");
	})`) {
		t.Error(wrong)
	}
	if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > 360 {
		t.Errorf("the host is %d px wide", wide)
	}
	b.picture("widget-shapes")
}

// A page of thousands of posts holds as many elements as it says.
func TestWidgetIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const line = `"text":"one of many","author":{"name":"A","username":"a"}}`
	wall := w.behind(nil)
	wall.answers[0] = func(rw http.ResponseWriter, r *http.Request) {
		events(rw, greeting)
		for n := range 20_000 {
			_, _ = fmt.Fprintf(rw, "id: wall-%d\ndata: {\"id_str\":\"%d\",%s\n\n", n+2, n, line)
			if n%100 == 0 {
				_ = http.NewResponseController(rw).Flush()
			}
		}
		events(rw, "id: wall-end\ndata: {\"id_str\":\"end\",\"text\":\"the last go\"}\n\n")
		<-r.Context().Done()
	}
	b := w.widget(w.host(`<tweet-feed max-posts="40"></tweet-feed>`), desktop)
	b.feedShows("the last go")
	if n := ask[int](b, items+".length"); n != 40 {
		t.Errorf("%d cards", n)
	}
}
