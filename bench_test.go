package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aviary/loadgen"
)

func TestBenchArgs(t *testing.T) {
	for _, test := range []struct {
		args  string
		want  string // address, streams, time, warm-up, process
		wrong string
	}{
		{"localhost:8080", "localhost:8080 100 10s 1s 0", ""},
		{"https://h.example/stream?track=go", "h.example:443 100 10s 1s 0", ""},
		{"h.example -n 5 -for 1m -warm 0s -pid 7", "h.example:80 5 1m0s 0s 7", ""},
		{"-n=5 [::1]:9 http://[::1]:9/stream?track=a", "[::1]:9 5 10s 1s 0", ""},
		{"", "", "needs the URL"},
		{"-n 3", "", "needs the URL"},
		{"a b", "", "one server only"},
		{"a https://a", "", "one server only"},
		{"a -n 0", "", "from 1 to 100000"},
		{"a -n 100001", "", "from 1 to 100000"},
		{"a -n x", "", "-n"},
		{"a -for 10ms", "", "-for takes"},
		{"a -for 25h", "", "-for takes"},
		{"a -warm -1s", "", "-warm takes"},
		{"a -pid -3", "", "-pid takes"},
		{"a -x", "", "-x"},
		{"ftp://a", "", "not the URL"},
	} {
		b, err := parseBench(strings.Fields(test.args))
		switch {
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
			t.Errorf("%q: %v does not say %q", test.args, err, test.wrong)
		case test.wrong == "" && err != nil:
			t.Errorf("%q: %v", test.args, err)
		case test.wrong == "":
			if got := fmt.Sprint(b.address(), " ", b.n, " ", b.time, " ", b.warm, " ", b.pid); got != test.want {
				t.Errorf("%q is %q, not %q", test.args, got, test.want)
			}
		}
	}
}

// The streams' requests are dealt to the URLs in turn.
func TestBenchRequests(t *testing.T) {
	b, err := parseBench([]string{"h.example:1/stream?track=a", "http://h.example:1/"})
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{"/stream?track=a", "/stream", "/stream?track=a"} {
		r := string(b.request(i))
		if !strings.HasPrefix(r, "GET "+path+" HTTP/1.1\r\nHost: h.example:1\r\n") || !strings.HasSuffix(r, "\r\n\r\n") {
			t.Errorf("stream %d asks %q", i, r)
		}
	}
}

// What counts as lost and repeated. Each stream is what it got: hN begins a
// stream after post N, a number is a post, . is the end of the measurement.
func TestBenchTally(t *testing.T) {
	for _, test := range []struct {
		streams  string
		lost     uint64
		repeated int64
	}{
		{"h4 5 6 7 . 8; h4 5 6 7 .", 0, 0},
		{"h4 5 6 7 .; h4 5 7 .", 1, 0},
		{"h4 5 6 7 .; h6 7 .", 0, 0}, // came later
		{"5 6 7 .; 7 .", 0, 0},       // no hello: from its first post on
		{"h4 5 6 7 .; h4 .", 3, 0},
		{"h4 5 6 6 7 .; h4 5 6 7 .", 0, 1},
		{"h4 5 7 6 .; h4 5 6 7 .", 1, 1},                // out of order: 6 is repeated for its place, and missing there
		{"h4 5 7 900 .; h4 5 7 900 .", 0, 0},            // holes of a filter
		{"h4 900 .; h4 5 900 . 901 902", 1, 0},          // and a loss among them
		{"h2000000 2000001 .; 1999990 2000001 .", 0, 0}, // replay from before the first id seen
		{"h4 5 6 . 7; h4 5 . 6 7", 0, 0},                // behind at the end, and then it comes
	} {
		all := strings.Split(test.streams, ";")
		tally := newBenchTally(1, len(all))
		streams := make([]*loadgen.Stream, len(all))
		words := make([][]string, len(all))
		for i, text := range all {
			streams[i], words[i] = &loadgen.Stream{Index: i}, strings.Fields(text)
		}
		tally.measuring = true
		feed := func(i int, word string) {
			e := &loadgen.Event{ID: []byte("k3f9a1-" + strings.TrimPrefix(word, "h")), Data: []byte("{}")}
			if word[0] == 'h' {
				e.Name = []byte("hello")
			}
			tally.Event(streams[i], e, time.Now())
		}
		for i := range all {
			for len(words[i]) > 0 && words[i][0] != "." {
				feed(i, words[i][0])
				words[i] = words[i][1:]
			}
		}
		tally.freeze()
		for i := range all {
			for _, word := range words[i] {
				if word != "." {
					feed(i, word)
				}
			}
		}
		if lost := tally.lost(func(int) bool { return true }); lost != test.lost || tally.repeated != test.repeated {
			t.Errorf("%q: lost %d, repeated %d, not %d and %d", test.streams, lost, tally.repeated, test.lost, test.repeated)
		}
	}
}

// Ids that cannot be compared are not.
func TestBenchNumbers(t *testing.T) {
	f := &benchFeed{}
	for _, test := range []struct {
		id string
		n  uint64
		ok bool
	}{
		{"k3f9a1-4711", 4711, true}, {"k3f9a1-4712.end", 0, false}, {"", 0, false}, {"k3f9a1-", 0, false}, {"k3f9a1-x", 0, false},
		{"aaaaaa-4713", 0, false}, {"4713", 0, false}, {"k3f9a1-99999999999999999999", 0, false}, {"k3f9a1-9999999999999999999", 0, false}, {"k3f9a1-0", 0, true},
	} {
		if n, ok := f.number([]byte(test.id)); n != test.n || ok != test.ok {
			t.Errorf("%q: %d, %v", test.id, n, ok)
		}
	}
	if f.foreign != 3 {
		t.Errorf("%d foreign ids", f.foreign)
	}
}

func TestMadeAt(t *testing.T) {
	for data, want := range map[string]int64{
		`{"text":"a","timestamp_ms":"1700000000123"}`:                       1700000000123,
		`{"q":{"timestamp_ms":"1"},"timestamp_ms":"1700000000124"}`:         1700000000124,
		`{"id_str":"1","created_at":"2023-11-14T22:13:20.125Z","text":"a"}`: 1700000000125,
		`{"created_at":"Tue Nov 14 22:13:20 +0000 2023"}`:                   0,
		`{}`: 0,
	} {
		if got := madeAt([]byte(data)) / 1e6; got != want {
			t.Errorf("%s was made at %d, not %d", data, got, want)
		}
	}
}

// runBench runs the command.
func runBench(t *testing.T, change func(*program), args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	p := &program{args: append([]string{"bench"}, args...), dial: new(net.Dialer).DialContext, out: &o, err: &e}
	if change != nil {
		change(p)
	}
	code = run(t.Context(), p)
	return code, o.String(), e.String()
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in:\n%s", part, text)
		}
	}
}

// Against a gateway: nothing is lost, and everything is measured.
func TestBenchGateway(t *testing.T) {
	g := start(t, nil, "AVIARY_LOG_LEVEL=error")
	args := []string{g.url, g.url + "/stream?payload=compact&track=football", "-n", "20", "-for", "2s", "-warm", "200ms"}
	if runtime.GOOS == "linux" {
		args = append(args, "-pid", fmt.Sprint(os.Getpid()))
	}
	code, out, errs := runBench(t, nil, args...)
	if code != exitOK || errs != "" && !strings.Contains(errs, "reading took") { // which is the machine's affair
		t.Errorf("exit code %d: %s", code, errs)
	}
	has(t, out, "20 open of 20", "deliveries  ", "age         p50 ", "spread      p50 ", "lost        0\n", "repeated    0\n", "gaps        0 told")
	if runtime.GOOS == "linux" {
		has(t, out, "server CPU  ", "server RAM  ")
	}
	if strings.Contains(out, "\x1b") {
		t.Error("progress without a terminal")
	}
}

// leaky is a server whose second stream misses a post and gets another twice.
func leaky(t *testing.T) *httptest.Server {
	var streams atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bad := streams.Add(1) == 2
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "retry: 1\n\nevent: hello\nid: k3f9a1-100\ndata: {}\n\n")
		for i := 101; i < 100_000; i++ {
			if !bad || i != 103 {
				fmt.Fprintf(w, "id: k3f9a1-%d\ndata: {}\n\n", i)
			}
			if bad && i == 104 {
				fmt.Fprintf(w, "id: k3f9a1-%d\ndata: {}\n\nevent: gap\nid: k3f9a1-104\ndata: {\"gap\":{\"missed\":1}}\n\n", i)
			}
			if http.NewResponseController(w).Flush() != nil {
				return
			}
			select {
			case <-time.After(10 * time.Millisecond):
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func TestBenchFindsLoss(t *testing.T) {
	code, out, _ := runBench(t, func(p *program) { p.outTerminal = true }, leaky(t).URL, "-n", "4", "-for", "2s", "-warm", "0s")
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	has(t, out, "lost        1\n", "repeated    1\n", "gaps        1 told, with 1 posts", clearLine+"measuring")
}

// Refusals, ends and silence are failures that are told.
func TestBenchFailures(t *testing.T) {
	g := start(t, nil, "AVIARY_LOG_LEVEL=error", "AVIARY_MAX_CLIENTS=3")
	code, _, errs := runBench(t, nil, g.url+"/stream?trak=go", "-n", "2")
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	has(t, errs, "2 of 2 streams could not be opened", "400 Bad Request", `did you mean "track"?`)

	code, out, errs := runBench(t, nil, g.url+"/stream?track=zzzzzzzz", "-n", "2", "-for", "1s", "-warm", "0s")
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	has(t, errs, "no post came")
	has(t, out, "no post had a time stamp", "2 open of 2")

}

// Streams that end before the time are told, with the reason that the server gave.
func TestBenchTellsEnds(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	screen := &lockedBuffer{}
	posting := make(chan struct{})
	go func() {
		defer close(posting)
		until(t, screen, "measuring") // all streams are open
		say(fake, "go")
	}()
	code, _, errs := runBench(t, func(p *program) { p.out, p.outTerminal = screen, true }, g.url+"/stream?limit=1", "-n", "2", "-for", "5m", "-warm", "0s")
	<-posting
	if code != exitFailed {
		t.Errorf("exit code %d", code)
	}
	has(t, errs, "2 streams ended before the time: the server ended the stream 2 × bye limit")
	has(t, screen.String(), "0 open of 2")
}

// until waits for what a program says while it runs.
func until(t *testing.T, said *lockedBuffer, words string) {
	for end := time.Now().Add(patient); !strings.Contains(said.String(), words); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%q is not said in %q", words, said.String())
			return
		}
	}
}

// Too few descriptors lower -n and say so; Ctrl-C ends early with what there is.
func TestBenchLimitsAndStops(t *testing.T) {
	signals, screen := make(chan os.Signal, 1), &lockedBuffer{}
	go func() {
		until(t, screen, "measuring")
		signals <- os.Interrupt
	}()
	began := time.Now()
	_, _, errs := runBench(t, func(p *program) {
		p.descriptors = func() (int, error) { return benchReserved + 3, nil }
		p.signals, p.out, p.outTerminal = signals, screen, true
	}, leaky(t).URL, "-n", "50", "-for", "1h", "-warm", "0s")
	has(t, errs, "-n 50 becomes 3", "ulimit -n 82")
	has(t, screen.String(), "3 open of 3", "deliveries ")
	if time.Since(began) > 5*time.Minute {
		t.Error("the interrupt was not heard")
	}
}
