package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"aviary/fanout"
	"aviary/server/deliver"
)

// pager is one walk over pages for one client. Its goroutine is the handler's;
// what asks the upstream for it runs beside it, so that heartbeats go on.
type pager struct {
	s       *Server
	w       http.ResponseWriter
	control *http.ResponseController
	client  *deliver.Client
	walk    *walk
	scope   string
	shared  bool // HTTP/2: the connection is not its own

	aged <-chan time.Time // fires when the connection has lived its time; nil: never

	// Owned by the handler's goroutine.
	place   place
	begun   bool // headers are written
	buf     []byte
	waiting int                 // posts in buf
	wrote   time.Time           // the last write
	oldest  time.Time           // time of the oldest post sent
	tells   bool                // the upstream names the next page when there is one
	popular map[uint64]struct{} // popular posts sent before their time has come
}

// walkAll walks in the direction that is asked for. nil: to the end.
func (p *pager) walkAll(ctx context.Context) error {
	if p.place.newer {
		return p.forward(ctx)
	}
	return p.back(ctx)
}

// back walks from the newest post, or from where it was, to the oldest.
func (p *pager) back(ctx context.Context) error {
	for {
		if p.full() || p.place.at == 1 {
			return p.done()
		}
		q := p.walk.q
		if p.place.at > 0 {
			q.MaxID = p.place.at - 1
		}
		page, err := p.page(ctx, q, asWalk)
		if err != nil {
			return err
		}
		next := page.next(q.MaxID)
		if len(page.Items) > 0 { // an empty one only says that the last was the last
			p.place.pages++
		}
		sent, err := p.sendBack(page, q)
		if err != nil {
			return err
		}
		over := p.last(page) || next == 0 || next <= q.SinceID
		if !p.full() && !over {
			p.place.at = next + 1
		}
		if sent {
			p.event("page", p.pageEvent())
		}
		if over || p.full() {
			return p.done()
		}
		if err := p.flush(); err != nil {
			return err
		}
	}
}

// last says that no older posts follow a page. That it names no next one only
// counts at an upstream that has named some before; another one is asked until a
// page is empty, as short pages may come in the middle.
func (p *pager) last(page *SearchPage) bool {
	p.tells = p.tells || page.Named
	return len(page.Items) == 0 || p.tells && !page.More
}

// sendBack sends the posts of a page, the newest first whatever their order in
// it, so that the id of each says: all above it have been sent. Popular posts
// stand outside that order. They come first and leave the place as it is, and
// are not sent again when the walk comes to their time.
func (p *pager) sendBack(page *SearchPage, q SearchQuestion) (sent bool, err error) {
	items := inOrder(page, q)
	timely := slices.ContainsFunc(items, func(i SearchItem) bool { return !i.Popular })
	for _, favourites := range []bool{true, false} {
		for _, item := range items {
			if favourites != (item.Popular && timely) {
				continue
			}
			if _, again := p.popular[item.ID]; again {
				delete(p.popular, item.ID)
				continue
			}
			if favourites {
				if p.popular == nil {
					p.popular = map[uint64]struct{}{}
				}
				p.popular[item.ID] = struct{}{}
			} else {
				p.place.at = item.ID
			}
			sent = true
			if err := p.post(item); err != nil || p.full() {
				return sent, err
			}
		}
	}
	return sent, nil
}

// maxRound is how many bytes of posts a round forward holds before it sends.
const maxRound = 16 << 20

// forward polls for newer posts without end. A round pages back from the newest
// post to the mark, then sends what it found, the oldest first, and with each
// post the mark moves. Only the first round of all, when there is no mark, is a
// single page: it says where to begin. A round that holds too much lets go of
// its newest posts, which the next round finds again.
func (p *pager) forward(ctx context.Context) error {
	for {
		found, err := p.round(ctx)
		if err != nil {
			return err
		}
		for _, item := range slices.Backward(found) {
			if p.full() {
				break
			}
			p.place.at = item.ID
			if err := p.post(item); err != nil {
				return err
			}
		}
		if len(found) > 0 {
			p.event("page", p.pageEvent())
		}
		if p.full() {
			return p.done()
		}
		if err := p.flush(); err != nil {
			return err
		}
	}
}

// round collects the posts above the mark, the newest first.
func (p *pager) round(ctx context.Context) (found []SearchItem, err error) {
	q := p.walk.q
	q.SinceID, q.MaxID = p.place.at, 0
	first := p.place.pages == 0 && p.place.at == 0
	size := 0
	for {
		page, err := p.page(ctx, q, asPoll)
		if err != nil {
			return nil, err
		}
		p.place.pages++
		items := inOrder(page, q)
		for _, item := range items {
			size += len(item.Event.JSON)
		}
		found = append(found, items...)
		for len(found) > 1 && size > maxRound {
			size -= len(found[0].Event.JSON)
			found = found[1:]
		}
		next := page.next(q.MaxID)
		if first || p.last(page) || next == 0 || next <= q.SinceID {
			return sorted(found), nil // popular posts may have come before their time
		}
		q.MaxID = next
	}
}

// inOrder are the posts of a page that a walk can use, the newest first.
func inOrder(page *SearchPage, q SearchQuestion) []SearchItem {
	items := slices.Clone(page.Items) // the page is shared
	return sorted(slices.DeleteFunc(items, func(i SearchItem) bool { return !i.usable(q.MaxID, q.SinceID) }))
}

// sorted orders posts, the newest first and each once.
func sorted(items []SearchItem) []SearchItem {
	slices.SortStableFunc(items, func(a, b SearchItem) int { return cmp.Compare(b.ID, a.ID) })
	return slices.CompactFunc(items, func(a, b SearchItem) bool { return a.ID == b.ID })
}

// full says that as many posts have been sent as were asked for.
func (p *pager) full() bool { return p.walk.most > 0 && p.place.posts >= p.walk.most }

// sentAt notes the time of a post.
func (p *pager) sentAt(e *fanout.Event) {
	if !e.Sent.IsZero() && (p.oldest.IsZero() || e.Sent.Before(p.oldest)) {
		p.oldest = e.Sent
	}
}
