package filter

import (
	"strings"
	"unsafe"
)

// holds tells whether p has what a leaf looks for.
func (d *detail) holds(o op, p *Post) bool {
	switch o {
	case opPhrase:
		return d.inOrder(p.Order) || d.near == 0 && d.inLinks(p.Links)
	case opURL:
		return d.inLinks(p.Links)
	case opLink:
		return strings.Contains(p.Links, d.text)
	case opCount:
		n := p.Counts[d.count]
		return n != NoCount && d.lo <= n && n <= d.hi
	case opOverlaps:
		return p.HasGeo && d.box.overlaps(p.Geo)
	case opInside:
		return p.HasGeo && p.Geo.within(d.box)
	case opCircle:
		return p.HasGeo && p.Geo.inCircle(d.lon, d.lat, d.km)
	case opSample:
		return percentile(p.Key.ID) < d.lo
	case opLevel:
		return p.Level >= Level(d.lo)
	}
	return false
}

// percentile gives a post one of the numbers below 100, by its id alone: the same
// on every machine and after every restart.
func percentile(id string) uint32 {
	x := uint64(14695981039346656037) // FNV-1a
	for i := range len(id) {
		x = (x ^ uint64(id[i])) * 1099511628211
	}
	// The low digits of ids follow one another: mix them into all of the hash.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return uint32(x % 100)
}

// inOrder tells whether the tokens stand in a row, or near one another. What it
// takes grows with the length of order and not faster, whatever stands in there.
func (d *detail) inOrder(order []uint32) bool {
	first := uint32(d.tokens[0])
	from := 0 // where the field begins that i is in
	for i, t := range order {
		switch {
		case t == 0:
			from = i + 1
		case t != first:
		case d.near == 0:
			if d.rowAt(order[i:]) {
				return true
			}
		case d.nearToken(order, from, i):
			return true
		}
	}
	return false
}

// nearToken tells whether all tokens stand near order[i], which is the first of
// them, in the field that begins at from.
func (d *detail) nearToken(order []uint32, from, i int) bool {
	to := i // where the field ends, or where none of them counts any more
	for last := min(len(order), i+len(d.tokens)+int(d.near)); to < last && order[to] != 0; {
		to++
	}
	for base := i - int(d.near); base <= i; base++ {
		if d.nearAt(order[:to], from, base) {
			return true
		}
	}
	return false
}

// rowAt tells whether all tokens follow one another at the head of order.
func (d *detail) rowAt(order []uint32) bool {
	if len(order) < len(d.tokens) {
		return false
	}
	for k, t := range d.tokens {
		if order[k] != uint32(t) {
			return false
		}
	}
	return true
}

// nearAt tells whether every token stands at most d.near places behind where it
// would stand if the phrase began at base, each at a place of its own and all in
// the field that begins at from and ends order. So "a b"~2 finds a and b with up to
// two tokens between, and beside one another the other way round.
func (d *detail) nearAt(order []uint32, from, base int) bool {
	var place [maxTokens]int
next:
	for k, t := range d.tokens {
		at := max(base+k, from)
		for j := k - 1; j >= 0; j-- { // the windows of equal tokens follow one another: the earliest free place is best
			if d.tokens[j] == t {
				at = max(at, place[j]+1)
				break
			}
		}
		for ; at <= base+k+int(d.near) && at < len(order); at++ {
			if order[at] == uint32(t) {
				place[k] = at
				continue next
			}
		}
		return false
	}
	return true
}

// inLinks tells whether the tokens stand in a row in one of the links.
func (d *detail) inLinks(links string) bool {
	for link := range strings.SplitSeq(links, "\n") {
		s := unsafe.Slice(unsafe.StringData(link), len(link)) // only read
		for i := 0; i < len(s); {
			end := tokenEnd(s, i)
			if end > i && d.linkAt(s[i:]) {
				return true
			}
			if i = end; i < len(s) {
				_, n := classAt(s, i)
				i += n
			}
		}
	}
	return false
}

// linkAt tells whether s begins with the tokens, whatever stands between them.
func (d *detail) linkAt(s []byte) bool {
	for _, t := range d.tokens {
		for len(s) > 0 {
			if c, n := classAt(s, 0); c&isWord == 0 {
				s = s[n:]
				continue
			}
			break
		}
		end := tokenEnd(s, 0)
		if end == 0 || kindToken.ofBytes(s[:end]) != t {
			return false
		}
		s = s[end:]
	}
	return true
}
