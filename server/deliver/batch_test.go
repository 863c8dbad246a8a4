package deliver

import (
	"bytes"
	"testing"

	"aviary/fanout"
	"aviary/fanout/wire"
)

// Wherever a write is cut, what was taken and the rest together are whole units,
// and the count of events is that of these units.
func TestCutAnywhere(t *testing.T) {
	f := Form{Events: AllEvents}
	for _, own := range []bool{false, true} {
		b := &batch{events: make([]*fanout.Event, 5), first: 1}
		ends := map[int]int{0: 1} // offset of a unit's end → events had
		for i, frames := range [][]string{{"first"}, {"match", "second"}, {"", "third"}, {"fourth"}} {
			for _, frame := range frames {
				if own {
					b.add(f.plain(&b.own, []byte(frame)))
				} else {
					b.add(wire.Block{Bytes: []byte(frame)})
				}
			}
			b.posts++
			b.end(i + 2)
			ends[b.size] = i + 2
		}
		all := bytes.Clone(b.bytes())
		for n := range b.size + 1 {
			events, _, rest := b.cut(n)
			have := append(bytes.Clone(all[:n]), rest...)
			if !bytes.Equal(have, all[:len(have)]) || ends[len(have)] != events {
				t.Errorf("cut at %d: %q after %q, %d events; ends %v", n, rest, all[:n], events, ends)
			}
			if _, atEnd := ends[n]; atEnd && len(rest) > 0 {
				t.Errorf("cut at %d, between units: the rest is %q", n, rest)
			}
		}
		b.events = nil // a client's own words: all of the rest
		for n := range b.size {
			if _, _, rest := b.cut(n); !bytes.Equal(rest, all[n:]) {
				t.Errorf("cut at %d: %q", n, rest)
			}
		}
	}
}

func TestMatchFrame(t *testing.T) {
	names := []string{"a", "b"}
	if got := string(Form{}.appendMatch(nil, names)); got != "event: match\ndata: {\"match\":[\"a\",\"b\"]}\n\n" {
		t.Errorf("%q", got)
	}
	if got := string(Form{NDJSON: true}.appendMatch(nil, names)); got != "{\"match\":[\"a\",\"b\"]}\n" {
		t.Errorf("%q", got)
	}
}
