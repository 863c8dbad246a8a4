package bus

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// roles are what this test binary does when it is started again by a test: things
// that need a process of their own.
var roles = map[string]func(){"server": childServer, "publish": childPublish, "full": childFull}

func TestMain(m *testing.M) {
	if role := roles[os.Getenv("BUS_ROLE")]; role != nil {
		role()
		return
	}
	os.Exit(m.Run())
}

// child starts this binary in a role and returns its process and its lines. It
// is killed at the end of the test.
func child(t testing.TB, role string, env ...string) (*exec.Cmd, <-chan string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(append(os.Environ(), "BUS_ROLE="+role), env...)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 1<<20)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	return c, lines
}

// childServer is a NATS server alone: what it costs is not ours.
func childServer() {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: os.Getenv("BUS_DIR"), NoSigs: true, NoLog: true})
	if err != nil {
		panic(err)
	}
	s.Start()
	fmt.Println(s.ClientURL())
	time.Sleep(5 * time.Minute)
}

// within waits for a line that begins with prefix and returns the rest of it.
func within(t testing.TB, lines <-chan string, prefix string) string {
	t.Helper()
	timeout := time.After(time.Minute)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				t.Fatalf("the child ended before it said %q", prefix)
			}
			if rest, found := strings.CutPrefix(line, prefix); found {
				return rest
			}
		case <-timeout:
			t.Fatalf("the child did not say %q", prefix)
		}
	}
}
