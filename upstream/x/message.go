package x

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// guarded lets two goroutines use a sink, one at a time: the one that reads the
// stream and the one that fills the gap before it.
type guarded struct {
	mu sync.Mutex
	to upstream.Sink
}

func (g *guarded) Alive(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to.Alive(n)
}

func (g *guarded) Emit(e *fanout.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to.Emit(e)
}

func (g *guarded) Drop(reason string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to.Drop(reason)
}

// read takes messages until the stream ends.
func (c *connection) read(answer *http.Response) error {
	in := &httpapi.Stream{To: c.to, Veil: c.veil, Decode: Decode, Emit: c.emit}
	if !c.bare {
		in.Alive = c.source.alive
	}
	return in.Read(answer)
}

// decode is Decode, behind a wall.
func decode(message []byte) *fanout.Event {
	e, _ := httpapi.Decoded(Decode, message)
	return e
}

// emit hands an event to the sink. An error ends the stream.
func (c *connection) emit(e *fanout.Event) error {
	switch e.Kind {
	case fanout.KindPost:
		if c.bare {
			return nil
		}
		id := e.Post.Key.ID
		c.source.delivered(id)
		c.source.api.spend.Read(id)
		retract(e, c.to.Emit)
		c.to.Emit(e)
		return c.source.api.spend.over()
	case fanout.KindDisconnect:
		notice := e.JSON
		if masked := c.veil.Mask(string(notice)); masked != string(notice) {
			if e = decode([]byte(masked)); e == nil {
				c.to.Drop(upstream.DropMalformed)
				return broken(c.veil, notice, time.Now())
			}
		}
		c.to.Emit(e)
		return broken(c.veil, notice, time.Now())
	}
	if c.bare {
		retract(e, c.to.Emit)
	}
	if e.Kind == fanout.KindDelete && e.Target.ID == "" && !c.bare { // names a user: not of this stream
		c.to.Drop(upstream.DropMalformed)
		return nil
	}
	c.to.Emit(e)
	return nil
}

// delivered notes a post.
func (s *Source) delivered(id string) {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.newest = max(s.seen.newest, n)
	if s.seen.first == 0 {
		s.seen.first = n
	}
	s.seen.ids.add(strings.Clone(id))
}
