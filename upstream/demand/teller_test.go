package demand

import (
	"testing"
	"time"

	"aviary/fanout/filter"
)

// A client whose hello may have said that its posts do not come, because they came only
// behind it, is told that they do, also if its filter is seen only then; one that came
// when they did already is not.
func TestTellerOfANewFilter(t *testing.T) {
	own := Config{Own: []*filter.Filter{mustParse(t, "track=go")}}
	before, after := NewForceOf(own, Ask{}), NewForceOf(own, Ask{Phrases: []string{"rust"}})
	asked := crowdOf(map[string]int{"track=rust": 1}, t)
	var teller Teller
	teller.Compare(start, before, nil)
	at := start.Add(time.Second)
	_, found := teller.Compare(at, after, asked)
	if len(found) != 1 || !found[0].Since.Equal(start) {
		t.Errorf("told %v, want one since %v", found, start)
	}
	more := crowdOf(map[string]int{"track=rust": 1, "track=rust wasm": 1, "track=lisp": 1}, t)
	if lost, found := teller.Compare(at.Add(time.Second), after, more); len(lost)+len(found) > 0 {
		t.Errorf("told %v, %v of those that came later", lost, found)
	}
}
