package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

func mercurePeer() *peer {
	return &peer{name: "Mercure", what: "Mercure, its build without Caddy", prep: findMercure, start: startMercure, topics: true, resume: true}
}

// findMercure looks for the hub's build without Caddy: Caddy's server around it
// would be measured too, and takes other settings.
func findMercure(_ *bench, p *peer) (err error) {
	if p.path, err = exec.LookPath("mercure"); err != nil {
		return fmt.Errorf("%w: put the release's mercure-legacy build there", err)
	}
	info, err := buildinfo.ReadFile(p.path)
	if err != nil {
		return err
	}
	if path.Base(path.Dir(info.Path)) != "cmd" {
		return fmt.Errorf("%s is built from %s: the release's mercure-legacy build is needed, which has no Caddy", p.path, info.Path)
	}
	said, err := exec.Command(p.path, "--version").Output()
	if err != nil {
		return fmt.Errorf("%s --version: %w", p.path, err)
	}
	line, _, _ := strings.Cut(string(said), "\n")
	p.what = line + ", its build without Caddy, which most users have around it; local transport, with 9,000 clients Bolt's history of 100 instead; " +
		"messages POSTed as forms over one connection; its access log, which cannot be turned off, goes to a file"
	return nil
}

const (
	mercureHub = "/.well-known/mercure"
	mercureKey = "a key for both sides of the hub, on loopback and in this run only"
)

func startMercure(b *bench, p *peer) (*server, error) {
	dir, err := os.MkdirTemp(b.dir, "mercure-")
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	addr, transport := freeAddr(), "local://local"
	if b.resumed {
		transport = "bolt://" + dir + "/updates.db?size=100"
	}
	cmd := exec.Command(p.path)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "ADDR=" + addr, "JWT_KEY=" + mercureKey, "ALLOW_ANONYMOUS=1", "TRANSPORT_URL=" + transport,
		"READ_TIMEOUT=0s"} // else it closes the publisher's connection while thousands of clients come
	cmd.Stdout, cmd.Stderr = log, log
	if err := begin(cmd); err != nil {
		return nil, err
	}
	s := &server{
		pid: cmd.Process.Pid, addr: addr,
		target: func(topic string) string { return mercureHub + "?topic=" + topic },
		stop:   func() { end(cmd) },

		warming: 2 * time.Minute, // the first message of each topic is held against all 10,000 subscribers
	}
	var last error
	if err := await(10*time.Second, "Mercure to take a message", func() bool {
		last = s.openMercure()
		return last == nil
	}); err != nil {
		s.stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%w: %w; its log:\n%s", err, last, said)
	}
	return s, nil
}
