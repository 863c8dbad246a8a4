package fanout

import (
	"maps"
	"slices"
)

// mostSizes is how many of the largest groups Stats tells.
const mostSizes = 10

// sizes counts groups by how many members they have: as few entries as there are
// different sizes, so that the largest are found without a walk over all groups.
// Owned by the hub's lock.
type sizes map[int]int

// change notes that a group of so many members has another number of them now;
// 0: there was, or is, none.
func (s sizes) change(from, to int) {
	if from > 0 {
		if s[from]--; s[from] == 0 {
			delete(s, from)
		}
	}
	if to > 0 {
		s[to]++
	}
}

// largest returns the sizes of the largest groups, descending.
func (s sizes) largest() []int {
	out := []int{}
	for _, size := range slices.Backward(slices.Sorted(maps.Keys(s))) {
		for range s[size] {
			if out = append(out, size); len(out) == mostSizes {
				return out
			}
		}
	}
	return out
}
