package server

import (
	"bytes"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"aviary/fanout"
)

// crowd opens n streams and returns their connections, after their first bytes.
func crowd(b *testing.B, g *gate, n int, path string) []net.Conn {
	conns := make([]net.Conn, n)
	first := make([]byte, 4096)
	for i := range conns {
		c, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: gate\r\nAccept: text/event-stream\r\n\r\n", path)
		if _, err := c.Read(first); err != nil {
			b.Fatal(err)
		}
		conns[i] = c
	}
	b.Cleanup(func() {
		for _, c := range conns {
			c.Close()
		}
	})
	return conns
}

// BenchmarkIdleClient shows what one waiting client costs in Go's heap and
// stacks, the test's own end of its connection (some 300 B) included. Resident
// memory is more by what the collector leaves lying about.
func BenchmarkIdleClient(b *testing.B) {
	for b.Loop() {
		const n = 2000
		g := newTCPGate(b)
		crowd(b, g, 10, "/stream?track=go")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&before)
		crowd(b, g, n, "/stream?track=go")
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/n, "heap-B/client")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/n, "stack-B/client")
	}
}

// BenchmarkFanOut delivers one 3 KB post to 200 reading clients: time and
// allocations for each delivery, the clients' reads included.
func BenchmarkFanOut(b *testing.B) {
	for _, c := range []struct {
		name, path string
		burst      int
	}{{"each", "/stream", 1}, {"bursts of 16", "/stream", 16}, {"filtered", "/stream?track=go", 1}} {
		b.Run(c.name, func(b *testing.B) {
			hub := fanout.NewHub(fanout.Config{Events: 20000})
			defer hub.Close()
			g := newTCPGate(b, func(o *Options) { o.Hub = hub })
			const clients = 200
			var got, reading sync.WaitGroup
			conns := crowd(b, g, clients, c.path)
			for _, conn := range conns {
				reading.Go(func() {
					buf := make([]byte, 256<<10)
					for {
						n, err := conn.Read(buf)
						got.Add(-bytes.Count(buf[:n], []byte("\n\n")))
						if err != nil {
							return
						}
					}
				})
			}
			text := "go " + strings.Repeat("x", 3000)
			id := 0
			b.ReportAllocs()
			for b.Loop() {
				got.Add(clients * c.burst)
				for range c.burst {
					id++
					g.post(id, "7", text)
				}
				got.Wait()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(id*clients), "ns/delivery")
			b.StopTimer()
			for _, conn := range conns {
				conn.Close()
			}
			reading.Wait()
		})
	}
}

// BenchmarkConnect is a client that comes with a cursor, gets ten posts that it
// missed and leaves again; its own side of the connection is in the figures.
func BenchmarkConnect(b *testing.B) {
	hub := fanout.NewHub(fanout.Config{Epoch: 1 << 30, Events: 20000})
	defer hub.Close()
	g := newTCPGate(b, func(o *Options) { o.Hub = hub })
	for i := range 30 {
		g.post(i+1, "7", "go "+strings.Repeat("x", 2500))
	}
	addr := strings.TrimPrefix(g.url, "http://")
	request := "GET /stream?track=go HTTP/1.1\r\nHost: gate\r\nAccept: text/event-stream\r\nLast-Event-ID: " + epoch(g) + "-20\r\n\r\n"
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		buf := make([]byte, 64<<10)
		for p.Next() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			fmt.Fprint(c, request)
			for n := 0; n < 25_000; {
				m, err := c.Read(buf)
				if err != nil {
					b.Error(err)
					return
				}
				n += m
			}
			_ = c.(*net.TCPConn).SetLinger(0) // no TIME_WAIT: ports are for others
			c.Close()
		}
	})
}
