package server

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/fanout/wire"
	"aviary/server/deliver"
)

// request is a request for a stream, understood.
type request struct {
	filter   *filter.Filter
	form     deliver.Form
	start    fanout.Start
	limit    int64
	maxRate  int
	explicit bool   // Accept names text/event-stream: overload is told in a 200
	unseen   bool   // wants deletes of posts never seen, though it filters
	end      bool   // brings the id of a stream that is over
	id       string // the position it brings, as it came; "": none that can be read
	live     bool   // asks for nothing but what comes from now on
	warnings []string
}

// ownParams are the parameters of /stream besides the filter's.
var ownParams = []string{"payload", "events", "since", "last_event_id", "limit", "max_rate", "format"}

// parse reads the parameters and the headers of a request for a stream.
func parse(values url.Values, h http.Header, now time.Time) (*request, error) {
	if err := knownParams(values); err != nil {
		return nil, err
	}
	q := &request{}
	var err error
	if q.filter, q.warnings, err = filter.Understand(values); err != nil {
		return nil, err
	}
	for _, step := range []func(url.Values, http.Header) error{
		q.parseForm, q.parseEvents, q.parseCounts,
		func(v url.Values, h http.Header) error { return q.parseStart(v, h, now) },
	} {
		if err := step(values, h); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// knownParams refuses parameters that do not exist.
func knownParams(values url.Values) error {
	for _, name := range namesOf(values) {
		if !filter.IsParam(name) && !slices.Contains(ownParams, name) {
			return noParam(name, nearestOf(name, slices.Concat(filter.Params(), ownParams)))
		}
	}
	return nil
}

// onlyParams is knownParams for routes that take no filter.
func onlyParams(values url.Values, known []string) error {
	for _, name := range namesOf(values) {
		if !slices.Contains(known, name) {
			return noParam(name, filter.Nearest(name, known))
		}
	}
	return nil
}

// namesOf is the names in alphabetical order: of several that are wrong it is
// always the same one that is told.
func namesOf(values url.Values) []string { return slices.Sorted(maps.Keys(values)) }

// noParam refuses a parameter that does not exist; near is the one that was
// meant, "" if that is not known.
func noParam(name, near string) error {
	p := badParam(name, -1, "there is no parameter %q%s", clip(name), didYouMean(near))
	p.Nearest = near
	return p
}

// nearestOf is the parameter that was meant, where rules with names are taken too:
// "filter.cats" for "fliter.cats", and "filter.NAME" where no name can be had of it.
func nearestOf(name string, known []string) string {
	lead, own, dotted := strings.Cut(name, ".")
	if lead != "filter" && (!dotted || filter.Nearest(lead, []string{"filter"}) == "") {
		return filter.Nearest(name, known)
	}
	if right := "filter." + own; own != "" && filter.IsParam(right) {
		return right
	}
	return "filter.NAME"
}

func didYouMean(near string) string {
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}

// single returns a parameter that may be given once.
func single(values url.Values, name string) (string, bool, error) {
	v := values[name]
	if len(v) > 1 {
		return "", false, badParam(name, -1, "%s is given %d times; it takes one value", name, len(v))
	}
	if len(v) == 0 {
		return "", false, nil
	}
	return v[0], true, nil
}

// choice reads a parameter whose value is one of a few words; "" if not given.
func choice(values url.Values, name string, words ...string) (string, error) {
	v, given, err := single(values, name)
	if err != nil || !given || slices.Contains(words, v) {
		return v, err
	}
	near := filter.Nearest(v, words)
	p := badParam(name, 0, "%s=%q: it is one of %s%s", name, clip(v), strings.Join(words, ", "), didYouMean(near))
	p.Nearest = near
	return "", p
}

// parseForm reads format, payload and Accept.
func (q *request) parseForm(values url.Values, h http.Header) error {
	format, err := choice(values, "format", "sse", "ndjson")
	if err != nil {
		return err
	}
	payload, err := choice(values, "payload", "full", "compact", "ids")
	if err != nil {
		return err
	}
	switch payload {
	case "compact":
		q.form.Payload = wire.Compact
	case "ids":
		q.form.Payload = wire.IDs
	}
	ndjson, explicit, ok := negotiate(h)
	q.explicit = explicit
	if format != "" {
		q.form.NDJSON = format == "ndjson"
	} else if q.form.NDJSON = ndjson; !ok {
		return problem(http.StatusNotAcceptable, "a stream is %s or %s; Accept allows neither", typeSSE, typeNDJSON)
	}
	return nil
}

// parseEvents reads events: all, none, or a list, to which heartbeat may be added.
func (q *request) parseEvents(values url.Values, _ http.Header) error {
	lists, given := values["events"]
	if !given {
		q.form.Events = deliver.AllEvents
		return nil
	}
	words := append([]string{"all", "none"}, deliver.EventNames()...)
	none, position, list := false, 0, strings.Join(lists, ",")
	for word := range strings.SplitSeq(list, ",") {
		switch e := deliver.EventNamed(word); {
		case e != 0:
			q.form.Events |= e
			q.unseen = q.unseen || e == deliver.Delete
		case word == "all":
			q.form.Events |= deliver.AllEvents
		case word == "none":
			none = true
		default:
			near := filter.Nearest(word, words)
			p := badParam("events", position, "events: there is no event %q%s", clip(word), didYouMean(near))
			p.Nearest = near
			return p
		}
		position += utf8.RuneCountInString(word) + 1
	}
	if none && list != "none" {
		return badParam("events", -1, "events: none stands alone")
	}
	return nil
}

// parseCounts reads limit and max_rate.
func (q *request) parseCounts(values url.Values, _ http.Header) error {
	limit, err := count(values, "limit", 1<<53)
	if err != nil {
		return err
	}
	rate, err := count(values, "max_rate", 1<<31-1)
	q.limit, q.maxRate = limit, int(rate)
	return err
}

// count reads a number of at least 1; 0 if not given.
func count(values url.Values, name string, most int64) (int64, error) {
	v, given, err := single(values, name)
	if err != nil || !given {
		return 0, err
	}
	for i, r := range []rune(v) {
		if r < '0' || r > '9' {
			return 0, badParam(name, i, "%s=%q is not a whole number", name, clip(v))
		}
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 1 || n > most {
		return 0, badParam(name, 0, "%s=%q: it is a whole number from 1 to %d", name, clip(v), most)
	}
	return n, nil
}

// lastEventID is the id that a client brings back, from the header or else the
// parameter of that name, which is for whoever cannot set a header; "" if none.
func lastEventID(values url.Values, h http.Header) (string, error) {
	id, _, err := single(values, "last_event_id")
	if header := h.Get("Last-Event-ID"); header != "" {
		id = header
	}
	return id, err
}

// parseStart reads where to start: the Last-Event-ID header, then last_event_id,
// then since. An id that cannot be read is never an error: the stream is live.
func (q *request) parseStart(values url.Values, h http.Header, now time.Time) error {
	since, given, err := single(values, "since")
	if err != nil {
		return err
	}
	q.live = true
	if given {
		if q.start, q.end, err = parseSince(since, now); err != nil {
			return err
		}
		q.live = false
		if q.start.Mode == fanout.StartCursor {
			q.id = since
		}
	}
	id, err := lastEventID(values, h)
	if err != nil || id == "" {
		return err
	}
	q.start, q.end, q.live, q.id = fanout.Start{}, false, false, ""
	c, end, err := fanout.ParseCursor(id)
	if err != nil {
		q.warnings = append(q.warnings, "the last event id cannot be read: this stream starts with what comes now")
		return nil
	}
	q.start, q.end, q.id = fanout.Start{Mode: fanout.StartCursor, Cursor: c}, end, id
	return nil
}

// unreadable reports whether the client brought an id that means nothing here.
func (q *request) unreadable() bool { return !q.live && q.start.Mode == fanout.StartLive }
