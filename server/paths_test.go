package server

import (
	"runtime"
	"testing"
	"testing/synctest"
)

// onPaths runs a test for clients that goroutines serve, over pipes in virtual
// time, and for clients whose sockets a shard owns, over loopback.
func onPaths(t *testing.T, test func(t *testing.T, g *gate), change ...func(*Options)) {
	t.Helper()
	t.Run("goroutine", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(t, change...)
			g.settle = synctest.Wait
			test(t, g)
		})
	})
	t.Run("shard", func(t *testing.T) {
		g := newTCPGate(t, change...)
		g.settle = func() {
			eventually(t, "all in the shards' hands", func() bool { return len(g.server.clients.List()) == g.server.clients.Len() })
			for range 4 { // each is a turn of every loop, in which it serves what there is
				g.server.clients.List()
			}
		}
		test(t, g)
		for _, c := range g.server.clients.List() {
			if c.Path != "shard" && runtime.GOOS == "linux" {
				t.Errorf("client %d is served by a %s", c.ID, c.Path)
			}
		}
	})
}
