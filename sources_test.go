package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"aviary/upstream/twitter/sim"
)

// A capture replayed: the post counts of a real one are known.
func TestCapture(t *testing.T) {
	captures := os.Getenv("CAPTURES_DIR")
	if captures == "" {
		t.Skip("CAPTURES_DIR is not set: the captures are not tested")
	}
	g := start(t, nil, "AVIARY_SOURCE=file", "AVIARY_FILE_RATE=max",
		"AVIARY_FILE="+filepath.Join(captures, "Cesaaar+od_twitter", "trump.json"))
	eventually(t, "the end of the file", func() bool {
		_, status := g.get("/status")
		return strings.Contains(status, `"state":"halted"`)
	})
	client := g.open("track=trump&since=24h&events=none&limit=117", "")
	if n := len(client.posts(117)); n != 117 {
		t.Errorf("%d posts of 117", n)
	}
	client.close()

	narrow := start(t, nil, "AVIARY_SOURCE=file", "AVIARY_FILE_RATE=max", "AVIARY_TRACK=qqqqqqqq",
		"AVIARY_FILE="+filepath.Join(captures, "Cesaaar+od_twitter", "trump.json"))
	eventually(t, "the end of the file", func() bool {
		_, status := narrow.get("/status")
		return strings.Contains(status, `"state":"halted"`)
	})
	if _, status := narrow.get("/status"); strings.Contains(status, `"events":117`) {
		t.Errorf("TRACK does not narrow a capture: %s", status)
	}
}

func TestCaptureIsNarrowedByTrack(t *testing.T) {
	fake := sim.New(sim.Config{})
	defer fake.Close()
	var lines []byte
	for _, text := range []string{"go 1", "rust 1", "go 2"} {
		lines = append(append(lines, fake.Post(sim.Draft{Text: text}).JSON...), '\n')
	}
	g := start(t, nil, "AVIARY_SOURCE=file", "AVIARY_FILE_RATE=max", "AVIARY_TRACK=go", "AVIARY_FILE="+scratch(t, "c.json", string(lines)))
	client := g.open("since=1h", "")
	if got := client.posts(2); !slices.Equal(got, numbered("go", 1, 2)) {
		t.Errorf("the narrowed capture brings %q", got)
	}
}

// The settings that `aviary sim` prints are the ones that a gateway needs.
func TestSimulatorAlone(t *testing.T) {
	var out lockedBuffer
	exit, signals := make(chan int, 1), make(chan os.Signal, 1)
	go func() {
		exit <- run(context.Background(), &program{
			args: []string{"sim", "-addr", "127.0.0.1:0", "-rate", "100", "-seed", "7"}, listen: net.Listen, out: &out, err: &out, signals: signals,
		})
	}()
	eventually(t, "the settings", func() bool { return strings.Contains(out.String(), "AVIARY_TRACK=") })
	var environ []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "#") {
			environ = append(environ, strings.TrimSpace(line))
		}
	}
	g := start(t, nil, environ...)
	g.open("", "").posts(5)
	g.stop()
	signals <- os.Interrupt
	if code := <-exit; code != exitOK {
		t.Errorf("exit code %d: %s", code, out.String())
	}
}

// TRACK narrows what the simulator is asked for.
func TestSimulatorIsAskedForTrack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := start(t, newNetwork(), "AVIARY_TRACK=weather")
		client := g.open("", "")
		for range 20 {
			if e := client.until(""); !strings.Contains(strings.ToLower(e.data), "weather") {
				t.Errorf("TRACK=weather brings %s", e.data)
			}
		}
	})
}
