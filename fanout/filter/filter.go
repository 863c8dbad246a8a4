package filter

// Filter is what one client wants to see. It never changes and may be used by
// many goroutines. Two filters that ask for the same have the same String,
// however they were written. A nil *Filter is the filter for every post.
type Filter struct {
	text    string // canonical
	nodes   []node // the condition; none: every post
	details []detail
	named   []named // the rules of filter.NAME, by name; they are subtrees of nodes
}

// named is a rule with a name.
type named struct {
	name string
	at   uint32 // its subtree in nodes
}

// String returns the filter's canonical form, a URL query for people to read:
// "track=api twitter,golang&follow=12&language=en". Only what would make it
// ambiguous is percent-encoded (% & + ; and, for the address bar's sake, #).
// url.ParseQuery and Parse, or ParseString, make the same filter of it. The
// filter for every post is "".
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// Empty reports whether the filter lets every post through.
func (f *Filter) Empty() bool { return f.String() == "" }

// Match reports whether the filter lets the post through:
// (track OR follow OR locations) AND language AND filter_level AND q AND any of
// the named rules. A nil post, one that could not be read, matches the filter for
// every post only.
func (f *Filter) Match(p *Post) bool {
	if f.Empty() {
		return true
	}
	return p != nil && f.eval(0, p)
}
