package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// An address may ask for more than the page shows: that is told, until the reader has
// other columns.
func TestAddressOfTooManyColumns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	address := "/?filter.b%2Fd=tea&columns=tea"
	for n := range 50 {
		address += fmt.Sprintf("&filter.n%d=tea", n)
	}
	b := w.open(address, desktop)
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	if got := ask[int](b, `document.querySelectorAll(".column").length`); got != 12 {
		t.Errorf("%d columns are shown", got)
	}
	if got := b.text("#beyond"); !strings.HasPrefix(got, "39 columns of this address are not shown: a page has at most 12") {
		t.Errorf("of the others it says %q", got)
	}
	b.picture("too-many-columns")
	b.click(".remove")
	b.until(`document.querySelector("#beyond").hidden`)
}

// When the gateway takes none of the rules the head says so, and goes on saying it, in
// each tab; a good rule mends it.
func TestNoRuleIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	const none = `document.querySelector("#connection").textContent.startsWith("Not connected: the gateway took none")`
	b := w.open("/?q=sample:10", desktop)
	b.forgive = []string{"400 (Bad Request)"}
	b.until(`!document.querySelector(".problem[role=alert]").hidden`)
	b.until(none)
	other := b.beside(w.url + "/?q=sample:10")
	other.forgive = b.forgive
	other.until(none)
	if !ask[bool](b, none) {
		t.Errorf("with another tab the first one says %q", b.text("#connection"))
	}
	other.show("tea")
	other.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	w.post("tea")
	other.shows("tea")

	// The same again gets the same answer, and not an empty column without a word.
	b.run(`document.querySelector(".editor").requestSubmit()`)
	b.until(`document.querySelector(".problem[role=alert]").textContent.includes("stand alone")`)
}
