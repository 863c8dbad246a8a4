package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"aviary/upstream/twitter/sim"
)

func TestDeleteRemoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	keep := w.post("stays")
	gone := w.post("goes")
	w.sim.Post(sim.Draft{Author: "repeater_sim", Retweet: gone})
	w.sim.Post(sim.Draft{Author: "quoter_sim", Text: "look at this, go", Quote: gone})
	b.until(`document.querySelectorAll(".feed .card").length === 4`)
	w.sim.Delete(gone)
	b.until(`document.querySelectorAll(".feed .card").length === 1`)
	if got := b.texts(); len(got) != 1 || got[0] != "stays go" {
		t.Errorf("the list is %q", got)
	}
	if strings.Contains(ask[string](b, "document.documentElement.outerHTML"), "goes") {
		t.Error("the page still holds a text that was deleted")
	}
	_ = keep
}

// What waits is obeyed too: a deleted post never shows.
func TestDeleteRemovesWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	w.post("first")
	b.shows("first")
	b.click("#pause")
	gone := w.post("goes")
	w.sim.Post(sim.Draft{Author: "repeater_sim", Retweet: gone})
	w.post("stays")
	b.until(`document.querySelector(".new").textContent === "3 new"`)
	w.sim.Delete(gone)
	b.until(`document.querySelector(".new").textContent === "1 new"`)
	b.click("#pause")
	b.shows("stays")
	if got := b.texts(); len(got) != 2 {
		t.Errorf("the list is %q", got)
	}
}

func TestWithheldRemoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	post := w.sim.Post(sim.Draft{Author: "one_sim", Text: "withheld by itself, go"})
	other := w.sim.Post(sim.Draft{Author: "other_sim", Text: "withheld with its author, go"})
	w.sim.Post(sim.Draft{Author: "repeater_sim", Retweet: other.ID})
	w.post("stays")
	b.until(`document.querySelectorAll(".feed .card").length === 4`)
	w.sim.Push(fmt.Appendf(nil, `{"status_withheld":{"id":%s,"user_id":%s,"withheld_in_countries":["DE"]}}`, post.ID, post.UserID))
	b.until(`document.querySelectorAll(".feed .card").length === 3`)
	w.sim.Push(fmt.Appendf(nil, `{"user_withheld":{"id":%s,"withheld_in_countries":["DE"]}}`, other.UserID))
	b.until(`document.querySelectorAll(".feed .card").length === 1`)
	if got := b.texts(); got[0] != "stays go" {
		t.Errorf("the list is %q", got)
	}
}

// hostile is a post that tries everything that a page could fall for.
func hostile(t *testing.T, w *world) []byte {
	t.Helper()
	var post map[string]any
	if err := json.Unmarshal(w.sim.Post(sim.Draft{Text: "template go", Author: "hostile_sim"}).JSON, &post); err != nil {
		t.Fatal(err)
	}
	post["id"], post["id_str"] = 42, "42"
	post["text"] = `<script>globalThis.owned = 1</script><img src=x onerror="globalThis.owned = 2"> go https://t.co/a https://t.co/b https://t.co/c https://t.co/d` + "\u202e"
	delete(post, "extended_tweet")
	post["lang"] = `en" onfocus="globalThis.owned = 3`
	post["entities"] = map[string]any{"urls": []any{
		map[string]any{"url": "https://t.co/a", "expanded_url": "javascript:globalThis.owned = 4", "display_url": "<b>bold</b>"},
		map[string]any{"url": "javascript:globalThis.owned = 5", "expanded_url": "javascript:globalThis.owned = 6", "display_url": "click me"},
		map[string]any{"url": "http://plain.example.com", "expanded_url": "data:text/html,x", "display_url": "plain"},
		map[string]any{"url": "https://t.co/b", "expanded_url": "https://user:word@bank.example.com/", "display_url": "bank.example.com"},
	}}
	user := post["user"].(map[string]any)
	user["name"] = `<svg onload="globalThis.owned = 7">‮eve`
	user["screen_name"] = `"><script>globalThis.owned = 8</script>`
	raw, err := json.Marshal(post)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestHostilePostStaysText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	w.sim.Push(hostile(t, w))
	b.shows("<script>globalThis.owned = 1</script>")
	b.shows(`<svg onload="globalThis.owned = 7">`)
	w.post("after it")
	b.shows("after it") // by now a script would have run
	if ask[bool](b, `"owned" in globalThis`) {
		t.Error("a post has run script")
	}
	if n := ask[int](b, `document.querySelectorAll(".feed :is(script, img, svg:not(.icon), iframe, object, style, b)").length`); n != 0 {
		t.Errorf("a post has made %d elements", n)
	}
	for _, href := range ask[[]string](b, `[...document.querySelectorAll(".feed a")].map((a) => a.getAttribute("href"))`) {
		if !strings.HasPrefix(href, "https://") {
			t.Errorf("a post links to %s", href)
		}
	}
	if n := ask[int](b, `[...document.querySelectorAll(".feed a")].filter((a) => a.rel !== "noopener noreferrer nofollow ugc").length`); n != 0 {
		t.Errorf("%d links trust where they lead", n)
	}
	b.picture("hostile")
}

// shapes sends posts whose text and author's name tower over their line, turn it around,
// or have no place to break. It returns the words that their texts begin with.
func (w *world) shapes() (lead []string) {
	w.t.Helper()
	id := 900
	for name, text := range map[string]string{
		"tower":    "Z" + strings.Repeat("\u0321\u0489\u036f", 3400),
		"turn":     "\u202e\u2066\u2067 every control \u202b\u202d",
		"unbroken": strings.Repeat("W", 5000),
		"lines":    strings.Repeat("\n", 400) + "bottom",
		"arabic":   strings.Repeat("موسيقى", 900),
	} {
		id++
		var post map[string]any
		if err := json.Unmarshal(w.sim.Post(sim.Draft{Text: "template go", Author: "shape_sim"}).JSON, &post); err != nil {
			w.t.Fatal(err)
		}
		post["id"], post["id_str"] = id, fmt.Sprint(id)
		post["text"] = name + " " + text + " go"
		delete(post, "extended_tweet")
		post["user"].(map[string]any)["name"] = text
		raw, err := json.Marshal(post)
		if err != nil {
			w.t.Fatal(err)
		}
		w.sim.Push(raw)
		lead = append(lead, name+" ")
	}
	return lead
}

// Text that towers over its line, turns it around, or has no place to break stays
// in its card, and what stands around it stays as it is.
func TestHostileShapesStayInTheirCard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	w.post("the neighbour below")
	shapes := w.shapes()
	w.post("the neighbour above")
	b.shows("the neighbour above")
	for _, lead := range shapes {
		b.shows(lead)
	}
	for _, wrong := range ask[[]string](b, `[...document.querySelectorAll(".feed .card")].flatMap((card) => {
		const outer = card.getBoundingClientRect();
		const words = card.querySelector(".text").textContent.slice(0, 12);
		const wide = [...card.querySelectorAll(".text, .byline, .who, time")].filter((e) => { const r = e.getBoundingClientRect(); return r.left < outer.left || r.right > outer.right || r.top < outer.top || r.bottom > outer.bottom; });
		const time = card.querySelector("time").getBoundingClientRect();
		const who = card.querySelector(".name").getBoundingClientRect();
		return [...wide.map((e) => words + ": " + e.className + " leaves the card"), ...(time.left < who.left ? [words + ": the time stands before the name"] : []), ...(outer.height > 3000 ? [words + ": " + outer.height + " px high"] : [])];
	})`) {
		t.Error(wrong)
	}
	if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > desktop.width {
		t.Errorf("the page is %d px wide", wide)
	}
	b.picture("hostile-shapes")
}

// A picture is asked for when the reader asks for it, from X's own host, and no
// other host is ever asked.
func TestPicturesOnlyByClick(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.openWith(everyPost, desktop, `globalThis.breaches = []; document.addEventListener("securitypolicyviolation", (e) => breaches.push(e.blockedURI));`)
	b.forgive = []string{"ERR_", "net::"}
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	var post map[string]any
	if err := json.Unmarshal(w.sim.Post(sim.Draft{Text: "template go", Author: "camera_sim"}).JSON, &post); err != nil {
		t.Fatal(err)
	}
	post["id"], post["id_str"] = 77, "77"
	post["text"] = "two pictures go"
	medium := func(url, alt string) map[string]any {
		return map[string]any{"type": "photo", "media_url_https": url, "ext_alt_text": alt, "url": "https://t.co/p", "id_str": "1"}
	}
	post["extended_entities"] = map[string]any{"media": []any{
		medium("https://pbs.twimg.com/media/none.jpg", "a pier in fog"), medium("https://tracker.example.com/1.gif", "a dot")}}
	raw, err := json.Marshal(post)
	if err != nil {
		t.Fatal(err)
	}
	w.sim.Push(raw)
	b.shows("two pictures")
	if got := ask[[]int](b, `["img", ".medium button", ".medium a[href^='https://tracker.example.com']"].map((s) => document.querySelectorAll(".feed " + s).length)`); got[0] != 0 || got[1] != 1 || got[2] != 1 {
		t.Errorf("pictures, buttons, links: %v; want none, one for X's host, one for the other", got)
	}
	b.click(".medium button")
	if got := ask[string](b, `(() => { const i = document.querySelector(".feed img"); return [i.src, i.alt, i.referrerPolicy].join(" "); })()`); got != "https://pbs.twimg.com/media/none.jpg a pier in fog no-referrer" {
		t.Errorf("after a click the picture is %q", got)
	}
	b.run(`new Image().src = "https://tracker.example.com/2.gif"`)
	b.until(`breaches.includes("https://tracker.example.com/2.gif")`)
	b.forgive = append(b.forgive, "Content Security Policy", "violates")
}

// Should a line of the page's own script ever forget it, the policy does not.
func TestPolicyStopsScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.forgive = []string{"Content Security Policy", "TrustedHTML", "TrustedScript"}
	for _, attack := range []string{
		`document.querySelector(".feed").innerHTML = "<img src=x onerror='globalThis.owned = 1'>"`,
		`document.body.append(document.createRange().createContextualFragment("<script>globalThis.owned = 2</script>"))`,
		`const s = document.createElement("script"); s.textContent = "globalThis.owned = 3"; document.body.append(s)`,
		`const t = document.createElement("script"); t.src = "https://other.example.com/x.js"; document.body.append(t)`,
		`document.body.setAttribute("onclick", "globalThis.owned = 4"); document.body.click()`,
		`setTimeout("globalThis.owned = 5", 0)`,
	} {
		b.run(`try { ` + attack + ` } catch { /* Trusted Types refuse it */ }`)
	}
	w.post("after them")
	b.shows("after them") // by now a script would have run
	if got := ask[any](b, "globalThis.owned ?? null"); got != nil {
		t.Errorf("attack %v ran", got)
	}
}
