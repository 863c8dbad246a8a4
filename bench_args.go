package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"time"
)

// Bounds of bench.
const (
	benchStreams = 100              // unless -n says otherwise
	benchMost    = 100_000          // of -n
	benchFor     = 10 * time.Second // unless -for says otherwise
	benchLongest = 24 * time.Hour
	benchWarm    = time.Second // unless -warm says otherwise
)

// benchArgs is what the command line of bench asks for.
type benchArgs struct {
	urls []*url.URL // all of one server; streams are dealt to them in turn
	n    int
	time time.Duration
	warm time.Duration
	pid  int // of the server; 0: not said
}

const benchHelp = `Opens -n streams of a gateway at once, reads them for a while and says what came.
With several URLs (of one server: other filters, other payloads) the streams are
dealt to them in turn. Nothing is written to the server but the requests.

  URL         as for aviary tail: localhost:8080 is http://localhost:8080/stream
  -n N        how many streams, 1 to 100000
  -for D      for how long to measure, 1s to 24h
  -warm D     for how long to read first without measuring
  -pid PID    the server's process on this machine: prints the processor time per
              delivery that it and its children use, and their memory (Linux)

What it prints:
  deliveries  posts that arrived, over all streams
  age         from the time stamp in the post to its arrival here: the upstream's and
              the network's share, and the difference of the clocks, are in it
  spread      from the arrival of a post at the first stream to that at each other
              one of the same URL
  lost        posts between a stream's beginning and the end that another stream of
              the same URL got and it did not; what the server told in gap is in it
  repeated    posts whose id was not after the one before on the same stream

Lost and repeated go by the ids of the events: a server without rising numbers in
them is only timed. Ctrl-C ends early and prints what was measured.

Exit code 0: measured, and nothing lost or repeated. 1: something was, or streams
were refused or ended, or nothing came. 2: the command line is wrong.
`

// parseBench reads URLs and flags in any order.
func parseBench(args []string) (*benchArgs, error) {
	b := &benchArgs{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&b.n, "n", benchStreams, "")
	flags.DurationVar(&b.time, "for", benchFor, "")
	flags.DurationVar(&b.warm, "warm", benchWarm, "")
	flags.IntVar(&b.pid, "pid", 0, "")
	for len(args) > 0 {
		err := flags.Parse(args)
		if err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) == 0 {
			break
		}
		complete, err := streamURL(args[0])
		if err != nil {
			return nil, err
		}
		u, _ := url.Parse(complete) // streamURL has parsed it
		b.urls, args = append(b.urls, u), args[1:]
	}
	return b, b.check()
}

func (b *benchArgs) check() error {
	switch {
	case len(b.urls) == 0:
		return errors.New("needs the URL of a gateway, such as localhost:8080")
	case slices.ContainsFunc(b.urls, func(u *url.URL) bool { return u.Scheme != b.urls[0].Scheme || u.Host != b.urls[0].Host }):
		return errors.New("takes several URLs of one server only: the same scheme, host and port")
	case b.n < 1 || b.n > benchMost:
		return fmt.Errorf("-n takes a number of streams from 1 to %d", benchMost)
	case b.time < time.Second || b.time > benchLongest:
		return fmt.Errorf("-for takes a time from 1s to %v, such as 30s", benchLongest)
	case b.warm < 0 || b.warm > benchLongest:
		return fmt.Errorf("-warm takes a time from 0s to %v", benchLongest)
	case b.pid < 0:
		return errors.New("-pid takes the number of a process")
	}
	return nil
}

// address is host:port of the server.
func (b *benchArgs) address() string {
	u := b.urls[0]
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
}

// request is the head that opens stream i.
func (b *benchArgs) request(i int) []byte {
	u := b.urls[i%len(b.urls)]
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\nUser-Agent: aviary-bench/%s\r\n\r\n", u.RequestURI(), u.Host, version)
}
