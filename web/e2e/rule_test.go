package e2e

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aviary/upstream/twitter/sim"
)

// as says how the first box is written.
func (b *tab) as(how string) {
	b.t.Helper()
	b.run(`{ const as = document.querySelector("#as"); as.value = ` + quote(how) + `; as.dispatchEvent(new Event("change")) }`)
}

// The page asks the gateway about a filter while it is written.
func TestFilterIsCheckedWhileItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.openWith(everyPost, desktop, `
		globalThis.asked = [];
		const real = fetch;
		globalThis.fetch = (address, options) => (asked.push(String(address)), real(address, options));`)
	b.forgive = []string{"400 (Bad Request)"}
	b.until(`document.querySelector("#connection").textContent === "Live, every post"`)

	b.enter("#track", "Rust, go,go")
	b.until(`document.querySelector("#checked").textContent === "Understood as track=go,rust"`)
	if asked := ask[[]string](b, "asked"); len(asked) > 4 {
		t.Errorf("one filter was asked about %d times: %q", len(asked), asked)
	}
	if got := b.text("#filtered"); got != "" {
		t.Errorf("without a word of the reader the filter is %q", got)
	}

	// What is wrong is told in the gateway's words, politely, with its place.
	for _, bad := range []struct{ as, value, wrong, near string }{
		{"track", "go,www.example.org", "www.example.org", "example.org"},
		{"q", "😀 (go fron:ann)", "fron:ann", "from:ann"},
		{"q", "go -is:repost", "repost", ""},
		{"q", "go OR", "", ""},
	} {
		b.as(bad.as)
		b.enter("#track", bad.value)
		want := problemOf(t, w.url+"/filters/check?"+url.Values{bad.as: {bad.value}}.Encode())
		b.until(`document.querySelector("#checked").textContent.includes(` + quote(want) + `)`)
		if got := b.text("#checked mark"); got != bad.wrong {
			t.Errorf("%s: %q is marked, want %q", bad.value, got, bad.wrong)
		}
		if got := b.text("#checked"); !strings.Contains(got, bad.near) {
			t.Errorf("%s: %q does not say %q", bad.value, got, bad.near)
		}
		if got := ask[string](b, `[document.querySelector("#checked").role ?? document.querySelector("#checked").getAttribute("role"), document.querySelector("#track").getAttribute("aria-invalid"), document.querySelector("#problem").hidden].join()`); got != "status,true,true" {
			t.Errorf("%s: role, invalid, problem hidden: %s", bad.value, got)
		}
	}
	b.picture("rule-wrong")

	// Only the last question counts, and none is left when there is nothing to ask.
	b.as("q")
	b.enter("#track", "cat")
	b.until(`document.querySelector("#checked").textContent === "Understood as track=cat"`)
	if ask[bool](b, `document.querySelector("#track").hasAttribute("aria-invalid")`) {
		t.Error("a good rule is marked as invalid")
	}
	b.run(`{ const box = document.querySelector("#track"); for (const v of ["a(", "bird", ""]) { box.value = v; box.dispatchEvent(new Event("input")); } }`)
	b.until(`document.querySelector("#checked").textContent === ""`)

	// A warning comes with it.
	b.enter("#track", "cat or dog")
	b.until(`document.querySelector("#checked").textContent.includes("looked for as a word")`)
}

func TestRuleNarrows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.until(`document.querySelector("#connection").textContent === "Live, every post"`)
	b.as("q")
	if got := b.text("#ask"); got != "Show posts that match" {
		t.Errorf("the box is called %q", got)
	}
	b.enter("#track", `("hot soup" OR #tea) -cold`)
	b.click("#filter button[type=submit]")
	b.until(`document.querySelector("#connection").textContent === "Live, filtered"`)
	w.post("soup is hot")
	w.post("hot soup, then cold")
	w.sim.Post(sim.Draft{Text: "green #tea go"})
	w.post("my hot soup")
	b.shows("my hot soup")
	b.shows("green #tea")
	if got := len(b.texts()); got != 2 {
		t.Errorf("%d posts are shown: %q", got, b.texts())
	}
	filtered := b.text("#filtered")
	if !strings.HasPrefix(filtered, "q=") || b.text("#checked") != "" {
		t.Errorf("the filter is told as %q beside %q", filtered, b.text("#checked"))
	}
	if got := ask[string](b, "new URLSearchParams(location.search).get('q')"); got != `("hot soup" OR #tea) -cold` {
		t.Errorf("the address has the rule %q", got)
	}
	b.picture("rule")

	b.do(chromedp.Reload())
	b.shows("my hot soup")
	if got := ask[string](b, `[document.querySelector("#as").value, document.querySelector("#track").value, document.querySelector("#filtered").textContent].join(" ")`); got != `q ("hot soup" OR #tea) -cold `+filtered {
		t.Errorf("after a reload: %s", got)
	}
	b.run("history.back()")
	b.until(`document.querySelector("#connection").textContent === "Live, every post"`)
	if got := ask[string](b, `document.querySelector("#as").value`); got != "track" {
		t.Errorf("after the way back the box is written as %q", got)
	}
}
