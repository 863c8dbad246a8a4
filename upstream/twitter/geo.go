package twitter

import (
	"math"

	"aviary/fanout/filter"
	"aviary/upstream/jsontext"
)

// reader reads what v1.1 and nobody else has.
type reader struct{ jsontext.Reader }

// place is a place as far as it counts here.
type place struct {
	id      string
	name    string // the full one
	short   string
	country string // code
	area    filter.Box
	hasArea bool
}

// walkCoordinates reads a GeoJSON point, [longitude, latitude].
func (r *reader) walkCoordinates() (point [2]float64, ok bool) {
	if !r.Object() {
		return point, false
	}
	for r.Key() {
		if r.Name == "coordinates" {
			point, ok = r.Position()
		} else {
			r.Skip()
		}
	}
	return point, ok
}

// walkPlace reads a place: its id, its names and its bounding box.
func (r *reader) walkPlace() (p place) {
	if !r.Object() {
		return p
	}
	for r.Key() {
		switch r.Name {
		case "id":
			p.id, _ = r.Str()
		case "name":
			p.short, _ = r.Str()
		case "full_name":
			p.name, _ = r.Str()
		case "country_code":
			p.country, _ = r.Str()
		case "bounding_box":
			if r.Object() {
				for r.Key() {
					if r.Name == "coordinates" {
						p.area, p.hasArea = r.box()
					} else {
						r.Skip()
					}
				}
			}
		default:
			r.Skip()
		}
	}
	return p
}

// box reads the coordinates of a GeoJSON polygon: the least and greatest of its
// corners, whose order varies.
func (r *reader) box() (b filter.Box, ok bool) {
	if !r.Array() {
		return b, false
	}
	b = filter.Box{West: math.Inf(1), South: math.Inf(1), East: math.Inf(-1), North: math.Inf(-1)}
	for r.Item() {
		if !r.Array() {
			continue
		}
		for r.Item() {
			if p, isPosition := r.Position(); isPosition {
				ok = true
				b.West, b.East = min(b.West, p[0]), max(b.East, p[0])
				b.South, b.North = min(b.South, p[1]), max(b.North, p[1])
			}
		}
	}
	return b, ok
}
