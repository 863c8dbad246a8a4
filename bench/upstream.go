package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// upstream is a v1.1 streaming endpoint that sends what it is given, each post
// flushed by itself, to the one stream that is open.
type upstream struct {
	url    string
	server *http.Server

	mu  sync.Mutex
	out http.ResponseWriter // owned by mu: of the open stream; nil: there is none
}

func openUpstream() (*upstream, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{url: "http://" + l.Addr().String()}
	u.server = &http.Server{Handler: u}
	go u.server.Serve(l)
	return u, nil
}

func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	u.mu.Lock()
	u.out = w
	u.write("\r\n")
	u.mu.Unlock()
	alive := time.NewTicker(10 * time.Second)
	defer alive.Stop()
	for {
		select {
		case <-alive.C:
			u.mu.Lock()
			u.write("\r\n")
			u.mu.Unlock()
		case <-r.Context().Done():
			u.mu.Lock()
			if u.out == w {
				u.out = nil
			}
			u.mu.Unlock()
			return
		}
	}
}

// write is called with mu held.
func (u *upstream) write(text string) error {
	if u.out == nil {
		return errors.New("the gateway has no stream open")
	}
	flush := http.NewResponseController(u.out)
	if err := flush.SetWriteDeadline(time.Now().Add(publishTimeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(u.out, text); err != nil {
		return err
	}
	return flush.Flush()
}

func (u *upstream) publish(m message) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.write(string(m.data) + "\r\n")
}

func (u *upstream) close() { u.server.Close() }

// settings point a gateway at it.
func (u *upstream) settings() []string {
	return []string{"AVIARY_SOURCE=twitter", "AVIARY_TWITTER_STREAM_URL=" + u.url, "AVIARY_TRACK=bench",
		"AVIARY_TWITTER_CONSUMER_KEY=ck", "AVIARY_TWITTER_CONSUMER_SECRET=cs",
		"AVIARY_TWITTER_ACCESS_TOKEN=at", "AVIARY_TWITTER_ACCESS_SECRET=as", "AVIARY_MAX_CLIENTS=15000"}
}

// writeCapture makes an NDJSON file of n posts of 3 KB.
func writeCapture(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	now := time.Now()
	for i := range n {
		if _, err := f.Write(append(render(uint64(i)+1, everybody, 3000, now).data, "\r\n"...)); err != nil {
			return err
		}
	}
	return f.Close()
}
