package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// beside opens another tab in the same browser, so that the two share what tabs
// of one browser share.
func (b *tab) beside(address string) *tab {
	b.t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	other := &tab{t: b.t, ctx: ctx, forgive: b.forgive}
	b.t.Cleanup(func() {
		closeTab()
		other.noComplaints()
	})
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, other.listen); err != nil {
		b.t.Fatal(err)
	}
	other.enable()
	other.do(chromedp.Navigate(address))
	return other
}

// clients is how many streams the gateway serves.
func (w *world) clients() int {
	answer, err := http.Get(w.url + "/status")
	if err != nil {
		return -1
	}
	defer answer.Body.Close()
	var status struct{ Clients int }
	if json.NewDecoder(answer.Body).Decode(&status) != nil {
		return -1
	}
	return status.Clients
}

// Over HTTP/1.1 a browser has six connections to an origin. Seven tabs need one.
func TestSevenTabsShareOneConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.post("before all, tab1")
	w.held(1)
	first := w.open("/?filter.one=tab1&max_rate=off", desktop)
	first.shows("before all")
	tabs := []*tab{first}
	for n := 2; n <= 7; n++ {
		b := first.beside(fmt.Sprintf("%s/?filter.mine=tab%d&filter.one=tab1&max_rate=off", w.url, n))
		b.shows("before all") // the last minutes, in every tab
		tabs = append(tabs, b)
	}
	first.until(`document.querySelector("#connection").textContent === "Live, one connection for 7 tabs"`)
	w.eventually("one connection", func() bool { return w.clients() == 1 })
	for n := 2; n <= 7; n++ {
		w.post(fmt.Sprintf("for tab%d alone", n))
	}
	gone := w.post("for all, tab1")
	for i, b := range tabs {
		if i > 0 {
			b.shows(fmt.Sprintf("for tab%d alone", i+1))
		}
		b.shows("for all, tab1")
		if n := ask[int](b, `[...document.querySelectorAll(".feed article")].filter((a) => / alone/.test(a.textContent)).length`); n != min(i, 1) {
			t.Errorf("tab %d shows %d posts for one tab", i+1, n)
		}
	}
	w.sim.Delete(gone)
	for _, b := range tabs {
		b.until(`!document.body.textContent.includes("for all, tab1")`)
	}

	// The tab that has the connection goes: another takes over, and nothing is lost.
	first.do(chromedp.Navigate("about:blank"))
	w.post("during the change, tab1")
	for _, b := range tabs[1:] {
		b.shows("during the change")
		if n := ask[int](b, `[...document.querySelectorAll(".feed article")].filter((a) => /during the change/.test(a.textContent)).length`); n != 1 {
			t.Errorf("what came during the change is shown %d times", n)
		}
	}
	tabs[1].until(`document.querySelector("#connection").textContent.endsWith("one connection for 6 tabs")`)
	w.eventually("one connection", func() bool { return w.clients() == 1 })
}

// Where there are no locks each tab has its own connection, and the sixth says so. It
// works, as the ones before it do.
func TestWithoutLocksTheSixthTabWarns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	// Opened by a page of another origin first, so that the script below runs.
	b := w.openWith("/icon.svg", desktop, alone)
	b.forgive = []string{"favicon.ico"}
	b.do(chromedp.Navigate(w.url + everyPost))
	b.until(`document.querySelector("#connection").textContent === "Live"`)
	for n := 2; n <= 6; n++ {
		other := b.beside("about:blank")
		other.before(alone)
		other.do(chromedp.Navigate(w.url + everyPost))
		if n < 6 {
			other.until(`document.querySelector("#connection").textContent === "Live"`)
			if !ask[bool](other, `document.querySelector("#crowded").hidden`) {
				t.Errorf("tab %d warns already", n)
			}
			continue
		}
		w.post("for six")
		other.shows("for six")
		b.shows("for six")
		other.until(`document.querySelector("#crowded").textContent.startsWith("6 tabs of this browser")`)
	}
}

const alone = `Object.defineProperty(globalThis, "isSecureContext", { value: false });`

// A bad rule in the address is explained in its column; the other column lives.
func TestOneBadColumnDoesNotSilenceTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open("/?filter.bad=fron:ann&filter.good=pear&max_rate=off", desktop)
	b.forgive = []string{"400 (Bad Request)"}
	b.until(`document.querySelector(".column .problem[role=alert]").textContent.includes("from:")`)
	w.post("a pear")
	b.until(`document.querySelectorAll(".column")[1].textContent.includes("a pear")`)
	b.show("apple")
	w.post("an apple")
	b.until(`document.querySelectorAll(".column")[0].querySelector(".feed").textContent.includes("an apple")`)
}

func TestColumnsComeAndGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open(everyPost, desktop)
	b.until(`document.querySelector("#connection").textContent === "Live"`)
	w.post("an early pear")
	w.post("an early apple")
	b.shows("an early pear")
	b.click("#add")
	b.until(`document.activeElement === document.querySelectorAll(".editor [name=rule]")[1]`)
	b.run(`document.activeElement.value = "pear"; document.querySelectorAll(".editor [name=name]")[1].value = "Fruit bowl"; document.querySelectorAll(".editor")[1].requestSubmit()`)
	second := `document.querySelectorAll(".column")[1].querySelector(".feed")`
	b.until(second + `.textContent.includes("an early pear")`) // with its last minutes
	w.post("a late pear")
	b.until(second + `.firstElementChild.textContent.includes("a late pear")`)
	b.shows("a late pear")
	if got, want := ask[string](b, "location.search"), "?filter.everything=&filter.Fruit-bowl=pear&max_rate=off"; got != want {
		t.Errorf("the address is %s, want %s", got, want)
	}
	if n := ask[int](b, second+`.querySelectorAll(".card").length`); n != 2 {
		t.Errorf("the new column has %d posts, want 2", n)
	}
	b.click(".remove")
	b.until(`document.querySelectorAll(".column").length === 1`)
	if got, want := ask[string](b, "location.search"), "?filter.Fruit-bowl=pear&max_rate=off"; got != want {
		t.Errorf("the address is %s, want %s", got, want)
	}
	w.post("the last pear")
	b.shows("the last pear")
	if n := len(b.texts()); n != 3 {
		t.Errorf("%d posts are left, want 3", n)
	}
	b.run("history.back()")
	b.until(`document.querySelectorAll(".column").length === 2`)
}

// Columns are moved by buttons and by keys, and their order stands in the address. The
// column that is moved keeps the focus, and all keep their place.
func TestColumnsMove(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	w.posts("apple pear plum", 20)
	w.held(20)
	b := w.open("/?filter.apple=apple&filter.pear=pear&filter.plum=plum&max_rate=off", desktop)
	b.until(`[...document.querySelectorAll(".feed")].every((f) => f.children.length === 20)`)
	order := func(want string) {
		t.Helper()
		if got := ask[string](b, `[...document.querySelectorAll(".named")].map((e) => e.textContent).join()`); got != want {
			t.Errorf("the columns are %s, want %s", got, want)
		}
		var query string
		for name := range strings.SplitSeq(want, ",") {
			query += "filter." + name + "=" + name + "&"
		}
		if got := ask[string](b, "location.search"); got != "?"+query+"max_rate=off" {
			t.Errorf("the address is %s", got)
		}
	}
	b.run(`for (const s of document.querySelectorAll(".scroller")) s.scrollTop = 200`)
	b.click(".edit")
	if !ask[bool](b, `document.querySelector(".left").disabled && !document.querySelector(".right").disabled`) {
		t.Error("the first column can be moved to the left, or not to the right")
	}
	b.click(".right")
	order("pear,apple,plum")
	if got := b.text("#told"); got != "Column apple is now 2 of 3." {
		t.Errorf("announced: %q", got)
	}
	b.run(`[...document.querySelectorAll(".column")].at(-1).querySelector("article:nth-of-type(4)").focus({ preventScroll: true })`)
	b.press("H", chromedp.KeyModifiers(chromedp.ModifierShift))
	b.press("H", chromedp.KeyModifiers(chromedp.ModifierShift))
	order("plum,pear,apple")
	b.press("H", chromedp.KeyModifiers(chromedp.ModifierShift)) // it is the first
	b.press("L", chromedp.KeyModifiers(chromedp.ModifierShift))
	order("pear,plum,apple")
	if !ask[bool](b, `document.querySelectorAll(".column")[1].contains(document.activeElement) && document.activeElement.matches("article")`) {
		t.Error("a column that is moved loses the focus")
	}
	if got := ask[[]float64](b, `[...document.querySelectorAll(".scroller")].map((s) => s.scrollTop)`); got[0] != 200 || got[1] != 200 || got[2] != 200 {
		t.Errorf("moved, the columns are scrolled to %v", got)
	}
	b.run("history.back()")
	b.until(`location.search.startsWith("?filter.plum=")`)
	order("plum,pear,apple")
	w.post("apple pear plum of later")
	b.until(`[...document.querySelectorAll(".new")].every((e) => e.textContent === "1 new")`)
	w.eventually("one connection", func() bool { return w.clients() == 1 })
}

// A browser may stop a tab that nobody sees. If it is the one that has the connection,
// another takes over at once, and the stopped one misses nothing when it goes on.
func TestFrozenLeader(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	first := w.open(everyPost, desktop)
	first.until(`document.querySelector("#connection").textContent === "Live"`)
	other := first.beside(w.url + everyPost)
	other.until(`document.querySelector("#connection").textContent.endsWith("one connection for 2 tabs")`)
	w.post("before")
	first.shows("before")
	first.run(`document.addEventListener("freeze", () => (globalThis.frozen = true))`)
	first.lifecycle("frozen")
	other.until(`document.querySelector("#connection").textContent === "Live"`)
	w.post("meanwhile")
	other.shows("meanwhile")
	first.lifecycle("active")
	if !ask[bool](first, "globalThis.frozen") {
		t.Fatal("the tab was not frozen: this shows nothing")
	}
	first.shows("meanwhile")
	w.post("after")
	for _, b := range []*tab{first, other} {
		b.shows("after")
		if got := strings.Join(b.texts(), "|"); got != "after go|meanwhile go|before go" {
			t.Errorf("the list is %q", got)
		}
	}
	w.eventually("one connection", func() bool { return w.clients() == 1 })
}

// lifecycle freezes a tab ("frozen") or lets it go on ("active"). One that is taken
// for the one that is looked at cannot be frozen.
func (b *tab) lifecycle(state page.SetWebLifecycleStateState) {
	b.t.Helper()
	b.do(command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: state == "active"}),
		command(page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: state}))
}

// A leader from whom another tab took the lock, since it fell silent, asks for what
// the others were told since.
func TestDeposedLeaderMissesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	first := w.open(everyPost, desktop)
	first.until(`document.querySelector("#connection").textContent === "Live"`)
	other := first.beside(w.url + everyPost)
	other.until(`document.querySelector("#connection").textContent.endsWith("one connection for 2 tabs")`)
	for i := range 4 { // there and back again
		w.post(fmt.Sprintf("before %d", i))
		other.run(`navigator.locks.request("aviary-stream", { steal: true }, () => {})`)
		w.post(fmt.Sprintf("after %d", i))
		for _, b := range []*tab{first, other} {
			b.shows(fmt.Sprintf("after %d", i))
			b.until(fmt.Sprintf(`document.querySelectorAll(".feed .card").length === %d`, 2*i+2))
		}
	}
	w.eventually("one connection", func() bool { return w.clients() == 1 })
}

// A leader begins before it has heard what all the others show, and goes on with more:
// what came between was not asked for, or not told. Whoever was late misses nothing.
func TestLateWishes(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int{"the leader believes that it is alone": 0, "others are in time": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0)
			address := func(n int) string { return fmt.Sprintf("%s/?filter.mine=tab%d&filter.one=all&max_rate=off", w.url, n) }
			first := w.open("/?filter.one=all&max_rate=off", desktop)
			first.until(`document.querySelector("#connection").textContent === "Live"`)
			tabs := []*tab{first.beside(address(2))}
			tabs[0].until(`document.querySelector("#connection").textContent.endsWith("for 2 tabs")`)
			for n := range others {
				tabs = append(tabs, first.beside(address(3+n)))
			}
			late := first.beside("about:blank")
			late.before(mute)
			late.do(chromedp.Navigate(address(9)))
			tabs = append(tabs, late)
			late.until(fmt.Sprintf(`document.querySelector("#connection").textContent.endsWith("for %d tabs")`, 3+others))
			w.post("before for all tab9")
			late.until(`document.querySelectorAll(".feed .card").length === 2`)

			late.run("mute()")
			first.do(chromedp.Navigate("about:blank"))
			if others == 0 {
				tabs[0].until(`document.querySelector("#connection").textContent === "Live"`)
			} else {
				tabs[0].until(`document.querySelector("#connection").textContent.endsWith("for 2 tabs")`)
			}
			w.post("meanwhile for all tab9")
			tabs[0].shows("meanwhile")
			late.run("unmute()")
			w.post("after for all tab9")
			for i, b := range tabs {
				b.until(`document.querySelector(".column:last-child .feed").textContent.includes("after")`)
				want := "after for all tab9 go|meanwhile for all tab9 go|before for all tab9 go"
				if b == late {
					b.until(`document.querySelectorAll(".feed .card").length >= 6`)
					want += "|" + want
				}
				if got := strings.Join(b.texts(), "|"); got != want {
					t.Errorf("tab %d of those that stayed shows %q, want %q", i+1, got, want)
				}
			}
			w.eventually("one connection", func() bool { return w.clients() == 1 })
		})
	}
}

// mute keeps what a tab says to others until it may speak again.
const mute = `{
	const say = BroadcastChannel.prototype.postMessage;
	let kept = null;
	BroadcastChannel.prototype.postMessage = function (m) { kept ? kept.push(() => say.call(this, m)) : say.call(this, m); };
	globalThis.mute = () => (kept = []);
	globalThis.unmute = () => { const said = kept; kept = null; said.forEach((say) => say()); };
}`

// A browser that keeps nothing for a place may refuse it locks: the tab is then alone.
func TestLocksAreDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.openWith(everyPost, desktop, `navigator.locks.request = () => Promise.reject(new DOMException("denied", "SecurityError"));`)
	b.until(`document.querySelector("#connection").textContent === "Live"`)
	w.post("hello")
	b.shows("hello")
	w.eventually("one connection", func() bool { return w.clients() == 1 })
}

// One connection takes 32 rules. What is too much is told in its column, and comes in
// when there is room.
func TestMoreRulesThanAConnectionTakes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	address := func(tab int) string {
		query := "/?max_rate=off"
		for n := range 12 {
			query += fmt.Sprintf("&filter.c%d=rule%dof%d", n, n, tab)
		}
		return query
	}
	first := w.open(address(1), desktop)
	first.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	second := first.beside(w.url + address(2))
	second.until(`/^Live/.test(document.querySelector("#connection").textContent)`)
	third := first.beside(w.url + address(3))
	problems := `[...document.querySelectorAll(".problem[role=alert]")].filter((p) => !p.hidden && p.textContent.includes("32")).length`
	third.until(problems + ` === 4`)
	w.post("rule0of3")
	third.shows("rule0of3")
	second.do(chromedp.Navigate("about:blank"))
	third.until(problems + ` === 0`)
	w.post("rule11of3")
	third.shows("rule11of3")
}
