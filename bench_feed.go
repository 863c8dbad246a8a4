package main

import (
	"bytes"
	"math/bits"
	"time"
)

// recentPosts is how many posts' times are remembered, for streams that lag.
const recentPosts = 1 << 14

// A feed's numbers may span so many from the first one seen, up and down; what
// lies beyond is not compared.
const (
	feedAbove = 1 << 30 // 128 MiB of bits if they are all used
	feedBelow = 1 << 20
)

// benchFeed is what all streams of one URL got together.
type benchFeed struct {
	epoch   []byte // what stands before the number in the ids
	base    uint64 // the number of the first bit
	seen    []uint64
	ranks   []uint64 // posts before each word of seen; by rank
	newest  uint64
	cut     uint64
	frozen  bool
	foreign int64 // ids of another epoch, or out of bounds

	recent []benchPost // by number modulo its length
}

// benchPost is when a post was made and when the first stream got it, in ns.
type benchPost struct {
	number      uint64
	first, made int64
}

// number reads the number at the end of an id: "k3f9a1-4711" or "4711".
func (f *benchFeed) number(id []byte) (n uint64, ok bool) {
	begin := bytes.LastIndexByte(id, '-') + 1
	digits := id[begin:]
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = n*10 + uint64(d-'0')
	}
	if f.epoch == nil {
		f.epoch = append([]byte{}, id[:begin]...)
		f.base = (max(n, feedBelow) - feedBelow) &^ 63
	}
	if !bytes.Equal(f.epoch, id[:begin]) || n < f.base || n-f.base >= feedAbove {
		f.foreign++
		return 0, false
	}
	return n, true
}

// mark notes that some stream has the post.
func (f *benchFeed) mark(n uint64) {
	word := (n - f.base) / 64
	for uint64(len(f.seen)) <= word {
		f.seen = append(f.seen, 0)
	}
	f.seen[word] |= 1 << ((n - f.base) % 64)
	f.newest = max(f.newest, n)
}

// post returns the times of a post; first says that there were none yet.
func (f *benchFeed) post(n uint64) (p *benchPost, first bool) {
	p = &f.recent[n%recentPosts]
	switch {
	case p.number == n:
		return p, false
	case p.number > n: // so old that its place is taken: it is timed by its own stamp alone
		return &benchPost{}, true
	}
	*p = benchPost{number: n}
	return p, true
}

// rank counts the posts before each word, for upTo.
func (f *benchFeed) rank() {
	f.ranks = make([]uint64, len(f.seen)+1)
	for i, word := range f.seen {
		f.ranks[i+1] = f.ranks[i] + uint64(bits.OnesCount64(word))
	}
}

// upTo is how many posts have a number up to n.
func (f *benchFeed) upTo(n uint64) uint64 {
	if n < f.base || len(f.seen) == 0 {
		return 0
	}
	word := (n - f.base) / 64
	if word >= uint64(len(f.seen)) {
		return f.ranks[len(f.seen)]
	}
	return f.ranks[word] + uint64(bits.OnesCount64(f.seen[word]<<(63-(n-f.base)%64)))
}

// madeAt reads when a post was made, in Unix ns: from timestamp_ms of the
// upstream's JSON or created_at of the compact form; 0 if there is neither.
func madeAt(data []byte) int64 {
	const stamp, created = `"timestamp_ms":"`, `"created_at":"`
	if at := bytes.LastIndex(data, []byte(stamp)); at >= 0 {
		var ms int64
		for _, d := range data[at+len(stamp):] {
			if d < '0' || d > '9' || ms > 1<<50 {
				break
			}
			ms = ms*10 + int64(d-'0')
		}
		return ms * int64(time.Millisecond)
	}
	if at := bytes.Index(data, []byte(created)); at >= 0 {
		text, _, _ := bytes.Cut(data[at+len(created):], []byte{'"'})
		if made, err := time.Parse(time.RFC3339, string(text)); err == nil {
			return made.UnixNano()
		}
	}
	return 0
}
