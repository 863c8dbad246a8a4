package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// clientProgram is one that runs, and the lines it prints.
type clientProgram struct {
	t     *testing.T
	lines chan saidLine
	log   lockedBuffer
}

// saidLine is one line of what a program says.
type saidLine struct {
	What, ID, Text, User, Author, At, Error string
	Status, Code, Count, Created            int
	Track, Remaining                        int
	Tags, Titles, Values, Messages          []string
	Users                                   map[string]string
	Verified                                []bool
	Rules                                   [][]string
	Summary                                 map[string]int
}

// run starts a program; it is ended with the test.
func (d *dropIn) run(command ...string) *clientProgram {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*patient)
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Env = append(os.Environ(), "HTTPS_PROXY="+d.proxy, "https_proxy="+d.proxy, "NO_PROXY=", "no_proxy=",
		"REQUESTS_CA_BUNDLE="+d.cert, "NODE_EXTRA_CA_CERTS="+d.cert, "GATEWAY="+d.address)
	if filepath.Base(command[0]) == "node" {
		modules, _ := nodeModules() // node has seen to it that they are there
		c.Env = append(c.Env, "NODE_PATH="+modules)
	}
	p := &clientProgram{t: d.t, lines: make(chan saidLine, 1000)}
	out, err := c.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	c.Stderr = &p.log
	if err := c.Start(); err != nil {
		d.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(p.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			var line saidLine
			if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
				d.t.Errorf("the program says %q: %v", scan.Text(), err)
			}
			p.lines <- line
		}
	})
	d.t.Cleanup(func() {
		cancel()
		reading.Wait()
		_ = c.Wait()
		if d.t.Failed() {
			d.t.Logf("the program's log:\n%s", p.log.String())
		}
	})
	return p
}

// next is the next line, which must be about this.
func (p *clientProgram) next(what string) saidLine {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("the program ended before %q\n%s", what, p.log.String())
		}
		if line.What == "alive" && what != line.What {
			return p.next(what)
		}
		if line.What != what {
			p.t.Fatalf("%+v, want %q", line, what)
		}
		return line
	case <-time.After(patient):
		p.t.Fatalf("no %q came\n%s", what, p.log.String())
		panic("not reached")
	}
}

// many are the next n lines about this.
func (p *clientProgram) many(what string, n int) (texts []string) {
	p.t.Helper()
	for range n {
		texts = append(texts, p.next(what).Text)
	}
	return texts
}

// missing ends a test that needs what is not installed.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s: %v", what, err)
	}
	t.Skipf("SKIPPED, AND THAT MATTERS: %s: %v", what, err)
}

// python is one that has tweepy.
func python(t *testing.T) string {
	t.Helper()
	var err error
	for _, path := range []string{"/usr/bin/python3", "python3"} {
		if err = exec.Command(path, "-c", "import tweepy, requests_oauthlib").Run(); err == nil {
			return path
		}
	}
	missing(t, "tweepy is not installed; `make test-tools` installs it", err)
	return ""
}

// npmClient is the version of twitter-api-v2, https://github.com/plhery/node-twitter-api-v2.
const npmClient = "1.29.1"

// nodeModules is a folder with twitter-api-v2 in it, from the user's cache or by npm.
var nodeModules = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "aviary-clients", "twitter-api-v2-"+npmClient)
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "twitter-api-v2", "package.json")); err == nil {
		return modules, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patient)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--prefix", dir, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "twitter-api-v2@"+npmClient)
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w: %s", err, out)
	}
	return modules, nil
})

// node is Node with twitter-api-v2 where it looks for it.
func node(t *testing.T) string {
	t.Helper()
	path := tool(t, "node")
	if _, err := nodeModules(); err != nil {
		missing(t, "twitter-api-v2 cannot be had", err)
	}
	return path
}
