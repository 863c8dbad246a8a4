package filter

// sketch estimates in how many posts of late a feature occurred: a count-min
// sketch of two rows whose counts only rise where they must. Features that no
// count is kept apart for share theirs with others, so an estimate may be too
// high, by about the number of features a sampled post has, and is never too low.
//
// Old posts are forgotten bit by bit: with each one that is counted, a few counts
// are halved, each once in sketchWindow posts. Two estimates can therefore
// be wrong by a factor of two against each other.
type sketch struct {
	counts *[2 * sketchRow]uint16
	aging  int    // where the next counts are halved
	posts  uint64 // looked at
	random uint64
}

const (
	sketchRow    = 1 << 17
	sketchWindow = 1 << 14 // posts counted between two halvings of a count
	sketchStep   = 2 * sketchRow / sketchWindow

	// The first posts are all counted; then one in sketchEvery, which is enough
	// to tell rare from frequent and costs next to nothing.
	sketchFirst = 2048
	sketchEvery = 8
)

// next says that the post at hand is to be counted.
func (s *sketch) next() bool {
	s.posts++
	return s.posts <= sketchFirst || s.roll()%sketchEvery == 0
}

// roll returns a random number: xorshift, good enough to be in no step with anything.
func (s *sketch) roll() uint64 {
	s.random ^= s.random << 13
	s.random ^= s.random >> 7
	s.random ^= s.random << 17
	return s.random
}

// add counts the features of one post.
func (s *sketch) add(features []uint64) {
	for _, f := range features {
		a, b := s.rows(f)
		switch {
		case *a < *b:
			*a++
		case *b < *a:
			*b++
		case *a < 1<<16-1:
			*a++
			*b++
		}
	}
}

func (s *sketch) age() {
	for i := s.aging; i < s.aging+sketchStep; i++ {
		s.counts[i] /= 2
	}
	s.aging = (s.aging + sketchStep) % len(s.counts)
}

func (s *sketch) estimate(feature uint64) uint64 {
	a, b := s.rows(feature)
	return uint64(min(*a, *b))
}

func (s *sketch) rows(feature uint64) (a, b *uint16) {
	return &s.counts[feature%sketchRow], &s.counts[sketchRow+feature>>20%sketchRow]
}
