package server

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// cut returns everything of a body up to and with its n-th blank line (SSE) or line.
func cut(t *testing.T, body io.Reader, sep string, n int) string {
	t.Helper()
	var b strings.Builder
	buf := make([]byte, 1)
	for range n {
		for {
			if _, err := body.Read(buf); err != nil {
				t.Fatalf("%v after %q", err, b.String())
			}
			b.Write(buf)
			if strings.HasSuffix(b.String(), sep) {
				break
			}
		}
	}
	return b.String()
}

// epoch is the text of the gates' epoch, found out once.
func epoch(g *gate) string {
	e, _, _ := strings.Cut(g.hub.Stats().Head.String(), "-")
	return e
}

func TestGoldenSSE(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		g.post(1, "7", "before")
		resp := g.do("GET", "/stream?track=go,zig", "")
		body := soak(resp.Body)
		opening := cut(t, body, "\n\n", 2)
		g.post(2, "7", "about go")
		g.settle() // or the delete would find the post unwritten
		g.post(3, "7", "about rust")
		g.delete(2)
		g.notice(fanout.KindOther, `{"friends":[]}`)
		got := opening + cut(t, body, "\n\n", 3)

		e := epoch(g)
		retry := regexp.MustCompile(`^retry: (\d{4})\n`).FindStringSubmatch(got)
		if retry == nil || retry[1] < "1500" || retry[1] > "4500" {
			t.Fatalf("the stream begins %q, want a retry of 3000 ± 50 %%", got[:20])
		}
		want := "retry: " + retry[1] + "\n\n" +
			"event: hello\nid: " + e + "-1\n" +
			`data: {"hello":{"cursor":"` + e + `-1","resumed":"live","missed":0,"source":"sim","upstream":{"state":"streaming","since":"2026-01-02T03:04:05Z","class":null,"error":null,"hint":null,"next_attempt":null,"posts_per_s":0},"filter":"track=go,zig","heartbeat_ms":15000,"warnings":[]}}` + "\n\n" +
			"id: " + e + "-2\n" + `data: {"id":2,"id_str":"2","text":"about go","user":{"id_str":"7"}}` + "\n\n" +
			"event: delete\nid: " + e + "-4\n" + `data: {"delete":{"status":{"id":2,"id_str":"2","user_id":1,"user_id_str":"1"}}}` + "\n\n" +
			"event: other\nid: " + e + "-5\n" + `data: {"friends":[]}` + "\n\n"
		if got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		h := resp.Header
		for name, want := range map[string]string{
			"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store, no-transform",
			"X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
			"Vary": "Accept, Accept-Encoding, Authorization, Origin",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %q, want %q", name, h.Get(name), want)
			}
		}
	})
}

func TestGoldenNDJSON(t *testing.T) {
	for _, how := range []struct{ path, accept string }{
		{"/stream?format=ndjson", "text/event-stream"},
		{"/stream", "application/x-ndjson"},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(t)
			resp := g.do("GET", how.path, "", "Accept: "+how.accept)
			if resp.StatusCode != 200 {
				t.Fatal(resp.Status, readAll(t, resp.Body))
			}
			body := soak(resp.Body)
			got := cut(t, body, "\n", 1)
			g.post(2, "7", "about go")
			synctest.Wait()
			g.delete(2)
			time.Sleep(16 * time.Second)
			got += cut(t, body, "\n", 3)
			e := epoch(g)
			want := `{"hello":{"cursor":"` + e + `-0","resumed":"live","missed":0,"source":"sim","upstream":{"state":"streaming","since":"2026-01-02T03:04:05Z","class":null,"error":null,"hint":null,"next_attempt":null,"posts_per_s":0},"filter":"","heartbeat_ms":15000,"warnings":[]}}` + "\n" +
				`{"id":2,"id_str":"2","text":"about go","user":{"id_str":"7"}}` + "\n" +
				`{"delete":{"status":{"id":2,"id_str":"2","user_id":1,"user_id_str":"1"}}}` + "\n" +
				`{"cursor":"` + e + `-2"}` + "\n"
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if ct := resp.Header.Get("Content-Type"); ct != "application/x-ndjson" {
				t.Errorf("Content-Type %q", ct)
			}
		})
	}
}

func TestFirstBytesComeInOneWrite(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		c := g.mute("/stream")
		b := make([]byte, 64<<10)
		n, err := c.Read(b) // a pipe hands over one write at a time
		if err != nil || !strings.Contains(string(b[:n]), "retry: ") || !strings.HasSuffix(string(b[:n]), "}}\n\n") {
			t.Errorf("first write %q, %v: want headers, retry and hello", b[:n], err)
		}
		if strings.Contains(string(b[:n]), "chunked") {
			t.Error("the stream is chunked: three writes for one")
		}
	})
}

func TestPayloads(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		s := g.stream("/stream?payload=ids")
		lines := soak(g.do("GET", "/stream?payload=ids&format=ndjson&events=delete", "").Body)
		cut(t, lines, "\n", 1)
		g.post(1, "7", "go")
		g.settle()
		g.delete(1)
		if f := s.next(); f.event != "" || f.data != `{"id_str":"1"}` {
			t.Error(f)
		}
		notice := `{"delete":{"status":{"id":1,"id_str":"1","user_id":1,"user_id_str":"1"}}}`
		if f := s.next(); f.data != notice { // only posts have payloads
			t.Error(f)
		}
		if got := cut(t, lines, "\n", 2); got != `{"id_str":"1"}`+"\n"+notice+"\n" {
			t.Errorf("%q", got)
		}
	})
}
