package server

import (
	"net/http"
	"net/url"
	"slices"

	"aviary/fanout/filter"
)

// allowCheck is what /filters/check can be asked with.
const allowCheck = "GET, HEAD, POST, OPTIONS"

// checked is what a filter was understood as.
type checked struct {
	Filter   string   `json:"filter"`         // canonical, as in hello
	Terms    []string `json:"terms"`          // all that it looks for
	Watched  []string `json:"watched"`        // those by which posts for it are found
	Names    []string `json:"names,omitzero"` // of its rules that have one; with a post: of those that match it
	Warnings []string `json:"warnings"`
	*verdict          // nil: there was no post
}

// verdict is what became of a post.
type verdict struct {
	Matches  bool     `json:"matches"`
	Branches []branch `json:"branches"`
}

// branch is a filter.Branch.
type branch struct {
	Rule    string   `json:"rule"` // the parameter it stands in
	Text    string   `json:"text"` // canonical
	Tokens  []string `json:"tokens"`
	Missing []string `json:"missing,omitempty"`
}

// checkFilter answers /filters/check: what a filter was understood as and, for
// the post in the body of a POST, whether it passes and why. What is wrong with
// the filter is told as /stream would tell it.
func (s *Server) checkFilter(w http.ResponseWriter, r *http.Request) {
	if !s.may(w, r, allowCheck) {
		return
	}
	values, err := s.readQuery(r)
	if err != nil {
		asProblem(err).write(w, r)
		return
	}
	f, warnings, err := parseCheck(values)
	if err == nil {
		var more []string
		more, err = s.judge(r, f, values, false)
		warnings = append(warnings, more...)
	}
	if err != nil {
		asProblem(err).write(w, r)
		return
	}
	answer := checked{
		Filter: f.String(), Terms: listed(f.Terms()), Watched: listed(s.opts.Hub.Watched(f)), Warnings: listed(warnings),
	}
	if f.Named() {
		answer.Names = listed(f.Names())
	}
	if r.Method == http.MethodPost {
		post, err := s.readPost(w, r)
		if err != nil {
			s.postFailed(w, r, err)
			return
		}
		answer.judge(f, post)
	}
	writeJSON(w, r, http.StatusOK, answer)
}

// parseCheck reads a filter and nothing else.
func parseCheck(values url.Values) (*filter.Filter, []string, error) {
	for _, name := range namesOf(values) {
		switch {
		case filter.IsParam(name):
		case slices.Contains(ownParams, name):
			return nil, nil, badParam(name, -1, "%s is a parameter of /stream and no part of a filter: leave it out here", name)
		default:
			return nil, nil, noParam(name, nearestOf(name, filter.Params()))
		}
	}
	f, warnings, err := filter.Understand(values)
	if err == nil && f.Empty() {
		warnings = append(warnings, "nothing is asked for: every post passes")
	}
	return f, warnings, err
}

// judge says what becomes of a post.
func (c *checked) judge(f *filter.Filter, post *filter.Post) {
	why := f.Explain(post)
	c.verdict = &verdict{Matches: why.Matches, Branches: []branch{}}
	for _, b := range why.Branches {
		c.Branches = append(c.Branches, branch{b.Rule, b.Text, listed(b.Tokens), b.Missing})
	}
	if f.Named() {
		c.Names = listed(f.AppendNames(nil, post))
	}
}

// listed is a slice that JSON shows as [] when there is nothing in it.
func listed(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
