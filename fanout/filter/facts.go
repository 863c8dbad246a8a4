package filter

// What rules ask for beside words: who wrote to whom, where, with what and how
// known they are. Every method is for a source that has such a thing; what a
// source does not say, no rule finds.

// From names the author, whom from: finds by id and by name.
func (b *Builder) From(id, name string) { b.pair(kindFrom, id, name) }

// To names the author of the post that this one answers.
func (b *Builder) To(id, name string) { b.pair(kindTo, id, name) }

// RetweetsOf names the author of the post that this one reposts.
func (b *Builder) RetweetsOf(id, name string) { b.pair(kindRetweetsOf, id, name) }

// Conversation sets the id of the conversation, which is that of its first post.
func (b *Builder) Conversation(id string) { b.named(kindConversation, id) }

// InReplyTo sets the id of the post that this one answers.
func (b *Builder) InReplyTo(id string) { b.named(kindInReplyTo, id) }

// RetweetOf sets the id of the post that this one reposts.
func (b *Builder) RetweetOf(id string) { b.named(kindRetweetOf, id) }

func (b *Builder) Bio(text string)                                  {}
func (b *Builder) BioName(text string)                              {}
func (b *Builder) BioLocation(text string)                          {}
func (b *Builder) Place(id string, names ...string)                 {}
func (b *Builder) Country(code string)                              {}
func (b *Builder) Source(app string)                                {}
func (b *Builder) Is(what string)                                   {}
func (b *Builder) Has(what string)                                  {}
func (b *Builder) Counts(followers, following, posts, listed int64) {}

func (b *Builder) pair(k kind, id, name string) {}
