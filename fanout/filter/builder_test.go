package filter

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

func TestPost(t *testing.T) {
	p := build(func(b *Builder) {
		b.Author("3")
		b.Ref("17")
		b.Ref("")
		b.Ref("18")
		b.Level("medium")
		b.Area(Box{1, 2, 3, 4})
		b.Text("one two one")
	})
	if p.Key != (Key{"test", "1"}) || p.Author != "3" || !slices.Equal(p.Refs, []string{"17", "18"}) ||
		p.Level != LevelMedium || !p.HasGeo || p.Geo != (Box{1, 2, 3, 4}) {
		t.Errorf("got %+v", p)
	}
	want := []uint64{kindToken.of("one"), kindToken.of("two"), kindUser.of("3"), kindHas.of("geo")}
	slices.Sort(want)
	if !slices.Equal(p.Features, want) {
		t.Errorf("features %x, want %x", p.Features, want)
	}
}

// Nothing of one post may show up in the next.
func TestBuilderReuse(t *testing.T) {
	var b Builder
	fillBench(&b, benchTexts["latin"])
	b.Point(1, 1)
	b.Level("medium")
	first := b.Post()
	kept := *first
	kept.Features, kept.Refs = slices.Clone(first.Features), slices.Clone(first.Refs)

	b.Reset(Key{"test", "2"})
	if p := b.Post(); !reflect.DeepEqual(p, &Post{Key: Key{"test", "2"}, Features: []uint64{}, Counts: unknown}) {
		t.Errorf("an empty post after a full one: %+v", p)
	}
	fillBench(&b, benchTexts["cyrillic"])
	b.Post()
	if !reflect.DeepEqual(*first, kept) {
		t.Error("a post changed when its builder was used again")
	}
}

// A builder that met one huge post does not stay huge.
func TestBuilderShrinks(t *testing.T) {
	var b Builder
	b.Reset(Key{})
	b.Text(strings.Repeat("many different words ", 50_000))
	if p := b.Post(); len(p.Features) != 3 {
		t.Errorf("%d features, want 3", len(p.Features))
	}
	b.Reset(Key{})
	if cap(b.field.text) > maxKept || cap(b.features)*8 > maxKept {
		t.Errorf("keeps %d bytes of text, %d features", cap(b.field.text), cap(b.features))
	}
}

// The post must not keep alive the JSON that its ids were cut from.
func TestPostOwnsItsIDs(t *testing.T) {
	json := strings.Repeat(`{"id_str":"1234"}`, 10)
	id := json[11:15]
	var b Builder
	b.Reset(Key{"test", id})
	b.Author(id)
	b.Ref(id)
	p := b.Post()
	for _, s := range []string{p.Key.ID, p.Author, p.Refs[0]} {
		if s != "1234" {
			t.Errorf("an id became %q", s)
		}
		if unsafe.StringData(s) == unsafe.StringData(id) {
			t.Error("an id still lies inside the JSON")
		}
	}
}

func TestBuilderAllocations(t *testing.T) {
	var b Builder
	fillBench(&b, benchTexts["latin"])
	b.Post()
	if n := testing.AllocsPerRun(100, func() { fillBench(&b, benchTexts["latin"]); b.Post() }); n > 4 {
		t.Errorf("%v allocations a post; the post, its features, its ids and its refs are 4", n)
	}
}

func TestSize(t *testing.T) {
	small := build(func(b *Builder) {})
	large := build(func(b *Builder) { b.Text("five words make five features"); b.Ref("12345") })
	if s := small.Size(); s < int(unsafe.Sizeof(Post{})) || s > 300 {
		t.Errorf("an empty post has %d bytes", s)
	}
	if d := large.Size() - small.Size(); d < 4*8+16+5 || d > 200 {
		t.Errorf("four features and one ref more have %d bytes", d)
	}
}
