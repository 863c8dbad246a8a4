package sim

import (
	"strconv"
	"time"
)

// user is one of the population. It doesn't change.
type user struct {
	id           uint64
	name, screen string
	lang         int // of languages
	topics       [2]int
	location     string
	site, bio    string
	avatar       string
	verified     bool
	followers    uint64
	since        int64     // Unix ms
	json         [2][]byte // made once: raw, ASCII
}

// population is how many users there are to begin with.
const population = 200

// screenSuffix ends every screen name of the population, so that nobody takes
// a simulated post for a real person's.
const screenSuffix = "_sim"

// populate makes the users: every name of the files once, then namesakes.
func (c *Corpus) populate() {
	for i := 0; len(c.users) < population; i++ {
		suffix := ""
		if i > 0 {
			suffix = strconv.Itoa(i + 1)
		}
		for lang, l := range languages() {
			for _, n := range l.names {
				if len(c.users) < population && !(n.desk && i > 0) {
					c.addUser(n, suffix, lang)
				}
			}
		}
	}
}

func (c *Corpus) addUser(n name, suffix string, lang int) *user {
	l := languages()[lang]
	at := places[c.rng.IntN(len(places))]
	number := len(c.users) + 1
	u := &user{
		id: 1_000_000 + uint64(number)*7919, name: n.shown, screen: n.screen + suffix + screenSuffix,
		lang: lang, topics: [2]int{c.rng.IntN(len(topics)), c.rng.IntN(len(topics))},
		bio: pick(c, l.bios), verified: n.desk,
		avatar:    "https://avatars.example.com/" + strconv.Itoa(number) + "_normal.png",
		followers: uint64(c.rng.ExpFloat64() * 400),
		since:     time.Date(2007+c.rng.IntN(17), time.Month(1+c.rng.IntN(12)), 1+c.rng.IntN(28), c.rng.IntN(24), c.rng.IntN(60), c.rng.IntN(60), 0, time.UTC).UnixMilli(),
	}
	if joined := time.UnixMilli(u.since); joined.Year() >= 2016 { // ids beyond 2^53
		u.id = snowflake(joined, uint64(number))
	}
	if suffix != "" {
		u.name += " " + pick(c, epithets)
	}
	if c.rng.IntN(3) > 0 {
		u.location = at.full
	}
	if n.desk || c.rng.IntN(5) == 0 {
		u.site = "https://" + n.screen + ".example.com"
	}
	if n.desk {
		u.followers += 80_000
		u.topics[1] = u.topics[0]
	}
	c.users = append(c.users, u)
	c.speakers[lang] = append(c.speakers[lang], u)
	c.byName[u.screen] = u
	return u
}

var epithets = []string{"II", "☕", "on tour", "& friends", "(off)", "🌿", "von Nebenan", "📷", "jr"}

// userNamed finds a user, or makes one of that name for a Draft.
func (c *Corpus) userNamed(screen string) *user {
	if u := c.byName[screen]; u != nil {
		return u
	}
	number := uint64(len(c.users) + 1)
	u := &user{
		id: 1_000_000 + number*7919, name: screen, screen: screen, bio: "Made for a test",
		avatar: "https://avatars.example.com/test_normal.png", since: 1262304000000, followers: 1,
	}
	c.users = append(c.users, u)
	c.byName[screen] = u
	return u
}
