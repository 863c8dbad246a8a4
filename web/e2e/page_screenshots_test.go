package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// screenshot leaves a picture of the window where SCREENSHOTS_DIR says, for the
// documents: `make screenshots`.
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

// TestScreenshotsPage takes the picture of the page in the documents; without
// SCREENSHOTS_DIR there is nothing to take.
func TestScreenshotsPage(t *testing.T) {
	if os.Getenv("SCREENSHOTS_DIR") == "" {
		t.Skip("SCREENSHOTS_DIR is not set: no pictures are wanted")
	}
	w := newWorld(t, 100)
	w.held(500)
	b := w.open(threeColumns, look{width: 1280, height: 760, still: true})
	b.until(`[...document.querySelectorAll(".column")].every((c) => c.querySelectorAll(".card").length > 6)`)
	b.screenshot("page")
}
