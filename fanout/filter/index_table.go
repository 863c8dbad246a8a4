package filter

import "math/bits"

// table finds, by feature, who watches it. Most features of a post are watched
// by nobody, so saying that is what it is made for: each feature has a one-byte
// tag, eight of which are compared at once, and the tags of a hundred thousand
// filters stay in the processor's cache.
//
// It grows without a moment in which everything moves: it consists of pages of
// fixed size, found by the first bits of a feature; a page that is full becomes
// two. Features are spread evenly, and so are the pages.
type table struct {
	dir   []pageRef // by the first 64 − shift bits
	shift uint8
	pages int
	lists lists
}

const (
	pageSlots  = 1024
	pageGroups = pageSlots / 8
	pageFull   = pageSlots * 3 / 4 // slots that are or were in use: groups that are full are few
	pageMerge  = pageSlots / 4     // two neighbours with no more than this together become one
)

// pageRef is a page. Its tags lie apart from the rest, and close together with
// the tags of all other pages.
type pageRef struct {
	tags *[pageGroups]uint64
	page *page
}

type page struct {
	slots [pageSlots]tableSlot
	live  int   // slots in use
	used  int   // slots that are not empty: those in use, and those that were
	depth uint8 // how many first bits all its keys share
}

type tableSlot struct {
	key uint64
	watch
}

// A tag is 0 of an empty slot, 1 of one that was in use in a group that was full,
// else tagLive and seven bits of the feature.
const (
	tagGone = 1
	tagLive = 0x80

	tagOnes = 0x0101010101010101
	tagTops = 0x8080808080808080
)

// zeroBytes marks the zero bytes of w with their top bit. Above one of them it
// may mark another byte too.
func zeroBytes(w uint64) uint64 { return (w - tagOnes) &^ w & tagTops }

func tableTag(feature uint64) uint64 { return feature>>7&0x7f | tagLive }

func newTable() table {
	return table{dir: []pageRef{newPage(0)}, shift: 64, pages: 1}
}

func newPage(depth uint8) pageRef {
	return pageRef{new([pageGroups]uint64), &page{depth: depth}}
}

func (t *table) at(feature uint64) pageRef { return t.dir[feature>>t.shift] }

// find returns what stands under a feature, or nil.
func (t *table) find(feature uint64) *watch {
	p := t.at(feature)
	if i := p.find(feature); i >= 0 {
		return &p.page.slots[i].watch
	}
	return nil
}

// mayHave is 0 of nearly all features that are not in the table, else 1: nothing in
// their first group has their tag, and the search would end there. It is a number
// since a branch here would be guessed wrongly too often.
func (p *pageRef) mayHave(feature uint64) uint64 {
	w := p.tags[feature%pageGroups]
	full := zeroBytes(w)
	full = ^full & (full - 1) >> 63
	found := zeroBytes(w ^ tableTag(feature)*tagOnes)
	return full | (found|-found)>>63
}

// find returns the slot of a feature, or -1.
func (p pageRef) find(feature uint64) int {
	tag := tableTag(feature) * tagOnes
	for g := feature % pageGroups; ; g = (g + 1) % pageGroups {
		w := p.tags[g]
		for m := zeroBytes(w ^ tag); m != 0; m &= m - 1 {
			if i := int(g)*8 + bits.TrailingZeros64(m)/8; p.page.slots[i].key == feature {
				return i
			}
		}
		if zeroBytes(w) != 0 {
			return -1
		}
	}
}

// put makes room for a feature that is not in the table.
func (t *table) put(feature uint64, w watch) {
	p := t.at(feature)
	for p.page.used >= pageFull {
		t.split(feature)
		p = t.at(feature)
	}
	p.put(feature, w)
}

// put needs a slot that is not in use: one that was comes as handy as one that
// never was.
func (p pageRef) put(feature uint64, w watch) {
	for g := feature % pageGroups; ; g = (g + 1) % pageGroups {
		free := ^p.tags[g] & tagTops
		if free == 0 {
			continue
		}
		shift := bits.TrailingZeros64(free) &^ 7
		if p.tags[g]>>shift&0xff == 0 {
			p.page.used++
		}
		p.tags[g] = p.tags[g]&^(0xff<<shift) | tableTag(feature)<<shift
		i := int(g)*8 + shift/8
		p.page.slots[i] = tableSlot{feature, w}
		p.page.live++
		return
	}
}

// add has a filter wait under a feature. pos is its place among those that do.
func (t *table) add(feature uint64, w watch) (pos uint32) {
	at := t.find(feature)
	if at == nil {
		t.put(feature, w)
		return 0
	}
	if !at.isList() {
		id := t.lists.make()
		t.lists.push(id, *at)
		*at = watch{filter: id, ref: watchList}
	}
	return t.lists.push(at.filter, w)
}

// remove takes a watch away. moved is the one that now has its place, if any.
func (t *table) remove(feature uint64, pos uint32) (moved *watch) {
	at := t.find(feature)
	if !at.isList() {
		t.drop(feature)
		return nil
	}
	id := at.filter
	last := t.lists.pop(id)
	l := t.lists.at(id)
	switch {
	case l.n == 0:
		t.drop(feature)
	case pos < l.n:
		moved = l.at(pos)
		*moved = last
	}
	return moved
}

// watch returns the watch at a place, which must be there.
func (t *table) watch(feature uint64, pos uint32) *watch {
	at := t.find(feature)
	if at.isList() {
		return t.lists.at(at.filter).at(pos)
	}
	return at
}

// drop takes a feature out. Its slot is empty again unless its group was ever
// full: then the search for another feature may have gone past it.
func (t *table) drop(feature uint64) {
	p := t.at(feature)
	i := p.find(feature)
	if i < 0 {
		return
	}
	g, shift := i/8, i%8*8
	if zeroBytes(p.tags[g]) != 0 {
		p.tags[g] &^= 0xff << shift
		p.page.used--
	} else {
		p.tags[g] = p.tags[g]&^(0xff<<shift) | tagGone<<shift
	}
	p.page.slots[i] = tableSlot{}
	p.page.live--
	if p.page.live <= pageMerge/2 {
		t.merge(feature)
	}
}

// split replaces the page of a feature by two, or by a fresh one if it is full
// of slots that were in use.
func (t *table) split(feature uint64) {
	old := t.at(feature)
	depth := old.page.depth
	if old.page.live < pageFull*3/4 {
		fresh := newPage(depth)
		old.each(fresh.put)
		t.set(feature, fresh)
		return
	}
	if 64-t.shift == depth {
		t.double()
	}
	bit := uint64(1) << (63 - depth)
	low, high := newPage(depth+1), newPage(depth+1)
	old.each(func(f uint64, w watch) {
		if f&bit == 0 {
			low.put(f, w)
		} else {
			high.put(f, w)
		}
	})
	t.set(feature&^bit, low)
	t.set(feature|bit, high)
	t.pages++
}

// merge makes one page of the feature's and its neighbour if they hold little.
func (t *table) merge(feature uint64) {
	p := t.at(feature)
	if p.page.depth == 0 {
		return
	}
	depth := p.page.depth - 1
	q := t.at(feature ^ 1<<(63-depth))
	if q.page.depth != p.page.depth || p.page.live+q.page.live > pageMerge {
		return
	}
	one := newPage(depth)
	p.each(one.put)
	q.each(one.put)
	t.set(feature, one)
	t.pages--
}

func (p pageRef) each(f func(feature uint64, w watch)) {
	for g, w := range p.tags {
		for m := w & tagTops; m != 0; m &= m - 1 {
			i := g*8 + bits.TrailingZeros64(m)/8
			f(p.page.slots[i].key, p.page.slots[i].watch)
		}
	}
}

// set puts a page into every place of the directory that its depth gives it.
func (t *table) set(feature uint64, p pageRef) {
	n := 1 << (64 - t.shift - p.page.depth)
	from := int(feature>>t.shift) &^ (n - 1)
	for i := from; i < from+n; i++ {
		t.dir[i] = p
	}
}

func (t *table) double() {
	dir := make([]pageRef, 2*len(t.dir))
	for i, p := range t.dir {
		dir[2*i], dir[2*i+1] = p, p
	}
	t.dir = dir
	t.shift--
}
