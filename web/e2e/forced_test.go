package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

// Where the system has the say over colours, what was told by a colour is told by
// something else: what is chosen, pressed, how far a search is, how much a bar shows.
func TestForcedColours(t *testing.T) {
	t.Parallel()
	for name, dark := range map[string]bool{"light": false, "dark": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 0, "AVIARY_SEARCH_WAIT=100ms")
			gallery(w)
			l := look{width: 1100, height: 900, dark: dark, forced: true, still: true}
			b := w.open("/?filter.go=go&filter.all=followers_count:0&max_rate=off", l)
			b.until(`document.querySelectorAll(".feed .card").length === 12`)
			b.click(".halt")
			w.post("waits")
			b.until(`document.querySelector(".new").textContent === "1 new"`)
			b.run(`document.querySelectorAll(".edit")[1].click()`)
			b.picture("forced-page-" + name)
			if shades := b.shades(`document.querySelector(".halt")`); shades[0] == b.shades(`document.querySelectorAll(".halt")[1]`)[0] {
				t.Errorf("a column that is paused has a button like one that is not: %v", shades)
			}
			b.search("go", "50")
			b.until(`/^Done/.test(document.querySelector("#found").textContent)`)
			b.run(`document.querySelector("#search").scrollIntoView()`)
			b.picture("forced-search-" + name)
			if bar, ground := b.shades(`document.querySelector("#progress")`)[0], b.shades("document.body")[0]; bar == ground {
				t.Errorf("a search that is done has a bar of %v on %v", bar, ground)
			}

			d := w.openWith("/dashboard", l, hourOf)
			d.until(`document.querySelectorAll(".line").length > 8`)
			d.picture("forced-dashboard-" + name)
			if chosen := d.shades(`document.querySelector("#range label:has(:checked)")`); chosen[0] == d.shades(`document.querySelector("#range label")`)[0] {
				t.Errorf("the time that is chosen looks like one that is not: %v", chosen)
			}

			f := w.widget(w.host(`<tweet-feed track="go" lang="en-GB"></tweet-feed>`), l)
			f.until(items + `.length === 7`)
			f.picture("forced-widget-" + name)
			if logo := f.shades(items + `[0].querySelector(".logo")`); len(logo) < 2 {
				t.Errorf("the logo is not to be seen: %v", logo)
			}
		})
	}
}

// shades are the colours that an element in sight shows, the most frequent first.
func (b *tab) shades(element string) []color.RGBA {
	b.t.Helper()
	at := ask[[4]float64](b, fmt.Sprintf(`(() => { const r = %s.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; })()`, element))
	ctx, cancel := b.soon()
	defer cancel()
	raw, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	count := map[color.RGBA]int{}
	area := image.Rect(int(at[0]), int(at[1]), int(at[2]), int(at[3])).Intersect(picture.Bounds())
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			count[color.RGBAModel.Convert(picture.At(x, y)).(color.RGBA)]++
		}
	}
	all := slices.SortedFunc(maps.Keys(count), func(x, y color.RGBA) int { return cmp.Compare(count[y], count[x]) })
	if len(all) == 0 {
		b.t.Fatalf("%s is not in sight: %v", element, at)
	}
	return all
}
