package e2e

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// artifacts is where pictures of the page are left: in this folder, or where
// ARTIFACTS_DIR says.
var artifacts = cmp.Or(os.Getenv("ARTIFACTS_DIR"), "artifacts")

// tab is one page in the browser.
type tab struct {
	t       *testing.T
	ctx     context.Context
	forgive []string // complaints with one of these words are expected

	mu         sync.Mutex
	complaints []string
}

// look says how a tab shows the page.
type look struct {
	width, height int64
	dark, mobile  bool
	still         bool // the reader wants no motion
	forced        bool // the system has the say over colours
}

var desktop = look{width: 1100, height: 900}

// arrival notes in the page when the first card stood in it, in ms since the
// navigation began.
const arrival = `new MutationObserver((_, o) => {
	if (!document.querySelector(".feed article")) return;
	globalThis.firstCard = performance.now();
	o.disconnect();
}).observe(document, { childList: true, subtree: true });`

// breaches has the page complain of each breach of its policy, also of those that the
// browser keeps to itself.
const breaches = `addEventListener("securitypolicyviolation", (e) => console.error("Content Security Policy: " + e.violatedDirective + " " + e.blockedURI));`

// open opens a page of the gateway in a tab of its own.
func (w *world) open(path string, l look) *tab {
	w.t.Helper()
	return w.openWith(path, l, "")
}

// openWith runs a script before the page's own.
func (w *world) openWith(path string, l look, script string) *tab {
	w.t.Helper()
	ctx, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	b := &tab{t: w.t, ctx: ctx}
	w.t.Cleanup(func() {
		if w.t.Failed() {
			b.picture("failed-" + strings.ReplaceAll(w.t.Name(), "/", "-"))
		}
		closeTab()
		b.noComplaints()
	})
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as this context
		w.t.Fatal(err)
	}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		w.t.Fatal(err)
	}
	b.enable()
	b.looks(l)
	b.before(arrival + breaches + script)
	b.do(chromedp.Navigate(w.url + path))
	return b
}

// looks gives the tab another look.
func (b *tab) looks(l look) {
	b.t.Helper()
	scheme, motion, forced := "light", "no-preference", "none"
	if l.dark {
		scheme = "dark"
	}
	if l.still {
		motion = "reduce"
	}
	if l.forced {
		forced = "active"
	}
	b.do(
		chromedp.EmulateViewport(l.width, l.height, func(m *emulation.SetDeviceMetricsOverrideParams, touch *emulation.SetTouchEmulationEnabledParams) {
			m.Mobile, touch.Enabled = l.mobile, l.mobile
		}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: motion}, {Name: "forced-colors", Value: forced}},
		}),
	)
}

// enable makes the tab tell what it complains of, and behave as the one that is
// looked at.
func (b *tab) enable() {
	b.t.Helper()
	b.do(command(log.Enable, cdp.Empty{}), command(runtime.Enable, cdp.Empty{}),
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
}

// before runs a script in each document from the next one on, before its own.
func (b *tab) before(script string) {
	b.t.Helper()
	b.do(command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script}))
}

// command is a command of the DevTools protocol whose answer does not matter.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// noComplaints checks that all the page complained of was expected.
func (b *tab) noComplaints() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		if !slices.ContainsFunc(b.forgive, func(word string) bool { return strings.Contains(c, word) }) {
			b.t.Errorf("the page complains: %s", c)
		}
	}
}

// listen collects everything the page complains of.
func (b *tab) listen(event any) {
	said := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		said = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			said += " " + x.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" {
			said = "console: " + string(e.Type)
			for _, a := range e.Args {
				said += " " + string(a.Value) + a.Description
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			said = fmt.Sprintf("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	if said != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.complaints = append(b.complaints, said)
	}
}

// soon bounds what is asked of the browser: it answers, or the test fails.
func (b *tab) soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, patience)
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.soon()
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// ask evaluates an expression in the page; a promise is awaited.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	return askLong[T](b, patience, expression)
}

// askLong is for what takes a processor's time.
func askLong[T any](b *tab, limit time.Duration, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// run runs statements in the page.
func (b *tab) run(statements string) {
	b.t.Helper()
	ask[chromedp.Void](b, statements)
}

// patience is how long a test waits for what must come: long, for a machine that does
// much else. What is promised within a time is measured, not waited for.
const patience = time.Minute

// until waits for an expression to be true.
func (b *tab) until(expression string) {
	b.t.Helper()
	b.within(patience, expression)
}

func (b *tab) within(limit time.Duration, expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(limit); !ask[bool](b, "Boolean("+expression+")"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("waited %v in vain for %s\nthe page says:\n%s", limit, expression, ask[string](b, "document.body.innerText.slice(0, 1500)"))
		}
	}
}

// hear notes from now on all that an element says, also for a moment only: a page
// that is asked now and then what it says may have said something else between.
func (b *tab) hear(element string) {
	b.t.Helper()
	b.run(fmt.Sprintf(`{ const e = %s; const said = ((globalThis.heard ??= {})[%s] = [e.textContent]);
		new MutationObserver(() => said.push(e.textContent)).observe(e, { childList: true, characterData: true, subtree: true }); }`, element, quote(element)))
}

// heard waits until the element has said what a pattern matches.
func (b *tab) heard(element, pattern string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`heard[%s].some((words) => /%s/.test(words))`, quote(element), pattern))
}

// rests waits until nothing moves or fades in any more.
func (b *tab) rests() {
	b.t.Helper()
	b.until(`document.getAnimations().every((a) => a.playState !== "running")`)
}

// drawn waits until what was done is on the screen: the frame that begins now, and the
// next one, are over.
func (b *tab) drawn() {
	b.t.Helper()
	b.run(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))`)
}

// text is what an element says, without the white space around it.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(ask[string](b, fmt.Sprintf("document.querySelector(%q)?.textContent ?? ''", selector)))
}

// texts are the posts in the list from the top, notices in brackets.
func (b *tab) texts() []string {
	b.t.Helper()
	return ask[[]string](b, `[...document.querySelectorAll(".feed > article")].map((a) => a.matches(".notice") ? "[" + a.textContent + "]" : a.querySelector(".text")?.textContent ?? "")`)
}

// shows waits until some post in the list has the words.
func (b *tab) shows(words string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(".feed > article")].some((a) => a.textContent.includes(%q))`, words))
}

// place is the distance from the top of the window to the card with the words, as
// drawn: until then cards that were out of sight have the height of a guess.
func (b *tab) place(words string) float64 {
	b.t.Helper()
	b.drawn()
	return ask[float64](b, fmt.Sprintf(`[...document.querySelectorAll(".feed > article")].find((a) => a.textContent.includes(%q)).getBoundingClientRect().top`, words))
}

// enter puts words into a field, in place of what is there.
func (b *tab) enter(field, words string) {
	b.t.Helper()
	b.run(fmt.Sprintf("document.querySelector(%q).value = ''", field))
	b.do(chromedp.SendKeys(chromedp.CSS(field), words))
}

// puts is enter all at once, as pasted: keys on a busy machine come with pauses, in
// which the page asks about what is there so far.
func (b *tab) puts(field, words string) {
	b.t.Helper()
	b.run(fmt.Sprintf("{ const f = document.querySelector(%q); f.value = %s; f.dispatchEvent(new Event('input', { bubbles: true })); }", field, quote(words)))
}

func (b *tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// press presses a key, such as kb.PageDown or "j".
func (b *tab) press(key string, with ...chromedp.KeyOption) {
	b.t.Helper()
	b.do(chromedp.KeyEvent(key, with...))
}

// pointer moves the mouse to the middle of an element, or away from all for "".
func (b *tab) pointer(selector string) {
	b.t.Helper()
	x, y := 2.0, 2.0
	if selector != "" {
		at := ask[[2]float64](b, fmt.Sprintf(`(() => { const r = document.querySelector(%q).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`, selector))
		x, y = at[0], at[1]
	}
	b.do(chromedp.MouseEvent("mouseMoved", x, y))
}

// picture leaves a picture of what the window shows.
func (b *tab) picture(name string) {
	b.t.Helper()
	ctx, cancel := b.soon()
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Logf("no picture: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(artifacts, name+".png"), png, 0o644); err != nil {
		b.t.Error(err)
	}
}
