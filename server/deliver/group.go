package deliver

import "aviary/fanout"

// group is a shard's clients with the same filter.
type group struct {
	of      *fanout.Group
	place   fanout.Place // where the live members stood after the group's last round
	cohorts []*cohort
	pulling []*Client // members with a policy: each pulls for itself
	members int       // all of them, live or not
}

// cohort is the live clients of a group that get the same bytes. All of them
// stand where the shard's last round ends: a member costs its place in two lists.
type cohort struct {
	group   *group
	form    Form
	unseen  bool // they get deletes of posts never seen
	members []*Client
	sockets []int32 // of the members, side by side: a round touches little else

	// What every member got since the cohort began; a member that joins takes it
	// off its own count, and adds it again when it leaves.
	posts     uint64
	told      uint64 // the sequence told last
	lastWrite int64
}

// groupOf finds or makes the group of a client.
func (s *shard) groupOf(c *Client) *group {
	g := s.groups[c.sub.Group()]
	if g == nil {
		g = &group{of: c.sub.Group()}
		s.groups[g.of] = g
	}
	return g
}

// enter makes a client live: its subscription stands where the round ends.
func (s *shard) enter(c *Client) {
	g := c.group
	g.place = c.sub.Place()
	var co *cohort
	for _, have := range g.cohorts {
		if have.form == c.form && have.unseen == c.sub.Unseen() {
			co = have
		}
	}
	if co == nil {
		co = &cohort{group: g, form: c.form, unseen: c.sub.Unseen()}
		g.cohorts = append(g.cohorts, co)
	}
	c.cohort, c.index = co, int32(len(co.members))
	co.members = append(co.members, c)
	co.sockets = append(co.sockets, c.socket)
	c.posts -= co.posts
}

// exit takes a client out of the live ones. Where it stands is for the caller to
// say.
func (s *shard) exit(c *Client) {
	co := c.cohort
	c.posts += co.posts
	c.told = max(c.told, co.told)
	c.lastWrite = max(c.lastWrite, co.lastWrite)
	last := len(co.members) - 1
	co.members[c.index], co.sockets[c.index] = co.members[last], co.sockets[last]
	co.members[c.index].index = c.index
	co.members[last] = nil
	co.members, co.sockets = co.members[:last], co.sockets[:last]
	c.cohort = nil
	if last > 0 {
		return
	}
	g := co.group
	for i, have := range g.cohorts {
		if have == co {
			g.cohorts = append(g.cohorts[:i], g.cohorts[i+1:]...)
			return
		}
	}
}

// rouse takes a client out of the live ones while no round is being served.
func (s *shard) rouse(c *Client) {
	if c.cohort != nil {
		c.sub.Stand(s.round.End(c.group.place))
		s.exit(c)
	}
}
