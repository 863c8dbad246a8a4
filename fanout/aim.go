package fanout

import (
	"slices"
	"strconv"

	"aviary/fanout/filter"
)

// aim decides who gets e and takes what it kills out of the log. It runs under
// the lock, before e has its slot.
//
// A notice about one post that is held goes to whoever that post, or a repost
// or quote of it that leaves with it, matched. If the post itself is gone from
// the log but was seen, nobody knows any more whom it matched, so everybody
// hears of it; the same if only reposts of it are held. A delete of a post never
// seen concerns only those who want everything.
func (h *Hub) aim(e *Event) {
	if !e.Kind.duty() {
		if e.Aim = AimEveryone; e.Kind == KindPost {
			e.Aim = AimMatching
		}
		if e.only != nil {
			e.Aim = AimMatching
		}
		return
	}
	w := h.windows[e.Target.Source]
	seen := e.Seen || w.find(e.Target.ID) != nil
	own, others := h.victims(w, e.Target)
	h.bury(e, own)
	h.bury(e, others)

	single := e.Target.ID != "" && (e.Kind == KindDelete || e.Kind == KindStatusWithheld)
	switch {
	case single && len(own) > 0:
		e.Aim = AimMatching
	case single && !seen && len(others) == 0, e.Kind == KindDelete && !single && len(e.dead) == 0:
		e.Aim = AimUnfiltered
	default:
		e.Aim = AimEveryone
	}
	if len(e.dead) > 0 {
		e.Post = e.dead[0]
	}
}

// victims lists the positions of the held posts that t names, and of the held
// reposts and quotes of them.
func (h *Hub) victims(w *window, t Target) (own, others []uint64) {
	take := func(list *[]uint64) func(*sighting) {
		return func(s *sighting) {
			if h.holds(s) {
				*list = append(*list, s.pos)
			}
		}
	}
	if t.ID != "" {
		w.same(t.ID, take(&own))
		w.containing(t.ID, take(&others))
		return own, others
	}
	if t.Author == "" {
		return nil, nil
	}
	w.by(t.Author, func(s *sighting) {
		if t.UpTo != 0 {
			if id, err := strconv.ParseUint(s.id, 10, 64); err != nil || id > t.UpTo {
				return
			}
		}
		take(&own)(s)
		w.containing(s.id, take(&others))
	})
	return own, others
}

// holds says that the post of a sighting is still in its slot.
func (h *Hub) holds(s *sighting) bool {
	return s.pos >= h.log.base && s.pos < h.log.head && h.log.at(s.pos).event != nil
}

// bury empties the slots and keeps the features of the dead on e, by which the
// clients are found who got them.
func (h *Hub) bury(e *Event, positions []uint64) {
	for _, pos := range positions {
		s := h.log.at(pos)
		if s.event == nil {
			continue // named twice: it quotes two of them
		}
		e.dead = append(e.dead, s.post)
		h.log.empty(s)
	}
}

// reaches says that an event with a dead or living post concerns f.
func (e *Event) reaches(f *filter.Filter) bool {
	switch {
	case e.Kind == KindPost:
		return f.Match(e.Post)
	case e.only != nil:
		return e.only[f.String()]
	}
	return slices.ContainsFunc(e.dead, f.Match)
}
