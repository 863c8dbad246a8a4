package demand

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"aviary/fanout/filter"
)

// API is the language that an upstream is asked in.
type API uint8

// The languages.
const (
	V1 API = iota // Twitter's v1.1: phrases of track, ids of follow, boxes of locations
	X             // rules of X's filtered stream, one for each alternative of a filter
)

// Limits is how much an upstream takes, the operator's own terms included.
type Limits struct {
	Phrases, IDs, Boxes int // v1.1
	Rules               int // X
	RuleLength          int // X: code points of a rule
}

// PublishedLimits are those of the v1.1 standard role, and of X's API as it is sold
// to everybody.
func PublishedLimits() Limits {
	return Limits{Phrases: 400, IDs: 5000, Boxes: 25, Rules: 1000, RuleLength: 1024}
}

// MaxPhrase is the longest phrase of track in bytes of UTF-8, MinSide the shortest
// side of a box in degrees: v1.1 refuses others.
const (
	MaxPhrase = 60
	MinSide   = 0.1
)

// Config says what the upstream is and what it is asked for whatever clients want.
// The zero values of its figures mean the defaults.
type Config struct {
	API    API
	Limits Limits

	// Own is what the operator asks for: filters any of which is enough. None:
	// nothing in particular, and while clients want nothing either, every post comes.
	Own []*filter.Filter
	// OwnElse: posts come for another reason too, which cannot be said in filters and
	// which Languages do not narrow.
	OwnElse bool
	// OwnUse is how much of Limits Own takes up as it is written, which may be more
	// than it has alternatives: "go,go lang" is two phrases. On X the rules that others
	// keep on the server count as well. 0: as much as there are alternatives.
	OwnUse Limits
	// Languages and Level narrow all that comes, clients' terms too; none and
	// LevelNone: nothing is narrowed.
	Languages []string
	Level     filter.Level
	// NoLevels: posts of this source have no filter level, which counts as none.
	NoLevels bool
	// Tiles writes a box as alternatives of a rule of X. nil: boxes cannot be asked for.
	Tiles func(filter.Box) ([]string, error)

	PerKey Limits // most that counts of one client address; default: a quarter of what the operator's terms leave

	// Floor is how long a term stays at least once it was asked for, Linger how
	// long after the last client left (30 s, 10 s). A change waits Debounce for more
	// (1 s). Of Changes in each Window, spread out by themselves, no more are made
	// (3 in 5 minutes: v1.1 allows 5 connects, of which the first stream takes one, and
	// one is left for a stream that breaks).
	Floor, Linger, Debounce time.Duration
	Changes                 int
	Window                  time.Duration
}

func (c Config) withDefaults() Config {
	published := PublishedLimits()
	for _, d := range []struct {
		field *int
		value int
	}{
		{&c.Limits.Phrases, published.Phrases}, {&c.Limits.IDs, published.IDs}, {&c.Limits.Boxes, published.Boxes},
		{&c.Limits.Rules, published.Rules}, {&c.Limits.RuleLength, published.RuleLength}, {&c.Changes, 3},
	} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&c.Floor, 30 * time.Second}, {&c.Linger, 10 * time.Second}, {&c.Debounce, time.Second}, {&c.Window, 5 * time.Minute}} {
		if *d.field <= 0 {
			*d.field = d.value
		}
	}
	return c
}

// of returns the limit for a kind of term.
func (l *Limits) of(k kind) int {
	return [...]int{phrase: l.Phrases, user: l.IDs, box: l.Boxes, rule: l.Rules}[k]
}

// sum is how much there may be of everything.
func (l *Limits) sum() int { return l.Phrases + l.IDs + l.Boxes + l.Rules }

// Ask is what an upstream is asked for beside the operator's own terms: sorted,
// distinct, without what the operator's terms bring anyhow.
type Ask struct {
	Phrases []string     `json:"phrases,omitempty"`
	IDs     []uint64     `json:"ids,omitempty"`
	Boxes   []filter.Box `json:"boxes,omitempty"`
	Rules   []string     `json:"rules,omitempty"`
}

// Empty reports whether nothing is asked for.
func (a *Ask) Empty() bool { return len(a.Phrases)+len(a.IDs)+len(a.Boxes)+len(a.Rules) == 0 }

func (a *Ask) equal(b *Ask) bool {
	return slices.Equal(a.Phrases, b.Phrases) && slices.Equal(a.IDs, b.IDs) && slices.Equal(a.Boxes, b.Boxes) && slices.Equal(a.Rules, b.Rules)
}

// Track writes the phrases as v1.1 takes them: a comma list, behind the operator's
// own.
func (a *Ask) Track(own string) string { return list(own, a.Phrases) }

// Follow writes the ids likewise.
func (a *Ask) Follow(own string) string {
	ids := make([]string, len(a.IDs))
	for i, id := range a.IDs {
		ids[i] = strconv.FormatUint(id, 10)
	}
	return list(own, ids)
}

// Locations writes the boxes likewise.
func (a *Ask) Locations(own string) string {
	boxes := make([]string, len(a.Boxes))
	for i, b := range a.Boxes {
		boxes[i] = b.String()
	}
	return list(own, boxes)
}

func list(own string, items []string) string {
	if own != "" {
		items = slices.Concat([]string{own}, items)
	}
	return strings.Join(items, ",")
}

// add takes a term in.
func (a *Ask) add(t *term) {
	switch t.kind {
	case phrase:
		a.Phrases = append(a.Phrases, t.text)
	case user:
		a.IDs = append(a.IDs, t.id)
	case box:
		a.Boxes = append(a.Boxes, t.box)
	case rule:
		a.Rules = append(a.Rules, t.text)
	}
}

func (a *Ask) sort() {
	slices.Sort(a.Phrases)
	slices.Sort(a.IDs)
	slices.SortFunc(a.Boxes, filter.CompareBoxes)
	slices.Sort(a.Rules)
}
