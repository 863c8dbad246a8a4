package jsontext

// Each calls read at every object of an array.
func (r *Reader) Each(read func()) {
	if !r.Array() {
		return
	}
	for r.Item() {
		if r.Peek() != '{' {
			r.Skip()
			continue
		}
		read()
	}
}

// Position reads a GeoJSON position: an array of two numbers, longitude first,
// or more (there may be a height).
func (r *Reader) Position() (p [2]float64, ok bool) {
	if !r.Array() {
		return p, false
	}
	n := 0
	for r.Item() {
		if v, isNumber := r.Float(); isNumber && n < 2 {
			p[n] = v
			n++
		}
	}
	return p, n == 2
}
