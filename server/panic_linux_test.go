package server

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"aviary/fanout"
)

// An event that makes delivery panic (the metrics take no such label) costs those
// who get it their connections and nobody anything else.
func TestPanicInDelivery(t *testing.T) {
	var log lockedLog
	g := newTCPGate(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	gone := func(failed int) {
		t.Helper()
		eventually(t, "all gone", func() bool {
			return g.server.clients.Len() == 0 && g.server.clients.Sockets() == 0 &&
				metric(t, g, `aviary_client_closes_total{reason="failed"}`) == fmt.Sprint(failed)
		})
		if got := metric(t, g, `aviary_clients{transport="sse"}`); got != "0" {
			t.Errorf("%s clients in the metrics", got)
		}
	}
	live := g.open("/stream")                // in a cohort
	paced := g.open("/stream?max_rate=100")  // pulls for itself
	safe := g.stream("/stream?events=hello") // gets no gap
	eventually(t, "in", func() bool { return len(g.server.clients.List()) == 3 })
	g.hub.Publish(&fanout.Event{Kind: fanout.KindGap, Loss: &fanout.Loss{Reason: "\xff"}})
	g.post(1, "ann", "one")
	for name, r := range map[string]*reader{"live": live, "paced": paced} {
		if _, err := io.ReadAll(r.body); err == nil {
			t.Errorf("the %s client takes it for a clean end", name)
		}
	}
	if got := safe.ids(1); got[0] != "1" {
		t.Errorf("the client it does not concern gets %q", got)
	}
	safe.body.Close()
	gone(2)

	if r, err := g.client.Get(g.url + "/stream?since=1h"); err == nil { // panics before a shard has it
		_, err = io.ReadAll(r.Body)
		r.Body.Close()
		if err == nil {
			t.Error("the catching-up client takes it for a clean end")
		}
	}
	gone(3)
	after := g.stream("/stream")
	g.post(2, "ann", "two")
	if got := after.ids(1); got[0] != "2" {
		t.Errorf("later a client gets %q", got)
	}
	if got := log.String(); strings.Count(got, `panicked"`) != 3 {
		t.Errorf("the log:\n%s", got)
	}
}
