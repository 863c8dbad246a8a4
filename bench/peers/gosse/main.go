// Command gosse is the server of github.com/tmaxmax/go-sse with its default
// provider, Joe. It sends no head until the first event, so the head is flushed here.
package main

import (
	"log"
	"net/http"

	"aviary/bench/peers"

	"github.com/tmaxmax/go-sse"
)

func main() {
	server := &sse.Server{OnSession: func(w http.ResponseWriter, r *http.Request) ([]string, bool) {
		return []string{r.URL.Query().Get("topic")}, http.NewResponseController(w).Flush() == nil
	}}
	peers.Serve(server, func(m peers.Message) {
		e := &sse.Message{ID: sse.ID(m.ID)}
		e.AppendData(string(m.Data))
		if err := server.Publish(e, m.Topic); err != nil {
			log.Fatal(err)
		}
	})
}
