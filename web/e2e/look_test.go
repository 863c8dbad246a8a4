package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"aviary/upstream/twitter/sim"
)

var phone = look{width: 320, height: 640, mobile: true}

// On the narrowest phone, or at 400 % on a wide window (WCAG 1.4.10), nothing sticks out, and everything can be hit.
func TestNarrow(t *testing.T) {
	t.Parallel()
	for name, dark := range map[string]bool{"light": false, "dark": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0, "AVIARY_SEARCH_WAIT=100ms")
			l := phone
			l.dark = dark
			long := strings.Repeat("unbroken", 40)
			w.post(long)
			w.post("see https://www.example.com/" + strings.Repeat("a-long-path/", 20) + " for more")
			quoted := w.sim.Post(sim.Draft{Author: "fifteen_letters", Text: "quoted " + long + " go"})
			w.sim.Post(sim.Draft{Author: "quoter_sim", Text: "look, go", Quote: quoted.ID})
			w.sim.Post(sim.Draft{Author: "rtl_sim", Text: "موسيقى العود في المقهى القديم go", Lang: "ar"})
			w.held(5)
			b := w.open(lately, l)
			b.until(`document.querySelectorAll(".feed .card").length === 5`)
			b.search("go", "50")
			b.until(`/^Done/.test(document.querySelector("#found").textContent)`)
			b.run(`document.querySelector("footer details").open = true; scrollTo(0, 0)`)
			for _, wide := range ask[[]string](b, `[...document.querySelectorAll("body *:not(.unseen, .skip)")].filter((e) => e.getBoundingClientRect().right > 320.5 && !e.closest(".command code, .unseen, .drawings")).map((e) => e.outerHTML.slice(0, 120))`) {
				t.Errorf("this sticks out: %s", wide)
			}
			if wide := ask[float64](b, "document.documentElement.scrollWidth"); wide > 320 {
				t.Errorf("the page is %v px wide", wide)
			}
			// WCAG 2.2, 2.5.8: 24 px, but for links in running text.
			for _, small := range ask[[]string](b, `[...document.querySelectorAll("button, select, input:not([type=checkbox]), summary")].filter((e) => e.offsetParent && (e.offsetHeight < 24 || e.offsetWidth < 24)).map((e) => e.outerHTML.slice(0, 120))`) {
				t.Errorf("this is too small to hit: %s", small)
			}
			b.rests()
			b.picture("phone-top-" + name)
			b.run(`document.querySelector(".scroller").scrollTo(0, 300)`)
			b.picture("phone-posts-" + name)
			b.run(`document.querySelector("#search").scrollIntoView()`)
			b.picture("phone-search-" + name)
		})
	}
}

func TestThemeIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open("/", desktop)
	ground := func() string { return ask[string](b, `getComputedStyle(document.body).backgroundColor`) }
	light := ground()
	choose := func(theme string) {
		b.run(`{ const t = document.querySelector("#theme"); t.value = ` + quote(theme) + `; t.dispatchEvent(new Event("change")) }`)
	}
	choose("dark")
	dark := ground()
	if dark == light {
		t.Error("the dark theme looks like the light one")
	}
	b.do(chromedp.Reload())
	if got := ground(); got != dark {
		t.Errorf("after a reload the ground is %s, want %s", got, dark)
	}
	if got := ask[string](b, `document.querySelector("#theme").value`); got != "dark" {
		t.Errorf("after a reload the choice says %q", got)
	}
	choose("")
	if got := ground(); got != light {
		t.Errorf("as the system has it, the ground is %s, want %s", got, light)
	}
}

// Storage may be forbidden; the page does not need it.
func TestWithoutStorage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.openWith(everyPost, desktop, `Object.defineProperty(globalThis, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } });`)
	w.post("hello")
	b.shows("hello")
	b.run(`{ const t = document.querySelector("#theme"); t.value = "dark"; t.dispatchEvent(new Event("change")) }`)
	b.run(`document.querySelector("footer details").open = true; document.querySelector("#keys").click()`)
	if got := ask[string](b, "document.documentElement.dataset.theme"); got != "dark" {
		t.Errorf("the theme is %q", got)
	}
}

// Without script the page says at once that it needs it, and what does not.
func TestWithoutScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.do(command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	for path, words := range map[string]string{"/": "needs JavaScript to draw posts", "/dashboard": "Charts need JavaScript"} {
		b.do(chromedp.Navigate(w.url + path))
		if top := ask[float64](b, `[...document.querySelectorAll("noscript p")].find((p) => p.textContent.includes(`+quote(words)+`))?.getBoundingClientRect().top ?? 9999`); top > 200 {
			t.Errorf("%s says %q at %v px", path, words, top)
		}
	}
	b.picture("without-script")
}

func TestReducedMotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	l := desktop
	l.still = true
	b := w.open(everyPost, l)
	w.post("hello")
	b.shows("hello")
	if n := ask[int](b, "document.getAnimations().length"); n != 0 {
		t.Errorf("%d animations run although the reader wants none", n)
	}
}

// A card stands as its post is written, and a quote in it as its own is; a name that is
// too long is cut at its own end.
func TestDirections(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, phone)
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	quoted := w.sim.Post(sim.Draft{Author: "latin_sim", Text: "from left to right go"})
	var post map[string]any
	if err := json.Unmarshal(w.sim.Post(sim.Draft{Author: "quoter_sim", Text: "موسيقى go", Lang: "ar", Quote: quoted.ID}).JSON, &post); err != nil {
		t.Fatal(err)
	}
	post["id"], post["id_str"] = 61, "61"
	long := strings.Repeat("long name ", 12)
	post["user"].(map[string]any)["name"] = long
	post["quoted_status"].(map[string]any)["user"].(map[string]any)["name"] = long
	raw, err := json.Marshal(post)
	if err != nil {
		t.Fatal(err)
	}
	w.sim.Push(raw)
	b.shows("long name")
	card := `[...document.querySelectorAll(".feed .card")].find((c) => c.textContent.includes("long name"))`
	if got := ask[string](b, card+`.dir + " " + `+card+`.querySelector(".quote").dir`); got != "rtl ltr" {
		t.Errorf("card and quote stand %s", got)
	}
	// The first letter of a name is in sight: it begins where its box does.
	if got := ask[[]float64](b, `[...`+card+`.querySelectorAll(".name")].map((n) => { const r = document.createRange(); r.setStart(n.firstChild, 0); r.setEnd(n.firstChild, 1); return Math.round(r.getBoundingClientRect().left - n.getBoundingClientRect().left); })`); len(got) != 2 || got[0] != 0 || got[1] != 0 {
		t.Errorf("the names begin %v px off", got)
	}
	b.picture("directions")
}

// What is copied is a command that bash runs, whatever is in the rule, and that gives the
// column's posts.
func TestCopyAsCurl(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	rule := `("it's go" OR é OR "$(touch owned)" OR ` + "\"`id`\"" + ` OR "a\b!!") -cold`
	b := w.openWith("/?filter.it="+url.QueryEscape(rule)+"&max_rate=off", desktop, `navigator.clipboard.writeText = async (words) => { globalThis.copied = words; };`)
	b.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	b.hear(`document.querySelector(".copy")`)
	b.click(`.copy`)
	b.until("globalThis.copied")
	b.heard(`document.querySelector(".copy")`, "^Copied$")
	said := w.bash(t, ask[string](b, "copied"), `"filter":"`)
	w.post("it's go that is cold")
	w.post("no need")
	w.post("é was here")
	b.shows("é was here")
	w.eventually("the column's post from curl", func() bool { return strings.Contains(said(), "é was here") })
	if got := said(); strings.Contains(got, "no need") || strings.Contains(got, "that is cold") {
		t.Errorf("curl gives posts that the column does not show: %s", got)
	}

	b.search("é", "50")
	b.until(`/^Done/.test(document.querySelector("#found").textContent)`)
	b.run(`globalThis.copied = ""`)
	b.click("#find-copy")
	b.until("globalThis.copied")
	w.bash(t, ask[string](b, "copied"), "é was here")

	b.run(`navigator.clipboard.writeText = async () => { throw new Error("not allowed"); }`)
	b.enter("#q", "é'")
	b.until(`document.querySelector("#find-copy").textContent === "Copy as curl"`)
	b.hear(`document.querySelector("#find-copy")`)
	b.click("#find-copy")
	b.heard(`document.querySelector("#find-copy")`, "^Selected$")
	if got := ask[string](b, "String(getSelection())"); !strings.Contains(got, "/search/pages?q=%C3%A9%27&max=50") {
		t.Errorf("selected: %s", got)
	}
}

// bash runs a command until the test ends, waits until it has said something, and
// returns a function that tells all it has said.
func (w *world) bash(t *testing.T, command, first string) func() string {
	t.Helper()
	dir := t.TempDir()
	said := &logBuffer{}
	shell := exec.Command("bash", "-c", "exec "+command)
	shell.Dir, shell.Stdout = dir, said
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = shell.Process.Kill()
		_ = shell.Wait()
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s left %v: %v", command, left, err)
		}
	})
	w.eventually(fmt.Sprintf("%q from %s", first, command), func() bool { return strings.Contains(said.String(), first) })
	return said.String
}
