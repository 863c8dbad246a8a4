package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// aviaryPeer is the gateway itself: fed through the upstream that it really
// reads, so decoding and matching are in its figures.
func aviaryPeer() *peer {
	return &peer{name: "aviary", what: "this repository; reads the posts from its upstream over HTTP, decodes and matches them", prep: buildAviary, topics: true, resume: true,
		start: func(b *bench, p *peer) (*server, error) { return b.startAviary() }}
}

func buildAviary(b *bench, p *peer) error {
	if b.aviary == "" {
		b.aviary = filepath.Join(b.dir, "aviary")
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.aviary, ".")
		build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build aviary: %w\n%s", err, out)
		}
	}
	p.path = b.aviary
	return nil
}

// startAviary starts a gateway and its upstream.
func (b *bench) startAviary() (*server, error) {
	u, err := openUpstream()
	if err != nil {
		return nil, err
	}
	g, err := b.startGateway(slices.Concat(u.settings(), b.settings)...)
	if err != nil {
		u.close()
		return nil, err
	}
	s := &server{
		pid: g.cmd.Process.Pid, addr: g.addr, publish: u.publish,
		target: func(topic string) string { return "/stream?track=" + topic },
		stop:   func() { g.stop(); u.close() },
	}
	if err := await(10*time.Second, "the gateway to connect", func() bool {
		u.mu.Lock()
		defer u.mu.Unlock()
		return u.out != nil
	}); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// gateway is one aviary process under test.
type gateway struct {
	cmd  *exec.Cmd
	addr string // public listener
	base string // http://addr
}

// freeAddr picks a loopback address nobody listens on just now.
func freeAddr() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// startGateway runs the binary with these settings and waits until it answers.
func (b *bench) startGateway(settings ...string) (*gateway, error) {
	g := &gateway{addr: freeAddr()}
	g.base = "http://" + g.addr
	log := b.dir + "/gateway.log"
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	g.cmd = exec.Command(b.aviary)
	g.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "AVIARY_LISTEN=" + g.addr,
		"AVIARY_ADMIN_LISTEN=off", "AVIARY_DRAIN=1s", "AVIARY_RETRY=100ms"}, settings...)
	g.cmd.Stdout, g.cmd.Stderr = out, out
	if err := begin(g.cmd); err != nil {
		return nil, err
	}
	if err := answers(g.base + "/healthz"); err != nil {
		g.stop()
		text, _ := os.ReadFile(log)
		return nil, fmt.Errorf("%w; its log:\n%s", err, text)
	}
	return g, nil
}

func (g *gateway) get(route string) (string, error) {
	resp, err := http.Get(g.base + route)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func (g *gateway) stop() { end(g.cmd) }

// answers waits until a URL is answered with 200.
func answers(url string) error {
	return await(10*time.Second, "an answer of "+url, func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func await(limit time.Duration, what string, done func() bool) error {
	for end := time.Now().Add(limit); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return errors.New("waited in vain for " + what)
		}
	}
	return nil
}
