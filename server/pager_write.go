package server

import (
	"net/http"
	"time"

	"aviary/fanout/wire"
	"aviary/server/deliver"
)

// walkWrite is how much is gathered for one write to a socket.
const walkWrite = 32 << 10

// begin sends the headers and the reconnection time.
func (p *pager) begin() {
	if p.begun {
		return
	}
	p.begun = true
	streamHeaders(p.w.Header(), p.walk.form)
	p.w.WriteHeader(http.StatusOK)
	p.buf = p.walk.form.AppendRetry(p.buf, deliver.Jitter(p.s.opts.Retry))
	if p.walk.anew && !p.walk.form.NDJSON {
		p.buf = wire.AppendComment(p.buf, "the last event id cannot be read, or is of another search: this one begins anew")
	}
}

// post sends one post; the place has been moved to it.
func (p *pager) post(item SearchItem) error {
	p.begin()
	p.place.posts++
	p.waiting++
	p.sentAt(item.Event)
	if p.walk.form.NDJSON {
		p.buf = append(append(p.buf, item.Event.JSON...), '\n')
	} else {
		p.buf = wire.AppendSSE(p.buf, "", p.place.String(), item.Event.JSON)
	}
	if len(p.buf) < walkWrite {
		return nil
	}
	return p.flush()
}

// event gathers an event that is not a post, with the place as its id.
func (p *pager) event(name string, body any) { p.named(name, p.place.String(), body) }

func (p *pager) named(name, id string, body any) {
	p.begin()
	data, err := marshal(map[string]any{name: body})
	if err != nil {
		panic(err) // only our own types come here
	}
	if p.walk.form.NDJSON {
		p.buf = append(append(p.buf, data...), '\n')
		return
	}
	p.buf = wire.AppendSSE(p.buf, name, id, data)
}

// pageEvent is the body of a page event. Posts are all since the start of the
// walk; what is not known is null.
func (p *pager) pageEvent() any {
	body := struct {
		Page      uint64     `json:"page"`
		Posts     uint64     `json:"posts"`
		Remaining *int       `json:"remaining"`
		Reset     *time.Time `json:"reset"`
		Oldest    *time.Time `json:"oldest"`
		Cursor    string     `json:"cursor"`
	}{Page: p.place.pages, Posts: p.place.posts, Oldest: instant(p.oldest), Cursor: p.place.String()}
	if r := p.s.search.rate(); r != nil {
		body.Remaining, body.Reset = &r.Remaining, &r.Reset
	}
	return body
}

// done ends a walk that has come to its end, or to as many posts as were asked for.
func (p *pager) done() error {
	p.named("done", p.place.End(), struct {
		Pages  uint64     `json:"pages"`
		Posts  uint64     `json:"posts"`
		Oldest *time.Time `json:"oldest"`
		Cursor string     `json:"cursor"`
	}{p.place.pages, p.place.posts, instant(p.oldest), p.place.End()})
	return p.flush()
}

// problem ends a walk that the upstream refuses to go on with. Coming back would
// not help, so it is an end for the client.
func (p *pager) problem(failed *SearchError) error {
	body, _ := failed.problem(time.Now())
	p.named("problem", p.place.End(), body)
	return p.flush()
}

// bye ends a walk that can go on elsewhere.
func (p *pager) bye(r deliver.Reason) error {
	p.begin()
	p.buf = p.walk.form.AppendBye(p.buf, r, p.s.clients.RetryAfter(r), p.place.String())
	return p.flush()
}

// beat is the sign of life of a walk that waits.
func (p *pager) beat() error {
	p.begin()
	p.buf = p.walk.form.AppendPosition(p.buf, p.place.String())
	return p.flush()
}

// flush writes what is gathered. The client has a write timeout for each piece.
func (p *pager) flush() error {
	if p.begun && len(p.buf) == 0 {
		return nil // nothing was written: the next heartbeat is not put off
	}
	p.begin()
	rest := p.buf
	for len(rest) > 0 {
		n := min(len(rest), 64<<10)
		if err := p.control.SetWriteDeadline(time.Now().Add(p.s.opts.WriteTimeout)); err != nil {
			return err
		}
		if _, err := p.w.Write(rest[:n]); err != nil {
			return err
		}
		if err := p.control.Flush(); err != nil {
			return err
		}
		rest = rest[n:]
	}
	if p.shared { // there a deadline ends the stream even when nothing is being written
		if err := p.control.SetWriteDeadline(time.Time{}); err != nil {
			return err
		}
	}
	p.client.Wrote(wire.Identity, p.waiting, len(p.buf))
	p.buf, p.waiting, p.wrote = p.buf[:0], 0, time.Now()
	return nil
}
