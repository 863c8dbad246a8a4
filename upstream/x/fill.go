package x

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// Figures of gap filling.
const (
	// searchLag is how old a post must be to be found: search ends 30 s before now.
	searchLag = 35 * time.Second
	// overlap is how far the search reaches over both ends of a gap: posts come
	// up to some seconds later than their ids say.
	overlap = 10 * time.Second
	// maxFill bounds what one outage may cost: requests, of 100 posts each.
	maxFill = 20
	// fillTries is how often a search for one gap that failed is made again, first after
	// fillWait and each time after twice as long; fillLater is the longest wait for a
	// limit to end.
	fillTries = 5
	fillWait  = time.Minute
	fillLater = time.Hour
	// maxQuery is the length of a query, in code points.
	maxQuery = 512
)

// filling is the search for what an outage may have swallowed.
type filling struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// stop ends the search and waits until it has.
func (f *filling) stop() {
	if f != nil {
		f.cancel()
		<-f.done
	}
}

// fill begins to look for posts that came while no stream was open, if there was
// one before. It waits until search can know them. nil: there is nothing to look for.
func (s *Source) fill(ctx context.Context, to upstream.Sink) *filling {
	s.mu.Lock()
	s.seen.first = 0
	if s.seen.since == 0 {
		s.seen.since = s.seen.newest
	}
	since, denied := s.seen.since, s.told["search"]
	gone := time.Since(s.seen.last)
	s.mu.Unlock()
	backfilled := s.config.BackfillMinutes > 0 && gone < time.Duration(s.config.BackfillMinutes)*time.Minute
	if since == 0 || denied {
		return nil
	}
	if backfilled {
		s.filled()
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &filling{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		wait := searchLag
		for try := 0; wait > 0; try++ {
			select {
			case <-time.After(wait):
				wait = s.fillGap(ctx, to, since, try)
			case <-ctx.Done():
				return // the next stream looks again
			}
		}
	}()
	return f
}

// filled notes that the gap was looked for, be it found or not.
func (s *Source) filled() {
	s.mu.Lock()
	s.seen.since = 0
	s.mu.Unlock()
}

// fillGap asks for what matches our rules since a post, up to the first one of the
// new stream, and hands it on, oldest first. Doubles are the hub's to drop. It returns
// how long to wait before it is tried again; 0: it is done.
func (s *Source) fillGap(ctx context.Context, to upstream.Sink, since uint64, try int) time.Duration {
	s.mu.Lock()
	first := s.seen.first
	s.mu.Unlock()
	const tick = uint64(overlap/time.Millisecond) << 22 // ids count milliseconds above 22 bits
	query := fields()
	query.Set("max_results", "100")
	query.Set("since_id", decimal(since-min(since-1, tick)))
	if first > 0 {
		query.Set("until_id", decimal(first+tick))
	}
	queries := s.queries()
	if len(queries) == 0 { // others' rules alone: what they want is not known
		s.filled()
		return 0
	}
	var found []*fanout.Event
	budget := maxFill
	whole, err := true, error(nil)
	for _, q := range queries {
		var part []*fanout.Event
		var all bool
		part, all, err = s.fillQuery(ctx, query, q, &budget)
		found, whole = append(found, part...), whole && all
		if err != nil {
			break
		}
	}
	if ctx.Err() != nil {
		return 0 // the next stream looks again
	}
	slices.SortFunc(found, func(a, b *fanout.Event) int { return cmp.Compare(number(a), number(b)) })
	for _, e := range found {
		e.Sent = time.Time{} // what is late by an outage says nothing of the stream's lag
		s.delivered(e.Post.Key.ID)
		retract(e, to.Emit)
		to.Emit(e)
	}
	if again := fillAgain(err, try); again > 0 {
		s.log.Info("a gap could not be looked for; it is tried again", "posts", len(found), "in", again.Round(time.Second), "error", err)
		return again
	}
	s.filled()
	s.sayFilled(len(found), whole, err)
	return 0
}

// fillAgain is when to look again after a failure; 0: never.
func fillAgain(err error, try int) time.Duration {
	var e *upstream.Error
	if !errors.As(err, &e) || e.Class == upstream.Fatal || try >= fillTries {
		return 0
	}
	wait := max(fillWait<<try, e.RetryAfter, time.Until(e.NotBefore))
	if wait > fillLater {
		return 0 // a quota, for a month perhaps
	}
	return wait
}

func number(e *fanout.Event) uint64 {
	n, _ := strconv.ParseUint(e.Post.Key.ID, 10, 64)
	return n
}

func (s *Source) sayFilled(n int, whole bool, err error) {
	var e *upstream.Error
	switch {
	case errors.As(err, &e) && e.Class == upstream.Fatal:
		if s.once("search") {
			s.log.Warn("gaps cannot be filled by search with this token", "error", e.Error())
		}
	case err != nil:
		s.log.Warn("a gap could be filled in part only", "posts", n, "error", err)
	case !whole:
		s.log.Warn("a gap was too long to be filled in full", "posts", n)
	default:
		s.log.Info("a gap was looked for by search", "posts", n)
	}
}

// fillQuery walks the pages of one query. all: it came to the end. A query that is
// refused is passed over: an operator may be the stream's alone.
func (s *Source) fillQuery(ctx context.Context, common url.Values, q string, budget *int) (found []*fanout.Event, all bool, err error) {
	query := url.Values{}
	for name, v := range common {
		query[name] = v
	}
	query.Set("query", q)
	for ; *budget > 0; *budget-- {
		if err := s.api.spend.room(100); err != nil {
			return found, false, err
		}
		raw, err := s.api.call(ctx, &s.api.budgets.search, http.MethodGet, searchPath, query, nil)
		var e *upstream.Error
		if errors.As(err, &e) && e.Class == upstream.Fatal && isBadRequest(raw) {
			s.log.Warn("search does not take a rule of the stream, so a gap may stay", "query", fmt.Sprintf("%.100s", q), "error", e.Error())
			return found, false, nil
		}
		if err != nil {
			return found, false, err
		}
		var page answerPage
		if err := json.Unmarshal(raw, &page); err != nil {
			return found, false, &upstream.Error{Class: upstream.HTTP, Err: errors.New("a page of search results cannot be read")}
		}
		for _, event := range page.split(true) {
			s.api.spend.Read(event.Post.Key.ID)
			found = append(found, event)
		}
		if page.Meta.Next == "" {
			return found, true, nil
		}
		query.Set("next_token", page.Meta.Next)
	}
	return found, false, nil
}

// isBadRequest says that an error body is about the query, not about the token.
func isBadRequest(raw []byte) bool {
	for _, p := range readProblems(raw) {
		if p.Kind == "invalid-request" {
			return true
		}
	}
	return false
}

// queries are our rules as search takes them: joined, as many as fit.
func (s *Source) queries() (list []string) {
	s.rules.mu.Lock()
	rules := without(s.rules.settled, s.rules.failures)
	s.rules.mu.Unlock()
	var parts []string
	long := 0
	for _, r := range rules {
		if len([]rune(r.Value))+2 > maxQuery {
			long++
			continue
		}
		parts = append(parts, "("+r.Value+")")
	}
	if long > 0 && s.once("long") {
		s.log.Warn("rules are too long for search: their gaps stay", "rules", long)
	}
	for len(parts) > 0 {
		n, q := 1, parts[0]
		for n < len(parts) && len([]rune(q))+4+len([]rune(parts[n])) <= maxQuery {
			q += " OR " + parts[n]
			n++
		}
		list, parts = append(list, q), parts[n:]
	}
	return list
}
