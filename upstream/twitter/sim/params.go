package sim

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aviary/fanout/filter"
)

// The published limits of one filter stream.
const (
	maxPhrases     = 400
	maxFollow      = 5000
	maxBoxes       = 25
	maxPhraseBytes = 60
	minSide        = 0.1 // degrees
	maxSide        = 360.0
	maxBody        = 1 << 20
)

// wish is what one client asked for, checked.
type wish struct {
	filter        *filter.Filter // nil: every post
	nothing       bool           // a filter that can't match
	delimited     bool
	stallWarnings bool
	gzip          bool

	x        *xWish // nil: a stream of v1.1
	backfill time.Duration
}

// matches says whether a post goes to this client. It is asked only when
// filter is not nil.
func (w *wish) matches(p *filter.Post) bool {
	return !w.nothing && p != nil && w.filter.Match(p)
}

// readParams returns the decoded parameters of query and form body, which are
// also what the signature covers.
func readParams(w http.ResponseWriter, r *http.Request) (url.Values, *refusal) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, textError(http.StatusBadRequest, "The query string can't be decoded")
	}
	// Always to its end: only then does net/http notice when the client leaves.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, textError(http.StatusRequestEntityTooLarge, "The request body is too large")
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || media != "application/x-www-form-urlencoded" {
		return values, nil // any other body is neither signed nor looked at
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, textError(http.StatusBadRequest, "The form body can't be decoded")
	}
	for name, list := range form {
		values[name] = append(values[name], list...)
	}
	return values, nil
}

// parseWish checks the parameters as the old hosts did: 406 for a bad value,
// 413 for too many, 416 for a backfill that needs another role.
func parseWish(values url.Values, needFilter bool) (wish, *refusal) {
	var w wish
	switch d := values.Get("delimited"); d {
	case "", "length":
		w.delimited = d != ""
	default:
		return w, textError(http.StatusNotAcceptable, "Parameter delimited has an invalid value: %s", d)
	}
	w.stallWarnings = values.Get("stall_warnings") == "true"
	if values.Get("count") != "" {
		return w, textError(http.StatusRequestedRangeNotSatisfiable, "Parameter count not allowed in role statusFiltered")
	}
	asked := url.Values{}
	for _, name := range []string{"language", "filter_level"} {
		if v := list(values, name); len(v) > 0 {
			asked.Set(name, strings.Join(v, ","))
		}
	}
	if !slices.Contains([]string{"", "none", "low", "medium"}, values.Get("filter_level")) {
		return w, textError(http.StatusNotAcceptable, "Parameter filter_level has an invalid value: %s", values.Get("filter_level"))
	}
	if needFilter {
		if f := readPredicates(values, asked, &w); f != nil {
			return w, f
		}
	}
	parsed, err := filter.Parse(asked)
	if err != nil {
		return w, textError(http.StatusNotAcceptable, "Invalid parameter: %v", err)
	}
	if !parsed.Empty() || w.nothing {
		w.filter = parsed
	}
	return w, nil
}

// readPredicates checks track, follow and locations and puts them into asked.
func readPredicates(values, asked url.Values, w *wish) *refusal {
	track, follow, locations := list(values, "track"), list(values, "follow"), list(values, "locations")
	if len(track)+len(follow)+len(locations) == 0 {
		return textError(http.StatusNotAcceptable, "No filter parameters found. Expect at least one parameter: follow track locations")
	}
	if f := checkLists(track, follow, locations); f != nil {
		return f
	}
	// What can never match (such as a term with "www.") is taken all the same,
	// while filter.Parse refuses it.
	track = slices.DeleteFunc(track, func(phrase string) bool {
		_, err := filter.Parse(url.Values{"track": {phrase}})
		return err != nil
	})
	w.nothing = len(track)+len(follow)+len(locations) == 0
	for name, items := range map[string][]string{"track": track, "follow": follow, "locations": locations} {
		if len(items) > 0 {
			asked.Set(name, strings.Join(items, ","))
		}
	}
	return nil
}

func checkLists(track, follow, locations []string) *refusal {
	switch {
	case len(track) > maxPhrases:
		return textError(http.StatusRequestEntityTooLarge, "Parameter track has too many items: %d, the limit is %d", len(track), maxPhrases)
	case len(follow) > maxFollow:
		return textError(http.StatusRequestEntityTooLarge, "Parameter follow has too many items: %d, the limit is %d", len(follow), maxFollow)
	case len(locations) > 4*maxBoxes:
		return textError(http.StatusRequestEntityTooLarge, "Parameter locations has too many boxes, the limit is %d", maxBoxes)
	case len(locations)%4 != 0:
		return textError(http.StatusNotAcceptable, "Parameter locations must hold longitude,latitude pairs, two for each box")
	}
	for i, phrase := range track {
		if len(strings.TrimSpace(phrase)) == 0 || len(phrase) > maxPhraseBytes {
			return textError(http.StatusNotAcceptable, "Parameter track item index %d must have 1 to %d bytes", i, maxPhraseBytes)
		}
	}
	for i, id := range follow {
		if _, err := strconv.ParseUint(strings.TrimSpace(id), 10, 64); err != nil {
			return textError(http.StatusNotAcceptable, "Parameter follow item index %d is not a numeric user id", i)
		}
	}
	for i := 0; i+4 <= len(locations); i += 4 {
		if !goodBox(locations[i : i+4]) {
			return textError(http.StatusNotAcceptable, "Parameter locations box index %d: south-west corner first, sides of %g to %g degrees", i/4, minSide, maxSide)
		}
	}
	return nil
}

func goodBox(corners []string) bool {
	var v [4]float64
	for i, s := range corners {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		limit := 180.0
		if i%2 == 1 {
			limit = 90
		}
		if err != nil || !(f >= -limit && f <= limit) {
			return false
		}
		v[i] = f
	}
	const rounding = 1e-9 // a side written as 0.1 may compute to a hair less
	for _, side := range []float64{v[2] - v[0], v[3] - v[1]} {
		if side < minSide-rounding || side > maxSide {
			return false
		}
	}
	return true
}

// list splits a comma list; repeated parameters are one list.
func list(values url.Values, name string) []string {
	joined := strings.Join(values[name], ",")
	if joined == "" {
		return nil
	}
	return strings.Split(joined, ",")
}

// acceptsGzip reads Accept-Encoding (RFC 9110 12.5.3): gzip or *, not at q=0.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, params, _ := strings.Cut(part, ";")
		coding = strings.ToLower(strings.TrimSpace(coding))
		if coding != "gzip" && coding != "*" {
			continue
		}
		q := strings.TrimPrefix(strings.ReplaceAll(params, " ", ""), "q=")
		if weight, err := strconv.ParseFloat(q, 64); err != nil || weight > 0 {
			return true
		}
	}
	return false
}
