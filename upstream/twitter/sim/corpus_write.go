package sim

import (
	"strconv"
	"strings"
	"time"
)

// chance is true that often in a hundred times.
func (c *Corpus) chance(percent int) bool { return c.rng.IntN(100) < percent }

// write makes a post of the population and keeps it.
func (c *Corpus) write(now time.Time) *post {
	c.chooseTopic()
	p := &post{
		at: now.UnixMilli(), id: c.nextID(now), source: pick(c, sources),
		level: "low", ascii: c.chance(25),
	}
	p.user = c.author()
	p.lang = languages()[p.user.lang].code
	switch n := c.rng.IntN(100); {
	case n < 20:
		p.level = "medium"
	case n < 25:
		p.level = "none"
	}
	switch n := c.rng.IntN(100); {
	case n < 18:
		p.repost = c.earlier(true)
	case n < 27:
		p.quote = c.earlier(true)
	case n < 41:
		c.answer(p, c.earlier(true))
	}
	if p.repost != nil {
		p.text, p.lang = p.repost.text.repost(p.repost.user), p.repost.lang
		p.sensitive = p.repost.sensitive
		c.keep(p)
		return p
	}
	c.speak(p)
	c.locate(p)
	if c.rng.IntN(300) == 0 {
		p.withheld = pick(c, countries)
	}
	c.keep(p)
	return p
}

// chooseTopic starts and ends bursts: now and then everybody speaks of one thing.
func (c *Corpus) chooseTopic() {
	if c.burst > 0 {
		c.burst--
	} else if c.rng.IntN(600) == 0 {
		c.burst, c.hot = 30+c.rng.IntN(50), c.rng.IntN(len(topics)-1)
	}
	if c.burst > 0 && c.chance(65) {
		c.topic = c.hot
		return
	}
	n := c.rng.IntN(100)
	for c.topic = 0; n >= topics[c.topic].weight; c.topic++ {
		n -= topics[c.topic].weight
	}
}

// author picks who speaks: half the time in English, and rather somebody who
// likes the topic.
func (c *Corpus) author() *user {
	lang := c.rng.IntN(len(c.speakers))
	if c.chance(45) {
		lang = langEnglish()
	}
	speakers := c.speakers[lang]
	u := pick(c, speakers)
	for range 3 {
		if u.topics[0] == c.topic || u.topics[1] == c.topic {
			break
		}
		u = pick(c, speakers)
	}
	return u
}

func langEnglish() int {
	for i, l := range languages() {
		if l.code == "en" {
			return i
		}
	}
	return 0
}

// answer makes p a reply to another post.
func (c *Corpus) answer(p, to *post) {
	if to == nil || to.user == p.user {
		return
	}
	p.replyID, p.replyUser = to.id, to.user
	if c.chance(8) { // a reply by hand: the name, but not the button
		p.replyID = 0
	}
}

// speak gives p its text.
func (c *Corpus) speak(p *post) {
	c.compose.reset()
	if p.replyUser != nil {
		c.compose.plain("@" + p.replyUser.screen + " ")
		if p.replyID == 0 {
			p.replyUser = nil
		} else {
			c.compose.from = c.compose.runes
		}
	}
	c.compose.plain(c.say(p))
	c.attach(p)
	p.text = c.compose.text()
	p.shorten(c.link)
}

// shorten makes the short form of a text that is too long for the field text.
func (p *post) shorten(link func() string) {
	if p.text.runes > classicRunes {
		p.short = p.text.compat(link(), "https://twitter.com/i/web/status/"+strconv.FormatUint(p.id, 10))
	}
}

// say is what p's author types.
func (c *Corpus) say(p *post) string {
	l := &languages()[p.user.lang]
	said := l.said[c.topic]
	if p.replyID != 0 && c.chance(60) || len(said) == 0 {
		said = l.reply
	}
	var b strings.Builder
	c.fill(&b, pick(c, said))
	if c.chance(24) { // somebody with more to say: other sentences behind it
		pool := l.said[c.topic]
		pool = append(pool[:len(pool):len(pool)], l.said[len(topics)-1]...)
		at := c.rng.IntN(len(pool))
		for range 1 + c.rng.IntN(3) {
			b.WriteString(pause(b.String()))
			c.fill(&b, pool[at%len(pool)])
			at++
		}
	}
	topic := &topics[c.topic]
	if keyword := topic.name; keyword != "any" && c.chance(80) && !hasWord(b.String(), keyword) {
		b.WriteString(" #" + keyword)
	}
	if c.chance(30) {
		b.WriteString(" " + pick(c, topic.emoji))
	}
	if c.chance(3) {
		b.WriteString(" $" + topic.symbol)
	}
	if c.chance(12) {
		b.WriteString(" " + c.article())
	}
	if c.chance(2) {
		return b.String() + "\n\n— " + p.user.name
	}
	return b.String()
}

// pause is what goes between a text and the next sentence.
func pause(s string) string {
	if endsInWord(s) {
		return ". "
	}
	return " "
}

// fill writes a sentence with its slots filled.
func (c *Corpus) fill(b *strings.Builder, t template) {
	for i, part := range t {
		if i%2 == 0 {
			b.WriteString(part)
		} else {
			b.WriteString(slots[part](c))
		}
	}
}

// hasWord finds an ASCII word, whatever its case, with no letter beside it.
func hasWord(s, word string) bool {
	s = strings.ToLower(s)
	for {
		i := strings.Index(s, word)
		if i < 0 {
			return false
		}
		before, after := s[:i], s[i+len(word):]
		if !endsInWord(before) && span(after, wordRune) == 0 {
			return true
		}
		s = after
	}
}

func endsInWord(s string) bool {
	return strings.TrimRightFunc(s, wordRune) != s
}

// attach adds the link to a quoted post, or pictures, behind the text that is shown.
func (c *Corpus) attach(p *post) {
	pictures := p.quote == nil && c.chance(14)
	if p.quote == nil && !pictures {
		return
	}
	c.compose.to = c.compose.runes
	c.compose.raw(" ")
	address := c.link()
	if p.quote != nil {
		p.quoted, p.permalink = p.quote.id, address
		c.compose.mark(address, entity{kind: link, value: address, expanded: p.quote.url()})
		return
	}
	p.sensitive = c.chance(4)
	c.compose.mark(address, entity{kind: medium, value: address, expanded: p.url() + "/photo/1", files: c.files(p)})
}

func (c *Corpus) files(p *post) []file {
	kind, n := "photo", 1
	switch r := c.rng.IntN(10); {
	case r < 3:
		n = 2 + c.rng.IntN(3)
	case r == 3:
		kind = "video"
	case r == 4:
		kind = "animated_gif"
	}
	files := make([]file, n)
	for i := range files {
		files[i] = file{id: p.id - uint64(n-i), kind: kind, url: "https://media.example.com/" + topics[c.topic].name + "/" + slots["n"](c) + ".jpg"}
		if c.chance(60) {
			files[i].alt = "A picture about " + topics[c.topic].name + ": " + pick(c, alts)
		}
	}
	return files
}

var alts = []string{"two people laugh", "a wide view with clouds & hills", "a table seen from above", "hands at work", "a hand-drawn sign, \"this way\""}

// locate says where p was made, for some posts.
func (c *Corpus) locate(p *post) {
	if !c.chance(9) {
		return
	}
	p.place, p.clockwise = &places[c.rng.IntN(len(places))], c.chance(50)
	if c.chance(45) {
		b := p.place.box
		p.point = []float64{inside(c, b[0], b[2]), inside(c, b[1], b[3])}
	}
}

// inside is a coordinate between two, in steps of 0.0001 degrees.
func inside(c *Corpus, low, high float64) float64 {
	return float64(int((low+(high-low)*c.rng.Float64())*10_000)) / 10_000
}
