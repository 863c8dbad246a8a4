package twitter

import (
	"math"

	"aviary/fanout/filter"
)

// place is a place as far as it counts here.
type place struct {
	id      string
	name    string // the full one
	short   string
	country string // code
	area    filter.Box
	hasArea bool
}

// each calls read at every object of an array.
func (r *reader) each(read func()) {
	if !r.array() {
		return
	}
	for r.item() {
		if r.next() != '{' {
			r.skip()
			continue
		}
		read()
	}
}

// walkCoordinates reads a GeoJSON point, [longitude, latitude].
func (r *reader) walkCoordinates() (point [2]float64, ok bool) {
	if !r.object() {
		return point, false
	}
	for r.key() {
		if r.name == "coordinates" {
			point, ok = r.position()
		} else {
			r.skip()
		}
	}
	return point, ok
}

// position reads an array of two numbers (or more: GeoJSON allows a height).
func (r *reader) position() (p [2]float64, ok bool) {
	if !r.array() {
		return p, false
	}
	n := 0
	for r.item() {
		if v, isNumber := r.float(); isNumber && n < 2 {
			p[n] = v
			n++
		}
	}
	return p, n == 2
}

// walkPlace reads a place: its id, its names and its bounding box.
func (r *reader) walkPlace() (p place) {
	if !r.object() {
		return p
	}
	for r.key() {
		switch r.name {
		case "id":
			p.id, _ = r.str()
		case "name":
			p.short, _ = r.str()
		case "full_name":
			p.name, _ = r.str()
		case "country_code":
			p.country, _ = r.str()
		case "bounding_box":
			if r.object() {
				for r.key() {
					if r.name == "coordinates" {
						p.area, p.hasArea = r.box()
					} else {
						r.skip()
					}
				}
			}
		default:
			r.skip()
		}
	}
	return p
}

// box reads the coordinates of a GeoJSON polygon: the least and greatest of its
// corners, whose order varies.
func (r *reader) box() (b filter.Box, ok bool) {
	if !r.array() {
		return b, false
	}
	b = filter.Box{West: math.Inf(1), South: math.Inf(1), East: math.Inf(-1), North: math.Inf(-1)}
	for r.item() {
		if !r.array() {
			continue
		}
		for r.item() {
			if p, isPosition := r.position(); isPosition {
				ok = true
				b.West, b.East = min(b.West, p[0]), max(b.East, p[0])
				b.South, b.North = min(b.South, p[1]), max(b.North, p[1])
			}
		}
	}
	return b, ok
}
