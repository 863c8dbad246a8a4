package main

import (
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/server"
	"aviary/server/deliver"
)

// The events are those that exist.
func TestDocsEvents(t *testing.T) {
	pages := readPages(t)
	sameWords(t, "events", deliver.EventNames(), find(t, pages, "docs/api.md").column("event", "Events"))
	walk := regexp.MustCompile(`p\.(?:event|named)\("(\w+)"`) // by name in the code: a walk has no list of its events
	names := []string{"bye"}
	for _, file := range []string{"server/pager.go", "server/pager_write.go"} {
		for _, m := range walk.FindAllStringSubmatch(readString(t, file), -1) {
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	sameWords(t, "events of a search", names, find(t, pages, "docs/api.md").column("event", "GET /search/pages"))
	names = append(names, deliver.EventNames()...)
	for _, p := range pages {
		for _, m := range regexp.MustCompile(`addEventListener\("(\w+)"`).FindAllStringSubmatch(all([]*page{p}), -1) {
			if !slices.Contains(names, m[1]) {
				t.Errorf("%s listens to %q, which is no event", p.path, m[1])
			}
		}
	}
}

// routes are the paths of a handler.
func routes(t *testing.T, h http.Handler) (paths []string) {
	t.Helper()
	if err := chi.Walk(h.(chi.Routes), func(_, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		paths = append(paths, route)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// The documents name every route, and none that does not exist. Files of the
// page and of the profiler are named by the folder that they stand for.
func TestDocsRoutes(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	defer hub.Close()
	s := server.New(server.Options{Hub: hub})
	defer s.Close()
	public, admin := routes(t, s.Public()), routes(t, s.Admin())
	pages := readPages(t)
	text := all(pages)
	for _, path := range slices.Concat(public, admin) {
		file := strings.Contains(filepath.Base(path), ".") && path != "/openapi.yaml"
		if strings.HasPrefix(path, "/debug/pprof/") {
			path = "/debug/pprof/"
		}
		if !file && !regexp.MustCompile("[`/ ]"+regexp.QuoteMeta(strings.TrimPrefix(path, "/"))+"[`?' \n]").MatchString(text) {
			t.Errorf("no document names %s", path)
		}
	}
	elsewhere := []string{"/run/", "/etc/", "/1.1/"} // files, and the upstream's own paths
	path := regexp.MustCompile("`(?:[A-Z]+ )?(/[^`\\s?]*)[^`]*`")
	for _, p := range pages {
		for _, m := range path.FindAllStringSubmatch(p.text, -1) {
			known := slices.ContainsFunc(elsewhere, func(root string) bool { return strings.HasPrefix(m[1], root) })
			if !known && !slices.Contains(public, m[1]) && !slices.Contains(admin, m[1]) && m[1] != "/debug/pprof/" {
				t.Errorf("%s names %s, which is no route", p.path, m[1])
			}
		}
	}
}

// The tables of parameters hold what the gateway takes, asked of the gateway.
func TestDocsParameters(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, searchable(environ)...)
	connected(t, fake)
	api := find(t, readPages(t), "docs/api.md")
	for path, heading := range map[string]string{"/stream": "GET /stream", "/search": "GET /search", "/search/pages": "GET /search/pages"} {
		told := api.column("parameter", heading)
		if path == "/stream" {
			told = append(told, "last_event_id", "since")
		}
		if path == "/search/pages" {
			told = slices.DeleteFunc(append(told, api.column("parameter", "GET /search")...), func(name string) bool { return name == "cursor" })
		}
		if len(told) < 6 {
			t.Errorf("%s: only %q are found", path, told)
		}
		for _, name := range told {
			// Of two parameters that do not exist the first in the alphabet is named.
			if _, body := g.get(path + "?zzzz=1&" + name + "=1"); !strings.Contains(body, `"param":"zzzz"`) {
				t.Errorf("%s does not take %s: %s", path, name, body)
			}
		}
	}
}

// The guide to rules names the operators that exist, with values that they take,
// and those that are refused.
func TestDocsOperators(t *testing.T) {
	source := readString(t, "fanout/filter/operator.go")
	names := func(begin string) (found []string) {
		_, text, _ := strings.Cut(source, begin)
		text, _, _ = strings.Cut(text, "\n}\n")
		for _, m := range regexp.MustCompile(`(?m)^\t\{?"(\w+)"[,:]`).FindAllStringSubmatch(text, -1) {
			found = append(found, m[1])
		}
		return found
	}
	guide := find(t, readPages(t), "docs/filters.md")
	var told []string
	for _, operator := range guide.column("operator", "Operators") {
		if name, _, isOperator := strings.Cut(strings.TrimPrefix(operator, "-"), ":"); isOperator && !slices.Contains(told, name) {
			told = append(told, name)
		}
		if _, err := filter.ParseRule("cat " + operator); err != nil {
			t.Errorf("%s: %v", operator, err)
		}
	}
	sameWords(t, "operators", names("var operators = []operator{"), told)

	for _, table := range guide.tables {
		if len(table.header) > 0 && (table.header[0] == "operator" || table.header[0] == "rule") {
			for _, row := range table.rows {
				for _, rule := range codes(row[0]) {
					_, err := filter.ParseRule(rule)
					if narrows := table.header[1] == "leaves posts"; narrows != (err != nil) {
						t.Errorf("%s alone: %v", rule, err)
					}
				}
			}
		}
	}

	_, text, _ := strings.Cut(guide.text, "Not possible here")
	text, _, _ = strings.Cut(text, "\n\n")
	var refused []string
	for _, name := range codes(text) {
		refused = append(refused, strings.TrimSuffix(name, ":"))
	}
	sameWords(t, "operators that are refused", names("var refused = map[string]string{"), refused)
}
