package filter

// Postings finds, in a list of posts that no longer changes, those that a filter
// lets through: what a new client replays. It may be used by many goroutines.
//
// Inside, it is the list itself, gone through post by post; a table sorted by
// (feature, offset) can take its place behind the same method.
type Postings struct {
	posts []*Post
}

// NewPostings makes postings of posts and keeps the slice, which must not change
// any more. A nil post, where the log holds something else, is never found.
func NewPostings(posts []*Post) *Postings { return &Postings{posts: posts} }

// Match appends to out the offsets, from the given one on and growing, of the
// posts that f lets through.
func (p *Postings) Match(f *Filter, from int, out []int) []int {
	for i := max(from, 0); i < len(p.posts); i++ {
		if p.posts[i] != nil && f.Match(p.posts[i]) {
			out = append(out, i)
		}
	}
	return out
}
