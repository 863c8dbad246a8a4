package twitter

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream"
)

// What the line ends do to the messages: which arrive, and how many are counted
// as malformed.
func TestLineEnds(t *testing.T) {
	for _, c := range []struct {
		name, body, want string
		malformed        uint64
	}{
		{"CRLF", tweet(1) + "\r\n" + tweet(2) + "\r\n", "1 2", 0},
		{"CRLF, then LF", tweet(1) + "\r\n" + tweet(2) + "\n" + tweet(3) + "\n" + tweet(4) + "\r\n", "1 2 3 4", 0},
		{"a keep-alive, then LF", "\r\n" + tweet(1) + "\n" + tweet(2) + "\n", "1 2", 0},
		{"LF in a string", "\r\n" + strings.Replace(tweet(1), "é", "\n", 1) + "\r\n" + tweet(2) + "\r\n", "1 2", 0},
		{"LF in a string, then LF", "\r\n" + strings.Replace(tweet(1), "é", "\n", 1) + "\n" + tweet(2) + "\r\n", "1 2", 0},
		{"a broken line among LFs", tweet(1) + "\r\n" + `{"id":2,"text":"` + "\n" + tweet(3) + "\nbad\n" + tweet(4) + "\r\n" + tweet(5) + "\r\n", "1 3 4 5", 2},
		{"a broken line among LFs, no CRLF any more", tweet(1) + "\r\n" + `{"id":2,"text":"` + "\n" + tweet(3) + "\n" + tweet(4), "1 3 4", 1},
		{"mark", "\uFEFF" + tweet(1) + "\r\n\uFEFF" + tweet(2) + "\r\n", "1 2", 0},
		{"mark, LF", "\uFEFF" + tweet(1) + "\n" + tweet(2) + "\n", "1 2", 0},
		{"mark inside a broken line", "\r\n{\"\n\uFEFF" + tweet(1) + "\r\n", "1", 1},
		{"no line end at the end", tweet(1) + "\r\n" + tweet(2), "1 2", 0},
		{"no line end at all", tweet(1), "1", 0},
		{"disconnect without line end", tweet(1) + "\r\n" + `{"disconnect":{"code":7}}`, "1 disconnect", 0},
		{"cut", tweet(1) + "\r\n" + tweet(2)[:20], "1", 0},
	} {
		for _, end := range []struct {
			name   string
			answer func(...string) http.HandlerFunc
		}{{"closed", answer}, {"broken off", cut}} {
			bubble(t, c.name+", "+end.name, func(t *testing.T) {
				h := newHostile(t, end.answer(c.body), says(403, ""))
				h.against(t, time.Second, func(r *upstream.Runner, rec *record) {
					if got := rec.list(); got != c.want {
						t.Errorf("events %s, want %s", got, c.want)
					}
					if n := r.Stats().Drops[upstream.DropMalformed]; n != c.malformed {
						t.Errorf("%d malformed, want %d", n, c.malformed)
					}
				})
			})
		}
	}
}

// A whole message without a line end is the end in order; a cut one is not.
func TestTailsAreClassed(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		class  upstream.Class
		clean  bool
		says   string
	}{
		{"whole", answer(tweet(1)), upstream.Network, true, "closed the stream"},
		{"whole, broken off", cut(tweet(1)), upstream.Network, false, "cut off in the middle"},
		{"cut", answer("\r\n", tweet(1)[:20]), upstream.Network, false, "cut off in the middle"},
		{"text", answer("\r\nbye"), upstream.Network, false, "cut off in the middle"},
		{"limit", answer("EXCEEDED connection LIMIT for user"), upstream.RateLimit, true, "EXCEEDED connection LIMIT for user"},
		{"limit after a message", answer(tweet(1) + "\r\nExceeded connection limit for user"), upstream.RateLimit, true, "Exceeded connection limit"},
		{"limit behind an LF", answer("\r\n{\"\nExceeded connection limit for user"), upstream.RateLimit, true, "Exceeded connection limit"},
		{"limit, broken off", cut("Exceeded connection limit for user"), upstream.RateLimit, true, "Exceeded connection limit"},
		{"limit, gzip cut", gzipped(7, false, 0, "Exceeded connection limit for user"), upstream.RateLimit, true, "Exceeded connection limit"},
		{"no byte", answer(), upstream.Network, true, "without a byte"},
		{"empty page", says(200, "", "Content-Type", "text/html"), upstream.HTTP, false, "an empty answer instead of a stream"},
		{"page without text", says(200, "<html></html>", "Content-Type", "text/html"), upstream.HTTP, false, "a web page without text instead of a stream"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := newHostile(t, c.answer)
			err := h.source(t).Stream(context.Background(), nowhere{})
			e, ok := err.(*upstream.Error)
			if !ok || e.Class != c.class || e.Clean != c.clean || !strings.Contains(e.Error(), c.says) || e.Hint == "" {
				t.Errorf("got %+v", err)
			}
		})
	}
}

// Reconnect closes the connection before the next one is opened, at once.
func TestReconnectOverTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t, stay(tweet(1)+"\r\n"), stay(tweet(2)+"\r\n"))
		h.against(t, 10*time.Second, func(r *upstream.Runner, rec *record) {
			for range 20 {
				r.Reconnect()
			}
			time.Sleep(time.Second / 2)
			synctest.Wait()
			if got := h.gaps(); !slices.Equal(got, []time.Duration{10 * time.Second}) || rec.list() != "1 gap:upstream 2" || h.most != 1 {
				t.Errorf("waits %v, events %s, %d connections at once", got, rec.list(), h.most)
			}
			if h.open != 1 || h.serving != 1 {
				t.Errorf("%d connections open, %d served", h.open, h.serving)
			}
		})
	})
}
