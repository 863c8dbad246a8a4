package e2e

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"aviary/upstream/twitter/sim"
)

// The page asks the gateway about a filter while it is written.
func TestFilterIsCheckedWhileItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.openWith(everyPost, desktop, `
		globalThis.asked = [];
		const real = fetch;
		globalThis.fetch = (address, options) => (asked.push(String(address)), real(address, options));`)
	b.forgive = []string{"400 (Bad Request)"}
	b.until(`document.querySelector("#connection").textContent === "Live"`)

	b.click(".edit")
	b.run(`{ const box = document.querySelector(".editor [name=rule]"); for (const c of "Rust OR go OR go") { box.value += c; box.dispatchEvent(new Event("input")); } }`) // quickly
	b.until(`document.querySelector(".checked").textContent.startsWith("Understood as track=go,rust")`)
	if asked := ask[[]string](b, "asked.filter((a) => a.includes('check'))"); len(asked) > 1 {
		t.Errorf("one filter was asked about %d times: %q", len(asked), asked)
	}
	if got := b.text(".rule"); got != "every post" {
		t.Errorf("without a word of the reader the column shows %q", got)
	}

	// What is wrong is told in the gateway's words, politely, with its place.
	for _, bad := range []struct{ value, wrong, near string }{
		{"😀 (go fron:ann)", "fron:ann", "from:ann"},
		{"go -is:repost", "repost", ""},
		{"go OR", "", ""},
	} {
		b.puts(".editor [name=rule]", bad.value)
		want := problemOf(t, w.url+"/filters/check?"+url.Values{"q": {bad.value}}.Encode())
		b.until(`document.querySelector(".checked").textContent.includes(` + quote(want) + `)`)
		if got := b.text(".checked mark"); got != bad.wrong {
			t.Errorf("%s: %q is marked, want %q", bad.value, got, bad.wrong)
		}
		if got := b.text(".checked"); !strings.Contains(got, bad.near) {
			t.Errorf("%s: %q does not say %q", bad.value, got, bad.near)
		}
		if got := ask[string](b, `[document.querySelector(".checked").getAttribute("role"), document.querySelector(".editor [name=rule]").getAttribute("aria-invalid"), document.querySelector(".problem[role=alert]").hidden].join()`); got != "status,true,true" {
			t.Errorf("%s: role, invalid, problem hidden: %s", bad.value, got)
		}
	}
	b.picture("rule-wrong")

	// Only the last question counts, and none is left when there is nothing to ask.
	b.enter(".editor [name=rule]", "cat")
	b.until(`document.querySelector(".checked").textContent.startsWith("Understood as track=cat")`)
	if ask[bool](b, `document.querySelector(".editor [name=rule]").hasAttribute("aria-invalid")`) {
		t.Error("a good rule is marked as invalid")
	}
	b.run(`{ const box = document.querySelector(".editor [name=rule]"); for (const v of ["a(", "bird", ""]) { box.value = v; box.dispatchEvent(new Event("input")); } }`)
	b.until(`document.querySelector(".checked").textContent === ""`)

	// A warning comes with it.
	b.enter(".editor [name=rule]", "cat or dog")
	b.until(`document.querySelector(".checked").textContent.includes("looked for as a word")`)
}

func TestRuleNarrows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.until(`document.querySelector("#connection").textContent === "Live"`)
	b.show(`("hot soup" OR #tea) -cold`)
	b.until(`document.querySelector(".editor").hidden`)
	w.post("soup is hot")
	w.post("hot soup, then cold")
	w.sim.Post(sim.Draft{Text: "green #tea go"})
	w.post("my hot soup")
	b.shows("my hot soup")
	b.shows("green #tea")
	if got := len(b.texts()); got != 2 {
		t.Errorf("%d posts are shown: %q", got, b.texts())
	}
	if got := ask[string](b, "new URLSearchParams(location.search).get('filter.hot-soup-tea')"); got != `("hot soup" OR #tea) -cold` {
		t.Errorf("the address has the rule %q: %s", got, ask[string](b, "location.search"))
	}
	b.picture("rule")
	b.do(chromedp.Reload())
	b.shows("my hot soup")
	if got := b.text(".rule"); got != `("hot soup" OR #tea) -cold` {
		t.Errorf("after a reload: %s", got)
	}
}

// What the gateway says about a rule comes while the reader goes for the button: it
// must not move the button away from under them.
func TestTheButtonStaysWhereItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.forgive = []string{"400 (Bad Request)"}
	b.until(`document.querySelector("#connection").textContent === "Live"`)
	b.click(".edit")
	place := `document.querySelector(".editor [type=submit]").getBoundingClientRect().top`
	before := ask[float64](b, place)
	for rule, says := range map[string]string{"go fron:ann": "from:", "cat or dog": "looked for as a word"} {
		b.puts(".editor [name=rule]", rule)
		b.until(`document.querySelector(".checked").textContent.includes(` + quote(says) + `)`)
		if after := ask[float64](b, place); after != before {
			t.Errorf("%s: the button moved from %v to %v", rule, before, after)
		}
	}
}
