package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"time"
)

//go:embed static
var static embed.FS

// policy lets the page run its own script and style and talk to its own origin.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https://pbs.twimg.com; connect-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// asset is one file, ready to serve.
type asset struct {
	name, mime, etag string
	open             bool // pages of other origins load it
}

const (
	html   = "text/html; charset=utf-8"
	script = "text/javascript; charset=utf-8"
	style  = "text/css; charset=utf-8"
	svg    = "image/svg+xml"
	plain  = "text/plain; charset=utf-8"
)

var assets = map[string]asset{
	"/":              {name: "index.html", mime: html},
	"/dashboard":     {name: "dashboard.html", mime: html},
	"/embed.d.ts":    {name: "embed.d.ts", mime: plain, open: true},
	"/embed.js":      {name: "embed.js", mime: script, open: true},
	"/address.js":    {name: "address.js", mime: script},
	"/app.js":        {name: "app.js", mime: script},
	"/card.js":       {name: "card.js", mime: script},
	"/check.js":      {name: "check.js", mime: script},
	"/column.js":     {name: "column.js", mime: script},
	"/editor.js":     {name: "editor.js", mime: script},
	"/feed.js":       {name: "feed.js", mime: script},
	"/gone.js":       {name: "gone.js", mime: script},
	"/head.js":       {name: "head.js", mime: script},
	"/hidden.js":     {name: "hidden.js", mime: script},
	"/keep.js":       {name: "keep.js", mime: script},
	"/keys.js":       {name: "keys.js", mime: script},
	"/leader.js":     {name: "leader.js", mime: script},
	"/post.js":       {name: "post.js", mime: script},
	"/replay.js":     {name: "replay.js", mime: script},
	"/search.js":     {name: "search.js", mime: script},
	"/shared.js":     {name: "shared.js", mime: script},
	"/shown.js":      {name: "shown.js", mime: script},
	"/stream.js":     {name: "stream.js", mime: script},
	"/theme.js":      {name: "theme.js", mime: script},
	"/turns.js":      {name: "turns.js", mime: script},
	"/words.js":      {name: "words.js", mime: script},
	"/chart.js":      {name: "chart.js", mime: script},
	"/figures.js":    {name: "figures.js", mime: script},
	"/dashboard.js":  {name: "dashboard.js", mime: script},
	"/panel.js":      {name: "panel.js", mime: script},
	"/dashboard.css": {name: "dashboard.css", mime: style},
	"/columns.css":   {name: "columns.css", mime: style},
	"/palette.css":   {name: "palette.css", mime: style},
	"/style.css":     {name: "style.css", mime: style},
	"/icon.svg":      {name: "icon.svg", mime: svg},
}

// Paths are the paths that Handler answers.
func Paths() []string { return slices.Sorted(maps.Keys(assets)) }

// Open reports whether pages of other origins load what lies at a path. A module
// from elsewhere needs the headers of CORS, which are the caller's.
func Open(path string) bool { return assets[path].open }

// dictionaryMark stands in index.html for the path of the compression dictionary.
const dictionaryMark = "/dictionaries/current"

// Handler serves the page, with entity tags: a browser asks each time and gets
// the bytes only when they have changed. Paths it does not know are a 404.
// dictionary is the path of the compression dictionary of /stream, which the page
// fetches where it is of use.
func Handler(dictionary string) http.Handler {
	type ready struct {
		asset
		body []byte
	}
	files := map[string]ready{}
	for path, a := range assets {
		body, err := fs.ReadFile(static, "static/"+a.name)
		if err != nil {
			panic(err) // embedded above, or the program does not build
		}
		if path == "/" {
			body = bytes.ReplaceAll(body, []byte(dictionaryMark), []byte(dictionary))
		}
		sum := sha256.Sum256(body)
		a.etag = `"` + hex.EncodeToString(sum[:8]) + `"`
		files[path] = ready{a, body}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, found := files[r.URL.Path]
		if !found {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", f.mime)
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", f.etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
	})
}
