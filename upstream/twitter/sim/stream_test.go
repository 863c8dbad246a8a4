package sim

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Each message is on its way at once, compressed or not: nothing waits for a
// block or a buffer to fill.
func TestMessagesArriveAtOnce(t *testing.T) {
	for _, plain := range []bool{false, true} {
		inTime(t, Config{}, func(t *testing.T, w *world) {
			f := w.connect(ask{form: url.Values{"track": {"go"}}, plain: plain})
			if got := f.header.Get("Content-Encoding"); (got == "gzip") == plain {
				t.Fatalf("Content-Encoding %q, plain %v", got, plain)
			}
			if f.header.Get("Date") == "" || !strings.HasPrefix(f.header.Get("Content-Type"), "application/json") {
				t.Errorf("headers %v", f.header)
			}
			for i := range 5 {
				start := time.Now()
				if n := w.Push([]byte(rawPost(i))); n != 1 {
					t.Fatalf("went to %d streams", n)
				}
				if got := f.now(); len(got) != 1 || got[0] != rawPost(i) || time.Since(start) != 0 {
					t.Fatalf("message %d: %q after %v", i, got, time.Since(start))
				}
				time.Sleep(time.Second)
			}
		})
	}
}

func TestKeepAlive(t *testing.T) {
	inTime(t, Config{}, func(t *testing.T, w *world) {
		f := w.connect(track("go"))
		time.Sleep(29 * time.Second)
		w.Push([]byte(`{}`))
		if got := f.now(); !slices.Equal(got, []string{"{}"}) {
			t.Fatalf("got %q", got)
		}
		time.Sleep(95 * time.Second) // the timer starts again with each message
		if got := f.now(); !slices.Equal(got, []string{"", "", ""}) {
			t.Errorf("got %q", got)
		}
	})
}

func TestDelimited(t *testing.T) {
	inTime(t, Config{KeepAlive: 10 * time.Second}, func(t *testing.T, w *world) {
		f := w.connect(ask{form: url.Values{"track": {"go"}, "delimited": {"length"}}})
		w.Push([]byte(`{"é":1}`))
		time.Sleep(10 * time.Second)
		w.Push([]byte(`{}`))
		if got := f.now(); !slices.Equal(got, []string{"10", `{"é":1}`, "", "4", `{}`}) {
			t.Errorf("got %q", got)
		}
	})
}

// The predicates decide who gets a post and its delete.
func TestFilters(t *testing.T) {
	inTime(t, Config{MaxStreams: -1}, func(t *testing.T, w *world) {
		author := w.Post(Draft{Author: "ann", Text: "hello"}) // before anybody listens
		feeds := map[string]*feed{}
		for _, query := range []string{
			"track=go", "track=go&language=de", "track=go&filter_level=medium", "track=www.example.com", "track=#go",
			"follow=" + author.UserID, "locations=13,52,14,53", "track=rust&follow=" + author.UserID + "&locations=13,52,14,53",
		} {
			form, _ := url.ParseQuery(strings.ReplaceAll(query, "#", "%23"))
			feeds[query] = w.connect(ask{form: form})
		}
		feeds["sample"] = w.connect(ask{path: "/1.1/statuses/sample.json"})
		feeds["sample, en"] = w.connect(ask{path: "/1.1/statuses/sample.json", form: url.Values{"language": {"en"}}})

		plain := w.Post(Draft{Text: "Go is fun"})
		german := w.Post(Draft{Text: "Go macht Spaß", Lang: "de", Level: "medium"})
		tagged := w.Post(Draft{Text: "x #go www.example.com", Author: "ann"})
		berlin := w.Post(Draft{Text: "y", Point: []float64{13.4, 52.5}})
		area := w.Post(Draft{Text: "z", Place: []float64{12, 50, 15, 54}})
		reply := w.Post(Draft{Text: "@ann w", ReplyTo: author.ID})
		repost := w.Post(Draft{Retweet: german.ID})
		quote := w.Post(Draft{Text: "look", Quote: plain.ID})
		w.Delete(german.ID)
		w.Delete("123") // never seen: everybody is told

		for query, want := range map[string][]string{
			"track=go":                     {plain.ID, german.ID, tagged.ID, repost.ID, quote.ID, "-" + german.ID, "-123"},
			"track=go&language=de":         {german.ID, "-" + german.ID, "-123"},
			"track=go&filter_level=medium": {german.ID, "-" + german.ID, "-123"},
			"track=www.example.com":        {"-123"},
			"track=#go":                    {tagged.ID, "-123"},
			"follow=" + author.UserID:      {tagged.ID, reply.ID, "-123"},
			"locations=13,52,14,53":        {berlin.ID, area.ID, "-123"},
			"track=rust&follow=" + author.UserID + "&locations=13,52,14,53": {tagged.ID, berlin.ID, area.ID, reply.ID, "-123"},
			"sample":     {plain.ID, german.ID, tagged.ID, berlin.ID, area.ID, reply.ID, repost.ID, quote.ID, "-" + german.ID, "-123"},
			"sample, en": {plain.ID, tagged.ID, berlin.ID, area.ID, reply.ID, repost.ID, quote.ID, "-123"},
		} {
			if got := ids(t, feeds[query].now()); !slices.Equal(got, want) {
				t.Errorf("%s:\n got %v\nwant %v", query, got, want)
			}
		}
	})
}

// ids reduces lines to ids, of deletes with a minus.
func ids(t *testing.T, lines []string) []string {
	var out []string
	for _, line := range lines {
		mark := ""
		rest, del := strings.CutPrefix(line, `{"delete":{"status":{`)
		if del {
			mark = "-"
		}
		_, rest, ok := strings.Cut(rest, `"id_str":"`)
		id, _, _ := strings.Cut(rest, `"`)
		if !ok {
			t.Errorf("no id in %q", line)
		}
		out = append(out, mark+id)
	}
	return out
}

func TestThirdStreamClosesTheOldest(t *testing.T) {
	inTime(t, Config{}, func(t *testing.T, w *world) {
		first, second, third := w.connect(track("a")), w.connect(track("b")), w.connect(track("c"))
		lines, err := first.ended()
		if len(lines) != 1 || !strings.Contains(lines[0], `{"disconnect":{"code":7,`) || err != io.EOF {
			t.Errorf("the oldest got %q, %v", lines, err)
		}
		w.Push([]byte(`{}`))
		if a, b := second.now(), third.now(); len(a) != 1 || len(b) != 1 {
			t.Errorf("the others got %q and %q", a, b)
		}
		if n := w.Stats().Streams; n != 2 {
			t.Errorf("%d streams are open", n)
		}
	})
}

func TestTooManyConnects(t *testing.T) {
	inTime(t, Config{MaxConnects: 2, ConnectWindow: minute}, func(t *testing.T, w *world) {
		for i, want := range []int{200, 200, 420, 420} {
			if f := w.connect(track("go")); f.status != want {
				t.Errorf("connect %d: %d, want %d", i+1, f.status, want)
			}
		}
		time.Sleep(minute)
		if f := w.connect(track("go")); f.status != 200 {
			t.Errorf("after the window: %d", f.status)
		}
	})
}

// A reader that does not read is warned, then cut with code 4 at the best; the
// generator does not wait for it, nor does another stream.
func TestSlowReader(t *testing.T) {
	inTime(t, Config{Rate: 100, Queue: 200, WriteTimeout: 20 * time.Second}, func(t *testing.T, w *world) {
		if err := w.Do("stall 1500ms\nafter 20s stall 10s"); err != nil { // nobody there yet: the first does nothing
			t.Fatal(err)
		}
		f := w.connect(ask{path: "/1.1/statuses/sample.json", form: url.Values{"stall_warnings": {"true"}}})
		time.Sleep(20*time.Second + time.Millisecond)
		if got := len(f.now()); got < 1500 || got > 2500 {
			t.Errorf("%d messages in 20 s at 100/s", got)
		}
		lines, err := f.ended()
		if err != io.EOF || len(lines) == 0 || !strings.Contains(lines[len(lines)-1], `"disconnect":{"code":4,`) {
			t.Errorf("%d lines, %v", len(lines), err)
		}
	})
}

func TestStallWarning(t *testing.T) {
	inTime(t, Config{Rate: 100, Queue: 1000}, func(t *testing.T, w *world) {
		with := w.connect(ask{path: "/1.1/statuses/sample.json", form: url.Values{"stall_warnings": {"true"}}})
		without := w.connect(ask{path: "/1.1/statuses/sample.json"})
		if err := w.Do("stall 7s"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		for f, want := range map[*feed]int{with: 1, without: 0} {
			n := 0
			for _, line := range f.now() {
				if strings.HasPrefix(line, `{"warning":{"code":"FALLING_BEHIND"`) {
					n++
				}
			}
			if n != want {
				t.Errorf("%d warnings, want %d", n, want)
			}
		}
	})
}

func TestCloseEndsEverything(t *testing.T) {
	inTime(t, Config{Rate: 50}, func(t *testing.T, w *world) {
		f := w.connect(track("go"))
		stuck := w.connect(track("go"))
		if err := w.Do("hang for 1h\nafter 10s stall 1h"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Second)
		start := time.Now()
		if err := w.Close(); err != nil || time.Since(start) > 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		for _, f := range []*feed{f, stuck} {
			if _, err := f.ended(); err != io.EOF {
				t.Errorf("ended with %v", err)
			}
		}
		if got := w.connect(track("go")); got.status != http.StatusServiceUnavailable {
			t.Errorf("afterwards: %d", got.status)
		}
		if w.Close() != nil {
			t.Error("the second Close")
		}
	})
}

// A client that takes nothing is gone after the write timeout, not for ever.
func TestDeadClient(t *testing.T) {
	inTime(t, Config{WriteTimeout: 5 * time.Second}, func(t *testing.T, w *world) {
		conn, _ := w.pipe.dial(t.Context(), "", "")
		r := signed(DefaultCredentials, url.Values{"track": {"go"}}, nil)
		r.ContentLength = int64(len(url.Values{"track": {"go"}}.Encode()))
		go func() { _ = r.Write(conn) }()
		buf := make([]byte, 400)
		_, _ = conn.Read(buf) // the header; from now on nothing is read
		synctest.Wait()
		if n := w.Push([]byte(rawPost(1))); n != 1 {
			t.Fatalf("went to %d streams", n)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if n := w.Stats().Streams; n != 0 {
			t.Errorf("%d streams left", n)
		}
	})
}

// The default source: about ten posts a second, and the same ones for a seed.
func TestRate(t *testing.T) {
	var runs [2][]string
	for i := range runs {
		inTime(t, Config{Rate: DefaultRate, Seed: 5}, func(t *testing.T, w *world) {
			f := w.connect(ask{path: "/1.1/statuses/sample.json"})
			time.Sleep(3 * time.Minute)
			runs[i] = f.now()
		})
	}
	if n := len(runs[0]); n < 1450 || n > 2300 {
		t.Errorf("%d messages in 3 minutes at %d/s", n, DefaultRate)
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Error("two runs with one seed differ")
	}
}

func TestSilence(t *testing.T) {
	inTime(t, Config{Rate: 100}, func(t *testing.T, w *world) {
		f := w.connect(ask{path: "/1.1/statuses/sample.json"})
		time.Sleep(5 * time.Second)
		w.Silence()
		if len(f.now()) == 0 {
			t.Fatal("nothing came before")
		}
		time.Sleep(5 * time.Second)
		if got := f.now(); len(got) != 0 {
			t.Errorf("%d lines came", len(got))
		}
		w.Push([]byte(`{}`))
		if got := f.now(); len(got) != 1 {
			t.Errorf("pushed one, got %q", got)
		}
	})
}

// What a load test gets over a real socket: one stream, everything asked for.
func BenchmarkStream(b *testing.B) {
	for _, plain := range []bool{false, true} {
		b.Run(fmt.Sprintf("gzip=%v", !plain), func(b *testing.B) {
			s, base := overTCP(b, Config{})
			a := ask{path: "/1.1/statuses/sample.json", plain: plain}
			resp, err := signer(Credentials{}, &http.Transport{DisableCompression: true}).Do(a.request(b.Context(), base))
			if err != nil || resp.StatusCode != 200 {
				b.Fatal(err, resp)
			}
			c := NewCorpus(1, noon)
			posts := make([][]byte, 256)
			for i := range posts {
				posts[i] = c.Next(noon.Add(time.Duration(i) * time.Millisecond)).JSON
			}
			for s.Stats().Streams == 0 {
				time.Sleep(time.Millisecond)
			}
			done := make(chan error)
			go func() { _, err := io.Copy(io.Discard, resp.Body); done <- err }()
			b.ResetTimer()
			for n := range b.N { // not b.Loop: what is pushed must also arrive in the measured time
				s.Push(posts[n%len(posts)])
			}
			s.mu.Lock()
			s.each(func(*stream) op { return closing })
			s.mu.Unlock()
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
		})
	}
}
