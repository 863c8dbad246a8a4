package sim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// entityKind sorts what a text is marked up with.
type entityKind uint8

const (
	hashtag entityKind = iota
	link
	mention
	cashtag
	medium
)

// entity is a marked stretch of a text.
type entity struct {
	kind     entityKind
	from, to int    // code points of the wire text, [from, to)
	value    string // tag without its sign, or the t.co address
	expanded string // of a link or medium
	user     *user  // of a mention
	files    []file // of a medium
}

// text is a text as it goes over the wire: & < > escaped, links as t.co.
type text struct {
	wire     string
	runes    int
	from, to int // display_text_range
	entities []entity
}

// composer turns what a person typed into a text. One composer makes one text
// at a time.
type composer struct {
	link func() string           // a new t.co address
	user func(name string) *user // nil: nobody has that name

	b        strings.Builder
	runes    int
	from, to int
	entities []entity
}

// reset starts a new text.
func (c *composer) reset() {
	c.b = strings.Builder{}
	c.b.Grow(320)
	c.runes, c.from, c.to = 0, 0, 0
	c.entities = nil
}

// text is what was composed.
func (c *composer) text() text {
	to := c.to
	if to == 0 {
		to = c.runes
	}
	return text{wire: c.b.String(), runes: c.runes, from: c.from, to: to, entities: c.entities}
}

// raw adds wire text as it is.
func (c *composer) raw(s string) {
	c.b.WriteString(s)
	c.runes += utf8.RuneCountInString(s)
}

// mark adds wire text that is an entity.
func (c *composer) mark(s string, e entity) {
	e.from = c.runes
	c.raw(s)
	e.to = c.runes
	c.entities = append(c.entities, e)
}

// plain adds typed text and finds the entities in it.
func (c *composer) plain(s string) {
	word := false // the character before is part of a word
	for len(s) > 0 {
		if n := c.entityAt(s, word); n > 0 {
			s, word = s[n:], true
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		switch r {
		case '&':
			c.raw("&amp;")
		case '<':
			c.raw("&lt;")
		case '>':
			c.raw("&gt;")
		default:
			c.b.WriteString(s[:n])
			c.runes++
		}
		s, word = s[n:], wordRune(r)
	}
}

// entityAt adds the entity that s begins with, if any, and returns its length in s.
func (c *composer) entityAt(s string, afterWord bool) int {
	if afterWord {
		return 0
	}
	switch s[0] {
	case '#':
		n := 1 + span(s[1:], wordRune)
		if strings.TrimFunc(s[1:n], unicode.IsDigit) == "" {
			return 0
		}
		c.mark(s[:n], entity{kind: hashtag, value: s[1:n]})
		return n
	case '@':
		n := 1 + span(s[1:], func(r rune) bool { return r < utf8.RuneSelf && wordRune(r) })
		u := c.user(s[1:n])
		if u == nil {
			return 0
		}
		c.mark(s[:n], entity{kind: mention, user: u})
		return n
	case '$':
		n := 1 + span(s[1:], func(r rune) bool { return 'A' <= r && r <= 'Z' })
		if n < 2 || n > 7 {
			return 0
		}
		c.mark(s[:n], entity{kind: cashtag, value: s[1:n]})
		return n
	case 'h':
		if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
			return 0
		}
		n := span(s, func(r rune) bool { return !unicode.IsSpace(r) })
		address := c.link()
		c.mark(address, entity{kind: link, value: address, expanded: s[:n]})
		return n
	}
	return 0
}

// span is the length of the run of such runes at the start of s.
func span(s string, of func(rune) bool) int {
	if n := strings.IndexFunc(s, func(r rune) bool { return !of(r) }); n >= 0 {
		return n
	}
	return len(s)
}

// wordRune says whether a rune can be part of a hashtag.
func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_'
	}
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

// cut is the first code points of a text, at most max, that end neither
// inside an escaped character nor inside an entity, and the entities in them.
func (t *text) cut(max int) (string, int, []entity) {
	if t.runes <= max {
		return t.wire, t.runes, t.entities
	}
	n := max
	var kept []entity
	for _, e := range t.entities {
		if e.to <= n {
			kept = append(kept, e)
		} else if e.from < n {
			n = e.from
		}
	}
	at := 0
	for range n {
		_, size := utf8.DecodeRuneInString(t.wire[at:])
		at += size
	}
	if amp := strings.LastIndexByte(t.wire[:at], '&'); amp >= 0 && !strings.Contains(t.wire[amp:at], ";") {
		n -= at - amp // an escape is ASCII: bytes are code points
		at = amp
	}
	return t.wire[:at], n, kept
}

// compat is the form of a long text in the field text: cut, with a link to the
// whole, 140 code points at most.
func (t *text) compat(address, whole string) text {
	wire, runes, kept := t.cut(classicRunes - 2 - len(address))
	wire, runes, kept = wire+"… ", runes+2, append(kept[:len(kept):len(kept)],
		entity{kind: link, from: runes + 2, to: runes + 2 + len(address), value: address, expanded: whole})
	return text{wire: wire + address, runes: runes + len(address), to: runes + len(address), entities: kept}
}

// classicRunes is the length of a text that fits the field text.
const classicRunes = 140

// repost is the text of a native retweet: cut like the classic retweets were.
func (t *text) repost(of *user) text {
	prefix := "RT @" + of.screen + ": "
	wire, runes, kept := t.cut(classicRunes - len(prefix))
	if runes < t.runes {
		wire, runes, kept = t.cut(classicRunes - len(prefix) - 1)
		wire, runes = wire+"…", runes+1
	}
	entities := []entity{{kind: mention, from: 3, to: len(prefix) - 2, user: of}}
	for _, e := range kept {
		e.from += len(prefix)
		e.to += len(prefix)
		entities = append(entities, e)
	}
	return text{wire: prefix + wire, runes: len(prefix) + runes, to: len(prefix) + runes, entities: entities}
}
