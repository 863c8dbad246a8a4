package wire_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
)

// The forms in which posts reach a gateway. The members and their order are the
// services' and the libraries'; what people wrote is made up.
const (
	streamUser = "id id_str name screen_name location url description translator_type? protected verified " +
		"followers_count friends_count listed_count favourites_count statuses_count created_at utc_offset time_zone geo_enabled lang " +
		"contributors_enabled is_translator profile_background_color profile_background_image_url profile_background_image_url_https " +
		"profile_background_tile profile_link_color profile_sidebar_border_color profile_sidebar_fill_color profile_text_color " +
		"profile_use_background_image profile_image_url profile_image_url_https profile_banner_url? default_profile default_profile_image " +
		"following follow_request_sent notifications"

	restPost = "metadata? created_at id id_str text truncated entities extended_entities? source in_reply_to_status_id " +
		"in_reply_to_status_id_str in_reply_to_user_id in_reply_to_user_id_str in_reply_to_screen_name user geo coordinates place " +
		"contributors retweeted_status? quoted_status_id? quoted_status_id_str? quoted_status? is_quote_status retweet_count " +
		"favorite_count favorited retweeted possibly_sensitive? lang"
	restUser = "id id_str name screen_name location description url entities protected followers_count friends_count listed_count " +
		"created_at favourites_count utc_offset time_zone geo_enabled verified statuses_count lang contributors_enabled is_translator " +
		"is_translation_enabled profile_background_color profile_background_image_url profile_background_image_url_https " +
		"profile_background_tile profile_image_url profile_image_url_https profile_banner_url? profile_link_color " +
		"profile_sidebar_border_color profile_sidebar_fill_color profile_text_color profile_use_background_image has_extended_profile " +
		"default_profile default_profile_image following follow_request_sent notifications translator_type"

	mappedPost = "contributors coordinates created_at current_user_retweet entities extended_entities extended_tweet favorite_count " +
		"favorited filter_level geo id id_str in_reply_to_screen_name in_reply_to_status_id in_reply_to_status_id_str " +
		"in_reply_to_user_id in_reply_to_user_id_str is_quote_status lang place possibly_sensitive quoted_status_id " +
		"quoted_status_id_str quoted_status scopes retweet_count retweeted retweeted_status source text truncated display_text_range " +
		"user withheld_copyright withheld_in_countries withheld_scope metadata"
	mappedUser = "blocked_by blocking contributors_enabled created_at default_profile default_profile_image description email entities " +
		"favourites_count follow_request_sent following followers_count friends_count geo_enabled has_extended_profile id id_str " +
		"is_translation_enabled is_translator lang listed_count location muting name notifications profile_background_color " +
		"profile_background_image_url profile_background_image_url_https profile_background_tile profile_banner_url profile_image_url " +
		"profile_image_url_https profile_link_color profile_location profile_sidebar_border_color profile_sidebar_fill_color " +
		"profile_text_color profile_use_background_image protected screen_name show_all_inline_media status statuses_count time_zone " +
		"translator_type url utc_offset verified withheld_in_countries withheld_scope"
)

// trainingForm is one of them, and how much it counts in training.
type trainingForm struct {
	weight float64
	json   func(t tailor, simulated []byte) []byte
}

var forms = []trainingForm{
	{1, func(_ tailor, simulated []byte) []byte { return simulated }},
	{2, func(t tailor, simulated []byte) []byte { return style{ascii: true}.json(t.post(parse(simulated))) }},
	{0.5, func(t tailor, simulated []byte) []byte { return style{}.json(t.post(parse(simulated))) }},
	{0.5, func(t tailor, simulated []byte) []byte {
		if t.chance(50) {
			return compact(simulated)
		}
		return compact(style{}.json(t.post(parse(simulated))))
	}},
	{0.1, func(t tailor, simulated []byte) []byte {
		return style{ascii: t.chance(60)}.json(t.rest(t.post(parse(simulated))))
	}},
	{0.7, func(t tailor, simulated []byte) []byte { return style{}.json(mapped(t.post(parse(simulated)))) }},
	{0.1, func(t tailor, simulated []byte) []byte {
		return style{spaces: true}.json(t.shuffled(t.post(parse(simulated))))
	}},
}

func compact(post []byte) []byte {
	c, err := twitter.Dialect.Compact(nil, post)
	if err != nil {
		panic(err)
	}
	return c
}

// sample is one event as a stream holds it, and how much it counts.
type sample struct {
	frame  []byte
	weight float64
}

// samples are n simulated posts, in one form after the other.
func samples(seed uint64, n int) (all []sample) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	corpus := sim.NewCorpus(seed, now)
	t := tailor{rand.New(rand.NewPCG(seed, 7))}
	for len(all) < n {
		now = now.Add(time.Duration(t.IntN(int(time.Second))))
		m := corpus.Next(now)
		if !m.Post {
			continue
		}
		f := forms[len(all)%len(forms)]
		id := fmt.Sprintf("%s-%d", t.one("k3f9a1", "b02x7c", "q81m4e"), 100_000+t.IntN(900_000))
		all = append(all, sample{frameOf(id, f.json(t, m.JSON)), f.weight})
	}
	return all
}

func frameOf(id string, json []byte) []byte {
	return fmt.Appendf(nil, "id: %s\ndata: %s\n\n", id, json)
}

// inside applies f to the posts inside a post.
func inside(p object, f func(object) object) object {
	for _, key := range []string{"retweeted_status", "quoted_status"} {
		if inner, ok := p.get(key).(object); ok {
			p = p.with(key, f(inner))
		}
	}
	return p
}

// rest is a streamed post as the REST interface gives it, some as searches do.
func (t tailor) rest(p object) object {
	u := p.get("user").(object)
	links := object{{"description", object{{"urls", []any{}}}}}
	if site, ok := u.get("url").(string); ok {
		link := parse([]byte(`{"url":"","expanded_url":"","display_url":"","indices":[0,23]}`))
		link = link.with("url", "https://t.co/"+t.word(10)).with("expanded_url", site).with("display_url", strings.TrimPrefix(site, "http://"))
		links = append(object{{"url", object{{"urls", []any{link}}}}}, links...)
	}
	u = u.with("entities", links).with("has_extended_profile", t.chance(30)).with("translator_type", "none")
	for _, key := range []string{"is_translation_enabled", "following", "follow_request_sent", "notifications"} {
		u = u.with(key, false)
	}
	p = inside(p, t.rest).with("user", u.pick(restUser))
	if t.chance(50) {
		p = p.with("metadata", object{{"iso_language_code", p.get("lang")}, {"result_type", "recent"}})
	}
	return p.pick(restPost)
}

// mapped is a streamed post that a mapper of objects has read and written
// again: it writes all that it knows, by name.
func mapped(p object) object {
	u := p.get("user").(object)
	for key := range strings.FieldsSeq("blocked_by blocking follow_request_sent following has_extended_profile is_translation_enabled muting notifications show_all_inline_media") {
		u = u.with(key, false)
	}
	entities := func(o object) object {
		if o.get("media") == nil {
			o = o.with("media", []any{})
		}
		return o.pick("hashtags media symbols url urls user_mentions description")
	}
	p = inside(p, mapped).with("user", u.with("translator_type", "none").pick(mappedUser)).with("entities", entities(p.get("entities").(object)))
	if long, ok := p.get("extended_tweet").(object); ok {
		p = p.with("extended_tweet", long.with("entities", entities(long.get("entities").(object))).pick("full_text display_text_range entities extended_entities"))
	}
	p = p.with("scopes", object{}).with("contributors", []any{}).with("withheld_copyright", false).with("withheld_in_countries", []any{})
	return p.with("possibly_sensitive", p.get("possibly_sensitive") == true).pick(mappedPost)
}

// shuffled has the members of every object in any order, as maps have them.
func (t tailor) shuffled(v any) any {
	if o, is := v.(object); is {
		o = slices.Clone(o)
		t.Shuffle(len(o), func(i, j int) { o[i], o[j] = o[j], o[i] })
		v = o
	}
	return eachIn(v, t.shuffled)
}
