package server

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// A client that asks for nothing of the past is turned away without a place in it
// while the history is filled, and begins live when it is there.
func TestRefusedWhileFilling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var filled atomic.Bool
		g := newGate(t, func(o *Options) {
			o.Filling = func() string {
				if filled.Load() {
					return ""
				}
				return "the history is still being read"
			}
		})
		if b := expectBye(t, g.open("/stream", "Accept: text/event-stream"), "overloaded"); b.Bye.Cursor != nil {
			t.Errorf("cursor %q: the client would come back for the history that is being read", *b.Bye.Cursor)
		}
		old := epoch(g) + "-77"
		if b := expectBye(t, g.open("/stream", "Accept: text/event-stream", "Last-Event-ID: "+old), "overloaded"); b.Bye.Cursor == nil || *b.Bye.Cursor != old {
			t.Errorf("%+v: a refused client's cursor %s moved", b, old)
		}
		resp := g.do("GET", "/stream", "")
		if p := decode(t, resp); p.Status != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
			t.Errorf("a client that understands errors got %+v", p)
		}
		filled.Store(true)
		g.stream("/stream")
	})
}
