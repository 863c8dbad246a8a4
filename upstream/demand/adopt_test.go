package demand

import (
	"reflect"
	"testing"
	"time"

	"aviary/fanout"
)

// What one planner took in is in force at another that adopts it: the same filters
// are served, and nothing is to be changed.
func TestAdopt(t *testing.T) {
	for name, c := range map[string]Config{"v1.1": {}, "x": {API: X}} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(20) {
				w := newWorld(seed)
				var asked []fanout.Asked
				for range 8 {
					asked = append(asked, fanout.Asked{Filter: w.filter(), Clients: 1})
				}
				p := New(c)
				p.Plan(start, asked)
				took := p.Plan(start.Add(2*time.Second), asked).Force.Asked()
				if took.Empty() {
					continue
				}
				f := NewForceOf(c, took)
				if got := f.Asked(); !reflect.DeepEqual(got, took) {
					t.Fatalf("adopted %+v, it was %+v", got, took)
				}
				var one, other Teller
				one.Compare(start, p.Force(), asked)
				other.Compare(start, f, asked)
				if a, b := one.missing(), other.missing(); c.API == V1 && !reflect.DeepEqual(a, b) {
					t.Fatalf("missing %v, at first %v, of %+v", b, a, took)
				}
				q := New(c)
				q.Adopt(start, took)
				if s := q.Plan(start.Add(time.Hour), asked); c.API == V1 && !s.Again.IsZero() {
					t.Fatalf("after %+v the adopter wants something else", took)
				}
			}
		})
	}
}
