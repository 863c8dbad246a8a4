package e2e

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// axeVersion of axe-core, https://github.com/dequelabs/axe-core.
const axeVersion = "4.14.1"

// axe is the source of axe-core, from the user's cache folder or by npm.
var axe = sync.OnceValues(func() (string, error) {
	file, err := npmFile("axe-core", axeVersion, "axe.min.js")
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(file)
	return string(source), err
})

// checkAxe runs axe-core on what the page shows now. Nothing serious or critical
// may be found; lesser findings are told.
func (b *tab) checkAxe(what string) {
	b.t.Helper()
	source, err := axe()
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n*** AXE-CORE CANNOT BE HAD, ACCESSIBILITY IS NOT CHECKED: %v\n\n", err)
		if os.Getenv("CI") != "" {
			b.t.Fatal("axe-core cannot be had")
		}
		b.t.Skip("axe-core cannot be had")
	}
	if !ask[bool](b, "Boolean(globalThis.axe)") {
		b.run(source + "\n;0")
	}
	type node struct{ HTML, Summary string }
	type finding struct {
		ID, Impact, Help string
		Nodes            []node
	}
	report := askLong[struct {
		Passes int
		Found  []finding
	}](b, 3*patience, `axe.run({ resultTypes: ["violations"] }).then((r) => ({ passes: r.passes.length, found: r.violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help,
		nodes: v.nodes.slice(0, 5).map((n) => ({ html: n.html.slice(0, 160), summary: n.failureSummary })) })) }))`)
	for _, f := range report.Found {
		words := fmt.Sprintf("%s: axe finds %s (%s): %s\n%+v", what, f.ID, f.Impact, f.Help, f.Nodes)
		if f.Impact == "serious" || f.Impact == "critical" {
			b.t.Error(words)
		} else {
			b.t.Log(words)
		}
	}
	if report.Passes < 20 {
		b.t.Errorf("%s: axe tried only %d rules: it did not see the page", what, report.Passes)
	}
}

// The page in all its states at once: cards of every kind, a notice, posts that
// wait, a problem under the filter, results.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	for name, dark := range map[string]bool{"light": false, "dark": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 60, "AVIARY_SEARCH_WAIT=100ms")
			b := w.open("/?filter.go=go+OR+%23music&filter.all=&max_rate=off", look{width: 1100, height: 1000, dark: dark})
			b.forgive = []string{"400 (Bad Request)"}
			b.until(`document.querySelectorAll(".feed .card").length > 15`)
			b.click("#pause")
			b.until(`!document.querySelector(".new").hidden`)
			b.show("go fron:ann")
			b.until(`!document.querySelector(".problem[role=alert]").hidden`)
			b.search("go", "50")
			b.until(`/^Done/.test(document.querySelector("#found").textContent)`)
			if err := w.sim.Do("status 401"); err != nil {
				t.Fatal(err)
			}
			if err := w.sim.Do("drop"); err != nil {
				t.Fatal(err)
			}
			b.until(`document.querySelector("#upstream").dataset.mood === "bad"`)
			b.run(`document.querySelector("footer details").open = true; for (const d of document.querySelectorAll("details.cover")) d.open = true`)
			b.rests() // what fades in has its colours
			b.checkAxe(name)
			b.run("scrollTo(0, 0)")
			b.picture("everything-" + name)
			b.run(`document.querySelector("#search").scrollIntoView()`)
			b.picture("search-" + name)
		})
	}
}

// What has room for no words, or has no post yet, has its names all the same.
func TestAccessibilityOfTheSmallAndTheEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	check := func(what, path string, l look, ready string) {
		b := w.open(path, l)
		b.until(ready)
		b.rests()
		b.checkAxe(what)
		if wide := ask[float64](b, "document.documentElement.scrollWidth"); wide > float64(l.width) {
			t.Errorf("%s is %v px wide", what, wide)
		}
		b.picture(what)
	}
	const live, asked = `/^Live/.test(document.querySelector("#connection").textContent)`, `/^Upstream /.test(document.querySelector("#upstream").textContent)`
	check("empty", everyPost, desktop, live)
	check("empty-phone", "/?filter.a=tea&filter.b=", phone, live)
	check("dashboard-small", "/dashboard", phone, asked)
	w.post("tea")
	w.held(1)
	check("page-phone", "/?filter.a=tea&filter.b=", phone, `document.querySelectorAll(".card").length === 2`)

	b := w.widget(w.host(`<tweet-feed q="nobody"></tweet-feed>`), desktop)
	b.feedSays("Live")
	b.checkAxe("widget-empty")
}
