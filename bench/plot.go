package main

import (
	"fmt"
	"html"
	"strings"
)

// panel is one group of bars: a figure of every server that has it.
type panel struct {
	title, what, metric, format string
}

var panels = []panel{
	{"CPU a delivery, 1,000 clients × 100 posts/s, µs (less is better)", "100 posts/s", "cpu", "%.1f"},
	{"p99 latency, 1,000 clients × 50 posts/s, ms (less is better)", "50 posts/s", "p99", "%.1f"},
	{"Saturated, deliveries a second (more is better)", "saturated", "rate", "%.0f"},
	{"Memory of an idle client among 9,000, KiB RSS (less is better)", "idle", "rss", "%.1f"},
}

// Measures of the plot, in SVG units.
const (
	plotWidth = 900
	nameWidth = 110
	barHeight = 18
	barGap    = 6
	barsWidth = plotWidth - nameWidth - 120
)

// plot draws the panels as an SVG that can be read on light and dark pages.
func (b *bench) plot() string {
	var out strings.Builder
	y := 0
	for _, p := range panels {
		y = b.bars(&out, p, y+34)
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13" role="img">
<title>aviary beside other servers: medians, with the least and the greatest round</title>
<rect width="100%%" height="100%%" fill="#ffffff"/>
%s</svg>
`, plotWidth, y+14, out.String())
}

// bars draws one panel from y on and returns where it ends.
func (b *bench) bars(out *strings.Builder, p panel, y int) int {
	most := 0.0
	for _, peer := range b.peers {
		_, greatest := b.found.spread(p.what, p.metric, peer.name)
		most = max(most, greatest)
	}
	fmt.Fprintf(out, "<text x=\"8\" y=\"%d\" font-weight=\"bold\" fill=\"#222222\">%s</text>\n", y-10, html.EscapeString(p.title))
	for _, peer := range b.peers {
		v, ok := b.found.get(p.what, p.metric, peer.name)
		least, greatest := b.found.spread(p.what, p.metric, peer.name)
		fill := "#8aa4bf"
		if peer.name == "aviary" {
			fill = "#c2571a"
		}
		fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\" fill=\"#222222\">%s</text>\n", nameWidth-8, y+13, html.EscapeString(peer.name))
		if !ok || most == 0 {
			fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\" fill=\"#777777\">not measured</text>\n", nameWidth, y+13)
			y += barHeight + barGap
			continue
		}
		scale := barsWidth / most
		fmt.Fprintf(out, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", nameWidth, y, max(v*scale, 1), barHeight, fill)
		fmt.Fprintf(out, "<path d=\"M%.1f %dH%.1f\" stroke=\"#222222\"/>\n", nameWidth+least*scale, y+barHeight/2, nameWidth+greatest*scale)
		fmt.Fprintf(out, "<text x=\"%.1f\" y=\"%d\" fill=\"#222222\">"+p.format+"</text>\n", nameWidth+greatest*scale+6, y+13, v)
		y += barHeight + barGap
	}
	return y
}
