package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// A client that stops reading is cut and costs the others nothing; one that reads
// too slowly is told.
func TestCompatV1Slow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.Hub = fanout.NewHub(fanout.Config{Events: 50}) })
		stuck := g.do("GET", "/1.1/statuses/sample.json", "") // its body is not read: a pipe holds nothing
		slow := g.do("GET", "/1.1/statuses/filter.json?track=go&stall_warnings=true", "")
		good := g.follow("GET", "/1.1/statuses/filter.json?track=go", "")
		for i := range 200 {
			g.status(uint64(i+1), "go "+strconv.Itoa(i))
			if got := good.texts(1); got[0] != "go "+strconv.Itoa(i) {
				t.Fatalf("%q", got)
			}
		}
		// The slow one was stuck in the write of the first posts; then it reads.
		l := &compatLines{t: t, body: soak(slow.Body)}
		l.in = bufio.NewReader(l.body)
		seen, warned, limit := 0, 0, ""
		for seen < 200 {
			line := l.line()
			switch {
			case strings.HasPrefix(line, `{"warning":{"code":"FALLING_BEHIND"`):
				warned++
			case strings.HasPrefix(line, `{"limit":{"track":`):
				limit = line
				n, _, _ := strings.Cut(strings.TrimPrefix(line, `{"limit":{"track":`), ",")
				missed, _ := strconv.Atoi(n)
				seen += missed
			case strings.Contains(line, `"text":"go `):
				seen++
			default:
				t.Fatalf("%q", line)
			}
		}
		if seen != 200 || warned != 1 || limit == "" {
			t.Errorf("%d posts are accounted for, with %d warnings and %q", seen, warned, limit)
		}
		time.Sleep(15 * time.Second)
		if n := g.server.clients.Len(); n != 2 {
			t.Errorf("%d clients are left: the stuck one is not cut", n)
		}
		_ = stuck.Body.Close()
	})
}

// Places run out, operators end streams, connections grow old.
func TestCompatLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.MaxClients = 2; o.MaxAge = 10 * time.Minute })
		g.rules("", `{"add":[{"value":"go"}]}`)
		one, two := g.follow("GET", "/1.1/statuses/sample.json", ""), g.follow("GET", "/2/tweets/search/stream", "")
		if resp := g.do("GET", "/1.1/statuses/sample.json", ""); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%d", resp.StatusCode)
		}
		resp := g.do("GET", "/2/tweets/search/stream", "")
		if body := readAll(t, resp.Body); resp.StatusCode != 503 || !strings.Contains(body, `"title":"Service Unavailable"`) {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		list := g.server.compat.List()
		if len(list) != 2 || list[0].ID == list[1].ID {
			t.Fatalf("%+v", list)
		}
		if g.server.compat.Evict(99) {
			t.Error("nobody has that id")
		}
		for _, info := range list {
			g.server.compat.Evict(info.ID)
		}
		one.want(`{"disconnect":{"code":7,…`, "EOF")
		two.want(`{"errors":[{"detail":"This stream has been disconnected for operational reasons. An operator has ended it.","disconnect_type":"OperationalDisconnect","title":"operational-disconnect",…`, "EOF")
		synctest.Wait()
		old := g.follow("GET", "/1.1/statuses/sample.json", "")
		began := time.Now()
		for line := ""; line == ""; {
			if line = old.line(); line != "" && !strings.HasPrefix(line, `{"disconnect":{"code":1,`) {
				t.Errorf("%q", line)
			}
		}
		if age := time.Since(began); age < 8*time.Minute || age > 10*time.Minute {
			t.Errorf("it lived for %v", age)
		}
	})
}

// A body that does not come to its end in time is refused in words.
func TestCompatSlowBody(t *testing.T) {
	for path, kind := range map[string]string{"/1.1/statuses/filter.json": "application/x-www-form-urlencoded", rulesPath: "application/json"} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(t)
			conn, err := g.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			began := time.Now()
			if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\ntra", path, kind); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if body := readAll(t, resp.Body); resp.StatusCode != 400 || !strings.Contains(body, "could not be read to its end") || time.Since(began) > time.Minute {
				t.Errorf("%s: %d %s after %v", path, resp.StatusCode, body, time.Since(began))
			}
		})
	}
}

// Of one address there may be so many: Twitter's 420, and X's TooManyConnections.
func TestCompatPerKey(t *testing.T) {
	g := newTCPGate(t, func(o *Options) {
		o.MaxClientsPerKey, o.TrustedProxies = 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	g.rules("", `{"add":[{"value":"go"}]}`)
	from := "X-Forwarded-For: 203.0.113.9" // clients on this machine are not counted
	first := g.follow("GET", "/1.1/statuses/sample.json", "", from)
	defer first.body.Close()
	resp := g.do("GET", "/1.1/statuses/sample.json", "", from)
	if body := readAll(t, resp.Body); resp.StatusCode != 420 || body != "Exceeded connection limit for user\r\n" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	resp = g.do("GET", "/2/tweets/search/stream", "", from)
	var said struct {
		Title, Connection string
		Issue             string `json:"connection_issue"`
	}
	if err := json.Unmarshal([]byte(readAll(t, resp.Body)), &said); err != nil || resp.StatusCode != 429 || said.Title != "ConnectionException" || said.Issue != "TooManyConnections" {
		t.Errorf("%d %+v %v", resp.StatusCode, said, err)
	}
}

// Streams come and go while posts flow: no race, and everybody gets all that came
// while it was there, in order. Posts come as fast as they are read, so that nobody
// falls behind the history, whoever gets the processor.
func TestCompatChurn(t *testing.T) {
	const clients, streams, lines = 4, 8, 50
	g := newTCPGate(t, func(o *Options) {
		o.Hub = fanout.NewHub(fanout.Config{Epoch: 1 << 30, Events: clients * streams * lines})
	})
	t.Cleanup(g.hub.Close)
	g.rules("", `{"add":[{"value":"go"}]}`)
	wanted := make(chan struct{}, clients*streams*lines)
	var posting, reading sync.WaitGroup
	posting.Go(func() {
		i := uint64(0)
		for range wanted {
			i++
			g.status(i, "go "+strconv.FormatUint(i, 10))
		}
	})
	for k := range clients {
		reading.Go(func() {
			for range streams {
				path, lead := "/1.1/statuses/filter.json?track=go", `"text":"go `
				if k%2 == 1 {
					path = "/2/tweets/search/stream"
				}
				l := g.follow("GET", path, "", "Accept-Encoding: "+[]string{"identity", "gzip"}[k/2])
				last := 0
				for range lines {
					wanted <- struct{}{}
					line := l.line()
					_, rest, _ := strings.Cut(line, lead)
					n, err := strconv.Atoi(rest[:strings.IndexByte(rest+`"`, '"')])
					if err != nil || last > 0 && n != last+1 {
						t.Errorf("after %d comes %q", last, line)
						break
					}
					last = n
				}
				_ = l.body.Close()
			}
		})
	}
	reading.Wait()
	close(wanted)
	posting.Wait()
}
