package web

import (
	"net/http"
	"strings"
	"testing"
)

// The widget is one file without dependencies, small as it is: no build step makes
// it smaller on the way.
func TestEmbedIsSmallAndAlone(t *testing.T) {
	w := get(t, "/embed.js", http.Header{})
	const most = 15_000
	if n := w.Body.Len(); n == 0 || n > most {
		t.Errorf("/embed.js has %d bytes; at most %d are promised", n, most)
	}
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(strings.TrimSpace(line), "import ") || strings.Contains(line, "import(") {
			t.Errorf("/embed.js imports: %s", line)
		}
	}
	for path, open := range map[string]bool{"/embed.js": true, "/embed.d.ts": true, "/": false, "/app.js": false, "/nothing": false} {
		if Open(path) != open {
			t.Errorf("%s is for other origins: %v", path, !open)
		}
	}
}

// The dashboard has nothing inline, as the page.
func TestDashboardHasNothingInline(t *testing.T) {
	page := get(t, "/dashboard", http.Header{}).Body.String()
	for _, bad := range []string{"<style", " style=", " onclick=", "javascript:", `src="http`, `href="http`} {
		if strings.Contains(page, bad) {
			t.Errorf("the dashboard has %q", bad)
		}
	}
}
