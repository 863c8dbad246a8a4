package filter

import (
	"strings"
	"unsafe"
)

// Key names a post for the whole gateway: ids are unique within one source
// only, so two sources may hold the same number.
type Key struct {
	Source string // the dialect's name: "twitter", later "x", "mastodon", …
	ID     string // the post's own id, id_str in Twitter's words
}

// Box is a rectangle in degrees, longitude first as in the locations
// parameter. A point is a box whose sides are zero.
type Box struct{ West, South, East, North float64 }

// Level is the filter_level of a post or of a filter: None < Low < Medium.
type Level uint8

// The filter levels of the v1.1 streaming API; a post without one counts as LevelNone.
const (
	LevelNone Level = iota
	LevelLow
	LevelMedium
)

// Post is what a filter needs to know of a post, made once by a Builder when
// the post arrives and never changed afterwards. It holds no reference to the
// JSON it was made from.
type Post struct {
	Key    Key
	Author string   // id of the author
	Refs   []string // ids of the reposted and the quoted post inside, if any

	// Features are sorted, distinct hashes of everything that can be looked up:
	// bare tokens, whole words, hashtags, mentions, cashtags, user ids and names,
	// the language and what else a rule can ask for. The hash is seeded per process:
	// features never leave it.
	Features []uint64

	// Order holds the low halves of the features of the bare tokens in texts, links
	// that are written there included, and of the words of the author's profile and
	// of the place, as they follow one another, 0 between two fields: phrases are
	// looked for in it once their tokens are known to be in Features.
	Order []uint32

	// Links are the URLs of the post as written in its texts, as expanded and as
	// shown, folded, with a line feed behind each. None is a part of an earlier one,
	// and all together are 16 KiB at most.
	Links string

	Counts [4]uint32 // of the author: see CountFollowers and its neighbours; NoCount: not known

	Geo    Box // where the post is; valid if HasGeo
	HasGeo bool
	Level  Level
}

// What Post.Counts counts.
const (
	CountFollowers = iota
	CountFollowing
	CountPosts
	CountListed

	NoCount = ^uint32(0) // the source does not say: no range holds it
)

// own copies all that the post was made from into memory of its own: what the
// builder was given are pieces of a whole JSON text, which the post must not keep
// alive. Besides the post itself that is one allocation for the features and the
// order, one for all strings, and one for the refs of the few posts that have any.
func (p *Post) own() {
	hashes := make([]uint64, len(p.Features)+(len(p.Order)+1)/2)
	n := copy(hashes, p.Features)
	if len(p.Order) > 0 {
		order := unsafe.Slice((*uint32)(unsafe.Pointer(&hashes[n])), len(p.Order))
		copy(order, p.Order)
		p.Order = order
	} else {
		p.Order = nil
	}
	p.Features = hashes[:n:n]

	size := len(p.Key.ID) + len(p.Author) + len(p.Links)
	for _, r := range p.Refs {
		size += len(r)
	}
	var s strings.Builder
	s.Grow(size)
	own := func(text string) string {
		at := s.Len()
		s.WriteString(text)
		return s.String()[at:]
	}
	p.Key.ID, p.Author, p.Links = own(p.Key.ID), own(p.Author), own(p.Links)
	if len(p.Refs) == 0 {
		p.Refs = nil
		return
	}
	refs := make([]string, len(p.Refs))
	for i, r := range p.Refs {
		refs[i] = own(r)
	}
	p.Refs = refs
}

// Size returns the memory the post holds, in bytes: itself, its features, their
// order, its strings. Key.Source is the dialect's own and not counted.
func (p *Post) Size() int {
	n := int(unsafe.Sizeof(*p)) + 8*cap(p.Features) + 4*cap(p.Order) + len(p.Links) + len(p.Key.ID) + len(p.Author)
	for _, r := range p.Refs {
		n += int(unsafe.Sizeof(r)) + len(r)
	}
	return n
}
