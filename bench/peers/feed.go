// Package peers is what the servers under comparison share: how they are told
// where to listen and what to publish.
//
// Each is a program of its own in a folder here. It prints the address it listens
// on, a line, and then reads messages from its standard input, one a line:
// topic, tab, id, tab, JSON. That is cheaper than any way of publishing a server of
// its own would offer, and much cheaper than what aviary does to read a post.
package peers

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// Message is one line of the standard input. Its data may be kept.
type Message struct {
	Topic, ID string
	Data      []byte
}

// Serve serves on a free loopback port until the standard input ends; every
// message is given to publish.
func Serve(h http.Handler, publish func(Message)) {
	if err := serve(h, publish); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(h http.Handler, publish func(Message)) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(l)
	defer server.Close()
	lines := bufio.NewReaderSize(os.Stdin, 256<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		topic, rest, _ := bytes.Cut(line[:len(line)-1], []byte{'\t'})
		id, data, _ := bytes.Cut(rest, []byte{'\t'})
		publish(Message{string(topic), string(id), bytes.Clone(data)})
	}
}
