package main

import (
	"io"
	"mime"
	"net/http"
	"strings"
	"testing"
)

// What the drop-in routes of a running gateway answer is what is described.
func TestOpenAPIDropIn(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, searchable(environ)...)
	c := g.contract()
	connected(t, fake)
	say(fake, numbered("go", 0, 20)...)
	auth := http.Header{"Authorization": {"Bearer a"}}
	post := func(path, body string, status int) {
		t.Helper()
		request, err := http.NewRequest(http.MethodPost, g.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = http.Header{"Authorization": {"Bearer a"}, "Content-Type": {"application/json"}}
		response, err := g.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		raw, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		route, _, _ := strings.Cut(path, "?")
		told := c.doc.Paths.Value(route).Post.Responses
		described := told.Status(status)
		if described == nil {
			described = told.Default()
		}
		kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
		if response.StatusCode != status || described.Value.Content[kind] == nil {
			t.Fatalf("%s %s is answered with %s of %s: %s", path, body, response.Status, kind, raw)
		}
		c.fits(path, described.Value.Content[kind].Schema, string(raw))
	}
	rules := "/2/tweets/search/stream/rules"
	c.answer("/2/tweets/search/stream", auth, http.StatusConflict)
	c.answer(rules, auth, http.StatusOK)
	post(rules, `{"add":[{"value":"go","tag":"g"},{"value":"go"},{"value":"rust"}]}`, http.StatusCreated)
	post(rules, `{"add":[{"value":" "}]}`, http.StatusBadRequest)
	post(rules, `{}`, http.StatusBadRequest)
	c.answer(rules+"?max_results=1", auth, http.StatusOK)
	c.answer(rules+"/counts", auth, http.StatusOK)
	for query, status := range map[string]int{"query=go&expansions=author_id&tweet.fields=created_at": 200, "query=nothing": 200, "query=": 400} {
		c.answer("/2/tweets/search/recent?"+query, nil, status)
	}
	for query, status := range map[string]int{"q=go&count=3": 200, "q=nothing": 200, "q=": 400, "q=go&geocode=1,2,3km": 403} {
		c.answer("/1.1/search/tweets.json?"+query, nil, status)
	}
	c.answer("/1.1/statuses/filter.json", nil, http.StatusNotAcceptable)
	c.answer("/1.1/statuses/sample.json?count=5", nil, http.StatusRequestedRangeNotSatisfiable)

	request, err := http.NewRequest(http.MethodGet, g.url+"/2/tweets/search/stream?expansions=author_id", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = auth
	response, err := g.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	s := newStream(t, response.Body)
	say(fake, "go with rust")
	line, err := s.lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	media := c.doc.Paths.Value("/2/tweets/search/stream").Get.Responses.Status(http.StatusOK).Value.Content["application/json"]
	c.fits("a line of the filtered stream", c.named(media.Extensions["x-line"]), line)
}
