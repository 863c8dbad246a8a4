package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// denied are scripts that take from a page what a browser may deny it, or not have.
var denied = map[string]string{
	"localStorage":     denies("localStorage"),
	"sessionStorage":   denies("sessionStorage"),
	"storage":          denies("localStorage") + denies("sessionStorage") + denies("indexedDB") + `globalThis.BroadcastChannel = class { constructor() { throw new DOMException("no", "SecurityError"); } };`,
	"BroadcastChannel": `delete globalThis.BroadcastChannel;`,
	"locks":            `delete Navigator.prototype.locks;`,
}

func denies(name string) string {
	return fmt.Sprintf(`Object.defineProperty(globalThis, %q, { get() { throw new DOMException("no", "SecurityError"); } });`, name)
}

// The page needs none of it: it shows posts, obeys deletes, comes back after a rest.
func TestPageIsDenied(t *testing.T) {
	t.Parallel()
	for name, script := range denied {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0)
			b := w.openWith(everyPost, desktop, script)
			gone := w.post("goes")
			w.post("before")
			b.shows("before")
			w.sim.Delete(gone)
			b.until(`document.querySelectorAll(".feed .card").length === 1`)
			b.run(`dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))`)
			w.eventually("no client", func() bool { return w.clients() == 0 })
			w.post("meanwhile")
			b.run(`dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))`)
			b.shows("meanwhile")
			if got := b.texts(); len(got) != 2 {
				t.Errorf("the list is %q", got)
			}
			w.eventually("one connection", func() bool { return w.clients() == 1 })
		})
	}
}

// Nor does the widget: only its place is not kept when the page is loaded again.
func TestWidgetIsDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	address := w.host(`<tweet-feed sleep-after="0.1" since="5m"></tweet-feed>`)
	for _, name := range []string{"sessionStorage", "storage"} {
		b := w.widgetWith(address, desktop, denied[name])
		b.feedStands()
		lead := "with " + name + " denied"
		w.post(lead)
		b.feedShows(lead)
		b.hides("true")
		b.feedSays("Asleep while hidden")
		w.eventually("no client", func() bool { return w.clients() == 0 })
		w.post(lead + " meanwhile")
		b.hides("false")
		b.feedShows(lead + " meanwhile")
		b.do(chromedp.Reload())
		b.until(`globalThis.breaches && document.querySelector("tweet-feed")?.shadowRoot`)
		b.feedShows(lead + " meanwhile") // of the last minutes
		b.do(chromedp.Navigate("about:blank"))
	}
}

// A page that is written from right to left has the widget in it as its words are: the
// default ones from left to right, its own as it likes. Cards keep their own direction.
func TestWidgetInRightToLeftPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	gallery(w)
	b := w.widget(w.host(""), desktop)
	b.run(`document.documentElement.dir = "rtl"; const feed = document.createElement("tweet-feed"); feed.setAttribute("since", "5m"); document.querySelector("main").append(feed)`)
	b.until(items + `.length === 6`)
	b.feedSays("Live")
	// where says on which side of its row an element stands.
	where := func(element string) string {
		return ask[string](b, fmt.Sprintf(`(() => { const e = %s, row = e.parentElement.getBoundingClientRect(), r = e.getBoundingClientRect(); return r.left - row.left < row.right - r.right ? "left" : "right"; })()`, element))
	}
	if got := where(root + `.querySelector(".pause")`); got != "right" {
		t.Errorf("with English words the button stands on the %s", got)
	}
	for i, side := range map[int]string{0: "left", 5: "right"} { // the last is Arabic
		if got := where(fmt.Sprintf(items+`[%d].querySelector(".avatar")`, i)); got != side {
			t.Errorf("the portrait of post %d stands on the %s", i, got)
		}
	}
	b.picture("widget-rtl-host-english")
	b.run(`import("` + w.url + `/embed.js").then(({ words }) => { Object.assign(words, { lang: "ar", live: "مباشر", connecting: "جارٍ الاتصال…", pause: "إيقاف مؤقت", view: "عرض على {n}", source: "متصل" }); const old = document.querySelector("tweet-feed"); old.replaceWith(old.cloneNode()); })`)
	b.feedSays("مباشر")
	b.until(items + `.length === 6`)
	if got := where(root + `.querySelector(".pause")`); got != "left" {
		t.Errorf("with Arabic words the button stands on the %s", got)
	}
	if got := where(items + `[0].querySelector(".avatar")`); got != "left" {
		t.Errorf("the portrait of an English post stands on the %s", got)
	}
	if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > desktop.width {
		t.Errorf("the host is %d px wide", wide)
	}
	b.picture("widget-rtl-host-arabic")
}
