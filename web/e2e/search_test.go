package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newSearch is a world whose search costs no patience.
func newSearch(t *testing.T) *world {
	t.Helper()
	return newWorld(t, 0, "AVIARY_SEARCH_WAIT=1s")
}

func (b *tab) search(words, most string) {
	b.t.Helper()
	b.run(`document.querySelector("#max").value = ` + quote(most))
	b.enter("#q", words)
	b.click("#find button[type=submit]")
}

func TestSearchPages(t *testing.T) {
	t.Parallel()
	w := newSearch(t)
	w.posts("needle", 230)
	w.post("hay")
	b := w.open(lately, look{width: 1100, height: 1000})
	b.shows("hay") // the posts above stand where they will
	b.run(`document.querySelector("#search").scrollIntoView()`)
	// What the bar and the words were on each page is noted when it is: the next page
	// may come before a test that asks.
	b.run(`{ globalThis.pages = {}; const found = document.querySelector("#found");
		new MutationObserver(() => {
			const page = /^Page (\d+) · .*/.exec(found.textContent);
			if (page) pages[page[1]] ??= { words: page[0], bar: document.querySelector("#progress").position, top: found.getBoundingClientRect().top };
		}).observe(found, { childList: true }); }`)
	b.search("needle", "500")
	b.until(`/^Done: 230 posts on 3 pages/.test(document.querySelector("#found").textContent)`)
	pages := ask[map[string]struct {
		Words    string
		Bar, Top float64
	}](b, "pages")
	first := pages["1"]
	if !regexp.MustCompile(`^Page 1 · 100 of at most 500 posts · \d+ requests left until .* · next request`).MatchString(first.Words) || !strings.HasPrefix(pages["2"].Words, "Page 2 · 200 of") {
		t.Errorf("the search said %+v", pages)
	}
	if first.Bar != 0.2 {
		t.Errorf("on the first page the bar stands at %v, want 0.2", first.Bar)
	}
	if first.Top < 0 || first.Top > 900 {
		t.Errorf("the words stand at %v: the first results moved them out of sight", first.Top)
	}
	b.picture("search-done")
	if got := ask[float64](b, `document.querySelector("#progress").position`); got != 1 {
		t.Errorf("the bar stands at %v, want 1", got)
	}
	got := ask[[]string](b, `[...document.querySelectorAll("#results .text")].map((p) => p.textContent)`)
	if len(got) != 230 || got[0] != "needle 229 go" || got[229] != "needle 0 go" {
		t.Errorf("%d results", len(got))
	}
	if !ask[bool](b, `document.querySelector("#stop").hidden`) {
		t.Error("there is still something to stop")
	}
}

func TestSearchStopsAndGoesOn(t *testing.T) {
	t.Parallel()
	w := newSearch(t)
	w.posts("needle", 230)
	b := w.open(everyPost, desktop)
	// The reader is quick: the second page is a second away.
	b.run(`new MutationObserver((_, o) => {
		if (!/^Page 1/.test(document.querySelector("#found").textContent)) return;
		o.disconnect();
		document.querySelector("#stop").click();
	}).observe(document.querySelector("#found"), { childList: true })`)
	b.search("needle", "500")
	b.until(`/^Stopped: 100 posts on 1 page/.test(document.querySelector("#found").textContent)`)
	b.click("#stop") // now it says: Go on
	b.until(`/^Done: 230 posts on 3 pages/.test(document.querySelector("#found").textContent)`)
	if n := ask[int](b, `new Set([...document.querySelectorAll("#results .text")].map((p) => p.textContent)).size`); n != 230 {
		t.Errorf("%d different posts", n)
	}
	if n := ask[int](b, `document.querySelectorAll("#results article").length`); n != 230 {
		t.Errorf("%d results", n)
	}
}

func TestSearchObeysDeletesAndStaysText(t *testing.T) {
	t.Parallel()
	w := newSearch(t)
	gone := w.post("needle that goes")
	w.post("needle <script>globalThis.owned = 1</script>")
	b := w.open("/", desktop)
	b.search("needle", "50")
	b.until(`/^Done: 2 posts/.test(document.querySelector("#found").textContent)`)
	if !strings.Contains(b.text("#results"), "<script>globalThis.owned = 1</script>") {
		t.Error("the text of a result is not there as it was written")
	}
	w.sim.Delete(gone)
	b.until(`document.querySelectorAll("#results article").length === 1`)
	b.search("needle that", "50") // the gateway's cache or the upstream may still have it
	b.until(`/^Done/.test(document.querySelector("#found").textContent)`)
	if strings.Contains(b.text("#results"), "that goes") {
		t.Error("a deleted post came back by a search")
	}
}

func TestSearchProblems(t *testing.T) {
	t.Parallel()
	w := newSearch(t)
	b := w.open("/", desktop)
	b.forgive = []string{"403 (Forbidden)", "429 (Too Many Requests)", "the server responded with a status"}
	if err := w.sim.Do("search 403 body text times 2"); err != nil {
		t.Fatal(err)
	}
	b.search("needle", "50")
	b.until(`!document.querySelector("#find-problem").hidden`)
	if got := b.text("#find-problem"); len(got) < 10 {
		t.Errorf("the problem is told as %q", got)
	}
	b.until(`/^Ended/.test(document.querySelector("#found").textContent)`)
	w.post("needle")
	b.search("needle", "50")
	b.until(`/^Done: 1 post on 1 page/.test(document.querySelector("#found").textContent)`)
	if !ask[bool](b, `document.querySelector("#find-problem").hidden`) {
		t.Error("the old problem is still told")
	}
}

// While the upstream fails, or the allowance is used up, a search waits in silence; the
// page says what for.
func TestSearchSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0, "AVIARY_SEARCH_WAIT=1s", "AVIARY_BACKOFF_HTTP=1s")
	w.posts("needle", 3)
	b := w.openWith("/", desktop, `{ const now = performance.now.bind(performance); globalThis.later = 0; performance.now = () => now() + later; }`)
	says := func(words string) { b.until(`/^` + words + `/.test(document.querySelector("#found").textContent)`) }
	do := func(fault string) {
		if err := w.sim.Do(fault); err != nil {
			t.Fatal(err)
		}
	}
	do("search 503 body json for 1h")
	b.search("needle", "50")
	says("Asking")
	b.run(`later += 11000`) // a reader waits so long
	says("Waiting for the upstream")
	do("search open")
	says("Done: 3 posts")

	do("search 429 reset 1h")
	b.search("needle -hay", "50") // another question: answers are kept for a while
	says("Asking")
	b.run(`later += 11000`)
	says(`The upstream’s allowance is used up; the search goes on by itself at \d`)
}

// A source without search is no fault: the page says so.
func TestSearchIsNotOffered(t *testing.T) {
	t.Parallel()
	capture := filepath.Join(t.TempDir(), "empty.ndjson")
	if err := os.WriteFile(capture, []byte("\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, 0, "AVIARY_SOURCE=file", "AVIARY_FILE="+capture, "AVIARY_TRACK=")
	b := w.open("/", desktop)
	b.forgive = []string{"501 (Not Implemented)"}
	b.search("needle", "50")
	b.until(`/^This gateway cannot search/.test(document.querySelector("#find-problem").textContent)`)
}
