package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"aviary/upstream/twitter/sim"
)

// gallery fills a world with one post of each kind. The last comes on top.
func gallery(w *world) {
	w.t.Helper()
	w.sim.Post(sim.Draft{Author: "rtl_sim", Text: "موسيقى العود في المقهى القديم go", Lang: "ar"})
	first := w.sim.Post(sim.Draft{Author: "kitchen_sim", Text: "Three hours of slow cooking, and the whole street knows. Recipe at https://www.example.com/soup go #cooking"})
	w.sim.Post(sim.Draft{Author: "walker_sim", Text: "@kitchen_sim saving me a bowl? go", ReplyTo: first.ID})
	w.sim.Post(sim.Draft{Author: "pan_sim", Text: "This is the one to try on Sunday, go #football #cooking", Quote: first.ID})
	w.sim.Post(sim.Draft{Author: "repeater_sim", Retweet: first.ID})
	w.sim.Post(sim.Draft{Author: "pitch_sim", Text: "Kick-off in ten minutes. Bring a scarf, the wind is up go"})
	w.held(6)
}

func TestWidgetLooks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	gallery(w)
	address := w.host(`<tweet-feed track="go" lang="en-GB"></tweet-feed>`)
	for _, l := range []struct {
		name string
		look look
	}{
		{"phone-light", look{width: 360, height: 740, mobile: true}}, {"phone-dark", look{width: 360, height: 740, mobile: true, dark: true}},
		{"desktop-light", look{width: 900, height: 700, still: true}}, {"desktop-dark", look{width: 900, height: 700, dark: true}},
	} {
		b := w.widget(address, l.look)
		b.until(items + `.length === 6`)
		if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > l.look.width {
			t.Errorf("%s: the host is %d px wide", l.name, wide)
		}
		if n := ask[int](b, "document.getAnimations().length"); l.look.still && n > 0 {
			t.Errorf("%d animations run although the reader wants none", n)
		}
		b.rests() // what fades in has its colours
		b.picture("widget-" + l.name)
		if l.look.dark == l.look.mobile {
			b.checkAxe("widget, " + l.name)
		}
	}
	b := w.widget(address, look{width: 600, height: 500})
	b.until(items + `.length === 6`)
	ground := `getComputedStyle(` + root + `.querySelector(".box")).backgroundColor`
	light := ask[string](b, ground)
	b.run(`document.querySelector("tweet-feed").setAttribute("theme", "dark")`)
	if ask[string](b, ground) == light {
		t.Error("theme=dark looks like theme=light")
	}
	// A page's own colours, by properties and by parts.
	b.run(`{ const s = new CSSStyleSheet(); s.replaceSync("tweet-feed { --tweet-ground: rgb(1, 2, 3); --tweet-height: 100px } tweet-feed::part(name) { color: rgb(4, 5, 6) }"); document.adoptedStyleSheets = [s]; }`)
	if got := ask[string](b, ground) + ask[string](b, `getComputedStyle(`+root+`.querySelector(".name")).color`) + ask[string](b, root+`.querySelector(".box").offsetHeight`+` <= 102 ? "ok" : "tall"`); got != "rgb(1, 2, 3)rgb(4, 5, 6)ok" {
		t.Errorf("a page's own style gives %s", got)
	}

	// What X's display requirements ask of a card.
	card := items + `[0]`
	if got := ask[string](b, card+`.querySelector(".name").href + " " + `+card+`.querySelector(".username").textContent + " " + `+card+`.querySelector(".time").href + " " + `+card+`.querySelector(".view").textContent`); !strings.HasPrefix(got, "https://twitter.com/pitch_sim @pitch_sim https://twitter.com/pitch_sim/status/") || !strings.HasSuffix(got, " View on X") {
		t.Errorf("the card says %s", got)
	}
	links := ask[[]string](b, `[...`+root+`.querySelectorAll(".link")].map((a) => a.textContent + " " + a.href)`)
	for _, want := range []string{"#cooking https://x.com/hashtag/cooking", "@kitchen_sim https://x.com/kitchen_sim"} {
		if !strings.Contains(strings.Join(links, "\n"), want) {
			t.Errorf("no link %s among %q", want, links)
		}
	}
	if got := ask[string](b, items+`[1].querySelector(".context").textContent + "|" + `+items+`[3].querySelector(".context").textContent`); !strings.HasSuffix(got, " reposted|Replying to @kitchen_sim") {
		t.Errorf("the context is %s", got)
	}
	if got := ask[string](b, items+`[5].dir + " " + `+items+`[5].querySelector(".text").lang`); got != "rtl ar" {
		t.Errorf("the Arabic post is %s", got)
	}
}

func TestWidgetKeepsHostilePostsText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed media="evil.example.com"></tweet-feed>`), desktop)
	b.feedStands()
	w.sim.Push(hostile(t, w))
	b.feedShows("<script>globalThis.owned = 1</script>")
	b.feedShows(`<svg onload="globalThis.owned = 7">`)
	marks := "a" + strings.Repeat("\u0300\u0323\u035f", 3500)
	var post map[string]any
	if err := json.Unmarshal(w.sim.Post(sim.Draft{Text: "template go", Author: "marks_sim"}).JSON, &post); err != nil {
		t.Fatal(err)
	}
	post["id"], post["id_str"], post["text"] = 43, "43", "marks go "+marks
	post["user"].(map[string]any)["name"] = "\u202e\u2066" + marks
	raw, err := json.Marshal(post)
	if err != nil {
		t.Fatal(err)
	}
	w.sim.Push(raw)
	b.feedShows("marks go")
	w.post("after it")
	b.feedShows("after it") // by now a script would have run
	if ask[bool](b, `"owned" in globalThis`) {
		t.Error("a post has run script")
	}
	if n := ask[int](b, root+`.querySelectorAll(":is(script, img, svg, iframe, object, style, b)").length`); n != 0 {
		t.Errorf("a post has made %d elements", n)
	}
	for _, href := range ask[[]string](b, `[...`+root+`.querySelectorAll("a")].map((a) => a.getAttribute("href") + " " + a.rel)`) {
		if !strings.HasPrefix(href, "https://") && !strings.HasPrefix(href, "http://") || strings.Contains(href, "word@") || !strings.HasSuffix(href, " noreferrer nofollow ugc") {
			t.Errorf("a post links to %s", href)
		}
	}
	if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > desktop.width {
		t.Errorf("a post makes the page %d px wide", wide)
	}
	b.picture("widget-hostile")
}

// Pictures come from the hosts that the page names, and from no other.
func TestWidgetMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed media="pictures.example.com"></tweet-feed><tweet-feed media="pictures.example.com avatars.example.com"></tweet-feed>`), desktop)
	b.forgive = append(b.forgive, "Content Security Policy", "Content-Security-Policy") // it does not allow the pictures
	b.feedStands()
	w.post("somebody with a picture")
	b.until(`[...document.querySelectorAll("tweet-feed")].every((f) => f.shadowRoot.querySelector("article"))`)
	asked := `breaches.filter((b) => b.startsWith("img-src https://avatars.example.com")).length`
	b.until(asked + ` > 0`)
	if n := ask[int](b, `document.querySelectorAll("tweet-feed")[0].shadowRoot.querySelectorAll("img").length`); n != 0 {
		t.Error("a feed loads pictures of a host that it does not name")
	}
	b.until(`document.querySelectorAll("tweet-feed")[1].shadowRoot.querySelectorAll("img").length === 0`) // what cannot be had goes
	b.run("breaches.length = 0")
}

// The portrait leads where the names lead; it is no stop of its own for the keyboard, and
// is not read aloud, since the name beside it says the same.
func TestWidgetPortraitLeadsToTheProfile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(`<tweet-feed></tweet-feed>`), desktop)
	b.feedSays("Live")
	w.post("whose face is this")
	b.feedShows("whose face")
	got := ask[[]string](b, `(({ localName, href, tabIndex, ariaHidden }) => [localName, href, tabIndex, ariaHidden].map(String))(`+root+`.querySelector(".avatar"))`)
	name := ask[string](b, root+`.querySelector(".name").href`)
	if want := []string{"a", name, "-1", "true"}; name == "" || !slices.Equal(got, want) {
		t.Errorf("the portrait is %q, want %q", got, want)
	}
	b.checkAxe("widget")
}
