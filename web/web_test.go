package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, path string, header http.Header) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header = header
	w := httptest.NewRecorder()
	Handler("/dictionaries/abc").ServeHTTP(w, r)
	return w
}

func TestEveryFileIsServedWithThePolicy(t *testing.T) {
	for _, path := range Paths() {
		w := get(t, path, http.Header{})
		if w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("GET %s: %d, %d bytes", path, w.Code, w.Body.Len())
		}
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("GET %s: the policy lacks %q: %s", path, want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") {
			t.Errorf("GET %s: the policy has an unsafe source: %s", path, csp)
		}
		again := get(t, path, http.Header{"If-None-Match": {w.Header().Get("ETag")}})
		if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("GET %s with its ETag: %d, %d bytes; want 304 and none", path, again.Code, again.Body.Len())
		}
	}
	if w := get(t, "/static/app.js", http.Header{}); w.Code != 404 {
		t.Errorf("GET /static/app.js: %d, want 404", w.Code)
	}
}

// The page names the dictionary that it is given.
func TestPageNamesTheDictionary(t *testing.T) {
	page := get(t, "/", http.Header{}).Body.String()
	if !strings.Contains(page, `<link rel="compression-dictionary" href="/dictionaries/abc">`) || strings.Contains(page, dictionaryMark) {
		t.Error("the page does not link to the dictionary")
	}
}

// The policy would break them in a browser; here they are found at once.
func TestPageHasNothingInlineAndNothingForeign(t *testing.T) {
	var page string // both
	for path, a := range assets {
		if a.mime == html {
			page += get(t, path, http.Header{}).Body.String()
		}
	}
	for name, bad := range map[string]*regexp.Regexp{
		"inline script": regexp.MustCompile(`<script(>|[^>]*>[^<])`),
		"inline style":  regexp.MustCompile(`<style|\sstyle=`),
		"handler":       regexp.MustCompile(`\son[a-z]+=`),
		"foreign":       regexp.MustCompile(`(src|href)="(https?:)?//`),
	} {
		if m := bad.FindString(page); m != "" {
			t.Errorf("the page has an %s: %q", name, m)
		}
	}
	imported := regexp.MustCompile(`(?m)^import .* from "([^"]*)"`)
	for path, a := range assets {
		body := get(t, path, http.Header{}).Body.String()
		switch a.mime {
		case script:
			body = strings.ReplaceAll(body, "http://www.w3.org/2000/svg", "") // a name, never loaded
			for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", ".style.", "srcdoc", "http://"} {
				if strings.Contains(body, bad) {
					t.Errorf("%s uses %s", path, bad)
				}
			}
			for _, m := range imported.FindAllStringSubmatch(body, -1) {
				if assets[m[1]].mime != script {
					t.Errorf("%s imports %s, which is not served", path, m[1])
				}
				// Without this a module waits for the one that imports it.
				if !strings.Contains(page, `<link rel="modulepreload" href="`+m[1]+`">`) {
					t.Errorf("the page does not preload %s", m[1])
				}
			}
		case style:
			if strings.Contains(body, "url(") || strings.Contains(body, "@import") {
				t.Errorf("%s loads something", path)
			}
		}
	}
}

// A file in static that no path serves is one nobody sees.
func TestEveryEmbeddedFileHasAPath(t *testing.T) {
	named := map[string]bool{}
	for _, a := range assets {
		named["static/"+a.name] = true
	}
	err := fs.WalkDir(static, ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !named[path] {
			t.Errorf("%s is embedded and not served", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(Paths()) != len(assets) {
		t.Errorf("Paths has %d, assets %d", len(Paths()), len(assets))
	}
}

// What the policy lets through and what the page shows are the same hosts.
func TestPicturesComeFromWhereThePolicySays(t *testing.T) {
	hosts := regexp.MustCompile(`(?m)^export const HOSTS = \["([^"]*)"\];`).FindStringSubmatch(get(t, "/post.js", http.Header{}).Body.String())
	if hosts == nil {
		t.Fatal("post.js names no hosts")
	}
	if csp := get(t, "/", http.Header{}).Header().Get("Content-Security-Policy"); !strings.Contains(csp, "img-src 'self' https://"+hosts[1]+";") {
		t.Errorf("the policy allows other pictures than from %s: %s", hosts[1], csp)
	}
}
