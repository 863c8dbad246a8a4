package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// peer is one of the servers that are compared.
type peer struct {
	name   string
	what   string                        // version and how it runs, for the page
	prep   func(b *bench, p *peer) error // once: build or install; an error leaves it out, loudly
	start  func(b *bench, p *peer) (*server, error)
	topics bool   // can serve each client another topic
	resume bool   // can resume by Last-Event-ID
	why    error  // it is left out
	path   string // to its program
}

// server is a running peer.
type server struct {
	pid     int
	addr    string
	target  func(topic string) string // path and query of a topic's stream
	publish func(message) error       // not safe for concurrent use; has a deadline
	stop    func()

	parallel int           // connects at once that it bears; 0: 128
	warming  time.Duration // how long it may take until all its streams get messages; 0: 10 s
}

// request is the head that opens a stream; the same for every server.
func (s *server) request(topic, more string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s\r\n", s.target(topic), s.addr, more)
}

// toAll opens streams of the broadcast.
func (s *server) toAll(int) []byte { return s.request(everybody, "") }

func allPeers() []*peer {
	return []*peer{
		aviaryPeer(),
		{name: "floor", what: "bench/floor: a C loop, one send() per client and message; no guarantee of any kind", prep: buildFloor, start: startFed},
		nchanPeer(),
		{name: "net/http", what: "bench/peers/nethttp: a plain handler, a channel a client, drops the slow", prep: buildGo("nethttp"), start: startFed, topics: true},
		{name: "r3labs/sse", what: "bench/peers/r3labs: github.com/r3labs/sse v2.10.0, no replay", prep: buildGo("r3labs"), start: startFed, topics: true},
		{name: "go-sse", what: "bench/peers/gosse: github.com/tmaxmax/go-sse v0.11.0, provider Joe", prep: buildGo("gosse"), start: startFed, topics: true},
		pushpinPeer(),
		mercurePeer(),
	}
}

func buildFloor(b *bench, p *peer) error {
	p.path = filepath.Join(b.dir, "floor")
	return command("gcc", "-O2", "-o", p.path, "floor/floor.c")
}

func buildGo(folder string) func(*bench, *peer) error {
	return func(b *bench, p *peer) error {
		p.path = filepath.Join(b.dir, folder)
		return command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", p.path, "./peers/"+folder)
	}
}

// startFed starts a server that takes messages on its standard input.
func startFed(_ *bench, p *peer) (*server, error) {
	cmd := exec.Command(p.path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, feed, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdin, cmd.Stderr = in, os.Stderr
	err = begin(cmd)
	in.Close()
	if err != nil {
		feed.Close()
		return nil, err
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		feed.Close()
		end(cmd)
		return nil, fmt.Errorf("%s did not say where it listens: %w", p.name, err)
	}
	word := "topic"
	if p.name == "r3labs/sse" {
		word = "stream"
	}
	var line []byte
	return &server{
		pid: cmd.Process.Pid, addr: strings.TrimSpace(addr),
		target: func(topic string) string { return "/stream?" + word + "=" + topic },
		publish: func(m message) error {
			line = fmt.Appendf(line[:0], "%s\t%d\t%s\n", m.topic, firstID+m.seq, m.data)
			if err := feed.SetWriteDeadline(time.Now().Add(publishTimeout)); err != nil {
				return err
			}
			_, err := feed.Write(line)
			return err
		},
		stop: func() { feed.Close(); end(cmd) },
	}, nil
}

// publishTimeout is how long a server may let its publisher wait for one message.
const publishTimeout = 3 * time.Second

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// install puts a Debian package in place if the file that proves it is missing.
func install(file, name string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return fmt.Errorf("%s is not installed, and only root on Debian can do it here: apt-get install %s", file, name)
	}
	cmd := exec.Command("apt-get", "install", "-y", "-q", "--no-install-recommends", name)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1") // its service is not started
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get install %s: %w\n%s", name, err, out)
	}
	_, err := os.Stat(file)
	return err
}

// debian names an installed package with its version.
func debian(name string) string {
	version, err := exec.Command("dpkg-query", "-W", "-f", "${Version}", name).Output()
	if err != nil {
		return name // installed in another way
	}
	return "Debian's " + name + " " + string(version)
}

// discard reads and forgets.
func discard(r io.Reader) {
	if _, err := io.Copy(io.Discard, r); err != nil && !errors.Is(err, os.ErrClosed) {
		return // the other end is gone, which its streams tell
	}
}
