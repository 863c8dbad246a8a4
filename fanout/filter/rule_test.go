package filter

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestRuleErrors(t *testing.T) {
	for _, c := range []struct {
		rule string
		pos  int
		near string
		says string
	}{
		// the shape of a rule
		{"go OR", 5, "", "missing at the end"},
		{"OR go", 0, "", "none before it"},
		{"go OR OR rust", 6, "", "none before it"},
		{"go (OR rust)", 4, "", "none before it"},
		{"go (rust OR)", 11, "", "missing before the closing"},
		{"()", 1, "", "missing before the closing"},
		{"go ()", 4, "", "missing before the closing"},
		{"(go rust", 0, "", "not closed"},
		{"é (go (rust)", 2, "", "not closed"},
		{"(go OR", 0, "", "not closed"},
		{"go)", 2, "", "not opened"},
		{")", 0, "", "not opened"},
		{"go (rust)) lang:en", 9, "", "not opened"},
		{`go "red planet`, 3, "", "not closed"},
		{`"`, 0, "", "not closed"},
		{`"red"planet`, 5, "", "space is missing"},
		{`"red""planet"`, 5, "", "space is missing"},
		{`“red planet” go`, 0, `"red planet"`, "straight"},
		{`«red»`, 0, `"red"`, "straight"},
		{" ", 1, "", "missing at the end"},
		{"go -", 3, "", "nothing follows"},
		{"go - rust", 3, "", "nothing follows"},
		{"go --rust", 3, "", "nothing follows"},
		{"go (rust -)", 9, "", "nothing follows"},
		{"go –rust", 3, "-rust", "not the minus sign"},
		{"go —rust", 3, "-rust", "not the minus sign"},
		{strings.Repeat("(", 33) + "go" + strings.Repeat(")", 33), 32, "", "limit is 32"},
		{strings.Repeat("go ", 401), 1200, "", "limit is 400"},
		{strings.Repeat("é", 4097), 4096, "", "limit is 4096"},
		{strings.Repeat("(", 128<<10), 4096, "", "limit is 4096"},
		{strings.Repeat("ß", 3000), 0, "", "as it is understood"},
		{"go\nrust", 2, "", "U+000A"},
		{"go \xff", 3, "", "UTF-8"},

		// words
		{"go ...", 3, "", "nothing but punctuation"},
		{"go | rust", 3, "OR", "nothing but punctuation"},
		{"go || rust", 3, "OR", "nothing but punctuation"},
		{`go ""`, 3, "", "nothing but punctuation"},
		{`"..."~2`, 0, "", "nothing but punctuation"},
		{"go \u0301", 3, "", "nothing but punctuation"},
		{"go #", 3, "", "nothing but punctuation"},
		{"#go!", 0, "#go", "behind the sign"},
		{"go @kestrel,", 3, "@kestrel", "behind the sign"},
		{"hello🔭", 0, "hello 🔭", "term of its own"},
		{`go "look 🔭"`, 3, "look 🔭", "by themselves"},
		{`"a b"~7`, 5, "~6", "1 to 6"},
		{`"a b"~0`, 5, "", "1 to 6"},
		{`"a b"~`, 5, "", "1 to 6"},
		{`"a b"~x`, 5, "", "1 to 6"},
		{`"` + strings.Repeat("a ", 65) + `"`, 0, "", "limit is 64"},

		// operators that do not exist, or not here
		{"go form:kestrel", 3, "from:kestrel", `no operator "form:"`},
		{"go -form:kestrel", 4, "from:kestrel", `no operator "form:"`},
		{"go language:en", 3, "lang:en", "no operator"},
		{"go hass:links", 3, "has:links", "no operator"},
		{"go form: kestrel", 3, "from:", "no operator"},
		{"go in_reply_to:5", 3, "in_reply_to_tweet_id:5", "no operator"},
		{"at 12:30", 3, `"12:30"`, "quotation marks"},
		{"größe:xl", 0, `"größe:xl"`, "quotation marks"},
		{"see https://example.com/a", 4, `url:"https://example.com/a"`, "url:"},
		{"from: kestrel", 0, "", "directly behind the colon"},
		{"go from:", 3, "", "directly behind the colon"},
		{"context:10.799022225751871488", 0, "", "annotations"},
		{"go entity:\"Michael Jordan\"", 3, "", "annotations"},
		{"go embedding:cats", 3, "", "meanings"},
		{"go embedding_threshold:0.8", 3, "", "meanings"},
		{"go URL_TITLE:snow", 3, "", "pages behind links"},
		{"url_description:snow", 0, "", "pages behind links"},
		{"go -from_affiliate_of:x", 4, "", "affiliations"},
		{"to_affiliate_of:x", 0, "", "affiliations"},

		// their values
		{"from:kestrel!", 5, "", "neither the name"},
		{"from:@", 5, "", "neither the name"},
		{`from:"a b"`, 5, "", "neither the name"},
		{`from:a"b"`, 6, "", "around the whole value"},
		{"conversation_id:x", 16, "", "number of a post"},
		{"in_reply_to_tweet_id:0", 21, "", "number of a post"},
		{"retweets_of_tweet_id:-5", 21, "", "number of a post"},
		{"go is:retwet", 6, "retweet", "one of retweet"},
		{"go is:video", 6, "", "one of retweet"},
		{"go has:image", 7, "images", "one of hashtags"},
		{"go has:hashtag", 7, "hashtags", "one of hashtags"},
		{"go is:nullcast", 3, "-is:nullcast", "only be negated"},
		{"go -(-is:nullcast rust)", 6, "-is:nullcast", "only be negated"},
		{"go lang:english", 8, "en", "BCP 47"},
		{"go lang:pt_BR", 8, "pt-br", "BCP 47"},
		{"place_country:usa", 14, "", "two letters"},
		{`place:"..."`, 6, "", "nothing but punctuation"},
		{`bio:🔭`, 4, "", "nothing but punctuation"},
		{`url_contains:" "`, 13, "", "needs a piece"},
		{`source:" "`, 7, "", "needs the name"},
		{"followers_count:many", 16, "", "no count"},
		{"followers_count:..", 16, "", "no count"},
		{"followers_count:1..x", 16, "", "no count"},
		{"followers_count:-1", 16, "", "no count"},
		{"followers_count:4294967295", 16, "", "no count"},
		{"listed_count:9..1", 13, "1..9", "smaller number"},
		{"min_followers:1..2", 14, "", "no count"},
		{"go sample:0", 10, "", "1 to 100"},
		{"go sample:101", 10, "", "1 to 100"},
		{"go sample:1.5", 10, "", "1 to 100"},
		{"go sample:10 OR rust sample:20", 21, "", "one sample"},
		{"go -sample:10", 4, "", "cannot be negated"},
		{"go -(rust sample:10)", 10, "", "cannot be negated"},
		{"point_radius:[-105 40]", 13, "", "of the form"},
		{"point_radius:-105,40,5mi", 13, "", "of the form"},
		{"point_radius:[-105 40 5mi", 13, "", "not closed"},
		{"point_radius:[-105 40 5]", 13, "", "no radius"},
		{"point_radius:[-105 40 5miles]", 13, "", "no radius"},
		{"point_radius:[-105 40 26mi]", 13, "", "25 mi"},
		{"point_radius:[-105 40 41km]", 13, "", "25 mi"},
		{"point_radius:[-105 40 0km]", 13, "", "no radius"},
		{"point_radius:[40 -105 5km]", 13, "", "longitude comes first"},
		{"bounding_box:[-105.3 40 -105.2]", 13, "", "of the form"},
		{"bounding_box:[-105.2 40 -105.3 40.1]", 13, "[-105.3 40 -105.2 40.1]", "west"},
		{"bounding_box:[-105.3 40.1 -105.2 40]", 13, "[-105.3 40 -105.2 40.1]", "south"},
		{"bounding_box:[-106 40 -105 40.1]", 13, "", "limit is 25"},
		{"bounding_box:[-105.1 40 -105 41]", 13, "", "limit is 25"},
		{"bounding_box:[170 0 -170 0.1]", 13, "", "west"},

		// what no post, or nearly every post, would pass
		{"-go", 0, "", "nothing that can stand alone"},
		{"-go -rust", 0, "", "nothing that can stand alone"},
		{"is:retweet", 0, "", "nothing that can stand alone"},
		{"lang:en has:links -go", 0, "", "nothing that can stand alone"},
		{"sample:10", 0, "", "nothing that can stand alone"},
		{"-is:nullcast", 0, "", "nearly every post"},
		{"sample:100", 0, "", "nearly every post"},
		{"go OR -rust", 6, "", "nothing that can stand alone"},
		{"go OR is:retweet", 6, "", "nothing that can stand alone"},
		{"é (go OR (lang:en rust)) OR (is:reply lang:en)", 29, "", "nothing that can stand alone"},
		{"go OR sample:10", 6, "", "nothing that can stand alone"},
		{"go OR -go", 0, "", "nearly every post"},
		{"-(go rust)", 2, "", "nothing that can stand alone"},
		{"go -(rust OR -rust)", 13, "", "never matches"},
		{"go -go", 3, "", "never matches"},
		{"(go OR rust) -go -rust", 17, "", "never matches"},
		{"go lang:en lang:de", 11, "", "never matches"},
	} {
		f, err := ParseRule(c.rule)
		var e *Error
		if f != nil || !errors.As(err, &e) {
			t.Errorf("%.60s: %.60s, %v, want an *Error", c.rule, f, err)
			continue
		}
		if e.Param != "q" || e.Pos != c.pos || e.Near != c.near || !strings.Contains(e.Msg, c.says) {
			t.Errorf("%.60s: got param %s, position %d, near %q, %q;\nwant position %d, near %q, a message with %q",
				c.rule, e.Param, e.Pos, e.Near, e.Msg, c.pos, c.near, c.says)
		}
		if _, err := Parse(url.Values{"filter.a": {c.rule}}); !errors.As(err, &e) || e.Param != "filter.a" || e.Pos != c.pos {
			t.Errorf("%.60s as filter.a: %v", c.rule, err)
		}
	}
}

func TestRuleParams(t *testing.T) {
	many := url.Values{}
	for i := range MaxNamed + 1 {
		many["filter."+strings.Repeat("x", i+1)] = []string{"go"}
	}
	for _, c := range []struct {
		v     url.Values
		param string
		says  string
	}{
		{url.Values{"q": {"go", "rust"}}, "q", "joined by OR"},
		{url.Values{"filter.a": {"go", "rust"}}, "filter.a", "two rules"},
		{url.Values{"filter.a": {"go", ""}}, "filter.a", "two rules"},
		{url.Values{"filter.a": {""}}, "filter.a", "empty"},
		{url.Values{"filter.": {"go"}}, "filter.NAME", "no name"},
		{url.Values{"filter.a b": {"go"}}, "filter.NAME", "no name"},
		{url.Values{"filter.\n": {"go"}}, "filter.NAME", "no name"},
		{url.Values{"filter.é": {"go"}}, "filter.NAME", "no name"},
		{url.Values{"filter." + strings.Repeat("x", 65): {"go"}}, "filter.NAME", "no name"},
		{many, "filter.NAME", "limit is 32"},
		{url.Values{"q": {"go -rust"}, "track": {"rust"}}, "q", "no post satisfies both"},
		{url.Values{"q": {"go lang:en"}, "language": {"de"}}, "q", "no post satisfies both"},
	} {
		_, err := Parse(c.v)
		var e *Error
		if !errors.As(err, &e) || e.Param != c.param || !strings.Contains(e.Msg, c.says) || strings.Contains(e.Error(), "\n") {
			t.Errorf("%v: %v, want %s and %q", c.v, err, c.param, c.says)
		}
	}
	if _, err := ParseRule(""); err == nil {
		t.Error("an empty rule is one")
	}
	for _, q := range [][]string{nil, {}, {""}, {"", ""}} {
		if f, err := Parse(url.Values{"q": q}); err != nil || !f.Empty() {
			t.Errorf("q=%q: %s, %v", q, f, err)
		}
	}
	for name, want := range map[string]bool{
		"track": true, "q": true, "filter.a": true, "filter.A-9_z": true, "filter_level": true,
		"filter.": false, "filter": false, "filter.a b": false, "payload": false, "filter.a.b": false, "Filter.a": false,
		"filter." + strings.Repeat("x", 64): true, "filter." + strings.Repeat("x", 65): false,
	} {
		if IsParam(name) != want {
			t.Errorf("IsParam(%q) is %v", name, !want)
		}
	}
}

// One condition, one text, whichever door it came in by.
func TestCanonicalRules(t *testing.T) {
	for _, c := range []struct {
		want  string
		forms []string
	}{
		{"track=go", []string{"q=go", "q=GO", "q=(go)", "q=go go", "q=go OR go", "q=\"go\"", "q=\"Go!\"", "q=go OR (go rust)", "q=go (go OR rust)",
			"q=-(-go)", "q=go -is:nullcast", "q=go sample:100", "track=go&q=go", "track=go,go rust", "track=go,rust&q=go", "q=(go rust) OR (go -rust)"}},
		{"track=go rust", []string{"q=rust go", "track=go&q=rust", "track=rust&q=go", "q=-(-go OR -rust)", "q=go -(go -rust)"}},
		{"track=go,rust", []string{"q=rust OR go", "q=-(-rust -go)", "q=go OR (rust -go)", "track=rust,go&q=go OR rust", "q=(go OR rust) (rust OR go)"}},
		{"track=a c,a d,b c,b d", []string{"q=(a OR b) (d OR c)", "track=a,b&q=c OR d", "q=(a c) OR (a d) OR (c b) OR (b d)"}},
		{"track=%23go,$cash,@name,🔭", []string{"q=%23Go OR @NAME OR 🔭 OR $CASH"}},
		{"track=go&language=en", []string{"q=go lang:EN", "q=lang:en go", "language=en&q=go", "track=go&q=go lang:en", "language=en,de&q=go lang:en", "language=en&q=go lang:en"}},
		{"track=go&language=de,en", []string{"q=go (lang:en OR lang:de)", "q=(go lang:en) OR (go lang:de)", "language=de,en&q=go"}},
		{"track=go&filter_level=low", []string{"q=go&filter_level=low"}},
		{"language=en&q=go is:retweet", []string{"q=go is:retweet lang:en", "track=go&q=go is:retweet&language=en", "q=lang:en is:retweet go"}},
		{"q=(go lang:en) OR (lang:de rust)", []string{"q=rust lang:de OR go lang:en", "language=de,en&q=rust lang:de OR go lang:en"}},
		{"q=go -lang:en", []string{"q=-lang:en go"}},
		{"track=example.com&q=go", []string{"q=go&track=http://example.com/,EXAMPLE.com"}},
		{"track=go&follow=7&q=rust", []string{"q=rust&follow=7&track=go"}},
		{"follow=7&language=en&q=rust", []string{"q=rust lang:en&follow=7"}},
		{"follow=7&q=from:a", []string{"q=from:a OR (from:a rust)&follow=007"}},
		{"q=\"coca cola\"", []string{"q=coca-cola", "q=\"Coca Cola\"", "q=coca/cola"}},
		{"q=\"a b\"~3", []string{"q=\"A, b\"~3", "q=\"a b\"~3 OR (\"a b\"~3 x)"}},
		{"q=from:kestrel", []string{"q=FROM:@Kestrel", "q=from:\"kestrel\""}},
		{"q=from:\"a.b\"", []string{"q=from:A.b"}},
		{"q=followers_count:500", []string{"q=min_followers:500", "q=followers_count:500..", "q=followers_count:0500"}},
		{"q=tweets_count:0..9", []string{"q=statuses_count:..9"}},
		{"q=url:\"example com a\"", []string{"q=url:example.com/a", "q=url:\"https://www.example.com/a/\"", "q=url:HTTP://EXAMPLE.COM/a"}},
		{"q=url_contains:\"a/b\"", []string{"q=url_contains:A/b", "q=url_contains:\" a/b \""}},
		{"q=source:\"twitter web app\"", []string{"q=source:\"Twitter Web App\""}},
		{"q=point_radius:[-105 40 1.609344km]", []string{"q=point_radius:[-105.0 40 1mi]", "q=geo_point_radius:[-105,40,1.609344KM]"}},
		{"q=bounding_box:[-105.3 40 -105.2 40.1]", []string{"q=geo_bounding_box:[-105.30 +40 -105.2 40.1]"}},
		{"q=conversation_id:12", []string{"q=conversation_id:012"}},
		{"q=sample:10 (from:a OR go)", []string{"q=go OR from:a sample:10", "q=sample:10 go OR from:a sample:10"}},
		{"q=go sample:10", []string{"q=sample:10 go", "track=go&q=go sample:10"}},
		{"q=go (has:links OR is:reply) -is:retweet", []string{"q=-is:retweet ((go is:reply) OR (has:links go))"}},
		{"q=(go -a) OR (go -b)", []string{"q=go -(a b)", "q=go (-a OR -b)"}},
		{"q=go OR ((ant OR bee) (from:x OR from:y) -is:retweet)", []string{"q=((ant from:x) OR (from:x bee) OR (from:y (ant OR bee))) -is:retweet OR go"}},
		{"q=(from:b from:c) OR (from:b go) OR (from:c -go)", []string{"q=(go from:b) OR (-go from:c)", "q=(from:b OR -go) (from:c OR go)"}},
		{"filter.A=go&filter.b=is:reply rust&filter.c=\"a b\" OR c", []string{"filter.c=c OR \"A b\"&filter.b=rust is:reply&filter.A=GO"}},
		{"track=x&filter.a=go lang:en&filter.b=go", []string{"filter.b=GO&track=x&filter.a=lang:en go", "q=x&filter.b=go OR go&filter.a=go lang:EN"}},
	} {
		for _, form := range append(c.forms, c.want) {
			f, err := ParseString(form)
			if err != nil {
				t.Errorf("%s: %v", form, err)
				continue
			}
			if f.String() != c.want {
				t.Errorf("%s: canonical form is\n%s, want\n%s", form, f, c.want)
			}
		}
	}
}

func TestUnderstand(t *testing.T) {
	for _, c := range []struct {
		rule string
		says string // "": no warning
	}{
		{"go", ""},
		{"coca-cola", ""},
		{"go OR rust", ""},
		{`"this or that"`, ""},
		{"go or rust", "write OR"},
		{"go and rust", "a space is enough"},
		{"go AND rust", "a space is enough"},
		{"go NOT rust", "write -"},
		{"go not rust", ""},
		{"c++", "looked for as c"},
		{"note: go", "looked for as note"},
		{"go,rust", "a list is written with OR"},
		{"go OR rust sample:10", "counts for the whole rule"},
		{"go rust sample:10", ""},
		{"go is:retweet place:boulder", "reposts have no place"},
		{"go is:retweet OR place:boulder", ""},
	} {
		_, warnings, err := Understand(url.Values{"q": {c.rule}})
		if err != nil || len(warnings) != min(len(c.says), 1) || c.says != "" && !strings.Contains(warnings[0], c.says) {
			t.Errorf("%s: %q, %v; want %q", c.rule, warnings, err, c.says)
		}
	}
	_, warnings, _ := Understand(url.Values{"filter.a": {strings.Repeat("c++ ", 100)}})
	if len(warnings) != maxNotes || !strings.HasPrefix(warnings[0], "filter.a: ") {
		t.Errorf("%d warnings, the first %q", len(warnings), warnings[0])
	}
}

func TestTerms(t *testing.T) {
	f, err := ParseString(`track=go rust,go zig&follow=7&locations=0,0,1,1&language=en&filter_level=low&q=from:a -is:retweet "x y" from:a&filter.b=go`)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`"x y"`, "-is:retweet", "filter_level=low", "follow=7", "from:a", "go", "lang:en", "locations=0,0,1,1", "rust", "zig"}
	if got := f.Terms(); !slices.Equal(got, want) {
		t.Errorf("terms %q, want %q", got, want)
	}
	var all *Filter
	if all.Terms() != nil || (&Filter{}).Terms() != nil {
		t.Error("the filter for every post looks for something")
	}
	for i, text := range f.texts() {
		if op := f.nodes[i].op; (op == opAnd || op == opOr) != (text == "") {
			t.Errorf("node %d is %q", i, text)
		}
	}
}

func TestExplain(t *testing.T) {
	f, err := ParseString(`track=go,rust lang,zig&follow=7&language=en,de&q=("x y" OR from:a) -is:retweet`)
	if err != nil {
		t.Fatal(err)
	}
	e := f.Explain(readPost(t, "a Rust lang, x y ; lang=de ; from=1/b"))
	want := []Branch{
		{"track", "lang rust", []string{"lang", "rust"}, nil},
		{"language", "lang:de", []string{"lang:de"}, nil},
		{"q", `"x y" -is:retweet`, []string{`"x y"`, "-is:retweet"}, nil},
	}
	if !e.Matches || !slices.EqualFunc(e.Branches, want, sameBranch) {
		t.Errorf("got %+v, want %+v", e, want)
	}
	e = f.Explain(readPost(t, "rust, x y ; lang=fr ; is=retweet"))
	if e.Matches || len(e.Branches) != 8 {
		t.Fatalf("got %+v", e)
	}
	if b := e.Branches[0]; !sameBranch(b, Branch{"track", "lang rust", []string{"rust"}, []string{"lang"}}) {
		t.Errorf("nearest is %+v", b)
	}
	named, err := ParseString("filter.a=go&filter.b=rust&filter.c=zig OR go")
	if err != nil {
		t.Fatal(err)
	}
	e = named.Explain(postOf("go"))
	if want := []Branch{{"filter.a", "go", []string{"go"}, nil}, {"filter.c", "go", []string{"go"}, nil}}; !slices.EqualFunc(e.Branches, want, sameBranch) {
		t.Errorf("got %+v, want %+v", e, want)
	}
	if got := named.AppendNames(nil, postOf("go")); !slices.Equal(got, []string{"a", "c"}) || !slices.Equal(named.Names(), []string{"a", "b", "c"}) {
		t.Errorf("names %q of %q", got, named.Names())
	}
}

func sameBranch(a, b Branch) bool {
	return a.Rule == b.Rule && a.Text == b.Text && slices.Equal(a.Tokens, b.Tokens) && slices.Equal(a.Missing, b.Missing)
}
