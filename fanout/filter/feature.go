package filter

import (
	"encoding/binary"
	"math/bits"
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

	kindFrom         kind = 0x8ebc6af09c88c6e3 // author: id and name
	kindTo           kind = 0x589965cc75374cc3 // author of the post it answers: id and name
	kindRetweetsOf   kind = 0x1d8e4e27c47d124f // author of the post it reposts: id and name
	kindConversation kind = 0xeb44accab455d165 // id of a conversation
	kindInReplyTo    kind = 0x9c6e6877736c46e3 // id of the post it answers
	kindRetweetOf    kind = 0x6295c58d548264a9 // id of the post it reposts
	kindBio          kind = 0xa2aa033b64c8c2e1 // tokens of the author's description
	kindBioName      kind = 0x3c1d0b4f5a1f3b6d // tokens of the author's name
	kindBioLocation  kind = 0x71c9bdcb9d4a7f25 // tokens of the author's location
	kindPlace        kind = 0xd1b54a32d192ed03 // id of the place, tokens of its names
	kindCountry      kind = 0xabc98388fb8fac03 // code of the place's country
	kindSource       kind = 0x4b33a62ed433d4a3 // name of the program it was written with
	kindIs           kind = 0x2d358dccaa6c78a5 // retweet, reply, quote, verified
	kindHas          kind = 0x8bb84b93962eacc9 // hashtags, cashtags, links, mentions, media, images, video_link, geo
)

// sortFeatures sorts f and drops what is there twice. Hashes are spread evenly,
// so dealing them into more buckets than there are hashes leaves them almost in
// order, and insertion does the rest: a quarter of the time of a sort that
// compares. The result lies in f or in scratch, which grows as needed.
func sortFeatures(f []uint64, scratch *[]uint64) []uint64 {
	if len(f) > 255 {
		return sortMany(f, scratch)
	}
	var at [256]uint8 // where the next hash of each bucket goes; the bucket is the top byte
	for _, h := range f {
		at[h>>56]++
	}
	sum := uint64(0) // eight counts at once: none exceeds a byte
	for i := 0; i < len(at); i += 8 {
		upTo := binary.LittleEndian.Uint64(at[i:]) * ones
		binary.LittleEndian.PutUint64(at[i:], upTo<<8+sum*ones)
		sum += upTo >> 56
	}
	if cap(*scratch) < len(f) {
		*scratch = make([]uint64, 256)
	}
	out := (*scratch)[:len(f)]
	for _, h := range f {
		i := &at[h>>56]
		out[*i] = h
		*i++
	}
	return insertionSort(out)
}

// sortMany is sortFeatures for a long text, whose counts do not fit in bytes.
func sortMany(f []uint64, scratch *[]uint64) []uint64 {
	first := min(bits.Len(uint(len(f))), 16)
	buckets, shift := 1<<first, 64-first
	if cap(*scratch) < len(f)+buckets {
		*scratch = make([]uint64, len(f)+buckets)
	}
	out, at := (*scratch)[:len(f)], (*scratch)[len(f):len(f)+buckets]
	clear(at)
	for _, h := range f {
		at[h>>shift]++
	}
	sum := uint64(0)
	for i, n := range at {
		at[i] = sum
		sum += n
	}
	for _, h := range f {
		i := &at[h>>shift]
		out[*i] = h
		*i++
	}
	return insertionSort(out)
}

// insertionSort sorts what is nearly sorted, and drops repeats as it goes.
func insertionSort(f []uint64) []uint64 {
	n := 0 // f[:n] is sorted and distinct
	last := uint64(0)
	for _, h := range f {
		if h > last || n == 0 {
			f[n] = h
			n++
			last = h
			continue
		}
		i := n
		for i > 0 && f[i-1] > h {
			i--
		}
		if i > 0 && f[i-1] == h {
			continue
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
