package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"aviary/upstream/twitter/sim"
)

// everyPost is the page without its rate cap: what a test posts is what it sees.
const everyPost = "/?max_rate=off"

// lately is the same with a rule that takes every post. A column with a rule begins
// with the last five minutes, one without with half a minute: a busy machine may take
// that long between a post and the page that is to begin with it.
const lately = "/?filter.everything=followers_count:0&max_rate=off"

// Three readers come, each with a cold cache; the one in the middle counts, so
// that a moment's work of the machine for somebody else does not. A round that is
// disturbed altogether is repeated, four times. What a machine that is busy all the
// time takes for the barest page is the measure there: a reader waits for this one
// no more than slower times as long.
func TestFirstPostWithinASecond(t *testing.T) {
	const rounds, slower = 5, 12
	w := newWorld(t, sim.DefaultRate)
	w.held(3)
	bare := httptest.NewServer(http.HandlerFunc(barest))
	t.Cleanup(bare.Close) // when the tabs are closed
	for round := 1; ; round++ {
		var took, least []float64
		for range 3 {
			least = append(least, w.firstPost(bare.URL))
			took = append(took, w.firstPost(w.url))
		}
		slices.Sort(took)
		slices.Sort(least)
		t.Logf("round %d: the first post stood in the page %.0f, %.0f and %.0f ms after it was opened, and in the barest page after %.0f, %.0f and %.0f",
			round, took[0], took[1], took[2], least[0], least[1], least[2])
		if took[1] <= max(1000, slower*least[1]) {
			return
		}
		if round == rounds {
			t.Fatalf("in each of %d rounds the first post came late, at last after %.0f ms; want at most 1 s", rounds, took[1])
		}
	}
}

// firstPost is when the first post stood in a page that a new reader opens, in ms.
func (w *world) firstPost(address string) float64 {
	w.t.Helper()
	reader := &world{t: w.t, url: address}
	b := reader.open("/", desktop)
	b.until("globalThis.firstCard")
	took := ask[float64](b, "firstCard")
	b.do(chromedp.Navigate("about:blank"))
	return took
}

// barest is a page that shows one post from a stream, and nothing else.
func barest(rw http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/":
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(rw, `<!doctype html><html lang="en"><title>Bare</title><link rel="icon" href="data:,"><script type="module" src="/bare.js"></script><main class="feed"></main></html>`)
	case "/bare.js":
		rw.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(rw, `new EventSource("/stream").onmessage = (e) => { const a = document.createElement("article"); a.textContent = e.data; document.querySelector(".feed").append(a); };`)
	case "/stream":
		events(rw, "data: a post\n\n")
		<-r.Context().Done()
	default:
		rw.WriteHeader(http.StatusNotFound)
	}
}

func TestRateCap(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	w := newWorld(t, 60)
	b := w.open("/?max_rate=1", desktop)
	b.until(`document.querySelector(".aside").textContent.includes("left out to keep this readable")`)
	b.until(`document.querySelectorAll(".feed .card").length >= 5`)
	// One for each second that there was, and one for those that had begun or not ended.
	if n, most := ask[int](b, `document.querySelectorAll(".feed .card").length`), int(time.Since(begun).Seconds())+2; n > most {
		t.Errorf("%d posts are shown at 1 a second in %v", n, time.Since(begun))
	}
	// Two columns have a pace each, and say each what they leave out.
	b.do(chromedp.Navigate(w.url + "/?filter.one=followers_count:0&filter.two=followers_count:1&max_rate=1"))
	b.until(`[...document.querySelectorAll(".aside")].filter((e) => /left out to keep this readable/.test(e.textContent)).length === 2`)
}

// show gives the first column another rule.
func (b *tab) show(rule string) {
	b.t.Helper()
	b.run(`if (document.querySelector(".editor").hidden) document.querySelector(".edit").click()`)
	b.puts(".editor [name=rule]", rule)
	b.click(".editor [type=submit]")
	b.pointer("") // else the list comes to lie under it, and holds still
}

func TestFilterNarrows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.until(`document.querySelector("#connection").textContent === "Live"`)
	w.post("an apple")
	w.post("a pear")
	b.shows("an apple")
	b.shows("a pear")

	b.show("pear")
	b.until(`document.querySelector(".rule").textContent === "pear"`)
	b.shows("a pear") // of the last minutes
	w.post("another apple")
	w.post("another pear")
	b.shows("another pear")
	for _, text := range b.texts() {
		if !strings.Contains(text, "pear") {
			t.Errorf("with the rule pear the page shows %q", text)
		}
	}

	// The address of the page brings the column back; the way back takes it off.
	if got, want := ask[string](b, "location.search"), "?filter.pear=pear&max_rate=off"; got != want {
		t.Errorf("the address is %s, want %s", got, want)
	}
	b.do(chromedp.Reload())
	b.shows("another pear")
	if got := b.text(".named") + " " + b.text(".rule"); got != "pear pear" {
		t.Errorf("after a reload the column is %q", got)
	}
	w.post("a late apple")
	b.run("history.back()")
	b.shows("a late apple")
	if got := b.text(".rule"); got != "every post" {
		t.Errorf("after the way back the column shows %q", got)
	}
}

func TestBadFilterIsExplainedByTheGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.post("before")
	b := w.open(lately, desktop)
	b.forgive = []string{"400 (Bad Request)"}
	b.shows("before")
	for _, bad := range []struct{ value, wrong string }{
		{"go fron:ann", "fron:ann"},
		{"😀 (go is:repost)", "repost"},
		{"go lang:klingonese", "klingonese"},
	} {
		b.show(bad.value)
		want := problemOf(t, w.url+"/stream?"+url.Values{"q": {bad.value}}.Encode())
		b.until(`!document.querySelector(".editor .problem[role=alert]").hidden`)
		b.until(`document.querySelector(".editor .problem[role=alert]").textContent.includes(` + quote(want) + `)`)
		if got := b.text(".problem[role=alert] mark"); got != bad.wrong {
			t.Errorf("%s: %q is marked, want %q", bad.value, got, bad.wrong)
		}
		if ask[string](b, `document.querySelector(".editor [name=rule]").getAttribute("aria-invalid")`) != "true" {
			t.Errorf("%s: the field is not marked as invalid", bad.value)
		}
	}
	b.picture("bad-filter")
	// The old filter goes on: a typing error costs nothing.
	w.post("after")
	b.shows("after")
	b.shows("before")
	if got := b.text("#connection"); got != "Live" {
		t.Errorf("the connection is told as %q", got)
	}
	b.click(".editor .cancel")
	b.until(`document.querySelector(".editor").hidden`)
}

// problemOf is the gateway's own sentence about a request.
func problemOf(t *testing.T, address string) string {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var p struct{ Detail string }
	body, _ := io.ReadAll(answer.Body)
	if err := json.Unmarshal(body, &p); err != nil || p.Detail == "" {
		t.Fatalf("%s: %s: %s", address, answer.Status, body)
	}
	return p.Detail
}

// quote makes a string of JavaScript.
func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
