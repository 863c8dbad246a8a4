package main

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/server"
	"aviary/server/deliver"
)

// sameWords reports words that only one of two lists has.
func sameWords(t *testing.T, what string, real, told []string) {
	t.Helper()
	if len(real) == 0 {
		t.Errorf("%s: none is found, which proves nothing", what)
	}
	for _, word := range real {
		if !slices.Contains(told, word) {
			t.Errorf("%s: %q is not documented", what, word)
		}
	}
	for _, word := range told {
		if !slices.Contains(real, word) {
			t.Errorf("%s: %q is documented and does not exist", what, word)
		}
	}
}

// The operator's guide names every setting, and no document one that is none.
func TestDocsSettings(t *testing.T) {
	pages, known := readPages(t), map[string]bool{}
	guide := all([]*page{find(t, pages, "docs/operating.md")})
	for _, f := range fields() {
		known[prefix+f.name] = true
		known[prefix+f.name+"_FILE"] = f.secret
		if !strings.Contains(guide, "`"+prefix+f.name+"`") {
			t.Errorf("docs/operating.md does not name %s%s", prefix, f.name)
		}
	}
	text := all(pages)
	for _, more := range []string{"Dockerfile", "docs/proxy/nginx.conf", "docs/proxy/Caddyfile", "docs/proxy/haproxy.cfg", "server/openapi.yaml"} {
		source, err := os.ReadFile(more)
		if err != nil {
			t.Fatal(err)
		}
		text += string(source)
	}
	for _, m := range regexp.MustCompile(`AVIARY_[A-Z0-9_]*(…|\*)?`).FindAllStringSubmatch(text, -1) {
		if m[1] == "" && m[0] != prefix && !known[m[0]] { // AVIARY_SERVICE_… stands for many
			t.Errorf("the documents name %s, which is no setting", m[0])
		}
	}
}

// scrape reads what /metrics says right now, by name.
func (g *running) scrape() map[string]*dto.MetricFamily {
	g.t.Helper()
	_, body := fetch(g.t, g.client, g.admin+"/metrics")
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	return families
}

// searchable points the search of a gateway at its fake Twitter, too.
func searchable(environ []string) []string {
	for _, entry := range environ {
		if address, found := strings.CutPrefix(entry, "AVIARY_TWITTER_STREAM_URL="); found {
			return append(environ, "AVIARY_TWITTER_API_URL="+address)
		}
	}
	return environ
}

// labels are the values that a label of a metric has.
func labels(family *dto.MetricFamily, name string) (values []string) {
	for _, m := range family.GetMetric() {
		for _, label := range m.GetLabel() {
			if label.GetName() == name {
				values = append(values, label.GetValue())
			}
		}
	}
	return values
}

// The operator's guide names the metrics that a running gateway exports, with
// their labels, and the words of the labels are those of the events' tables.
func TestDocsMetrics(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, searchable(environ)...)
	connected(t, fake)
	g.open("", "").until("hello")
	g.get("/search?q=go") // the budget is told with the first answer
	families := g.scrape()
	pages := readPages(t)
	var real []string
	for name := range families {
		if strings.HasPrefix(name, "aviary_") {
			real = append(real, name)
		}
	}
	var told []string
	for _, word := range find(t, pages, "docs/operating.md").column("metric", "Metrics") {
		name, rest, _ := strings.Cut(word, "{")
		told = append(told, name)
		for label := range strings.SplitSeq(strings.TrimSuffix(rest, "}"), ",") {
			if rest != "" && len(families[name].GetMetric()) > 0 && len(labels(families[name], label)) == 0 {
				t.Errorf("%s has no label %q", name, label)
			}
		}
	}
	sameWords(t, "metrics", real, told)
	for _, m := range regexp.MustCompile(`\b(aviary_[a-z_]+)(?:\{(\w+)="(\w+)"\})?`).FindAllStringSubmatch(all(pages), -1) {
		family := families[m[1]]
		if family == nil {
			t.Errorf("the documents name the metric %s, which does not exist", m[1])
		} else if m[2] != "" && !slices.Contains(labels(family, m[2]), m[3]) {
			t.Errorf("there is no %s", m[0])
		}
	}

	api, operating := find(t, pages, "docs/api.md"), find(t, pages, "docs/operating.md")
	sameWords(t, "states of the upstream", labels(families["aviary_upstream_state"], "state"), operating.column("state", "States of the upstream"))
	reasons := api.column("reason", "Events")
	closes := labels(families["aviary_client_closes_total"], "reason")
	closes = slices.DeleteFunc(closes, func(reason string) bool { return reason == "gone" || reason == "failed" }) // nobody is told
	sameWords(t, "reasons of gap and bye", slices.Concat(labels(families["aviary_gaps_total"], "reason"), closes), reasons)
}

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

// Links inside the repository lead somewhere.
func TestDocsLinks(t *testing.T) {
	pages := readPages(t)
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	found := 0
	for _, p := range pages {
		for _, m := range link.FindAllStringSubmatch(p.text, -1) {
			target, fragment, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			found++
			to := p.path
			if target != "" {
				to = filepath.ToSlash(filepath.Join(filepath.Dir(p.path), target))
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s: %v", p.path, m[1], err)
				continue
			}
			if fragment == "" {
				continue
			}
			if !slices.ContainsFunc(find(t, pages, to).headings, func(h heading) bool { return h.slug == fragment }) {
				t.Errorf("%s links to %s, and there is no such heading", p.path, m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d links are found", found)
	}
}

// The log lines to watch for are those that the program writes.
func TestDocsLogLines(t *testing.T) {
	var source bytes.Buffer
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := os.ReadFile(path)
		source.Write(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, m := range regexp.MustCompile(`[lL]og(?:\(\))?\.(Error|Warn)\("((?:[^"\\]|\\.)*)"[,)]`).FindAllStringSubmatch(source.String(), -1) {
		written[strings.ReplaceAll(m[2], "`", "")] = strings.ToUpper(m[1])
	}
	delete(written, "the upstream's state cannot be written") // cannot happen
	var told []string
	for _, table := range find(t, readPages(t), "docs/operating.md").tables {
		if len(table.header) < 2 || table.header[1] != "message" {
			continue
		}
		for _, row := range table.rows {
			message := codes(row[1])[0]
			if row[0] == "INFO" {
				if !strings.Contains(source.String(), `og.Info("`+message+`"`) {
					t.Errorf("nothing logs %q", message)
				}
				continue
			}
			told = append(told, message)
			if level := written[message]; level != "" && level != row[0] {
				t.Errorf("%q is logged as %s", message, level)
			}
		}
	}
	var real []string
	for message := range written {
		real = append(real, message)
	}
	sameWords(t, "log lines", real, told)
}
