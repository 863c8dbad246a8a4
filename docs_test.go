package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
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
