package main

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The documents show what happens in a terminal in blocks of kind "console":
//
//	$ a command
//	what it prints; … stands for what is different each time,
//	…
//	and a line of it alone for any number of lines.
//	^C
//
// ^C is Ctrl-C. A command whose output ends in a line of … and that is the last
// of its block may still run: that terminal stays open to the end of the section.
// Tests run every such block and compare.

// step is one command of a block and what it prints.
type step struct {
	command string
	want    []string
	stop    bool // ends with ^C
	open    bool // more may follow
}

func steps(t *testing.T, f fence) (all []step) {
	t.Helper()
	for _, line := range f.lines {
		command, prompt := strings.CutPrefix(line, "$ ")
		switch {
		case prompt:
			all = append(all, step{command: command})
		case len(all) == 0:
			t.Fatalf("line %d: a block of kind console begins with output", f.line)
		case line == "^C":
			all[len(all)-1].stop = true
		default:
			s := &all[len(all)-1]
			s.want = append(s.want, line)
			s.open = line == "…"
		}
	}
	return all
}

// pattern is what the output must match: its beginning if the command goes on.
func (s *step) pattern() *regexp.Regexp {
	var b strings.Builder
	b.WriteString(`\A`)
	for _, line := range s.want {
		if line == "…" {
			b.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		for i, part := range strings.Split(line, "…") {
			if i > 0 {
				b.WriteString(`[^\n]*?`)
			}
			b.WriteString(regexp.QuoteMeta(part))
		}
		b.WriteString(`\n`)
	}
	if !s.open && !s.stop {
		b.WriteString(`\z`)
	}
	return regexp.MustCompile(b.String())
}

// terminal runs commands as the documents show them, with ports and a folder
// for files of its own.
type terminal struct {
	t       *testing.T
	environ []string
	places  *strings.Replacer
	gateway string // the URL that stands for localhost:8080
	simAddr string
	open    []*job // that go on to the end of the section
}

// job is a command that was started.
type job struct {
	step
	c      *exec.Cmd
	output lockedBuffer
	ended  chan struct{}
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	for _, name := range []string{"bash", "curl", "jq"} {
		tool(t, name)
	}
	dir, public, admin := t.TempDir(), freePort(t), freePort(t)
	sim := "127.0.0.1:" + freePort(t)
	// Unlike on a terminal, curl would show its progress.
	if err := os.WriteFile(filepath.Join(dir, ".curlrc"), []byte("no-progress-meter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, gateway: "http://localhost:" + public, simAddr: sim, places: strings.NewReplacer(
		"localhost:8080", "localhost:"+public, "localhost:8081", "localhost:"+admin,
		"127.0.0.1:8081", "127.0.0.1:"+admin, "127.0.0.1:8090", sim, "/tmp/", dir+"/", "words.txt", dir+"/words.txt",
	)}
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, prefix) {
			x.environ = append(x.environ, entry)
		}
	}
	x.environ = append(x.environ, "CURL_HOME="+dir, "NO_PROXY=*",
		"AVIARY_LISTEN=127.0.0.1:"+public, "AVIARY_ADMIN_LISTEN=127.0.0.1:"+admin, "AVIARY_LOG_FORMAT=text") // as on a terminal
	if err := os.WriteFile(filepath.Join(dir, "words.txt"), []byte("football,go release"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.closeAll)
	return x
}

// start starts a command in a process group, as a terminal does.
func (x *terminal) start(s step) *job {
	x.t.Helper()
	command := x.places.Replace(s.command)
	command = strings.Replace(command, "go run . sim", "go run . sim -addr "+x.simAddr, 1)
	for i := range s.want {
		s.want[i] = x.places.Replace(s.want[i])
	}
	j := &job{step: s, c: exec.Command("bash", "-c", "set -o pipefail; "+command), ended: make(chan struct{})}
	j.c.Env, j.c.Stdout, j.c.Stderr = x.environ, &j.output, &j.output
	j.c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := j.c.Start(); err != nil {
		x.t.Fatal(err)
	}
	go func() {
		defer close(j.ended)
		_ = j.c.Wait() // the exit code is looked at later
	}()
	return j
}

// hasEnded reports whether the command has ended.
func (j *job) hasEnded() bool {
	select {
	case <-j.ended:
		return true
	default:
		return false
	}
}

// patience is how long a command may take to print what it should: `go run`
// may have to build first, on a busy machine.
const patience = 3 * time.Minute

// run runs one command of a block; last says that its terminal may stay open.
func (x *terminal) run(s step, last bool) {
	x.t.Helper()
	j, pattern, began := x.start(s), s.pattern(), time.Now()
	stays := s.open && last && !s.stop
	for {
		ended := j.hasEnded() // before the look at its output, which is whole then
		matches := pattern.MatchString(j.output.String())
		if matches && (stays || s.stop || ended) {
			break
		}
		if ended || time.Since(began) > patience {
			x.t.Errorf("$ %s\nprints\n%s\nand not\n%s", s.command, j.output.String(), strings.Join(s.want, "\n"))
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if stays {
		x.open = append(x.open, j)
		return
	}
	x.close(j)
}

// close presses Ctrl-C if the command still runs. Whatever ends by itself must
// end well. (What `go run` says of a program that was interrupted is its own
// affair; TestBinaryServesAndStops looks at the program.)
func (x *terminal) close(j *job) {
	x.t.Helper()
	pressed := !j.hasEnded()
	if pressed {
		_ = syscall.Kill(-j.c.Process.Pid, syscall.SIGINT)
	}
	select {
	case <-j.ended:
	case <-time.After(patient):
		_ = syscall.Kill(-j.c.Process.Pid, syscall.SIGKILL)
		x.t.Errorf("$ %s\ndoes not end at Ctrl-C:\n%s", j.command, j.output.String())
		<-j.ended
	}
	if code := j.c.ProcessState.ExitCode(); code != 0 && !pressed {
		x.t.Errorf("$ %s\nends with %d:\n%s", j.command, code, j.output.String())
	}
}

// closeAll is the end of a section: every terminal that is still open is closed.
func (x *terminal) closeAll() {
	for _, j := range x.open {
		x.close(j)
	}
	x.open = nil
}

// play runs the blocks of a page in order and returns how many commands there were.
func (x *terminal) play(p *page) (commands int) {
	x.t.Helper()
	section := 0
	for _, f := range p.fences {
		if f.kind != "console" {
			continue
		}
		if f.section != section {
			x.closeAll()
			section = f.section
		}
		all := steps(x.t, f)
		for i, s := range all {
			x.run(s, i == len(all)-1)
			commands++
		}
	}
	x.closeAll()
	return commands
}

// A newcomer's way: every command that the README shows, word for word.
func TestReadmeCommands(t *testing.T) {
	x := newTerminal(t)
	if n := x.play(readPage(t, "README.md")); n < 9 {
		t.Errorf("the README shows only %d commands", n)
	}
}

// serve runs a gateway on the ports that the documents' commands ask.
func (x *terminal) serve() {
	x.t.Helper()
	c := exec.Command(binary())
	c.Env = x.environ
	log := &lockedBuffer{}
	c.Stderr = log
	if err := c.Start(); err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
		if x.t.Failed() {
			x.t.Logf("the gateway's log:\n%s", log)
		}
	})
	eventually(x.t, "a history", func() bool {
		response, err := http.Get(x.gateway + "/status")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		var said struct{ History struct{ Events int } }
		return json.NewDecoder(response.Body).Decode(&said) == nil && said.History.Events > 10
	})
}

// The commands of the other documents, against a gateway that runs already.
func TestDocsCommands(t *testing.T) {
	x := newTerminal(t)
	x.serve()
	commands := 0
	for _, p := range readPages(t) {
		if p.path != "README.md" {
			commands += x.play(p)
		}
	}
	if commands < 10 {
		t.Errorf("the documents show only %d commands", commands)
	}
}

// The lines of the README that ask and show no answer: each brings a stream, a
// page of a search, what a filter means, or what its last program makes of it.
func TestReadmeQuestions(t *testing.T) {
	x := newTerminal(t)
	x.serve()
	lines := 0
	for _, f := range readPage(t, "README.md").fences {
		for _, line := range f.lines {
			if f.kind != "sh" || !strings.HasPrefix(line, "curl ") {
				continue
			}
			lines++
			s := step{command: line, want: []string{"retry: …"}, stop: true}
			switch {
			case strings.Contains(line, "/filters/check"):
				s.want = []string{`{"filter":"track=cat,dog&language=en",…}`}
			case strings.Contains(line, "|"):
				s.want = []string{"…: …"}
			case strings.Contains(line, "/1.1/"):
				s.want = []string{`{"…`}
			case strings.Contains(line, "/search?"):
				s.want = []string{`{"statuses":[{…}],…}`}
			}
			x.run(s, true)
		}
	}
	if lines < 8 {
		t.Errorf("only %d lines are found", lines)
	}
}

// The comparison compares.
func TestTranscripts(t *testing.T) {
	for _, test := range []struct {
		want   string // lines, with /
		output string
		fits   bool
	}{
		{"a", "a/", true}, {"a", "a/b/", false}, {"a", "b/", false}, {"a/…", "a/", true}, {"a/…", "a/b/", true},
		{"a/…/c", "a/b/b/c/", true}, {"a/…/c", "a/c/", true}, {"a/…/c", "a/b/", false}, {"a…c", "abc/", true}, {"a…c", "a/c/", false},
		{"…/x…/…", "1/2/xy/3/", true}, {"…/x…/…", "1/2/", false}, {"", "/", true}, {"a/…", "a", false}, {"a.", "ab/", false},
	} {
		all := steps(t, fence{lines: append([]string{"$ x"}, strings.Split(test.want, "/")...)})
		if got := all[0].pattern().MatchString(strings.ReplaceAll(test.output, "/", "\n")); got != test.fits {
			t.Errorf("%q fits %q: %v", test.output, test.want, got)
		}
	}
	if all := steps(t, fence{lines: []string{"$ set -a", "$ y", "1", "^C"}}); len(all) != 2 || all[0].stop || !all[1].stop || len(all[0].want) != 0 {
		t.Errorf("read as %+v", all)
	}
}
