package demand

// set holds things by name, and in a list that is quick to walk.
type set[T interface {
	at() (name string, place *int)
}] struct {
	named map[string]T
	list  []T
}

func newSet[T interface{ at() (string, *int) }]() set[T] { return set[T]{named: map[string]T{}} }

func (s *set[T]) add(one T) {
	name, place := one.at()
	*place = len(s.list)
	s.named[name], s.list = one, append(s.list, one)
}

func (s *set[T]) remove(one T) {
	name, place := one.at()
	end := len(s.list) - 1
	last := s.list[end]
	_, moved := last.at()
	s.list[*place], *moved = last, *place
	clear(s.list[end:])
	s.list = s.list[:end]
	delete(s.named, name)
}

func (n *counted) at() (string, *int)   { return n.name, &n.place }
func (c *candidate) at() (string, *int) { return c.name, &c.place }
