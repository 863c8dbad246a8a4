package filter

import "unsafe"

// watch is a place where a filter waits for a post: under a feature, in the
// cells of a page or in a list. It is all that is looked at of a filter which
// does not match, so it is small and says what else the post must have.
type watch struct {
	filter uint32    // its entry; of a watch that stands for a list: the list
	ref    uint32    // which of the entry's refs, and the flags below
	also   [2]uint16 // marks (see marks) of two more features that must be there; 0: none
}

const (
	watchSure = 1 << 31 // the feature alone is a match
	watchRef  = watchSure - 1

	watchList = ^uint32(0) // as ref: this is a list
)

func (w *watch) isList() bool { return w.ref == watchList }

// list is the watches under one feature, in no order. It takes a cache line; more
// than a few lie in blocks, so that no filter's coming moves many others.
type list struct {
	few   [listFew]watch
	first []watch // the next blockLen
	rest  *[]*[blockLen]watch
	n     uint32
	free  uint32 // next list without watches, plus one
}

const (
	listFew  = 2
	blockLen = 512
)

func (l *list) at(i uint32) *watch {
	switch {
	case i < listFew:
		return &l.few[i]
	case i < listFew+blockLen:
		return &l.first[i-listFew]
	}
	i -= listFew + blockLen
	return &(*l.rest)[i/blockLen][i%blockLen]
}

func (l *list) push(w watch) (pos uint32) {
	pos = l.n
	l.n++
	switch i := pos - listFew; {
	case pos < listFew:
		l.few[pos] = w
	case i < blockLen:
		if len(l.first) == cap(l.first) {
			l.resize(max(2, 2*cap(l.first)))
		}
		l.first = append(l.first, w)
	default:
		if l.rest == nil {
			l.rest = new([]*[blockLen]watch)
		}
		if i%blockLen == 0 {
			*l.rest = append(*l.rest, new([blockLen]watch))
		}
		*l.at(pos) = w
	}
	return pos
}

// pop takes the last watch away.
func (l *list) pop() (w watch) {
	l.n--
	w = *l.at(l.n)
	switch i := l.n - listFew; {
	case l.n < listFew:
	case i < blockLen:
		l.rest = nil
		l.first = l.first[:i]
		if i == 0 {
			l.first = nil
		} else if 4*len(l.first) < cap(l.first) {
			l.resize(cap(l.first) / 2)
		}
	case i%blockLen == 0:
		end := len(*l.rest) - 1
		(*l.rest)[end] = nil
		*l.rest = (*l.rest)[:end]
	}
	return w
}

func (l *list) resize(n int) { l.first = append(make([]watch, 0, n), l.first...) }

// block returns the n-th run of watches that lie together; nil: there are no more.
func (l *list) block(n int) []watch {
	switch {
	case n == 0:
		return l.few[:min(l.n, listFew)]
	case n == 1:
		return l.first
	case l.rest == nil || n-2 >= len(*l.rest):
		return nil
	}
	left := l.n - listFew - uint32(n-1)*blockLen
	return (*l.rest)[n-2][:min(blockLen, left)]
}

// size returns the bytes of a list beyond itself.
func (l *list) size() int64 {
	n := int64(cap(l.first)) * int64(unsafe.Sizeof(watch{}))
	if l.rest != nil {
		n += int64(unsafe.Sizeof(*l.rest)) + 8*int64(cap(*l.rest)) + int64(len(*l.rest))*int64(unsafe.Sizeof([blockLen]watch{}))
	}
	return n
}

// lists are all lists of a table, and the one of filters that every post has to
// be held against.
type lists struct {
	chunks chunks[list]
	free   uint32 // the first without watches, plus one
	bytes  int64
}

func (l *lists) at(id uint32) *list { return l.chunks.at(id) }

func (l *lists) make() (id uint32) {
	if l.free == 0 {
		return l.chunks.grow()
	}
	id = l.free - 1
	l.free = l.at(id).free
	l.at(id).free = 0
	return id
}

func (l *lists) push(id uint32, w watch) (pos uint32) {
	it := l.at(id)
	l.bytes -= it.size()
	pos = it.push(w)
	l.bytes += it.size()
	return pos
}

func (l *lists) pop(id uint32) (w watch) {
	it := l.at(id)
	l.bytes -= it.size()
	if w = it.pop(); it.n == 0 {
		*it = list{free: l.free}
		l.free = id + 1
	}
	l.bytes += it.size()
	return w
}

// chunks is a growing array whose elements never move.
type chunks[E any] struct {
	all []*[chunkLen]E
	n   uint32
}

const chunkLen = 256

func (c *chunks[E]) at(i uint32) *E { return &c.all[i/chunkLen][i%chunkLen] }

// grow adds an element and returns its index.
func (c *chunks[E]) grow() (i uint32) {
	if i = c.n; i%chunkLen == 0 {
		c.all = append(c.all, new([chunkLen]E))
	}
	c.n++
	return i
}

func (c *chunks[E]) size() int64 {
	var e E
	return int64(len(c.all)) * chunkLen * int64(unsafe.Sizeof(e))
}
