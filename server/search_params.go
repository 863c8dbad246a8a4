package server

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The parameters of the search routes.
var (
	questionParams = []string{"q", "count", "lang", "result_type", "until", "since_id"}
	pageParams     = append([]string{"cursor"}, questionParams...)
	walkParams     = append([]string{"max", "direction", "format", "last_event_id"}, questionParams...)
)

// maxQuery is the longest q, in code points, operators included: the upstream's own bound.
const maxQuery = 500

// parseQuestion reads what is asked for, without the place in its pages.
func parseQuestion(values url.Values) (q SearchQuestion, err error) {
	if q.Q, err = parseQ(values); err != nil {
		return q, err
	}
	n, err := count(values, "count", 100)
	if err != nil {
		return q, err
	}
	q.Count = int(n)
	if q.Lang, err = parseLang(values); err != nil {
		return q, err
	}
	if q.ResultType, err = choice(values, "result_type", "mixed", "recent", "popular"); err != nil {
		return q, err
	}
	if q.Until, err = parseUntil(values); err != nil {
		return q, err
	}
	q.SinceID, err = parseID(values, "since_id")
	return q, err
}

func parseQ(values url.Values) (string, error) {
	q, given, err := single(values, "q")
	switch {
	case err != nil:
		return "", err
	case !given || strings.TrimSpace(q) == "":
		return "", badParam("q", -1, "q is needed: what to search for")
	case !utf8.ValidString(q):
		return "", badParam("q", strings.IndexFunc(q, func(r rune) bool { return r == utf8.RuneError }), "q is not UTF-8")
	case utf8.RuneCountInString(q) > maxQuery:
		return "", badParam("q", maxQuery, "q has %d characters; at most %d are searched for", utf8.RuneCountInString(q), maxQuery)
	}
	return q, nil
}

// parseLang reads a language code: letters, and further parts of letters and digits.
func parseLang(values url.Values) (string, error) {
	lang, given, err := single(values, "lang")
	if err != nil || !given {
		return "", err
	}
	for i, part := range strings.Split(lang, "-") {
		bad := strings.IndexFunc(part, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9')
		})
		if bad >= 0 || part == "" || i == 0 && len(part) < 2 || len(part) > 8 || len(lang) > 20 {
			return "", badParam("lang", 0, "lang=%q: it is a language code such as en", clip(lang))
		}
	}
	return strings.ToLower(lang), nil
}

func parseUntil(values url.Values) (string, error) {
	until, given, err := single(values, "until")
	if err != nil || !given {
		return "", err
	}
	if _, err := time.Parse(time.DateOnly, until); err != nil {
		return "", badParam("until", 0, "until=%q: it is a day, written YYYY-MM-DD", clip(until))
	}
	return until, nil
}

// parseID reads the id of a post; 0 if not given.
func parseID(values url.Values, name string) (uint64, error) {
	v, given, err := single(values, name)
	if err != nil || !given {
		return 0, err
	}
	id, err := strconv.ParseUint(v, 10, 64)
	if err != nil || !digits(v) {
		return 0, badParam(name, 0, "%s=%q: it is a post's id_str, a number", name, clip(v))
	}
	return id, nil
}

// values is the question as the parameters it came in.
func (q *SearchQuestion) values() url.Values {
	v := url.Values{"q": {q.Q}}
	for name, value := range map[string]string{"lang": q.Lang, "result_type": q.ResultType, "until": q.Until} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Count > 0 {
		v.Set("count", strconv.Itoa(q.Count))
	}
	if q.SinceID > 0 {
		v.Set("since_id", strconv.FormatUint(q.SinceID, 10))
	}
	return v
}

// A page's cursor is the max_id of the next one, in a form that nobody is tempted
// to build: it may come to hold more.

// pageCursor writes a cursor.
func pageCursor(maxID uint64) string { return "p" + strconv.FormatUint(maxID, 36) }

// parsePageCursor reads a cursor; 0 if none is given.
func parsePageCursor(values url.Values) (uint64, error) {
	v, given, err := single(values, "cursor")
	if err != nil || !given {
		return 0, err
	}
	text, ok := strings.CutPrefix(v, "p")
	id, err := strconv.ParseUint(text, 36, 64)
	if !ok || err != nil || id == 0 || pageCursor(id) != v {
		return 0, badParam("cursor", 0, "cursor=%q is none that this gateway gave: take the one in next", clip(v))
	}
	return id, nil
}

// problem is what a client of /search is told.
func (e *SearchError) problem(now time.Time) (*Problem, time.Duration) {
	var retry time.Duration
	var p *Problem
	switch {
	case e.Failure == SearchLimited:
		retry = max(e.Until.Sub(now), time.Second)
		p = problem(http.StatusTooManyRequests, "the upstream's rate limit for search is used up until %s", e.Until.UTC().Format(time.RFC3339))
	case e.Failure == SearchRefused && e.Status >= 400 && e.Status < 500:
		p = problem(e.Status, "the upstream refuses the search: %s", e)
	default:
		p = problem(http.StatusBadGateway, "the upstream brought no result: %s", e)
	}
	if p.Title == "" {
		p.Title = fmt.Sprintf("HTTP %d", p.Status)
	}
	if e.Hint != "" {
		p.Detail += ". " + e.Hint
	}
	p.Code, p.Message, p.Hint = e.Code, e.Message, e.Hint
	return p, retry
}
