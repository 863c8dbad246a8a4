package filter

// A filter's condition is an expression in negation normal form: leaves that
// look at a post, under ANDs and ORs. It lies flat in memory, each operator in
// front of what it joins, so that a hundred thousand of them stay small and
// near: 16 bytes a node.
//
//	(go OR rust) -is:retweet     and ─ or ─ go, rust
//	                                 └ not is:retweet
type node struct {
	arg uint64 // opFeature: the feature; other leaves: index in Filter.details
	end uint32 // index behind the last node of this subtree; of a leaf its own index + 1
	op  op
	not bool // a leaf that must not hold; operators are never negated
}

// op is an operator or what a leaf looks at.
type op uint8

const (
	opAnd      op = iota // everything below
	opOr                 // anything below
	opFeature            // the post has the feature
	opPhrase             // tokens that stand near one another, in Post.Order
	opURL                // tokens in a row in one of Post.Links
	opLink               // text somewhere in one of Post.Links
	opCount              // one of Post.Counts lies in a range
	opOverlaps           // v1.1 locations: the post's place shares at least a border with the box
	opInside             // the post's place lies wholly inside the box
	opCircle             // the post's place lies wholly inside the circle
	opSample             // a part of all posts, chosen by id
	opLevel              // Post.Level is at least this
)

// detail is what a leaf needs that is no single feature.
type detail struct {
	tokens   []uint64 // opPhrase, opURL: features of bare tokens (opPhrase: of any kind that is in Post.Order), in order; opLink: that the link must hold
	text     string   // opLink: folded
	box      Box      // opOverlaps, opInside; opCircle: the least box around it
	lon, lat float64  // opCircle: centre
	km       float64
	lo, hi   uint32 // opCount: the range; opSample: lo percent; opLevel: lo
	count    uint8  // opCount: index in Post.Counts
	near     uint8  // opPhrase: how many tokens may stand between; 0: in a row
}

// eval tells whether the subtree at index i holds for p, which is not nil.
func (f *Filter) eval(i uint32, p *Post) bool {
	n := &f.nodes[i]
	switch n.op {
	case opAnd:
		for k := i + 1; k < n.end; k = f.nodes[k].end {
			if !f.eval(k, p) {
				return false
			}
		}
		return true
	case opOr:
		for k := i + 1; k < n.end; k = f.nodes[k].end {
			if f.eval(k, p) {
				return true
			}
		}
		return false
	case opFeature:
		return has(p.Features, n.arg) != n.not
	}
	return f.details[n.arg].holds(n.op, p) != n.not
}

// needs appends the features without which the leaf at index i cannot hold: all
// of them are there in any post that it lets through. A negated leaf, and one
// that looks at no feature, has none.
func (f *Filter) needs(i uint32, dst []uint64) []uint64 {
	n := &f.nodes[i]
	if n.not {
		return dst
	}
	switch n.op {
	case opFeature:
		return append(dst, n.arg)
	case opPhrase, opURL, opLink:
		return append(dst, f.details[n.arg].tokens...)
	}
	return dst
}

// area returns the box outside of which no post satisfies the leaf at index i.
func (f *Filter) area(i uint32) (Box, bool) {
	switch n := &f.nodes[i]; n.op {
	case opOverlaps, opInside, opCircle:
		return f.details[n.arg].box, !n.not
	}
	return Box{}, false
}

// terms returns the literals of f, by index in nodes. They are read anew from the
// canonical text: filters stay small, and few are ever asked.
func (f *Filter) terms() []term {
	if f.Empty() {
		return nil
	}
	c, err := parseString(f.text)
	if err != nil {
		return make([]term, len(f.nodes)) // cannot be: the text parses to itself
	}
	b := compiler{explain: true}
	b.condition(c)
	return b.terms
}

// texts returns the canonical text of every leaf, by index in nodes; operators
// have none.
func (f *Filter) texts() []string {
	texts := make([]string, len(f.nodes))
	for i, t := range f.terms() {
		texts[i] = t.text()
	}
	return texts
}

func (t term) text() string {
	switch {
	case t.lit == nil:
		return ""
	case t.not:
		return "-" + t.lit.name()
	}
	return t.lit.name()
}
