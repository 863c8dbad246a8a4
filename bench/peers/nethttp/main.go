// Command nethttp is the hub that one writes first: a handler that waits on a
// channel, writes what comes and flushes. A message is encoded once; a client whose
// 64 slots are full, or that takes nothing for five seconds, is cut.
package main

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"aviary/bench/peers"
)

type client struct {
	frames chan []byte
	topic  string
}

type hub struct {
	mu      sync.Mutex
	clients map[string]map[*client]bool // by topic
}

func (h *hub) join(topic string) *client {
	c := &client{frames: make(chan []byte, 64), topic: topic}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clients[topic] == nil {
		h.clients[topic] = map[*client]bool{}
	}
	h.clients[topic][c] = true
	return c
}

func (h *hub) leave(c *client) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clients[c.topic][c] {
		delete(h.clients[c.topic], c)
		close(c.frames)
	}
}

func (h *hub) publish(m peers.Message) {
	frame := fmt.Appendf(nil, "id: %s\ndata: %s\n\n", m.ID, m.Data)
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.clients[m.Topic] {
		select {
		case c.frames <- frame:
		default: // too slow
			delete(h.clients[m.Topic], c)
			close(c.frames)
		}
	}
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := h.join(r.URL.Query().Get("topic"))
	defer h.leave(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	flush := http.NewResponseController(w)
	if flush.Flush() != nil {
		return
	}
	for {
		select {
		case frame, open := <-c.frames:
			if !open {
				return
			}
			_ = flush.SetWriteDeadline(time.Now().Add(5 * time.Second))
			if _, err := w.Write(frame); err != nil || flush.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

func main() {
	h := &hub{clients: map[string]map[*client]bool{}}
	peers.Serve(h, h.publish)
}
