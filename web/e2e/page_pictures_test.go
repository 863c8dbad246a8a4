package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// threeColumns is the page as its pictures show it.
const threeColumns = "/?filter.football=football&filter.kitchen=cooking+OR+%23cooking&filter.sky=space+OR+weather&max_rate=2"

// The page in three widths and both themes, kept for people to look at. Here it is
// held that nothing sticks out of the window.
func TestPictures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 40)
	w.held(300)
	for _, dark := range []bool{false, true} {
		theme := "light"
		if dark {
			theme = "dark"
		}
		for _, width := range []int64{390, 820, 1440} {
			b := w.open(threeColumns, look{width: width, height: 900, dark: dark, mobile: width < 500, still: true})
			b.until(`[...document.querySelectorAll(".column")].every((c) => c.querySelectorAll(".card").length > 4)`)
			if wide := ask[int64](b, "document.documentElement.scrollWidth"); wide > width {
				t.Errorf("%s, %d px: the page is %d px wide", theme, width, wide)
			}
			b.picture(fmt.Sprintf("page-%s-%d", theme, width))
			b.run(`{ document.querySelectorAll(".edit")[1]?.click(); }`)
			b.picture(fmt.Sprintf("editor-%s-%d", theme, width))
			if width == 1440 {
				b.do(chromedp.Navigate(w.url + "/"))
				b.until(`document.querySelectorAll(".card").length > 8`)
				b.picture("single-" + theme)
			}
		}
	}
}
