package filter

import "unsafe"

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
	// bare tokens, whole words, hashtags, mentions, cashtags, concerned user
	// ids, the language. The hash is seeded per process: features never leave it.
	Features []uint64

	// Order holds the low halves of the features of bare tokens (and of the words
	// of the author's profile and of the place) as they follow one another, 0
	// between two fields: phrases are looked for in it once their tokens are known
	// to be in Features.
	Order []uint32

	// Links are the URLs of the post as expanded and as shown, folded, with a line
	// feed behind each.
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

// Size returns the memory the post holds, in bytes: itself, its features, its
// ids. Key.Source is the dialect's own string and not counted.
func (p *Post) Size() int {
	n := int(unsafe.Sizeof(*p)) + 8*cap(p.Features) + 4*cap(p.Order) + len(p.Links) + len(p.Key.ID) + len(p.Author)
	for _, r := range p.Refs {
		n += int(unsafe.Sizeof(r)) + len(r)
	}
	return n
}
