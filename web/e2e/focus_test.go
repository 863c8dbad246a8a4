package e2e

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// focus is what has the focus: a tag and its class or name.
const focus = `(({ localName, className, name }) => localName + " " + (name || className))(document.activeElement)`

// A form that closes hands the focus to the button that opened it: whoever comes by
// keyboard would else begin again at the top of the page.
func TestFormHandsTheFocusBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	const button = focus + ` === "button quiet edit"`
	b.click(".edit")
	b.until(focus + ` === "input rule"`)
	b.press(kb.Escape)
	b.until(button)
	b.show("tea")
	b.until(button)
	b.press("c")
	b.until(`document.querySelectorAll(".column").length === 2 && ` + focus + ` === "input rule"`)
	b.press("go")
	b.press(kb.Enter)
	b.until(`document.activeElement === document.querySelectorAll(".edit")[1]`)
}

// A rule that the gateway refuses later, as when other tabs have taken all places, must
// not take the focus from what the reader does, nor the words from what they write.
func TestRefusalLeavesTheReaderAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const refuse = `import("/column.js").then(({ Column }) => { const covered = Column.prototype.covered; Column.prototype.covered = function (message) { (globalThis.made ??= new Set()).add(this); return covered.call(this, message); }; })`
	b := w.openWith("/?filter.a=tea&filter.b=go&max_rate=off", desktop, `addEventListener("DOMContentLoaded", () => `+refuse+`)`)
	b.until(`globalThis.made?.size === 2`)
	b.run(`document.querySelectorAll(".edit")[1].click()`)
	b.run(`globalThis.fetch = () => new Promise((done) => (globalThis.answer = () => done(new Response('{"filter":"as late as that","warnings":[]}'))))`)
	b.puts(".column:nth-child(2) [name=rule]", "half writ")
	b.until(`globalThis.answer`)
	b.enter("#q", "needle")
	b.run(`for (const column of made) column.refused({ detail: "no room for this one" })`)
	b.run(`answer()`) // the gateway says only now what it makes of what was being written before
	b.until(`document.querySelector(".column:nth-child(2) .checked").textContent.includes("as late as that")`)
	if n := ask[int](b, `[...document.querySelectorAll(".problem[role=alert]")].filter((p) => p.textContent.includes("no room") && !p.hidden).length`); n != 2 {
		t.Errorf("%d of 2 columns say that they were refused", n)
	}
	if got := ask[string](b, focus); got != "input q" {
		t.Errorf("the focus went to %s", got)
	}
	if got := ask[string](b, `document.querySelectorAll(".editor [name=rule]")[1].value`); got != "half writ" {
		t.Errorf("what was being written is now %q", got)
	}
}
