package filter

import (
	"hash/maphash"
	"math/bits"
	"slices"
)

// A feature is a hash of one thing that can be looked up in a post, tagged with
// its kind so that the word "en" and the language "en" are two features. Two
// things that share a hash would be taken for one another: among 2^64 values
// that does not happen by chance, and the secret seed rules it out on purpose.
type kind uint64

const (
	kindToken   kind = 0
	kindWord    kind = 0x9e3779b97f4a7c15 // odd constants far apart: the hash is xored with them
	kindHashtag kind = 0xc2b2ae3d27d4eb4f
	kindMention kind = 0x165667b19e3779f9
	kindCashtag kind = 0xd6e8feb86659fd93
	kindUser    kind = 0xa0761d6478bd642f
	kindLang    kind = 0xe7037ed1a0b428db
)

var seed = maphash.MakeSeed()

func (k kind) of(s string) uint64      { return maphash.String(seed, s) ^ uint64(k) }
func (k kind) ofBytes(s []byte) uint64 { return maphash.Bytes(seed, s) ^ uint64(k) }

// sortFeatures sorts f and drops what is there twice. Hashes are spread evenly,
// so dealing them into about as many buckets as there are hashes leaves them
// almost in order, and insertion does the rest: a third of the time of a sort that
// compares. The result lies in f or in scratch, which grows as needed.
func sortFeatures(f []uint64, scratch *[]uint64) []uint64 {
	if len(f) < 12 || len(f) > 2048 {
		slices.Sort(f)
		return slices.Compact(f)
	}
	var ends [64]uint16 // of each bucket: the hash's top six bits
	for _, h := range f {
		ends[h>>58]++
	}
	sum := uint16(0)
	for i, n := range ends {
		ends[i] = sum
		sum += n
	}
	out := slices.Grow((*scratch)[:0], len(f))[:len(f)]
	*scratch = out
	for _, h := range f {
		out[ends[h>>58]] = h
		ends[h>>58]++
	}
	return insertionSort(out)
}

// insertionSort sorts what is nearly sorted, and drops repeats as it goes.
func insertionSort(f []uint64) []uint64 {
	n := 0 // f[:n] is sorted and distinct
next:
	for _, h := range f {
		i := n
		for ; i > 0 && f[i-1] >= h; i-- {
			if f[i-1] == h {
				continue next
			}
		}
		copy(f[i+1:n+1], f[i:n])
		f[i] = h
		n++
	}
	return f[:n]
}

// has reports whether the sorted hashes hold h. Where h must lie is guessed
// from its value, since hashes are spread evenly; a few steps lead there.
func has(sorted []uint64, h uint64) bool {
	n := uint64(len(sorted))
	if n == 0 {
		return false
	}
	hi, _ := bits.Mul64(h, n)
	i := int(hi)
	if sorted[i] < h {
		for i++; i < len(sorted) && sorted[i] < h; i++ {
		}
		return i < len(sorted) && sorted[i] == h
	}
	for i > 0 && sorted[i] > h {
		i--
	}
	return sorted[i] == h
}

// meet reports whether two sorted lists share a hash.
func meet(a, b []uint64) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b) > 8*len(a) {
		for _, h := range a {
			if has(b, h) {
				return true
			}
		}
		return false
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			return true
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return false
}
