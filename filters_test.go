package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// query writes parameters, given as name and value in turn.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values.Encode()
}

// understood is the filter that hello tells.
func (s *stream) understood() string {
	s.t.Helper()
	var said struct{ Hello struct{ Filter string } }
	if err := json.Unmarshal([]byte(s.until("hello").data), &said); err != nil {
		s.t.Fatal(err)
	}
	return said.Hello.Filter
}

// filters is how many distinct ones /status counts.
func (g *running) filters() int {
	g.t.Helper()
	_, body := g.get("/status")
	var said struct{ Filters int }
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		g.t.Fatal(err)
	}
	return said.Filters
}

// form posts a form to /stream and returns the answer; of a stream its beginning.
func (g *running) form(body string) (int, string) {
	g.t.Helper()
	response, err := g.client.Post(g.url+"/stream", "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return response.StatusCode, newStream(g.t, response.Body).until("hello").data
	}
	said, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return response.StatusCode, string(said)
}

// Filters that ask for the same are one, however they are written.
func TestEqualFiltersAreOneGroup(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	for _, same := range [][]string{
		{query("q", "cat (dog OR bird)"), query("q", "(BIRD Cat) OR (dog cat)"), query("q", "cat -(-dog -bird)"), "q=%28dog+OR+bird%29%20%63at"},
		{query("q", "ZÜRICH"), query("q", "zu\u0308rich"), "q=z%C3%BCrich", query("q", "zürich zürich")},
		{query("track", "go,rust"), query("track", " Rust , GO,go"), "track=go&track=rust"},
		{query("filter.b", "cat", "filter.a", "dog"), query("filter.a", "DOG", "filter.b", `"cat"`)},
		{query("track", "go", "q", "cat lang:en"), query("q", "lang:EN Cat", "track", "GO")},
	} {
		var open []*stream
		var first string
		for i, q := range same {
			s := g.open(q, "")
			open = append(open, s)
			switch text := s.understood(); {
			case i == 0:
				first = text
			case text != first:
				t.Errorf("%s is understood as %q, %s as %q", same[0], first, q, text)
			}
		}
		if n := g.filters(); n != 1 {
			t.Errorf("%q are %d filters", same, n)
		}
		_, body := g.get("/filters/check?" + same[len(same)-1])
		var checked struct{ Filter string }
		if json.Unmarshal([]byte(body), &checked) != nil || checked.Filter != first {
			t.Errorf("%s is checked as %s", same[len(same)-1], body)
		}
		values, err := url.ParseQuery(first)
		if err != nil {
			t.Fatal(err)
		}
		again := g.open(values.Encode(), "")
		if text := again.understood(); text != first {
			t.Errorf("%q is understood as %q", first, text)
		}
		for _, s := range append(open, again) {
			s.close()
		}
		eventually(t, "everybody to leave", func() bool { return g.filters() == 0 })
	}
}

// What rules with names find is one stream: each post once.
func TestNamedRulesAreAUnion(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	s := g.open(query("filter.cats", "go cat", "filter.dogs", "go dog", "filter.pets", "(cat OR dog) -bird go"), "")
	if got := s.understood(); strings.Count(got, "filter.") != 3 {
		t.Errorf("understood as %q", got)
	}
	say(fake, "go cat", "go fish", "go cat and dog", "go dog and bird", "go bird", "go dog")
	if got, want := s.posts(4), []string{"go cat", "go cat and dog", "go dog and bird", "go dog"}; !slices.Equal(got, want) {
		t.Errorf("came %q, want %q", got, want)
	}
	narrowed := g.open(query("filter.cats", "cat", "filter.dogs", "dog", "track", "go", "since", "1h"), "")
	if got := narrowed.posts(4); len(got) != 4 {
		t.Errorf("came %q", got)
	}

	values := url.Values{}
	for i := range 32 {
		values.Set(fmt.Sprintf("filter.n%d", i), "cat")
	}
	if code, body := g.form(values.Encode()); code != http.StatusOK {
		t.Errorf("32 rules: %d %s", code, body)
	}
	values.Set("filter.n32", "cat")
	for _, path := range []string{"/stream?", "/filters/check?"} {
		if code, body := g.get(path + values.Encode()); code != http.StatusBadRequest || !strings.Contains(body, "32") {
			t.Errorf("%s with 33 rules: %d %s", path, code, body)
		}
	}
}

// q narrows what the other parameters let pass, and a client that comes back
// gets what it asked for and missed.
func TestRuleNarrowsAndResumes(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	filter := query("track", "go", "q", `"hot soup" OR (tea -cold)`)
	s := g.open(filter, "")
	s.until("hello")
	say(fake, "hot soup, go", "hot soup, rust", "go on", "tea, go", "cold tea, go", "soup so hot, go")
	if got, want := s.posts(2), []string{"hot soup, go", "tea, go"}; !slices.Equal(got, want) {
		t.Errorf("came %q, want %q", got, want)
	}
	id := s.lastID
	s.close()
	say(fake, "cold tea 2, go", "tea 2, go", "hot soup 2, go", "last, go")
	all := g.open("track=go", "")
	all.until("hello")
	say(fake, "tea 3, go")
	all.until("") // so that all of it is in the history
	back := g.open(filter, id)
	if hello := back.until("hello").data; !strings.Contains(hello, `"resumed":"full","missed":0`) {
		t.Errorf("coming back: %s", hello)
	}
	if got, want := back.posts(3), []string{"tea 2, go", "hot soup 2, go", "tea 3, go"}; !slices.Equal(got, want) {
		t.Errorf("after coming back %q, want %q", got, want)
	}
}

// What is too much is refused, whichever way it comes.
func TestFiltersTooLong(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	long := strings.TrimSuffix(strings.Repeat("kestrel OR ", 9_500), " OR ") // 100 KB
	longer := long + " OR " + strings.Repeat("x", 32<<10)
	var problem struct {
		Param    string
		Position int
	}
	for _, path := range []string{"/stream?", "/filters/check?"} {
		code, body := g.get(path + query("q", long))
		if json.Unmarshal([]byte(body), &problem) != nil || code != http.StatusBadRequest || problem.Param != "q" || problem.Position != 4096 {
			t.Errorf("%s: a rule of %d bytes: %d %s", path, len(long), code, body)
		}
		if code, body := g.get(path + query("q", longer)); code != http.StatusRequestURITooLong {
			t.Errorf("%s: a query of %d bytes: %d %s", path, len(longer), code, body)
		}
	}
	if code, body := g.form(query("q", long)); code != http.StatusBadRequest || !strings.Contains(body, `"param":"q","position":4096`) {
		t.Errorf("a form with a rule of %d bytes: %d %s", len(long), code, body)
	}
	if code, body := g.form(query("q", longer)); code != http.StatusRequestEntityTooLarge {
		t.Errorf("a form of %d bytes: %d %s", len(longer), code, body)
	}

	// As much as may be, in one form.
	values := url.Values{}
	for i := range 32 {
		var terms []string
		for n := 0; len(terms) < 350; n++ {
			terms = append(terms, fmt.Sprintf("w%dx%d", i, n))
		}
		values.Set(fmt.Sprintf("filter.n%d", i), strings.Join(terms, " OR "))
	}
	form := values.Encode()
	if len(form) < 100_000 || len(form) > 131_072 {
		t.Fatalf("the form has %d bytes", len(form))
	}
	code, hello := g.form(form)
	if code != http.StatusOK || strings.Count(hello, "filter.n") != 32 {
		t.Errorf("a form of %d bytes: %d %.300s", len(form), code, hello)
	}
}

// Positions count what the reader sees, not bytes.
func TestPositionsAreCodePoints(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	for raw, position := range map[string]int{
		"q=" + url.QueryEscape("fron:ann"):               0,
		"q=" + url.QueryEscape("ü fron:ann"):             2,
		"q=" + url.QueryEscape("u\u0308 fron:ann"):       3,
		"q=" + url.QueryEscape("🔭 fron:ann"):             2,
		"q=%F0%9F%94%AD%20%66ron%3Aann":                  2,
		"q=🔭+fron:ann":                                   2,
		"filter.a=" + url.QueryEscape("日本 (fron:ann)"):   4,
		"track=" + url.QueryEscape("日本,www.example.org"): 3,
	} {
		for _, path := range []string{"/stream?", "/filters/check?"} {
			code, body := g.get(path + raw)
			name, _, _ := strings.Cut(raw, "=")
			var problem struct {
				Param    string
				Position *int
			}
			if json.Unmarshal([]byte(body), &problem) != nil || code != http.StatusBadRequest || problem.Param != name || problem.Position == nil || *problem.Position != position {
				t.Errorf("%s%s: %d %s, want position %d", path, raw, code, body, position)
			}
		}
	}
	if code, body := g.get("/filters/check?" + query("q", "c&a=t +#+ 50%")); code != http.StatusBadRequest && !strings.Contains(body, "%26") {
		t.Errorf("a rule with everything special: %d %s", code, body)
	}
}

// /filters/check answers what is described, for every kind of filter.
func TestOpenAPICheck(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	c := g.contract()
	operation := c.doc.Paths.Value("/filters/check").Post
	post := `{"id":1,"id_str":"1","text":"hot soup go","lang":"en","user":{"id":12,"id_str":"12","screen_name":"ann"}}`
	for _, q := range []string{
		"", "track=go,rust", "follow=12&language=en", "locations=-10,0,10,5", query("q", `("hot soup" OR #tea) -is:retweet lang:en`),
		query("filter.a", "soup", "filter.b", "tea"), query("q", "cat or dog"), query("track", "go", "q", "tea"),
	} {
		c.answer("/filters/check?"+q, nil, http.StatusOK)
		response, err := g.client.Post(g.url+"/filters/check?"+q, "application/json", strings.NewReader(post))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s %s %v", q, response.Status, body, err)
			continue
		}
		c.fits(q, operation.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema, string(body))
	}
	for path, status := range map[string]int{
		"/filters/check?trak=go": http.StatusBadRequest, "/filters/check?payload=ids": http.StatusBadRequest,
		"/filters/check?track=" + strings.Repeat("a", 140_000): http.StatusRequestURITooLong,
	} {
		c.answer(path, nil, status)
	}
	c.answer("/filters/check", http.Header{"Origin": {"null"}}, http.StatusForbidden)
}
