//go:build screenshots

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// screenshot leaves a picture of the window where SCREENSHOTS_DIR says, for the
// documents: `make screenshots`, which is why this file needs a tag.
func (b *tab) screenshot(name string) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("SCREENSHOTS_DIR"), name+".png"), png, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// TestScreenshotsPage takes the picture of the page in the documents.
func TestScreenshotsPage(t *testing.T) {
	w := newWorld(t, 100)
	w.held(500)
	b := w.open(threeColumns, look{width: 1280, height: 760, still: true})
	b.until(`[...document.querySelectorAll(".column")].every((c) => c.querySelectorAll(".card").length > 6)`)
	b.screenshot("page")
}

// TestScreenshotsWidget takes the picture of the widget in the documents.
func TestScreenshotsWidget(t *testing.T) {
	w := newWorld(t, 0)
	gallery(w)
	b := w.widget(w.host(`<tweet-feed track="go" theme="light" lang="en-GB"></tweet-feed><tweet-feed track="go" theme="dark" lang="en-GB"></tweet-feed>`), look{width: 1080, height: 640, still: true})
	b.until(`[...document.querySelectorAll("tweet-feed")].every((f) => f.shadowRoot.querySelectorAll("article").length === 6)`)
	b.run(`{ const s = new CSSStyleSheet(); s.replaceSync("body { margin: 0; background: #ece9e1 } h1 { display: none } main { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; padding: 24px } tweet-feed { --tweet-height: 592px }"); document.adoptedStyleSheets = [s]; }`)
	b.screenshot("widget")
}

// TestScreenshotsDashboard takes the picture of the dashboard in the documents.
func TestScreenshotsDashboard(t *testing.T) {
	w := newWorld(t, 0)
	b := w.openWith("/dashboard", look{width: 1280, height: 860, still: true}, hourOf)
	b.until(`document.querySelectorAll(".line").length > 8`)
	b.run(`document.querySelector("#range input[value='3600']").click()`)
	b.screenshot("dashboard")
}
