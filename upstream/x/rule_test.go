package x

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTranslate(t *testing.T) {
	for _, c := range []struct {
		in   Predicates
		want []string
	}{
		{Predicates{}, nil},
		{Predicates{Track: "a b,c"}, []string{"(a b) OR c"}},
		{Predicates{Track: "#go,@ann,$ACME"}, []string{"#go OR @ann OR $ACME"}},
		{Predicates{Track: "example.com/a b,OR,it's"}, []string{`("example.com/a" b) OR "OR" OR "it's"`}},
		{Predicates{Track: "lang:en"}, []string{`"lang:en"`}},
		{Predicates{Track: "touché,東京"}, []string{"touché OR 東京"}},
		{Predicates{Follow: "12,7"}, []string{"from:12 OR retweets_of:12 OR to:12 OR from:7 OR retweets_of:7 OR to:7"}},
		{Predicates{Track: "a,b", Language: "en"}, []string{"(a OR b) lang:en"}},
		{Predicates{Track: "a", Language: "en,pt-BR"}, []string{"a (lang:en OR lang:pt)"}},
		{Predicates{Track: "a", Follow: "3", FilterLevel: "none"}, []string{"a", "from:3 OR retweets_of:3 OR to:3"}},
		{Predicates{Locations: "-0.2,51.4,0,51.6"}, []string{"bounding_box:[-0.2 51.4 0 51.6]"}},
	} {
		rules, err := Translate(c.in)
		var got []string
		for _, r := range rules {
			got = append(got, r.Value)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, %v", c.in, got, err)
		}
	}
	for in, want := range map[Predicates]string{
		{Language: "en"}:                       "LANGUAGE alone",
		{Track: "a", FilterLevel: "low"}:       "no filter level",
		{Locations: "-125,25,-66,49"}:          "under 25 miles",
		{Track: "a,,b"}:                        "empty",
		{Follow: "ann"}:                        "ann",
		{Track: "a", Locations: "5,5,1,1"}:     "west",
		{Track: "www.example.com"}:             "www",
		{Locations: "-180,-90,180,90"}:         "miles",
		{Locations: "-10,50,-9,51,0,40,20,60"}: "box 2",
	} {
		if rules, err := Translate(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, %v", in, rules, err)
		}
	}
}

// However long the lists, no rule is too long and none of them is lost.
func TestTranslateSplits(t *testing.T) {
	var phrases, ids []string
	for i := range 400 {
		phrases = append(phrases, fmt.Sprintf("first%d second%d", i, i))
	}
	for i := range 5000 {
		ids = append(ids, strconv.Itoa(1_000_000_000+i))
	}
	rules, err := Translate(Predicates{Track: strings.Join(phrases, ","), Follow: strings.Join(ids, ","), Language: "en,de,fr"})
	if err != nil || len(rules) > MaxRules {
		t.Fatal(len(rules), err)
	}
	all := ""
	for _, r := range rules {
		if utf8.RuneCountInString(r.Value) > MaxRuleLength || !strings.HasSuffix(r.Value, " (lang:en OR lang:de OR lang:fr)") {
			t.Fatalf("%d: %s", utf8.RuneCountInString(r.Value), r.Value)
		}
		all += r.Value + " "
	}
	for i := range 5000 {
		if !strings.Contains(all, "from:"+ids[i]+" ") {
			t.Fatalf("%s is lost", ids[i])
		}
	}
	if strings.Count(all, "(first") != 400 {
		t.Errorf("%d phrases", strings.Count(all, "(first"))
	}
}

// The tiles cover the box without a hole and none is too large.
func TestTiles(t *testing.T) {
	for _, in := range []string{"-122.75,36.8,-121.75,37.8", "13,52.3,13.8,52.7", "-1,-1,1,1", "10,69,12,70.9", "178.9,-18,180,-17"} {
		var box [4]float64
		for i, s := range strings.Split(in, ",") {
			box[i], _ = strconv.ParseFloat(s, 64)
		}
		tiles, err := boxes(in)
		if err != nil {
			t.Fatal(err)
		}
		var parsed [][4]float64
		for _, one := range tiles {
			var b [4]float64
			fmt.Sscanf(one, "bounding_box:[%g %g %g %g]", &b[0], &b[1], &b[2], &b[3])
			parsed = append(parsed, b)
			if width := (b[2] - b[0]) * degreeMiles * widest(b[1], b[3]); width >= 25 || (b[3]-b[1])*degreeMiles >= 25 {
				t.Errorf("%s: %s is %.1f miles wide", in, one, width)
			}
		}
		for i := range 50 {
			for k := range 50 {
				lon, lat := box[0]+(box[2]-box[0])*float64(i)/49, box[1]+(box[3]-box[1])*float64(k)/49
				if !slices.ContainsFunc(parsed, func(b [4]float64) bool {
					const e = 2e-6
					return lon >= b[0]-e && lon <= b[2]+e && lat >= b[1]-e && lat <= b[3]+e
				}) {
					t.Fatalf("%s: %g,%g is in none of %d tiles", in, lon, lat, len(tiles))
				}
			}
		}
	}
}

func TestParseRules(t *testing.T) {
	got, err := parseRules("\uFEFF# comment\n#\n## more\n\ncats: cat has:images\r\n#tag lang:en\nfrom:ann\n url:\"https://a.example\" b: c\nx-1.y: z\n")
	want := []Rule{{"cat has:images", "cats"}, {"#tag lang:en", ""}, {"from:ann", ""}, {`url:"https://a.example" b: c`, ""}, {"z", "x-1.y"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	for in, says := range map[string]string{
		"a\nb\na\n": "line 3: the same rule as in line 1", "tag: \n": "", "a\x00b": "line 1: the rule holds a control",
		strings.Repeat("x", 1025): "line 1: the rule has 1025 characters", "\xff": "UTF-8",
	} {
		if _, err := parseRules(in); says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%.20q: %v", in, err)
		}
	}
}

// Ids and tags of a list are taken in whatever type they come.
func TestStoredRules(t *testing.T) {
	var list []stored
	in := `[{"id":1166916266197536768,"value":"a","tag":null},{"id":"2","value":"b"},{"id":null,"value":"c","tag":7,"more":{}}]`
	if err := json.Unmarshal([]byte(in), &list); err != nil || !slices.Equal(list, []stored{{"1166916266197536768", "a", ""}, {"2", "b", ""}, {"", "c", "7"}}) {
		t.Errorf("%+v, %v", list, err)
	}
}

// A server whose list of rules never ends is asked for a bounded number of pages; one
// that names the same page again, no more.
func TestEndlessRules(t *testing.T) {
	for name, next := range map[string]func(n int) string{
		"ever new": func(n int) string { return strconv.Itoa(n) }, "the same": func(int) string { return "again" },
	} {
		asked := 0
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked++
			fmt.Fprintf(w, `{"data":[{"id":"%d","value":"v"}],"meta":{"next_token":%q}}`, asked, next(asked))
		}))
		a, err := newAPI(Config{APIURL: web.URL, Bearer: func() (string, error) { return "t", nil }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&rulebook{api: a}).list(t.Context())
		web.Close()
		if err == nil || !strings.Contains(err.Error(), "no end") || asked > maxRulePages || name == "the same" && asked != 2 {
			t.Errorf("%s: %d requests, %v", name, asked, err)
		}
	}
}

// What has to change, whoever added what is there.
func TestDifference(t *testing.T) {
	there := []stored{{"1", "a", "aviary:t"}, {"2", "b", "theirs"}, {"3", "c", "aviary:old"}, {"4", "d", "aviary:other"}, {"5", "a", "aviary:t"}, {"6", "e", "aviaryish"}}
	d := difference([]Rule{{"a", "t"}, {"b", "x"}, {"d", "new"}, {"f", ""}}, there)
	if !slices.Equal(d.add, []Rule{{"d", "new"}, {"f", ""}}) || !slices.Equal(d.first, []string{"4"}) || !slices.Equal(d.stale, []string{"3", "5"}) || d.kept != 1 || d.foreign != 2 {
		t.Errorf("%+v", d)
	}
}
