package filter

// holds tells whether p has what a leaf looks for.
func (d *detail) holds(o op, p *Post) bool {
	switch o {
	case opOverlaps:
		return p.HasGeo && d.box.overlaps(p.Geo)
	case opLevel:
		return p.Level >= Level(d.lo)
	}
	return false
}
