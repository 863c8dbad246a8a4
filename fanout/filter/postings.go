package filter

import (
	"math/bits"
	"slices"
	"unsafe"
)

// Postings finds, in a list of posts that no longer changes, those that a filter
// lets through: what a new client replays. What a filter costs grows with the
// posts that have the rarest of what it asks for, not with the list. It may be used by many
// goroutines.
type Postings struct {
	posts  []*Post
	blocks []block
}

// block is the postings of blockPosts posts in a row: a table of which feature is
// in which post, by the first bits of the feature. A feature's next bits and the
// number of the post share 32 bits. With the table that is about five bytes for each
// feature of each post, of the eight that the post itself holds for it. Features that
// agree in all these bits are told apart by the posts.
type block struct {
	starts []uint32 // by the first bits of a feature: where its run of pairs begins; one more behind
	pairs  []uint32 // feature bits << pairPost | post; each run sorted
	shift  uint8    // 64 − first bits
	geo    bitmap   // posts with a place
	all    bitmap   // posts
}

const (
	pairPost   = 10
	blockPosts = 1 << pairPost
)

// bitmap is a set of posts of a block.
type bitmap [blockPosts / 64]uint64

func (m *bitmap) add(i uint32) { m[i/64] |= 1 << (i % 64) }

// NewPostings makes postings of posts and keeps the slice, which must not change
// any more. A nil post, where the log holds something else, is never found.
func NewPostings(posts []*Post) *Postings {
	p := &Postings{posts: posts}
	for chunk := range slices.Chunk(posts, blockPosts) {
		p.blocks = append(p.blocks, newBlock(chunk))
	}
	return p
}

func newBlock(posts []*Post) block {
	total := 0
	for _, p := range posts {
		if p != nil {
			total += len(p.Features)
		}
	}
	first := max(1, bits.Len(uint(total/4))) // runs of four or so
	b := block{shift: uint8(64 - first), starts: make([]uint32, 1<<first+1), pairs: make([]uint32, total)}
	for i, p := range posts {
		if p == nil {
			continue
		}
		b.all.add(uint32(i))
		if p.HasGeo {
			b.geo.add(uint32(i))
		}
		for _, f := range p.Features {
			b.starts[f>>b.shift]++
		}
	}
	sum := uint32(0)
	for i, n := range b.starts {
		sum += n
		b.starts[i] = sum // its end: filled from behind
	}
	for i, p := range slices.Backward(posts) {
		if p == nil {
			continue
		}
		for _, f := range p.Features {
			at := &b.starts[f>>b.shift]
			*at--
			b.pairs[*at] = b.pair(f) | uint32(i)
		}
	}
	for i := range len(b.starts) - 1 {
		slices.Sort(b.pairs[b.starts[i]:b.starts[i+1]])
	}
	return b
}

// pair returns the first pair that a feature can have.
func (b *block) pair(feature uint64) uint32 {
	return uint32(feature<<(64-b.shift)>>(32+pairPost)) << pairPost
}

// find returns the pairs of a feature.
func (b *block) find(feature uint64) []uint32 {
	i := feature >> b.shift
	run := b.pairs[b.starts[i]:b.starts[i+1]]
	pair := b.pair(feature)
	from, end := 0, 0
	if len(run) < 16 {
		for from < len(run) && run[from] < pair {
			from++
		}
	} else {
		from, _ = slices.BinarySearch(run, pair)
	}
	run = run[from:]
	for step := 16; end+step < len(run) && run[end+step]-pair < blockPosts; step *= 2 {
		end += step
	}
	for end < len(run) && run[end]-pair < blockPosts {
		end++
	}
	return run[:end]
}

// Match appends to out the offsets, from the given one on and growing, of the
// posts that f lets through.
func (p *Postings) Match(f *Filter, from int, out []int) []int {
	from = max(from, 0)
	for n := from / blockPosts; n < len(p.blocks); n++ {
		b, start := &p.blocks[n], n*blockPosts
		s := search{block: b, filter: f, posts: p.posts[start:min(start+blockPosts, len(p.posts))]}
		if start < from {
			s.from = uint32(from - start)
		}
		var found bitmap
		s.all(&found)
		for w, word := range found {
			for ; word != 0; word &= word - 1 {
				out = append(out, start+w*64+bits.TrailingZeros64(word))
			}
		}
	}
	return out
}

// Size returns the bytes that the postings hold beside the posts themselves.
func (p *Postings) Size() int64 {
	n := int64(unsafe.Sizeof(*p)) + 8*int64(cap(p.posts)) + int64(cap(p.blocks))*int64(unsafe.Sizeof(block{}))
	for i := range p.blocks {
		n += 4 * int64(cap(p.blocks[i].starts)+cap(p.blocks[i].pairs))
	}
	return n
}
