package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// gateway is one aviary process under test.
type gateway struct {
	cmd  *exec.Cmd
	addr string // public listener
	base string // http://addr
	log  string // file of its log
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
	g := &gateway{addr: freeAddr(), log: b.dir + "/gateway.log"}
	g.base = "http://" + g.addr
	out, err := os.Create(g.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	g.cmd = exec.Command(b.aviary)
	g.cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "AVIARY_LISTEN=" + g.addr,
		"AVIARY_ADMIN_LISTEN=off", "AVIARY_DRAIN=1s", "AVIARY_RETRY=100ms"}, settings...)
	g.cmd.Stdout, g.cmd.Stderr = out, out
	if err := g.cmd.Start(); err != nil {
		return nil, err
	}
	if err := g.await("/healthz", 10*time.Second); err != nil {
		g.stop()
		text, _ := os.ReadFile(g.log)
		return nil, fmt.Errorf("%w; its log:\n%s", err, text)
	}
	return g, nil
}

// await polls a route until it answers 200.
func (g *gateway) await(route string, limit time.Duration) error {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if resp, err := http.Get(g.base + route); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
	}
	return errors.New("the gateway did not answer " + route)
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

func (g *gateway) stop() {
	g.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { g.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		g.cmd.Process.Kill()
		<-done
	}
}

// cpu is the process's user+system time so far, in microseconds, with the
// resolution of the kernel's clock tick (10 ms).
func (g *gateway) cpu() float64 {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.cmd.Process.Pid))
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) * 10_000
}

var resident = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// rss is the process's resident memory in KiB.
func (g *gateway) rss() float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	m := resident.FindSubmatch(status)
	if m == nil {
		return 0
	}
	kb, _ := strconv.ParseFloat(string(m[1]), 64)
	return kb
}
