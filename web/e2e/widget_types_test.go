package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// typescriptVersion of the compiler, https://www.npmjs.com/package/typescript.
const typescriptVersion = "5.9.3"

// program uses what the types promise; each line marked is wrong on purpose.
const program = `import { tweets, words, type Post } from "./embed.js";

const stop = new AbortController();
for await (const post of tweets({ src: "https://feeds.example.org", track: "football", max_rate: 2, "filter.cats": "cat", signal: stop.signal, on: (name, data) => console.log(name, data) })) {
  const text: string | undefined = post.text;
  const inner: Post | undefined = post.repost_of;
  console.log(text, inner?.author?.username.length ?? 0, post.id_str.toUpperCase()); // wrong: username may be absent
  post.id_str = 5; // wrong
}
tweets({ tracks: "football" }); // wrong
words.live = "En direct";
document.querySelector("tweet-feed")?.setAttribute("track", "go");
`

// The types are what a strict compiler takes, and refuse what they should.
func TestWidgetTypes(t *testing.T) {
	t.Parallel()
	compiler, err := npmFile("typescript", typescriptVersion, "lib/tsc.js")
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n*** TYPESCRIPT CANNOT BE HAD, embed.d.ts IS NOT CHECKED: %v\n\n", err)
		if os.Getenv("CI") != "" {
			t.Fatal("the TypeScript compiler cannot be had")
		}
		t.Skip("the TypeScript compiler cannot be had")
	}
	dir := t.TempDir()
	types, err := os.ReadFile(filepath.Join("..", "static", "embed.d.ts"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"embed.d.ts": string(types), "use.ts": program, "package.json": `{"type":"module"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tsc := exec.Command("node", compiler, "--noEmit", "--strict", "--pretty", "false", "--target", "es2022", "--module", "nodenext", "--lib", "es2023,dom,dom.iterable", "use.ts")
	tsc.Dir = dir
	out, _ := tsc.CombinedOutput() // it fails: some lines are wrong
	var wrong, found []string
	for i, line := range strings.Split(program, "\n") {
		if strings.Contains(line, "// wrong") {
			wrong = append(wrong, fmt.Sprintf("use.ts(%d", i+1))
		}
	}
	for line := range strings.Lines(string(out)) {
		place, _, isError := strings.Cut(line, ",")
		if isError && strings.Contains(line, "error TS") && !slices.Contains(found, place) {
			found = append(found, place)
		}
	}
	if !slices.Equal(found, wrong) {
		t.Errorf("the compiler complains of %q, want %q:\n%s", found, wrong, out)
	}
}

// What the types name is what the module has.
func TestWidgetExports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.widget(w.host(""), desktop)
	if got := ask[string](b, `import("`+w.url+`/embed.js").then((m) => Object.keys(m).join())`); got != "tweets,words" {
		t.Errorf("the module exports %s", got)
	}
}

// Outside of a browser, from a copy of the file, the loop runs as well.
func TestTweetsInNode(t *testing.T) {
	t.Parallel()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no node")
	}
	w := newWorld(t, 0)
	w.post("from a server")
	w.held(1)
	file, err := filepath.Abs(filepath.Join("..", "static", "embed.js"))
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "embed.mjs")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(copied, source, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	script := fmt.Sprintf(`import { tweets } from %q; for await (const post of tweets({ src: %q, track: "server" })) { console.log(post.text); break; }`, copied, w.url)
	out, err := exec.CommandContext(ctx, node, "--input-type=module", "-e", script).CombinedOutput()
	if err != nil || string(out) != "from a server go\n" {
		t.Errorf("%v: %s", err, out)
	}
}
