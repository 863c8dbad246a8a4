package filter

// Index finds, of many filters, those that let a post through. Add and Remove
// need the index to themselves; calls of Match may go on side by side.
//
// Inside, it is a list that is gone through filter by filter: right, and quick
// enough for thousands. Callers see only that each handle is told at most once,
// in no particular order, so that an inverted index can take its place.
type Index[T any] struct {
	entries []entry[T]
	at      map[Handle]int // place in entries
	last    Handle
}

type entry[T any] struct {
	filter *Filter
	value  T
	handle Handle
}

// Handle names a filter in an Index. The zero Handle names none, and no handle
// is given out twice.
type Handle uint64

// NewIndex returns an empty index.
func NewIndex[T any]() *Index[T] { return &Index[T]{at: map[Handle]int{}} }

// Len returns the number of filters in the index.
func (x *Index[T]) Len() int { return len(x.entries) }

// Add puts a filter in and returns its handle. Equal filters are not merged:
// each is told for itself.
func (x *Index[T]) Add(f *Filter, value T) Handle {
	x.last++
	x.at[x.last] = len(x.entries)
	x.entries = append(x.entries, entry[T]{f, value, x.last})
	return x.last
}

// Remove takes a filter out. A handle that is not in the index does nothing.
func (x *Index[T]) Remove(h Handle) {
	i, ok := x.at[h]
	if !ok {
		return
	}
	delete(x.at, h)
	end := len(x.entries) - 1
	if i < end {
		x.entries[i] = x.entries[end]
		x.at[x.entries[i].handle] = i
	}
	x.entries[end] = entry[T]{}
	x.entries = x.entries[:end]
}

// Match calls f with the value of every filter that lets the post through, the
// filters for every post included. f must not change the index.
func (x *Index[T]) Match(p *Post, f func(T)) {
	for i := range x.entries {
		if x.entries[i].filter.Match(p) {
			f(x.entries[i].value)
		}
	}
}
