package main

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// upstreamNow is the upstream's state as /status shows it.
func (g *running) upstreamNow() (state, class, hint string) {
	g.t.Helper()
	_, body := g.get("/status")
	var said struct {
		Upstream struct{ State, Class, Hint string }
	}
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		g.t.Fatal(err)
	}
	return said.Upstream.State, said.Upstream.Class, said.Upstream.Hint
}

// Each status and each code does what the tables of docs/alive.md say: halts
// with a hint until somebody asks for a reconnect, or is tried again by itself.
func TestDocsHalts(t *testing.T) {
	alive := find(t, readPages(t), "docs/alive.md")
	halting := map[int]bool{}
	codes := map[int]string{}
	for _, table := range alive.tables {
		if len(table.header) == 0 {
			continue
		}
		for _, row := range table.rows {
			for _, m := range regexp.MustCompile(`\d+`).FindAllString(row[0], -1) {
				n, err := strconv.Atoi(m)
				switch {
				case err != nil:
				case table.header[0] == "the upstream says" && n >= 400:
					halting[n] = true
				case table.header[0] == "code":
					codes[n] = row[2]
				}
			}
		}
	}
	if len(halting) < 10 || len(codes) < 8 {
		t.Fatalf("the tables hold only %v and %v", halting, codes)
	}
	fake, environ := fakeTwitter(t, "AVIARY_BACKOFF_NETWORK=10ms", "AVIARY_BACKOFF_HTTP=10ms", "AVIARY_BACKOFF_RATE_LIMIT=10ms")
	g := start(t, nil, environ...)
	posts := 0
	streams := func() { // a stream is one when something came
		t.Helper()
		connected(t, fake)
		posts++
		say(fake, "go "+strconv.Itoa(posts))
		eventually(t, "the stream", func() bool { state, _, _ := g.upstreamNow(); return state == "streaming" })
	}
	reconnect := func() {
		t.Helper()
		response, err := g.client.Post(g.admin+"/upstream/reconnect", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusAccepted {
			t.Fatalf("the reconnect is answered with %s", response.Status)
		}
		streams()
	}
	do := func(script string) {
		t.Helper()
		if err := fake.Do(script); err != nil {
			t.Fatal(err)
		}
	}
	streams()
	for status := range halting {
		do("status " + strconv.Itoa(status))
		do("close")
		eventually(t, "a halt", func() bool { state, _, _ := g.upstreamNow(); return state == "halted" })
		if _, class, hint := g.upstreamNow(); class != "fatal" || hint == "" {
			t.Errorf("%d halts with class %q and hint %q", status, class, hint)
		}
		reconnect()
	}
	for _, status := range []int{420, 429, 500, 502, 503} {
		before := fake.Stats().Refused
		do("status " + strconv.Itoa(status))
		do("close")
		eventually(t, "a refusal", func() bool { return fake.Stats().Refused > before })
		streams()
	}
	for code := 1; code <= 14; code++ {
		then, named := codes[code]
		halts := named && strings.Contains(then, "halts")
		connects := fake.Stats().Connects
		do("disconnect " + strconv.Itoa(code))
		if !halts {
			eventually(t, "a reconnect after code "+strconv.Itoa(code), func() bool { return fake.Stats().Connects > connects })
			streams()
			continue
		}
		eventually(t, "a halt at code "+strconv.Itoa(code), func() bool { state, _, _ := g.upstreamNow(); return state == "halted" })
		reconnect()
	}
	if !slices.Contains(alive.column("class", "The upstream"), "rate_limit") {
		t.Error("the classes are not documented")
	}
	sameWords(t, "classes", slices.DeleteFunc(labels(g.scrape()["aviary_upstream_connects_total"], "result"), func(r string) bool { return r == "ok" }),
		alive.column("class", "The upstream"))
}
