package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// scripts are the JavaScript blocks of the documents, those inside HTML included.
func scripts(t *testing.T) (all []fence) {
	t.Helper()
	for _, p := range readPages(t) {
		for _, f := range p.fences {
			text := strings.Join(f.lines, "\n")
			if f.kind == "html" {
				found := regexp.MustCompile(`(?s)<script[^>]*>(.*)</script>`).FindStringSubmatch(text)
				if found == nil {
					continue
				}
				text = found[1]
			} else if f.kind != "js" {
				continue
			}
			f.under = append([]string{p.path}, f.under...)
			f.lines = []string{text}
			all = append(all, f)
		}
	}
	return all
}

// Every script that the documents show is a script.
func TestDocsScripts(t *testing.T) {
	node, dir := tool(t, "node"), t.TempDir()
	all := scripts(t)
	if len(all) < 8 {
		t.Errorf("only %d scripts are found", len(all))
	}
	for _, f := range all {
		file := filepath.Join(dir, "script.mjs")
		if err := os.WriteFile(file, []byte(f.lines[0]), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(node, "--check", file).CombinedOutput(); err != nil {
			t.Errorf("%s, line %d: %v\n%s", f.under[0], f.line, err, out)
		}
	}
}

// The reader of NDJSON that the browser guide shows reads a stream, and knows
// what a refusal says.
func TestDocsFetchReader(t *testing.T) {
	node := tool(t, "node")
	fake, environ := fakeTwitter(t, "AVIARY_TRACK=football,go", "AVIARY_HEARTBEAT=50ms")
	g := start(t, nil, environ...)
	connected(t, fake)
	var reader string
	for _, f := range scripts(t) {
		if strings.Contains(f.lines[0], "async function* lines") {
			reader = f.lines[0]
		}
	}
	if reader == "" {
		t.Fatal("the guide shows no reader")
	}
	run := func(before, script string) string {
		ctx, cancel := context.WithTimeout(context.Background(), patient)
		defer cancel()
		c := exec.CommandContext(ctx, node, "--input-type=module", "-")
		c.Stdin = strings.NewReader(`globalThis.location = { href: "` + g.url + `" };` + before + script)
		out, err := c.CombinedOutput()
		if err != nil && !strings.Contains(string(out), "Error:") {
			t.Errorf("node: %v\n%s", err, out)
		}
		return string(out)
	}
	say(fake, "football 1", "go 1", "football “2” 東京", "football 3")
	eventually(t, "the posts", func() bool { _, body := g.get("/status"); return strings.Contains(body, `"events":4`) })
	got := run(`let n = 0; const show = console.log; function forget() {}
		console.log = (name, text) => { show(text); if (++n === 3) { show(last !== undefined); process.exit(0); } };`,
		strings.Replace(reader, "/stream?track=football", "/stream?since=1h&track=football", 1))
	if want := "football 1\nfootball “2” 東京\nfootball 3\ntrue\n"; got != want {
		t.Errorf("the reader brings %q, not %q", got, want)
	}
	if got := run("", strings.Replace(reader, "track=football", "trak=football", 1)); !strings.Contains(got, `did you mean "track"?`) {
		t.Errorf("refused, the reader says %q", got)
	}
}
