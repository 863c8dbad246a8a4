package deliver

import (
	"time"

	"aviary/fanout"
	"aviary/fanout/wire"
)

// stampEvery is how many members are written to between two looks at the clock:
// some 0.1 ms.
const stampEvery = 16

// serveRound brings the round to whom it is due. Whoever does not take all of it
// is live no longer.
func (s *shard) serveRound() {
	r := &s.round
	if r.Overtaken {
		for _, g := range s.groups {
			s.rouseAll(g, r.Start(g.place))
		}
		return
	}
	for i := range r.Due {
		d := &r.Due[i]
		if g := s.groups[d.Group]; g != nil {
			s.serveGroup(g, d)
		}
	}
	if len(r.Everyone) == 0 {
		return
	}
	due := make(map[*fanout.Group]bool, len(r.Due))
	for i := range r.Due {
		due[r.Due[i].Group] = true
	}
	for of, g := range s.groups {
		if !due[of] {
			s.serveGroup(g, &fanout.Due{Group: of, Place: r.End(g.place)})
		}
	}
}

// serveGroup serves the members of one group.
func (s *shard) serveGroup(g *group, d *fanout.Due) {
	for _, c := range g.pulling {
		s.enqueue(c)
	}
	start := s.round.Start(g.place)
	g.place = d.Place
	if d.Pull {
		s.rouseAll(g, start)
		return
	}
	for i := 0; i < len(g.cohorts); {
		co := g.cohorts[i]
		s.serveCohort(co, start, d)
		if i < len(g.cohorts) && g.cohorts[i] == co {
			i++
		}
	}
	s.batch.reset()
}

// serveCohort brings a cohort what its group is due.
func (s *shard) serveCohort(co *cohort, start fanout.Place, d *fanout.Due) {
	defer s.dropAll(co)
	b := &s.batch
	b.reset()
	b.from = start
	b.events = s.round.Merge(b.events, d.Events, co.group.of, co.unseen)
	for next := 0; next < len(b.events) && len(co.members) > 0; {
		next = co.fill(b, next)
		s.write(co, b)
	}
}

// rouseAll lets all live members of a group pull for themselves.
func (s *shard) rouseAll(g *group, start fanout.Place) {
	for _, c := range g.pulling {
		s.enqueue(c)
	}
	for len(g.cohorts) > 0 {
		members := g.cohorts[0].members
		c := members[len(members)-1]
		c.sub.Stand(start)
		s.exit(c)
		s.enqueue(c)
	}
}

// fill puts events from a place in the batch's list into one write, and returns
// the place of the first that found no room.
func (co *cohort) fill(b *batch, from int) int {
	b.rewind()
	b.first = from
	for n := from; n < len(b.events); n++ {
		e := b.events[n]
		if !co.form.sends(e) {
			continue
		}
		block := co.form.block(e)
		if !b.fits(block) {
			return n
		}
		b.event(co.form, block, e, co.group.of, n)
		b.received = append(b.received, e.Received)
	}
	return len(b.events)
}

// write writes the batch to every member of a cohort.
func (s *shard) write(co *cohort, b *batch) {
	if b.size == 0 {
		return
	}
	b.vector.set(b.blocks)
	zipped := co.form.Coding == wire.Gzip
	if zipped {
		b.sum.Reset(b.blocks...)
	}
	written, stamped := 0, 0
	for i := 0; i < len(co.sockets); {
		n, err := b.vector.write(int(co.sockets[i]))
		if n == b.size {
			if zipped {
				co.members[i].sum.AddBatch(&b.sum)
			}
			i++
			if written++; written-stamped == stampEvery {
				s.counts.took(time.Now(), b.received, written-stamped)
				stamped = written
			}
			continue
		}
		s.short(co.members[i], b, n, err)
	}
	now := time.Now()
	s.counts.took(now, b.received, written-stamped)
	s.counts.wrote(co.form.Coding, written*b.posts, written*b.size)
	s.clients.metrics.told(b.gaps, written)
	s.clock = int64(now.Sub(s.clients.start))
	co.posts += uint64(b.posts)
	co.told, co.lastWrite = b.last.Seq, s.clock
}

// short ends the live life of a member that took only n bytes of a round.
func (s *shard) short(c *Client, b *batch, n int, err error) {
	c.sub.Stand(b.from)
	s.exit(c)
	if err != nil {
		c.end(Gone)
		s.enqueue(c)
		return
	}
	others := *b
	b.gaps, b.received = nil, nil
	c.cutShort(s, b, n)
	*b = others
}
