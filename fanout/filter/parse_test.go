package filter

import (
	"errors"
	"math"
	"net/url"
	"strings"
	"testing"
)

var nan = math.NaN()

func TestErrors(t *testing.T) {
	list := func(item string, n int) string { return strings.Repeat(","+item, n)[1:] }
	for _, c := range []struct {
		param, value string
		pos          int
		near         string
		says         string
	}{
		// never-matching terms
		{"track", "www.example.com/foobarbaz", 0, "example.com/foobarbaz", "www."},
		{"track", "go, WWW.Example.com", 4, "example.com", "www."},
		{"track", "http://www.example.com/", 0, "example.com", "www."},
		{"track", "https://www.www.example.com", 0, "example.com", "www."},
		{"track", "go hello.", 3, "hello", "punctuation around"},
		{"track", `größe,"Übung macht"`, 6, "übung", "punctuation around"},
		{"track", "-word", 0, "word", "punctuation around"},
		{"track", "foo/", 0, "foo", "punctuation around"},
		{"track", "example.com?", 0, "example.com", "punctuation around"},
		{"track", "http://$abc", 0, "$abc", "punctuation around"},
		{"track", "...", 0, "", "nothing but punctuation"},
		{"track", "a — b", 2, "", "nothing but punctuation"},
		{"track", "http://", 0, "", "nothing but punctuation"},
		{"track", "\u0301", 0, "", "nothing but punctuation"},
		{"track", "\u200e", 0, "", "nothing but punctuation"},
		{"track", "#", 0, "", "nothing but punctuation"},
		{"track", "a,@.", 2, "", "nothing but punctuation"},
		{"track", "#go!", 0, "#go", "behind the sign"},
		{"track", "#wing✈️", 0, "#wing", "behind the sign"},
		{"track", "##go", 0, "#go", "behind the sign"},

		// malformed lists
		{"track", "a,,b", 2, "", "empty item"},
		{"track", ",a", 0, "", "empty item"},
		{"track", "é,", 2, "", "empty item"},
		{"track", " ", 0, "", "empty item"},
		{"follow", "1, ,2", 2, "", "empty item"},
		{"language", "en,,de", 3, "", "empty item"},
		{"locations", "1,2,,4", 4, "", "empty item"},

		// what does not belong into text
		{"track", "a\r\nb", 1, "", "U+000D"},
		{"track", "a,b\n", 3, "", "U+000A"},
		{"track", "a\tb", 1, "", "U+0009"},
		{"track", "é\x00", 1, "", "U+0000"},
		{"track", "a\u2028b", 1, "", "U+2028"},
		{"track", "a\u0085b", 1, "", "U+0085"},
		{"track", "éa\xffb", 2, "", "UTF-8"},
		{"follow", "1\n", 1, "", "U+000A"},
		{"language", "\xc3", 0, "", "UTF-8"},
		{"locations", "0,0,1,1\r", 7, "", "U+000D"},
		{"filter_level", "low\n", 3, "", "U+000A"},

		// limits
		{"track", list("word", 401), 2000, "", "400"},
		{"follow", list("7", 5001), 10000, "", "5000"},
		{"locations", list("0,0,1,1", 26), 200, "", "25"},
		{"track", strings.Repeat("a", 61), 0, "", "60"},
		{"track", "ab," + strings.Repeat("é", 30) + "a", 3, "", "61 bytes"},
		{"track", strings.Repeat("Ⱥ", 30), 0, "", "90 bytes"}, // 2 bytes each, 3 when folded

		{"follow", "12,kestrel", 3, "", "numeric user id"},
		{"follow", "@kestrel", 0, "", "numeric user id"},
		{"follow", "-1", 0, "", "numeric user id"},
		{"follow", "+1", 0, "", "numeric user id"},
		{"follow", "1.0", 0, "", "numeric user id"},
		{"follow", "１２", 0, "", "numeric user id"},
		{"follow", "0", 0, "", "numeric user id"},
		{"follow", "18446744073709551616", 0, "", "numeric user id"},

		{"locations", "10,0,-10,5", 0, "-10,0,10,5", "west"},
		{"locations", "170,-20,-170,-10", 0, "", "180°"},
		{"locations", "0,0,1,1,0,5,1,-5", 8, "0,-5,1,5", "south"},
		{"locations", "-181,0,1,1", 0, "", "longitude"},
		{"locations", "0,0,180.5,1", 4, "", "longitude"},
		{"locations", "0,91,1,1", 2, "", "latitude"},
		{"locations", "40,-120,41,-119", 3, "", "longitude comes first"},
		{"locations", "NaN,0,1,1", 0, "", "not a number"},
		{"locations", "0,0,Inf,1", 4, "", "not a number"},
		{"locations", "0,0,1e1,1", 4, "", "not a number"},
		{"locations", "0,0,0x1,1", 4, "", "not a number"},
		{"locations", "0,0,--1,1", 4, "", "not a number"},
		{"locations", "0,0,1", 0, "", "four numbers"},
		{"locations", "0,0,1,1,2,2", 8, "", "four numbers"},

		{"language", "en,english", 3, "en", "BCP 47"},
		{"language", "portugese", 0, "pt", "BCP 47"},
		{"language", "pt_BR", 0, "pt-br", "BCP 47"},
		{"language", "e", 0, "", "BCP 47"},
		{"language", "en-", 0, "", "BCP 47"},
		{"language", "12", 0, "", "BCP 47"},
		{"filter_level", "hihg", 0, "", "none of none, low, medium"},
		{"filter_level", "medum", 0, "medium", "none of none, low, medium"},
		{"filter_level", "LOWW", 0, "low", "none of none, low, medium"},
		{"filter_level", "low,medium", 4, "", "one least level"},
	} {
		f, err := Parse(url.Values{c.param: {c.value}})
		var e *Error
		if f != nil || !errors.As(err, &e) {
			t.Errorf("%s=%q: %v, want an *Error", c.param, c.value, err)
			continue
		}
		if e.Param != c.param || e.Pos != c.pos || e.Near != c.near || !strings.Contains(e.Msg, c.says) {
			t.Errorf("%s=%.60q: got param %s, position %d, near %q, %q;\nwant position %d, near %q, a message with %q",
				c.param, c.value, e.Param, e.Pos, e.Near, e.Msg, c.pos, c.near, c.says)
		}
		if s := e.Error(); strings.ContainsAny(s, "\r\n\x00\u2028") || len(s) > 500 {
			t.Errorf("%s=%.60q: unfit for a log: %q", c.param, c.value, s)
		}
		if e.Near != "" {
			if _, err := Parse(url.Values{c.param: {e.Near}}); err != nil {
				t.Errorf("the nearest right word %q is wrong: %v", e.Near, err)
			}
		}
	}
}

// Just within the limits, and parameters of others.
func TestAccepted(t *testing.T) {
	list := func(item string, n int) string { return strings.Repeat(","+item, n)[1:] }
	for _, v := range []url.Values{
		{"track": {list("word", 400)}, "follow": {list("7", 5000)}, "locations": {list("0,0,1,1", 25)}},
		{"track": {strings.Repeat("a", 60)}},
		{"track": {strings.Repeat("é", 30)}},
		{"track": {"http://example.com/" + strings.Repeat("a", 41)}},
		{"track": {"c++,<3,^_^,+,🔭,#ünï,@a.example,$BRK.A,from:kestrel,example.com/a?b=c%20d"}},
		{"follow": {"1", "18446744073709551615"}},
		{"locations": {"-180,-90,180,90", "0,0,0,0", "+1,-.5,1.,0.5"}},
		{"language": {"en,und,zh-Hant-TW,qme"}},
		{"filter_level": {"low", "LOW"}},
		{"payload": {"compact"}, "events": {"\x00"}},
	} {
		if _, err := Parse(v); err != nil {
			t.Errorf("%.80v: %v", v, err)
		}
	}
	if _, err := (Limits{Phrases: 1, IDs: 1, Boxes: 0}).Parse(url.Values{"locations": {"0,0,1,1"}}); err == nil {
		t.Error("a limit of no boxes let one pass")
	}
}

func TestCanonical(t *testing.T) {
	for _, c := range []struct {
		want  string
		forms []string
	}{
		{"track=go", []string{"track=go", "track=Go", "track=GO,go", "track=go&track=gO", "track=+go++go+", "track=http://GO/", "track=&track=go", "track=go&filter_level=none"}},
		{"track=api twitter,go", []string{"track=Twitter API,go", "track=go,api++twitter", "track=go,api%C2%A0twitter&track=twitter api"}},
		{"track=example.com/x", []string{"track=https://Example.com/X/", "track=EXAMPLE.com/x"}},
		{"track=%23go,100%25a,c%2B%2B,r%26d", []string{"track=R%26D,C%2B%2B,%23GO,100%25a"}},
		{"track=touché", []string{"track=TOUCHÉ", "track=touche%CC%81"}},
		{"track=a b&follow=2,10&locations=-74,40,-73,41,0,0,1.5,2&language=de,en&filter_level=low", []string{
			"filter_level=LOW&language=EN,de&locations=0,-0,1.50,2,-74,40,-73,41&follow=10,2,010&track=b a",
			"locations=-74.0,40,-73,41&locations=0,0,1.5,2,0,0,1.5,2&language=en&language=De&track=B  A&follow=2&follow=10&filter_level=low&filter_level=low",
		}},
		{"", []string{"", "track=", "track=&follow=&locations=&language=&filter_level=", "filter_level=None"}},
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

// The canonical form is a URL query like any other.
func TestStringIsQuery(t *testing.T) {
	const track = "#go,100%a,a&b,c++,it's so,x;y=z"
	f := parseOne(t, "track", track)
	v, err := url.ParseQuery(f.String())
	if err != nil || len(v) != 1 || v.Get("track") != track {
		t.Errorf("%s reads as %q, %v", f, v, err)
	}
}

func TestParseStringErrors(t *testing.T) {
	for in, want := range map[string]Error{
		"trakc=go":     {Param: "trakc", Pos: -1, Near: "track"},
		"payload=full": {Param: "payload", Pos: -1},
		"track=%zz":    {Param: "filter", Pos: -1},
		"track=a;b":    {Param: "filter", Pos: -1},
		"track=a,,b":   {Param: "track", Pos: 2},
	} {
		_, err := ParseString(in)
		var e *Error
		if !errors.As(err, &e) || e.Param != want.Param || e.Pos != want.Pos || e.Near != want.Near {
			t.Errorf("%s: %v, want %+v", in, err, want)
		}
	}
}

// Positions count through all the values of a repeated parameter, as if they
// were one with commas between them.
func TestPositionInRepeated(t *testing.T) {
	_, err := Parse(url.Values{"track": {"", "ä,b", "www.c.d"}})
	var e *Error
	if !errors.As(err, &e) || e.Pos != 4 {
		t.Errorf("got %v, want position 4", err)
	}
}

func TestNearest(t *testing.T) {
	among := []string{"track", "follow", "locations", "language", "filter_level", "last_event_id", "limit"}
	for word, want := range map[string]string{
		"tracks": "track", "trakc": "track", "Track": "track", "folow": "follow", "location": "locations",
		"languages": "language", "lang": "language", "filterlevel": "filter_level", "lastEventId": "last_event_id",
		"limti": "limit", "foo": "", "x": "", "": "", "payload": "", strings.Repeat("a", 100): "",
	} {
		if got := Nearest(word, among); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
	if got := Nearest("AVIARY_HISTRY_EVENTS", []string{"AVIARY_HISTORY_BYTES", "AVIARY_HISTORY_EVENTS"}); got != "AVIARY_HISTORY_EVENTS" {
		t.Errorf("got %q", got)
	}
}
