// Command r3labs is the server of github.com/r3labs/sse, without its replay log,
// which only grows.
package main

import (
	"aviary/bench/peers"

	"github.com/r3labs/sse/v2"
)

func main() {
	server := sse.New()
	server.AutoReplay, server.AutoStream = false, true
	peers.Serve(server, func(m peers.Message) {
		server.Publish(m.Topic, &sse.Event{ID: []byte(m.ID), Data: m.Data})
	})
}
