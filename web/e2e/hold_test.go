package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What is being read stays where it is, whatever comes.
func TestReadingIsNotDisturbed(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(*tab){
		"paused": func(b *tab) { b.click("#pause") },
		"scrolled": func(b *tab) {
			b.run(`document.querySelector(".scroller").scrollTo(0, document.querySelectorAll(".feed article")[8].offsetTop)`)
		},
		"pointer": func(b *tab) { time.Sleep(1100 * time.Millisecond); b.pointer(".feed article:nth-child(2)") },
		"focus":   func(b *tab) { b.run(`document.querySelectorAll(".feed article")[1].focus()`) },
		"selected": func(b *tab) {
			b.run(`getSelection().selectAllChildren(document.querySelectorAll(".feed article .text")[1])`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0)
			w.posts("old", 20)
			w.held(20)
			b := w.open(lately, desktop)
			b.until(`document.querySelectorAll(".feed article").length === 20`)
			begin(b)
			reading := "old 11 "
			before := b.place(reading)
			w.posts("new", 7)
			b.until(`document.querySelector(".new").textContent === "7 new"`)
			time.Sleep(900 * time.Millisecond) // longer than the page waits after the end of reading
			if after := b.place(reading); after != before {
				t.Errorf("what is read moved from %v to %v", before, after)
			}
			if got := len(b.texts()); got != 20 {
				t.Errorf("there are %d cards", got)
			}
			if b.text(".aside") == "" {
				t.Error("nothing says why new posts wait")
			}
			if name == "scrolled" {
				b.picture("holding")
			}
			if name == "pointer" { // it stays where it is: a moment after it has left, the list moves on by itself
				b.run(`document.querySelector(".new").click()`)
			} else {
				b.pointer(".new")
				b.click(".new")
			}
			b.shows("new 6")
			got := b.texts()
			if len(got) != 27 || got[0] != "new 6 go" || got[7] != "old 19 go" {
				t.Errorf("after a click on the button the list is %q", got)
			}
			if top := b.place("new 6"); top < 0 || top > 700 {
				t.Errorf("the first new post is at %v, out of sight", top)
			}
		})
	}
}

// When the reader has gone, the list moves on by itself.
func TestMovesOnAfterReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.posts("old", 3)
	w.held(3)
	b := w.open(lately, desktop)
	b.shows("old 2")
	time.Sleep(1100 * time.Millisecond)
	b.pointer(".feed article")
	w.post("new")
	b.until(`document.querySelector(".new").textContent === "1 new"`)
	b.pointer("")
	b.shows("new")
	b.until(`document.querySelector(".new").hidden`)
	if got := b.text(".aside"); got != "" {
		t.Errorf("the page still says %q", got)
	}
}

// What waits is bounded; the rest is counted, and told. What is drawn is bounded
// too, and grows as the reader goes down.
func TestWaitingIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.post("old")
	w.held(1)
	b := w.open(lately, desktop)
	b.shows("old")
	b.click("#pause")
	w.posts("new", 430) // with the others fewer than the gateway sends in a second
	b.until(`document.querySelector(".new").textContent === "430 new"`)
	b.click(".new")
	b.shows("new 429")
	b.until(`document.querySelector(".feed").childElementCount === 24`)
	b.until(`(document.querySelector(".scroller").scrollTo(0, 1e6), document.querySelector(".feed").lastElementChild.textContent.includes("old go"))`)
	got := b.texts()
	want := []string{"new 429 go", "new 280 go", "[280 posts that came meanwhile were not kept.]", "old go"}
	if have := []string{got[0], got[149], got[150], got[len(got)-1]}; len(got) != 152 || !slices.Equal(have, want) {
		t.Errorf("%d cards, among them %q, want %q", len(got), have, want)
	}
	b.run(`document.querySelector(".scroller").scrollTo(0, 0)`)
	b.click("#pause")
	b.pointer("")
	w.posts("more", 60)
	b.shows("more 59")
	b.until(`document.querySelectorAll(".feed > article").length <= 30`) // no more where nobody reads
}

// A delete above what is read leaves it in its place.
func TestDeleteMovesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	ids := w.posts("old", 30)
	w.held(30)
	b := w.open(lately, desktop)
	b.shows("old 29")
	b.shows("old 10 ")
	b.run(`[...document.querySelectorAll(".feed article")].find((a) => a.textContent.includes("old 10 ")).scrollIntoView({ block: "center" })`)
	before := b.place("old 10 ")
	for _, n := range []int{28, 25, 24} {
		w.sim.Delete(ids[n])
	}
	b.until(`document.querySelectorAll(".feed .card").length === 27`)
	if after := b.place("old 10 "); after < before-1 || after > before+1 {
		t.Errorf("a delete moved what is read from %v to %v", before, after)
	}
}

func TestKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.posts("old", 12)
	w.held(12)
	b := w.open(lately, desktop)
	b.shows("old 11")
	focused := func() string {
		return ask[string](b, `document.activeElement.closest("article")?.querySelector(".text").textContent ?? (document.activeElement.id || document.activeElement.className)`)
	}
	step := func(want string, key string, with ...chromedp.KeyOption) {
		t.Helper()
		b.press(key, with...)
		if got := focused(); got != want {
			t.Errorf("after %q the focus is on %q, want %q", key, got, want)
		}
	}
	step("old 11 go", "j")
	step("old 10 go", "j")
	step("old 9 go", kb.PageDown)
	step("old 10 go", kb.PageUp)
	step("old 11 go", "k")
	step("old 11 go", "k") // the list has a beginning
	b.picture("keyboard-focus")

	w.post("new")
	b.until(`document.querySelector(".new").textContent === "1 new"`)
	step("new go", "n") // and whoever comes by keyboard is put on what is new
	step("q", kb.End, chromedp.KeyModifiers(chromedp.ModifierCtrl))
	step("q", "j") // in a field a letter is a letter
	if got := ask[string](b, `document.querySelector("#q").value`); got != "j" {
		t.Errorf("the search field has %q", got)
	}
	b.run(`document.querySelector(".feed article").focus()`)
	step("quiet halt", kb.Home, chromedp.KeyModifiers(chromedp.ModifierCtrl))
	b.run("document.activeElement.blur()")
	b.press("p")
	if got := b.text("#pause"); got != "Resume" {
		t.Errorf("after p the button says %q", got)
	}
	b.press("p")
	b.run(`document.querySelector(".feed article").focus()`)
	b.press(kb.Escape)
	w.post("newer")
	b.shows("newer") // Escape let go of the list

	b.run(`document.querySelector("footer details").open = true; document.querySelector("#keys").click(); document.activeElement.blur()`)
	b.press("p")
	if got := b.text("#pause"); got != "Pause" {
		t.Error("p still acts although single keys are switched off")
	}
}

func TestFeedPattern(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.posts("old", 5)
	w.held(5)
	b := w.open(lately, desktop)
	b.shows("old 4")
	w.post("new")
	b.shows("new")
	b.until(`document.querySelector(".feed").getAttribute("aria-busy") === "false"`)
	for i, a := range ask[[]struct {
		Place, Size, Named string
		Focus              int
	}](b, `[...document.querySelectorAll(".feed > article")].map((a) => ({ place: a.getAttribute("aria-posinset"), size: a.getAttribute("aria-setsize"),
		named: document.getElementById(a.getAttribute("aria-labelledby"))?.textContent ?? "", focus: a.tabIndex }))`) {
		if a.Place != fmt.Sprint(i+1) || a.Size != "-1" || !strings.Contains(a.Named, "@test_sim") || a.Focus != 0 {
			t.Errorf("card %d: %+v", i, a)
		}
	}
}

// Screen readers hear a number now and then, never the posts.
func TestAnnouncements(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.openWith(everyPost, desktop, `const every = setInterval; globalThis.setInterval = (f, ms) => (String(f).includes("arrived") ? void (globalThis.announce = f) : every(f, ms));`)
	w.posts("old", 12)
	b.shows("old 11")
	b.run("announce()")
	if got := b.text("#told"); got != "12 new posts." {
		t.Errorf("announced: %q", got)
	}
	b.run(`document.querySelector(".feed article").focus()`)
	w.posts("new", 3)
	b.until(`document.querySelector(".new").textContent === "3 new"`)
	b.run("announce()")
	if got := b.text("#told"); got != "3 new posts waiting." {
		t.Errorf("announced: %q", got)
	}
	if live := ask[string](b, `document.querySelector(".feed").getAttribute("aria-live") ?? ""`); live != "" {
		t.Errorf("the list itself is announced: aria-live=%s", live)
	}
}
