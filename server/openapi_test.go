package server

import (
	"context"
	"io"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-chi/chi/v5"

	"aviary/server/deliver"
)

// described is /openapi.yaml, read and checked by kin-openapi: the one kept Go
// library for OpenAPI 3.1 whose whole dependencies the module proxy serves.
// Only tests use it. It checks the examples against their schemas too.
func described(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(context.Background(), openapi3.EnableExamplesValidation()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Every route is described, and everything described is a route, with its methods.
func TestOpenAPIRoutes(t *testing.T) {
	doc, g := described(t), newTCPGate(t)
	routes := map[string]bool{}
	if err := chi.Walk(g.server.Public().(chi.Routes), func(_, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes[route] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(routes) < 8 {
		t.Fatalf("only %d routes are found: this test proves nothing", len(routes))
	}
	// The page's files are one path with a list of names.
	files := doc.Paths.Value("/{file}").Get.Parameters.GetByInAndName("path", "file").Schema.Value.Enum
	listed := func(route string) bool { return slices.Contains(files, any(strings.TrimPrefix(route, "/"))) }
	for route := range routes {
		if doc.Paths.Value(route) == nil && !listed(route) {
			t.Errorf("%s is not described", route)
		}
	}
	for _, file := range files {
		if !routes["/"+file.(string)] {
			t.Errorf("/%s is described, and there is no such route", file)
		}
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths.Map() {
		path := strings.Replace(path, "{file}", "app.js", 1)
		if !routes[path] {
			t.Errorf("%s is described, and there is no such route", path)
			continue
		}
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			// A parameter that does not exist ends a stream before it begins.
			taken := probe(t, g, method, path) != http.StatusMethodNotAllowed
			if operation := item.GetOperation(method); taken != (operation != nil) {
				t.Errorf("%s %s is taken: %v, described: %v", method, path, taken, operation != nil)
			}
		}
		for _, operation := range item.Operations() {
			if operation.Summary == "" || operation.OperationID == "" || ids[operation.OperationID] {
				t.Errorf("%s: an operation has no summary or no id of its own", path)
			}
			ids[operation.OperationID] = true
		}
		if get, head := probe(t, g, http.MethodGet, path), probe(t, g, http.MethodHead, path); get != head {
			t.Errorf("GET %s is answered with %d and HEAD with %d", path, get, head)
		}
		if slices.Contains(item.Get.Tags, "page") || slices.Contains(item.Get.Tags, "drop-in") {
			continue
		}
		if status := probe(t, g, http.MethodOptions, path); status != http.StatusNoContent {
			t.Errorf("the preflight of %s is answered with %d", path, status)
		}
	}
}

// A problem has the members that are described.
func TestOpenAPIProblem(t *testing.T) {
	var real, told []string
	for i := range reflect.TypeFor[Problem]().NumField() {
		name, _, _ := strings.Cut(reflect.TypeFor[Problem]().Field(i).Tag.Get("json"), ",")
		real = append(real, name)
	}
	for name := range described(t).Components.Schemas["Problem"].Value.Properties {
		told = append(told, name)
	}
	same(t, "a problem", real, told)
}

// The named events that are described are those that exist.
func TestOpenAPIEvents(t *testing.T) {
	doc := described(t)
	media := doc.Paths.Value("/stream").Get.Responses.Value("200").Value.Content["text/event-stream"]
	var names []string
	for name := range media.Extensions["x-events"].(map[string]any) {
		if name != "post" {
			names = append(names, name)
		}
	}
	same(t, "the stream", deliver.EventNames(), names)
}

func TestOpenAPIServed(t *testing.T) {
	g := newTCPGate(t)
	response, err := g.client.Get(g.url + "/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); got != "application/yaml" || string(body) != string(file) {
		t.Errorf("/openapi.yaml is %s of %d bytes, not the file's %d", got, len(body), len(file))
	}
	if got := response.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("pages of other origins may not read it: %q", got)
	}
	again, err := http.NewRequest(http.MethodGet, g.url+"/openapi.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Header.Set("If-None-Match", response.Header.Get("ETag"))
	unchanged, err := g.client.Do(again)
	if err != nil {
		t.Fatal(err)
	}
	_ = unchanged.Body.Close()
	if unchanged.StatusCode != http.StatusNotModified {
		t.Errorf("asked again with its tag it is a %d", unchanged.StatusCode)
	}
}
