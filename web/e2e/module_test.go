package e2e

import (
	"bufio"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// The modules by themselves. They run where they will: in the browser.
func TestModules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 0)
	b := w.open("/", desktop)
	b.run(`Promise.all(["post", "words", "stream", "address", "gone"].map((m) => import("/" + m + ".js"))).then((all) => { for (const m of all) Object.assign(globalThis, m); })`)
	for _, c := range []struct{ expression, want string }{
		{`safe("https://example.com/a b")`, `"https://example.com/a%20b"`},
		{`safe("http://example.com/")`, `""`},
		{`safe("javascript:alert(1)")`, `""`},
		{`safe("  java\nscript:alert(1)")`, `""`},
		{`safe("https://me:secret@example.com/")`, `""`},
		{`safe("/path")`, `""`},
		{`safe(undefined)`, `""`},
		{`pieces({ text: "a https://t.co/1 b", urls: [{ url: "https://t.co/1", display: "x.example" }] })`, `["a ",{"href":"https://t.co/1","words":"x.example","title":"https://t.co/1"}," b"]`},
		{`pieces({ text: "https://t.co/12 https://t.co/1", urls: [{ url: "https://t.co/1", display: "one" }, { url: "https://t.co/12", display: "twelve" }] }).map((p) => p.words ?? p)`, `["twelve"," ","one"]`},
		{`pieces({ text: "c++ (https://e.org/?a=b+c)", urls: [{ url: "https://e.org/?a=b+c", display: "e" }] }).map((p) => p.words ?? p)`, `["c++ (","e",")"]`},
		{`pieces({ text: "javascript:x", urls: [{ url: "javascript:x", expanded: "http://x" }] })`, `["javascript:x"]`},
		{`pieces({ text: "" })`, `[""]`},
		{`pieces({ text: "#Go @Ann_b #gopher", url: "https://x.com/a/status/1", hashtags: ["go"], mentions: [{ username: "ann_B" }, { username: "x/y" }] })`,
			`[{"words":"#Go","href":"https://x.com/hashtag/go"}," ",{"words":"@Ann_b","href":"https://x.com/ann_B"}," #gopher"]`},
		{`pieces({ text: "İn #Go #GO_x #go", url: "https://x.com/a/status/1", hashtags: ["go"] }).map((p) => p.words ?? p)`, `["İn ","#Go"," #GO_x ","#go"]`},
		{`(() => { const all = pieces({ text: "e".repeat(30000), urls: [{ url: "e", expanded: "https://e.example/" }, { url: "ee", expanded: "https://ee.example/" }] }); return [all.length, all[0].words, all.at(-1).length]; })()`, `[301,"ee",29400]`},
		{`pieces({ text: "#go", url: "https://elsewhere.example/@a/1", hashtags: ["go"] })`, `["#go"]`},
		{`places({ url: "https://twitter.com/ann/status/1", author: { username: "ann" } })`, `{"post":"https://twitter.com/ann/status/1","onX":true,"profile":"https://x.com/ann"}`},
		{`places({ url: "https://m.example/@ann/1", author: { username: "ann" } })`, `{"post":"https://m.example/@ann/1","onX":false,"profile":"https://m.example/@ann"}`},
		{`places({ url: "https://twitter.com.evil.example/ann/status/1" }).onX`, `false`},
		{`places({ url: "javascript:1" })`, `{"post":"","onX":false,"profile":""}`},
		{`shown("https://pbs.twimg.com/a.jpg") && !shown("https://pbs.twimg.com.evil.example/a.jpg") && !shown("")`, `true`},
		{`read("https://h/?filter.a=x&filter.b/=y&filter.c=&q=Hot+soup&max_rate=5")`, `{"columns":[{"name":"a","rule":"x"},{"name":"c","rule":""},{"name":"Hot-soup","rule":"Hot soup"}],"pace":"5","beyond":1}`},
		{`read("https://h/").columns`, `[{"name":"everything","rule":""}]`},
		{`write(read("https://h/?filter.a=x+%26+y&filter.c=&max_rate=5"))`, `"/?filter.a=x+%26+y&filter.c=&max_rate=5"`},
		{`write(read("https://h/"))`, `"/"`},
		{`[named("東京", []), named("", []), named("tea OR #coffee", [{ name: "tea-coffee" }]), named("x", [], "My Own")]`, `["column","everything","tea-coffee-2","My-Own"]`},
		{`exactID('{"status_withheld":{"user_id":1,"id":2124336836298231808}}', "id")`, `"2124336836298231808"`},
		{`exactID('{}', "id")`, `""`},
		{`mark("go,www.x", 3)`, `["go,","www.x",""]`},
		{`mark("😀 go,#,fine", 5)`, `["😀 go,","#",",fine"]`},
		{`mark("abc", 3)`, `["abc","",""]`},
		{`mark("abc", undefined)`, `null`},
		{`mark("abc", 9)`, `null`},
		{`mark("(a, b:c) d", 4, "q")`, `["(a, ","b:c",") d"]`},
		{`mark("(a", 0, "q")`, `["","(","a"]`},
		{`curl("http://h/?q='x'")`, `"curl -N 'http://h/?q=%27x%27'"`},
		{`many(1, "post") + many(1200, "post")`, `"1 post1,200 posts"`},
		{`gap({ reason: "slow", missed: 120 })`, `"This page fell behind: 120 posts are missing here."`},
		{`gap({ reason: "something_new", missed: null })`, `"Some posts are missing here (something_new)."`},
		{`[1, 2, 6, 60].map((n) => [backoff(n, 0), backoff(n, 1)])`, `[[500,1000],[1000,2000],[15000,30000],[15000,30000]]`},
		{`compact({ id_str: "1", id: 2124336836298231999, user: { id_str: "2", screen_name: "a_b", name: "A &amp; B" }, full_text: "1 &lt; 2 &amp;amp; 3", created_at: "Sat Nov 21 02:59:42 +0000 2026" })`,
			`{"id_str":"1","created_at":"2026-11-21T02:59:42Z","text":"1 < 2 &amp; 3","author":{"id_str":"2","username":"a_b","name":"A &amp; B","verified":false},"urls":[],"hashtags":[],"mentions":[],"media":[],"sensitive":false,"withheld_in":[],"url":"https://twitter.com/a_b/status/1"}`},
		{`compact({ id_str: "1", user: { screen_name: "no/name" }, text: "x" }).url`, `""`},
		{`["1", "2", "3", "4", "5"].map((id) => { const post = { id_str: "9", author: { id_str: "8" }, repost_of: { id_str: "1", quote_of: { id_str: "2", author: { id_str: "3" } } }, quote_of: { id_str: "4" } }; remember(id === "3" ? { author: id } : { post: "no" + id }); return [isGone(post), remember({ post: id }), isGone(post)].join(); })`, `["false,,true","true,,true","true,,true","true,,true","true,,true"]`},
	} {
		got := ask[string](b, "JSON.stringify("+c.expression+")")
		var have, want any
		if json.Unmarshal([]byte(got), &have) != nil || json.Unmarshal([]byte(c.want), &want) != nil {
			t.Fatalf("%s: %s", c.expression, got)
		}
		if !reflect.DeepEqual(have, want) {
			t.Errorf("%s gives %s, want %s", c.expression, got, c.want)
		}
	}
}

// What the page makes of a v1.1 status is what the gateway makes of it.
func TestNormaliserAgreesWithTheGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 300)
	w.held(250)
	w.sim.Silence()
	b := w.open("/", desktop)
	b.run(`import("/post.js").then((m) => { Object.assign(globalThis, m); })`)
	var full, short []string
	w.eventually("a history that does not change", func() bool { // a delete may be on its way
		full, short = w.lines("payload=full&since=1h&limit=200"), w.lines("payload=compact&since=1h&limit=200")
		return slices.Equal(full, w.lines("payload=full&since=1h&limit=200"))
	})
	// Of a repost the page shows who did it, and the post in it.
	b.run(`globalThis.shown = (p) => p && ({ id: p.id_str, text: p.repost_of ? "" : p.text, lang: p.lang, name: p.author?.name, user: p.author?.username, url: p.url,
		at: Math.floor(Date.parse(p.created_at) / 1000), urls: p.repost_of ? [] : p.urls ?? [], media: p.repost_of ? [] : (p.media ?? []).filter((m) => m.type === "photo"), reply: p.reply_to?.username ?? "", sensitive: p.sensitive === true,
		repost: shown(p.repost_of), quote: p.quote_of && shown(p.quote_of) })`)
	kinds := map[string]int{}
	for i := range full {
		got := ask[string](b, "JSON.stringify(shown(compact("+full[i]+")))")
		want := ask[string](b, "JSON.stringify(shown("+short[i]+"))")
		if got != want {
			t.Fatalf("of %s\nthe page makes    %s\nthe gateway makes %s", full[i], got, want)
		}
		for _, kind := range []string{`"repost":{`, `"quote":{`, `"urls":[{`, `"media":[{`} {
			if strings.Contains(got, kind) {
				kinds[kind]++
			}
		}
	}
	if len(kinds) != 4 {
		t.Errorf("the posts had only %v: this shows little", kinds)
	}
}

// lines are the posts of an NDJSON stream that ends by itself.
func (w *world) lines(query string) (posts []string) {
	w.t.Helper()
	answer, err := http.Get(w.url + "/stream?format=ndjson&events=none&" + query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if strings.Contains(lines.Text(), `"id_str"`) {
			posts = append(posts, lines.Text())
		}
	}
	if len(posts) != 200 {
		w.t.Fatalf("%d posts came", len(posts))
	}
	return posts
}
