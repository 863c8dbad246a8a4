package e2e

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"
	"time"
)

// flood stands before a gateway and answers /stream itself: with the gateway's own
// posts, over and over under new ids, 100,000 of them, as fast as they are read. A
// page would wait minutes for so many from the gateway, which it asks for at most
// 500 a second. It stops at each mark until the test goes on.
type flood struct {
	t       *testing.T
	gateway *httputil.ReverseProxy
	lines   []string // compact posts
	on      chan struct{}
	stop    chan struct{}
}

var floodMarks = map[int]bool{20_000: true, 100_000: true}

func (f *flood) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/stream" {
		f.gateway.ServeHTTP(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	_, _ = fmt.Fprint(w, "event: hello\nid: flood-0\ndata: {\"hello\":{\"cursor\":\"flood-0\",\"resumed\":\"live\",\"missed\":0,\"source\":\"sim\",\"upstream\":{\"state\":\"streaming\"},\"filter\":\"\",\"heartbeat_ms\":600000,\"warnings\":[]}}\n\n")
	for n := 1; n <= 100_000; n++ {
		post := f.lines[n%len(f.lines)]
		id, rest, _ := strings.Cut(strings.TrimPrefix(post, `{"id_str":"`), `"`)
		if floodMarks[n] {
			rest = fmt.Sprintf(`,"text":"post %d of the flood","author":{"name":"Mark"}}`, n)
		}
		if _, err := fmt.Fprintf(w, "id: flood-%d\ndata: {\"id_str\":\"%s%d\"%s\n\n", n, id[:4], n, rest); err != nil {
			return
		}
		if n%50 == 0 {
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond) // 10,000 a second at most
		}
		if floodMarks[n] {
			select {
			case <-f.on:
			case <-f.stop:
				return
			}
		}
	}
}

// further lets the posts behind a mark come.
func (f *flood) further() {
	select {
	case f.on <- struct{}{}:
	case <-time.After(patience):
		f.t.Error("the flood is not at a mark")
	}
}
