package wire_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"aviary/fanout/wire"
)

// tool finds a program that is not part of Go. Where it is missing the test is
// skipped, loudly; in CI that is a failure, since what is skipped there is
// checked nowhere.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed; `make test-tools` installs it: %v", name, err)
	}
	t.Skipf("SKIPPED, AND THAT MATTERS: %s is not installed; `make test-tools` installs it", name)
	return ""
}

// outputOf runs a program and returns what it prints.
func outputOf(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.WaitDelay = time.Minute
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, errs.Bytes())
	}
	return out
}

// eachStream writes streams of random parts of the events in a coding, in every
// format and payload, and compares what a reader makes of them.
func eachStream(t *testing.T, c wire.Coding, read func(t *testing.T, coded []byte) []byte) {
	t.Helper()
	events := simulated(t, 6, 80)
	for i, f := range clientForms() {
		if f.coding != c {
			continue
		}
		t.Run(f.String(), func(t *testing.T) {
			s := f.write(rand.New(rand.NewPCG(uint64(i), 9)), events)
			if got := read(t, s.coded); !bytes.Equal(got, s.plain) {
				t.Errorf("%d bytes are read, want %d", len(got), len(s.plain))
			}
		})
	}
}

func TestReadByGzip(t *testing.T) {
	name := tool(t, "gzip")
	eachStream(t, wire.Gzip, func(t *testing.T, coded []byte) []byte { return outputOf(t, coded, name, "-dc") })
}

// dcz's head is a frame that every zstd skips.
func TestReadByZstd(t *testing.T) {
	name := tool(t, "zstd")
	dictionary := filepath.Join(t.TempDir(), "dictionary")
	if err := os.WriteFile(dictionary, wire.Dictionary(), 0o600); err != nil {
		t.Fatal(err)
	}
	eachStream(t, wire.Zstd, func(t *testing.T, coded []byte) []byte { return outputOf(t, coded, name, "-dcq") })
	eachStream(t, wire.DCZ, func(t *testing.T, coded []byte) []byte { return outputOf(t, coded, name, "-dcq", "-D", dictionary) })
}

func TestReadByNode(t *testing.T) {
	name := tool(t, "node")
	const script = `const zlib = require("zlib"), fs = require("fs");
		const read = zlib[process.argv[1]];
		process.stdout.write(read ? read(fs.readFileSync(0)) : "too old");`
	eachStream(t, wire.Gzip, func(t *testing.T, coded []byte) []byte { return outputOf(t, coded, name, "-e", script, "gunzipSync") })
	if string(outputOf(t, nil, name, "-e", script, "zstdDecompressSync")) == "too old" {
		t.Log("this Node does not know zstd (22.15 and 23.8 are the first that do); its gunzip was tested")
		return
	}
	eachStream(t, wire.Zstd, func(t *testing.T, coded []byte) []byte {
		return outputOf(t, coded, name, "-e", script, "zstdDecompressSync")
	})
}

// Over HTTP, in pieces as the events come: curl and Node's fetch.
func TestReadOverHTTP(t *testing.T) {
	curl, node := tool(t, "curl"), tool(t, "node")
	const fetch = `fetch(process.argv[1]).then(async (answer) => {
		for await (const piece of answer.body) process.stdout.write(piece);
	})`
	for _, c := range []wire.Coding{wire.Gzip, wire.Zstd} {
		eachStream(t, c, func(t *testing.T, coded []byte) []byte {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream")
				w.Header().Set("Content-Encoding", c.String())
				for rest := coded; len(rest) > 0; {
					n := min(len(rest), 1000)
					_, _ = w.Write(rest[:n])
					rest = rest[n:]
					w.(http.Flusher).Flush()
				}
			}))
			defer server.Close()
			got := outputOf(t, nil, curl, "-sS", "--compressed", "--max-time", "20", server.URL)
			if c == wire.Gzip { // Node's fetch knows no zstd
				if also := outputOf(t, nil, node, "-e", fetch, server.URL); !bytes.Equal(also, got) {
					return fmt.Appendf(nil, "Node reads %d bytes, curl %d", len(also), len(got))
				}
			}
			return got
		})
	}
}
