package demand

// books are what the keys of clients have been counted for. Keys that have the same
// filters share a page: an application's thousand clients are counted like one.
type books struct {
	perKey [kinds]int // most terms of one key that count
	tries  int        // needs of one key that are looked at

	// Keys are numbered while somebody has them.
	numbers map[string]int32
	names   []string
	refs    []int32
	unused  []int32

	// Of one count.
	at      []int32 // the page of each key
	pages   []page
	last    []int   // of each page: the filter that was seen last
	filters []int32 // the pages of all filters, one after another
	bounds  []int32 // … where each begins, and the end
}

// page is what each of some keys was counted for.
type page struct {
	keys    int // that have it
	filters int
	tried   int
	used    [kinds]int
	over    [kinds]bool // there is more than counts
	terms   map[*candidate]bool
	needs   map[*counted]bool
}

func newBooks(perKey [kinds]int, tries int) *books {
	return &books{perKey: perKey, tries: tries, numbers: map[string]int32{}}
}

// know numbers keys; leave gives the numbers back.
func (b *books) know(keys []string) []int32 {
	ids := make([]int32, len(keys))
	for i, key := range keys {
		id, known := b.numbers[key]
		if !known {
			if n := len(b.unused); n > 0 {
				id, b.unused = b.unused[n-1], b.unused[:n-1]
			} else {
				id = int32(len(b.names))
				b.names, b.refs, b.at = append(b.names, ""), append(b.refs, 0), append(b.at, 0)
			}
			b.names[id], b.numbers[key] = key, id
		}
		b.refs[id]++
		ids[i] = id
	}
	return ids
}

func (b *books) leave(ids []int32) {
	for _, id := range ids {
		if b.refs[id]--; b.refs[id] == 0 {
			delete(b.numbers, b.names[id])
			b.names[id], b.unused = "", append(b.unused, id)
		}
	}
}

// begin opens a page for each set of filters that keys have.
func (b *books) begin(filters []crowdFilter) {
	b.sort(filters)
	for _, id := range b.at {
		b.pages[id].keys++
	}
	b.pages[0].keys = 0 // numbers that are not in use
	b.last = append(b.last[:0], make([]int, len(b.pages))...)
	b.filters, b.bounds = b.filters[:0], b.bounds[:0]
	for i := range filters {
		b.bounds = append(b.bounds, int32(len(b.filters)))
		for _, id := range filters[i].keys {
			if p := b.at[id]; b.last[p] != i+1 {
				b.last[p] = i + 1
				b.filters = append(b.filters, p)
			}
		}
	}
	b.bounds = append(b.bounds, int32(len(b.filters)))
}

// sort puts each key on the page of its filters: from page to page as it is met with
// one more of them.
func (b *books) sort(filters []crowdFilter) {
	clear(b.pages)
	b.pages = append(b.pages[:0], page{})
	clear(b.at)
	type step struct {
		page   int32
		filter int
	}
	next := map[step]int32{}
	for i := range filters {
		first := int32(0) // the page of those for whom it is the first filter
		for _, id := range filters[i].keys {
			s := step{b.at[id], i}
			to := first
			if s.page != 0 {
				to = next[s]
			}
			if to == 0 {
				to = int32(len(b.pages))
				b.pages = append(b.pages, page{filters: b.pages[s.page].filters + 1})
				if s.page == 0 {
					first = to
				} else {
					next[s] = to
				}
			}
			b.at[id] = to
		}
	}
}

// of returns the pages of the keys that have a filter.
func (b *books) of(filter int) []int32 { return b.filters[b.bounds[filter]:b.bounds[filter+1]] }

// open reports whether anything more of a filter would count for its keys.
func (b *books) open(filter int) bool {
	for _, p := range b.of(filter) {
		if b.pages[p].tried < b.tries {
			return true
		}
	}
	return false
}

// enter counts the needs of a filter for its keys, and returns how often it did.
func (b *books) enter(filter int, needs []*counted) int {
	pages := b.of(filter)
	for _, p := range pages {
		b.count(&b.pages[p], needs)
	}
	return len(pages) * len(needs)
}

// count counts each need once for the keys of a page, as far as perKey goes.
func (b *books) count(p *page, needs []*counted) {
	again := p.filters > 1 // a need may come twice
	for _, n := range needs {
		if p.tried++; p.tried > b.tries {
			p.over[n.term.kind] = true
			return
		}
		if again && p.needs[n] {
			continue
		}
		if k := n.term.kind; !p.terms[n.term] {
			if p.used[k] >= b.perKey[k] {
				p.over[k] = true
				continue
			}
			p.used[k]++
			if again || len(needs) > 1 {
				note(&p.terms, n.term)
			}
		}
		if again {
			note(&p.needs, n)
		}
		n.weight += p.keys
	}
}

func note[T comparable](in *map[T]bool, one T) {
	if *in == nil {
		*in = map[T]bool{}
	}
	(*in)[one] = true
}
