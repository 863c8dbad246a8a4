package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"aviary/upstream/twitter/sim"
)

// contract is /openapi.yaml as a running gateway serves it, for checking what
// the gateway answers against it.
type contract struct {
	t   *testing.T
	g   *running
	doc *openapi3.T
}

func (g *running) contract() *contract {
	g.t.Helper()
	_, text := g.get("/openapi.yaml")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		g.t.Fatal(err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		g.t.Fatal(err)
	}
	return &contract{g.t, g, doc}
}

// fits checks one JSON value.
func (c *contract) fits(what string, schema *openapi3.SchemaRef, text string) {
	c.t.Helper()
	if schema == nil {
		c.t.Errorf("%s is not described: %s", what, text)
		return
	}
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		c.t.Errorf("%s is no JSON: %v: %s", what, err, text)
		return
	}
	if err := schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation()); err != nil {
		c.t.Errorf("%s: %s\n%v", what, text, err)
	}
}

// answer asks for a path and checks status, type, headers and body.
func (c *contract) answer(path string, header http.Header, status int) string {
	c.t.Helper()
	request, err := http.NewRequest(http.MethodGet, c.g.url+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header = header
	response, err := c.g.client.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	route, _, _ := strings.Cut(path, "?")
	if response.StatusCode != status {
		c.t.Errorf("%s is answered with %s: %s", path, response.Status, body)
		return string(body)
	}
	told := c.doc.Paths.Value(route).Get.Responses
	described := told.Status(status)
	if described == nil && told.Default() != nil {
		described = told.Default()
	}
	if described == nil {
		c.t.Errorf("%s: an answer with %d is not described", path, status)
		return string(body)
	}
	for name, h := range described.Value.Headers {
		if want := h.Value.Schema.Value.Const; want != nil && response.Header.Get(name) != want {
			c.t.Errorf("%s: %s is %q", path, name, response.Header.Get(name))
		}
	}
	if len(body) == 0 && len(described.Value.Content) == 0 {
		return ""
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	media := described.Value.Content[kind]
	if media == nil {
		c.t.Errorf("%s: an answer of %s is not described", path, kind)
	} else if strings.HasSuffix(kind, "json") {
		c.fits(path, media.Schema, string(body))
	}
	return string(body)
}

// event finds the schema of a named event of a stream; "" is a post.
func (c *contract) event(route, name string) *openapi3.SchemaRef {
	if name == "" {
		name = "post"
	}
	media := c.doc.Paths.Value(route).Get.Responses.Status(http.StatusOK).Value.Content["text/event-stream"]
	entry, _ := media.Extensions["x-events"].(map[string]any)[name].(map[string]any)
	if any, several := entry["anyOf"].([]any); several {
		schema := openapi3.NewSchema()
		for _, one := range any {
			schema.AnyOf = append(schema.AnyOf, c.named(one))
		}
		return schema.NewRef()
	}
	return c.named(entry)
}

// named is the schema that a {"$ref": …} refers to.
func (c *contract) named(entry any) *openapi3.SchemaRef {
	reference, _ := entry.(map[string]any)
	path, _ := reference["$ref"].(string)
	return c.doc.Components.Schemas[strings.TrimPrefix(path, "#/components/schemas/")]
}

// What a running gateway answers is what is described.
func TestOpenAPIAnswers(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_MAX_CLIENTS=1")
	g := start(t, nil, searchable(environ)...)
	c := g.contract()
	connected(t, fake)
	say(fake, "go 1", "rust 1")
	eventually(t, "readiness", func() bool { code, _ := g.get("/readyz"); return code == http.StatusOK })

	for _, path := range []string{"/status", "/healthz", "/readyz", "/openapi.yaml", "/", "/status?history=1h", "/dashboard", "/embed.js", "/embed.d.ts", "/search?q=go", "/search?q=go&count=1"} {
		c.answer(path, nil, http.StatusOK)
	}
	for path, status := range map[string]int{
		"/stream?trak=go":                               http.StatusBadRequest,
		"/stream?track=www.x":                           http.StatusBadRequest,
		"/stream?locations=1,2,0,3":                     http.StatusBadRequest,
		"/search":                                       http.StatusBadRequest,
		"/status?history=2h":                            http.StatusBadRequest,
		"/search?q=go&count=0":                          http.StatusBadRequest,
		"/search/pages?q=go&direction=x":                http.StatusBadRequest,
		"/stream?last_event_id=k3f9a1-1.end":            http.StatusNoContent,
		"/stream?track=" + strings.Repeat("a", 140_000): http.StatusRequestURITooLong,
	} {
		c.answer(path, nil, status)
	}
	c.answer("/stream", http.Header{"Accept": {"text/html"}}, http.StatusNotAcceptable)
	c.answer("/stream", http.Header{"Origin": {"null"}}, http.StatusForbidden)
	page := g.open("", "")
	page.until("hello")
	c.answer("/stream", http.Header{"Accept": {"application/x-ndjson"}}, http.StatusServiceUnavailable)
	page.close()

	if err := fake.Do("search 403 body text"); err != nil {
		t.Fatal(err)
	}
	if body := c.answer("/search?q=refused", nil, http.StatusForbidden); !strings.Contains(body, `"hint":`) {
		t.Errorf("a refusal without a hint: %s", body)
	}

	// Answers that are wrong do not pass: the check checks.
	wrong := &contract{t: &testing.T{}, g: g, doc: c.doc}
	for schema, text := range map[string]string{
		"HelloEvent": `{"hello":{"cursor":"a-1"}}`, "GapEvent": `{"gap":{"missed":"many","reason":"slow","from":null,"to":null,"cursor":""}}`,
		"Status": `{"version":"v"}`, "Upstream": `{"state":"asleep","since":"2026-01-02T03:04:05Z","posts_per_s":1}`,
		"CompactPost": `{"id_str":"1","source":"twitter","repost_of":{"id_str":7,"source":"twitter"}}`, "Problem": `{"title":"x"}`,
	} {
		wrong.t = &testing.T{}
		wrong.fits(schema, c.doc.Components.Schemas[schema], text)
		if !wrong.t.Failed() {
			t.Errorf("%s takes %s", schema, text)
		}
	}
}

// A search by a source that has none.
func TestOpenAPINoSearch(t *testing.T) {
	capture := filepath.Join(t.TempDir(), "capture.json")
	if err := os.WriteFile(capture, []byte(`{"id":1,"id_str":"1","text":"go","user":{"id":2,"id_str":"2","screen_name":"a"}}`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, nil, "AVIARY_SOURCE=file", "AVIARY_FILE="+capture, "AVIARY_FILE_RATE=max").contract()
	c.answer("/search?q=go", nil, http.StatusNotImplemented)
	c.answer("/search/pages?q=go", nil, http.StatusNotImplemented)
	eventually(t, "the end of the file", func() bool { _, body := c.g.get("/status"); return strings.Contains(body, `"halted"`) })
	c.answer("/status", nil, http.StatusOK)
}

// Every event of a stream fits its schema, in every form: those of a lively
// simulator, and each kind that an upstream can send.
func TestOpenAPIEvents(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_HEARTBEAT=50ms")
	g := start(t, nil, environ...)
	c := g.contract()
	connected(t, fake)
	lively := start(t, nil) // the simulator's own corpus
	for _, payload := range []string{"full", "compact", "ids"} {
		s := lively.open("since=1h&payload="+payload, "")
		for range 40 {
			e, err := s.next()
			if err != nil {
				t.Fatal(err)
			}
			c.fits(payload+" "+e.name, c.event("/stream", e.name), e.data)
		}
		s.close()
	}

	s := g.open("events=all,heartbeat", "")
	seen := map[string]bool{}
	read := func(until string) {
		t.Helper()
		for !seen[until] {
			e, err := s.next()
			if err != nil {
				t.Fatalf("the stream ends before %q: %v", until, err)
			}
			c.fits(e.name, c.event("/stream", e.name), e.data)
			seen[e.name] = true
		}
	}
	read("hello")
	read("heartbeat")
	for kind, text := range map[string]string{
		"delete":          `{"delete":{"status":{"id":1234,"id_str":"1234","user_id":3,"user_id_str":"3"},"timestamp_ms":"1700000000000"}}`,
		"scrub_geo":       `{"scrub_geo":{"user_id":3,"user_id_str":"3","up_to_status_id":9,"up_to_status_id_str":"9"}}`,
		"status_withheld": `{"status_withheld":{"id":1234,"user_id":3,"withheld_in_countries":["DE"]}}`,
		"user_withheld":   `{"user_withheld":{"id":3,"withheld_in_countries":["DE"]}}`,
		"limit":           `{"limit":{"track":1234,"timestamp_ms":"1700000000000"}}`,
		"warning":         `{"warning":{"code":"FALLING_BEHIND","message":"…","percent_full":60}}`,
		"other":           `{"hello":{"cursor":"forged"}}`,
	} {
		fake.Push([]byte(text))
		read(kind)
	}
	if err := fake.Do("oversize 2MB"); err != nil {
		t.Fatal(err)
	}
	read("gap")
	if err := fake.Do("disconnect 12 test"); err != nil {
		t.Fatal(err)
	}
	read("disconnect")
	read("upstream")
	s.close()

	last := g.open("limit=1", "")
	last.until("hello")
	connected(t, fake)
	fake.Post(sim.Draft{Text: "go"})
	bye := last.until("bye")
	c.fits("bye", c.event("/stream", "bye"), bye.data)

	// The lines of NDJSON are the same objects, and the heartbeat is one too.
	response, err := g.client.Get(g.url + "/stream?since=1h&format=ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &object); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if len(object) == 1 && object["cursor"] != nil {
			c.fits("a heartbeat line", c.doc.Components.Schemas["CursorLine"], lines.Text())
			return
		}
	}
	t.Error("NDJSON ends without a heartbeat")
}

// newStream reads events from a body that is open already.
func newStream(t *testing.T, body io.ReadCloser) *stream {
	return &stream{t: t, body: body, lines: bufio.NewReader(body)}
}

// The events of a walk over pages fit, too.
func TestOpenAPIWalk(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_SEARCH_WAIT=1ms")
	g := start(t, nil, searchable(environ)...)
	c := g.contract()
	connected(t, fake)
	for i := range 250 {
		fake.Post(sim.Draft{Text: fmt.Sprintf("kestrelgo %d", i)})
	}
	response, err := g.client.Get(g.url + "/search/pages?q=kestrelgo")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	s := newStream(t, response.Body)
	counts := map[string]int{}
	for deadline := time.Now().Add(patient); counts["done"] == 0; {
		e, err := s.next()
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("the walk ends after %v: %v", counts, err)
		}
		c.fits("a walk's "+e.name, c.event("/search/pages", e.name), e.data)
		counts[e.name]++
	}
	if counts[""] != 250 || counts["page"] != 3 {
		t.Errorf("the walk brings %v", counts)
	}
	c.answer("/search/pages?q=kestrelgo&last_event_id="+s.lastID, nil, http.StatusNoContent)
}
