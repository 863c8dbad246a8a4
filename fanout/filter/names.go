package filter

// Named reports whether the filter holds named rules, so that its clients are
// told which of them each post matched.
func (f *Filter) Named() bool { return f != nil && len(f.named) > 0 }

// AppendNames appends the names of the rules that the post matches, in the
// order of the canonical form.
func (f *Filter) AppendNames(dst []string, p *Post) []string {
	if f == nil || p == nil {
		return dst
	}
	for _, r := range f.named {
		if f.eval(r.at, p) {
			dst = append(dst, r.name)
		}
	}
	return dst
}
