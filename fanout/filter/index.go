package filter

import "slices"

// Index finds, of many filters, those that let a post through. What a post costs
// grows with the filters that it matches or nearly does, not with those it has
// nothing to do with: every filter waits under the rarest features that a post
// must have to match it, and of a post's features most are waited for by nobody.
//
// Add, Remove and Match need the index to themselves; all other methods may be
// called side by side. Match too changes it: it learns from every post which
// features are rare, and moves filters that look at too many posts in vain, a few
// at a time. No call has to do what grows with the number of filters, and Match
// allocates nothing but, now and then, for such a move.
type Index[T any] struct {
	core   core
	values chunks[T]
}

// Handle names a filter in an Index. The zero Handle names none, and none is given
// out again before four billion others.
type Handle uint64

var anyPost = &Filter{}

// NewIndex returns an empty index.
func NewIndex[T any]() *Index[T] {
	x := &Index[T]{}
	x.core.init()
	return x
}

// Len returns the number of filters in the index.
func (x *Index[T]) Len() int { return x.core.live }

// Size returns the bytes that the index holds, its filters and half a megabyte
// of statistics included; what values of T point to is not counted.
func (x *Index[T]) Size() int64 { return x.core.size() + x.values.size() }

// Unwaiting returns how many of the filters every post has to be held against,
// since they ask for nothing that could be waited for, such as a least number of
// followers and nothing else. The filters for every post are among them.
func (x *Index[T]) Unwaiting() int { return int(x.core.always.n) }

// Add puts a filter in and returns its handle. Equal filters are not merged:
// each is told for itself.
func (x *Index[T]) Add(f *Filter, value T) Handle {
	if f == nil {
		f = anyPost
	}
	id := x.core.add(f)
	if id == x.values.n {
		x.values.grow()
	}
	*x.values.at(id) = value
	return Handle(x.core.entries.at(id).serial)<<32 | Handle(id)
}

// Remove takes a filter out. A handle that is not in the index does nothing.
func (x *Index[T]) Remove(h Handle) {
	id, ok := x.core.entry(h)
	if !ok {
		return
	}
	var none T
	*x.values.at(id) = none
	if x.core.remove(id); x.core.live == 0 {
		x.values = chunks[T]{}
	}
}

// Match calls f with the value of every filter that lets the post through, the
// filters for every post included: once for each, in no order. f must not
// change the index.
func (x *Index[T]) Match(p *Post, f func(T)) {
	for _, id := range x.core.match(p) {
		f(*x.values.at(id))
	}
}

// Watched returns the canonical texts of those leaves of a filter under which it
// would wait if it were added now; none if every post had to be held against it.
func (x *Index[T]) Watched(f *Filter) []string { return f.LeafTexts(x.Leaves(f)) }

// Leaves is Watched for who holds a lock: what it returns is to be turned into
// texts by the filter's LeafTexts, without the lock.
func (x *Index[T]) Leaves(f *Filter) []int {
	if f == nil {
		return nil
	}
	pl := planner{sketch: &x.core.sketch}
	pl.plan(f)
	leaves := make([]int, len(pl.places))
	for i := range pl.places {
		leaves[i] = int(pl.places[i].node)
	}
	return distinct(leaves)
}

// LeavesAt is Leaves for a filter that is in the index: where it does wait.
func (x *Index[T]) LeavesAt(h Handle) []int {
	id, ok := x.core.entry(h)
	if !ok {
		return nil
	}
	var leaves []int
	e := x.core.entries.at(id)
	for _, r := range e.refs[:e.n] {
		if r.feature != noFeature {
			leaves = append(leaves, int(r.node))
		}
	}
	return distinct(leaves)
}

// LeafTexts returns the canonical texts of leaves that an Index named.
func (f *Filter) LeafTexts(leaves []int) []string {
	if f == nil {
		return nil
	}
	all := f.texts()
	texts := make([]string, len(leaves))
	for i, leaf := range leaves {
		texts[i] = all[leaf]
	}
	return slices.Compact(texts)
}

func distinct(leaves []int) []int {
	slices.Sort(leaves)
	return slices.Compact(leaves)
}

// entry returns the number of a handle's entry.
func (x *core) entry(h Handle) (id uint32, ok bool) {
	id, serial := uint32(h), uint32(h>>32)
	return id, serial != 0 && id < x.entries.n && x.entries.at(id).serial == serial
}
