package sim

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aviary/fanout/filter"
)

// question is one search, checked.
type question struct {
	q              string
	count          int
	lang           string
	before         time.Time // until; zero: no bound
	sinceID, maxID uint64    // exclusive, inclusive; 0: no bound

	all  []*filter.Filter // each must match; nil: a clause that nothing can match
	none []*filter.Filter // none may
	from []string         // screen names, lower case; one of them wrote it
}

const (
	defaultCount = 15
	maxQuery     = 500 // code points
)

// parseQuestion checks the parameters of a search. Unknown ones are ignored, as
// they were.
func parseQuestion(values url.Values) (question, *refusal) {
	q := question{q: values.Get("q"), count: defaultCount, lang: strings.ToLower(values.Get("lang"))}
	bad := func(name string) (question, *refusal) {
		return q, apiError(http.StatusBadRequest, 195, "Missing or invalid url parameter: "+name)
	}
	if strings.TrimSpace(q.q) == "" {
		return q, apiError(http.StatusBadRequest, 25, "Query parameters are missing.")
	}
	if utf8.RuneCountInString(q.q) > maxQuery {
		return q, apiError(http.StatusForbidden, 195, "Missing or invalid url parameter: q")
	}
	for name, into := range map[string]*uint64{"since_id": &q.sinceID, "max_id": &q.maxID} {
		if v := values.Get(name); v != "" {
			n, err := strconv.ParseUint(v, 10, 64)
			if err != nil {
				return bad(name)
			}
			*into = n
		}
	}
	if v := values.Get("count"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return bad("count")
		}
		q.count = min(n, 100)
	}
	if v := values.Get("until"); v != "" {
		day, err := time.Parse(time.DateOnly, v)
		if err != nil {
			return bad("until")
		}
		q.before = day
	}
	if !slices.Contains([]string{"", "mixed", "recent", "popular"}, values.Get("result_type")) {
		return bad("result_type")
	}
	q.compile()
	return q, nil
}

// compile reads the query: words and "phrases" that must all occur, OR between
// two of them, -word, from:name. Other operators are passed over.
func (q *question) compile() {
	words := queryWords(q.q)
	for i := 0; i < len(words); i++ {
		word := words[i]
		if name, is := strings.CutPrefix(word, "from:"); is {
			q.from = append(q.from, strings.ToLower(strings.TrimPrefix(name, "@")))
			continue
		}
		if not, is := strings.CutPrefix(word, "-"); is && not != "" {
			q.none = append(q.none, anyOf(not))
			continue
		}
		if strings.Contains(word, ":") && !strings.Contains(word, "/") {
			continue
		}
		either := []string{word}
		for i+2 < len(words) && words[i+1] == "OR" {
			either = append(either, words[i+2])
			i += 2
		}
		q.all = append(q.all, anyOf(either...))
	}
}

// queryWords splits a query at white space, but for what stands in quotes.
func queryWords(q string) []string {
	var words []string
	for i, part := range strings.Split(q, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return slices.DeleteFunc(words, func(w string) bool { return strings.Trim(w, "() ") == "" })
}

// anyOf matches posts with one of the phrases; nil: nothing can.
func anyOf(phrases ...string) *filter.Filter {
	for i, p := range phrases {
		phrases[i] = strings.ReplaceAll(strings.Trim(p, "()"), ",", " ")
	}
	f, err := filter.Parse(url.Values{"track": {strings.Join(phrases, ",")}})
	if err != nil {
		return nil
	}
	return f
}

// wants says whether a post is an answer.
func (q *question) wants(p *post) bool {
	switch {
	case p == nil, p.raw == nil, p.dead, p.id <= q.sinceID, q.maxID != 0 && p.id > q.maxID:
		return false
	case q.lang != "" && p.lang != q.lang, !q.before.IsZero() && p.at >= q.before.UnixMilli():
		return false
	case len(q.from) > 0 && !slices.Contains(q.from, strings.ToLower(p.user.screen)):
		return false
	}
	if p.look() == nil {
		return false
	}
	for _, f := range q.all {
		if f == nil || !f.Match(p.view) {
			return false
		}
	}
	return !slices.ContainsFunc(q.none, func(f *filter.Filter) bool { return f != nil && f.Match(p.view) })
}

// search finds the newest posts that a question wants, at most its count, and
// whether there are older ones. It knows the posts that are remembered: the
// last 1,024, and all that Post made.
func (c *Corpus) search(q *question) (found []*post, more bool) {
	found = c.known(q.wants)
	if len(found) > q.count {
		return found[:q.count], true
	}
	return found, false
}

// known lists the remembered posts that are wanted, newest first. What was deleted is
// not among them.
func (c *Corpus) known(wants func(*post) bool) (found []*post) {
	for _, p := range c.ring {
		if p != nil && p.raw != nil && !p.dead && wants(p) {
			found = append(found, p)
		}
	}
	for _, p := range c.drafts {
		if !p.dead && wants(p) {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b *post) int { return cmp.Compare(b.id, a.id) })
	return slices.Compact(found) // a late draft is in both
}
