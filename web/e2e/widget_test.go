package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"aviary/upstream/twitter/sim"
)

// strict is the policy that a page of another origin may have: the gateway runs
// its script and is asked for its stream, and nothing else is allowed to anybody.
const strict = "default-src 'none'; script-src %[1]s; connect-src %[1]s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// widgetBreaches notes breaches of the policy, also those the console keeps to itself.
const widgetBreaches = `globalThis.breaches = []; addEventListener("securitypolicyviolation", (e) => breaches.push(e.violatedDirective + " " + e.blockedURI));`

// host serves a page of another origin with the strict policy, and returns its address.
func (w *world) host(body string) string {
	w.t.Helper()
	page := fmt.Sprintf(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A host</title>`+
		`<script type="module" src="%s/embed.js"></script><main><h1>A host</h1>%s</main></html>`, w.url, body)
	return w.hostPage(page)
}

func (w *world) hostPage(page string) string {
	w.t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Security-Policy", fmt.Sprintf(strict, w.url))
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path != "/" {
			rw.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = rw.Write([]byte(page))
	}))
	w.t.Cleanup(s.Close)
	return s.URL
}

// widget opens a host page in a tab; the tab's end checks that no policy was breached.
func (w *world) widget(address string, l look) *tab {
	w.t.Helper()
	return w.widgetWith(address, l, "")
}

// widgetWith runs a script before all others.
func (w *world) widgetWith(address string, l look, script string) *tab {
	w.t.Helper()
	elsewhere := &world{t: w.t, url: address}
	b := elsewhere.openWith("/", l, widgetBreaches+script)
	b.forgive = []string{"favicon.ico"}
	w.t.Cleanup(func() {
		if breaches := ask[[]string](b, "breaches"); len(breaches) > 0 {
			w.t.Errorf("the widget breaches its host's policy: %q", breaches)
		}
	})
	return b
}

// root is the widget's inside, items its list from the top.
const (
	root  = `document.querySelector("tweet-feed").shadowRoot`
	items = `[...` + root + `.querySelectorAll("article")]`
)

func (b *tab) feedShows(words string) {
	b.t.Helper()
	b.until(fmt.Sprintf(items+`.some((a) => a.textContent.includes(%q))`, words))
}

func (b *tab) feedTexts() []string {
	b.t.Helper()
	return ask[[]string](b, items+`.map((a) => a.querySelector(".text")?.textContent ?? "[" + a.textContent + "]")`)
}

// feedStands waits until the widget has its stream, whatever the source does.
func (b *tab) feedStands() {
	b.t.Helper()
	b.until(`["Live", "Connected; the source is not"].includes(` + root + `.querySelector(".status").textContent)`)
}

func (b *tab) feedSays(words string) {
	b.t.Helper()
	b.until(fmt.Sprintf(root+`.querySelector(".status").textContent === %q`, words))
}

// The demo of the documents, on an origin of its own: the one line works.
func TestWidgetDemo(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(filepath.Join("..", "..", "docs", "widget-demo.html"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, 30)
	page := strings.ReplaceAll(string(source), "http://localhost:8080", w.url)
	if !strings.Contains(page, `script-src `+w.url) || strings.Contains(page, "unsafe") {
		t.Fatal("the demo has no strict policy")
	}
	b := w.widget(w.hostPage(page), desktop)
	b.feedSays("Live")
	b.until(items + `.length === 30`) // it is bounded, and new ones take the place of old ones
	first := b.feedTexts()[0]
	b.until(fmt.Sprintf(items+`[5].querySelector(".text")?.textContent !== %q && `+items+`.length === 30`, first))
}

// A page begins with what was said lately; what comes is put on top.
func TestWidgetFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.post("an apple of before")
	w.held(1)
	b := w.widget(w.host(`<tweet-feed src="`+w.url+`" track="apple"></tweet-feed>`), desktop)
	b.feedShows("an apple of before")
	w.post("a pear")
	w.post("an apple of now")
	b.feedShows("an apple of now")
	if got := b.feedTexts(); len(got) != 2 || got[0] != "an apple of now go" {
		t.Errorf("the feed is %q", got)
	}
	b.run(`document.querySelector("tweet-feed").setAttribute("track", "pear")`) // another filter
	b.feedShows("a pear")
	if got := b.feedTexts(); len(got) != 1 {
		t.Errorf("with another filter the feed is %q", got)
	}
	b.run(`document.querySelector("tweet-feed").setAttribute("track", "go,www.example.org")`)
	b.forgive = append(b.forgive, "400 (Bad Request)")
	b.until(root + `.querySelector(".status").textContent.startsWith("Not connected: ")`)
}

func TestWidgetObeysDeletes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop) // the gateway is where the script came from
	b.feedStands()
	w.post("stays")
	gone := w.post("goes")
	w.sim.Post(sim.Draft{Author: "repeater_sim", Retweet: gone})
	w.sim.Post(sim.Draft{Author: "quoter_sim", Text: "look at this, go", Quote: gone})
	other := w.sim.Post(sim.Draft{Author: "other_sim", Text: "withheld with its author, go"})
	b.until(items + `.length === 5`)
	b.pointer("tweet-feed") // also under the pointer
	w.sim.Delete(gone)
	b.until(items + `.length === 2`)
	w.sim.Push(fmt.Appendf(nil, `{"user_withheld":{"id":%s,"withheld_in_countries":["DE"]}}`, other.UserID))
	b.until(items + `.length === 1`)
	if got := b.feedTexts(); got[0] != "stays go" {
		t.Errorf("the feed is %q", got)
	}
	if strings.Contains(ask[string](b, root+`.textContent`), "goes") {
		t.Error("the widget still holds a text that was deleted")
	}
}

// Whoever reads is left in peace: under the pointer, with the focus inside, when
// scrolled, when paused. What waits is obeyed to as well.
func TestWidgetHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed max-posts="20"></tweet-feed>`), look{width: 700, height: 500})
	b.feedStands()
	w.posts("early", 12)
	b.until(items + `.length === 12`)
	fresh := root + `.querySelector(".fresh")`
	for i, hold := range []struct{ name, begin, end string }{
		{"focus", items + `[3].focus()`, items + `[3].blur()`},
		{"scroll", root + `.querySelector(".list").scrollTop = 90`, root + `.querySelector(".list").scrollTop = 0`},
		{"pause", root + `.querySelector(".pause").click()`, root + `.querySelector(".pause").click()`},
	} {
		b.run(hold.begin)
		gone, kept := w.post("unseen"), fmt.Sprintf("kept %d", i)
		w.post(kept)
		b.until(fresh + `.textContent === "2 new"`)
		w.sim.Delete(gone)
		b.until(fresh + `.textContent === "1 new"`)
		if got := b.feedTexts(); len(got) != 12+i {
			t.Errorf("%s: the feed moved: %q", hold.name, got)
		}
		b.run(hold.end)
		b.feedShows(kept)
		b.until(fresh + `.hidden`)
	}
	b.pointer("tweet-feed")
	w.post("under the pointer")
	b.until(fresh + `.textContent === "1 new"`)
	b.run(fresh + `.click()`) // asked for, it shows them
	b.feedShows("under the pointer")
	b.pointer("")

	b.run(items + `[0].focus()`)
	b.press(kb.PageDown)
	if !ask[bool](b, items+`[1] === `+root+`.activeElement`) {
		t.Error("Page Down does not go to the next post")
	}
	b.press(kb.PageUp)
	if !ask[bool](b, items+`[0] === `+root+`.activeElement`) {
		t.Error("Page Up does not go back")
	}
	b.press(kb.Home, chromedp.KeyModifiers(chromedp.ModifierCtrl))
	if got := ask[string](b, root+`.activeElement.className`); got != "pause" {
		t.Errorf("Ctrl+Home goes to %q", got)
	}
	places := ask[[]string](b, items+`.map((a) => a.getAttribute("aria-posinset") + "/" + a.getAttribute("aria-setsize"))`)
	if len(places) < 10 || places[0] != "1/-1" || places[9] != "10/-1" {
		t.Errorf("the places are told as %q", places)
	}
}
