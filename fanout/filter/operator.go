package filter

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// An operator is "name:value" in a rule.
type operator struct {
	name string
	is   traits
	read func(p *ruleParser, o *operator, v value) (literal, *Error)
}

// value is what stands behind the colon of an operator.
type value struct {
	text   string
	at     int // byte of the rule
	quoted bool
}

// operators are all that a rule may hold, as doc.go explains them.
var operators = []operator{
	{"from", standsAlone, userName(kindFrom)},
	{"to", standsAlone, userName(kindTo)},
	{"retweets_of", standsAlone, userName(kindRetweetsOf)},
	{"url", standsAlone, readURL},
	{"url_contains", standsAlone, readLink},
	{"conversation_id", standsAlone, postID(kindConversation)},
	{"in_reply_to_tweet_id", standsAlone, postID(kindInReplyTo)},
	{"retweets_of_tweet_id", standsAlone, postID(kindRetweetOf)},
	{"place", standsAlone | isGeo, tokensOfKind(kindPlace)},
	{"place_country", standsAlone | isGeo, readCountry},
	{"point_radius", standsAlone | isGeo, readCircle},
	{"bounding_box", standsAlone | isGeo, readBox},
	{"bio", standsAlone, tokensOfKind(kindBio)},
	{"bio_name", standsAlone, tokensOfKind(kindBioName)},
	{"bio_location", standsAlone, tokensOfKind(kindBioLocation)},
	{"source", standsAlone, readSource},
	{"followers_count", standsAlone, countRange(CountFollowers)},
	{"following_count", standsAlone, countRange(CountFollowing)},
	{"tweets_count", standsAlone, countRange(CountPosts)},
	{"listed_count", standsAlone, countRange(CountListed)},
	{"min_followers", standsAlone, readMinFollowers},
	{"is", 0, oneOf(kindIs, "retweet", "reply", "quote", "verified", "nullcast")},
	{"has", 0, oneOf(kindHas, "hashtags", "cashtags", "links", "mentions", "media", "images", "video_link", "geo")},
	{"lang", isLang, readLang},
	{"sample", 0, readSample},
}

// aliases are other names that X has or had for some of them.
var aliases = map[string]string{
	"retweets_of_user": "retweets_of", "in_reply_to_status_id": "in_reply_to_tweet_id",
	"retweets_of_status_id": "retweets_of_tweet_id", "statuses_count": "tweets_count",
	"friends_count": "following_count", "geo_bounding_box": "bounding_box", "geo_point_radius": "point_radius",
	"user_bio": "bio", "user_bio_location": "bio_location",
}

// refused are operators of X for which no source has the data, with the reason.
var refused = map[string]string{
	"context":             "X's own annotations of topics do not come with the posts",
	"entity":              "X's own annotations of names do not come with the posts",
	"embedding":           "X alone compares meanings",
	"embedding_threshold": "X alone compares meanings",
	"url_title":           "the pages behind links are not read; url: looks at the links themselves",
	"url_description":     "the pages behind links are not read; url: looks at the links themselves",
	"from_affiliate_of":   "affiliations do not come with the posts",
	"to_affiliate_of":     "affiliations do not come with the posts",
}

// byName finds an operator, by whatever name X has for it.
var byName = func() map[string]*operator {
	m := map[string]*operator{}
	for i := range operators {
		m[operators[i].name] = &operators[i]
	}
	return m
}()

// operatorNames are what may have been meant by a name that is none.
var operatorNames = func() (names []string) {
	for _, o := range operators {
		names = append(names, o.name)
	}
	return names
}()

// operator finds the operator of a word with a colon in it. It returns nothing
// for what may be a word with a colon behind it.
func (p *ruleParser) operator(word string, colon int) (*operator, *Error) {
	name := strings.ToLower(word[:colon])
	if full, ok := aliases[name]; ok {
		name = full
	}
	o := byName[name]
	bare := colon == len(word)-1 && !strings.HasPrefix(p.s[p.i+len(word):], `"`)
	switch {
	case o != nil && bare:
		return nil, p.fail(p.i, "%s: has no value: it stands directly behind the colon", name)
	case o != nil:
		p.i += colon + 1
		return o, nil
	case refused[name] != "":
		return nil, p.fail(p.i, "%s: is not possible here: %s", name, refused[name])
	case strings.HasPrefix(word[colon:], "://"):
		return nil, p.fail(p.i, "a link is looked for with url:").near(asNear(`url:"` + word + `"`))
	}
	near := Nearest(name, operatorNames)
	switch {
	case near == "" && bare:
		return nil, nil
	case near == "":
		return nil, p.fail(p.i, "there is no operator %s; to look for the words, put them in quotation marks", quote(word[:colon+1])).near(asNear(`"` + word + `"`))
	case bare:
		return nil, p.fail(p.i, "there is no operator %s", quote(word[:colon+1])).near(near + ":")
	}
	return nil, p.fail(p.i, "there is no operator %s; to look for the words, put them in quotation marks", quote(word[:colon+1])).near(asNear(near + word[colon:]))
}

// asNear returns what can be put in the place of something wrong, "" where that
// would be wrong too.
func asNear(term string) string {
	p := ruleParser{s: term}
	if e, err := p.alternatives(); err != nil || p.i < len(term) || !e.isLiteral() {
		return ""
	}
	return term
}

// operation reads the value of an operator, at which the parser stands.
func (p *ruleParser) operation(o *operator, err *Error) (expr, *Error) {
	if err != nil {
		return expr{}, err
	}
	at := p.i - len(o.name) - 1
	v, err := p.value()
	if err != nil {
		return expr{}, err
	}
	l, err := o.read(p, o, v)
	if err != nil {
		return expr{}, err
	}
	l.is |= o.is | inRule
	e := literalExpr(l, at)
	switch {
	case l.op == opSample:
		return p.takeSample(e)
	case l.text == "is:nullcast":
		return p.nullcast(at)
	}
	return e, nil
}

func (p *ruleParser) value() (v value, err *Error) {
	v.at = p.i
	switch {
	case strings.HasPrefix(p.s[p.i:], `"`):
		v.quoted = true
		v.text, err = p.quoted()
	case strings.HasPrefix(p.s[p.i:], `[`):
		inner, rest, closed := strings.Cut(p.s[p.i+1:], "]")
		if !closed {
			return v, p.fail(p.i, "this bracket is not closed")
		}
		v.text = "[" + inner + "]"
		p.i = len(p.s) - len(rest)
	default:
		end := strings.IndexFunc(p.s[p.i:], endsWord)
		if end < 0 {
			end = len(p.s) - p.i
		}
		v.text = p.s[p.i : p.i+end]
		p.i += end
		if strings.HasPrefix(p.s[p.i:], `"`) {
			return v, p.fail(p.i, "quotation marks stand around the whole value")
		}
		return v, nil
	}
	if err == nil {
		err = p.ended()
	}
	return v, err
}

// takeSample notes the sample of the rule; in its place nothing stands.
func (p *ruleParser) takeSample(e expr) (expr, *Error) {
	switch {
	case p.nots > 0:
		return expr{}, p.fail(e.pos, "sample: cannot be negated: it counts for the whole rule")
	case p.sample != nil && p.sample.lit.text != e.lit.text:
		return expr{}, p.fail(e.pos, "%s after %s: a rule has one sample, which counts for all of it", e.lit.text, p.sample.lit.text)
	}
	p.sample = &e
	return allOf(), nil
}

// nullcast answers is:nullcast, which X has only negated, and negated always
// holds: what was never shown to everybody is not in a stream at all.
func (p *ruleParser) nullcast(at int) (expr, *Error) {
	if p.nots%2 == 0 {
		return expr{}, p.fail(at, "is:nullcast can only be negated: no stream holds such posts").near("-is:nullcast")
	}
	return anyOf(), nil
}

// oneOf reads a value of a few words.
func oneOf(k kind, words ...string) func(*ruleParser, *operator, value) (literal, *Error) {
	return func(p *ruleParser, o *operator, v value) (literal, *Error) {
		what := strings.ToLower(v.text)
		if what == "videos" {
			what = "video_link"
		}
		if !slices.Contains(words, what) {
			e := p.fail(v.at, "%s: is followed by one of %s", o.name, strings.Join(words, ", "))
			return literal{}, e.near(Nearest(what, words))
		}
		l := literal{text: o.name + ":" + what, op: opFeature, arg: k.of(what)}
		switch l.text {
		case "is:retweet":
			l.is = isRepost
		case "has:geo":
			l.is = isGeo
		}
		return l, nil
	}
}

// quotedValue writes the value of an operator, in quotation marks where it needs them.
func quotedValue(name, text string) string {
	if text != "" && utf8.ValidString(text) && plain([]byte(text)) {
		return name + ":" + text
	}
	return name + `:"` + text + `"`
}
