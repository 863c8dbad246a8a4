package bus

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
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

// childServer is a NATS server alone: what it costs is not ours, and it can be killed.
// BUS_ROUTES are the servers of its cluster, itself first.
func childServer() {
	options := &server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: os.Getenv("BUS_DIR"), NoSigs: true, NoLog: true}
	if all := strings.Split(os.Getenv("BUS_ROUTES"), ","); len(all) > 1 {
		options.ServerName = all[0]
		for _, host := range all {
			options.Routes = append(options.Routes, &url.URL{Scheme: "nats", Host: host})
		}
		port, err := strconv.Atoi(options.Routes[0].Port())
		must(err)
		options.Cluster = server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port}
	}
	s, err := server.NewServer(options)
	must(err)
	s.Start()
	if !s.ReadyForConnections(soon) {
		panic("not ready")
	}
	fmt.Println("serves " + s.ClientURL())
	time.Sleep(5 * time.Minute)
}

// killable starts three servers in processes of their own. kill ends one, by its name,
// without a farewell.
func killable(t testing.TB) (urls string, kill func(name string)) {
	t.Helper()
	var hosts, found []string
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		hosts = append(hosts, l.Addr().String())
		must(l.Close())
	}
	processes, said := map[string]*exec.Cmd{}, map[string]<-chan string{}
	for i, name := range hosts {
		routes := append([]string{name}, append(slices.Clone(hosts[:i]), hosts[i+1:]...)...)
		processes[name], said[name] = child(t, "server", "BUS_DIR="+t.TempDir(), "BUS_ROUTES="+strings.Join(routes, ","))
	}
	for _, name := range hosts {
		found = append(found, within(t, said[name], "serves "))
	}
	return strings.Join(found, ","), func(name string) {
		must(processes[name].Process.Kill())
		_ = processes[name].Wait()
	}
}

// within waits for a line that begins with prefix and returns the rest of it. What a child
// does in seconds takes minutes where it hardly gets the processor.
func within(t testing.TB, lines <-chan string, prefix string) string {
	t.Helper()
	timeout := time.After(4 * soon)
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
