package filter

import "strings"

// What rules ask for beside words: who wrote to whom, where, with what and how
// known they are. Every method is for a source that has such a thing; what a
// source does not say, no rule finds.

// What a post has is known here of entities, links and places, and said by the
// source of media.
var (
	hasHashtags = kindHas.of("hashtags")
	hasMentions = kindHas.of("mentions")
	hasCashtags = kindHas.of("cashtags")
	hasLinks    = kindHas.of("links")
	hasGeo      = kindHas.of("geo")
)

// From names the author, whom from: finds by id and by name.
func (b *Builder) From(id, name string) { b.pair(kindFrom, id, name) }

// To names the author of the post that this one answers.
func (b *Builder) To(id, name string) { b.pair(kindTo, id, name) }

// RetweetsOf names the author of the post that this one reposts.
func (b *Builder) RetweetsOf(id, name string) { b.pair(kindRetweetsOf, id, name) }

// pair adds an id and a folded name, either of which may be unknown: "".
func (b *Builder) pair(k kind, id, name string) {
	if id != "" {
		b.features = append(b.features, k.of(id))
	}
	b.whole(k, name)
}

// Conversation sets the id of the conversation, which is that of its first post.
func (b *Builder) Conversation(id string) { b.whole(kindConversation, id) }

// InReplyTo sets the id of the post that this one answers.
func (b *Builder) InReplyTo(id string) { b.whole(kindInReplyTo, id) }

// RetweetOf sets the id of the post that this one reposts.
func (b *Builder) RetweetOf(id string) { b.whole(kindRetweetOf, id) }

// Bio adds what the author says of themselves, as it stands in the JSON string.
// Its bare tokens are found, and their order.
func (b *Builder) Bio(text string) { b.profile(kindBio, text) }

// BioName adds the name that the author is shown by; see Bio.
func (b *Builder) BioName(text string) { b.profile(kindBioName, text) }

// BioLocation adds where the author says to be; see Bio.
func (b *Builder) BioLocation(text string) { b.profile(kindBioLocation, text) }

func (b *Builder) profile(k kind, text string) {
	b.plainText(text)
	b.tokensInOrder(k)
}

// Place adds the place that the post is tagged with: its id is found as a whole,
// its names by their bare tokens and the order of these.
func (b *Builder) Place(id string, names ...string) {
	b.whole(kindPlace, id)
	for _, name := range names {
		b.profile(kindPlace, name)
	}
}

// Country adds the code of the country that this place lies in: "GB". Case does
// not matter.
func (b *Builder) Country(code string) { b.whole(kindCountry, code) }

// Source adds the name of the program that the post was written with, as it
// stands in the JSON string.
func (b *Builder) Source(app string) {
	b.plainText(strings.TrimSpace(app))
	if s := b.field.text; len(s) > 0 {
		b.features = append(b.features, kindSource.ofBytes(s))
	}
}

// Is adds what the post is: retweet, reply, quote; and verified, which its author is.
func (b *Builder) Is(what string) { b.whole(kindIs, what) }

// Has adds what the post holds: media, images, video_link; and whatever of
// hashtags, mentions, cashtags, links and geo the builder was not told otherwise.
func (b *Builder) Has(what string) { b.whole(kindHas, what) }

// Counts sets how many followers the author has, how many they follow, how many
// posts they wrote and in how many lists they are. Negative: the source does not say.
func (b *Builder) Counts(followers, following, posts, listed int64) {
	for i, n := range [4]int64{followers, following, posts, listed} {
		b.counts[i] = NoCount
		if n >= 0 {
			b.counts[i] = uint32(min(n, int64(NoCount-1)))
		}
	}
}
