package filter

import (
	"math/rand/v2"
	"testing"
)

// tableModel is what a table should hold: the watches under each feature.
type tableModel struct {
	t     *testing.T
	table table
	under map[uint64][]uint32 // the filters, by place
	all   []uint64            // features, one for each watch
}

func (m *tableModel) add(feature uint64, filter uint32) {
	pos := m.table.add(feature, watch{filter: filter})
	if want := uint32(len(m.under[feature])); pos != want {
		m.t.Fatalf("place %d, want %d", pos, want)
	}
	m.under[feature] = append(m.under[feature], filter)
	m.all = append(m.all, feature)
}

func (m *tableModel) remove(i int, pos uint32) {
	feature := m.all[i]
	m.all[i] = m.all[len(m.all)-1]
	m.all = m.all[:len(m.all)-1]
	u := m.under[feature]
	moved := m.table.remove(feature, pos)
	last := u[len(u)-1]
	if (moved != nil) != (int(pos) < len(u)-1) || moved != nil && moved.filter != last {
		m.t.Fatalf("removed place %d of %d: %v moved", pos, len(u), moved)
	}
	u[pos] = last
	if m.under[feature] = u[:len(u)-1]; len(u) == 1 {
		delete(m.under, feature)
	}
}

func (m *tableModel) check() {
	for feature, filters := range m.under {
		at := m.table.find(feature)
		if at == nil || m.table.dir[feature>>m.table.shift].mayHave(feature) == 0 {
			m.t.Fatalf("feature %x is lost", feature)
		}
		var got []uint32
		if !at.isList() {
			got = []uint32{at.filter}
		} else {
			l := m.table.lists.at(at.filter)
			for n := 0; len(l.block(n)) > 0; n++ {
				for _, w := range l.block(n) {
					got = append(got, w.filter)
				}
			}
		}
		if len(got) != len(filters) {
			m.t.Fatalf("%d watches, want %d", len(got), len(filters))
		}
		for i, f := range filters {
			if got[i] != f || m.table.watch(feature, uint32(i)).filter != f {
				m.t.Fatalf("filter %d at place %d, want %d", got[i], i, f)
			}
		}
	}
	live := 0
	for i := 0; i < len(m.table.dir); {
		p := m.table.dir[i].page
		live += p.live
		i += 1 << (64 - m.table.shift - p.depth)
	}
	if live != len(m.under) {
		m.t.Fatalf("%d features, want %d", live, len(m.under))
	}
}

// A table grows to many pages and shrinks again to one, while lists of all
// lengths form under some features.
func TestTable(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	popular := []uint64{rnd.Uint64(), rnd.Uint64(), rnd.Uint64(), rnd.Uint64()}
	m := &tableModel{t: t, table: newTable(), under: map[uint64][]uint32{}}
	most := 0
	for phase, target := range []int{40_000, 500, 9000, 0, 100, 0} {
		for len(m.all) != target {
			add := len(m.all) < target
			if rnd.IntN(4) == 0 && len(m.all) > 0 {
				add = !add
			}
			switch feature := popular[rnd.IntN(len(popular))]; {
			case !add:
				i := rnd.IntN(len(m.all))
				m.remove(i, uint32(rnd.IntN(len(m.under[m.all[i]]))))
			case rnd.IntN(4) > 0:
				feature = rnd.Uint64()
				if rnd.IntN(2) == 0 {
					feature %= 64 // share a page and, mostly, their tag
				}
				fallthrough
			default:
				m.add(feature, rnd.Uint32())
			}
			if rnd.IntN(10_000) == 0 {
				m.check()
			}
		}
		m.check()
		if m.table.lists.bytes < 0 || len(m.all) == 0 && m.table.lists.bytes != 0 {
			t.Fatalf("phase %d: lists of %d bytes", phase, m.table.lists.bytes)
		}
		if most = max(most, m.table.pages); len(m.all) == 0 && m.table.pages > most/4 {
			t.Errorf("phase %d: %d of %d pages are left of nothing", phase, m.table.pages, most)
		}
	}
	if most < 16 {
		t.Errorf("only %d pages: this shows little", most)
	}
}
