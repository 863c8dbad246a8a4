package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// scratchDir is removed when all tests are over.
var scratchDir string

// binary builds the program, once, and returns its path: some things only show
// when it runs as users run it.
var binary = sync.OnceValue(func() string {
	path := filepath.Join(scratchDir, "aviary")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		panic(fmt.Sprintf("go build: %v\n%s", err, out))
	}
	return path
})

func TestMain(m *testing.M) {
	var err error
	if scratchDir, err = os.MkdirTemp("", "aviary"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(scratchDir)
	os.Exit(code)
}

// Every command says what it is for, how it is called and what its exit codes mean.
func TestHelp(t *testing.T) {
	for _, c := range commands() {
		for _, arg := range []string{"-h", "-help", "--help"} {
			var out, errs lockedBuffer
			code := run(t.Context(), &program{args: []string{c.name, arg}, out: &out, err: &errs})
			said := out.String()
			if code != exitOK || errs.String() != "" || !strings.HasPrefix(said, "usage: "+c.line()+"\n\n") {
				t.Errorf("%s %s: %d, %q, %q", c.name, arg, code, said, errs.String())
			}
			if c.name != "version" && !strings.Contains(said, "Exit code 0:") {
				t.Errorf("%s %s does not tell its exit codes: %q", c.name, arg, said)
			}
			for line := range strings.Lines(said) {
				if len(line) > 90 {
					t.Errorf("%s %s has a long line: %q", c.name, arg, line)
				}
			}
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, test := range []struct {
		args    string
		environ []string
		code    int
		out     string // must be in what it prints
		err     string
	}{
		{"version", nil, exitOK, "aviary ", ""},
		{"version now", nil, exitSettings, "", "usage: aviary version"},
		{"help", nil, exitOK, "aviary tail URL", ""},
		{"-h", nil, exitOK, "aviary tail URL", ""},
		{"--help", nil, exitOK, "aviary tail URL", ""},
		{"tial", nil, exitSettings, "", "did you mean tail?"},
		{"soar", nil, exitSettings, "", `there is no command "soar"`},
		{"bench", nil, exitSettings, "", "usage: aviary bench URL"},
		{"bench localhost --help", nil, exitOK, "usage: aviary bench URL … [-n", ""},
		{"help tail", nil, exitOK, "usage: aviary tail URL [-n N]", ""},
		{"help tial", nil, exitSettings, "", "did you mean tail?"},
		{"serve -h", []string{"AVIARY_LISTN=1"}, exitOK, "usage: aviary serve\n", ""},
		{"bench localhost -pid 999999999", nil, exitSettings, "", "is it running"},
		{"bench 127.0.0.1:1 -n 2", nil, exitFailed, "", "2 of 2 streams could not be opened"},
		{"serve now", nil, exitSettings, "", "usage: aviary serve"},
		{"tail", nil, exitSettings, "", "usage: aviary tail URL [-n N]"},
		{"sim -rate -1", nil, exitSettings, "", "-rate"},
		{"sim -fast", nil, exitSettings, "", "-fast"},
		{"sim -faults nonsense-of-all-kinds", nil, exitSettings, "", "-faults"},
		{"env", []string{"AVIARY_TRACK=go"}, exitOK, `AVIARY_TRACK = "go"`, ""},
		{"env", nil, exitOK, "AVIARY_LISTEN = :8080  (default)", ""},
		{"env -md", nil, exitOK, "| `AVIARY_LISTEN` |", ""},
		{"env -check", nil, exitOK, "are right", ""},
		{"env -check", []string{"AVIARY_LISTN=1"}, exitSettings, "", "did you mean AVIARY_LISTEN?"},
		{"env -what", nil, exitSettings, "", "-what"},
		{"", []string{"AVIARY_LISTN=1"}, exitSettings, "", "did you mean AVIARY_LISTEN?"},
		{"serve", []string{"AVIARY_SOURCE=mastodon"}, exitSettings, "", "sim, twitter, x, file"},
		{"healthcheck", []string{"AVIARY_LISTEN=127.0.0.1:1"}, exitFailed, "", "does not answer"},
		{"healthcheck", []string{"AVIARY_LISTEN=nowhere"}, exitSettings, "", "AVIARY_LISTEN"},
	} {
		t.Run(test.args, func(t *testing.T) {
			c := exec.Command(binary(), strings.Fields(test.args)...)
			c.Env = test.environ
			var out, errs bytes.Buffer
			c.Stdout, c.Stderr = &out, &errs
			_ = c.Run()
			if c.ProcessState.ExitCode() != test.code {
				t.Errorf("exit code %d, not %d", c.ProcessState.ExitCode(), test.code)
			}
			if !strings.Contains(out.String(), test.out) || !strings.Contains(errs.String(), test.err) {
				t.Errorf("does not print %q and %q but:\n%s%s", test.out, test.err, out.String(), errs.String())
			}
		})
	}
}

func TestBinaryWithPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	c := exec.Command(binary())
	c.Env = []string{"AVIARY_LISTEN=" + taken.Addr().String(), "AVIARY_ADMIN_LISTEN=off"}
	out, _ := c.CombinedOutput()
	if code := c.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(string(out), "in use by another program") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// startBinary runs the program on a free port and returns its URL.
func startBinary(t *testing.T, environ ...string) (*exec.Cmd, string, *lockedBuffer) {
	t.Helper()
	c := exec.Command(binary())
	c.Env = append([]string{"AVIARY_LISTEN=127.0.0.1:0", "AVIARY_ADMIN_LISTEN=off"}, environ...)
	log := &lockedBuffer{}
	c.Stderr = log // whole when Wait has returned
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		if t.Failed() {
			t.Logf("the program's log:\n%s", log)
		}
	})
	eventually(t, "the program to serve", func() bool { return logged(log, "admin") != "" })
	return c, strings.TrimSuffix(logged(log, "url"), "/"), log
}

// logged is the value of an attribute where it stands in the log for the first time.
func logged(log *lockedBuffer, name string) string {
	_, rest, _ := strings.Cut(log.String(), `"`+name+`":"`)
	if value, _, whole := strings.Cut(rest, `"`); whole {
		return value
	}
	return ""
}

// What a service manager sees: data within seconds, goodbye on SIGTERM, exit 0.
func TestBinaryServesAndStops(t *testing.T) {
	c, url, log := startBinary(t)
	response, err := http.Get(url + "/stream")
	if err != nil {
		t.Fatal(err)
	}
	s := &stream{t: t, body: response.Body, lines: bufio.NewReader(response.Body)}
	defer s.close()
	s.posts(3)

	check := exec.Command(binary(), "healthcheck")
	check.Env = []string{"AVIARY_LISTEN=" + strings.TrimPrefix(strings.Replace(url, "localhost", "127.0.0.1", 1), "http://")}
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v %s", err, out)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.until("bye")
	if err := c.Wait(); err != nil {
		t.Errorf("it ends with %v:\n%s", err, log)
	}
	if !strings.Contains(log.String(), "simulated data") {
		t.Errorf("does not say that its data are simulated:\n%s", log)
	}
}

// BenchmarkStart shows the time from the start of the process to the first
// answer, with the simulator inside.
func BenchmarkStart(b *testing.B) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	binary()
	for b.Loop() {
		c := exec.Command(binary())
		c.Env = []string{"AVIARY_LISTEN=" + address, "AVIARY_ADMIN_LISTEN=off"}
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		for {
			response, err := http.Get("http://" + address + "/healthz")
			if err == nil {
				_ = response.Body.Close()
				break
			}
			time.Sleep(time.Millisecond)
		}
		b.StopTimer()
		http.DefaultClient.CloseIdleConnections()
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
		b.StartTimer()
	}
}
