package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath, Dir string
	Standard        bool
	GoFiles         []string
	Imports         []string
	Deps            []string
}

func listPackages(t *testing.T) map[string]pkg {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Standard,GoFiles,Imports,Deps", "./...")
	var errs bytes.Buffer
	list.Stderr = &errs
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errs.String())
	}
	packages := map[string]pkg{}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// TestArrows holds the direction in which packages may know each other. Tests
// may import what they like: only what is built counts.
func TestArrows(t *testing.T) {
	packages := listPackages(t)
	core, leaf := packages["aviary/fanout"], packages["aviary/fanout/filter"]
	if core.ImportPath == "" || leaf.ImportPath == "" || packages["aviary/server"].ImportPath == "" {
		t.Fatal("the packages are not found: this test proves nothing")
	}
	for _, path := range core.Imports {
		if !packages[path].Standard && path != "aviary/fanout/filter" {
			t.Errorf("fanout imports %s; the core knows only the standard library and filter", path)
		}
	}
	for path, p := range packages {
		for _, imported := range p.Imports {
			switch {
			case under(path, "aviary/fanout") && under(imported, "aviary") && !under(imported, "aviary/fanout"):
				t.Errorf("%s imports %s: the core knows neither who feeds it nor who reads it", path, imported)
			case path == "aviary/loadgen" && under(imported, "aviary"):
				t.Errorf("loadgen imports %s: it measures any server", imported)
			case path == "aviary/fanout/filter" && under(imported, "aviary"):
				t.Errorf("filter imports %s: it is the leaf", imported)
			case (under(path, "aviary/server") || under(path, "aviary/web")) && under(imported, "aviary/upstream"):
				t.Errorf("%s imports %s: only main knows both", path, imported)
			case under(path, "aviary/upstream") && (under(imported, "aviary/server") || under(imported, "aviary/web")):
				t.Errorf("%s imports %s: only main knows both", path, imported)
			case path == "aviary/upstream" && under(imported, "aviary/upstream/"):
				t.Errorf("upstream imports %s: it knows no API", imported)
			}
		}
	}
	only := map[string]string{ // library: the one package that imports it
		"github.com/dghubble/oauth1":  "aviary/upstream/twitter",
		"github.com/caarlos0/env/v11": "aviary",
		"github.com/r3labs/sse/v2":    "aviary",
	}
	for library, home := range only {
		found := false
		for path, p := range packages {
			if !under(path, "aviary") || !slices.Contains(p.Imports, library) {
				continue
			}
			if found = found || path == home; path != home {
				t.Errorf("%s imports %s; only %s does", path, library, home)
			}
		}
		if !found {
			t.Errorf("%s does not import %s: the rule is out of date", home, library)
		}
	}
	files := map[string]string{"github.com/r3labs/sse/v2": "cmd_tail.go", "github.com/caarlos0/env/v11": "config_load.go"}
	for library, home := range files {
		for _, name := range packages["aviary"].GoFiles {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(source, []byte(`"`+library+`"`)) != (name == home) {
				t.Errorf("%s and %s: only %s imports it", name, library, home)
			}
		}
	}
}

// The README's table of settings is the one the program prints.
func TestReadmeSettings(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, begins := strings.Cut(string(readme), "<!-- settings: made by `go run . env -md` -->\n")
	table, _, ends := strings.Cut(rest, "<!-- end of settings -->")
	if !begins || !ends {
		t.Fatal("the README has no marked table of settings")
	}
	var want strings.Builder
	writeMarkdown(&want)
	if strings.TrimSpace(table) != strings.TrimSpace(want.String()) {
		t.Error("the README's table of settings is old; put the output of `go run . env -md` between the markers")
	}
}

// Every setting has words, and secrets have the type that hides them.
func TestSettingsAreDescribed(t *testing.T) {
	for _, f := range fields() {
		if f.doc == "" || f.group == "" || !strings.HasSuffix(f.doc, ".") {
			t.Errorf("%s has no whole sentence in its doc tag, or no group", f.name)
		}
		for _, word := range []string{"TOKEN", "SECRET", "CONSUMER_KEY"} {
			if strings.HasSuffix(f.name, word) && !f.secret {
				t.Errorf("%s sounds like a secret and is none", f.name)
			}
		}
	}
}
